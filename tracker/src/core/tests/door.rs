//! Rooms with a door: asking, deciding, and what becomes of one without members.

use common::{
    table::{Role, Settings},
    wire::tracker::{AtTheDoor, Code, Declined, ListDoor, ListRooms, Logout, Make, ToPeer},
};

use super::world::{World, called, key, room, who};
use crate::config::Config;

const DAY: u64 = 24 * 3_600_000;

/// Peer 1 owns a room with a door; the others are logged in.
fn with_a_door(peers: u8) -> World {
    let mut world = World::new(Config::default());
    (1..=peers).for_each(|peer| world.login(peer));
    assert_eq!(world.make(1, "den", true), None);
    world
}

fn asks(world: &mut World, of: u8) -> Vec<(String, u8)> {
    world.heard(of, |frame| match frame {
        ToPeer::Asks(asks) => Some((asks.room.to_string(), who(&asks.who.key))),
        _ => None,
    })
}

fn declined(world: &mut World, of: u8) -> Vec<Declined> {
    world.heard(of, |frame| match frame {
        ToPeer::Declined(declined) => Some(declined.clone()),
        _ => None,
    })
}

fn door(world: &mut World, of: u8) -> [Vec<u8>; 2] {
    world.say(of, ListDoor { id: 9, room: room("den") });
    world.pass(10);
    let list = world.heard(of, |frame| match frame {
        ToPeer::Door(door) => Some(door.clone()),
        _ => None,
    });
    let keys = |list: &[AtTheDoor]| list.iter().map(|one| who(&one.key)).collect();
    [keys(&list[0].waiting), keys(&list[0].banned)]
}

#[test]
fn joining_a_room_with_a_door_asks_and_who_is_let_in_is_pushed_the_room() {
    let mut world = with_a_door(3);
    world.join(2, "den");
    world.join(2, "den");
    world.pass(10);
    assert_eq!(world.last_code(2), Some(Code::Asked));
    assert_eq!(asks(&mut world, 1), [("den".into(), 2)], "once, however often one asks");
    assert!(world.peers[&2].mirror.rooms.is_empty());
    assert_eq!(world.decide(1, "den", 2, true), None);
    world.assert_mirrored(2);
    world.assert_mirrored(1);
    let change = world.peers[&1].mirror.changes.last().unwrap();
    assert_eq!((change.by.map(|slot| slot.0), change.at), (Some(0), world.now / 1_000), "by whom and when");
    assert_eq!(world.decide(1, "den", 2, true), None, "again changes nothing");
}

#[test]
fn who_is_let_in_while_away_has_the_room_at_the_next_login() {
    let mut world = with_a_door(2);
    world.join(2, "den");
    world.say(2, Logout {});
    assert_eq!(world.decide(1, "den", 2, true), None);
    world.login(2);
    world.pass(10);
    world.assert_mirrored(2);
}

#[test]
fn a_request_is_told_to_moderators_too_and_to_each_at_login() {
    let mut world = with_a_door(4);
    for peer in 2..=3 {
        world.join(peer, "den");
        world.decide(1, "den", peer, true);
    }
    world.set_role(1, "den", 2, Role::Moderator);
    world.say(1, Logout {});
    asks(&mut world, 1);
    world.join(4, "den");
    world.pass(10);
    assert_eq!(asks(&mut world, 2).len(), 1);
    assert_eq!(asks(&mut world, 3), [], "a member that looks after nothing");
    world.login(1);
    world.pass(10);
    assert_eq!(asks(&mut world, 1), [("den".into(), 4)]);
    world.set_role(1, "den", 3, Role::Moderator);
    assert_eq!(asks(&mut world, 3), [("den".into(), 4)], "from when it does");
    assert_eq!(world.decide(2, "den", 4, true), None);
}

#[test]
fn who_is_declined_is_told_by_whom_at_once_or_at_the_next_login_and_once() {
    let mut world = with_a_door(3);
    let told = Declined { room: room("den"), by: Some(called(1)) };
    world.join(2, "den");
    assert_eq!(world.decide(1, "den", 2, false), None);
    assert_eq!(declined(&mut world, 2), vec![told.clone()]);
    world.join(3, "den");
    world.say(3, Logout {});
    assert_eq!(world.decide(1, "den", 3, false), None);
    world.restart();
    for expected in [vec![told], Vec::new()] {
        world.login(3);
        world.pass(10);
        assert_eq!(declined(&mut world, 3), expected);
    }
    world.login(1);
    assert_eq!(world.decide(1, "den", 3, true), Some(Code::NotMember), "it does not ask any more");
}

#[test]
fn a_request_can_be_taken_back_by_leaving() {
    let mut world = with_a_door(2);
    world.join(2, "den");
    assert_eq!(world.code(2, common::wire::tracker::Leave { id: 8, room: room("den") }), None);
    assert_eq!(door(&mut world, 1), [[0u8; 0]; 2]);
    assert_eq!(world.decide(1, "den", 2, true), Some(Code::NotMember));
}

#[test]
fn only_owners_and_moderators_see_and_open_the_door() {
    let mut world = with_a_door(4);
    world.join(2, "den");
    world.decide(1, "den", 2, true);
    world.join(3, "den");
    assert_eq!(world.decide(2, "den", 3, true), Some(Code::Role));
    assert_eq!(world.decide(4, "den", 3, true), Some(Code::NotMember));
    assert_eq!(world.decide(3, "den", 3, true), Some(Code::NotMember), "not oneself either");
    assert_eq!(door(&mut world, 1), [vec![3], vec![]]);
    world.say(2, ListDoor { id: 9, room: room("den") });
    world.pass(10);
    let refused = world.heard(2, |frame| match frame {
        ToPeer::Door(door) => door.refused.clone(),
        _ => None,
    });
    assert_eq!(refused[0].code, Code::Role);
    assert!(refused[0].reason.contains("ask peer1"), "{}", refused[0].reason);
}

#[test]
fn a_room_is_made_once() {
    let mut world = with_a_door(2);
    assert_eq!(world.make(1, "den", true), None, "the same again, by its owner");
    assert_eq!(world.make(1, "den", false), Some(Code::Exists));
    assert_eq!(world.make(2, "DEN", true), Some(Code::Exists));
    world.join(2, "hall");
    assert_eq!(world.make(2, "hall", false), Some(Code::Exists), "it owns nothing there");
    let settings = Settings { topic: "x\ny".into(), ..Settings::default() };
    assert_eq!(world.code(2, Make { id: 1, room: room("new"), settings }), Some(Code::Full));
}

#[test]
fn a_room_with_a_door_waits_for_its_last_owner_who_comes_in_without_asking() {
    let mut world = with_a_door(2);
    world.leave(1, "den");
    world.join(2, "den");
    world.pass(10);
    assert_eq!(world.last_code(2), Some(Code::Asked));
    world.restart();
    (1..=2).for_each(|peer| world.login(peer));
    world.pass(6 * DAY);
    world.join(1, "den");
    world.pass(10);
    assert_eq!(world.role("den", 1), Some(Role::Owner));
    assert_eq!(asks(&mut world, 1), [("den".into(), 2)]);
    world.pass(30 * DAY);
    assert_eq!(world.role("den", 1), Some(Role::Owner), "it is kept no more, but there");
}

#[test]
fn a_room_with_a_door_ends_when_its_time_is_over_and_who_waits_is_told() {
    let mut world = with_a_door(2);
    world.leave(1, "den");
    world.join(2, "den");
    world.pass(3 * DAY);
    world.restart();
    (1..=2).for_each(|peer| world.login(peer));
    world.pass(5 * DAY);
    assert_eq!(declined(&mut world, 2), [Declined { room: room("den"), by: None }]);
    assert_eq!(world.tracker.counts().rooms, 0);
    assert_eq!(world.make(2, "den", false), None);
    world.restart();
    assert_eq!(world.tracker.counts().rooms, 1);
    world.login(2);
    assert_eq!(door(&mut world, 2), [[0u8; 0]; 2]);
}

#[test]
fn a_private_room_is_listed_to_its_members_only() {
    let mut world = World::new(Config::default());
    (1..=2).for_each(|peer| world.login(peer));
    let settings = Settings { private: true, topic: "hush".into(), ..Settings::default() };
    world.request(1, Make { id: 1, room: room("nook"), settings: settings.clone() });
    let listed = |world: &mut World, of: u8| -> usize {
        world.say(of, ListRooms { id: 5, after: None });
        world.pass(10);
        let lists = world.heard(of, |frame| match frame {
            ToPeer::RoomList(list) => Some(list.rooms.len()),
            _ => None,
        });
        lists[0]
    };
    assert_eq!([listed(&mut world, 1), listed(&mut world, 2)], [1, 0]);
    assert_eq!(world.remove(2, "nook", 1, false), Some(Code::NoRoom), "it is not there for those outside");
    world.restart();
    world.login(2);
    world.join(2, "nook");
    world.pass(10);
    assert_eq!(world.peers[&2].mirror.rooms[&room("nook")].table.settings(), &settings, "who knows its name gets in");
    assert_eq!(listed(&mut world, 2), 1);
}

#[test]
fn more_people_than_may_wait_or_rooms_than_one_may_have_are_refused() {
    let mut world = World::new(Config { rooms_per_account: 2, ..Config::default() });
    (1..=3).for_each(|peer| world.login(peer));
    for name in ["a", "b"] {
        world.make(1, name, true);
        world.join(3, name);
    }
    world.make(2, "c", true);
    world.join(3, "c");
    world.pass(10);
    assert_eq!(world.last_code(3), Some(Code::Full));
    let id = world.tracker.rooms.find(&room("c")).unwrap();
    for n in 0..common::limits::AT_THE_DOOR {
        let mut key = [9; 32];
        key[..8].copy_from_slice(&n.to_be_bytes());
        world.tracker.rooms.get_mut(id).unwrap().door.waiting.insert(common::Key(key), 0);
    }
    world.login_as(7, key(7), called(7));
    world.join(7, "c");
    world.pass(10);
    assert_eq!(world.last_code(7), Some(Code::Full));
}

#[test]
fn a_conversation_of_two_is_no_room_of_a_tracker() {
    let mut world = with_a_door(1);
    let direct = common::RoomName::direct(&key(1), &key(2));
    let join = common::wire::tracker::Join { id: 1, room: direct.clone(), history: None };
    assert_eq!(world.code(1, join), Some(Code::Exists));
    assert_eq!(world.code(1, Make { id: 1, room: direct, settings: Settings::default() }), Some(Code::Exists));
    assert_eq!(world.tracker.counts().rooms, 1);
}
