//! A member in a process of its own, which can be stopped.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

use common::RoomName;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use peer::Config;
use tests::loopback::start_peer;

/// What the program is started with to be the member.
pub const ARGUMENT: &str = "member";

/// A running one; it ends when this is dropped.
pub struct Member {
    child: Child,
    _stdin: ChildStdin,
}

impl Member {
    /// Starts it, and waits until it is in the room.
    pub fn start(tracker: SocketAddr, store: &Path) -> Member {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args([ARGUMENT, &tracker.to_string()]).arg(store).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a process");
        let stdin = child.stdin.take().expect("a pipe");
        let mut joined = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut joined).expect("the member runs");
        assert_eq!(joined.trim_end(), "joined");
        Member { child, _stdin: stdin }
    }

    pub fn stop(&self) {
        self.signal(Signal::SIGSTOP);
    }

    pub fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("the member runs");
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is the member until whoever started it is gone.
pub async fn serve(number: usize, tracker: SocketAddr, store: &Path, room: &RoomName) {
    let peer = start_peer(number, Some(store), tracker, Config::default());
    peer.welcomed().await.expect("a welcome");
    peer.join(room.clone()).await.expect("joined");
    println!("joined");
    let gone = tokio::task::spawn_blocking(|| std::io::stdin().lines().count());
    gone.await.expect("the reader runs");
}
