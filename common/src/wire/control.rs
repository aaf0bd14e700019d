//! The control socket: JSON-RPC 2.0, one object a line, between a running peer and its command-line clients and bots.
//!
//! | method | params | result |
//! |---|---|---|
//! | `status` | | [`Status`] |
//! | `rooms` | | list of [`Room`] |
//! | `join` | [`Join`] | [`Joined`] |
//! | `leave` | [`InRoom`] | `{}` |
//! | `members` | [`InRoom`] | list of [`Member`] |
//! | `say` | [`Say`] | [`Said`] |
//! | `receipts` | [`Receipts`] | list of [`Receipt`] |
//! | `outbox` | | [`Outbox`] |
//! | `cancel` | [`Cancel`] | [`Cancelled`] |
//! | `history` | [`History`] | list of [`Event`] |
//! | `tail` | [`Tail`] | `{}` after the past events; each event is a notification `event` |
//! | `paths` | | list of [`Path`] |
//! | `logout` | | `{}` |
//!
//! A refusal is a JSON-RPC error whose `code` is the [`Exit`] code that a command ends with, and whose `message`
//! says why and what to do.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::{
    id::Slot,
    name::{AccountName, Domain, RoomName},
    table,
};

/// How a command ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "i32", into = "i32")]
pub enum Exit {
    /// Done.
    Done,
    /// Refused or wrong; the message says why and what to do.
    Refused,
    /// The command line itself is wrong.
    Usage,
    /// Not reachable, or timed out.
    Unreachable,
    /// Another key than the known one.
    Identity,
    /// Not everybody has it yet, with `--wait`.
    Partly,
}

impl From<Exit> for i32 {
    fn from(exit: Exit) -> i32 {
        match exit {
            Exit::Done => 0,
            Exit::Refused => 1,
            Exit::Usage => 2,
            Exit::Unreachable => 3,
            Exit::Identity => 4,
            Exit::Partly => 5,
        }
    }
}

impl From<i32> for Exit {
    fn from(code: i32) -> Exit {
        match code {
            0 => Exit::Done,
            2 => Exit::Usage,
            3 => Exit::Unreachable,
            4 => Exit::Identity,
            5 => Exit::Partly,
            _ => Exit::Refused,
        }
    }
}

/// Something that was not done: the exit code it ends with, and why, for a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// How the command ends.
    pub code: Exit,
    /// Why, and what to do.
    pub message: String,
}

impl Refusal {
    /// A refusal of the given kind.
    pub fn new(code: Exit, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into() }
    }
}

/// Params that name a room.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct InRoom {
    /// Which.
    pub room: RoomName,
}

/// Params of `join`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Join {
    /// Which.
    pub room: RoomName,
    /// What the room is to show to those who join, `joined` or `all`. One that is there with another setting is not
    /// joined; without it a room is joined as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<table::History>,
}

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
}

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
}

/// `peer status`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Status {
    /// The account's name.
    pub name: AccountName,
    /// Its tracker's domain, once one has been met.
    pub domain: Option<Domain>,
    /// The identity key, in hexadecimal.
    pub key: String,
    /// The UDP address the peer is bound to.
    pub address: SocketAddr,
    /// The address the tracker sees it at.
    pub seen: Option<SocketAddr>,
    /// The tracker's address.
    pub tracker: Option<SocketAddr>,
    /// `up`, `connecting` or `down`.
    pub tracker_state: String,
    /// Why the tracker is not up, if it is not.
    pub trouble: Option<String>,
    /// Rooms joined.
    pub rooms: usize,
    /// Links to other peers.
    pub links: usize,
    /// Own messages that some member has not receipted yet.
    pub undelivered: u64,
    /// Since the peer started, in seconds.
    pub uptime_s: u64,
}

/// A line of `peer rooms`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Room {
    /// Its name.
    pub room: RoomName,
    /// How many members it has.
    pub members: u32,
    /// Whether this peer is one of them.
    pub joined: bool,
    /// Whether joining needs approval.
    pub approval: bool,
    /// What it shows to those who join: `joined` for what is said from then on, `all` for all that was said.
    #[serde(default)]
    pub history: table::History,
}

/// The result of `join`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Joined {
    /// Which room.
    pub room: RoomName,
    /// Its members now, this peer included.
    pub members: u32,
    /// The slot it was given.
    pub slot: Slot,
    /// What the room shows to those who join.
    #[serde(default)]
    pub history: table::History,
}

/// A line of `peer members`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Member {
    /// What it is called.
    pub name: AccountName,
    /// Its number in the room.
    pub slot: Slot,
    /// Whether it is logged in.
    pub online: bool,
    /// Its address, where known.
    pub address: Option<SocketAddr>,
    /// `direct`, `via NAME`, `none` or `self`.
    pub path: String,
    /// What it may do.
    pub role: String,
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
    /// there any more, `left` or `removed` if its member is one no more.
    pub path: String,
}

/// A line of `peer paths`.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Path {
    /// Somebody who shares a room with this peer.
    pub name: AccountName,
    /// The address in use, or the last known one.
    pub address: Option<SocketAddr>,
    /// `direct`, `via NAME` or `none`.
    pub path: String,
    /// Round-trip time, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// UDP payload sent on this link, in bytes.
    pub bytes_out: u64,
    /// UDP payload received on this link, in bytes.
    pub bytes_in: u64,
    /// Packets of this link that were lost and sent again.
    pub packets_lost: u64,
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
}

/// What has changed about a member.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum MemberChange {
    /// It became a member.
    Joined,
    /// It left.
    Left,
    /// It logged in.
    Online,
    /// It logged out, or was not heard for a time.
    Offline,
    /// It was not seen for so long that it is a member no more.
    Removed,
    /// Two different messages with one number have come under its key: a copy of it is in use, or an old state of its
    /// store. For one's own name, `by` is who has the other messages.
    Forked,
}

impl MemberChange {
    /// The word in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            MemberChange::Joined => "joined",
            MemberChange::Left => "left",
            MemberChange::Online => "online",
            MemberChange::Offline => "offline",
            MemberChange::Removed => "removed",
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
