//! The control socket: JSON-RPC 2.0, one object a line, between a running peer and its command-line clients and bots.
//!
//! | method | params | result |
//! |---|---|---|
//! | `status` | | [`Status`] |
//! | `rooms` | | list of [`Room`] |
//! | `join` | [`Join`] | [`Joining`] |
//! | `create` | [`Create`] | [`Joining`] |
//! | `order` | [`Ordered`] | `{}` |
//! | `door` | [`InRoom`] | [`Door`] |
//! | `table` | [`InRoom`] | [`TableLine`] |
//! | `changes` | [`Since`] | [`Changes`] |
//! | `rename` | [`Rename`] | `{}` |
//! | `leave` | [`InRoom`] | `{}` |
//! | `members` | [`InRoom`] | list of [`Member`] |
//! | `say` | [`Say`] | [`Said`] |
//! | `edit` | [`Edit`] | [`Said`], of the message that says so |
//! | `delete` | [`Delete`] | [`Said`], the same |
//! | `react` | [`React`] | [`Said`], the same |
//! | `typing` | [`InRoom`] | `{}` |
//! | `receipts` | [`Receipts`] | list of [`Receipt`] |
//! | `outbox` | | [`Outbox`] |
//! | `cancel` | [`Cancel`] | [`Cancelled`] |
//! | `history` | [`History`] | list of [`Event`] |
//! | `mark_read` | [`MarkRead`] | [`Read`] |
//! | `tail` | [`Tail`] | `{}` after the past events; each event is a notification `event` |
//! | `paths` | | list of [`Path`] |
//! | `logout` | | `{}` |
//! | `share` | [`files::Share`] | list of [`files::FileLine`], once all is hashed |
//! | `unshare` | [`files::NamedFile`] | `{}` |
//! | `files` | [`files::OfRoom`] | list of [`files::FileLine`] |
//! | `get` | [`files::Get`] | [`files::Transfer`], as it begins |
//! | `transfers` | | list of [`files::Transfer`] |
//! | `transfer`, `pause`, `resume`, `cancel_transfer` | [`files::TransferId`] | [`files::Transfer`] |
//! | `limit` | [`files::Limits`] | [`files::Limits`], as they are now |
//! | contacts, keys, address book, chats without a tracker | [`people::AskPeople`] | told there |
//!
//! A refusal is a JSON-RPC error whose `code` is the [`Exit`] code that a command ends with, and whose `message`
//! says why and what to do.

mod door;
mod events;
pub mod files;
pub mod people;
mod rooms;
mod talk;

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

pub use self::{
    door::{Changes, Create, Door, Order, Ordered, Outside, Rename, SettingsLine, Since, TableLine},
    events::{
        Deed, Event, Mark, MemberChange, MemberEvent, MessageEvent, MessageKind, Quote, ReceiptEvent, Tail, TypingEvent,
    },
    rooms::{Asked, InRoom, Join, Joined, Joining, Member, Room},
    talk::{
        Cancel, Cancelled, Delete, Edit, History, MarkRead, Outbox, React, Read, Receipt, Receipts, Said, Say, Waiting,
    },
};
use crate::name::{AccountName, Domain};

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
    /// For how long it has not been up, in seconds, if it has been tried and is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracker_down_s: Option<u64>,
    /// Whether that is because it speaks another version of the protocol.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub other_version: bool,
    /// By how much the clock here was ahead of the tracker's at the last login, in seconds; less than 0 if it was behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ahead_s: Option<i64>,
    /// Rooms joined.
    pub rooms: usize,
    /// Links to other peers.
    pub links: usize,
    /// Own messages that some member has not receipted yet.
    pub undelivered: u64,
    /// Since the peer started, in seconds.
    pub uptime_s: u64,
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
