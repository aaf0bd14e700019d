//! Making rooms, and running them: who is let in, who is put out, and who may do that.

use anyhow::Result;
use clap::Args;
use common::{
    AccountName, RoomName,
    name::BadName,
    table::{History, Role},
    wire::control::{self, Door, Order, Outside},
};
use peer::control::Client;
use serde_json::json;

use super::{contacts, output::Out, rooms, text::inline, time};

/// Make a room that is yours, with a door if you want one.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  peer create den --approval --topic \"the cellar\"\n  peer create library --history all\n  \
                  peer create plans --approval --private"
)]
pub struct Create {
    /// What it is to be called.
    room: RoomName,
    /// Who joins has to be let in, by you or a moderator: peer requests, peer accept.
    #[arg(long)]
    approval: bool,
    /// Only its members find it in the list of rooms. Others can still ask to join it by its name.
    #[arg(long)]
    private: bool,
    /// What it shows to those who join: what is said from then on ("joined"), or "all" that was said since it was made.
    /// It stays as it is made.
    #[arg(long, value_name = "joined|all", default_value = "joined")]
    history: History,
    /// What it is about.
    #[arg(long, value_name = "TEXT", default_value = "")]
    topic: String,
}

/// Who asks to be let into a room that you run.
#[derive(Args)]
#[command(after_help = "Example:\n  peer requests den")]
pub struct Requests {
    /// Which.
    room: RoomName,
}

/// Let somebody into a room who has asked; without a room, say yes to somebody who asks to be your contact.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  peer accept den bob    # into the room den\n  peer accept bob        # as a contact"
)]
pub struct Accept {
    /// Which room, if it is one, and who asks.
    #[arg(required = true, num_args = 1..=2, value_names = ["ROOM", "NAME"])]
    who: Vec<String>,
}

/// Do not let somebody in who has asked; without a room, say no to somebody who asks to be your contact. Into a room they
/// may ask again, and they are told.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  peer decline den bob    # into the room den\n  peer decline bob        # as a contact"
)]
pub struct Decline {
    /// Which room, if it is one, and who asks.
    #[arg(required = true, num_args = 1..=2, value_names = ["ROOM", "NAME"])]
    who: Vec<String>,
}

/// Where somebody asks, if it is a room, and who.
fn asker(who: &[String]) -> Result<(Option<RoomName>, AccountName), BadName> {
    match who {
        [room, name] => Ok((Some(room.parse()?), name.parse()?)),
        who => Ok((None, who.first().map_or("", String::as_str).parse()?)),
    }
}

/// Remove somebody from a room. They may join again, or ask to; `peer ban` is for good.
#[derive(Args)]
#[command(after_help = "Example:\n  peer kick den bob")]
pub struct Kick {
    /// Which room.
    room: RoomName,
    /// Whom.
    name: AccountName,
}

/// Remove somebody from a room for good; somebody who is not in it cannot join then.
#[derive(Args)]
#[command(after_help = "Example:\n  peer ban den bob")]
pub struct Ban {
    /// Which room.
    room: RoomName,
    /// Whom.
    name: AccountName,
}

/// Lift a ban.
#[derive(Args)]
#[command(after_help = "Example:\n  peer unban den bob")]
pub struct Unban {
    /// Which room.
    room: RoomName,
    /// Whose.
    name: AccountName,
}

/// Who is banned from a room.
#[derive(Args)]
#[command(after_help = "Example:\n  peer bans den")]
pub struct Bans {
    /// Which.
    room: RoomName,
}

/// Make a member a moderator, who may let people in, remove and ban them, and set the topic.
#[derive(Args)]
#[command(after_help = "Examples:\n  peer promote den bob\n  peer promote den bob --demote")]
pub struct Promote {
    /// Which room.
    room: RoomName,
    /// Whom.
    name: AccountName,
    /// The other way round: a moderator is a member like others then.
    #[arg(long)]
    demote: bool,
}

/// Make somebody else the owner of your room; you are a moderator of it then.
#[derive(Args)]
#[command(after_help = "Example:\n  peer hand-over den bob")]
pub struct HandOver {
    /// Which room.
    room: RoomName,
    /// To whom.
    name: AccountName,
}

/// What a room is about, or is to be about.
#[derive(Args)]
#[command(after_help = "Examples:\n  peer topic den\n  peer topic den \"the cellar\"\n  peer topic den \"\"")]
pub struct Topic {
    /// Which room.
    room: RoomName,
    /// The new topic, on one line; an empty one takes it away.
    text: Option<String>,
}

impl Create {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let Create { room, approval, private, history, topic } = self;
        let joining = client.create(control::Create { room, history, approval, private, topic }).await?;
        Ok(out.object(&joining, rooms::told)?)
    }
}

impl Requests {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let Door { waiting, .. } = client.door(self.room.clone()).await?;
        if waiting.is_empty() {
            out.remark(&format!("nobody asks to be let into {}", self.room))?;
            return Ok(());
        }
        outside(&waiting, out)
    }
}

impl Bans {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let Door { banned, .. } = client.door(self.room.clone()).await?;
        if banned.is_empty() {
            out.remark(&format!("nobody is banned from {}", self.room))?;
            return Ok(());
        }
        outside(&banned, out)
    }
}

impl Accept {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let (room, name) = asker(&self.who)?;
        let Some(room) = room else { return contacts::accept(client, out, name).await };
        let told = format!("{name} is in {room} now");
        about(client, out, room, Order::Decide { name: name.clone(), accept: true }, name, told).await
    }
}

impl Decline {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let (room, name) = asker(&self.who)?;
        let Some(room) = room else { return contacts::decline(client, out, name).await };
        let told = format!("{name} is not let into {room}, and is told so");
        about(client, out, room, Order::Decide { name: name.clone(), accept: false }, name, told).await
    }
}

impl Kick {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let Kick { room, name } = self;
        let told = format!("{name} is no longer a member of {room}; to keep them out: peer ban {room} {name}");
        about(client, out, room, Order::Remove { name: name.clone(), ban: false }, name, told).await
    }
}

impl Ban {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let Ban { room, name } = self;
        let told = format!("{name} is banned from {room}; to lift it: peer unban {room} {name}");
        about(client, out, room, Order::Remove { name: name.clone(), ban: true }, name, told).await
    }
}

impl Unban {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let Unban { room, name } = self;
        let told = format!("{name} may join {room} again, or ask to");
        about(client, out, room, Order::Unban { name: name.clone() }, name, told).await
    }
}

impl Promote {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let Promote { room, name, demote } = self;
        let role = if demote { Role::Member } else { Role::Moderator };
        let told = format!("{name} is {} of {room} now", role.as_str());
        about(client, out, room, Order::Role { name: name.clone(), role }, name, told).await
    }
}

impl HandOver {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let HandOver { room, name } = self;
        let told = format!("{name} owns {room} now, and you are a moderator of it");
        about(client, out, room, Order::Role { name: name.clone(), role: Role::Owner }, name, told).await
    }
}

impl Topic {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let Topic { room, text } = self;
        let topic = match text {
            Some(topic) => {
                client.order(room.clone(), Order::Topic { topic: topic.clone() }).await?;
                topic
            }
            None => client.table(room.clone()).await?.settings.topic,
        };
        Ok(out.object(&json!({"room": room, "topic": topic}), |_| match topic.as_str() {
            "" => format!("{room} has no topic"),
            topic => inline(topic),
        })?)
    }
}

async fn about(
    client: &mut Client,
    out: &Out,
    room: RoomName,
    order: Order,
    name: AccountName,
    told: String,
) -> Result<()> {
    client.order(room.clone(), order).await?;
    Ok(out.object(&json!({"room": room, "name": name}), |_| told)?)
}

fn outside(list: &[Outside], out: &Out) -> Result<()> {
    Ok(out.table(list, ["NAME", "SINCE", "KEY"], |who| [who.name.to_string(), time::date(who.at), inline(&who.key)])?)
}
