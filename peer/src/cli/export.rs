//! One conversation or all of them, as text or JSON.

use std::time::SystemTime;

use anyhow::Result;
use clap::{Args, ValueEnum};
use common::{
    RoomName,
    wire::control::{Event, MessageEvent, Tail},
};
use peer::control::Client;

use super::{
    output::{self, Out, line},
    show, tail, time,
};

/// A conversation from the beginning, or all of them. As text, messages are written as they stand now; as JSON, all that
/// happened, edits and reactions too.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  peer export lobby > lobby.txt\n  peer export --all --since 7d --until 2026-05-01\n  peer export lobby --format json | jq -r 'select(.event == \"message\").text'"
)]
pub struct Export {
    /// Which.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    room: Option<RoomName>,
    /// Every conversation.
    #[arg(long)]
    all: bool,
    /// What to write: lines to read, or the objects that `tail --json` prints.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Only what was said at that time or later: a date, a date and time, or an age like 2d.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<u64>,
    /// Only what was said before that time.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Export {
    /// Runs it. Events come in pages and go out one by one, so that it takes little memory whatever there is.
    pub async fn run(self, client: Client, out: &Out) -> Result<()> {
        let json = out.is_json() || self.format == Format::Json;
        let tail = Tail { room: self.room.clone(), since: Some(0), latest: !json, ..Tail::default() };
        let mut events = client.tail(tail).await?;
        while let Some(event) = events.next().await? {
            match event {
                event if !self.wants(&event) => {}
                event if json => output::json(&event)?,
                Event::Message(message) => line(&self.said(&message))?,
                Event::Member(member) => line(&format!("* {} {}", member.name, tail::change(&member)))?,
                Event::Receipt(_) | Event::Read(_) | Event::Typing(_) | Event::Transfer(_) => {}
            }
        }
        Ok(())
    }

    /// Whether an event is of the time asked for, by the clock of whoever said it.
    fn wants(&self, event: &Event) -> bool {
        let at = match event {
            Event::Message(message) => Some(message.sent),
            Event::Member(member) => member.at,
            Event::Receipt(_) | Event::Read(_) | Event::Typing(_) | Event::Transfer(_) => None,
        };
        at.is_none_or(|at| self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until))
    }

    fn said(&self, message: &MessageEvent) -> String {
        let room = if self.all { format!("{} ", message.room) } else { String::new() };
        show::message(&format!("{} {room}", time::date(message.sent)), message, "    ")
    }
}

/// The moment that somebody names, in milliseconds since 1970.
///
/// # Errors
/// If it is none; they tell what would be one.
pub fn moment(text: &str) -> Result<u64, String> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    time::moment(text, now)
}
