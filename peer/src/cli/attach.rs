//! A screen, or a chat line by line, on a session that runs already.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};
use clap::Args;
use common::wire::control::{Exit, Refusal};
use peer::{
    Config,
    control::{Session, socket},
};
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

/// A screen on the session at that socket, which begins with something to tell, if there is anything.
pub async fn on_screen(path: &Path, config: &Config, away_after: Option<Duration>, told: Option<String>) -> Result<()> {
    let keys = screen::Bindings::of_config(&config.keys)?;
    let (notes, notices) = mpsc::channel(1);
    // There is room, since it is the first one.
    told.into_iter().for_each(|told| drop(notes.try_send(told)));
    let bell = config.bell.then(|| Bell::new(config));
    let begin = screen::Begin { room: None, attached: true, away_after, bell, keys, mouse: config.mouse };
    show(path, async |session| screen::run(session, begin, notices).await).await
}

async fn run(attach: Attach, global: &Global) -> Result<()> {
    let path = session::pick_with(global, |path| socket::connect(path).map(|_| path.to_owned()))?;
    let config = global.config(&global.folders()?)?;
    if !attach.plain && screen::can_be_shown() {
        return on_screen(&path, &config, None, None).await;
    }
    // Nobody has anything to tell here beside the session.
    let (_notes, notices) = mpsc::channel(1);
    let editing = chat::can_edit();
    let bell = (editing && config.bell).then(|| Bell::new(&config));
    show(&path, async |session| {
        let console = if editing { chat::Console::terminal()? } else { chat::Console::pipe()? };
        chat::run(session, console, chat::Begin { bell, ..chat::Begin::default() }, notices).await
    })
    .await
}

/// Shows the session at that socket until the person has enough, the session has ended or the process is to end, and tells
/// what has become of the session.
async fn show(path: &Path, shown: impl AsyncFnOnce(Remote) -> Result<Option<Refusal>>) -> Result<()> {
    let mut signals = Signals::new().context("cannot listen for signals")?;
    let session = Remote::connect(path).await?;
    let name = session.status().await?.name;
    let end = tokio::select! {
        // Whatever shows it puts the terminal back as it is dropped.
        () = signals.next() => return Ok(()),
        end = shown(session) => end?,
    };
    match end {
        None => output::note(&format!(
            "{name} stays logged in. Come back with: peer attach --as {name}; log out with: peer logout --as {name}"
        )),
        Some(end) if end.code == Exit::Done => {
            output::note(&format!("{name} is not logged in any more: {}", end.message));
        }
        Some(end) => return Err(end.into()),
    }
    Ok(())
}
