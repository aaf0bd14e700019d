//! Events: what happened in a room or with a person.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Read,
    files::{FileShown, Transfer},
};
use crate::{
    content::Kind,
    name::{AccountName, RoomName},
};

/// Params of `tail`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug, Default)]
pub struct Tail {
    /// Only events of this room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomName>,
    /// Only events after this cursor; without it, the last few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// Go on with events as they happen.
    #[serde(default)]
    pub follow: bool,
    /// Of the past, messages as they stand now, as `history` shows them, instead of all that happened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub latest: bool,
    /// With `follow`, also who is typing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub typing: bool,
    /// With `follow`, also who has got one's own messages, and what was marked as read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub receipts: bool,
}

/// Something that happened in a room. Cursors grow by at least one from event to event, across restarts.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// Somebody said something.
    Message(MessageEvent),
    /// A table has changed, or a member's presence.
    Member(MemberEvent),
    /// A member's receipt for messages of one's own. Not kept: it has no cursor, and is not in the past events.
    Receipt(ReceiptEvent),
    /// A conversation was marked as read. Not kept as an event either.
    Read(Read),
    /// Somebody is typing. Not kept either, and shown only to who asks for it.
    Typing(TypingEvent),
    /// A transfer has begun, ended, or come to a halt. Not kept either.
    Transfer(Transfer),
}

/// A message, as events and history show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct MessageEvent {
    /// Where `tail --since` goes on after it.
    pub cursor: u64,
    /// Names the message.
    pub id: String,
    /// The room.
    pub room: RoomName,
    /// The author's name.
    pub from: AccountName,
    /// The number in the author's log.
    pub seq: u64,
    /// The table version it was said under.
    pub stamp: String,
    /// When, by the author's clock, in milliseconds since 1970.
    pub sent: u64,
    /// When it was stored here, by the clock here.
    pub received: u64,
    /// `direct`, `via NAME`, or `self` for one's own.
    pub path: String,
    /// What was said.
    pub text: String,
    /// Whether it is shown out of its order, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
    /// What it does, if it is more than a text.
    #[serde(flatten)]
    pub deed: Deed,
}

/// What a message does beside saying its text, and, where it is shown as it stands now, what was done to it.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub struct Deed {
    /// What kind of message it is; nothing for a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<MessageKind>,
    /// The file that it shares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileShown>,
    /// The id of the message that it answers, or that it is done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// How that message begins, of an answer or a reaction, where it is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// Whether the text has the name of the one it is shown to, as `@name`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mentions_me: bool,
    /// Whether the text is another than the one first said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub edited: bool,
    /// Whether its author has taken it back: then there is no text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// The reactions to it, each with those whose it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reactions: BTreeMap<String, Vec<AccountName>>,
}

impl Deed {
    /// Whether something is said by it, rather than done to what was said before.
    pub fn says(&self) -> bool {
        matches!(self.kind, None | Some(MessageKind::Action | MessageKind::File))
    }
}

/// What a message does, other than to say a text.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum MessageKind {
    /// It tells what its author does.
    Action,
    /// It is the new text of an earlier one.
    Edit,
    /// It takes an earlier one back.
    Delete,
    /// It is a reaction to an earlier one; without a text, it takes the last reaction back.
    Reaction,
    /// It shares a file.
    File,
}

impl MessageKind {
    /// The kind as it is shown; `None` for a text.
    pub fn of(kind: Kind) -> Option<MessageKind> {
        match kind {
            Kind::Text | Kind::Other(_) => None,
            Kind::Action => Some(MessageKind::Action),
            Kind::Edit => Some(MessageKind::Edit),
            Kind::Delete => Some(MessageKind::Delete),
            Kind::Reaction => Some(MessageKind::Reaction),
            Kind::File => Some(MessageKind::File),
        }
    }
}

/// How an earlier message begins.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Quote {
    /// Its author's name.
    pub from: AccountName,
    /// Its first line as it stands now, at most 80 characters of it; empty if it was taken back.
    pub text: String,
}

/// Somebody is typing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct TypingEvent {
    /// Where.
    pub room: RoomName,
    /// Who.
    pub name: AccountName,
}

/// Why a message is shown out of its order.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// Something that it comes after was waited for and had not come.
    Early,
    /// It came after later messages of its author.
    Late,
}

impl Mark {
    /// The word in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Mark::Early => "early",
            Mark::Late => "late",
        }
    }
}

/// A change of membership or presence.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct MemberEvent {
    /// Where `tail --since` goes on after it.
    pub cursor: u64,
    /// The room.
    pub room: RoomName,
    /// Who.
    pub name: AccountName,
    /// What.
    pub change: MemberChange,
    /// The table's version then.
    pub version: String,
    /// Who did it, where it was somebody else.
    pub by: Option<AccountName>,
    /// When, in milliseconds since 1970: by the tracker's clock for changes of the table, by the clock here for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    /// What it is now or was before, as [`MemberChange`] says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What has changed about a member.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum MemberChange {
    /// It became a member. For oneself `detail` is `let in` where one had asked earlier.
    Joined,
    /// It left. Where one's own membership ends, this way or another, `detail` is the numbers of those messages of one's
    /// own that have not got to everybody, and will not: `3, 5-7`.
    Left,
    /// It logged in.
    Online,
    /// It logged out, or was not heard for a time.
    Offline,
    /// It was removed: by somebody, or since it was not seen for too long.
    Removed,
    /// It was removed for good.
    Banned,
    /// It asks to be let in.
    Asks,
    /// It asked, and is not let in.
    Declined,
    /// It has another name now; `detail` is the former one.
    Renamed,
    /// It has another role now, which is `detail`.
    Role,
    /// The room has another topic now, which is `detail`. `by` and `name` are who set it; where that was not seen, `by` is
    /// missing and `name` is one's own.
    Topic,
    /// It is online, but away from the keyboard.
    Away,
    /// Another key has taken the account over, since this one is lost. `detail` is the beginning of the new key.
    Rekeyed,
    /// A known name stands for another key than the one known; nothing is exchanged with it until the user decides.
    /// `detail` is the beginning of the other key.
    Identity,
    /// It holds another table of the room than this peer, or one without this peer: the tracker tells its members
    /// different things.
    Split,
    /// It has broken the rules of the protocol, as `detail` says; its link was closed.
    Offends,
    /// It is a contact now.
    Contact,
    /// It is no contact any more.
    Parted,
    /// It takes nothing that one says in the room: it goes by the version in `detail` of its table, newer than the one held
    /// here, in which one is no member.
    Refuses,
    /// Two different messages with one number have come under its key: a copy of it is in use, or an old state of its
    /// store. For one's own name, `by` is who has the other messages.
    Forked,
}

impl MemberChange {
    /// All of them.
    pub const ALL: [MemberChange; 20] = [
        MemberChange::Refuses,
        MemberChange::Joined,
        MemberChange::Left,
        MemberChange::Online,
        MemberChange::Offline,
        MemberChange::Removed,
        MemberChange::Forked,
        MemberChange::Banned,
        MemberChange::Asks,
        MemberChange::Declined,
        MemberChange::Renamed,
        MemberChange::Role,
        MemberChange::Topic,
        MemberChange::Away,
        MemberChange::Rekeyed,
        MemberChange::Identity,
        MemberChange::Split,
        MemberChange::Offends,
        MemberChange::Contact,
        MemberChange::Parted,
    ];

    /// Whether it is a step of a room's table, and not something beside it.
    pub fn is_of_table(&self) -> bool {
        use MemberChange::{Banned, Joined, Left, Rekeyed, Removed, Renamed, Role, Topic};
        matches!(self, Joined | Left | Removed | Banned | Rekeyed | Renamed | Role | Topic)
    }

    /// The word in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            MemberChange::Joined => "joined",
            MemberChange::Left => "left",
            MemberChange::Online => "online",
            MemberChange::Offline => "offline",
            MemberChange::Removed => "removed",
            MemberChange::Banned => "banned",
            MemberChange::Asks => "asks",
            MemberChange::Declined => "declined",
            MemberChange::Renamed => "renamed",
            MemberChange::Role => "role",
            MemberChange::Topic => "topic",
            MemberChange::Away => "away",
            MemberChange::Rekeyed => "rekeyed",
            MemberChange::Identity => "identity",
            MemberChange::Split => "split",
            MemberChange::Offends => "offends",
            MemberChange::Contact => "contact",
            MemberChange::Parted => "parted",
            MemberChange::Refuses => "refuses",
            MemberChange::Forked => "forked",
        }
    }
}

/// Somebody has more of one's own messages.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct ReceiptEvent {
    /// The room.
    pub room: RoomName,
    /// Who has them.
    pub name: AccountName,
    /// The first message that the receipt is for.
    pub first: u64,
    /// The last message that it is for.
    pub last: u64,
    /// When the receipt came, in milliseconds since 1970.
    pub at: u64,
}
