//! What calls the user: a direct message, or one with their name in it. The bell rings for it, and a command of the user's
//! own is run, at most one at a time and one a second; what comes meanwhile is counted.

use std::{process::Stdio, time::Duration};

use common::wire::control::{Event, MessageEvent, MessageKind};
use peer::{
    control::{Follow, Session},
    hours::Hours,
};
use tokio::{
    process::{Child, Command},
    sync::mpsc,
    time::{Instant, sleep_until},
};

/// The shortest time from one run to the next.
const PAUSE: Duration = Duration::from_secs(1);
/// A command that runs for longer is killed.
const LONGEST: Duration = Duration::from_secs(30);

/// Whether something that happened calls the user.
pub fn calls(event: &Event) -> bool {
    let Event::Message(message) = event else { return false };
    let says = matches!(message.deed.kind, None | Some(MessageKind::Action | MessageKind::File));
    says && message.path != "self" && (message.deed.mentions_me || message.room.as_person().is_some())
}

/// Whether it is one of the hours in which the user is left in peace.
pub fn is_quiet(hours: Hours) -> bool {
    let now = jiff::Zoned::now();
    // Neither can be less than 0.
    hours.cover(now.hour() as u16 * 60 + now.minute() as u16)
}

/// What waits to be told.
#[derive(Default)]
struct Waiting {
    /// The latest one.
    message: Option<MessageEvent>,
    /// How many came since the last run.
    count: u64,
    running: bool,
    /// When the next run may begin.
    next: Option<Instant>,
}

impl Waiting {
    fn happened(&mut self, event: Event) {
        if let Event::Message(message) = event {
            self.message = Some(message);
            self.count += 1;
        }
    }

    /// What to tell now, and how many it stands for.
    fn take(&mut self, now: Instant) -> Option<(MessageEvent, u64)> {
        if self.running || self.next.is_some_and(|next| now < next) {
            return None;
        }
        let message = self.message.take()?;
        self.running = true;
        self.next = Some(now + PAUSE);
        Some((message, std::mem::take(&mut self.count)))
    }

    /// When there is something to tell, if nothing else happens.
    fn due(&self) -> Option<Instant> {
        self.next.filter(|_| self.message.is_some() && !self.running)
    }
}

/// Runs `command`, a program and its arguments, for what calls the user, until the session ends. What goes wrong is told by
/// `notes`, once.
pub async fn run<S: Session>(session: S, command: Vec<String>, quiet: Hours, notes: mpsc::Sender<String>) {
    let mut events = Follow::new(session, None, None);
    while let Ok(Some(_)) = events.next_past().await {}
    let mut waiting = Waiting::default();
    let mut child: Option<(Child, Instant)> = None;
    let mut told = false;
    loop {
        if let Some((message, count)) = waiting.take(Instant::now()) {
            match start(&command, &message, count) {
                Ok(started) => child = Some((started, Instant::now() + LONGEST)),
                Err(error) => {
                    waiting.running = false;
                    if !std::mem::replace(&mut told, true) {
                        let program = command.first().map_or("", String::as_str);
                        let why = format!("the notify_command {program:?} of the config cannot be run: {error}");
                        // It is only a hint; nothing waits for it.
                        let _ = notes.try_send(why);
                    }
                }
            }
        }
        tokio::select! {
            event = events.next() => match event {
                Ok(event) if calls(&event) && !is_quiet(quiet) => waiting.happened(event),
                Ok(_) => {}
                Err(_) => return,
            },
            () = over(&mut child) => {
                child = None;
                waiting.running = false;
            }
            () = until(waiting.due()) => {}
        }
    }
}

fn start(command: &[String], message: &MessageEvent, count: u64) -> std::io::Result<Child> {
    let Some((program, arguments)) = command.split_first() else { return Err(std::io::ErrorKind::NotFound.into()) };
    // An environment cannot have a zero byte.
    let text = message.text.replace('\0', " ");
    Command::new(program)
        .args(arguments)
        .env("ROLLCALL_FROM", message.from.as_str())
        .env("ROLLCALL_ROOM", message.room.as_str())
        .env("ROLLCALL_TEXT", text)
        .env("ROLLCALL_COUNT", count.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
}

/// Waits for the command that runs, if one does, and kills it when it takes too long.
async fn over(child: &mut Option<(Child, Instant)>) {
    let Some((running, end)) = child else { return std::future::pending().await };
    if tokio::time::timeout_at(*end, running.wait()).await.is_err() {
        // It may have ended by itself just now.
        let _ = running.kill().await;
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

    fn message(room: &str, path: &str, mentions: bool) -> Event {
        let value = serde_json::json!({
            "event": "message", "cursor": 1, "id": "x/abababababababab/1", "room": room, "from": "bob", "seq": 1,
            "stamp": "1.2", "sent": 0, "received": 0, "path": path, "text": "hello", "mentions_me": mentions,
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn direct_messages_and_mentions_call_and_what_one_says_does_not() {
        assert!(calls(&message("@bob", "direct", false)));
        assert!(calls(&message("lobby", "via carol", true)));
        assert!(!calls(&message("lobby", "direct", false)));
        assert!(!calls(&message("@bob", "self", false)));
    }

    #[test]
    fn one_runs_at_a_time_and_one_a_second_and_what_comes_meanwhile_is_counted() {
        let mut waiting = Waiting::default();
        let now = Instant::now();
        waiting.happened(message("@bob", "direct", false));
        assert!(waiting.take(now).is_some_and(|(_, count)| count == 1));
        waiting.happened(message("@bob", "direct", false));
        waiting.happened(message("@bob", "direct", false));
        assert!(waiting.take(now + 2 * PAUSE).is_none(), "one runs");
        assert_eq!(waiting.due(), None);
        waiting.running = false;
        assert!(waiting.take(now + PAUSE / 2).is_none(), "too soon");
        assert_eq!(waiting.due(), Some(now + PAUSE));
        assert!(waiting.take(now + PAUSE).is_some_and(|(_, count)| count == 2));
    }
}
