//! A room of eight in which one member is stopped (SIGSTOP): how fast the others get what is said, beside how fast they
//! get it when all run. `cargo bench -p tests --bench stuck`.
//!
//! The one that is stopped is this program once more, as a process of its own; all have their histories in files.

mod member;

use std::{path::Path, sync::Arc, time::Instant};

use common::RoomName;
use member::Member;
use peer::{Config, Handle};
use tests::{
    loopback::{count_receipts, name, say_all, start_peer, start_tracker, until},
    measure::{self, Deliveries, quantile},
};

const MEMBERS: usize = 8;
/// The number of the one that is stopped.
const STUCK: usize = MEMBERS - 1;
/// Length of a message's text.
const TEXT: usize = 200;
/// Messages of a run: it is over long before the stopped one's link is taken for dead.
const MESSAGES: u64 = 30_000;
/// Runs with all and with one stopped; they take turns, and the median counts.
const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    match arguments.as_slice() {
        [first, tracker, store] if first == member::ARGUMENT => {
            runtime.block_on(member::serve(STUCK, tracker.parse().expect("an address"), Path::new(store), &room()));
        }
        _ => {
            println!("{}", measure::machine());
            runtime.block_on(compare());
        }
    }
}

async fn compare() {
    let folder = tempfile::tempdir().expect("a folder");
    let tracker = start_tracker();
    let store = |number: usize| folder.path().join(format!("{number}.sqlite"));
    let mut peers = Vec::new();
    for number in 0..STUCK {
        let peer = start_peer(number, Some(&store(number)), tracker.address(), Config::default());
        peer.welcomed().await.expect("a welcome");
        peer.join(room()).await.expect("joined");
        peers.push(peer);
    }
    let stuck = Member::start(tracker.address(), &store(STUCK));
    let author = &peers[0];
    let is_linked = async || {
        let members = author.members(room()).await.expect("members");
        members.iter().filter(|member| member.path == "direct").count() == MEMBERS - 1
    };
    until("everybody is linked", is_linked).await;

    let (mut said, mut rates, mut rests) = (0, [Vec::new(), Vec::new()], Vec::new());
    for _ in 0..ROUNDS {
        for (stopped, rates) in rates.iter_mut().enumerate() {
            if stopped == 1 {
                stuck.stop();
            }
            rates.push(run(author, said).await);
            said += MESSAGES;
            stuck.resume();
            let began = Instant::now();
            let is_delivered = async || author.status().await.expect("a status").undelivered == 0;
            until("the rest is delivered", is_delivered).await;
            if stopped == 1 {
                rests.push(began.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    let [all, one_stopped] = rates.map(|mut rates| quantile(&mut rates, 0.5));
    measure::table(
        "Deliveries a second to the six other members, in a room of eight:",
        &["", "as a multiple", "absolute, this machine"],
        &[
            vec!["all run".into(), "1".into(), format!("{all:.0}")],
            vec!["one is stopped".into(), format!("{:.2}", one_stopped / all), format!("{one_stopped:.0}")],
        ],
    );
    println!("\nAbsolute: {:.0} ms until one that was stopped and goes on has it all.", quantile(&mut rests, 0.5));
}

/// Messages as fast as they go: deliveries a second to those that are never stopped.
async fn run(author: &Handle, said: u64) -> f64 {
    let deliveries = Arc::new(Deliveries::new(MESSAGES, STUCK - 1, false));
    let began = Instant::now();
    let counting = count_receipts(author.events(), said, |member| *member != name(STUCK), deliveries.clone());
    let counting = tokio::spawn(counting);
    say_all(author, &room(), MESSAGES, |_| "x".repeat(TEXT)).await;
    deliveries.all().await;
    let took = began.elapsed();
    counting.abort();
    (MESSAGES * (STUCK as u64 - 1)) as f64 / took.as_secs_f64()
}

fn room() -> RoomName {
    "hall".parse().expect("a name")
}
