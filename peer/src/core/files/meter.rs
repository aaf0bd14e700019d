//! How fast bytes come.

use std::collections::VecDeque;

/// How long bytes are gathered into one figure, in milliseconds.
const SPAN: u64 = 250;
/// How many figures the rate that is shown is made of: those of 3 seconds.
const SHOWN: usize = 12;

/// The rate of one holder while it sends: half of it the last quarter of a second, half what was before.
#[derive(Clone, Copy, Default, Debug)]
pub struct Rate {
    /// Since when bytes are gathered, moved on by the time in which it was asked for nothing.
    since: u64,
    /// When bytes came last.
    last: u64,
    bytes: u64,
    rate: u64,
}

impl Rate {
    /// It is asked for something, and was asked for nothing since its last bytes.
    pub fn begin(&mut self, now: u64) {
        self.since = if self.bytes == 0 { now } else { self.since + now.saturating_sub(self.last) };
    }

    /// So many bytes have come.
    pub fn came(&mut self, bytes: u64, now: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.last = now;
        let passed = now.saturating_sub(self.since);
        if passed >= SPAN {
            let lately = self.bytes.saturating_mul(1_000) / passed;
            self.rate = if self.rate == 0 { lately } else { self.rate / 2 + lately / 2 };
            (self.since, self.bytes) = (now, 0);
        }
    }

    /// Bytes a second; 0 if that is not known yet.
    pub fn get(&self) -> u64 {
        self.rate
    }

    /// How many bytes it may be asked for ahead: those of half a second, and until that is known as many as have come, so
    /// that it doubles with each answer.
    pub fn reach(&self) -> u64 {
        if self.rate > 0 { self.rate / 2 } else { self.bytes }
    }
}

/// The rate of a transfer over the last seconds, as it is shown.
#[derive(Clone, Default, Debug)]
pub struct Lately {
    /// When each span began, and the bytes in it.
    spans: VecDeque<(u64, u64)>,
}

impl Lately {
    /// So many bytes have come.
    pub fn came(&mut self, bytes: u64, now: u64) {
        match self.spans.back_mut() {
            Some((since, sum)) if now < *since + SPAN => *sum = sum.saturating_add(bytes),
            _ => self.spans.push_back((now, bytes)),
        }
        if self.spans.len() > SHOWN + 1 {
            self.spans.pop_front();
        }
    }

    /// Bytes a second, over the last 3 seconds or since the first byte.
    pub fn get(&self, now: u64) -> u64 {
        let from = now.saturating_sub(SPAN * SHOWN as u64);
        let lately = self.spans.iter().filter(|(since, _)| *since >= from);
        let bytes = lately.clone().map(|(_, bytes)| bytes).sum::<u64>();
        let first = lately.map(|(since, _)| *since).next().unwrap_or(now);
        bytes.saturating_mul(1_000) / now.saturating_sub(first).max(SPAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_follows_what_came_while_it_was_asked_for() {
        let mut rate = Rate::default();
        rate.begin(1_000);
        rate.came(1_000, 1_100);
        assert_eq!(rate.get(), 0);
        rate.came(1_500, 1_250);
        assert_eq!(rate.get(), 10_000);
        rate.begin(9_000);
        rate.came(5_000, 9_250);
        assert_eq!(rate.get(), 15_000);
    }

    #[test]
    fn answers_too_short_to_be_measured_alone_are_measured_together() {
        let mut rate = Rate::default();
        for answer in 0..250 {
            assert_eq!((rate.get(), rate.reach()), (0, answer * 1_000));
            rate.begin(answer * 10);
            rate.came(1_000, answer * 10 + 1);
        }
        assert_eq!((rate.get(), rate.reach()), (1_000_000, 500_000));
    }

    #[test]
    fn what_is_shown_ends_three_seconds_after_the_last_byte() {
        let mut lately = Lately::default();
        (0..100).for_each(|step| lately.came(100, step * 100));
        assert!((900..=1_100).contains(&lately.get(9_900)), "{}", lately.get(9_900));
        assert_eq!(lately.get(13_100), 0);
    }
}
