//! The chat line by line. [`talk`] decides, [`console`] reads and prints, and here they meet the session.

mod console;
mod deeds;
mod talk;

use std::{collections::VecDeque, pin::Pin, time::Duration, time::Instant};

use anyhow::Result;
use common::wire::control::{Event, Joining, Refusal};
use peer::control::{Follow, Session};
use tokio::{
    sync::mpsc,
    time::{self, MissedTickBehavior},
};

use crate::cli::rooms;
pub use console::Console;
use talk::{Action, Outcome, Talk};

type Acting = Pin<Box<dyn Future<Output = Outcome>>>;

/// Chats until the person has enough. What comes by `notices` is shown as well.
pub async fn run<S: Session>(session: S, mut console: Console, mut notices: mpsc::Receiver<String>) -> Result<()> {
    let mut talk = Talk::default();
    let mut shown = VecDeque::new();
    let mut events = Follow::new(session.clone(), None, None).typing();
    shown.push_back(talk.begin(&session.status().await?, &session.rooms().await?));
    while let Some(event) = events.next_past().await? {
        // Who came and went before is no news any more.
        if matches!(event, Event::Message(_)) {
            shown.extend(talk.happened(&event, Instant::now()));
        }
    }
    let mut second = time::interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut acting: Option<Acting> = None;
    console.input.ask(talk.prompt());
    let mut over = false;
    // After the last line of a pipe, what it said is still seen to arrive.
    while !over || acting.is_some() || talk.is_waiting() {
        tokio::select! {
            biased;
            // Before events, so that those wait in the store while the terminal is slow.
            printed = console.output.print(&mut shown), if !shown.is_empty() => if !printed { break },
            outcome = done(&mut acting) => {
                acting = None;
                shown.extend(talk.done(outcome, Instant::now()));
                console.input.ask(talk.prompt());
            }
            line = console.input.line(), if !over => match line.map(|line| talk.typed(&line)) {
                None => over = true,
                Some(Action::Quit) => break,
                Some(action) => acting = Some(Box::pin(act(session.clone(), action))),
            },
            () = console.typing.seen(), if !over => {
                if let Some(room) = talk.types(Instant::now()) {
                    let session = session.clone();
                    // Nothing is lost if it cannot be told.
                    tokio::spawn(async move { session.typing(room).await });
                }
            }
            Some(notice) = notices.recv() => shown.push_back(format!("! {notice}")),
            _ = second.tick() => {
                shown.extend(talk.passed(Instant::now()));
                shown.extend(talk.tracker(&session.status().await?));
            }
            event = events.next(), if shown.is_empty() => {
                let event = event?;
                shown.extend(talk.happened(&event, Instant::now()));
                shown.extend(progress(&session, &mut talk, &event).await);
            }
        }
    }
    console.output.finish(shown).await;
    Ok(())
}

async fn act(session: impl Session, action: Action) -> Outcome {
    let done = async {
        Ok(match action {
            Action::Join(room) => match session.join(room).await? {
                Joining::In(joined) => Outcome::Joined(joined),
                Joining::Asked(asked) => Outcome::Shown(rooms::asked(&asked.room)),
            },
            Action::Leave(room) => {
                session.leave(room.clone()).await?;
                Outcome::Left(room)
            }
            Action::Who(room) => Outcome::Who(room.clone(), session.members(room).await?),
            Action::Rooms => Outcome::Rooms(session.rooms().await?),
            Action::Say(room, content) => Outcome::Said(session.speak(room, content).await?),
            Action::Do(room, content) => Outcome::Done(session.speak(room, content).await?),
            Action::Show(text) => Outcome::Shown(text),
            Action::Quit | Action::Nothing => Outcome::Nothing,
        })
    };
    done.await.unwrap_or_else(|refusal: Refusal| Outcome::Refused(refusal))
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
