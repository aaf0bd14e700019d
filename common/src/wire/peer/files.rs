//! Files: who has what, and ranges of them on streams of their own.

use serde::{Deserialize, Serialize};

use crate::{file::Root, frames, limits, name::RoomName};

frames! {
    /// First on each further stream, which the side that wants a range of a file opens: the range.
    RangeAsk, limit limits::FILE_FRAME;
    /// A wish for a range of a file.
    1 => Fetch,
}

frames! {
    /// First in answer to [`RangeAsk`]. If the range is served, it follows as it is encoded by bao, without the size in
    /// front: hashes and bytes in order, groups of [`GROUP`](crate::file::GROUP) bytes; then the stream ends.
    RangeAnswer, limit limits::FILE_FRAME;
    /// Whether it is served.
    1 => Serve,
}

/// Which files of a room the sender has and serves. Sent on a new link if there are any, and then for what is different.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Holds {
    /// Which room.
    #[serde(rename = "r")]
    pub room: RoomName,
    /// Which files, at most [`limits::FILES`].
    #[serde(rename = "f")]
    pub files: Vec<Held>,
}

/// How much of a file somebody has.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Held {
    /// Which.
    #[serde(rename = "h")]
    pub root: Root,
    /// How much.
    #[serde(rename = "m")]
    pub much: Much,
}

/// How much of a file somebody has and serves.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub enum Much {
    /// Nothing any more.
    #[serde(rename = "n")]
    Nothing,
    /// It fetches it, or has some of it.
    #[serde(rename = "s")]
    Some,
    /// All of it.
    #[serde(rename = "a")]
    All,
}

/// The sender fetches a file, or does not any more: while it does, it is told in [`Has`] what the receiver has of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Watch {
    /// Of which room.
    #[serde(rename = "r")]
    pub room: RoomName,
    /// Which file.
    #[serde(rename = "h")]
    pub root: Root,
    /// Whether it does.
    #[serde(rename = "y")]
    pub on: bool,
}

/// Which pieces of a file the sender has, as [`Grid`](crate::file::Grid) numbers them: all of them first, then what has
/// been added.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Has {
    /// Of which room.
    #[serde(rename = "r")]
    pub room: RoomName,
    /// Which file.
    #[serde(rename = "h")]
    pub root: Root,
    /// Runs of first and last.
    #[serde(rename = "p")]
    pub runs: Vec<(u32, u32)>,
    /// Whether what was told before is void.
    #[serde(rename = "w", default, skip_serializing_if = "std::ops::Not::not")]
    pub afresh: bool,
}

/// A wish for a range of a file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Fetch {
    /// The room it is shared in.
    #[serde(rename = "r")]
    pub room: RoomName,
    /// Which file.
    #[serde(rename = "h")]
    pub root: Root,
    /// Where the range begins, a whole number of groups.
    #[serde(rename = "o")]
    pub offset: u64,
    /// How many bytes it has: whole groups, or up to the end of the file.
    #[serde(rename = "l")]
    pub length: u64,
}

/// Whether a range is served.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Serve {
    /// Why not.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<ServeCode>,
}

/// Why a range is not served, as a number for programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "u16", into = "u16")]
pub enum ServeCode {
    /// The file is not here, or not that range of it, or it is not what it was.
    NotHere,
    /// Who asks is not a member of the room, or the file is not shared in it.
    NotShared,
    /// Too much is asked for at once: ask later.
    Busy,
    /// Not known to this version.
    Other(u16),
}

impl From<u16> for ServeCode {
    fn from(number: u16) -> ServeCode {
        match number {
            1 => ServeCode::NotHere,
            2 => ServeCode::NotShared,
            3 => ServeCode::Busy,
            other => ServeCode::Other(other),
        }
    }
}

impl From<ServeCode> for u16 {
    fn from(code: ServeCode) -> u16 {
        match code {
            ServeCode::NotHere => 1,
            ServeCode::NotShared => 2,
            ServeCode::Busy => 3,
            ServeCode::Other(number) => number,
        }
    }
}
