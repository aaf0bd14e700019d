//! The tracker link: one QUIC connection, dialled by the peer, with one bidirectional stream.
//!
//! The peer opens the stream with [`Hello`] and then says in [`Holding`] which rooms it holds at which version. The
//! tracker answers [`Welcome`] or [`Refused`], and from then on pushes [`Update`]s and [`Snapshot`]s. Requests carry
//! an id, and each gets one [`Answer`] (or [`RoomList`]) with it.
//!
//! No frame here can carry a message: invariant 1 of the design is held by these types.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use crate::{
    address::Addresses,
    frames,
    id::Version,
    limits,
    name::{AccountName, Domain, RoomName},
    table::{Change, History, Member, Presence, PresenceVersion},
};

/// The protocol as TLS negotiates it. A tracker and a peer without one in common do not get past the handshake.
pub const ALPN: &[u8] = b"rollcall-tracker/1";
/// The version within [`Hello`]. It grows when frames are added that the other side must know of.
pub const PROTOCOL: u16 = 1;
/// UDP port a tracker listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 27655;
/// The mDNS service that a tracker announces, with `version`, `domain` and `key` in its TXT record.
pub const MDNS_SERVICE: &str = "_rollcall._udp.local.";

frames! {
    /// From a peer to its tracker.
    ToTracker, limit limits::CONTROL_FRAME;
    /// First of all.
    1 => Hello,
    /// Right after it.
    2 => Holding,
    /// When the peer's own addresses have changed.
    3 => Moved,
    /// Before going offline on purpose.
    4 => Logout,
    /// Request.
    16 => Join,
    /// Request.
    17 => Leave,
    /// Request.
    18 => ListRooms,
}

frames! {
    /// From a tracker to a peer.
    ToPeer, limit limits::PUSH_FRAME;
    /// The session stands.
    1 => Welcome,
    /// It does not; the tracker closes the link.
    2 => Refused,
    /// Changes of one room.
    3 => Update,
    /// A piece of a whole room.
    4 => Snapshot,
    /// A room that the peer is not a member of, though it thought so.
    5 => NotMember,
    /// The tracker ends the session.
    6 => Bye,
    /// To a request.
    16 => Answer,
    /// To [`ListRooms`].
    17 => RoomList,
}

/// Who wants a session. The key is proven by the TLS handshake.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Hello {
    /// [`PROTOCOL`] of the peer.
    pub protocol: u16,
    /// The account.
    pub name: AccountName,
    /// Where the peer listens, as it sees its own interfaces.
    pub addresses: Addresses,
}

/// Rooms that the peer thinks it is a member of, in as many frames as they need. Rooms it is a member of and that
/// are in none of them are pushed whole once `last` has come.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Holding {
    /// Some of them.
    pub rooms: Vec<Held>,
    /// Whether this was the last frame of them.
    pub last: bool,
}

/// One room as a peer holds it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Held {
    /// Which.
    #[serde(rename = "r")]
    pub room: RoomName,
    /// Its table's version.
    #[serde(rename = "v")]
    pub version: Version,
    /// Its table's digest: where it differs at an equal version, the peer needs a snapshot.
    #[serde(rename = "d")]
    pub digest: ByteArray<32>,
    /// The presence beside it.
    #[serde(rename = "p")]
    pub presence: PresenceVersion,
}

/// The peer's own addresses are these now.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Moved {
    /// All of them.
    pub addresses: Addresses,
}

/// The session ends, and shows as offline at once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Logout {}

/// Become a member. Doing so again changes nothing and is answered the same. The answer comes after the room has
/// been pushed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Join {
    /// For the answer.
    pub id: u32,
    /// Which room; it is made if there is none.
    pub room: RoomName,
    /// What the room is to show to those who join. It is made so, and one that is there with another setting is not
    /// joined ([`Code::OtherHistory`]). `None` for a room as it is; one that is made shows [`History::Joined`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
}

/// Stop being a member.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Leave {
    /// For the answer.
    pub id: u32,
    /// Which room.
    pub room: RoomName,
}

/// Which rooms there are, in the order of their folded names, as many as fit a frame.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct ListRooms {
    /// For the answer.
    pub id: u32,
    /// Only rooms after this one.
    pub after: Option<RoomName>,
}

/// The session stands.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Welcome {
    /// [`PROTOCOL`] of the tracker.
    pub protocol: u16,
    /// What the tracker calls its accounts.
    pub domain: Domain,
    /// The tables' own id, new when they are begun afresh. A peer that knows another one joins its rooms again.
    pub tables: u64,
    /// The account's name as it was first registered.
    pub name: AccountName,
    /// Where the tracker sees the peer: what other hosts can dial, if anything.
    pub seen: Addresses,
}

/// Why the tracker will not do something, as a number for programs. [`Code::Other`] is one from the future.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "u16", into = "u16")]
pub enum Code {
    /// The name belongs to another key.
    NameTaken,
    /// The key has another name here.
    KeyNamed,
    /// The two do not speak the same version.
    Protocol,
    /// A limit is reached: sessions, accounts, rooms, members.
    Full,
    /// No such room.
    NoRoom,
    /// Not a member of it.
    NotMember,
    /// The session was taken over by a later login with the same key.
    TakenOver,
    /// The tracker is going down.
    ShuttingDown,
    /// The peer asked for it.
    LoggedOut,
    /// The peer broke the protocol.
    Protest,
    /// The room is there with another history.
    OtherHistory,
    /// Not known to this version.
    Other(u16),
}

const CODES: [(u16, Code); 11] = [
    (1, Code::NameTaken),
    (2, Code::KeyNamed),
    (3, Code::Protocol),
    (4, Code::Full),
    (5, Code::NoRoom),
    (6, Code::NotMember),
    (7, Code::TakenOver),
    (8, Code::ShuttingDown),
    (9, Code::LoggedOut),
    (10, Code::Protest),
    (11, Code::OtherHistory),
];

impl From<u16> for Code {
    fn from(number: u16) -> Code {
        CODES.iter().find(|(n, _)| *n == number).map_or(Code::Other(number), |(_, code)| *code)
    }
}

impl From<Code> for u16 {
    fn from(code: Code) -> u16 {
        match code {
            Code::Other(number) => number,
            code => CODES.iter().find(|(_, c)| *c == code).map_or(0, |(n, _)| *n),
        }
    }
}

/// The session does not come about.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Refused {
    /// Why, for programs.
    pub code: Code,
    /// Why, for people, and what to do.
    pub reason: String,
}

/// What has changed in one room. The table's changes lead from `from` to `from` plus their count.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Update {
    /// Which room.
    #[serde(rename = "r")]
    pub room: RoomName,
    /// The version that the changes apply to.
    #[serde(rename = "v")]
    pub from: Version,
    /// Changes of membership.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Presence, after the changes: the last word about each slot.
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    pub presence: Vec<Presence>,
    /// Where the presence stands after this.
    #[serde(rename = "p")]
    pub presence_version: PresenceVersion,
}

/// A piece of a whole room. The room is known when the last piece has come; pieces of one snapshot follow each other
/// with no other frame of the same room between them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Snapshot {
    /// Which room.
    #[serde(rename = "r")]
    pub room: RoomName,
    /// The table's version.
    #[serde(rename = "v")]
    pub version: Version,
    /// What the room shows to those who join.
    #[serde(rename = "h", default, skip_serializing_if = "History::is_joined")]
    pub history: History,
    /// Where the presence stands.
    #[serde(rename = "p")]
    pub presence_version: PresenceVersion,
    /// Some of the members.
    #[serde(rename = "m")]
    pub members: Vec<Member>,
    /// Those of them that are online.
    #[serde(rename = "o")]
    pub presence: Vec<Presence>,
    /// Whether another piece follows.
    #[serde(rename = "x")]
    pub more: bool,
}

/// The peer is not a member of this room (any more).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct NotMember {
    /// Which.
    pub room: RoomName,
}

/// The session is over.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Bye {
    /// Why, for programs.
    pub code: Code,
    /// Why, for people.
    pub reason: String,
}

/// A request's end. It has been done if there is no refusal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Answer {
    /// The request's.
    pub id: u32,
    /// Why it was not done.
    pub refused: Option<Refused>,
}

/// Some of the tracker's rooms.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct RoomList {
    /// The request's.
    pub id: u32,
    /// In order.
    pub rooms: Vec<RoomEntry>,
    /// Whether there are rooms after these.
    pub more: bool,
}

/// One room of a list.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct RoomEntry {
    /// Its name.
    pub room: RoomName,
    /// How many members it has.
    pub members: u32,
    /// What it shows to those who join.
    #[serde(default, skip_serializing_if = "History::is_joined")]
    pub history: History,
}
