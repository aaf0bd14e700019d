//! What the benchmarks measure with: CPU time, memory, deliveries, and the tables they print.

use std::{
    fs,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};
use tokio::sync::Notify;

/// CPU time that this process has used, all its threads and the system's work for them.
///
/// # Panics
/// If the system does not say.
pub fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the system counts CPU time");
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(microseconds.unsigned_abs())
}

/// Memory of a process that is not on disk, in KiB.
///
/// # Panics
/// If there is no such process.
pub fn resident_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the system counts memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// One line about what the numbers were measured on.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, |cores| cores.get());
    format!("On {cores} cores. Ratios are of one run; what is marked as absolute is true of this machine only.")
}

/// The value that the share `share` of all is below or at.
///
/// # Panics
/// If there are no values.
pub fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share).round() as usize]
}

/// A table in Markdown.
pub fn table(title: &str, head: &[&str], rows: &[Vec<String>]) {
    println!("\n{title}\n\n| {} |\n|{}", head.join(" | "), "---|".repeat(head.len()));
    rows.iter().for_each(|row| println!("| {} |", row.join(" | ")));
}

/// Deliveries of one run, counted as they happen, and timed if asked for.
pub struct Deliveries {
    left: AtomicU64,
    all: Notify,
    /// For each message, when it was sent and how long each delivery took; empty where nothing is timed.
    timed: Vec<Mutex<(Option<Instant>, Vec<Duration>)>>,
}

impl Deliveries {
    /// `messages` to each of `receivers`; messages are numbered from 0.
    pub fn new(messages: u64, receivers: usize, timed: bool) -> Deliveries {
        let timed = (0..if timed { messages } else { 0 }).map(|_| Mutex::default()).collect();
        Deliveries { left: AtomicU64::new(messages * receivers as u64), all: Notify::new(), timed }
    }

    /// A message is given to whoever sends it.
    pub fn sent(&self, message: u64) {
        if let Some(timed) = self.timed.get(message as usize) {
            timed.lock().unwrap_or_else(PoisonError::into_inner).0 = Some(Instant::now());
        }
    }

    /// One receiver has these messages.
    pub fn arrived(&self, messages: std::ops::Range<u64>) {
        let count = messages.end - messages.start;
        for timed in self.timed.iter().take(messages.end as usize).skip(messages.start as usize) {
            let mut timed = timed.lock().unwrap_or_else(PoisonError::into_inner);
            let took = timed.0.map(|sent| sent.elapsed()).unwrap_or_default();
            timed.1.push(took);
        }
        if self.left.fetch_sub(count, Ordering::AcqRel) == count {
            self.all.notify_one();
        }
    }

    /// Waits until every receiver has every message.
    pub async fn all(&self) {
        self.all.notified().await;
    }

    /// In milliseconds: the median of all deliveries, and the 99th percentile of each message's last.
    pub fn delays(&self) -> (f64, f64) {
        let taken: Vec<Vec<f64>> = self
            .timed
            .iter()
            .map(|timed| timed.lock().unwrap_or_else(PoisonError::into_inner).1.clone())
            .map(|delays| delays.iter().map(|delay| delay.as_secs_f64() * 1_000.0).collect())
            .collect();
        let mut last: Vec<f64> = taken.iter().map(|delays| delays.iter().copied().fold(0.0, f64::max)).collect();
        (quantile(&mut taken.concat(), 0.5), quantile(&mut last, 0.99))
    }
}
