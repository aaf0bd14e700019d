//! Who may register, and what whoever runs the tracker can do about accounts.

use common::{
    table::{Departure, Role, Step},
    wire::tracker::{Code, ContactState, Rename, ToPeer, Wish},
};

use super::{
    super::{
        accounts::{Outcome, Wanted},
        invitations::hash_of,
    },
    world::{World, called, key, who},
};
use crate::config::{Config, Registration};

const DAY: u64 = 24 * 3_600_000;

fn with(registration: Registration) -> World {
    World::new(Config { registration, ..Config::default() })
}

fn invite(world: &mut World, token: &str, uses: u32) {
    let wanted = Wanted::Invite { hash: hash_of(token).unwrap(), uses, days: 7 };
    assert_eq!(world.operate(wanted), Outcome::Done);
}

fn reset(world: &mut World, of: u8, token: &str) {
    let wanted = Wanted::ResetKey { name: called(of), hash: hash_of(token).unwrap() };
    assert_eq!(world.operate(wanted), Outcome::Done);
}

fn refused(world: &World, id: u8) -> (Code, String) {
    match world.peers[&id].heard.last() {
        Some(ToPeer::Refused(refused)) => (refused.code, refused.reason.clone()),
        other => panic!("not refused but {other:?}"),
    }
}

fn is_in(world: &World, id: u8) -> bool {
    world.peers[&id].session.is_some()
}

#[test]
fn a_name_belongs_to_the_first_key_in_whatever_case_it_is_written() {
    let mut world = with(Registration::Open);
    world.login_with(1, key(1), "Alice", None);
    world.login_with(2, key(2), "alice", None);
    let (code, reason) = refused(&world, 2);
    assert_eq!(code, Code::NameTaken);
    assert!(reason.starts_with("the name Alice@lan belongs to another key"), "{reason}");
    world.login_with(1, key(1), "aLICE", None);
    assert!(is_in(&world, 1));
}

#[test]
fn a_key_has_one_name_and_none_with_a_key_behind_it() {
    let mut world = with(Registration::Open);
    world.login_with(1, key(1), "alice", None);
    world.login_with(1, key(1), "bob", None);
    assert_eq!(refused(&world, 1).0, Code::KeyNamed);
    let name = called(2).with_key(&key(2));
    world.login_as(2, key(2), name);
    assert_eq!(refused(&world, 2).0, Code::Protest);
}

#[test]
fn accounts_beyond_the_bound_are_refused_and_known_ones_are_not() {
    let mut world = World::new(Config { accounts: 1, ..Config::default() });
    world.login(1);
    world.login(2);
    assert_eq!(refused(&world, 2).0, Code::Full);
    world.login(1);
    assert!(is_in(&world, 1));
}

#[test]
fn a_name_that_looks_like_another_is_refused_with_the_one_it_resembles() {
    let mut world = with(Registration::Open);
    world.login_with(1, key(1), "alice", None);
    world.restart();
    world.login_with(2, key(2), "a1ice", None);
    let (code, reason) = refused(&world, 2);
    assert_eq!(code, Code::Lookalike);
    assert!(reason.contains("looks like alice"), "{reason}");
}

#[test]
fn where_registration_is_closed_only_known_accounts_get_in() {
    let mut world = with(Registration::Open);
    world.login(1);
    world.config.registration = Registration::Closed;
    world.restart();
    world.login(1);
    world.login(2);
    assert!(is_in(&world, 1));
    assert_eq!(refused(&world, 2).0, Code::Closed);
}

#[test]
fn an_invitation_lets_as_many_in_as_it_says_also_after_a_restart() {
    let mut world = with(Registration::Invitation);
    invite(&mut world, "welcome", 2);
    world.login(1);
    assert_eq!(refused(&world, 1).0, Code::Invitation);
    world.login_with(1, key(1), "alice", Some("wellcome"));
    assert!(refused(&world, 1).1.contains("no invitation of this tracker"));
    world.login_with(1, key(1), "alice", Some("welcome"));
    world.restart();
    world.login_with(1, key(1), "alice", Some("welcome"));
    world.login_with(2, key(2), "alice", Some("welcome"));
    assert_eq!(refused(&world, 2).0, Code::NameTaken, "which costs no use");
    world.login_with(2, key(2), "bob", Some("welcome"));
    assert!(is_in(&world, 1) && is_in(&world, 2));
    world.login_with(3, key(3), "carol", Some("welcome"));
    assert!(refused(&world, 3).1.contains("used up"));
}

#[test]
fn an_invitation_expires() {
    let mut world = with(Registration::Invitation);
    invite(&mut world, "welcome", 2);
    world.pass(7 * DAY);
    world.login_with(1, key(1), "alice", Some("welcome"));
    assert!(refused(&world, 1).1.contains("expired"));
    world.pass(40 * DAY);
    world.restart();
    world.login_with(1, key(1), "alice", Some("welcome"));
    assert!(refused(&world, 1).1.contains("no invitation of this tracker"), "forgotten in the end");
}

#[test]
fn accounts_are_listed_in_pages_and_in_order() {
    let mut world = with(Registration::Open);
    (1..=3).for_each(|peer| world.login(peer));
    world.join(2, "lobby");
    world.lose(3);
    world.pass(10_000);
    let Outcome::Accounts { accounts, more } = world.operate(Wanted::Accounts { after: Some(called(1)) }) else {
        panic!("no accounts");
    };
    let listed: Vec<_> = accounts.iter().map(|one| (one.name.as_str(), one.online, one.rooms)).collect();
    assert_eq!((listed, more), (vec![("peer2", true, 1), ("peer3", false, 0)], false));
    assert!(accounts[1].seen < accounts[0].seen);
}

#[test]
fn an_account_that_is_removed_is_out_everywhere_and_its_name_is_nobodys() {
    let mut world = with(Registration::Open);
    (1..=3).for_each(|peer| world.login(peer));
    world.make(1, "den", false);
    world.join(2, "den");
    world.make(3, "attic", true);
    world.join(1, "attic");
    world.wish(1, 2, Wish::Add);
    world.wish(2, 1, Wish::Add);
    world.wish(3, 1, Wish::Block);
    assert_eq!(world.operate(Wanted::RemoveAccount { name: called(1) }), Outcome::Done);
    world.pass(10);
    assert_eq!(world.last_code(1), Some(Code::Removed));
    let den = &world.peers[&2].mirror;
    assert!(den.changes.iter().any(|change| matches!(change.step, Step::Gone { why: Departure::Removed, .. })));
    assert_eq!(world.role("den", 2), Some(Role::Owner));
    assert!(world.peers[&2].mirror.contacts.is_empty() && world.peers[&3].mirror.contacts.is_empty());
    assert_eq!(world.decide(3, "attic", 1, true), Some(Code::NoAccount));
    world.restart();
    assert_eq!(world.tracker.counts().accounts, 2);
    for peer in [1, 9] {
        world.login_as(peer, key(peer), called(1));
        assert_eq!(refused(&world, peer).0, Code::HeldName);
    }
    assert!(matches!(world.operate(Wanted::RemoveAccount { name: called(1) }), Outcome::Refused(_)));
}

#[test]
fn whoever_has_the_token_gets_the_account_with_its_rooms_roles_and_contacts() {
    let mut world = with(Registration::Open);
    (1..=4).for_each(|peer| world.login(peer));
    world.make(1, "den", true);
    world.join(2, "den");
    world.decide(1, "den", 2, true);
    world.make(3, "attic", true);
    world.join(1, "attic");
    world.remove(3, "attic", 1, true);
    for peer in 2..=3 {
        world.wish(1, peer, Wish::Add);
        world.wish(peer, 1, Wish::Add);
    }
    world.wish(1, 4, Wish::Block);
    world.lose(3);
    reset(&mut world, 1, "secret");
    world.login_with(9, key(9), "peer1", Some("other"));
    assert_eq!(refused(&world, 9).0, Code::NameTaken);
    world.restart();
    (1..=2).for_each(|peer| world.login(peer));
    world.pass(10);
    let before = world.peers[&2].mirror.changes.len();
    world.login_with(9, key(9), "peer1", Some("secret"));

    assert_eq!(world.last_code(1), Some(Code::Removed), "the old key's session has ended");
    assert_eq!((world.role("den", 9), world.role("den", 1)), (Some(Role::Owner), None));
    world.assert_mirrored(2);
    let changes = &world.peers[&2].mirror.changes[before..];
    assert!(matches!(
        changes,
        [gone, put] if matches!(gone.step, Step::Gone { why: Departure::Rekeyed, .. })
            && matches!(&put.step, Step::Put(member) if member.key == key(9) && member.name == called(1))
    ));
    let contacts = |world: &World, of: u8| -> Vec<(u8, ContactState)> {
        let contacts = world.peers[&of].mirror.contacts.values().map(|contact| (who(&contact.key), contact.state));
        let mut contacts: Vec<_> = contacts.collect();
        contacts.sort_by_key(|(peer, _)| *peer);
        contacts
    };
    assert_eq!(contacts(&world, 2), [(1, ContactState::Rekeyed), (9, ContactState::Contact)]);
    assert!(world.peers[&2].mirror.contacts[&key(9)].online.is_some());
    world.pass(60_000);
    world.assert_mirrored(9);
    assert_eq!(
        contacts(&world, 9),
        [(2, ContactState::Contact), (3, ContactState::Contact), (4, ContactState::Blocked)]
    );

    world.restart();
    world.login(3);
    world.pass(60_000);
    assert_eq!(contacts(&world, 3), [(1, ContactState::Rekeyed), (9, ContactState::Contact)], "who was away is told");
    world.login(1);
    assert_eq!(refused(&world, 1).0, Code::Removed);
    world.login_with(9, key(9), "peer1", None);
    world.join(9, "attic");
    world.pass(10);
    assert_eq!(world.last_code(9), Some(Code::Banned), "a ban goes on with the account");
    world.login_with(8, key(8), "peer1", Some("secret"));
    assert_eq!(refused(&world, 8).0, Code::NameTaken, "a token is good for once");
}

#[test]
fn a_token_for_an_account_expires_and_is_no_use_to_a_key_that_has_one() {
    let mut world = with(Registration::Open);
    (1..=2).for_each(|peer| world.login(peer));
    reset(&mut world, 1, "secret");
    world.login_with(2, key(2), "peer1", Some("secret"));
    assert_eq!(refused(&world, 2).0, Code::KeyNamed);
    world.pass(DAY);
    world.login_with(9, key(9), "peer1", Some("secret"));
    assert_eq!(refused(&world, 9).0, Code::Invitation);
    world.login(1);
    assert!(is_in(&world, 1), "the key that was to be replaced still holds");
}

#[test]
fn an_operator_who_names_an_account_by_its_old_name_is_told_the_new_one() {
    let mut world = with(Registration::Open);
    world.login(1);
    world.request(1, Rename { id: 1, name: "alicia".parse().unwrap() });
    let Outcome::Refused(reason) = world.operate(Wanted::RemoveAccount { name: called(1) }) else {
        panic!("somebody was removed");
    };
    assert!(reason.contains("alicia"), "{reason}");
}
