//! `peer rpc`: the session's socket on stdin and stdout.

use std::{
    io::{self, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use anyhow::Result;
use clap::Args;
use common::wire::control::{Exit, Refusal};
use peer::control::{describe, socket};

use super::{Global, output, session};

/// Bytes copied at once.
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
    let asked_all = Arc::new(AtomicBool::new(false));
    let (to_session, done) = (stream.try_clone()?, asked_all.clone());
    // Not waited for: it may be in the middle of reading when the session ends.
    thread::spawn(move || {
        // A session that takes no more says so by closing its side too.
        let _ = io::copy(&mut io::stdin().lock(), &mut &to_session);
        done.store(true, Ordering::Release);
        let _ = to_session.shutdown(Shutdown::Write);
    });
    let (mut stream, mut out) = (stream, io::stdout().lock());
    let mut part = vec![0; PART];
    loop {
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(read) => {
                out.write_all(&part[..read])?;
                out.flush()?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // It ended with requests that it had not read.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break,
            Err(error) => return Err(error.into()),
        }
    }
    if asked_all.load(Ordering::Acquire) {
        return Ok(());
    }
    Err(Refusal::new(Exit::Unreachable, "the session has ended; log in again: peer login NAME").into())
}
