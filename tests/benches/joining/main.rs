//! 10, 100 and 1,000 sessions join one room: how long until each knows all, what that costs, and how long until all
//! know that one has left. `cargo bench -p tests`; `-- N` for one room of N only.
//!
//! The tracker is this program once more, as a process of its own, so that its memory and CPU time are its own; its
//! tables are in files.

mod member;
mod tracker_process;

use std::time::{Duration, Instant};

use member::Member;
use tests::measure;
use tokio::task::JoinSet;
use tracker_process::TrackerProcess;

/// Logins under way at once.
const LOGINS: usize = 64;
/// Sessions that come and go first.
const VAIN: usize = 4;

/// What was measured with one number of sessions.
struct Measured {
    sessions: usize,
    joined: Duration,
    left: Duration,
    tracker_cpu: Duration,
    bytes: f64,
    frames: f64,
    session_kib: f64,
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == tracker_process::ARGUMENT) {
        return tracker_process::serve().await;
    }
    let only = arguments.iter().find_map(|argument| argument.parse().ok());
    println!("{}", measure::machine());
    let mut results = Vec::new();
    for sessions in only.map_or(vec![10, 100, 1_000], |sessions| vec![sessions]) {
        results.push(crowd(sessions).await);
    }
    print(&results);
}

async fn crowd(sessions: usize) -> Measured {
    let mut tracker = TrackerProcess::start();
    let address = tracker.address;
    // A few logins in vain: what the tracker's process takes once, whoever comes, is not a session's.
    drop(together(0..VAIN, LOGINS, |id| Member::login(address, id)).await);
    let empty = tracker.resident_kib();
    let members = together(VAIN..VAIN + sessions, LOGINS, |id| Member::login(address, id)).await;
    let before = tracker.status();

    let began = Instant::now();
    let members = together(members, usize::MAX, |member| member.join(sessions)).await;
    let joined = began.elapsed();
    // The last acknowledgements are part of the cost.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let after = tracker.status();
    let session_kib = (tracker.resident_kib().saturating_sub(empty)) as f64 / sessions as f64;
    let notices = (sessions * sessions) as f64;
    let frames = members.iter().map(|member| member.frames).sum::<usize>() as f64 / notices;

    let mut members = members;
    let leaver = members.pop().expect("a member");
    let began = Instant::now();
    let _left = leaver.leave().await;
    together(members, usize::MAX, Member::hear_of_leaving).await;
    Measured {
        sessions,
        joined,
        left: began.elapsed(),
        tracker_cpu: after.cpu - before.cpu,
        bytes: (after.bytes_out - before.bytes_out) as f64 / notices,
        frames,
        session_kib,
    }
}

/// Does the same for all, `most` at a time.
async fn together<T, M: Send + 'static, F: Future<Output = M> + Send + 'static>(
    all: impl IntoIterator<Item = T>,
    most: usize,
    work: impl Fn(T) -> F,
) -> Vec<M> {
    let (mut under_way, mut done) = (JoinSet::new(), Vec::new());
    for one in all {
        if under_way.len() >= most
            && let Some(result) = under_way.join_next().await
        {
            done.push(result.expect("no panic"));
        }
        under_way.spawn(work(one));
    }
    done.extend(under_way.join_all().await);
    done
}

fn print(results: &[Measured]) {
    let sizes: Vec<String> = results.iter().map(|one| format!("{} sessions", one.sessions)).collect();
    let head: Vec<&str> = [""].into_iter().chain(sizes.iter().map(String::as_str)).collect();
    let row = |title: &str, cell: &dyn Fn(&Measured) -> String| {
        [title.to_string()].into_iter().chain(results.iter().map(cell)).collect::<Vec<_>>()
    };
    let counts = [
        row("bytes of UDP payload a notice", &|one| format!("{:.0}", one.bytes)),
        row("of them beyond the entry's content", &|one| format!("{:.0}", one.bytes - member::content(one.sessions))),
        row("notices a frame", &|one| format!("{:.1}", 1.0 / one.frames)),
        row("tracker memory a session, KiB", &|one| format!("{:.1}", one.session_kib)),
    ];
    measure::table("Counts, from the tracker's process (a notice tells one member of one member):", &head, &counts);
    let times = [
        row("until each knows all, ms", &|one| format!("{:.1}", one.joined.as_secs_f64() * 1e3)),
        row("tracker CPU until then, ms", &|one| format!("{}", one.tracker_cpu.as_millis())),
        row("one leaves, until all know, ms", &|one| format!("{:.1}", one.left.as_secs_f64() * 1e3)),
    ];
    measure::table("Absolute, this machine:", &head, &times);
}
