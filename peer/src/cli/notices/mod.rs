//! Tells the user of what calls them, beside a chat or without one: on their desktop, and by a command of their own.

mod command;
mod desktop;

use std::time::Duration;

use common::{
    why,
    wire::control::{Event, MessageEvent},
};
use peer::{
    Config,
    control::{Follow, Lasting, Session},
    hours::Hours,
    notices::Notices,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

/// The shortest time from one notice to the next.
const PAUSE: Duration = Duration::from_secs(1);

/// When the user is called.
#[derive(Clone, Debug)]
pub struct Rules {
    notices: Notices,
    quiet: Hours,
}

impl Rules {
    /// Those of the config.
    pub fn new(config: &Config) -> Rules {
        Rules { notices: config.notices.clone(), quiet: config.quiet_hours }
    }

    /// The message with which something that happens now calls the user.
    pub fn called<'a>(&self, event: &'a Event) -> Option<&'a MessageEvent> {
        self.notices.called(event).filter(|_| !self.is_quiet())
    }

    fn is_quiet(&self) -> bool {
        let now = jiff::Zoned::now();
        // Neither can be less than 0.
        self.quiet.cover(now.hour() as u16 * 60 + now.minute() as u16)
    }
}

/// The terminal's bell, which rings for what calls the user, and not again within [`PAUSE`].
#[derive(Clone, Debug)]
pub struct Bell {
    rules: Rules,
    next: Option<Instant>,
}

impl Bell {
    /// One that rings as the config says.
    pub fn new(config: &Config) -> Bell {
        Bell { rules: Rules::new(config), next: None }
    }

    /// Whether it rings for something that happens now.
    pub fn rings(&mut self, event: &Event, now: Instant) -> bool {
        let rings = self.next.is_none_or(|next| now >= next) && self.rules.called(event).is_some();
        if rings {
            self.next = Some(now + PAUSE);
        }
        rings
    }
}

/// Begins to tell, in the ways that the config names, until the session ends. What goes wrong is told by `notes`, once.
pub fn begin<S: Session>(session: &S, config: &Config, notes: &mpsc::Sender<String>) {
    let rules = Rules::new(config);
    if config.desktop_notices {
        tokio::spawn(tell(session.clone(), rules.clone(), async |message: &_, count| {
            desktop::show(message, count).await;
        }));
    }
    if !config.notify_command.is_empty() {
        let (command, notes) = (config.notify_command.clone(), notes.clone());
        let mut told = false;
        tokio::spawn(tell(session.clone(), rules, async move |message: &_, count| {
            if let Err(error) = command::run(&command, message, count).await
                && !std::mem::replace(&mut told, true)
            {
                let program = command.first().map_or("", String::as_str);
                // It is only a hint; nothing waits for it.
                let _ = notes.try_send(format!(
                    "the notify_command {program:?} of the config cannot be run: {}; put that setting right, and log in again",
                    why(&error)
                ));
            }
        }));
    }
}

/// Calls `teller` for what calls the user, one at a time and one a second: with the latest message, and how many it stands
/// for.
async fn tell<S: Session>(session: S, rules: Rules, mut teller: impl AsyncFnMut(&MessageEvent, u64)) {
    let mut past = Follow::new(session.clone(), None, None);
    while let Ok(Some(_)) = past.next_past().await {}
    let mut events = Lasting::new(session, past);
    let mut waiting = Waiting::default();
    loop {
        let Some((message, count)) = waiting.take(Instant::now()) else {
            tokio::select! {
                event = events.next() => match event {
                    Ok(event) => waiting.happened(rules.called(&event)),
                    Err(_) => return,
                },
                () = until(waiting.due()) => {}
            }
            continue;
        };
        let telling = teller(&message, count);
        tokio::pin!(telling);
        loop {
            tokio::select! {
                () = &mut telling => break,
                event = events.next() => match event {
                    Ok(event) => waiting.happened(rules.called(&event)),
                    Err(_) => return,
                },
            }
        }
    }
}

/// What waits to be told.
#[derive(Default)]
struct Waiting {
    /// The latest one.
    message: Option<MessageEvent>,
    /// How many came since the last time.
    count: u64,
    /// When the next may be told.
    next: Option<Instant>,
}

impl Waiting {
    fn happened(&mut self, called: Option<&MessageEvent>) {
        if let Some(message) = called {
            self.message = Some(message.clone());
            self.count += 1;
        }
    }

    /// What to tell now, and how many it stands for.
    fn take(&mut self, now: Instant) -> Option<(MessageEvent, u64)> {
        if self.next.is_some_and(|next| now < next) {
            return None;
        }
        let message = self.message.take()?;
        self.next = Some(now + PAUSE);
        Some((message, std::mem::take(&mut self.count)))
    }

    /// When there is something to tell, if nothing else happens.
    fn due(&self) -> Option<Instant> {
        self.next.filter(|_| self.message.is_some())
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bell_rings_once_a_second_at_the_most_and_only_for_what_calls() {
        let (direct, other) = (desktop::tests::message("@bob", "hello"), desktop::tests::message("lobby", "hello"));
        let [direct, other] = [direct, other].map(Event::Message);
        let (mut bell, now) = (Bell::new(&Config::default()), Instant::now());
        assert!(!bell.rings(&other, now));
        assert!(bell.rings(&direct, now));
        assert!(!bell.rings(&direct, now + PAUSE / 2));
        assert!(bell.rings(&direct, now + PAUSE));
    }

    #[test]
    fn one_is_told_a_second_and_what_comes_meanwhile_is_counted() {
        let message = desktop::tests::message("@bob", "hello");
        let mut waiting = Waiting::default();
        let now = Instant::now();
        waiting.happened(Some(&message));
        assert!(waiting.take(now).is_some_and(|(_, count)| count == 1));
        waiting.happened(Some(&message));
        waiting.happened(None);
        waiting.happened(Some(&message));
        assert!(waiting.take(now + PAUSE / 2).is_none(), "too soon");
        assert_eq!(waiting.due(), Some(now + PAUSE));
        assert!(waiting.take(now + PAUSE).is_some_and(|(_, count)| count == 2));
        assert_eq!(waiting.due(), None);
    }
}
