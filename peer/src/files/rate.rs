//! How fast bytes may pass.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// How far bytes may run ahead of their time, so that a pause is made up for and timers need not be exact.
const AHEAD: Duration = Duration::from_millis(50);
/// How often in a second one stream takes its turn at least, so that many share a low rate in small parts.
const TURNS: u64 = 8;
/// The least that passes at once, in bytes.
const LEAST: usize = 512;

/// Lets so many bytes a second pass, for all who share it together.
#[derive(Debug)]
pub struct Rate {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// 0 for as fast as can be.
    per_second: u64,
    /// When what has passed is paid for.
    paid: Instant,
}

impl Rate {
    /// So many bytes a second; 0 for as many as there are.
    pub fn new(per_second: u64) -> Rate {
        Rate { state: Mutex::new(State { per_second, paid: Instant::now() }) }
    }

    /// Changes it for what passes from now on.
    pub fn set(&self, per_second: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.per_second != per_second {
            *state = State { per_second, paid: Instant::now() };
        }
    }

    /// How many of `most` bytes should pass at once.
    pub fn portion(&self, most: usize) -> usize {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.per_second {
            0 => most,
            rate => most.min(usize::try_from(rate / TURNS).unwrap_or(most).max(LEAST)),
        }
    }

    /// Waits until these bytes may pass.
    pub async fn pass(&self, bytes: usize) {
        let due = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.per_second == 0 {
                return;
            }
            let now = Instant::now();
            let due = state.paid.max(now.checked_sub(AHEAD).unwrap_or(now));
            state.paid = due + Duration::from_secs_f64(bytes as f64 / state.per_second as f64);
            due
        };
        if due > Instant::now() {
            sleep_until(due).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long so many bytes take, in portions.
    async fn taken(rate: &Rate, bytes: usize) -> Duration {
        let began = Instant::now();
        let mut left = bytes;
        while left > 0 {
            let now = rate.portion(16 * 1024).min(left);
            rate.pass(now).await;
            left -= now;
        }
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_pass_no_faster_than_they_may() {
        for per_second in [1_000, 100_000, 10_000_000, 1_000_000_000] {
            let seconds = taken(&Rate::new(per_second), 5 * per_second as usize).await.as_secs_f64();
            // The last portion has passed before it is paid for.
            assert!((4.4..5.1).contains(&seconds), "{per_second}: {seconds}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_share_a_rate_have_it_together() {
        let rate = Rate::new(100_000);
        let (one, other) = tokio::join!(taken(&rate, 200_000), taken(&rate, 200_000));
        assert!((3.8..4.1).contains(&one.max(other).as_secs_f64()), "{one:?} {other:?}");
        assert!(one.min(other) > Duration::from_secs(3), "{one:?} {other:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_rate_nothing_waits_and_a_pause_saves_nothing_up() {
        let rate = Rate::new(0);
        assert_eq!(taken(&rate, 1 << 30).await, Duration::ZERO);
        rate.set(1_000);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(taken(&rate, 5_000).await > Duration::from_secs(4));
    }
}
