//! The full screen while 10,000 messages a minute come into the room that it shows: how long a key takes until what it types
//! is on the terminal, beside the same without messages, and how often the screen is drawn.
//! `cargo bench -p peer --bench screen`.

#[path = "../tests/person/mod.rs"]
mod person;
#[path = "../tests/terminal/mod.rs"]
mod terminal;

use std::{
    io::Write,
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use person::{Person, tracker};
use terminal::Tty;

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
const MESSAGES: u32 = 10_000;
const MINUTE: Duration = Duration::from_secs(60);
/// How often a key is pressed; with pauses that are in step with nothing.
const PRESSES: Duration = Duration::from_millis(237);
/// Keys pressed while nothing comes.
const QUIET: usize = 100;
/// What shows the cursor again, once a frame.
const FRAME: &[u8] = b"\x1b[?25h";
const BACKSPACE: &str = "\x7f";

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (data, folder) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let host = runtime.block_on(tracker(ANY_PORT, data.path()));
    let (alice, bob) = (Person::new(), Person::new());
    let address = host.address().to_string();
    assert_eq!(bob.log_in_as("bob", host.address(), &[]), (0, String::new()));
    bob.does("join lobby");
    let variables =
        [("ROLLCALL_HOME", alice.0.path().to_str().expect("a path")), ("TERM", "xterm-256color"), ("LANG", "C.UTF-8")];
    let peer = Path::new(env!("CARGO_BIN_EXE_peer"));
    let screen = Tty::start(peer, &["login", "alice", "--tracker", &address], &variables, folder.path());
    screen.shows("alice");
    screen.keys("/join lobby\r");
    screen.shows("lobby>");
    bob.does("say lobby hello --wait 20");
    screen.shows("bob: hello");

    let began = Instant::now();
    let quiet = Pressed::new(&screen, || began.elapsed() > PRESSES * QUIET as u32);
    let flood = flood(&bob, MESSAGES, MINUTE);
    let began = Instant::now();
    let full = Pressed::new(&screen, || flood.is_finished());
    let flooded = began.elapsed();
    screen.shows(&format!("message {MESSAGES}"));
    flood.join().expect("all are said");

    let row = |what: &str, pressed: &mut Pressed| {
        let [middle, most] = [0.5, 0.99].map(|share| pressed.quantile(share));
        let (frames, bytes) = pressed.drawn;
        println!(
            "{what:24} {:5} keys: median {middle:6.1} ms, 99 of 100 within {most:6.1} ms; {:5.1} frames a second, {:7.0} bytes",
            pressed.delays.len(),
            frames as f64 / pressed.took.as_secs_f64(),
            bytes as f64 / frames.max(1) as f64,
        );
        (middle, most)
    };
    let (mut quiet, mut full) = (quiet, full);
    let (middle, most) = row("nothing comes", &mut quiet);
    let (middle_full, most_full) = row(&format!("{MESSAGES} in {:.0} s", flooded.as_secs_f64()), &mut full);
    println!("as multiples: median {:.2}, 99 of 100 {:.2}", middle_full / middle, most_full / most);
}

/// Keys that were pressed one after the other.
struct Pressed {
    /// From the key to the terminal, in milliseconds.
    delays: Vec<f64>,
    /// Frames and bytes that were drawn meanwhile.
    drawn: (usize, usize),
    took: Duration,
}

impl Pressed {
    fn new(screen: &Tty, enough: impl Fn() -> bool) -> Pressed {
        let (began, before) = (Instant::now(), screen.raw().len());
        let mut delays = Vec::new();
        while !enough() {
            thread::sleep(PRESSES);
            let pressed = Instant::now();
            screen.keys("x");
            screen.shows("lobby> x");
            delays.push(pressed.elapsed().as_secs_f64() * 1e3);
            screen.keys(BACKSPACE);
            screen.hides("lobby> x");
        }
        let raw = screen.raw();
        let frames = raw[before..].windows(FRAME.len()).filter(|bytes| *bytes == FRAME).count();
        Pressed { delays, drawn: (frames, raw.len() - before), took: began.elapsed() }
    }

    fn quantile(&mut self, share: f64) -> f64 {
        self.delays.sort_by(f64::total_cmp);
        self.delays[((self.delays.len() - 1) as f64 * share) as usize]
    }
}

/// Has somebody say so many messages one by one, evenly over a time.
fn flood(person: &Person, messages: u32, time: Duration) -> thread::JoinHandle<()> {
    let mut rpc = Command::new(env!("CARGO_BIN_EXE_peer"));
    rpc.arg("rpc").env_clear().env("ROLLCALL_HOME", person.0.path()).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut rpc = rpc.spawn().expect("peer rpc");
    thread::spawn(move || {
        let began = Instant::now();
        let mut requests = rpc.stdin.take().expect("its input is piped");
        for number in 1..=messages {
            thread::sleep((time * number / messages).saturating_sub(began.elapsed()));
            let params = format!(r#"{{"room":"lobby","text":"message {number}"}}"#);
            writeln!(requests, r#"{{"jsonrpc":"2.0","id":{number},"method":"say","params":{params}}}"#)
                .expect("it reads");
        }
        drop(requests);
        assert!(rpc.wait().expect("it ends").success());
    })
}
