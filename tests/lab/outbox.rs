//! What was said to somebody who is away waits for them, over a crash of its author, and can be taken back.

use std::time::Duration;

use serde_json::Value;
use tests::lab::{Peer, Wire, eventually};

use crate::crowd::{Crowd, ROOM, SOON};

const WAIT: Duration = Duration::from_secs(10);

pub fn what_is_cancelled_does_not_reach_who_was_away() {
    let mut crowd = Crowd::gather(&["alice", "bob", "carol"], Wire::default());
    let [alice, bob, carol] = crowd.peers.as_mut_slice() else { unreachable!("three were gathered") };
    bob.cmd(&["logout"]).expect(0);
    bob.session().wait(WAIT);

    let said = ["come at one", "the cake is a lie", "come at two"].map(|text| alice.say(ROOM, text).id);
    for text in ["come at one", "the cake is a lie", "come at two"] {
        eventually(SOON, "carol has it", || carol.messages(ROOM), |m| m.iter().any(|message| message.text == text));
    }
    let bob_waits = |list: &Vec<(String, Vec<String>)>| list.iter().all(|(_, pending)| pending == &["bob"]);
    let list = eventually(SOON, "only bob is waited for", || outbox(alice), bob_waits);
    assert_eq!(list.iter().map(|(id, _)| id).collect::<Vec<_>>(), said.iter().collect::<Vec<_>>());

    let told = alice.cmd(&["outbox", "--cancel", &said[1]]).expect(0);
    assert!(told.stdout.concat().contains("not sent to bob any more"), "{told:?}");
    alice.session().kill();
    alice.login(&[]);
    assert_eq!(outbox(alice).len(), 2, "it stays cancelled, and the others wait");

    bob.login(&[]);
    eventually(SOON, "nothing waits", || outbox(alice), Vec::is_empty);
    let texts: Vec<String> = bob.messages(ROOM).into_iter().map(|message| message.text).collect();
    assert_eq!(texts, ["come at one", "come at two"]);
    let of_bob = alice.receipts(&said[1]).into_iter().find(|receipt| receipt.name.as_str() == "bob");
    assert!(of_bob.is_some_and(|receipt| !receipt.delivered && receipt.path == "cancelled"));
    let refused = alice.cmd(&["outbox", "--cancel", &said[0]]).expect(1);
    assert!(refused.complains_of("everybody has it already"), "{refused:?}");
}

/// The ids of what waits, each with the names of those it waits for.
fn outbox(peer: &Peer) -> Vec<(String, Vec<String>)> {
    let lines: Vec<Value> = peer.cmd(&["outbox", "--json"]).expect(0).json();
    let word = |value: &Value| value.as_str().expect("a string").to_string();
    let names = |line: &Value| line["pending"].as_array().expect("a list").iter().map(word).collect();
    lines.iter().map(|line| (word(&line["id"]), names(line))).collect()
}
