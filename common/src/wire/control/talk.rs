//! What is said, and how far it has got.

use serde::{Deserialize, Serialize};

use crate::name::{AccountName, RoomName};

/// Params of `say`.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Say {
    /// Where.
    pub room: RoomName,
    /// What, at most 16 KiB.
    pub text: String,
    /// How long to wait for receipts, in seconds; without it the answer comes as soon as the message is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<f64>,
    /// The id of the message in the same room that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Whether it tells what one does, as in `alice waves`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub me: bool,
}

impl Say {
    /// A text, without waiting for receipts.
    pub fn new(room: RoomName, text: impl Into<String>) -> Say {
        Say { room, text: text.into(), wait: None, reply: None, me: false }
    }
}

/// Params of `edit`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Edit {
    /// A message of one's own.
    pub id: String,
    /// Its new text, at most 16 KiB.
    pub text: String,
}

/// Params of `delete`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Delete {
    /// A message of one's own. Who has it already may keep a copy; nobody is shown it any more.
    pub id: String,
}

/// Params of `react`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct React {
    /// Any message.
    pub id: String,
    /// One emoji or one short word, at most 32 bytes, in place of the reaction before; an empty one takes that back.
    #[serde(default)]
    pub text: String,
}

/// Params of `receipts`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Receipts {
    /// A message of one's own, as `say` named it.
    pub id: String,
}

/// Params of `cancel`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Cancel {
    /// A message of one's own, as `say` named it.
    pub id: String,
}

/// Params of `history`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct History {
    /// Where.
    pub room: RoomName,
    /// At most so many messages, the latest; the oldest of them first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only messages with all these words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only messages with a smaller cursor than this: so a long history is read page by page, from its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Between them, also who became a member and who stopped being one. They do not count for `limit`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changes: bool,
}

impl History {
    /// The latest of a room.
    pub fn of(room: RoomName) -> History {
        History { room, limit: None, search: None, before: None, changes: false }
    }
}

/// Params of `mark_read`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct MarkRead {
    /// Which conversation.
    pub room: RoomName,
    /// Up to which message; without it, all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<u64>,
}

/// Up to where a conversation was read. It only moves on.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Read {
    /// Which.
    pub room: RoomName,
    /// The cursor of the last message read.
    pub cursor: u64,
}

/// The result of `say`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Said {
    /// Names the message, for `receipts`.
    pub id: String,
    /// The room.
    pub room: RoomName,
    /// The number in the author's log.
    pub seq: u64,
    /// The table version it was said under.
    pub stamp: String,
    /// Members that have it in their store.
    pub delivered: Vec<AccountName>,
    /// Members that do not have it yet, as far as is known.
    pub pending: Vec<AccountName>,
    /// Members to whom it is not sent any more.
    #[serde(default)]
    pub cancelled: Vec<AccountName>,
    /// Those who ceased to be members without it: they are not waited for.
    #[serde(default)]
    pub gone: Vec<AccountName>,
}

/// The result of `outbox`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Outbox {
    /// Room by room, the oldest first: at most 1,000.
    pub waiting: Vec<Waiting>,
    /// How many more wait.
    pub more: u64,
}

/// A line of `peer outbox`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Waiting {
    /// Names the message.
    pub id: String,
    /// The room.
    pub room: RoomName,
    /// The number in the author's log.
    pub seq: u64,
    /// When it was said, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<u64>,
    /// How it begins: at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Members that do not have it yet, as far as is known.
    pub pending: Vec<AccountName>,
    /// Those of them who have come with another key than the known one: nothing is sent until the user decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undecided: Vec<AccountName>,
}

/// The result of `cancel`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Cancelled {
    /// Names the message.
    pub id: String,
    /// Members that have it, and keep it.
    pub delivered: Vec<AccountName>,
    /// Members to whom it is not sent any more.
    pub cancelled: Vec<AccountName>,
}

/// A line of `peer receipts`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Receipt {
    /// A member of the stamp.
    pub name: AccountName,
    /// Whether it has it in its store.
    pub delivered: bool,
    /// When its receipt came, in milliseconds since 1970.
    pub at: Option<u64>,
    /// Which way: `direct` or `via NAME`. Without a receipt: `none` while it is waited for, `cancelled` if it is not sent
    /// there any more, `identity` while the user has to decide whether its key is right, `left` or `removed` if its
    /// member is one no more, `out` if one is none oneself.
    pub path: String,
}
