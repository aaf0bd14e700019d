//! `peer rpc`: the session's socket on stdin and stdout.

use std::{
    io::{self, BufRead, BufReader, BufWriter, IsTerminal, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    thread,
};

use anyhow::Result;
use clap::Args;
use common::wire::control::{Exit, Refusal};
use peer::control::{
    describe,
    line::{Fault, REQUEST_BYTES, Request},
    socket,
};
use serde::Deserialize;

use super::{Global, output, session, text};

/// Bytes read at once.
const PART: usize = 64 * 1024;

/// Speak JSON-RPC 2.0 with the session: requests on stdin, answers and events on stdout, one object a line each.
///
/// It ends with stdin, once everything is answered.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}' | peer rpc\n  peer rpc --describe"
)]
pub struct Rpc {
    /// Print the methods, their params and results, and the events, as one JSON object; no session is needed.
    #[arg(long)]
    describe: bool,
}

impl Rpc {
    /// Runs it.
    pub fn run(self, global: &Global) -> Result<()> {
        if self.describe {
            return Ok(output::line(&describe::json().to_string())?);
        }
        bridge(session::pick_with(global, socket::connect)?)
    }
}

fn bridge(stream: UnixStream) -> Result<()> {
    let asked = Arc::new(Asked::default());
    let (to_session, counted) = (stream.try_clone()?, asked.clone());
    // Not waited for: it may be in the middle of reading when the session ends.
    thread::spawn(move || ask(to_session, &counted));
    let is_terminal = io::stdout().is_terminal();
    let (mut answers, mut out) = (BufReader::with_capacity(PART, stream), BufWriter::new(io::stdout().lock()));
    let mut line = Vec::new();
    // A reset says that it ended with requests that it had not read; they are counted.
    while let Ok(1..) = answers.read_until(b'\n', &mut line) {
        asked.answered(&line);
        match is_terminal {
            true => out.write_all(text::json(&String::from_utf8_lossy(&line)).as_bytes())?,
            false => out.write_all(&line)?,
        }
        line.clear();
        if answers.buffer().is_empty() {
            out.flush()?;
        }
    }
    out.flush()?;
    if asked.is_over() {
        return Ok(());
    }
    Err(match asked.end() {
        Some(end) if end.code == Exit::Done => session::over(&end),
        Some(end) => end,
        None => Refusal::new(Exit::Unreachable, "the session has ended; log in again: peer login NAME"),
    }
    .into())
}

/// Passes stdin on.
fn ask(mut to_session: UnixStream, asked: &Asked) {
    let (mut stdin, mut line) = (io::stdin().lock(), Vec::new());
    loop {
        // The server takes no longer line, and says so.
        match (&mut stdin).take(REQUEST_BYTES as u64 + 1).read_until(b'\n', &mut line) {
            Ok(0) => break asked.all.store(true, Ordering::Release),
            Ok(_) => {}
            Err(_) => break,
        }
        asked.asks(&line);
        if to_session.write_all(&line).is_err() {
            break;
        }
        line.clear();
    }
    // A session that is gone already has closed it.
    let _ = to_session.shutdown(Shutdown::Write);
}

/// What was asked, and is not answered yet.
#[derive(Default)]
struct Asked {
    /// Requests without an answer.
    waiting: AtomicI64,
    /// Whether there are no more.
    all: AtomicBool,
    /// How the session has told that it has ended.
    end: OnceLock<Refusal>,
}

impl Asked {
    /// A line goes to the session. What is no request is answered too.
    fn asks(&self, line: &[u8]) {
        let is_answered = Request::read(line).map_or(true, |request| request.id.is_some());
        self.waiting.fetch_add(is_answered.into(), Ordering::AcqRel);
    }

    /// A line comes from the session: an answer, or an event.
    fn answered(&self, line: &[u8]) {
        #[derive(Deserialize)]
        struct Told {
            method: Option<String>,
        }
        #[derive(Deserialize)]
        struct Ended {
            params: Fault,
        }
        let method = serde_json::from_slice::<Told>(line).map(|told| told.method);
        self.waiting.fetch_sub(matches!(method, Ok(None)).into(), Ordering::AcqRel);
        if matches!(method.as_ref().map(Option::as_deref), Ok(Some("ended")))
            && let Ok(Ended { params: Fault { code, message } }) = serde_json::from_slice(line)
        {
            // It comes once.
            let _ = self.end.set(Refusal::new(code.into(), message));
        }
    }

    /// How the session has ended, if it has told that.
    fn end(&self) -> Option<Refusal> {
        self.end.get().cloned()
    }

    /// Whether everything is asked and answered.
    fn is_over(&self) -> bool {
        self.all.load(Ordering::Acquire) && self.waiting.load(Ordering::Acquire) <= 0
    }
}
