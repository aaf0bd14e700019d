//! Three people on three hosts, and a tracker on a fourth that nobody has to name.

use std::{collections::BTreeSet, time::Duration};

use tests::lab::{Lab, Peer};

use crate::crowd::{ROOM, everybody_is_linked};

const TRACKER_PORT: u16 = 27655;

pub fn a_message_reaches_everyone_once_and_directly() {
    let lab = Lab::new();
    let server = lab.host("server");
    let tracker = server.tracker(&[]);
    let mut peers = ["alice", "bob", "carol"].map(|name| lab.host(name).peer(name));
    for peer in &mut peers {
        let ready = peer.login(&[]);
        assert_eq!(ready.name.as_str(), peer.name());
        assert_eq!(ready.tracker, tracker.address(), "the tracker is found by itself");
        peer.join(ROOM);
    }
    everybody_is_linked(&peers);

    let [_, bob, _] = &peers;
    let text = "a rather long story ".repeat(400);
    lab.reset_counters();
    let said = bob.say_to_all(ROOM, &text, Duration::from_secs(10));
    let through_tracker = lab.counters(&server).port_bytes(TRACKER_PORT);
    assert_eq!(names(said.delivered.iter()), BTreeSet::from(["alice", "carol"]));
    assert!(said.pending.is_empty(), "{:?}", said.pending);
    assert!(
        through_tracker < text.len() as u64 / 4,
        "the tracker's interface carried {through_tracker} bytes while {} were said",
        text.len()
    );

    for peer in &peers {
        has_once(peer, &said.id, &text);
    }
    let receipts = bob.receipts(&said.id);
    assert_eq!(names(receipts.iter().map(|receipt| &receipt.name)), BTreeSet::from(["alice", "carol"]));
    assert!(receipts.iter().all(|receipt| receipt.delivered && receipt.at.is_some() && receipt.path == "direct"));
    let paths = bob.paths();
    assert_eq!(names(paths.iter().map(|path| &path.name)), BTreeSet::from(["alice", "carol"]));
    assert!(paths.iter().all(|path| path.path == "direct" && path.bytes_out as usize > text.len()), "{paths:?}");
}

fn has_once(peer: &Peer, id: &str, text: &str) {
    let messages = peer.messages(ROOM);
    let [message] = messages.as_slice() else { panic!("{} shows {messages:?}", peer.name()) };
    assert_eq!((message.id.as_str(), message.from.as_str(), message.text.as_str()), (id, "bob", text));
    assert_eq!(message.path, if peer.name() == "bob" { "self" } else { "direct" });
}

fn names<'a>(names: impl Iterator<Item = &'a common::AccountName>) -> BTreeSet<&'a str> {
    names.map(|name| name.as_str()).collect()
}
