//! Rooms and their members.

use anyhow::Result;
use clap::Args;
use common::{
    RoomName,
    table::History,
    wire::control::{self, Changes, Event, Joined, Joining, TableLine},
};
use peer::control::Client;
use serde_json::json;

use super::{
    output::{self, Out},
    table::{Column, text, whole},
    tail,
    text::inline,
    time,
};

/// The rooms there are.
#[derive(Args)]
#[command(after_help = "Example:\n  peer rooms")]
pub struct Rooms {}

/// Become a member of a room; one that does not exist begins with you.
#[derive(Args)]
#[command(after_help = "Examples:\n  peer join lobby\n  peer join library --history all")]
pub struct Join {
    /// Which.
    room: RoomName,
    /// What the room shows to those who join: what is said from then on ("joined", as every room does unless told
    /// otherwise), or "all" that was said since it was made. Whoever makes a room fixes it; a room that is there with
    /// another setting is not joined.
    #[arg(long, value_name = "joined|all")]
    history: Option<History>,
}

/// Stop being a member of a room; what was said before stays in your history.
#[derive(Args)]
#[command(after_help = "Example:\n  peer leave lobby")]
pub struct Leave {
    /// Which.
    room: RoomName,
}

/// Who is in a room, who of them is logged in, and which way each is reached; or what has changed in that.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  peer members lobby\n  peer members lobby --since 12\n  peer members lobby --digest"
)]
pub struct Members {
    /// Which.
    room: RoomName,
    /// What has changed since this version of the room's table: who joined, left, was removed, by whom and when. A
    /// version is two numbers with a point between them, or the second of them.
    #[arg(long, value_name = "VERSION")]
    since: Option<String>,
    /// The version of the room's table, and sixty digits that are the same for everybody who is told the same.
    #[arg(long, conflicts_with = "since")]
    digest: bool,
}

const ROOMS: [Column; 6] = [
    text("ROOM", 0),
    whole("MEMBERS", 0),
    whole("JOINED", 1),
    whole("APPROVAL", 3),
    whole("HISTORY", 4),
    text("TOPIC", 2),
];
const MEMBERS: [Column; 6] =
    [text("NAME", 0), whole("SLOT", 4), whole("ONLINE", 0), whole("ADDRESS", 3), text("PATH", 1), whole("ROLE", 2)];

impl Rooms {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let rooms = client.rooms().await?;
        Ok(out.table(&rooms, &ROOMS, |room| {
            let (members, history) = (room.members.to_string(), room.history.to_string());
            [room.room.to_string(), members, yes(room.joined), yes(room.approval), history, inline(&room.topic)]
        })?)
    }
}

impl Join {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let joining = client.join(control::Join { room: self.room, history: self.history }).await?;
        Ok(out.object(&joining, told)?)
    }
}

impl Leave {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        client.leave(self.room.clone()).await?;
        Ok(out.object(&json!({"room": self.room}), |_| format!("left {}", self.room))?)
    }
}

impl Members {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        if let Some(since) = self.since {
            return changes(client.changes(self.room, since).await?, out);
        }
        if self.digest {
            return Ok(out.object(&client.table(self.room).await?, digest)?);
        }
        let members = client.members(self.room).await?;
        Ok(out.table(&members, &MEMBERS, |member| {
            [
                member.name.to_string(),
                member.slot.to_string(),
                yes(member.online),
                member.address.map_or("-".to_string(), |address| address.to_string()),
                inline(&member.path),
                inline(&member.role),
            ]
        })?)
    }
}

/// What has come of joining a room or making it.
pub fn told(joining: &Joining) -> String {
    match joining {
        Joining::Asked(asked) => self::asked(&asked.room),
        Joining::In(joined) => {
            let members = match joined.members {
                1 => "you are its only member".to_string(),
                members => format!("it has {members} members"),
            };
            format!("joined {}; {members}{}", joined.room, shown_to_all(joined))
        }
    }
}

/// What is said to who has asked to be let into a room.
pub fn asked(room: &RoomName) -> String {
    format!("{room} has a door: you have asked to be let in, and its owner or a moderator decides. You will be told")
}

/// What everybody in a room should know of it when they join.
pub fn shown_to_all(joined: &Joined) -> &'static str {
    match joined.history {
        History::Joined => "",
        History::All => "; whoever joins it later is shown all that was said in it",
    }
}

fn changes(changes: Changes, out: &Out) -> Result<()> {
    for (after, until) in &changes.unseen {
        output::note(&format!(
            "what happened after {after} and up to {until} was not seen step by step: what differs is told as of {until}"
        ));
    }
    if changes.changes.is_empty() {
        out.remark(&format!("nothing has changed since {}; the version is {}", changes.since, changes.version))?;
    }
    changes.changes.into_iter().map(Event::Member).try_for_each(|event| {
        Ok(out.object(&event, |event| match event {
            Event::Member(event) => {
                let at = event.at.map(time::date).unwrap_or_default();
                format!("{at}  {:20}  {} {}", event.version, event.name, tail::change(event))
            }
            _ => String::new(),
        })?)
    })
}

fn digest(line: &TableLine) -> String {
    format!(
        "{} is at version {} here, with {}:\n  {}\nWhoever sees other digits at this version is told something \
         else than you.",
        line.room,
        line.version,
        if line.members == 1 { "1 member".to_string() } else { format!("{} members", line.members) },
        line.digest
    )
}

fn yes(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_string()
}
