//! Rooms and their members.

use anyhow::Result;
use clap::Args;
use common::{
    RoomName,
    table::History,
    wire::control::{self, Joined},
};
use peer::control::Client;
use serde_json::json;

use super::{output::Out, text::inline};

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

/// Who is in a room, who of them is logged in, and which way each is reached.
#[derive(Args)]
#[command(after_help = "Example:\n  peer members lobby")]
pub struct Members {
    /// Which.
    room: RoomName,
}

impl Rooms {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let rooms = client.rooms().await?;
        Ok(out.table(&rooms, ["ROOM", "MEMBERS", "JOINED", "APPROVAL", "HISTORY"], |room| {
            let (members, history) = (room.members.to_string(), room.history.to_string());
            [room.room.to_string(), members, yes(room.joined), yes(room.approval), history]
        })?)
    }
}

impl Join {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let joined = client.join(control::Join { room: self.room, history: self.history }).await?;
        Ok(out.object(&joined, |joined| {
            let members = match joined.members {
                1 => "you are its only member".to_string(),
                members => format!("it has {members} members"),
            };
            format!("joined {}; {members}{}", joined.room, shown_to_all(joined))
        })?)
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
        let members = client.members(self.room).await?;
        Ok(out.table(&members, ["NAME", "SLOT", "ONLINE", "ADDRESS", "PATH", "ROLE"], |member| {
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

/// What everybody in a room should know of it when they join.
pub fn shown_to_all(joined: &Joined) -> &'static str {
    match joined.history {
        History::Joined => "",
        History::All => "; whoever joins it later is shown all that was said in it",
    }
}

fn yes(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_string()
}
