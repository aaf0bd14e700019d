//! The tracker link: one QUIC connection, dialled by the peer, with one bidirectional stream.
//!
//! The peer opens the stream with [`Hello`] and then says in [`Holding`] which rooms it holds at which version. The
//! tracker answers [`Welcome`] or [`Refused`], and from then on pushes [`Update`]s and [`Snapshot`]s. Requests carry
//! an id, and each gets one [`Answer`] (or [`RoomList`]) with it.
//!
//! No frame here can carry a message: invariant 1 of the design is held by these types.

mod people;
mod rooms;

use serde::{Deserialize, Serialize};

pub use self::{
    people::{Contact, ContactState, Contacts, Rename, SetContact, Shown, Wish},
    rooms::{
        Asks, AtTheDoor, Decide, Declined, Door, Held, Holding, Join, Leave, ListDoor, ListRooms, Make, NotMember,
        Remove, RoomEntry, RoomList, SetRole, SetTopic, Share, Snapshot, Unban, Unshare, Update,
    },
};
use crate::{
    address::Addresses,
    frames, limits,
    name::{AccountName, Domain},
};

/// The protocol as TLS negotiates it. A tracker and a peer without one in common do not get past the handshake.
pub const ALPN: &[u8] = b"rollcall-tracker/1";
/// The version within [`Hello`]. It grows when frames are added that the other side must know of.
pub const PROTOCOL: u16 = 3;
/// The first of them in which a tracker keeps lists of files.
pub const WITH_FILES: u16 = 3;
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
    /// When it is to be shown in another way.
    5 => Shown,
    /// Request.
    16 => Join,
    /// Request.
    17 => Leave,
    /// Request.
    18 => ListRooms,
    /// Request.
    19 => Make,
    /// Request.
    20 => Decide,
    /// Request.
    21 => Remove,
    /// Request.
    22 => Unban,
    /// Request.
    23 => SetRole,
    /// Request.
    24 => SetTopic,
    /// Request.
    25 => ListDoor,
    /// Request.
    26 => Rename,
    /// Request.
    27 => SetContact,
    /// Request.
    28 => Share,
    /// Request.
    29 => Unshare,
}

impl ToTracker {
    /// Whether it is a request, which gets an answer.
    pub fn is_request(&self) -> bool {
        use ToTracker::{Hello, Holding, Logout, Moved, Shown};
        !matches!(self, Hello(_) | Holding(_) | Moved(_) | Logout(_) | Shown(_))
    }
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
    /// The last word about contacts.
    7 => Contacts,
    /// Somebody is at a room's door.
    8 => Asks,
    /// The peer is not let into a room.
    9 => Declined,
    /// To a request.
    16 => Answer,
    /// To [`ListRooms`].
    17 => RoomList,
    /// To [`ListDoor`].
    18 => Door,
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
    /// What lets a new account in, or gives a new key an old account: at most [`limits::INVITE_BYTES`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<String>,
    /// How it is to be shown.
    #[serde(default)]
    pub shown: Shown,
}

impl Hello {
    /// The hello of this version, without an invitation, of somebody at the keyboard.
    pub fn new(name: AccountName, addresses: Addresses) -> Hello {
        Hello { protocol: PROTOCOL, name, addresses, invite: None, shown: Shown::default() }
    }
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
    /// What the tracker's clock shows, in milliseconds since 1970, so that a peer notices that the two differ. Nothing is
    /// decided by it. Older trackers do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<u64>,
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
    /// New accounts need an invitation here, and there was none, or none that holds.
    Invitation,
    /// No new accounts are made here.
    Closed,
    /// The name looks like somebody else's.
    Lookalike,
    /// The name was somebody's until lately, and is held for them.
    HeldName,
    /// There is a room of that name.
    Exists,
    /// Not refused, but asked: somebody has to let the peer in.
    Asked,
    /// Banned from the room.
    Banned,
    /// The peer's role does not go that far.
    Role,
    /// No account of that name.
    NoAccount,
    /// The account was removed, or the key has lost it to another.
    Removed,
    /// The two accounts stand in another way: there is no request to accept, or one has blocked the other itself.
    Standing,
    /// What is said of a file is out of its bounds, or is not the word of the peer.
    BadFile,
    /// Not known to this version.
    Other(u16),
}

const CODES: [(u16, Code); 23] = [
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
    (12, Code::Invitation),
    (13, Code::Closed),
    (14, Code::Lookalike),
    (15, Code::HeldName),
    (16, Code::Exists),
    (17, Code::Asked),
    (18, Code::Banned),
    (19, Code::Role),
    (20, Code::NoAccount),
    (21, Code::Removed),
    (22, Code::Standing),
    (23, Code::BadFile),
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

/// The session is over.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Bye {
    /// Why, for programs.
    pub code: Code,
    /// Why, for people.
    pub reason: String,
}

/// A request's end. It has been done if there is no refusal; what it has changed in a room that the peer is a member
/// of, or of its contacts, has been pushed before.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Answer {
    /// The request's.
    pub id: u32,
    /// Why it was not done.
    pub refused: Option<Refused>,
}
