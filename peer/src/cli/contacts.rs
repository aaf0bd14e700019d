//! Contacts, and how one is shown to them.

use anyhow::Result;
use clap::Args;
use common::{
    AccountName,
    wire::{
        control::people::{AskPeople, Away as Shown, Chat, ContactLine, Named},
        tracker::Wish,
    },
};
use peer::control::Client;
use serde_json::{Value, json};

use super::{
    outbox::beginning,
    output::Out,
    table::{Column, text, whole},
    text::inline,
    time,
};

/// Who is a contact of yours, who asks to be one, and who of them is there.
#[derive(Args)]
#[command(after_help = "Example:\n  peer contacts")]
pub struct Contacts {}

/// Ask somebody to be a contact: when they say yes, you see each other come and go, whatever rooms you share.
#[derive(Args)]
#[command(after_help = "Example:\n  peer add bob")]
pub struct Add {
    /// Whom.
    name: AccountName,
}

/// Be no contact of somebody's any more, or take back having asked.
#[derive(Args)]
#[command(after_help = "Example:\n  peer remove bob")]
pub struct Remove {
    /// Whom.
    name: AccountName,
}

/// Hear nothing more from somebody: to them it looks as if you never came online again. In rooms that you share they
/// are still heard and still see you.
#[derive(Args)]
#[command(after_help = "Example:\n  peer block bob")]
pub struct Block {
    /// Whom.
    name: AccountName,
}

/// Lift a block.
#[derive(Args)]
#[command(after_help = "Example:\n  peer unblock bob")]
pub struct Unblock {
    /// Whose.
    name: AccountName,
}

/// Be shown as away from the keyboard, until: peer back.
#[derive(Args)]
#[command(after_help = "Example:\n  peer away")]
pub struct Away {}

/// Be shown as there again.
#[derive(Args)]
#[command(after_help = "Example:\n  peer back")]
pub struct Back {}

/// All your conversations: rooms, and people with whom there is one.
#[derive(Args)]
#[command(after_help = "Example:\n  peer chats\nThen, for example: peer history @bob")]
pub struct Chats {}

impl Contacts {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let contacts: Vec<ContactLine> = client.people(AskPeople::Contacts {}).await?;
        Ok(out.table(&contacts, &CONTACTS, contact)?)
    }
}

/// The columns of [`contact`].
pub const CONTACTS: [Column; 5] =
    [text("NAME", 0), whole("STATE", 0), whole("ONLINE", 0), whole("SEEN", 1), whole("VERIFIED", 2)];

/// A contact, in a table.
pub fn contact(contact: &ContactLine) -> [String; 5] {
    let online = match (contact.online, contact.away) {
        (true, true) => "away",
        (true, false) => "yes",
        (false, _) => "no",
    };
    [
        contact.name.to_string(),
        inline(&contact.state),
        online.to_string(),
        contact.seen.map_or("-".to_string(), |seen| time::date(seen.saturating_mul(1_000))),
        if contact.verified { "yes" } else { "no" }.to_string(),
    ]
}

/// The columns of [`chat`].
pub const CHATS: [Column; 7] = [
    text("CHAT", 0),
    whole("MEMBERS", 5),
    whole("ONLINE", 4),
    whole("UNREAD", 0),
    whole("UNDELIVERED", 3),
    whole("LAST", 2),
    text("TEXT", 1),
];

/// A conversation, in a table.
pub fn chat(chat: &Chat) -> [String; 7] {
    let online = if chat.online { "yes" } else { "no" };
    let (last, text) = chat.last.as_ref().map_or(("-".to_string(), String::new()), |last| {
        (time::date(last.sent), format!("{}: {}", last.from, inline(&beginning(&last.text))))
    });
    let (members, undelivered) = (chat.members.to_string(), chat.undelivered.to_string());
    let mentions = if chat.mentions > 0 { format!(" (@{})", chat.mentions) } else { String::new() };
    let unread = format!("{}{mentions}", chat.unread);
    [chat.room.to_string(), members, online.to_string(), unread, undelivered, last, text]
}

/// What is said to who has done that to a contact.
pub fn wished(name: &AccountName, wish: Wish) -> String {
    match wish {
        Wish::Add => format!("asked {name}; you are told when {name} says yes. See: peer contacts"),
        Wish::Accept => format!("{name} is a contact now"),
        Wish::Decline => format!("declined; {name} may ask again. To hear nothing more: peer block {name}"),
        Wish::Remove => format!("{name} is no contact any more"),
        Wish::Block => format!("{name} is blocked; lift it with: peer unblock {name}"),
        Wish::Unblock => format!("{name} is not blocked any more; if they are no contact of yours: peer add {name}"),
    }
}

/// The same, to who is shown as away or as there.
pub fn shown(away: bool) -> &'static str {
    if away { "you are shown as away; end it with: peer back" } else { "you are shown as there" }
}

async fn wish(client: &mut Client, out: &Out, ask: AskPeople) -> Result<()> {
    let told = ask.wish().map(|(name, wish)| wished(name, wish)).unwrap_or_default();
    wish_and_tell(client, out, ask, told).await
}

async fn wish_and_tell(client: &mut Client, out: &Out, ask: AskPeople, told: String) -> Result<()> {
    let name = ask.wish().map(|(name, _)| name.clone());
    client.people::<Value>(ask).await?;
    Ok(out.object(&json!({"name": name}), |_| told)?)
}

impl Add {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let held: Vec<ContactLine> = client.people(AskPeople::Contacts {}).await?;
        let held = held.into_iter().find(|contact| contact.name.fold() == self.name.fold());
        let name = &self.name;
        let told = match held.as_ref().map(|contact| contact.state.as_str()) {
            Some("contact") => format!("{name} is a contact of yours already"),
            Some("asks") => format!("{name} had asked you, and is a contact now"),
            Some("asked") => format!("{name} was asked already, and has not said yes yet"),
            _ => wished(name, Wish::Add),
        };
        wish_and_tell(client, out, AskPeople::Add(Named { name: self.name }), told).await
    }
}

/// Says yes to somebody who asks to be a contact.
pub async fn accept(client: &mut Client, out: &Out, name: AccountName) -> Result<()> {
    wish(client, out, AskPeople::AcceptContact(Named { name })).await
}

/// Says no to them.
pub async fn decline(client: &mut Client, out: &Out, name: AccountName) -> Result<()> {
    wish(client, out, AskPeople::DeclineContact(Named { name })).await
}

impl Remove {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        wish(client, out, AskPeople::Remove(Named { name: self.name })).await
    }
}

impl Block {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        wish(client, out, AskPeople::Block(Named { name: self.name })).await
    }
}

impl Unblock {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        wish(client, out, AskPeople::Unblock(Named { name: self.name })).await
    }
}

async fn show(client: &mut Client, out: &Out, away: bool) -> Result<()> {
    client.people::<Value>(AskPeople::Away(Shown { away })).await?;
    Ok(out.object(&json!({"away": away}), |_| shown(away).to_string())?)
}

impl Away {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        show(client, out, true).await
    }
}

impl Back {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        show(client, out, false).await
    }
}

impl Chats {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let chats: Vec<Chat> = client.people(AskPeople::Chats {}).await?;
        Ok(out.table(&chats, &CHATS, chat)?)
    }
}
