//! However much is said, and however long it is, the tracker's interface carries no more than when nobody speaks; so
//! nobody misses the tracker while it is dead.

use std::{
    thread,
    time::{Duration, Instant},
};

use tests::lab::Wire;

use crate::crowd::{
    Crowd, ROOM, Saying, everybody_has, everybody_is_linked, everything_came_directly, everything_is_delivered,
};

const NAMES: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];
const MESSAGES: usize = 1_000;
/// Longer than two rounds of keep-alives.
const IDLE: Duration = Duration::from_secs(11);
/// One keep-alive and its answer for each session: all that the moment of the measurement can change. It is a
/// thousandth of what is said.
const SLACK: f64 = NAMES.len() as f64 * 250.0;

pub fn its_interface_is_as_quiet_as_when_nobody_speaks() {
    let crowd = Crowd::gather(&NAMES, Wire::default());
    crowd.lab.reset_counters();
    let start = Instant::now();
    // Nothing is waited for here: the time is what is measured.
    thread::sleep(IDLE);
    let idle = bytes(&crowd) as f64 / start.elapsed().as_secs_f64();

    for (run, size) in [("short", 1_000), ("long", 2_000)] {
        crowd.lab.reset_counters();
        let start = Instant::now();
        talk(&crowd, run, size);
        let (carried, took) = (bytes(&crowd) as f64, start.elapsed().as_secs_f64());
        let most = idle * took + SLACK;
        assert!(carried <= most, "{run} messages: {carried} bytes in {took:.1} s, where {most:.0} are idle talk");
    }

    everybody_is_linked(&crowd.peers);
    crowd.tracker.process().kill();
    talk(&crowd, "orphaned", 1_000);
    everything_came_directly(&crowd.peers);
}

/// The eight say a thousand messages, all at the same time; done when everybody has them all.
fn talk(crowd: &Crowd, run: &str, size: usize) {
    let text = |number: usize| format!("{:<size$}", format!("{run} {number}"));
    let mut said = Saying::new();
    for number in 0..MESSAGES {
        said.entry(NAMES[number % NAMES.len()].into()).or_default().push(text(number));
    }
    thread::scope(|scope| {
        for peer in &crowd.peers {
            let texts = &said[peer.name()];
            scope.spawn(move || {
                let mut control = peer.control();
                for text in texts {
                    control.say(ROOM, text).expect("it is said");
                }
            });
        }
    });
    everything_is_delivered(&crowd.peers);
    everybody_has(&crowd.peers, &said, |text| text.starts_with(run));
}

fn bytes(crowd: &Crowd) -> u64 {
    crowd.lab.counters(&crowd.server).bytes()
}
