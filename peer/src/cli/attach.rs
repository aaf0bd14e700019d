//! A screen, or a chat line by line, on a session that runs already.

use std::io::{self, IsTerminal};

use anyhow::{Context, Result};
use clap::Args;
use peer::control::socket;
use tokio::sync::mpsc;

use super::{Global, chat, notices::Rules, remote::Remote, screen, session};

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
    let path = session::pick_with(global, |path| socket::connect(path).map(|_| path.to_owned()))?;
    let session = Remote::connect(&path).await?;
    let config = global.config(&global.folders()?)?;
    // Nobody has anything to tell here beside the session.
    let (_notes, notices) = mpsc::channel(1);
    if !attach.plain && screen::can_be_shown() {
        let bell = config.bell.then(|| Rules::new(&config));
        let begin = screen::Begin { attached: true, bell, ..screen::Begin::default() };
        return screen::run(session, begin, notices).await;
    }
    let editing = io::stdin().is_terminal() && io::stdout().is_terminal();
    let bell = (editing && config.bell).then(|| Rules::new(&config));
    let console = if editing { chat::Console::terminal()? } else { chat::Console::pipe()? };
    chat::run(session, console, chat::Begin { bell, ..chat::Begin::default() }, notices).await
}
