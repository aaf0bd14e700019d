//! A screen, or a chat line by line, on a session that runs already.

use std::io::{self, IsTerminal};

use anyhow::{Context, Result};
use clap::Args;
use common::wire::control::{Exit, Refusal};
use peer::control::{Session, socket};
use tokio::sync::mpsc;

use super::{Global, chat, notices::Bell, output, remote::Remote, screen, session, signals::Signals};

/// Open a screen on a session that runs, as one of --detach; closing it leaves the session logged in.
#[derive(Args)]
#[command(after_help = "Examples:\n  peer attach\n  peer attach --as alice --plain")]
pub struct Attach {
    /// A chat line by line.
    #[arg(long)]
    plain: bool,
}

/// Runs it.
pub fn main(attach: Attach, global: &Global) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let result = runtime.block_on(run(attach, global));
    // A key that is waited for must not keep the process.
    runtime.shutdown_background();
    result
}

async fn run(attach: Attach, global: &Global) -> Result<()> {
    let mut signals = Signals::new().context("cannot listen for signals")?;
    let path = session::pick_with(global, |path| socket::connect(path).map(|_| path.to_owned()))?;
    let session = Remote::connect(&path).await?;
    let name = session.status().await?.name;
    let end = tokio::select! {
        // Whatever shows it puts the terminal back as it is dropped.
        () = signals.next() => return Ok(()),
        end = show(session, attach, global) => end?,
    };
    match end {
        None => output::note(&format!("{name} stays logged in; end the session with: peer logout --as {name}")),
        Some(end) if end.code == Exit::Done => output::note(&format!("{name} is not logged in any more")),
        Some(end) => return Err(end.into()),
    }
    Ok(())
}

/// Shows it until the person has enough, or the session has ended: then it says how.
async fn show(session: Remote, attach: Attach, global: &Global) -> Result<Option<Refusal>> {
    let config = global.config(&global.folders()?)?;
    // Nobody has anything to tell here beside the session.
    let (_notes, notices) = mpsc::channel(1);
    if !attach.plain && screen::can_be_shown() {
        let bell = config.bell.then(|| Bell::new(&config));
        let begin = screen::Begin { attached: true, bell, ..screen::Begin::default() };
        return screen::run(session, begin, notices).await;
    }
    let editing = io::stdin().is_terminal() && io::stdout().is_terminal();
    let bell = (editing && config.bell).then(|| Bell::new(&config));
    let console = if editing { chat::Console::terminal()? } else { chat::Console::pipe()? };
    chat::run(session, console, chat::Begin { bell, ..chat::Begin::default() }, notices).await
}
