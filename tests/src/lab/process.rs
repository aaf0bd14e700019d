//! A program at work on a host, and what it says.

use std::{
    fmt,
    io::{self, BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{host::Host, sys, wait::eventually};

/// A running program. It is killed when this is dropped.
pub struct Process {
    title: String,
    child: Mutex<Child>,
    said: Arc<Said>,
    /// The thread that started a program may not end before it does.
    _host: Host,
}

/// What a program that has ended said, and how it ended.
#[derive(Clone, PartialEq, Eq)]
pub struct Output {
    /// The command line.
    pub title: String,
    /// The exit code; nothing if a signal ended it.
    pub code: Option<i32>,
    /// Lines of data.
    pub stdout: Vec<String>,
    /// Everything else it said.
    pub stderr: Vec<String>,
}

const STREAMS: usize = 2;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

/// The lines so far, in the order in which they came.
#[derive(Default)]
struct Said {
    lines: Mutex<Lines>,
    more: Condvar,
}

#[derive(Default)]
struct Lines {
    all: Vec<(Stream, String)>,
    streams_ended: usize,
}

impl Process {
    pub(super) fn start(host: &Host, command: Command) -> Process {
        let title = title(host.name(), &command);
        let mut child = host.enter(|| start(command)).unwrap_or_else(|error| panic!("{title}: cannot start: {error}"));
        let said = Arc::new(Said::default());
        let streams: [(Stream, Box<dyn Read + Send>); STREAMS] = [
            (Stream::Out, Box::new(child.stdout.take().expect("its output is piped"))),
            (Stream::Err, Box::new(child.stderr.take().expect("its output is piped"))),
        ];
        for (stream, from) in streams {
            let said = said.clone();
            thread::spawn(move || said.listen(stream, from));
        }
        Process { title, child: Mutex::new(child), said, _host: host.clone() }
    }

    /// Waits for a line on stdout of which `find` makes something. Panics with everything that was said if none comes
    /// within the deadline, or the program ends without one.
    #[track_caller]
    pub fn wait_for_line<T>(&self, deadline: Duration, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        let (start, mut looked) = (Instant::now(), 0);
        let mut lines = self.said.lock();
        loop {
            let new = lines.all[looked..].iter().filter(|(stream, _)| *stream == Stream::Out);
            if let Some(found) = new.into_iter().find_map(|(_, line)| find(line)) {
                return found;
            }
            looked = lines.all.len();
            let left = deadline.saturating_sub(start.elapsed());
            let has_ended = lines.streams_ended == STREAMS;
            if left.is_zero() || has_ended {
                drop(lines);
                let end = if has_ended { "before it ended".into() } else { format!("within {deadline:?}") };
                panic!("{what}: no such line {end}\n{self:?}");
            }
            lines = self.said.more.wait_timeout(lines, left).expect("readers do not panic").0;
        }
    }

    /// What it has said so far on stderr.
    pub fn stderr(&self) -> Vec<String> {
        let lines = self.said.lock();
        lines.all.iter().filter(|(from, _)| *from == Stream::Err).map(|(_, line)| line.clone()).collect()
    }

    /// Ends it at once, as a crash would: SIGKILL.
    pub fn kill(&self) {
        let mut child = self.child();
        child.kill().expect("a child can be killed");
        child.wait().expect("a child can be waited for");
    }

    /// Asks it to end: SIGTERM.
    pub fn terminate(&self) {
        self.signal(Signal::SIGTERM);
    }

    /// Holds it, as a computer that sleeps would: SIGSTOP.
    pub fn stop(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on: SIGCONT.
    pub fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// What the system calls it.
    pub fn id(&self) -> u32 {
        self.child().id()
    }

    /// Whether it has not ended.
    pub fn is_running(&self) -> bool {
        self.exit_status().is_none()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(&self, deadline: Duration) -> ExitStatus {
        let ended =
            eventually(deadline, "the program ends", || (self.exit_status(), self), |(status, _)| status.is_some());
        ended.0.expect("it has ended")
    }

    /// Waits for its end, and gives all that it said. Panics if another process, which it has left behind, keeps its
    /// streams open past the deadline.
    #[track_caller]
    pub fn output(self, deadline: Duration) -> Output {
        let code = self.wait(deadline).code();
        let is_open = |lines: &mut Lines| lines.streams_ended < STREAMS;
        let waited = self.said.more.wait_timeout_while(self.said.lock(), deadline, is_open);
        let (lines, timeout) = waited.expect("readers do not panic");
        if timeout.timed_out() {
            drop(lines);
            panic!("it has ended, but its streams are still open\n{self:?}");
        }
        let of = |wanted| lines.all.iter().filter(|(from, _)| *from == wanted).map(|(_, line)| line.clone()).collect();
        Output { title: self.title.clone(), code, stdout: of(Stream::Out), stderr: of(Stream::Err) }
    }

    fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(self.id().cast_signed());
        kill(id, signal).unwrap_or_else(|error| panic!("{}: cannot be sent {signal}: {error}", self.title));
    }

    fn exit_status(&self) -> Option<ExitStatus> {
        self.child().try_wait().expect("a child can be waited for")
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().expect("nobody panics with it")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Both fail only where it has ended already.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Everything that was said so far, for a person.
impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} said:", self.title)?;
        for (stream, line) in &self.said.lock().all {
            writeln!(f, "  {} {line}", if *stream == Stream::Out { "|" } else { "!" })?;
        }
        Ok(())
    }
}

impl Output {
    /// Panics with what was said unless it ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Output {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// Every line of stdout, read as JSON of one kind.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> Vec<T> {
        self.stdout
            .iter()
            .map(|line| from_line(line).unwrap_or_else(|error| panic!("{error}: {line}\n{self:?}")))
            .collect()
    }

    /// Whether stderr holds a text.
    pub fn complains_of(&self, text: &str) -> bool {
        self.stderr.iter().any(|line| line.contains(text))
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ended with {:?} and said:", self.title, self.code)?;
        self.stdout.iter().try_for_each(|line| writeln!(f, "  | {line}"))?;
        self.stderr.iter().try_for_each(|line| writeln!(f, "  ! {line}"))
    }
}

impl Said {
    fn listen(&self, stream: Stream, from: impl Read) {
        let mut from = BufReader::new(from);
        let mut bytes = Vec::new();
        while from.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            let line = String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned();
            self.lock().all.push((stream, line));
            self.more.notify_all();
            bytes.clear();
        }
        self.lock().streams_ended += 1;
        self.more.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().expect("nobody panics with it")
    }
}

fn start(mut command: Command) -> io::Result<Child> {
    sys::die_with_parent(&mut command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

/// Every object of `--json` says which version of the format it is.
pub(super) fn from_line<T: DeserializeOwned>(line: &str) -> Result<T, serde_json::Error> {
    let value: Value = serde_json::from_str(line)?;
    if value["v"] != 1 {
        return Err(serde::de::Error::custom("there is no \"v\":1"));
    }
    serde_json::from_value(value)
}

fn title(host: &str, command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or_default();
    let arguments = command.get_args().map(|argument| shorten(&argument.to_string_lossy()));
    format!("{host}: {}", [name.to_owned()].into_iter().chain(arguments).collect::<Vec<_>>().join(" "))
}

/// So that a text of 16 KiB does not bury what a person looks for.
fn shorten(argument: &str) -> String {
    match argument.char_indices().nth(80) {
        Some((end, _)) => format!("{}...", &argument[..end]),
        None => argument.to_owned(),
    }
}
