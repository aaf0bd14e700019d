//! A member that is held costs nobody else anything.

use std::time::Duration;

use tests::lab::{Wire, eventually};

use crate::crowd::{Crowd, ROOM, SOON, Saying, everybody_has, everything_is_delivered};

const WAIT: Duration = Duration::from_secs(10);
const MESSAGES: usize = 200;

pub fn the_others_talk_on_while_it_is_held_and_it_gets_everything() {
    let crowd = Crowd::gather(&["alice", "bob", "carol"], Wire::default());
    let [alice, bob, carol] = crowd.peers.as_slice() else { unreachable!("three were gathered") };
    carol.session().stop();
    let mut said = Saying::new();
    let mut control = alice.control();
    for number in 0..MESSAGES {
        let text = format!("carol sleeps {number}");
        let answer = control.say(ROOM, &text).expect("it is said");
        assert!(answer.delivered.iter().all(|name| name.as_str() != carol.name()), "{answer:?}");
        said.entry(alice.name().into()).or_default().push(text);
    }
    eventually(WAIT, "bob has it all", || bob.messages(ROOM).len(), |count| *count == MESSAGES);
    let pending = || alice.status().undelivered;
    eventually(SOON, "only carol lacks it", pending, |undelivered| *undelivered == MESSAGES as u64);

    carol.session().resume();
    everything_is_delivered(&crowd.peers);
    everybody_has(&crowd.peers, &said, |_| true);
}
