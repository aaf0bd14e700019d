//! Contacts: consent, presence, and what somebody who is blocked learns, which is nothing.

use common::wire::tracker::{Code, Contact, ContactState, Logout, SetContact, Shown, Wish};

use super::world::{World, called, key};
use crate::config::Config;

fn world_of(peers: u8) -> World {
    let mut world = World::new(Config::default());
    (1..=peers).for_each(|peer| world.login(peer));
    world.pass(10);
    world
}

fn contacts_of_two() -> World {
    let mut world = world_of(2);
    assert_eq!(world.wish(1, 2, Wish::Add), None);
    assert_eq!(world.wish(2, 1, Wish::Accept), None);
    world
}

fn seen(world: &World, by: u8, of: u8) -> Option<Contact> {
    world.peers[&by].mirror.contacts.get(&key(of)).cloned()
}

fn state(world: &World, by: u8, of: u8) -> Option<ContactState> {
    seen(world, by, of).map(|contact| contact.state)
}

fn is_online(world: &World, by: u8, of: u8) -> bool {
    seen(world, by, of).is_some_and(|contact| contact.online.is_some())
}

#[test]
fn a_contact_needs_consent_and_only_then_shows_where_it_is() {
    let mut world = world_of(2);
    assert_eq!(world.wish(1, 2, Wish::Add), None);
    assert_eq!(state(&world, 1, 2), Some(ContactState::Asked));
    assert_eq!(state(&world, 2, 1), Some(ContactState::Asks));
    assert!(!is_online(&world, 1, 2) && !is_online(&world, 2, 1));
    assert_eq!(world.wish(2, 1, Wish::Accept), None);
    assert_eq!(state(&world, 1, 2), Some(ContactState::Contact));
    assert!(is_online(&world, 1, 2) && is_online(&world, 2, 1), "without a room that both are in");
}

#[test]
fn adding_somebody_who_has_asked_is_saying_yes() {
    let mut world = world_of(2);
    world.wish(1, 2, Wish::Add);
    world.wish(2, 1, Wish::Add);
    assert_eq!(state(&world, 1, 2), Some(ContactState::Contact));
}

#[test]
fn who_is_declined_or_removed_is_told() {
    let mut world = world_of(2);
    world.wish(1, 2, Wish::Add);
    assert_eq!(world.wish(2, 1, Wish::Decline), None);
    assert_eq!([state(&world, 1, 2), state(&world, 2, 1)], [None, None]);
    let mut world = contacts_of_two();
    assert_eq!(world.wish(2, 1, Wish::Decline), Some(Code::Standing));
    assert_eq!(world.wish(2, 1, Wish::Remove), None);
    assert_eq!([state(&world, 1, 2), state(&world, 2, 1)], [None, None]);
    assert_eq!(world.wish(1, 2, Wish::Accept), Some(Code::Standing), "nobody has asked");
}

#[test]
fn somebody_else_than_meant_is_no_account() {
    let mut world = world_of(2);
    assert_eq!(world.wish(1, 9, Wish::Add), Some(Code::NoAccount));
    let other = SetContact { id: 1, name: called(2), key: Some(key(7)), wish: Wish::Add };
    assert_eq!(world.code(1, other), Some(Code::NoAccount));
    assert_eq!(world.wish(1, 1, Wish::Add), Some(Code::Standing));
}

#[test]
fn a_logout_shows_at_once_with_when_it_was_and_a_lost_link_after_the_grace() {
    let mut world = contacts_of_two();
    world.say(2, Logout {});
    world.pass(1);
    let shown = seen(&world, 1, 2).unwrap();
    assert_eq!((shown.online, shown.seen), (None, Some(world.now / 1_000)));
    world.login(2);
    world.pass(1);
    assert!(is_online(&world, 1, 2));
    world.lose(2);
    world.pass(4_000);
    assert!(is_online(&world, 1, 2));
    world.pass(2_000);
    assert!(!is_online(&world, 1, 2));
}

#[test]
fn who_hides_when_it_was_seen_is_just_offline_also_after_a_restart() {
    let mut world = contacts_of_two();
    world.say(2, Shown { away: true, hide_seen: true });
    world.pass(1);
    assert!(seen(&world, 1, 2).unwrap().away);
    world.say(2, Logout {});
    world.pass(1);
    assert_eq!(seen(&world, 1, 2).unwrap().seen, None);
    world.restart();
    world.login(1);
    world.pass(60_000);
    assert_eq!(seen(&world, 1, 2).unwrap().seen, None);
}

#[test]
fn away_shows_in_rooms_too() {
    let mut world = world_of(2);
    (1..=2).for_each(|peer| world.join(peer, "lobby"));
    world.say(2, Shown { away: true, hide_seen: false });
    world.pass(10);
    world.assert_mirrored(1);
    assert!(world.peers[&1].mirror.rooms.values().any(|room| room.online.values().any(|(_, away)| *away)));
}

#[test]
fn who_is_blocked_sees_somebody_offline_and_hears_nothing_more() {
    let mut world = contacts_of_two();
    assert_eq!(world.wish(1, 2, Wish::Block), None);
    let shown = seen(&world, 2, 1).unwrap();
    assert_eq!((shown.state, shown.online, shown.seen), (ContactState::Contact, None, None));
    assert_eq!(state(&world, 1, 2), Some(ContactState::Blocked));
    assert!(!is_online(&world, 1, 2));
    let frames = world.frames;
    world.say(1, Logout {});
    world.login(1);
    world.pass(10_000);
    assert!(!is_online(&world, 2, 1));
    assert_eq!(world.wish(2, 1, Wish::Add), None, "answered as by a contact");
    assert!(world.frames > frames);
    assert_eq!(world.wish(1, 2, Wish::Add), Some(Code::Standing), "the one that blocks has to lift that first");
    assert_eq!(world.wish(1, 2, Wish::Unblock), None);
    assert!(is_online(&world, 2, 1) && is_online(&world, 1, 2));
}

#[test]
fn a_request_to_somebody_who_has_blocked_one_looks_unanswered_and_not_a_frame_tells_more() {
    let mut world = world_of(3);
    world.wish(2, 1, Wish::Block);
    world.wish(1, 2, Wish::Add);
    world.wish(1, 3, Wish::Add);
    assert_eq!([2, 3].map(|of| state(&world, 1, of)), [Some(ContactState::Asked); 2]);
    assert_eq!(state(&world, 2, 1), Some(ContactState::Blocked));
    let frames = world.frames;
    world.say(3, SetContact { id: 1, name: called(1), key: None, wish: Wish::Block });
    world.pass(10);
    assert_eq!(world.frames - frames, 1, "to who blocks alone");
    world.wish(2, 1, Wish::Unblock);
    assert_eq!(state(&world, 2, 1), Some(ContactState::Asks), "the request was kept");
}

#[test]
fn all_contacts_are_told_after_a_login_and_a_restart_of_the_tracker_shows_as_nothing() {
    let mut world = world_of(4);
    for peer in 2..=4 {
        world.wish(1, peer, Wish::Add);
        world.wish(peer, 1, Wish::Accept);
    }
    world.wish(4, 1, Wish::Remove);
    world.restart();
    world.login(1);
    world.pass(1_000);
    assert!(is_online(&world, 1, 2) && is_online(&world, 1, 3), "it is not known yet that they are gone");
    world.login(2);
    world.pass(60_000);
    assert!(is_online(&world, 1, 2) && !is_online(&world, 1, 3));
    assert_eq!(state(&world, 1, 4), None);
    // What a peer knows that is no longer so goes.
    let former = seen(&world, 1, 2).unwrap();
    world.peers.get_mut(&1).unwrap().mirror.contacts.insert(key(9), former);
    world.lose(1);
    world.login(1);
    world.pass(10);
    assert_eq!(state(&world, 1, 9), None);
}

#[test]
fn a_slow_session_is_told_the_last_word_once() {
    let mut world = contacts_of_two();
    world.slow(1, true);
    for _ in 0..50 {
        world.say(2, Logout {});
        world.login(2);
        world.say(2, Shown { away: true, hide_seen: false });
    }
    world.pass(10);
    let frames = world.frames;
    world.slow(1, false);
    world.pass(10);
    assert!(world.frames - frames <= 2);
    assert!(seen(&world, 1, 2).unwrap().away);
}

#[test]
fn more_contacts_than_one_may_have_are_refused() {
    let mut world = world_of(2);
    for n in 0..common::limits::CONTACTS {
        let mut other = [9; 32];
        other[..8].copy_from_slice(&n.to_be_bytes());
        world.tracker.stand(key(1), common::Key(other), Some(super::super::Standing::Asked));
    }
    assert_eq!(world.wish(1, 2, Wish::Add), Some(Code::Full));
    assert_eq!(world.wish(2, 1, Wish::Add), Some(Code::Full));
}
