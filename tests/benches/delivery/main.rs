//! One member says something to 1, 7, 31 and 127 others: what a delivery costs and how long it takes, beside plain
//! QUIC and bare UDP to the same number of receivers. `cargo bench -p tests`; `-- N` for rooms of N members only.
//!
//! All members of a room are in this process, so that the CPU time counts both ends of every link.

mod quic;
mod rollcall;
mod udp;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rollcall::Disk;
use tests::measure::{self, Deliveries, quantile};

/// Length of a message's text.
const TEXT: usize = 200;
/// Messages of a paced run, and the time between two.
const PACED: u64 = 200;
const PACE: Duration = Duration::from_millis(20);
/// Deliveries of a run at full rate, about.
const DELIVERIES: u64 = 400_000;
/// Messages of such a run at the most.
const MESSAGES: u64 = 40_000;
/// Runs at full rate of each system; they take turns, and the median counts.
const ROUNDS: usize = 3;

/// Who delivers.
enum System {
    Rollcall(Box<rollcall::Room>),
    Quic(quic::Senders),
    Udp(udp::Senders),
}

const NAMES: [&str; 4] = ["Rollcall", "Rollcall, no disk", "plain quinn", "bare UDP"];
/// Which of them the others are compared with.
const PLAIN: usize = 2;

impl System {
    async fn start(number: usize, receivers: usize) -> System {
        match number {
            0 => System::Rollcall(Box::new(rollcall::Room::new(receivers, Disk::Real).await)),
            1 => System::Rollcall(Box::new(rollcall::Room::new(receivers, Disk::None).await)),
            2 => System::Quic(quic::Senders::new(receivers).await),
            _ => System::Udp(udp::Senders::new(receivers).await),
        }
    }

    /// All messages as fast as they go: wall and CPU time.
    async fn flood(&mut self, messages: u64, receivers: usize) -> (Duration, Duration) {
        let deliveries = Arc::new(Deliveries::new(messages, receivers, false));
        let (began, cpu) = (Instant::now(), measure::cpu());
        match self {
            System::Rollcall(room) => room.flood(messages, &deliveries).await,
            System::Quic(senders) => senders.flood(messages, &deliveries).await,
            System::Udp(senders) => senders.flood(messages, &deliveries).await,
        }
        (began.elapsed(), measure::cpu() - cpu)
    }

    /// A message each [`PACE`]: the delays of [`Deliveries::delays`].
    async fn pace(&mut self, receivers: usize) -> (f64, f64) {
        let deliveries = Arc::new(Deliveries::new(PACED, receivers, true));
        match self {
            System::Rollcall(room) => room.listen(&deliveries),
            System::Quic(senders) => senders.listen(&deliveries),
            System::Udp(senders) => senders.listen(&deliveries),
        }
        let mut ticks = tokio::time::interval(PACE);
        for message in 0..PACED {
            ticks.tick().await;
            deliveries.sent(message);
            match self {
                System::Rollcall(room) => room.say(),
                System::Quic(senders) => senders.say(message).await,
                System::Udp(senders) => senders.say(message).await,
            }
        }
        deliveries.all().await;
        deliveries.delays()
    }
}

/// What one system did in rooms of one size.
struct Measured {
    cpu_us: f64,
    rate: f64,
    each_ms: f64,
    last_ms: f64,
}

fn main() {
    // `cargo bench` adds `--bench`.
    let only = std::env::args().skip(1).find_map(|argument| argument.parse::<usize>().ok());
    let sizes: Vec<usize> = only.map_or(vec![2, 8, 32, 128], |members| vec![members]);
    println!("{}", measure::machine());
    let mut results = Vec::new();
    for members in sizes {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        results.push((members, runtime.expect("a runtime").block_on(measure_all(members - 1))));
    }
    print(&results);
}

async fn measure_all(receivers: usize) -> Vec<Measured> {
    let messages = (DELIVERIES / receivers as u64).min(MESSAGES);
    let mut systems = Vec::new();
    for number in 0..NAMES.len() {
        systems.push(System::start(number, receivers).await);
    }
    let mut floods = vec![Vec::new(); NAMES.len()];
    for _ in 0..ROUNDS {
        for (system, floods) in systems.iter_mut().zip(&mut floods) {
            floods.push(system.flood(messages, receivers).await);
        }
    }
    let mut measured = Vec::new();
    for (system, floods) in systems.iter_mut().zip(&floods) {
        let (each_ms, last_ms) = system.pace(receivers).await;
        let count = (messages * receivers as u64) as f64;
        let median = |of: fn(&(Duration, Duration)) -> Duration| {
            quantile(&mut floods.iter().map(|flood| of(flood).as_secs_f64()).collect::<Vec<_>>(), 0.5)
        };
        let (wall, cpu) = (median(|flood| flood.0), median(|flood| flood.1));
        measured.push(Measured { cpu_us: cpu / count * 1e6, rate: count / wall, each_ms, last_ms });
    }
    measured
}

fn print(results: &[(usize, Vec<Measured>)]) {
    let rows = |cell: &dyn Fn(&[Measured], &Measured) -> String| -> Vec<Vec<String>> {
        let line = |number: usize| {
            let cells = results.iter().map(|(_, measured)| cell(measured, &measured[number]));
            [NAMES[number].to_string()].into_iter().chain(cells).collect()
        };
        (0..NAMES.len()).map(line).collect()
    };
    let sizes: Vec<String> = results.iter().map(|(members, _)| format!("{members} members")).collect();
    let head: Vec<&str> = [""].into_iter().chain(sizes.iter().map(String::as_str)).collect();
    measure::table(
        "CPU time a delivery at full rate, as a multiple of plain quinn's:",
        &head,
        &rows(&|all, one| format!("{:.2}", one.cpu_us / all[PLAIN].cpu_us)),
    );
    measure::table(
        "Time to each member (median) / to the last (99 %) at 50 messages a second, as multiples of plain quinn's:",
        &head,
        &rows(&|all, one| format!("{:.1} / {:.1}", one.each_ms / all[PLAIN].each_ms, one.last_ms / all[PLAIN].last_ms)),
    );
    measure::table(
        "Absolute, this machine: CPU-seconds a million deliveries; deliveries a second:",
        &head,
        &rows(&|_, one| format!("{:.2}; {:.0}", one.cpu_us, one.rate)),
    );
    measure::table(
        "Absolute, this machine: milliseconds to each member (median) / to the last (99 %):",
        &head,
        &rows(&|_, one| format!("{:.2} / {:.2}", one.each_ms, one.last_ms)),
    );
}
