//! The tables outlive the tracker: while it is dead a room goes on talking, and when it is back nobody needs to do
//! anything.

use std::{fs, time::Duration};

use tests::lab::{Peer, Wire, eventually};

use crate::crowd::{Crowd, ROOM, SOON, everybody_is_linked};

const WAIT: Duration = Duration::from_secs(10);
/// The port of a peer that has moved.
const MOVED: &str = "5000";

pub fn the_room_goes_on_and_nobody_needs_to_do_anything() {
    let mut crowd = Crowd::gather(&["alice", "bob", "carol"], Wire::default());
    crowd.tracker.process().kill();
    for peer in &crowd.peers {
        eventually(SOON, "the peer knows", || peer.status().tracker_state, |state| state != "up");
    }
    everybody_can_talk(&crowd.peers, "is it gone?");

    crowd.tracker.start_again();
    everybody_is_back(&crowd.peers);
    let dave = crowd.add("dave");
    eventually(SOON, "dave has the members", || dave.members(ROOM).len(), |members| *members == 4);
    everybody_is_linked(&crowd.peers);
    everybody_can_talk(&crowd.peers, "it is back");
}

/// Nobody who restarts while it is dead needs it to find the others again: the tables and the addresses are on disk.
pub fn who_restarts_meanwhile_finds_the_others_again() {
    let mut crowd = Crowd::gather(&["alice", "bob", "carol"], Wire::default());
    crowd.tracker.process().kill();
    let before = crowd.peers[0].say(ROOM, "before we all restart");
    crowd.peers.iter().for_each(|peer| peer.session().kill());
    // One of them with another address as well: the others do not know it, and it knows theirs.
    for (peer, options) in crowd.peers.iter_mut().zip([&[][..], &["--port", MOVED], &[]]) {
        peer.start(options);
    }
    for peer in &crowd.peers {
        eventually(SOON, "the session takes commands", || peer.try_control().is_ok(), |is_there| *is_there);
    }
    everybody_is_linked(&crowd.peers);
    everybody_can_talk(&crowd.peers, "without it");
    for peer in &crowd.peers[1..] {
        assert!(peer.messages(ROOM).iter().any(|message| message.id == before.id), "{} has it", peer.name());
    }

    crowd.tracker.start_again();
    everybody_is_back(&crowd.peers);
    crowd.add("dave");
    everybody_is_linked(&crowd.peers);
    everybody_can_talk(&crowd.peers, "it is back");
}

/// A tracker that is told to end says so to its peers, so that they need not wait for silence.
pub fn whoever_stops_it_is_heard() {
    let mut crowd = Crowd::gather(&["alice", "bob"], Wire::default());
    crowd.tracker.process().terminate();
    assert!(crowd.tracker.process().wait(WAIT).success());
    for peer in &crowd.peers {
        trouble(peer, "shutting down");
    }
    everybody_can_talk(&crowd.peers, "it has said goodbye");
    crowd.tracker.start_again();
    everybody_is_back(&crowd.peers);
}

/// Its tables are lost and its key is not: the peers, who have the tables, give them back.
pub fn without_its_tables_it_gets_them_from_the_peers() {
    let mut crowd = Crowd::gather(&["alice", "bob", "carol"], Wire::default());
    let messages = everybody_can_talk(&crowd.peers, "before");
    crowd.tracker.process().kill();
    let files = fs::read_dir(crowd.tracker.data()).expect("the data folder").map(|entry| entry.expect("a file").path());
    let tables =
        files.filter(|path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"tables")));
    assert!(
        tables.map(|path| fs::remove_file(path).expect("the file goes")).count() > 0,
        "there are no tables to lose"
    );
    crowd.tracker.start_again();

    let counts = || crowd.tracker.counts();
    eventually(SOON, "they join again", counts, |counts| (counts.sessions, counts.rooms, counts.members) == (3, 1, 3));
    everybody_is_back(&crowd.peers);
    everybody_is_linked(&crowd.peers);
    everybody_can_talk(&crowd.peers, "after");
    for peer in &crowd.peers {
        assert_eq!(peer.messages(ROOM).len(), 2 * messages, "{} has it all once", peer.name());
    }
}

/// Everything of the tracker is lost, its key too: to a peer that is somebody else posing as it. The room goes on, and
/// the person is asked.
pub fn one_with_another_key_is_not_taken_for_it() {
    let mut crowd = Crowd::gather(&["alice", "bob"], Wire::default());
    crowd.tracker.process().terminate();
    crowd.tracker.process().wait(WAIT);
    fs::remove_dir_all(crowd.tracker.data()).expect("the data folder goes");
    crowd.tracker.start_again();

    for peer in &crowd.peers {
        trouble(peer, "--tracker-key");
    }
    everybody_can_talk(&crowd.peers, "who is that?");
    assert_eq!(crowd.tracker.counts().sessions, 0);

    let [alice, bob] = crowd.peers.as_mut_slice() else { unreachable!("two were gathered") };
    let told = trouble(alice, "--tracker-key");
    let key = told.split("--tracker-key ").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a key");
    let address = crowd.tracker.address().to_string();
    for peer in [&mut *alice, &mut *bob] {
        peer.cmd(&["logout"]).expect(0);
        peer.login(&["--tracker", &address, "--tracker-key", key]);
    }
    everybody_is_back(&crowd.peers);
    everybody_is_linked(&crowd.peers);
    everybody_can_talk(&crowd.peers, "we know it now");
}

/// Each says something that all the others get. Returns how much was said.
fn everybody_can_talk(peers: &[Peer], text: &str) -> usize {
    for peer in peers {
        let said = peer.say_to_all(ROOM, text, WAIT);
        assert_eq!((said.delivered.len(), said.pending.len()), (peers.len() - 1, 0), "{said:?}");
    }
    peers.len()
}

fn everybody_is_back(peers: &[Peer]) {
    for peer in peers {
        eventually(SOON, "the peer is back", || peer.status().tracker_state, |state| state == "up");
    }
}

/// Waits until a peer's status tells of trouble with the tracker in these words.
fn trouble(peer: &Peer, words: &str) -> String {
    let look = || peer.status().trouble.unwrap_or_default();
    eventually(SOON, "the status says what is wrong", look, |trouble| trouble.contains(words))
}
