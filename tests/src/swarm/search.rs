//! Playing many histories, on all processors, and telling of one that fails.

use std::{
    any::Any,
    cell::RefCell,
    env,
    ops::AddAssign,
    panic,
    sync::{
        Mutex, Once,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use common::fault::{self, Fault};

use super::{
    play::{Tally, play},
    shrink::shrink,
    step::{History, Step},
};

/// How often a failing history is played again to make it shorter.
const TRIES: usize = 600;

/// Plays the histories of the seeds below `usual`. The first that fails is made shorter and printed.
///
/// `ROLLCALL_SEED=N` plays the one of seed N; `ROLLCALL_SEEDS=N` plays N of them; `ROLLCALL_MINUTES=N` plays for so
/// long.
///
/// # Panics
/// If one fails.
pub fn search(usual: u64) -> Tally {
    let (first, end, until) = match (number("ROLLCALL_SEED"), number("ROLLCALL_MINUTES"), number("ROLLCALL_SEEDS")) {
        (Some(one), _, _) => (one, one + 1, None),
        (_, Some(minutes), _) => (0, u64::MAX, Some(Instant::now() + Duration::from_secs(60 * minutes))),
        (_, _, count) => (0, count.unwrap_or(usual), None),
    };
    let (next, stop) = (AtomicU64::new(first), AtomicBool::new(false));
    let found = Mutex::new((Tally::default(), None));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) && until.is_none_or(|until| Instant::now() < until) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        break;
                    }
                    let played = attempt(&History::new(seed));
                    let mut found = found.lock().expect("no thread fails with it");
                    match played {
                        Ok(tally) => found.0 += tally,
                        Err(failure) => {
                            stop.store(true, Ordering::Relaxed);
                            found.1.get_or_insert((seed, failure));
                        }
                    }
                }
            });
        }
    });
    let (tally, failed) = found.into_inner().expect("no thread fails with it");
    if let Some((seed, failure)) = failed {
        let history = History::new(seed);
        println!("seed {seed} fails: {failure}\nmaking it shorter; to replay it: ROLLCALL_SEED={seed}");
        let shorter = shortest(&history, &failure);
        let failure = attempt(&shorter).err().unwrap_or(failure);
        panic!("{failure}\n\nthe shortest way there, from {shorter}to replay the whole: ROLLCALL_SEED={seed}");
    }
    println!("{} histories, {tally:?}", next.into_inner().min(end) - first);
    tally
}

/// Plays the histories of the seeds below `most`, with a fault on, until one fails. Returns how many that took.
pub fn caught(fault: Fault, most: u64) -> Option<u64> {
    (0..most).find(|seed| fault::with(fault, || attempt(&History::new(*seed))).is_err()).map(|seed| seed + 1)
}

/// The history with those steps left out without which it fails at the same place.
fn shortest(history: &History, failure: &Failure) -> History {
    let with = |steps: &[Step]| History { steps: steps.to_vec(), ..history.clone() };
    let fails = |steps: &[Step]| attempt(&with(steps)).is_err_and(|other| other.place == failure.place);
    with(&shrink(&history.steps, TRIES, fails))
}

/// What did not hold, and where in the code that was seen.
#[derive(Clone, Debug)]
struct Failure {
    place: String,
    text: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.text, self.place)
    }
}

thread_local! {
    /// The panic of a history that is played on this thread, which is told by whoever plays it.
    static FAILURE: RefCell<Option<Option<Failure>>> = const { RefCell::new(None) };
}

/// Plays a history, and returns what did not hold.
fn attempt(history: &History) -> Result<Tally, Failure> {
    catch_panics();
    FAILURE.set(Some(None));
    let played = panic::catch_unwind(|| play(history));
    let failure = FAILURE.take().flatten();
    played.map_err(|_| failure.unwrap_or(Failure { place: String::new(), text: "it failed".into() }))
}

fn catch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let failure = Failure {
                place: info.location().map(ToString::to_string).unwrap_or_default(),
                text: text_of(info.payload()),
            };
            let caught =
                FAILURE.with_borrow_mut(|slot| slot.as_mut().map(|slot| slot.get_or_insert(failure)).is_some());
            if !caught {
                before(info);
            }
        }));
    });
}

/// What a panic says: a text as it stands in the code, or one that was put together.
fn text_of(payload: &dyn Any) -> String {
    let fixed = payload.downcast_ref::<&str>().map(|text| text.to_string());
    fixed.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not {text:?}")))
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.deliveries += other.deliveries;
        self.receipts += other.receipts;
    }
}
