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
