//! What asks the process to end from outside: an interrupt, a request to end, or a terminal that is closed.

use std::{fs, io};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The bit of SIGHUP in the masks of proc(5).
const HANGUP: u64 = 1;

/// Those signals, from when this is made.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl Signals {
    /// Listens. Where the process was told to outlive its terminal, as by nohup, it does.
    ///
    /// # Errors
    /// If the system has no room for it.
    pub fn new() -> io::Result<Signals> {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let hangup = if ignores_hangup(&status) { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())?, hangup })
    }

    /// Waits for one of them. Cancel-safe.
    pub async fn next(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => drop(hangup.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = hangup => {}
        }
    }
}

/// Whether a process with that status, as proc(5) tells it, ignores SIGHUP.
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & HANGUP != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_to_outlive_the_terminal_is_told_by_its_mask() {
        assert!(ignores_hangup("Name:\tpeer\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000001\n"));
        assert!(!ignores_hangup("Name:\tpeer\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001000\n"));
        assert!(!ignores_hangup(""));
    }
}
