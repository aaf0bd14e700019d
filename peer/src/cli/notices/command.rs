//! A command of the user's own, which finds in its environment what calls them.

use std::{io, process::Stdio, time::Duration};

use common::wire::control::MessageEvent;
use tokio::{process::Command, time::timeout};

/// A command that runs for longer is killed.
const LONGEST: Duration = Duration::from_secs(30);

/// Runs it, a program and its arguments, to its end. No shell comes between: what somebody writes cannot become a command.
pub async fn run(command: &[String], message: &MessageEvent, count: u64) -> io::Result<()> {
    let Some((program, arguments)) = command.split_first() else { return Err(io::ErrorKind::NotFound.into()) };
    // An environment cannot have a zero byte.
    let text = message.text.replace('\0', " ");
    let mut child = Command::new(program)
        .args(arguments)
        .env("ROLLCALL_FROM", message.from.as_str())
        .env("ROLLCALL_ROOM", message.room.as_str())
        .env("ROLLCALL_TEXT", text)
        .env("ROLLCALL_COUNT", count.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    match timeout(LONGEST, child.wait()).await {
        // How it ended is its own affair.
        Ok(ended) => ended.map(drop),
        Err(_) => child.kill().await,
    }
}
