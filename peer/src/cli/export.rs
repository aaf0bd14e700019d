//! A whole conversation, as text or JSON.

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

/// Everything that happened in a room, from the beginning.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  peer export lobby > lobby.txt\n  peer export lobby --format json | jq -r 'select(.event == \"message\").text'"
)]
pub struct Export {
    /// Which.
    room: RoomName,
    /// What to write: lines to read, or the objects that `tail --json` prints.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
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
        let mut events = client.tail(Tail { room: Some(self.room), since: Some(0), ..Tail::default() }).await?;
        while let Some(event) = events.next().await? {
            match event {
                event if json => output::json(&event)?,
                Event::Message(message) => line(&said(&message))?,
                Event::Member(member) => line(&format!("* {} {}", member.name, tail::change(&member)))?,
                Event::Receipt(_) | Event::Typing(_) => {}
            }
        }
        Ok(())
    }
}

fn said(message: &MessageEvent) -> String {
    show::message(&format!("{} ", time::date(message.sent)), message, "    ")
}
