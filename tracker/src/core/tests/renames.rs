//! Taking another name, and what becomes of the old one.

use common::wire::tracker::{Code, Rename, SetContact, ToPeer, Wish};

use super::world::{World, called, key, room};
use crate::config::Config;

const DAY: u64 = 24 * 3_600_000;

fn world_of(peers: u8) -> World {
    let mut world = World::new(Config::default());
    (1..=peers).for_each(|peer| world.login(peer));
    world.pass(10);
    world
}

fn rename(world: &mut World, id: u8, name: &str) -> Option<Code> {
    world.code(id, Rename { id: 1, name: name.parse().unwrap() })
}

fn welcomed(world: &mut World, id: u8) -> Vec<String> {
    world.heard(id, |frame| match frame {
        ToPeer::Welcome(welcome) => Some(welcome.name.to_string()),
        _ => None,
    })
}

#[test]
fn a_new_name_shows_in_every_room_and_to_contacts_and_is_there_after_a_restart() {
    let mut world = world_of(3);
    for name in ["lobby", "hall"] {
        (1..=2).for_each(|peer| world.join(peer, name));
    }
    world.wish(3, 1, Wish::Add);
    world.wish(1, 3, Wish::Add);
    assert_eq!(rename(&mut world, 1, "Alicia"), None);
    world.pass(100);
    for name in ["lobby", "hall"] {
        let table = &world.peers[&2].mirror.rooms[&room(name)].table;
        assert_eq!(table.member(&key(1)).unwrap().name.as_str(), "Alicia");
    }
    assert_eq!(world.peers[&3].mirror.contacts[&key(1)].name.as_str(), "Alicia");
    world.restart();
    world.login_with(1, key(1), "alicia", None);
    world.pass(60_000);
    world.assert_mirrored(1);
    assert_eq!(welcomed(&mut world, 1).last().map(String::as_str), Some("Alicia"));
}

#[test]
fn an_old_name_is_held_and_leads_to_its_owner() {
    let mut world = world_of(2);
    rename(&mut world, 1, "alicia");
    world.restart();
    world.login(2);
    assert_eq!(rename(&mut world, 2, "peer1"), Some(Code::HeldName));
    world.login_with(9, key(9), "PEER1", None);
    assert_eq!(world.last_code(9), Some(Code::HeldName));
    world.login(1);
    world.pass(10);
    assert_eq!(welcomed(&mut world, 1).last().map(String::as_str), Some("alicia"));
    assert_eq!(world.code(2, SetContact { id: 1, name: called(1), key: Some(key(1)), wish: Wish::Add }), None);
    assert_eq!(rename(&mut world, 1, "peer1"), None, "its owner may take it back");
    world.login_with(9, key(9), "alicia", None);
    assert_eq!(world.last_code(9), Some(Code::HeldName));
}

#[test]
fn a_name_is_held_no_longer_than_said() {
    let mut world = world_of(1);
    rename(&mut world, 1, "alicia");
    world.pass(31 * DAY);
    world.restart();
    world.login_with(9, key(9), "peer1", None);
    assert_eq!(welcomed(&mut world, 9), ["peer1"]);
    world.login(1);
    assert_eq!(world.last_code(1), Some(Code::NameTaken));
}

#[test]
fn names_that_are_or_look_like_somebody_elses_are_refused() {
    let mut world = world_of(2);
    assert_eq!(rename(&mut world, 1, "Peer2"), Some(Code::NameTaken));
    let refused = world.request(1, Rename { id: 1, name: "рeer2".parse().unwrap() }).unwrap();
    assert_eq!(refused.code, Code::Lookalike);
    assert!(refused.reason.contains("looks like peer2"), "{}", refused.reason);
    assert_eq!(rename(&mut world, 1, "PEER1"), None, "one's own in another case");
    assert_eq!(rename(&mut world, 1, "pеer1"), None, "one's own in other letters");
}

#[test]
fn a_name_is_taken_so_often_a_day_and_no_more() {
    let mut world = world_of(1);
    for n in 0..10 {
        assert_eq!(rename(&mut world, 1, &format!("name-{n}")), None);
    }
    assert_eq!(rename(&mut world, 1, "name-10"), Some(Code::Full));
    world.pass(DAY);
    assert_eq!(rename(&mut world, 1, "name-10"), None);
}
