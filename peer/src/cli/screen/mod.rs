//! The full screen. [`state`] decides and [`view`] draws, both without a terminal; here they meet it and the session.
//!
//! ```text
//! terminal, session -> Input -> State::handle -> Output -> act (one after the other), ask (each by itself)
//!                                  State -> view::draw -> Frames -> terminal, at most 30 times a second
//! ```

mod answers;
mod ask;
mod asking;
mod bindings;
mod complete;
mod conversation;
mod editor;
mod entries;
mod frames;
mod jump;
mod keys;
mod moving;
mod news;
mod overlay;
mod pick;
mod places;
mod state;
mod terminal;
mod told;
mod unreached;
mod view;
mod window;

use std::{
    collections::VecDeque,
    io::{self, IsTerminal},
    pin::Pin,
    time::{Duration, Instant},
};

use anyhow::Result;
use common::{RoomName, wire::control::Refusal};
use peer::control::{Follow, Lasting, Session, follow::cursor};
use tokio::{
    sync::mpsc,
    time::{self, MissedTickBehavior},
};

use super::{
    chat::{
        Idle,
        action::{Action, Outcome, act},
    },
    notices::Bell,
};
use ask::{Answer, Ask, answer};
pub use bindings::Bindings;
use state::{Input, Output, State};
use terminal::Terminal;
use view::Look;

/// Between two frames, at the least.
const FRAME: Duration = Duration::from_millis(33);
/// Between two ticks.
const TICK: Duration = Duration::from_millis(200);
/// Lines that wait to be done, at the most.
const LINES: usize = 64;
/// Outcomes of what goes on by itself that wait to be shown.
const LATER: usize = 8;

/// How long what was entered before the screen was closed may take.
const FAREWELL: Duration = Duration::from_secs(3);

/// What a screen begins with.
#[derive(Default)]
pub struct Begin {
    /// The room it is in, if not the first that is joined.
    pub room: Option<RoomName>,
    /// After what time without a key its user is shown as away.
    pub away_after: Option<Duration>,
    /// When the bell rings; never without it.
    pub bell: Option<Bell>,
    /// Whether closing it leaves the session logged in.
    pub attached: bool,
    /// Which key does what.
    pub keys: Bindings,
    /// Whether the mouse is for the screen, or for the terminal to select text with.
    pub mouse: bool,
}

/// Whether this process has a terminal that can show it.
pub fn can_be_shown() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    !is_dumb && io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Shows it until the person has enough, or the session has ended: then it says how. What comes by `notices` is shown as
/// well.
///
/// # Errors
/// If the terminal cannot be used, or the session refuses to tell how things are at the beginning.
pub async fn run<S: Session>(
    session: S,
    mut begin: Begin,
    mut notices: mpsc::Receiver<String>,
) -> Result<Option<Refusal>> {
    let (status, rooms) = (session.status().await?, session.rooms().await?);
    let mut past = Follow::new(session.clone(), None, None).typing();
    // What was before is in the history.
    let mut latest = 0;
    while let Some(event) = past.next_past().await? {
        latest = cursor(&event).map_or(latest, |cursor| cursor.max(latest));
    }
    let mut events = Lasting::new(session.clone(), past);
    let mut idle = Idle::new(begin.away_after);
    let mut terminal = Terminal::open(begin.mouse)?;
    let mut inputs = terminal.inputs();
    let look = Look::of_terminal();
    let mut state = State::new(terminal.size()?, begin.room, begin.attached, begin.keys);
    let mut doing = Doing::new(session.clone());
    let mut over = doing.all(state.begin(status, rooms, latest), &mut terminal)?;
    let mut tick = time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut next_frame = Instant::now();
    let (mut changed, mut idle_at) = (true, Instant::now());
    while !over {
        let input = tokio::select! {
            biased;
            () = terminal.is_ready(next_frame), if changed => {
                terminal.draw(&state.title(), |frame| view::draw(&state, look, frame))?;
                next_frame = Instant::now() + FRAME;
                changed = false;
                continue;
            }
            // The terminal is gone.
            input = inputs.recv() => match input {
                None => break,
                Some(input) => {
                    idle.look(&session, true).await;
                    input
                }
            },
            input = doing.news() => input,
            Some(notice) = notices.recv() => Input::Notice(notice),
            _ = tick.tick() => {
                if idle_at.elapsed() >= Duration::from_secs(1) {
                    idle_at = Instant::now();
                    idle.look(&session, false).await;
                }
                Input::Tick
            }
            event = events.next() => {
                let event = match event {
                    Ok(event) => event,
                    Err(end) => return Ok(Some(end)),
                };
                if begin.bell.as_mut().is_some_and(|bell| bell.rings(&event, time::Instant::now())) {
                    terminal.bell();
                }
                Input::Event(event)
            }
        };
        over = doing.all(state.handle(input, Instant::now()), &mut terminal)?;
        changed |= state.take_changed() || terminal.rings();
    }
    drop(terminal);
    for undone in doing.finish().await {
        crate::cli::output::note(&undone);
    }
    Ok(None)
}

/// What is being done for the screen, which never waits for it.
struct Doing<S> {
    session: S,
    /// What typed lines ask for is done one after the other, as it was typed.
    lines: VecDeque<Action>,
    acting: Option<Pin<Box<dyn Future<Output = Outcome>>>>,
    later: mpsc::Sender<Outcome>,
    outcomes: mpsc::Receiver<Outcome>,
    answer: mpsc::Sender<(Ask, Result<Answer, Refusal>)>,
    answers: mpsc::Receiver<(Ask, Result<Answer, Refusal>)>,
}

impl<S: Session> Doing<S> {
    fn new(session: S) -> Doing<S> {
        let (later, outcomes) = mpsc::channel(LATER);
        let (answer, answers) = mpsc::channel(LATER);
        Doing { session, lines: VecDeque::new(), acting: None, later, outcomes, answer, answers }
    }

    /// Begins to do all that; true if the screen is to be closed.
    fn all(&mut self, outputs: Vec<Output>, terminal: &mut Terminal) -> Result<bool> {
        for output in outputs {
            match output {
                Output::Quit => return Ok(true),
                Output::Redraw => terminal.clear()?,
                Output::Typing(room) => {
                    let session = self.session.clone();
                    // Nothing is lost if it cannot be told.
                    tokio::spawn(async move { session.typing(room).await });
                }
                Output::Ask(ask) => {
                    let (session, answers) = (self.session.clone(), self.answer.clone());
                    tokio::spawn(async move {
                        let answered = answer(session, ask.clone()).await;
                        // A screen that is closed needs no answer.
                        let _ = answers.send((ask, answered)).await;
                    });
                }
                Output::Act(action) if self.lines.len() < LINES => self.lines.push_back(action),
                Output::Act(_) => terminal.bell(),
            }
        }
        self.next();
        Ok(false)
    }

    fn next(&mut self) {
        if self.acting.is_none()
            && let Some(action) = self.lines.pop_front()
        {
            self.acting = Some(Box::pin(act(self.session.clone(), action, self.later.clone())));
        }
    }

    /// Does what was entered before the screen was closed, as far as there is time; what went wrong, and what was not done.
    async fn finish(mut self) -> Vec<String> {
        let end = time::Instant::now() + FAREWELL;
        let mut undone = Vec::new();
        self.next();
        while let Some(acting) = self.acting.take() {
            match time::timeout_at(end, acting).await {
                Ok(Outcome::Refused(refusal, _)) => undone.push(refusal.message),
                Ok(_) => {}
                Err(_) => {
                    let more = self.lines.len();
                    let more = if more > 0 { format!(", nor {more} lines behind it") } else { String::new() };
                    undone
                        .push(format!("what was entered last may not have been done when the screen was closed{more}"));
                    break;
                }
            }
            self.next();
        }
        undone
    }

    /// What came of it. Cancel-safe.
    async fn news(&mut self) -> Input {
        let acted = async {
            match &mut self.acting {
                Some(acting) => acting.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            outcome = acted => {
                self.acting = None;
                self.next();
                Input::Outcome(outcome)
            }
            Some(outcome) = self.outcomes.recv() => Input::Outcome(outcome),
            Some((ask, answer)) = self.answers.recv() => Input::Answer(ask, answer),
        }
    }
}

#[cfg(test)]
mod tests;
