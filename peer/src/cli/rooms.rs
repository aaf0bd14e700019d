//! Rooms and their members.

use anyhow::Result;
use clap::Args;
use common::RoomName;
use peer::control::Client;
use serde_json::json;

use super::{output::Out, text::inline};

/// The rooms there are.
#[derive(Args)]
#[command(after_help = "Example:\n  peer rooms")]
pub struct Rooms {}

/// Become a member of a room; one that does not exist begins with you.
#[derive(Args)]
#[command(after_help = "Example:\n  peer join lobby")]
pub struct Join {
    /// Which.
    room: RoomName,
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
        Ok(out.table(&rooms, ["ROOM", "MEMBERS", "JOINED", "APPROVAL"], |room| {
            [room.room.to_string(), room.members.to_string(), yes(room.joined), yes(room.approval)]
        })?)
    }
}

impl Join {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let joined = client.join(self.room).await?;
        Ok(out.object(&joined, |joined| match joined.members {
            1 => format!("joined {}; you are its only member", joined.room),
            members => format!("joined {}; it has {members} members", joined.room),
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

fn yes(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_string()
}
