//! What is said about rooms.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use super::Refused;
use crate::{
    file::{Offer, Root},
    id::{Key, Version},
    name::{AccountName, RoomName},
    table::{Change, History, Member, Presence, PresenceVersion, Role, Settings, Shared},
};

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

/// Become a member, or, where the room has a door, ask to ([`Code::Asked`](super::Code::Asked)). Doing so again changes nothing and is
/// answered the same. The answer comes after the room has been pushed. Who is let in later is pushed the room then.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Join {
    /// For the answer.
    pub id: u32,
    /// Which room; it is made if there is none.
    pub room: RoomName,
    /// What the room is to show to those who join. It is made so, and one that is there with another setting is not
    /// joined ([`Code::OtherHistory`](super::Code::OtherHistory)). `None` for a room as it is; one that is made shows [`History::Joined`].
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
    /// What the room is like.
    #[serde(rename = "h", default)]
    pub settings: Settings,
    /// Where the presence stands.
    #[serde(rename = "p")]
    pub presence_version: PresenceVersion,
    /// Some of the members.
    #[serde(rename = "m")]
    pub members: Vec<Member>,
    /// Those of them that are online.
    #[serde(rename = "o")]
    pub presence: Vec<Presence>,
    /// Some of the files that they share, of members of this piece or an earlier one.
    #[serde(rename = "f", default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Shared>,
    /// Whether another piece follows.
    #[serde(rename = "x")]
    pub more: bool,
}

/// The peer is not a member of this room (any more). Who is removed while it is there is sent the [`Update`] with its own
/// departure first, and nothing that happened in the room after it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct NotMember {
    /// Which.
    pub room: RoomName,
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
    /// What it is like.
    #[serde(default)]
    pub settings: Settings,
}

/// Make a room with these settings, as its owner. Refused if there is one of that name ([`Code::Exists`]), unless the
/// sender made it just so and is its owner.
///
/// [`Code::Exists`]: super::Code::Exists
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Make {
    /// For the answer.
    pub id: u32,
    /// What it is to be called.
    pub room: RoomName,
    /// What it is to be like.
    pub settings: Settings,
}

/// Let somebody in who has asked, or not. For owners and moderators.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Decide {
    /// For the answer.
    pub id: u32,
    /// Which room.
    pub room: RoomName,
    /// Who asks.
    pub name: AccountName,
    /// Whether it becomes a member.
    pub accept: bool,
}

/// Remove a member who has a lower role than the sender. With `ban` it cannot come back; then it need not be a member.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Remove {
    /// For the answer.
    pub id: u32,
    /// Which room.
    pub room: RoomName,
    /// Whom.
    pub name: AccountName,
    /// Whether for good.
    pub ban: bool,
}

/// Lift a ban.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Unban {
    /// For the answer.
    pub id: u32,
    /// Which room.
    pub room: RoomName,
    /// Whose.
    pub name: AccountName,
}

/// Give a member a role, for the owner. [`Role::Owner`] hands the room over: the sender is a moderator then.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct SetRole {
    /// For the answer.
    pub id: u32,
    /// Which room.
    pub room: RoomName,
    /// Whom.
    pub name: AccountName,
    /// Which.
    pub role: Role,
}

/// Say what a room is about, for owners and moderators; in a room that has neither, for every member.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct SetTopic {
    /// For the answer.
    pub id: u32,
    /// Which room.
    pub room: RoomName,
    /// At most [`TOPIC_CHARS`](crate::limits::TOPIC_CHARS) on one line; empty for nothing.
    pub topic: String,
}

/// Put a file on a room's list, as shared by the sender, in the place of what it has said of that file before. Refused
/// beyond [`FILES_PER_MEMBER`](crate::limits::FILES_PER_MEMBER) and [`FILES`](crate::limits::FILES)
/// ([`Code::Full`](super::Code::Full)).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Share {
    /// For the answer.
    pub id: u32,
    /// Which room.
    pub room: RoomName,
    /// The sender's word.
    pub offer: Offer,
}

/// Take a file that the sender shares from a room's list. Doing so again changes nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Unshare {
    /// For the answer.
    pub id: u32,
    /// Which room.
    pub room: RoomName,
    /// Which file.
    pub root: Root,
}

/// Who waits at a room's door, and who is banned? For owners and moderators.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct ListDoor {
    /// For the answer.
    pub id: u32,
    /// Which room.
    pub room: RoomName,
}

/// To [`ListDoor`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Door {
    /// The request's.
    pub id: u32,
    /// Why it is not told.
    pub refused: Option<Refused>,
    /// Who waits, the longest first, at most [`AT_THE_DOOR`](crate::limits::AT_THE_DOOR).
    pub waiting: Vec<AtTheDoor>,
    /// Who is banned, the same.
    pub banned: Vec<AtTheDoor>,
}

/// Somebody outside a room.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct AtTheDoor {
    /// What it is called.
    #[serde(rename = "n")]
    pub name: AccountName,
    /// Who it is.
    #[serde(rename = "k")]
    pub key: Key,
    /// Since when, in seconds since 1970.
    #[serde(rename = "t")]
    pub at: u64,
}

/// Somebody asks to join a room. Told to its owner and moderators: when it happens, and when they log in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Asks {
    /// Which room.
    pub room: RoomName,
    /// Who.
    pub who: AtTheDoor,
}

/// The receiver's own request to join a room has been declined, or, with `by` missing, has lapsed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Declined {
    /// Which room.
    pub room: RoomName,
    /// By whom.
    pub by: Option<AccountName>,
}
