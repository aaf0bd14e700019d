//! Waiting for something to be so.

use std::{
    fmt::Debug,
    thread,
    time::{Duration, Instant},
};

const INTERVAL: Duration = Duration::from_millis(20);

/// Looks until `is_so` of what it sees, and gives that back. Panics past the deadline, with what was last seen.
#[track_caller]
pub fn eventually<T: Debug>(deadline: Duration, what: &str, look: impl Fn() -> T, is_so: impl Fn(&T) -> bool) -> T {
    let start = Instant::now();
    loop {
        let seen = look();
        if is_so(&seen) {
            return seen;
        }
        assert!(start.elapsed() < deadline, "not within {deadline:?}: {what}; last seen: {seen:#?}");
        thread::sleep(INTERVAL);
    }
}
