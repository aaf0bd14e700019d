//! The tracker in a process of its own: it says where it listens, and how it is for each line it is given.

use std::{
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use common::{
    Identity,
    net::{endpoint, tls::Certificate},
};
use tests::measure;
use tracker::{Config, Parts, Running, store::Store, system_clock};

/// What the program is started with to be the tracker.
pub const ARGUMENT: &str = "tracker";

/// A running one; it ends when this is dropped.
pub struct TrackerProcess {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// Where it listens.
    pub address: SocketAddr,
}

/// How it is.
pub struct Status {
    pub cpu: Duration,
    pub bytes_out: u64,
}

impl TrackerProcess {
    pub fn start() -> TrackerProcess {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        let mut child = command.arg(ARGUMENT).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
        let stdin = child.stdin.take().expect("a pipe");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let address = line(&mut stdout).parse().expect("an address");
        TrackerProcess { child, stdin, stdout, address }
    }

    pub fn status(&mut self) -> Status {
        writeln!(self.stdin).expect("the tracker runs");
        let line = line(&mut self.stdout);
        let (cpu, bytes_out) = line.split_once(' ').expect("two numbers");
        Status {
            cpu: Duration::from_micros(cpu.parse().expect("a number")),
            bytes_out: bytes_out.parse().expect("a number"),
        }
    }

    pub fn resident_kib(&self) -> u64 {
        measure::resident_kib(self.child.id())
    }
}

impl Drop for TrackerProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(stdout: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    stdout.read_line(&mut line).expect("the tracker runs");
    line.trim_end().into()
}

/// Is the tracker until nobody asks any more.
pub async fn serve() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config { handshakes: 4_096, ..Config::default() };
    let certificate = Certificate::new(&Identity::from_seed([0xff; 32])).expect("a certificate");
    let server = tracker::server_config(&certificate, &config).expect("a TLS config");
    let socket = endpoint::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a socket");
    let endpoint = endpoint::endpoint(socket, server).expect("an endpoint");
    let store = Store::open(&folder.path().join("tables.sqlite"), 1).expect("a store");
    let parts = Parts { config, endpoint, store, clock: system_clock(), run: 1 };
    let running = Running::start(parts).expect("the tracker starts");
    println!("{}", running.address());
    let (asked_in, mut asked) = tokio::sync::mpsc::channel(1);
    std::thread::spawn(move || {
        for _ in std::io::stdin().lines() {
            asked_in.blocking_send(()).expect("the tracker runs");
        }
    });
    while asked.recv().await.is_some() {
        let status = running.asker().status().await.expect("the tracker runs");
        println!("{} {}", measure::cpu().as_micros(), status.bytes_out);
    }
}
