//! A peer that stood still for longer than the others wait talks again within seconds, both ways, without a restart.

use std::{
    thread,
    time::{Duration, Instant},
};

use tests::lab::{Wire, eventually};

use crate::crowd::{Crowd, ROOM};

/// Links die, and members are taken for offline, sooner than usual.
const SETTINGS: &str = "keep_alive_s = 1\ndead_after_s = 3\n";
/// Longer than it takes the others, and the tracker, to give it up.
const ASLEEP: Duration = Duration::from_secs(30);
const SECONDS: Duration = Duration::from_secs(10);

pub fn who_stood_still_talks_again_within_seconds() {
    let crowd = Crowd::gather_with(&["alice", "bob"], Wire::default(), SETTINGS);
    let [alice, bob] = crowd.peers.as_slice() else { unreachable!("two were gathered") };
    bob.session().stop();
    let asleep = Instant::now();
    let said = alice.say(ROOM, "are you asleep?");
    assert_eq!(said.pending.len(), 1, "{said:?}");
    let online = || alice.members(ROOM).into_iter().any(|member| member.name.as_str() == "bob" && member.online);
    eventually(ASLEEP, "bob is taken for offline", online, |online| !online);
    thread::sleep(ASLEEP.saturating_sub(asleep.elapsed()));
    bob.session().resume();
    eventually(SECONDS, "bob has what was said", || alice.status().undelivered, |undelivered| *undelivered == 0);
    let said = bob.say_to_all(ROOM, "not any more", SECONDS);
    assert!(said.pending.is_empty(), "{said:?}");
}
