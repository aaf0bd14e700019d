//! Somebody who uses the program, and a tracker on the loopback interface.

// Each file of tests uses a part of it.
#![allow(dead_code)]

use std::{
    net::SocketAddr,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tracker::{Config, Host, host::HostError};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A tracker that listens there.
pub async fn tracker(listen: SocketAddr, data: &Path) -> Host {
    let config = Config { listen, mdns: false, ..Config::default() };
    let started = async {
        loop {
            match Host::start(config.clone(), data).await {
                // The socket of the one before closes a moment after it has stopped.
                Err(HostError::PortInUse(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
                result => return result.unwrap(),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), started).await.expect("the port is free in time")
}

/// Looks again until there is what is looked for.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what}: not in time");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Somebody's folder. The session in it ends with it.
pub struct Person(pub TempDir);

impl Person {
    /// Somebody new.
    pub fn new() -> Person {
        Person(tempfile::tempdir().unwrap())
    }

    /// The exit code, what was said on stdout, and what on stderr.
    pub fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut peer = Command::new(env!("CARGO_BIN_EXE_peer"));
        peer.args(arguments)
            .env_clear()
            .env("ROLLCALL_HOME", self.0.path())
            .env("ROLLCALL_DESKTOP_NOTICES", "false")
            .stdin(Stdio::null());
        let Output { status, stdout, stderr } = peer.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }

    /// Logs in as alice.
    pub fn log_in(&self, tracker: SocketAddr, more: &[&str]) -> (i32, String) {
        self.log_in_as("alice", tracker, more)
    }

    /// Logs in.
    pub fn log_in_as(&self, name: &str, tracker: SocketAddr, more: &[&str]) -> (i32, String) {
        let tracker = tracker.to_string();
        let (code, _, err) = self.run(&[&["login", name, "--detach", "--tracker", &tracker], more].concat());
        (code, err)
    }

    /// What a command says that does what it should.
    pub fn does(&self, line: &str) -> String {
        let (code, out, err) = self.run(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(code, 0, "{line}: {out}{err}");
        out
    }

    /// The same, asked again until it says what is wanted.
    pub fn until(&self, what: &str, line: &str, wanted: impl Fn(&str) -> bool) -> String {
        until(what, || Some(self.does(line)).filter(|told| wanted(told)))
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        self.run(&["logout"]);
    }
}
