//! How good or bad the way between two hosts is.

use std::time::Duration;

/// One direction between two hosts. The default carries everything, at once and in order.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Wire {
    /// The share of frames that are lost, 0 to 1.
    pub loss: f64,
    /// How long every frame is under way.
    pub delay: Duration,
    /// Up to so much longer, by chance; the order stays.
    pub jitter: Duration,
    /// The share of frames that are held back for [`HOLD`], so that later ones overtake them.
    pub reorder: f64,
    /// Longer frames are dropped, in bytes; nothing is no limit.
    pub longest: Option<usize>,
}

/// How long a reordered frame is held back.
pub const HOLD: Duration = Duration::from_millis(3);

impl Wire {
    /// A wire that loses this share of frames.
    pub fn losing(loss: f64) -> Wire {
        Wire { loss, ..Wire::default() }
    }

    /// A wire on which every frame takes this long.
    pub fn delaying(delay: Duration) -> Wire {
        Wire { delay, ..Wire::default() }
    }
}

/// What a host's interface carries at the most, in one direction.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rate {
    /// Bytes of frames a second.
    pub bytes_per_second: u64,
    /// Bytes that may wait for their turn; a frame that finds no room is dropped, as a router would.
    pub queue_bytes: u64,
}

/// A rate at work: a line that is busy until what it took has left it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    rate: Rate,
    busy_until: Duration,
}

impl Line {
    pub(super) fn new(rate: Rate) -> Line {
        Line { rate, busy_until: Duration::ZERO }
    }

    /// When a frame that comes now has left the line, or nothing if there is no room for it.
    pub(super) fn take(&mut self, now: Duration, bytes: usize) -> Option<Duration> {
        let per_second = self.rate.bytes_per_second as f64;
        let waiting = self.busy_until.saturating_sub(now).as_secs_f64() * per_second;
        if waiting + bytes as f64 > self.rate.queue_bytes as f64 {
            return None;
        }
        self.busy_until = self.busy_until.max(now) + Duration::from_secs_f64(bytes as f64 / per_second);
        Some(self.busy_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_takes_its_rate_and_its_queue_and_no_more() {
        let mut line = Line::new(Rate { bytes_per_second: 1_000, queue_bytes: 250 });
        let millis = Duration::from_millis;
        assert_eq!(line.take(millis(0), 100), Some(millis(100)));
        assert_eq!(line.take(millis(0), 100), Some(millis(200)));
        assert_eq!(line.take(millis(0), 100), None, "the queue is full");
        assert_eq!(line.take(millis(100), 100), Some(millis(300)), "and has room again");
        assert_eq!(line.take(millis(1_000), 100), Some(millis(1_100)), "an idle line saves nothing up");
    }
}
