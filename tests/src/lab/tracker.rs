//! A real tracker on a host.

use std::{net::SocketAddr, path::PathBuf, process::Command, time::Duration};

use ::tracker::status::Status;

use super::{binaries, host::Host, process::Output, process::Process, wait::eventually};

/// A tracker at its default port, with its tables in its host's folder.
pub struct Tracker {
    host: Host,
    options: Vec<String>,
    process: Process,
}

const PORT: u16 = 27655;
const START: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(5);

impl Tracker {
    /// Starts it, and waits until it answers.
    #[track_caller]
    pub fn start(host: &Host, options: &[&str]) -> Tracker {
        let options: Vec<String> = options.iter().map(ToString::to_string).collect();
        let process = host.spawn(command(host, &options));
        let tracker = Tracker { host: host.clone(), options, process };
        tracker.wait_until_up();
        tracker
    }

    /// The host it is on.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Where peers on other hosts reach it.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host.ip(), PORT)
    }

    /// The running program.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Starts it once more after it has ended, with the tables it left.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.process = self.host.spawn(command(&self.host, &self.options));
        self.wait_until_up();
    }

    /// `tracker status`.
    #[track_caller]
    pub fn status(&self) -> Output {
        let mut command = Command::new(binaries::path("tracker"));
        command
            .arg("status")
            .arg("--json")
            .arg("--data")
            .arg(data(&self.host))
            .env("ROLLCALL_HOME", self.host.folder());
        self.host.run(command, ANSWER)
    }

    /// Runs another of its commands, such as `tracker invite`.
    #[track_caller]
    pub fn cmd(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(binaries::path("tracker"));
        command.args(arguments).arg("--data").arg(data(&self.host)).env("ROLLCALL_HOME", self.host.folder());
        self.host.run(command, ANSWER)
    }

    /// The same, read.
    #[track_caller]
    pub fn counts(&self) -> Status {
        self.status().expect(0).json().pop().expect("a line")
    }

    /// The folder of its key and its tables.
    pub fn data(&self) -> PathBuf {
        data(&self.host)
    }

    #[track_caller]
    fn wait_until_up(&self) {
        let look = || (self.status(), self.process.is_running());
        let (_, running) =
            eventually(START, "the tracker answers", look, |(status, running)| status.code == Some(0) || !running);
        assert!(running, "the tracker has ended\n{:?}", self.process);
    }
}

fn command(host: &Host, options: &[String]) -> Command {
    let mut command = Command::new(binaries::path("tracker"));
    command.arg("--data").arg(data(host)).args(options).env("ROLLCALL_HOME", host.folder());
    command
}

fn data(host: &Host) -> PathBuf {
    host.folder().join("tracker")
}

impl Host {
    /// Starts a tracker here.
    #[track_caller]
    pub fn tracker(&self, options: &[&str]) -> Tracker {
        Tracker::start(self, options)
    }
}
