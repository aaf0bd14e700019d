//! The peer link: one QUIC connection a pair, dialled by either, with one bidirectional stream that the dialler
//! opens. Both begin with [`Hello`]; a link counts only once the other's has come, since a dialler learns a round
//! trip after its handshake whether the other side took its key.
//!
//! For each room they share, each says in [`Have`] what it has of the other's log. That is a receipt, and on a new
//! link it is also where the other goes on sending: a receipt lost with a link is made good by the next link.
//!
//! Logs of others are compared in [`Frontier`]s, and what one side lacks it asks for with [`Follow`]: the other side
//! then passes on ([`Passed`]) what it has, and what comes later. So one who was away is brought up to date by anyone,
//! and two who cannot reach each other talk through a third. Receipts for what was passed on are signed
//! ([`Receipt`]) and go back the same way.
//!
//! Ranges of files come on streams of their own, one each ([`RangeAsk`], [`RangeAnswer`]), behind everything else.

mod files;

use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};

pub use self::files::{Fetch, Has, Held, Holds, Much, RangeAnswer, RangeAsk, Serve, ServeCode, Watch};
use crate::{
    frames,
    id::{Key, Version},
    limits,
    message::Batch,
    name::{AccountName, RoomName},
    receipt::Receipt,
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
    /// What the sender has of all logs of a room, to be compared.
    7 => Frontier,
    /// A wish to be passed on logs.
    8 => Follow,
    /// Somebody else's messages.
    9 => Passed,
    /// A member's receipt for somebody else's messages.
    10 => Receipt,
    /// Whether the sender is linked to somebody.
    11 => Near,
    /// A wish to be told a receipt.
    12 => Tell,
    /// Whether the sender wants to be hinted at who is typing.
    20 => Looks,
    /// Which files of a room the sender has.
    30 => Holds,
    /// Whether the sender wants to know which pieces of a file the receiver has.
    31 => Watch,
    /// Which pieces of a file the sender has.
    32 => Has,
}

frames! {
    /// From a peer to a peer, as a datagram of its own, without the length: what may be lost.
    PeerHint, limit limits::HINT;
    /// The sender is typing.
    1 => Typing,
}

/// Who is here. The key is proven by the TLS handshake.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Hello {
    /// [`PROTOCOL`] of the sender.
    pub protocol: u16,
    /// What it is called; the tables decide what it is shown as.
    pub name: AccountName,
    /// Another number with each start of the sender, and when its host has slept: links from before are dead then,
    /// though the receiver cannot see it yet.
    #[serde(default)]
    pub life: u64,
}

/// What the sender's store, synced, has of the receiver's logs. Sent for every shared room on a new link or with a
/// newly shared room, and then for what a commit has added: so it is also the receipt.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Have {
    /// One entry for each range of numbers held; at least one a room.
    #[serde(rename = "l")]
    pub logs: Vec<Reach>,
}

/// A range of one log that somebody has.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Reach {
    /// Whose log, together with who is told.
    #[serde(rename = "r")]
    pub room: RoomName,
    /// The first of the messages held in a row up to `last`. Nothing is said of others: some may not have been meant
    /// for the sender of this.
    #[serde(rename = "f")]
    pub first: u64,
    /// The last of them; 0 for none yet.
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
    /// The receiver has learnt that the author has left the room, and has dropped what it had not taken by then.
    Anew,
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
            5 => RefuseCode::Anew,
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
            RefuseCode::Anew => 5,
            RefuseCode::Other(number) => number,
        }
    }
}

/// Messages of a log before `next` that the receiver does not have are not for it, as far as the sender knows: it was
/// not a member at their stamps. Without this a receiver takes only what follows what it has, so that a batch it
/// refused leaves no hole.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Skip {
    /// Which room.
    #[serde(rename = "r")]
    pub room: RoomName,
    /// Whose log; the sender's own if it does not say.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Key>,
    /// The first message of the next batch, or, with a hash, the number after the last message there is.
    #[serde(rename = "n")]
    pub next: u64,
    /// The chain's hash after the last message there is. It goes into what the receiver compares, into nothing else.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<ByteArray<32>>,
}

/// Heads of a room's logs as the sender has them, in parts by the keys of the authors. Equal parts are not answered;
/// a part that differs is answered with its sixteen parts, or, where it holds few logs, with the heads themselves.
/// (Range-based set reconciliation, A. Meyer 2023, with parts fixed by the keys.)
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Frontier {
    /// Which room.
    #[serde(rename = "r")]
    pub room: RoomName,
    /// Where the sender's table of it stands, when a comparison begins.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub table: Option<Told>,
    /// Digests of parts, in order and apart from each other, at most [`limits::FRONTIER_PARTS`].
    #[serde(rename = "d", default, skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<Part>,
    /// Parts of which the heads are told, the same.
    #[serde(rename = "h", default, skip_serializing_if = "Vec::is_empty")]
    pub heads: Vec<Heads>,
}

/// What the tracker has told the sender of a room. Two members that are told different things find out by it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Told {
    /// The table's version.
    #[serde(rename = "v")]
    pub version: Version,
    /// Its digest.
    #[serde(rename = "d")]
    pub digest: ByteArray<32>,
    /// Whether the sender has a link to its tracker, so that the table should be the latest.
    #[serde(rename = "u")]
    pub up: bool,
    /// Whether the receiver is to tell where its own stands, if that is elsewhere.
    #[serde(rename = "q", default, skip_serializing_if = "std::ops::Not::not")]
    pub answer: bool,
}

/// The digest of all logs whose authors' keys begin alike.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Part {
    /// How they begin, a byte for each four bits.
    #[serde(rename = "p")]
    pub prefix: ByteBuf,
    /// BLAKE3, cut, of their keys and heads in order; zero if there is none.
    #[serde(rename = "d")]
    pub digest: ByteArray<16>,
}

/// The heads of all logs whose authors' keys begin alike.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Heads {
    /// How they begin, a byte for each four bits.
    #[serde(rename = "p")]
    pub prefix: ByteBuf,
    /// The heads, in the order of the keys, at most [`limits::FRONTIER_PARTS`].
    #[serde(rename = "h")]
    pub logs: Vec<LogHead>,
    /// Whether the receiver is to answer with those of its heads that lead further.
    #[serde(rename = "q", default)]
    pub answer: bool,
}

/// Where one log ends for the sender.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct LogHead {
    /// Whose.
    #[serde(rename = "a")]
    pub author: Key,
    /// The last number.
    #[serde(rename = "n")]
    pub last: u64,
    /// The chain's hash there.
    #[serde(rename = "h")]
    pub hash: ByteArray<32>,
}

/// The sender wants to be passed on these logs, from now on and as long as the link stands, in the order in which the
/// receiver of this has shown them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Follow {
    /// Which room.
    #[serde(rename = "r")]
    pub room: RoomName,
    /// Which logs, at most [`limits::FOLLOWED`] a room.
    #[serde(rename = "l")]
    pub logs: Vec<Followed>,
}

/// One log that is to be passed on.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Followed {
    /// Whose.
    #[serde(rename = "a")]
    pub author: Key,
    /// Messages after this number.
    #[serde(rename = "n")]
    pub after: u64,
    /// If given, only up to this number, and only what is there now; 0 ends the following.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
}

/// Messages of somebody else, as its author encoded them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Passed {
    /// Whose. The batch proves it.
    #[serde(rename = "a")]
    pub author: Key,
    /// What the author was called, for who does not have it in a table.
    #[serde(rename = "n")]
    pub name: AccountName,
    /// The body of the [`Batch`] frame.
    #[serde(rename = "b")]
    pub batch: ByteBuf,
}

/// Whether the sender is linked to the author of a log that the receiver follows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Near {
    /// Which room.
    #[serde(rename = "r")]
    pub room: RoomName,
    /// Who.
    #[serde(rename = "a")]
    pub author: Key,
    /// Whether there is a link.
    #[serde(rename = "y")]
    pub linked: bool,
}

/// An author wants the receiver's receipt for its log, through the sender.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Tell {
    /// Which room.
    #[serde(rename = "r")]
    pub room: RoomName,
    /// Who wants it.
    #[serde(rename = "a")]
    pub author: Key,
}

/// Whether somebody watches, at the sender, for who is typing. Without this frame nobody does.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Looks {
    /// Whether hints are wanted from now on.
    #[serde(rename = "y")]
    pub looks: bool,
}

/// The sender is typing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Typing {
    /// Where.
    #[serde(rename = "r")]
    pub room: RoomName,
}

/// The link is closed on purpose.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Bye {
    /// Why, for people.
    pub reason: String,
    /// Whether it is that the receiver stands in no table that the sender's tracker, to which it has a link, has told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stranger: bool,
}
