//! A session from its login to its end: with a chat, a screen or neither.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result};
use common::{
    AccountName, reasons,
    wire::control::{Exit, Refusal},
};
use peer::{Config, Handle, profile::Folders};
use sd_notify::NotifyState;
use serde::Serialize;
use tokio::{sync::mpsc, time};

use super::{
    Login,
    start::{Started, start},
};
use crate::cli::{beside, chat, first, notices::Bell, output, remote::Remote, screen, signals::Signals, transcript};

/// What there is to tell the user that waits to be shown.
const NOTICES: usize = 8;
/// How long the last word to the tracker and the other peers may take.
pub const FAREWELL: Duration = Duration::from_secs(2);

/// What `--headless` prints when it is logged in.
#[derive(Serialize)]
struct Ready<'a> {
    event: &'static str,
    name: &'a AccountName,
    domain: Option<String>,
    address: SocketAddr,
    tracker: Option<SocketAddr>,
    /// What the user is to know, such as that the history was repaired.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
}

/// Logs in, and stays until the session ends.
pub async fn run(
    login: &Login,
    config: Config,
    keys: screen::Bindings,
    folders: &Folders,
    editing: bool,
) -> Result<()> {
    let mut signals = Signals::new().context("cannot listen for signals")?;
    let settings = config.clone();
    let metrics = beside::listen(settings.metrics).await?;
    let profile = folders.profile(&login.name);
    let key_made = first::key_made(&login.name, &profile);
    let session = tokio::select! {
        session = start(login, config, folders) => session,
        () = signals.next() => return Ok(()),
    };
    let (notes, mut notices) = mpsc::channel(NOTICES);
    match key_made {
        // There is room, since it is the first one.
        Some(key_made) if session.is_ok() => drop(notes.try_send(key_made)),
        Some(key_made) if profile.key().exists() => output::note(&key_made),
        _ => {}
    }
    let Started { session, mut trouble, told } = session?;
    // There is room for these too.
    told.iter().for_each(|told| drop(notes.try_send(told.clone())));
    let handle = &session.handle;
    let first_notes = notes.clone();
    beside::begin(handle, &settings, metrics, &notes);
    if let Some(folder) = &login.transcript {
        tokio::spawn(transcript::run(handle.clone(), folder.clone(), notes));
    }
    let on_screen = !login.headless && !login.plain && screen::can_be_shown();
    let interface = async {
        // The screen would cover what is printed before it.
        let tell = |text: String| match on_screen {
            true => drop(first_notes.try_send(text)),
            false => output::note(&text),
        };
        let room = match &login.meet {
            Some(meet) => meet.run(handle, tell).await?,
            None => None,
        };
        if login.headless {
            output::json(&Ready {
                event: "ready",
                name: &login.name,
                domain: session.domain.clone(),
                address: session.endpoint.local_addr()?,
                tracker: session.tracker,
                notes: &told,
            })?;
            beside::tell_system(NotifyState::Ready);
            while let Some(notice) = notices.recv().await {
                output::note(&notice);
            }
            return std::future::pending().await;
        }
        let away_after = settings.away_after();
        let bell = (editing && settings.bell).then(|| Bell::new(&settings));
        // How the session has ended, if it has, is told below.
        if on_screen {
            let session = Remote::connect(&session.socket).await?;
            let mouse = settings.mouse;
            let begin = screen::Begin { room, away_after, bell, attached: false, keys, mouse };
            return screen::run(session, begin, notices).await.map(drop);
        }
        let console = if editing { chat::Console::terminal()? } else { chat::Console::pipe()? };
        chat::run(handle.clone(), console, chat::Begin { room, away_after, bell }, notices).await.map(drop)
    };
    let (end, by, outcome) = tokio::select! {
        biased;
        end = handle.ended() => (end, "peer logout, /logout or a bot", Ok(())),
        Ok(trouble) = &mut trouble => (log_out(handle).await, "", Err(trouble)),
        outcome = interface => (log_out(handle).await, "closing the chat that it ran in", outcome),
        () = signals.next() => (log_out(handle).await, "a signal to its process", Ok(())),
    };
    beside::tell_system(NotifyState::Stopping);
    let how = how(&end, by, &outcome);
    if how.code != Exit::Done {
        // Where nobody looks on it would be found in the log alone.
        profile.note_end(Some(&how.message));
    }
    session.close(how).await;
    match end.code {
        Exit::Done => outcome,
        _ => Err(end.into()),
    }
}

/// What those are told who follow the session: how it has ended, and by what.
fn how(end: &Refusal, by: &str, outcome: &Result<()>) -> Refusal {
    match (end.code, outcome) {
        (Exit::Done, Ok(())) => Refusal::new(Exit::Done, format!("it was logged out by {by}")),
        (Exit::Done, Err(error)) => {
            let code = error.downcast_ref::<Refusal>().map_or(Exit::Refused, |refusal| refusal.code);
            Refusal::new(code, reasons(error.as_ref()))
        }
        _ => end.clone(),
    }
}

/// Ends the session and says how it ended, even if nobody answers.
pub async fn log_out(handle: &Handle) -> Refusal {
    let ending = async {
        // Refused only when it has ended already.
        let _ = handle.logout().await;
        handle.ended().await
    };
    time::timeout(FAREWELL, ending).await.unwrap_or_else(|_| Refusal::new(Exit::Done, "logged out"))
}
