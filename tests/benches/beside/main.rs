//! What is said while a file moves: how long a message takes to its member and its receipt back, on a narrow line that a
//! file fills, beside the same line when it is idle. `cargo bench -p tests --bench beside`.

use std::{
    fs::File,
    io::{self, Read},
    process::ExitCode,
    time::{Duration, Instant},
};

use common::wire::control::{
    Said,
    files::{FileLine, Transfer, TransferState},
};
use serde_json::json;
use tests::{
    lab::{Control, Lab, Peer, Rate, Wire, eventually},
    measure::{self, quantile},
};

const ROOM: &str = "lobby";
const MIB: u64 = 1024 * 1024;
/// Longer under way than all messages take.
const FILE: u64 = 64 * MIB;
const LINE: u64 = 2 * MIB;
const MESSAGES: usize = 40;
const SOON: Duration = Duration::from_secs(60);
/// Ways there: what waits before the line, in bytes, and how long each datagram is under way.
const WAYS: [(&str, usize, Duration); 3] = [
    ("a short queue, 2 ms", 32 * 1024, Duration::from_millis(2)),
    ("a queue of 128 KiB, 2 ms", 128 * 1024, Duration::from_millis(2)),
    ("a queue of 128 KiB, 20 ms", 128 * 1024, Duration::from_millis(20)),
];

fn main() -> ExitCode {
    if let Err(error) = tests::lab::enter() {
        eprintln!("{error:#}");
        return ExitCode::FAILURE;
    }
    println!("{}", measure::machine());
    let rows: Vec<Vec<String>> = WAYS.iter().map(|(way, queue, delay)| row(way, *queue, *delay)).collect();
    measure::table(
        &format!("{MESSAGES} messages one after the other, said by who sends a file of {} MiB meanwhile:", FILE / MIB),
        &[
            "line of 2 MiB/s",
            "median, of an idle line's",
            "90th percentile, of an idle line's",
            "absolute, idle, ms",
            "absolute, ms",
        ],
        &rows,
    );
    ExitCode::SUCCESS
}

fn row(way: &str, queue: usize, delay: Duration) -> Vec<String> {
    let lab = Lab::new();
    lab.set_usual(Wire::delaying(delay));
    let tracker = lab.host("server").tracker(&["--no-mdns"]);
    let [alice, bob] = ["alice", "bob"].map(|name| {
        let host = lab.host(name);
        let rate = Rate { bytes_per_second: LINE, queue_bytes: queue as u64 };
        lab.set_rate(&host, Some(rate), None);
        let mut peer = host.peer(name);
        peer.login(&["--tracker", &tracker.address().to_string()]);
        peer.join(ROOM);
        peer
    });
    let linked = || alice.members(ROOM).iter().filter(|member| member.path == "direct").count();
    eventually(SOON, "they are linked", linked, |linked| *linked == 1);

    let source = alice.host().folder().join("film.mkv");
    let mut file = File::create(&source).expect("a new file");
    io::copy(&mut File::open("/dev/urandom").expect("random bytes").take(FILE), &mut file).expect("space");
    alice.cmd(&["share", ROOM, source.to_str().expect("a plain path")]).expect(0);
    let shared = || call::<Vec<FileLine>>(&bob, "files", json!({"room": ROOM})).len();
    eventually(SOON, "bob sees the file", shared, |files| *files == 1);

    let mut control = alice.control();
    let mut idle = talk(&mut control);
    let get = json!({"room": ROOM, "file": "film.mkv", "to": bob.host().folder()});
    let begun: Transfer = call(&bob, "get", get);
    let now = || call::<Transfer>(&bob, "transfer", json!({"id": begun.id}));
    eventually(SOON, "the file moves", || now().done, |done| *done > 2 * MIB);
    let mut beside = talk(&mut control);
    assert_eq!(now().state, TransferState::Fetching, "the file should be under way for longer");

    let of = |times: &mut Vec<f64>, share| quantile(times, share);
    let (median, high) = (of(&mut idle, 0.5), of(&mut idle, 0.9));
    vec![
        way.into(),
        format!("{:.1}", of(&mut beside, 0.5) / median),
        format!("{:.1}", of(&mut beside, 0.9) / high),
        format!("{median:.1}"),
        format!("{:.1}", of(&mut beside, 0.5)),
    ]
}

/// Says some messages, each once the one before is receipted; how long each took, in milliseconds.
fn talk(control: &mut Control) -> Vec<f64> {
    let one = |number: usize| {
        let began = Instant::now();
        let params = json!({"room": ROOM, "text": format!("number {number}"), "wait": 30});
        let said: Said = control.call("say", params).expect("it is said");
        assert!(said.pending.is_empty(), "{said:?}");
        began.elapsed().as_secs_f64() * 1e3
    };
    (0..MESSAGES).map(one).collect()
}

fn call<T: serde::de::DeserializeOwned>(peer: &Peer, method: &str, params: serde_json::Value) -> T {
    peer.control().call(method, params).expect("an answer")
}
