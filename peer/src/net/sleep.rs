//! Noticing that the host has slept: the clock on the wall has gone on, and the one that timers go by has not.

use crate::core::Now;

/// How much further the wall clock must have gone, in milliseconds; less is a clock being set right.
const SLEPT: i128 = 10_000;

/// What two clocks showed at the last look.
#[derive(Default)]
pub struct SleepWatch {
    ahead: Option<i128>,
}

impl SleepWatch {
    /// Whether the host has slept since the last look.
    pub fn slept(&mut self, now: Now) -> bool {
        let ahead = i128::from(now.wall) - i128::from(now.at);
        let before = self.ahead.replace(ahead);
        before.is_some_and(|before| ahead - before > SLEPT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_is_noticed_once_and_a_clock_that_is_set_right_or_back_is_none() {
        let mut watch = SleepWatch::default();
        let mut looks = Vec::new();
        for (at, wall) in [(0, 5_000), (1_000, 6_000), (2_000, 16_000), (3_000, 90_000), (4_000, 91_000), (5_000, 7)] {
            looks.push(watch.slept(Now { at, wall }));
        }
        assert_eq!(looks, [false, false, false, true, false, false]);
    }
}
