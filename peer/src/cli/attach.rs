//! A screen, or a chat line by line, on a session that runs already.

use std::io::{self, IsTerminal};

use anyhow::{Context, Result};
use clap::Args;
use tokio::sync::mpsc;

use super::{Global, chat, remote::Remote, screen, session};

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
    let (path, gone) = session::place(global)?;
    let session = Remote::connect(&path).await.map_err(|_| gone)?;
    // Nobody has anything to tell here beside the session.
    let (_notes, notices) = mpsc::channel(1);
    if !attach.plain && screen::can_be_shown() {
        return screen::run(session, screen::Begin { attached: true, ..screen::Begin::default() }, notices).await;
    }
    let editing = io::stdin().is_terminal() && io::stdout().is_terminal();
    let console = if editing { chat::Console::terminal()? } else { chat::Console::pipe()? };
    chat::run(session, console, chat::Begin::default(), notices).await
}
