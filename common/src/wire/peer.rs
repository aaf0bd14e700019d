//! The peer link: one QUIC connection a pair, dialled by either, with one bidirectional stream that the dialler
//! opens. Both begin with [`Hello`]; a link counts only once the other's has come, since a dialler learns a round
//! trip after its handshake whether the other side took its key.
//!
//! For each room they share, each says in [`Have`] how far it has the other's log. That is a receipt, and on a new
//! link it is also where the other goes on sending: a receipt lost with a link is made good by the next link.

use serde::{Deserialize, Serialize};

use crate::{
    frames,
    id::Version,
    limits,
    message::Batch,
    name::{AccountName, RoomName},
};

/// The protocol as TLS negotiates it.
pub const ALPN: &[u8] = b"rollcall-peer/1";
/// The version within [`Hello`].
pub const PROTOCOL: u16 = 1;

frames! {
    /// From a peer to a peer.
    PeerFrame, limit limits::PEER_FRAME;
    /// First of all.
    1 => Hello,
    /// What the sender of this frame has of the receiver's logs.
    2 => Have,
    /// Messages.
    3 => Batch,
    /// Messages not taken.
    4 => Refuse,
    /// The sender closes the link.
    5 => Bye,
    /// Messages that are not for the receiver.
    6 => Skip,
}

/// Who is here. The key is proven by the TLS handshake.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Hello {
    /// [`PROTOCOL`] of the sender.
    pub protocol: u16,
    /// What it is called; the tables decide what it is shown as.
    pub name: AccountName,
}

/// How far the sender's store, synced, has the receiver's logs. Sent for every shared room on a new link or with a
/// newly shared room, and then for what a commit has added: so it is also the receipt.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Have {
    /// One entry a room.
    #[serde(rename = "l")]
    pub logs: Vec<Reach>,
}

/// How far somebody has one log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Reach {
    /// Whose log, together with who is told.
    #[serde(rename = "r")]
    pub room: RoomName,
    /// The first of the messages held in a row up to `last`. Nothing is said of those before it: some may not have
    /// been meant for the sender of this.
    #[serde(rename = "f")]
    pub first: u64,
    /// The last message held; 0 for none yet.
    #[serde(rename = "l")]
    pub last: u64,
}

/// Why messages are not taken. The sender keeps them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Refuse {
    /// Which room.
    #[serde(rename = "r")]
    pub room: RoomName,
    /// The last message of the batch refused.
    #[serde(rename = "l")]
    pub last: u64,
    /// Why, for programs.
    #[serde(rename = "c")]
    pub code: RefuseCode,
    /// The table's version that the refusal goes by.
    #[serde(rename = "v")]
    pub version: Version,
}

/// Why messages are not taken, as a number for programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "u16", into = "u16")]
pub enum RefuseCode {
    /// The author is not a member, or was none at the stamp.
    NotMember,
    /// The receiver is not a member of the room.
    NotHere,
    /// It does not follow what the receiver has of that log: the author's log has two different messages with one
    /// number.
    Fork,
    /// The receiver cannot store it now.
    NoSpace,
    /// Not known to this version.
    Other(u16),
}

impl From<u16> for RefuseCode {
    fn from(number: u16) -> RefuseCode {
        match number {
            1 => RefuseCode::NotMember,
            2 => RefuseCode::NotHere,
            3 => RefuseCode::Fork,
            4 => RefuseCode::NoSpace,
            other => RefuseCode::Other(other),
        }
    }
}

impl From<RefuseCode> for u16 {
    fn from(code: RefuseCode) -> u16 {
        match code {
            RefuseCode::NotMember => 1,
            RefuseCode::NotHere => 2,
            RefuseCode::Fork => 3,
            RefuseCode::NoSpace => 4,
            RefuseCode::Other(number) => number,
        }
    }
}

/// The sender's messages before `next` that the receiver does not have are not for it: it was not a member at their
/// stamps. Without this a receiver takes only what follows what it has, so that a batch it refused leaves no hole.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Skip {
    /// Which room.
    #[serde(rename = "r")]
    pub room: RoomName,
    /// The first message of the next batch.
    #[serde(rename = "n")]
    pub next: u64,
}

/// The link is closed on purpose.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Bye {
    /// Why, for people.
    pub reason: String,
}
