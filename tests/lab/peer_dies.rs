//! A peer that crashes loses nothing, holds nobody up, and is not shown as there for long.

use std::time::{Duration, Instant};

use tests::lab::{Peer, Wire, eventually};

use crate::crowd::{Crowd, ROOM, Saying, everybody_has, everybody_is_linked, everything_is_delivered};

/// How long a dead peer may show as online, as is promised.
const STATED: Duration = Duration::from_secs(20);
/// For the machine, which is busy, and for looking.
const SLACK: Duration = Duration::from_secs(5);
const MESSAGES: usize = 50;

pub fn it_gets_what_it_missed_and_shows_as_what_it_is() {
    let mut crowd = Crowd::gather(&["alice", "bob", "carol"], Wire::default());
    let port = crowd.peers[2].status().address.port();
    let mut said = Saying::new();
    let mut talk = |peers: &[Peer]| {
        for peer in peers {
            let mut control = peer.control();
            let texts = said.entry(peer.name().into()).or_default();
            for number in texts.len()..texts.len() + MESSAGES {
                texts.push(format!("{number} of {}", peer.name()));
                control.say(ROOM, &texts[number]).expect("it is said");
            }
        }
    };
    // Said and not yet delivered when it dies: its own, too, must come through.
    talk(&crowd.peers);
    let killed = Instant::now();
    crowd.peers[2].session().kill();
    talk(&crowd.peers[..2]);

    let [alice, bob, carol] = crowd.peers.as_mut_slice() else { unreachable!("three were gathered") };
    for peer in [&*alice, &*bob] {
        let left = (STATED + SLACK).saturating_sub(killed.elapsed());
        eventually(left, "carol shows as offline", || is_online(peer, "carol"), |online| *online == Some(false));
    }
    let waiting = alice.say(ROOM, "where is carol?");
    assert!(waiting.pending.iter().any(|name| name.as_str() == "carol"), "{waiting:?}");
    said.entry("alice".into()).or_default().push("where is carol?".into());

    let ready = carol.login(&[]);
    assert_eq!(ready.address.port(), port, "its port is its own");
    everybody_is_linked(&crowd.peers);
    everything_is_delivered(&crowd.peers);
    everybody_has(&crowd.peers, &said, |_| true);
}

pub fn whoever_logs_out_shows_as_offline_at_once() {
    let crowd = Crowd::gather(&["alice", "bob"], Wire::default());
    let [alice, bob] = crowd.peers.as_slice() else { unreachable!("two were gathered") };
    bob.cmd(&["logout"]).expect(0);
    // Long before silence could have told it.
    eventually(STATED / 4, "alice sees bob offline", || is_online(alice, "bob"), |online| *online == Some(false));
}

fn is_online(peer: &Peer, name: &str) -> Option<bool> {
    peer.members(ROOM).into_iter().find(|member| member.name.as_str() == name).map(|member| member.online)
}
