//! Who may do what in a room, who is told of it, and how it goes from one owner to the next.

use common::{
    table::{Departure, Role, Step},
    wire::tracker::{Code, Logout, SetTopic, Unban},
};

use super::world::{World, called, key, room};
use crate::config::Config;

/// Peer 1 owns a room, 2 is its moderator, 3 and 4 are members, 5 is outside.
fn room_of_four() -> World {
    let mut world = World::new(Config::default());
    (1..=5).for_each(|peer| world.login(peer));
    world.make(1, "den", false);
    (2..=4).for_each(|peer| world.join(peer, "den"));
    assert_eq!(world.set_role(1, "den", 2, Role::Moderator), None);
    world
}

fn topic(world: &mut World, id: u8, name: &str, topic: &str) -> Option<Code> {
    world.code(id, SetTopic { id: 1, room: room(name), topic: topic.into() })
}

fn last_change(world: &World, seen_by: u8) -> (Step, Option<u32>) {
    let change = world.peers[&seen_by].mirror.changes.last().unwrap();
    (change.step.clone(), change.by.map(|slot| slot.0))
}

#[test]
fn who_is_removed_is_told_by_whom_and_nothing_after() {
    let mut world = room_of_four();
    world.slow(3, true);
    assert_eq!(world.remove(2, "den", 3, false), None);
    world.leave(4, "den");
    world.pass(100);
    world.slow(3, false);
    world.pass(100);
    let gone = |slot, why| Step::Gone { slot: common::Slot(slot), why };
    assert_eq!(last_change(&world, 3), (gone(2, Departure::Removed), Some(1)));
    assert!(world.peers[&3].mirror.rooms.is_empty());
    assert_eq!(last_change(&world, 1), (gone(3, Departure::Left), None));
    world.join(3, "den");
    world.pass(10);
    (1..=3).for_each(|peer| world.assert_mirrored(peer));
}

#[test]
fn who_is_removed_and_joins_again_before_it_was_told_is_told_both_in_order() {
    let mut world = room_of_four();
    world.join(3, "hall");
    world.slow(3, true);
    world.join(3, "kitchen");
    world.remove(1, "den", 3, false);
    world.join(3, "den");
    world.remove(1, "den", 3, false);
    world.join(3, "den");
    world.pass(100);
    world.slow(3, false);
    world.pass(100);
    world.assert_mirrored(3);
    world.assert_mirrored(1);
}

#[test]
fn nobody_can_remove_who_has_the_same_role_or_a_higher_one() {
    let mut world = room_of_four();
    for (actor, target) in [(2, 1), (3, 4), (3, 1), (1, 1), (2, 2)] {
        assert_eq!(world.remove(actor, "den", target, false), Some(Code::Role), "{actor} removes {target}");
    }
    world.set_role(1, "den", 3, Role::Moderator);
    assert_eq!(world.remove(2, "den", 3, true), Some(Code::Role), "one moderator another");
    assert_eq!(world.remove(5, "den", 3, false), Some(Code::NotMember));
    assert_eq!(world.remove(1, "den", 5, false), Some(Code::NotMember));
    assert_eq!(world.remove(1, "den", 99, false), Some(Code::NoAccount));
    assert_eq!(world.remove(1, "none", 3, false), Some(Code::NoRoom));
    assert_eq!(world.remove(1, "den", 2, false), None);
    assert_eq!(world.role("den", 2), None);
}

#[test]
fn who_is_banned_does_not_come_back_until_that_is_lifted_also_after_a_restart() {
    let mut world = room_of_four();
    assert_eq!(world.remove(2, "den", 3, true), None);
    assert_eq!(world.remove(2, "den", 5, true), None, "who is no member can be banned too");
    assert_eq!(world.remove(2, "den", 5, true), None, "again changes nothing");
    world.restart();
    (1..=5).for_each(|peer| world.login(peer));
    for peer in [3, 5] {
        world.join(peer, "den");
        world.pass(10);
        assert_eq!(world.last_code(peer), Some(Code::Banned));
    }
    let unban = Unban { id: 1, room: room("den"), name: called(3) };
    assert_eq!(world.code(4, unban.clone()), Some(Code::Role));
    assert_eq!(world.code(2, unban), None);
    world.join(3, "den");
    world.pass(10);
    world.assert_mirrored(3);
}

#[test]
fn roles_are_the_owners_to_give_and_the_room_too() {
    let mut world = room_of_four();
    assert_eq!(world.set_role(2, "den", 3, Role::Moderator), Some(Code::Role));
    assert_eq!(world.set_role(1, "den", 5, Role::Moderator), Some(Code::NotMember));
    assert_eq!(world.set_role(1, "den", 1, Role::Member), Some(Code::Role), "a room is handed over, not dropped");
    assert_eq!(world.set_role(1, "den", 2, Role::Member), None);
    assert_eq!(world.role("den", 2), Some(Role::Member));
    assert_eq!(world.set_role(1, "den", 4, Role::Owner), None);
    assert_eq!([world.role("den", 1), world.role("den", 4)], [Some(Role::Moderator), Some(Role::Owner)]);
    assert_eq!(world.peers[&3].mirror.changes.last().unwrap().by, Some(common::Slot(0)));
    assert_eq!(world.set_role(1, "den", 3, Role::Moderator), Some(Code::Role));
    world.restart();
    assert_eq!([world.role("den", 1), world.role("den", 4)], [Some(Role::Moderator), Some(Role::Owner)]);
}

#[test]
fn a_room_whose_owner_leaves_goes_to_the_moderator_of_the_longest_standing_else_the_member() {
    let mut world = room_of_four();
    world.set_role(1, "den", 4, Role::Moderator);
    world.leave(1, "den");
    world.pass(10);
    assert_eq!(world.role("den", 2), Some(Role::Owner));
    let (step, by) = last_change(&world, 3);
    assert!(matches!(step, Step::Put(member) if member.key == key(2)) && by.is_none());
    world.leave(4, "den");
    // Whoever came last has the lowest slot.
    world.join(1, "den");
    world.leave(2, "den");
    world.pass(10);
    assert_eq!([world.role("den", 3), world.role("den", 1)], [Some(Role::Owner), Some(Role::Member)]);
}

#[test]
fn a_room_whose_owner_expires_has_another() {
    let mut world = room_of_four();
    world.lose(1);
    world.pass(31 * 24 * 3_600_000);
    assert_eq!([world.role("den", 1), world.role("den", 2)], [None, Some(Role::Owner)]);
    world.assert_mirrored(2);
}

#[test]
fn the_topic_is_set_by_those_who_look_after_the_room_and_by_everybody_where_nobody_does() {
    let mut world = room_of_four();
    assert_eq!(topic(&mut world, 3, "den", "tea"), Some(Code::Role));
    assert_eq!(topic(&mut world, 2, "den", "tea"), None);
    let (step, by) = last_change(&world, 4);
    assert!(matches!(step, Step::Set(settings) if settings.topic == "tea") && by == Some(1));
    world.join(3, "hall");
    assert_eq!(topic(&mut world, 3, "hall", "cake"), None);
    assert_eq!(topic(&mut world, 5, "hall", "cake"), Some(Code::NotMember));
    for bad in ["x".repeat(201), "two\nlines".into()] {
        assert_eq!(topic(&mut world, 3, "hall", &bad), Some(Code::Full));
    }
    world.restart();
    (1..=4).for_each(|peer| world.login(peer));
    world.pass(10);
    (1..=4).for_each(|peer| world.assert_mirrored(peer));
    assert_eq!(world.peers[&3].mirror.rooms[&room("hall")].table.settings().topic, "cake");
}

#[test]
fn nobody_can_remove_anybody_from_a_room_that_was_made_by_joining() {
    let mut world = room_of_four();
    (1..=2).for_each(|peer| world.join(peer, "hall"));
    let refused = world
        .request(1, common::wire::tracker::Remove { id: 1, room: room("hall"), name: called(2), ban: false })
        .unwrap();
    assert_eq!(refused.code, Code::Role);
    assert!(refused.reason.contains("peer create"), "{}", refused.reason);
}

#[test]
fn who_is_away_when_removed_finds_out_at_the_next_login() {
    let mut world = room_of_four();
    world.say(3, Logout {});
    world.remove(1, "den", 3, false);
    world.login(3);
    world.pass(10);
    assert!(world.peers[&3].mirror.rooms.is_empty());
}
