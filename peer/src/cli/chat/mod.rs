//! The chat line by line. [`talk`] decides, with [`commands`]; [`action`] does it, [`console`] reads and prints, and
//! here they meet the session.

pub mod action;
pub mod commands;
mod console;
mod deeds;
mod files;
pub mod goto;
mod listing;
mod once;
mod people;
pub mod talk;
mod words;

use std::{collections::VecDeque, pin::Pin, time::Duration, time::Instant};

use anyhow::Result;
use common::{
    RoomName,
    wire::control::{
        Event, Refusal,
        people::{AskPeople, Away},
    },
};
use peer::control::{Follow, Lasting, Session};
use tokio::{
    sync::mpsc,
    time::{self, MissedTickBehavior},
};

use action::{Action, Outcome, act};
pub use console::{Console, can_edit};
use talk::Talk;

use super::notices::Bell;

/// Outcomes of what goes on by itself that wait to be shown.
const LATER: usize = 8;

type Acting = Pin<Box<dyn Future<Output = Outcome>>>;

/// What a chat begins with.
#[derive(Default)]
pub struct Begin {
    /// The room it is in, if not the first that is joined.
    pub room: Option<RoomName>,
    /// After what time without a line typed its user is shown as away.
    pub away_after: Option<Duration>,
    /// When the bell rings; never without it.
    pub bell: Option<Bell>,
}

/// What rings the terminal's bell.
const BELL: &str = "\x07";

/// Whether anything is typed.
pub struct Idle {
    away_after: Option<Duration>,
    since: Instant,
    away: bool,
}

impl Idle {
    /// Something has just been typed.
    pub fn new(away_after: Option<Duration>) -> Idle {
        Idle { away_after, since: Instant::now(), away: false }
    }

    /// A line was typed, or not; the user is shown as away or back where that has changed.
    pub async fn look(&mut self, session: &impl Session, typed: bool) {
        if typed {
            self.since = Instant::now();
        }
        let away = self.away_after.is_some_and(|after| self.since.elapsed() >= after);
        if std::mem::replace(&mut self.away, away) != away {
            // It is only a hint, and one that has ended needs none.
            let _ = session.people(AskPeople::Away(Away { away })).await;
        }
    }
}

/// Chats until the person has enough, or the session has ended: then it says how. What comes by `notices` is shown as
/// well.
///
/// # Errors
/// If the session refuses to tell how things are at the beginning.
pub async fn run<S: Session>(
    session: S,
    mut console: Console,
    mut begin: Begin,
    mut notices: mpsc::Receiver<String>,
) -> Result<Option<Refusal>> {
    let mut talk = Talk::in_room(begin.room);
    let mut idle = Idle::new(begin.away_after);
    let mut shown = VecDeque::new();
    let mut past = Follow::new(session.clone(), None, None).typing().latest(true);
    shown.push_back(talk.begin(&session.status().await?, &session.rooms().await?));
    // As it stands now: what was taken back is shown to nobody any more.
    while let Some(event) = past.next_past().await? {
        // Who came and went before is no news any more.
        if matches!(event, Event::Message(_)) {
            shown.extend(talk.happened(&event, Instant::now()));
        }
    }
    let mut events = Lasting::new(session.clone(), past.latest(false));
    let mut second = time::interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut acting: Option<Acting> = None;
    // What is just being said: it is given back if it cannot be.
    let mut saying = None;
    let (later, mut outcomes) = mpsc::channel(LATER);
    console.input.ask(talk.prompt(), String::new());
    let (mut over, mut end) = (false, None);
    // After the last line of a pipe, what it said is still seen to arrive.
    while !over || acting.is_some() || talk.is_waiting() {
        tokio::select! {
            biased;
            // Before events, so that those wait in the store while the terminal is slow.
            printed = console.output.print(&mut shown), if !shown.is_empty() => if !printed { break },
            outcome = done(&mut acting) => {
                acting = None;
                talk.shown_in((console.width)());
                let unsaid = saying.take().filter(|_| matches!(outcome, Outcome::Refused(..)));
                shown.extend(talk.done(outcome, Instant::now()));
                console.input.ask(talk.prompt(), unsaid.unwrap_or_default());
            }
            line = console.input.line(), if !over => match line.map(|line| (talk.typed(&line), line)) {
                None => over = true,
                Some((Action::Quit, _)) => break,
                Some((action, line)) => {
                    saying = matches!(action, Action::Say(..)).then_some(line);
                    idle.look(&session, true).await;
                    acting = Some(Box::pin(act(session.clone(), action, later.clone())));
                }
            },
            () = console.typing.seen(), if !over => {
                if let Some(room) = talk.types(Instant::now()) {
                    let session = session.clone();
                    // Nothing is lost if it cannot be told.
                    tokio::spawn(async move { session.typing(room).await });
                }
            }
            Some(outcome) = outcomes.recv() => shown.extend(talk.done(outcome, Instant::now())),
            Some(notice) = notices.recv() => shown.push_back(format!("! {notice}")),
            _ = second.tick() => {
                idle.look(&session, false).await;
                shown.extend(talk.passed(Instant::now()));
                // What cannot be told just now is told later; how the session ends comes with its events.
                shown.extend(session.status().await.ok().and_then(|status| talk.tracker(&status)));
            }
            event = events.next(), if shown.is_empty() => {
                let event = match event {
                    Ok(event) => event,
                    Err(ended) => {
                        end = Some(ended);
                        break;
                    }
                };
                talk.written_to(&event);
                let rings = begin.bell.as_mut().is_some_and(|bell| bell.rings(&event, time::Instant::now()));
                let bell = if rings { BELL } else { "" };
                shown.extend(talk.happened(&event, Instant::now()).map(|line| format!("{bell}{line}")));
                shown.extend(progress(&session, &mut talk, &event).await);
            }
        }
    }
    console.output.finish(shown).await;
    Ok(end)
}

async fn progress(session: &impl Session, talk: &mut Talk, event: &Event) -> Option<String> {
    let id = talk.asks_about(event)?.parse().ok()?;
    // What the session has on disk is what is told, never a guess made from events.
    talk.progress(session.said(id).await.ok()?)
}

/// What came of the action under way; never, while there is none.
async fn done(acting: &mut Option<Acting>) -> Outcome {
    match acting {
        Some(acting) => acting.await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
#[path = "chat_tests.rs"]
mod tests;
