//! What the answer of a command and an event both tell is told by whichever comes first.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// How far apart the two may be.
const APART: Duration = Duration::from_secs(10);
/// Of how many it is remembered.
const REMEMBERED: usize = 16;

/// Who tells something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// The answer of a command.
    Answer,
    /// An event.
    Event,
}

/// What was told lately.
#[derive(Default)]
pub struct Once(VecDeque<(String, By, Instant)>);

impl Once {
    /// Whether this is to be told: not if the other has just told it.
    pub fn is_new(&mut self, what: &str, by: By, now: Instant) -> bool {
        self.0.retain(|(_, _, at)| now.saturating_duration_since(*at) < APART);
        if let Some(told) = self.0.iter().position(|(told, other, _)| told == what && *other != by) {
            self.0.remove(told);
            return false;
        }
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((what.to_string(), by, now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_tell_is_told_once_and_what_happens_again_is_told_again() {
        let (mut once, now) = (Once::default(), Instant::now());
        assert!(once.is_new("erin", By::Answer, now));
        assert!(!once.is_new("erin", By::Event, now));
        assert!(once.is_new("erin", By::Event, now) && once.is_new("erin", By::Event, now));
        assert!(!once.is_new("erin", By::Answer, now));
        assert!(once.is_new("bob", By::Event, now) && once.is_new("bob", By::Answer, now + APART));
    }
}
