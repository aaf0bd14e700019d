//! People: contacts, who they really are, the address book, and chats without a tracker.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::{
    name::{AccountName, RoomName},
    wire::tracker::Wish,
};

/// What may be asked about people: each a method of the control socket with its params.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(tag = "method", content = "params", rename_all = "snake_case")]
pub enum AskPeople {
    /// Who is a contact, or may become one: a list of [`ContactLine`].
    Contacts {},
    /// Something about a contact: `{}`.
    Add(Named),
    /// See [`AskPeople::Add`].
    AcceptContact(Named),
    /// See [`AskPeople::Add`].
    DeclineContact(Named),
    /// See [`AskPeople::Add`].
    Remove(Named),
    /// To hear nothing more of somebody; a tracker is told when there is one.
    Block(Named),
    /// To lift that.
    Unblock(Named),
    /// To be shown as away, or not: `{}`.
    Away(Away),
    /// To take the key that somebody shows now for theirs: [`Identity`].
    Trust(Named),
    /// What two people compare to know that each has the other's key: [`Identity`].
    Verify(Verify),
    /// The address book: a list of [`BookEntry`].
    Book {},
    /// To put somebody known into it: [`BookEntry`].
    Save(Save),
    /// To take somebody out of it: `{}`.
    Forget(Named),
    /// To put entries into it: [`Imported`].
    Import(Import),
    /// To open a chat with whoever listens at an address, or with somebody known by their last addresses: [`Connected`].
    Connect(Connect),
    /// To let those in who are not known, for as long as this is asked again every minute: [`Listening`].
    Listen(Listen),
    /// All conversations: a list of [`Chat`].
    Chats {},
}

impl AskPeople {
    /// The methods.
    pub const METHODS: [&str; 17] = [
        "contacts",
        "add",
        "accept_contact",
        "decline_contact",
        "remove",
        "block",
        "unblock",
        "away",
        "trust",
        "verify",
        "book",
        "save",
        "forget",
        "import",
        "connect",
        "listen",
        "chats",
    ];

    /// What it wishes about whom, if it is about a contact.
    pub fn wish(&self) -> Option<(&AccountName, Wish)> {
        Some(match self {
            AskPeople::Add(named) => (&named.name, Wish::Add),
            AskPeople::AcceptContact(named) => (&named.name, Wish::Accept),
            AskPeople::DeclineContact(named) => (&named.name, Wish::Decline),
            AskPeople::Remove(named) => (&named.name, Wish::Remove),
            AskPeople::Block(named) => (&named.name, Wish::Block),
            AskPeople::Unblock(named) => (&named.name, Wish::Unblock),
            _ => return None,
        })
    }
}

/// What comes back, each for the [`AskPeople`] of like name.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(untagged)]
pub enum AnswerPeople {
    /// It is done, and there is nothing to tell.
    Done {},
    /// Contacts.
    Contacts(Vec<ContactLine>),
    /// Who somebody is.
    Identity(Identity),
    /// The address book.
    Book(Vec<BookEntry>),
    /// One entry of it.
    Entry(BookEntry),
    /// What was taken into it.
    Imported(Imported),
    /// A chat with somebody stands.
    Connected(Box<Connected>),
    /// Strangers are let in.
    Listening(Listening),
    /// All conversations.
    Chats(Vec<Chat>),
}

/// Params that name somebody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Named {
    /// Whom.
    pub name: AccountName,
}

/// Params of `away`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Away {
    /// Whether to be shown as away.
    pub away: bool,
}

/// Params of `verify`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Verify {
    /// Whom.
    pub name: AccountName,
    /// Whether the two have compared the number, and it was the same.
    #[serde(default)]
    pub done: bool,
}

/// Who somebody is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Identity {
    /// What they are called.
    pub name: AccountName,
    /// Their key, in hexadecimal.
    pub key: String,
    /// 60 digits that are the same on both sides when each has the other's key.
    pub safety_number: String,
    /// Whether the two have compared it.
    pub verified: bool,
}

/// A line of `peer contacts`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct ContactLine {
    /// What they are called.
    pub name: AccountName,
    /// `contact`, `asked` (by this user), `asks`, or `blocked`.
    pub state: String,
    /// Whether they are logged in.
    pub online: bool,
    /// Online, but away from the keyboard.
    pub away: bool,
    /// When they were last seen, in seconds since 1970, if they are offline and do not hide that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<u64>,
    /// Their key, in hexadecimal.
    pub key: String,
    /// Whether the two have compared their safety number.
    pub verified: bool,
}

/// One entry of the address book, as it stands in `book.toml`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct BookEntry {
    /// What they are called.
    pub name: AccountName,
    /// Their key, in hexadecimal.
    pub key: String,
    /// Where they were last, the best guess first.
    #[serde(default)]
    pub addresses: Vec<SocketAddr>,
    /// Whether the two have compared their safety number.
    #[serde(default)]
    pub verified: bool,
    /// Anything the user wants to remember.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Params of `save`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Save {
    /// Whom.
    pub name: AccountName,
    /// A note beside it; without it, the one that is there stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Params of `import`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Import {
    /// The entries.
    pub entries: Vec<BookEntry>,
}

/// The result of `import`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Imported {
    /// Who is in the book now.
    pub taken: Vec<AccountName>,
    /// Whose name is known here with another key, and so is not.
    pub refused: Vec<AccountName>,
}

/// Params of `connect`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Connect {
    /// `HOST:PORT` as addresses, when nobody in particular is meant.
    #[serde(default)]
    pub addresses: Vec<SocketAddr>,
    /// Somebody known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<AccountName>,
}

/// The result of `connect`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Connected {
    /// The conversation.
    pub room: RoomName,
    /// Where they are.
    pub address: SocketAddr,
    /// Who is there.
    #[serde(flatten)]
    pub identity: Identity,
}

/// Params of `listen`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Listen {
    /// For how many seconds from now; 0 ends it.
    pub seconds: u64,
}

/// The result of `listen`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Listening {
    /// What this peer is called.
    pub name: AccountName,
    /// Its key, in hexadecimal.
    pub key: String,
    /// Where it can be reached, as far as it knows.
    pub addresses: Vec<SocketAddr>,
    /// Its UDP port, at whatever address of its host.
    pub port: u16,
}

/// A line of `peer chats`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Chat {
    /// The room, or `@NAME`.
    pub room: RoomName,
    /// How many are in it.
    pub members: u32,
    /// Own messages that somebody lacks.
    pub undelivered: u64,
    /// Whether somebody else in it is online.
    pub online: bool,
    /// The last message in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Last>,
    /// The cursor of the last message that was read; 0 if none was.
    #[serde(default)]
    pub read: u64,
    /// Messages of others after it, counted up to 100.
    #[serde(default)]
    pub unread: u32,
    /// Those of them that name the user; in a conversation of two, all.
    #[serde(default)]
    pub mentions: u32,
    /// The cursor of the newest that is counted, or that of `read`.
    #[serde(default)]
    pub counted: u64,
}

/// The last message of a conversation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Last {
    /// Whose.
    pub from: AccountName,
    /// When it was said, by its author's clock, in milliseconds since 1970.
    pub sent: u64,
    /// How it begins: at most 200 characters.
    pub text: String,
}
