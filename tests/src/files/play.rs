//! Random swarms: what is in one, and what must hold of it.

use std::{
    env,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use common::{
    fault::{self, Fault},
    file::{GROUP, SMALLEST_PIECE},
    wire::peer::Fetch,
};
use peer::core::{
    LinkId,
    files::{FileInput, FileOutput, Outcome, ServeId},
};

use super::{
    host::{Nature, Rates, key},
    town::{Town, room},
};
use crate::sim::Random;

/// Longest time in which something happens to a swarm, in milliseconds.
const UNQUIET: usize = 30_000;
/// How long a swarm may take once nothing happens to it any more, in seconds: far longer than any has to.
const PATIENCE: u64 = 900;

/// What happens to a swarm.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A link between two breaks.
    Cut(usize, usize),
    /// Two are linked again.
    Link(usize, usize),
    /// A host is killed.
    Kill(usize),
    /// It is started again.
    Start(usize),
    /// All that is coming to it breaks off, though the links stay.
    Break(usize),
    /// Its user stops the transfer.
    Pause(usize),
    /// And goes on.
    Resume(usize),
    /// Its disk is full.
    Full(usize),
    /// There is room again, and its user goes on.
    Free(usize),
    /// Somebody who is no member asks for a range.
    Stranger(usize),
    /// Those who have had the whole file from the beginning go for good, if others have all of it between them.
    Leave,
}

/// Plays the swarm of a seed. Returns what does not hold.
fn play(seed: u64) -> Result<(), String> {
    let mut random = Random::new(seed);
    let (mut town, steps) = plan(&mut random, seed);
    let mut end = 0;
    for (number, (at, _)) in steps.iter().enumerate() {
        end = end.max(*at);
        town.step_in(*at, number);
    }
    let most = end + PATIENCE * 1_000_000;
    while !(town.now > end && town.is_done()) {
        while let Some(number) = town.run(town.now + 500_000) {
            happen(&mut town, steps[number].1);
        }
        if let Some(wrong) = &town.wrong {
            return Err(wrong.clone());
        }
        if town.now > most {
            let left = town.hosts.iter().enumerate().filter(|(_, host)| host.fetches && !host.whole);
            let left: Vec<String> = left.map(|(host, h)| format!("{host} has {}", h.disk.len())).collect();
            return Err(format!("not done after {PATIENCE} s of quiet, of {} pieces: {left:?}", town.grid.count()));
        }
    }
    thrift(&town)
}

/// No fetcher has been sent much more than the file and what was lost.
fn thrift(town: &Town) -> Result<(), String> {
    let (size, piece) = (town.file.size, town.grid.piece());
    for (host, had) in town.hosts.iter().enumerate().filter(|(_, host)| host.fetches) {
        let (came, lost, stray) = (had.ledger.came, had.ledger.lost, had.ledger.stray);
        // At the end a few ranges are asked for twice; and what is not wanted any more may be under way already.
        if came > size + lost + size / 16 + 4 * piece || stray > size / 8 + 12 * piece {
            return Err(format!(
                "host {host} was sent {came} bytes of {size} to fetch, {lost} of them lost, and {stray} unwanted"
            ));
        }
    }
    Ok(())
}

fn plan(random: &mut Random, seed: u64) -> (Town, Vec<(u64, Step)>) {
    let few = [1, 1, 2, 3, 5, 8, 12];
    let fetchers = if random.chance(0.02) { 20 + random.below(81) } else { few[random.below(few.len())] };
    let pieces = 1 + random.below(if fetchers > 12 { 24 } else { 96 }) as u64;
    let size = pieces * SMALLEST_PIECE - random.below(SMALLEST_PIECE as usize) as u64;
    let mut town = Town::new(size, 1 + random.below(80) as u64, seed);
    let rate = |random: &mut Random| 100_000 << random.below(6);
    let rates = |random: &mut Random| Rates { up: rate(random), down: 4 * rate(random) };
    let seeds = 1 + random.below(3);
    for _ in 0..seeds {
        let rates = rates(random);
        town.add(Nature::Honest, rates, true);
    }
    for _ in 0..random.below(3) {
        let nature = if random.chance(0.5) { Nature::Liar } else { Nature::Staller };
        let rates = rates(random);
        town.add(nature, rates, true);
    }
    let first = town.hosts.len();
    for _ in 0..fetchers {
        let rates = rates(random);
        town.add(Nature::Honest, rates, false);
    }
    town.link_all();
    let mut steps = Vec::new();
    let at = |random: &mut Random| random.below(UNQUIET) as u64 * 1_000;
    (first..town.hosts.len()).for_each(|host| town.get(host));
    let all = town.hosts.len();
    for _ in 0..random.below(8) {
        let (begin, host) = (at(random), random.below(all));
        let after = begin + at(random) / 4;
        let fetcher = first + random.below(fetchers);
        let (one, other) = match random.below(5) {
            0 | 1 => {
                let other = random.below(all);
                (Step::Cut(host, other), Step::Link(host, other))
            }
            2 => (Step::Kill(host), Step::Start(host)),
            3 => (Step::Pause(fetcher), Step::Resume(fetcher)),
            _ => (Step::Full(fetcher), Step::Free(fetcher)),
        };
        steps.extend([(begin, one), (after, other)]);
    }
    if random.chance(0.3) {
        steps.push((at(random), Step::Break(first + random.below(fetchers))));
    }
    if random.chance(0.3) {
        steps.push((at(random), Step::Stranger(random.below(all))));
    }
    if random.chance(0.3) {
        steps.push((UNQUIET as u64 * 1_250 + 1, Step::Leave));
    }
    (town, steps)
}

fn happen(town: &mut Town, step: Step) {
    let now = town.ms();
    match step {
        Step::Cut(one, other) => {
            let link = town.hosts[one].links.iter().find(|(_, (there, _))| *there == other).map(|(link, _)| *link);
            link.into_iter().for_each(|link| town.cut(one, link));
        }
        Step::Link(one, other) => town.link(one, other),
        Step::Kill(host) => town.stop(host),
        Step::Start(host) => {
            if town.hosts[host].files.is_none() {
                town.start(host);
                // It may have been killed before it knew where the file goes.
                if town.hosts[host].fetches && town.hosts[host].kept.is_none() {
                    town.get(host);
                }
            }
            (0..town.hosts.len()).for_each(|other| town.link(host, other));
            if town.hosts[host].files.is_some() && std::mem::take(&mut town.hosts[host].to_resume) {
                happen(town, Step::Resume(host));
            }
        }
        Step::Break(host) => town.break_off(host),
        Step::Pause(host) | Step::Resume(host) | Step::Free(host) => {
            if let Step::Free(_) = step {
                town.hosts[host].disk_full = false;
            }
            let off = town.hosts[host].files.is_none();
            town.hosts[host].to_resume = off && !matches!(step, Step::Pause(_));
            if let Some(files) = &mut town.hosts[host].files {
                for id in files.transfers() {
                    // What is over already is refused.
                    let _ = if matches!(step, Step::Pause(_)) { files.pause(id, now) } else { files.resume(id, now) };
                }
            }
            town.settle(host);
        }
        Step::Full(host) => town.hosts[host].disk_full = true,
        Step::Stranger(host) => stranger(town, host),
        Step::Leave => leave(town),
    }
}

/// Somebody is linked who shares no room, and asks.
fn stranger(town: &mut Town, host: usize) {
    let (link, now, root) = (LinkId(u64::MAX), town.ms(), town.file.root);
    let length = town.file.size.min(GROUP);
    town.last_serve += 1;
    let serve = ServeId(town.last_serve);
    let Some(files) = &mut town.hosts[host].files else { return };
    files.link_up(link, key(usize::MAX), []);
    files.handle(FileInput::Asked(serve, link, Fetch { room: room(), root, offset: 0, length }), now);
    let outcomes = files.flush(now);
    files.link_down(link, now);
    if outcomes.iter().any(|out| matches!(out, Outcome::Do(FileOutput::Serve(id, _)) if *id == serve)) {
        town.wrong = Some(format!("host {host} serves somebody who is no member"));
    }
}

/// Those who had the file go, if the others that are honest have all of it.
fn leave(town: &mut Town) {
    let others = town.hosts.iter().filter(|host| host.fetches && host.files.is_some());
    let between: Vec<_> = others.map(|host| host.disk.clone()).collect();
    let all = (0..town.grid.count()).all(|piece| between.iter().any(|disk| disk.has(piece)));
    if all {
        let owners: Vec<usize> = (0..town.hosts.len()).filter(|host| !town.hosts[*host].fetches).collect();
        owners.into_iter().for_each(|host| town.stop(host));
    }
}

/// Plays the swarms of the seeds below `usual`, on all processors. `ROLLCALL_SEED=N` plays the one of seed N,
/// `ROLLCALL_SEEDS=N` plays N of them.
///
/// # Panics
/// If something does not hold in one; its seed is told.
pub fn search(usual: u64) {
    let number = |variable: &str| env::var(variable).ok().map(|text| text.parse::<u64>().expect("it is a number"));
    let (first, end) = match (number("ROLLCALL_SEED"), number("ROLLCALL_SEEDS")) {
        (Some(one), _) => (one, one + 1),
        (None, count) => (0, count.unwrap_or(usual)),
    };
    let (next, stop, failed) = (AtomicU64::new(first), AtomicBool::new(false), Mutex::new(None));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        break;
                    }
                    if let Err(why) = play(seed) {
                        stop.store(true, Ordering::Relaxed);
                        failed.lock().expect("no thread fails with it").get_or_insert((seed, why));
                    }
                }
            });
        }
    });
    if let Some((seed, why)) = failed.into_inner().expect("no thread fails with it") {
        panic!("seed {seed}: {why}\nto replay it: ROLLCALL_SEED={seed}");
    }
}

/// Those that only swarms of files can catch.
pub const FAULTS: [Fault; 6] = [
    Fault::WrongKept,
    Fault::OffenderKept,
    Fault::ResumeForgets,
    Fault::ServedToStranger,
    Fault::RestForgotten,
    Fault::StallIgnored,
];

/// Plays the swarms of the seeds below `most`, with a fault on, until one fails. Returns how many that took.
pub fn caught(fault: Fault, most: u64) -> Option<u64> {
    (0..most).find(|seed| fault::with(fault, || play(*seed)).is_err()).map(|seed| seed + 1)
}
