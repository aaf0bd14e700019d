//! Runs a simulation on virtual time, for one seed or many.

use std::{cell::Cell, env, ops::Range, panic, sync::Once, thread, time::Duration};

/// Virtual time after which a simulation counts as hung.
const DEADLINE: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs `simulation` on one thread and a clock of its own, which jumps to the next timer whenever nothing else is left
/// to do: an hour in which nothing happens costs milliseconds.
///
/// # Panics
/// If it has not ended after a virtual day, or if a task that it spawned has panicked, whoever waits for that task.
pub fn run<F: Future>(simulation: F) -> F::Output {
    notice_panics();
    PANICKED.set(false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let limited = async { tokio::time::timeout(DEADLINE, simulation).await };
    let output = runtime.expect("a runtime without IO always starts").block_on(limited);
    assert!(!PANICKED.get(), "a task of the simulation panicked, see above");
    output.expect("the simulation should end within a virtual day")
}

/// Runs a simulation once for each seed. When one fails, its seed is printed.
///
/// `ROLLCALL_SEED=N` runs the one seed N, to replay a failure; `ROLLCALL_SEEDS=N` runs N of them, to search longer.
pub fn seeds<F: Future<Output = ()>>(name: &str, seeds: Range<u64>, simulation: impl Fn(u64) -> F) {
    let seeds = match (number("ROLLCALL_SEED"), number("ROLLCALL_SEEDS")) {
        (Some(one), _) => one..one + 1,
        (None, Some(count)) => seeds.start..seeds.start + count,
        (None, None) => seeds,
    };
    for seed in seeds {
        let _report = Report { name, seed };
        run(simulation(seed));
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not {text:?}")))
}

/// Tells which seed it was when a panic passes by.
struct Report<'a> {
    name: &'a str,
    seed: u64,
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{} failed with seed {}; to replay it: ROLLCALL_SEED={}", self.name, self.seed, self.seed);
        }
    }
}

thread_local! {
    /// Whether anything has panicked on this thread, which is that of all tasks of a simulation.
    static PANICKED: Cell<bool> = const { Cell::new(false) };
}

/// tokio keeps a task's panic for whoever waits for the task, and nobody may.
fn notice_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICKED.set(true);
            before(info);
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "a task of the simulation panicked")]
    fn a_panic_that_nobody_waits_for_fails_the_run() {
        run(async {
            tokio::spawn(async { panic!("in a task") });
            tokio::task::yield_now().await;
        });
    }

    #[test]
    #[should_panic(expected = "within a virtual day")]
    fn a_simulation_that_hangs_fails() {
        run(std::future::pending::<()>());
    }
}
