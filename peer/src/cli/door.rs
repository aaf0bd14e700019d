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

use super::{
    contacts,
    output::Out,
    rooms,
    table::{Column, key, text, whole},
    tail,
    text::inline,
    time,
};

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
        let joining = client.create(self.params()).await?;
        Ok(out.object(&joining, rooms::told)?)
    }

    /// The room it makes.
    pub fn params(self) -> control::Create {
        let Create { room, approval, private, history, topic } = self;
        control::Create { room, history, approval, private, topic }
    }
}

impl Requests {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let Door { waiting, .. } = client.door(self.room.clone()).await?;
        if waiting.is_empty() {
            return Ok(out.remark(&nobody_asks(&self.room))?);
        }
        Ok(out.table(&waiting, &OUTSIDE, outside)?)
    }
}

impl Bans {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let Door { banned, .. } = client.door(self.room.clone()).await?;
        if banned.is_empty() {
            return Ok(out.remark(&nobody_banned(&self.room))?);
        }
        Ok(out.table(&banned, &OUTSIDE, outside)?)
    }
}

impl Accept {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let (room, name) = asker(&self.who)?;
        let Some(room) = room else { return contacts::accept(client, out, name).await };
        about(client, out, room, Order::Decide { name, accept: true }).await
    }
}

impl Decline {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let (room, name) = asker(&self.who)?;
        let Some(room) = room else { return contacts::decline(client, out, name).await };
        about(client, out, room, Order::Decide { name, accept: false }).await
    }
}

impl Kick {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        about(client, out, self.room, Order::Remove { name: self.name, ban: false }).await
    }
}

impl Ban {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        about(client, out, self.room, Order::Remove { name: self.name, ban: true }).await
    }
}

impl Unban {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        about(client, out, self.room, Order::Unban { name: self.name }).await
    }
}

impl Promote {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let Promote { room, name, demote } = self;
        let role = if demote { Role::Member } else { Role::Moderator };
        about(client, out, room, Order::Role { name, role }).await
    }
}

impl HandOver {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        about(client, out, self.room, Order::Role { name: self.name, role: Role::Owner }).await
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
        Ok(out.object(&json!({"room": room, "topic": topic}), |_| self::topic(&room, &topic))?)
    }
}

async fn about(client: &mut Client, out: &Out, room: RoomName, order: Order) -> Result<()> {
    let told = ordered(&room, &order);
    let name = whom(&order).cloned();
    client.order(room.clone(), order).await?;
    Ok(out.object(&json!({"room": room, "name": name}), |_| told)?)
}

/// Whom it is done to.
fn whom(order: &Order) -> Option<&AccountName> {
    match order {
        Order::Decide { name, .. } | Order::Remove { name, .. } | Order::Unban { name } | Order::Role { name, .. } => {
            Some(name)
        }
        Order::Topic { .. } => None,
    }
}

/// What is said to who has done that to a room.
pub fn ordered(room: &RoomName, order: &Order) -> String {
    match order {
        Order::Decide { name, accept: true } => format!("{name} is in {room} now"),
        Order::Decide { name, accept: false } => format!("{name} is not let into {room}, and is told so"),
        Order::Remove { name, ban: false } => {
            format!("{name} is no longer a member of {room}; to keep them out: peer ban {room} {name}")
        }
        Order::Remove { name, ban: true } => {
            format!("{name} is banned from {room}; to lift it: peer unban {room} {name}")
        }
        Order::Unban { name } => format!("{name} may join {room} again, or ask to"),
        Order::Role { name, role: Role::Owner } => format!("{name} owns {room} now, and you are a moderator of it"),
        Order::Role { name, role } => format!("{name} is {} of {room} now", tail::role(role.as_str())),
        Order::Topic { topic } => self::topic(room, topic),
    }
}

/// What a room is about, for a person.
pub fn topic(room: &RoomName, topic: &str) -> String {
    match topic {
        "" => format!("{room} has no topic"),
        topic => format!("the topic of {room}: {}", inline(topic)),
    }
}

/// Where nobody waits at a room's door.
pub fn nobody_asks(room: &RoomName) -> String {
    format!("nobody asks to be let into {room}")
}

/// Where nobody is banned.
pub fn nobody_banned(room: &RoomName) -> String {
    format!("nobody is banned from {room}")
}

/// The columns of [`outside`].
pub const OUTSIDE: [Column; 3] = [text("NAME", 0), whole("SINCE", 1), key("KEY", 0)];

/// Somebody who is not in a room, in a table.
pub fn outside(who: &Outside) -> [String; 3] {
    [who.name.to_string(), time::date(who.at), inline(&who.key)]
}
