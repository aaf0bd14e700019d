//! Files that members share, and those under way to this peer.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    file::FileInfo,
    name::{AccountName, RoomName},
};

/// What may be asked about files: each a method of the control socket with its params.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(tag = "method", content = "params", rename_all = "snake_case")]
pub enum AskFiles {
    /// To share files and folders of this machine in a room: a list of [`FileLine`], once all of them are hashed.
    Share(Share),
    /// To share a file no more: `{}`.
    Unshare(NamedFile),
    /// What is shared in a room: a list of [`FileLine`].
    Files(OfRoom),
    /// To fetch a file: [`Transfer`], as it begins.
    Get(Get),
    /// What is under way, or has ended since the peer started: a list of [`Transfer`].
    Transfers {},
    /// One of them: [`Transfer`].
    Transfer(TransferId),
    /// To stop for now; what is here stays: [`Transfer`].
    Pause(TransferId),
    /// To go on: [`Transfer`].
    Resume(TransferId),
    /// To stop for good; what has come so far is deleted: [`Transfer`].
    CancelTransfer(TransferId),
    /// How fast files may move; what is not named stays as it is: [`Limits`].
    Limit(Limits),
}

impl AskFiles {
    /// The methods.
    pub const METHODS: [&str; 10] =
        ["share", "unshare", "files", "get", "transfers", "transfer", "pause", "resume", "cancel_transfer", "limit"];

    /// The room that it names, if any.
    pub fn room_mut(&mut self) -> Option<&mut RoomName> {
        match self {
            AskFiles::Share(share) => Some(&mut share.room),
            AskFiles::Unshare(named) => Some(&mut named.room),
            AskFiles::Files(of) => Some(&mut of.room),
            AskFiles::Get(get) => Some(&mut get.room),
            _ => None,
        }
    }
}

/// What comes back, each for the [`AskFiles`] of like name.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(untagged)]
pub enum AnswerFiles {
    /// It is done, and there is nothing to tell.
    Done {},
    /// Files of a room.
    Files(Vec<FileLine>),
    /// What is under way.
    Transfers(Vec<Transfer>),
    /// One of them.
    Transfer(Box<Transfer>),
    /// How fast files may move.
    Limits(Limits),
}

/// Params of `share`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Share {
    /// Where.
    pub room: RoomName,
    /// What: absolute paths.
    pub paths: Vec<PathBuf>,
}

/// Params that name a room.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct OfRoom {
    /// Which.
    pub room: RoomName,
}

/// Params that name a file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct NamedFile {
    /// Where it is shared.
    pub room: RoomName,
    /// Its name, or the first eight or more digits of its root.
    pub file: String,
}

/// Params of `get`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Get {
    /// Where it is shared.
    pub room: RoomName,
    /// Its name, or the first eight or more digits of its root.
    pub file: String,
    /// Where it is to be: an absolute path. In a folder that is there it gets its own name.
    pub to: PathBuf,
    /// Whether a file that is there may be replaced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overwrite: bool,
    /// At most so many bytes a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// Params that name a transfer.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct TransferId {
    /// Its number.
    pub id: u64,
}

/// How fast files may move, in bytes a second; 0 for as fast as they can.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub struct Limits {
    /// From this peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<u64>,
    /// To this peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down: Option<u64>,
}

/// A file as it is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct FileShown {
    /// What whoever shares it calls it.
    pub name: String,
    /// The hash that names it, in hexadecimal.
    pub root: String,
    /// Bytes of the file, or of all files in the folder.
    pub size: u64,
    /// Whether it is a folder.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub folder: bool,
    /// What kind of file it is, as `image/jpeg`; empty if that is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub media: String,
    /// A picture's width, in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// A picture's height, in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}

impl From<&FileInfo> for FileShown {
    fn from(file: &FileInfo) -> FileShown {
        let (width, height) = file.pixels.unzip();
        FileShown {
            name: file.name.clone(),
            root: file.root.to_string(),
            size: file.size - file.head,
            folder: file.is_folder(),
            media: file.media.clone(),
            width,
            height,
        }
    }
}

/// A line of `peer files`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct FileLine {
    /// Where it is shared.
    pub room: RoomName,
    /// What.
    #[serde(flatten)]
    pub file: FileShown,
    /// By whom; several members may share the same file.
    pub from: Vec<AccountName>,
    /// When it was shared first, in milliseconds since 1970.
    pub at: u64,
    /// How many members have all of it right now, as far as they are linked; this peer counts.
    pub whole: u32,
    /// How many others have a part of it.
    pub part: u32,
    /// How much of it is here.
    pub here: Here,
    /// Where it is on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
}

/// How much of a file is on this machine.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Here {
    /// Nothing.
    None,
    /// It is being fetched.
    Part,
    /// All of it.
    Whole,
    /// It was here, but what is there now is another file, or none: it is not served.
    Changed,
}

/// A file under way to this peer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Transfer {
    /// Its number, as `peer pause` takes it.
    pub id: u64,
    /// Where it is shared.
    pub room: RoomName,
    /// What.
    #[serde(flatten)]
    pub file: FileShown,
    /// How it is.
    pub state: TransferState,
    /// Where it is, or is to be, on this machine.
    pub path: PathBuf,
    /// Bytes that are here, checked.
    pub done: u64,
    /// Bytes in all, which for a folder are a little more than those of its files.
    pub total: u64,
    /// Bytes a second, lately.
    pub rate: u64,
    /// Seconds that are left at that rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_s: Option<u64>,
    /// From whom bytes come right now, with the bytes that each has sent in all.
    pub sources: Vec<Source>,
    /// Why it stands still or has failed, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// Somebody from whom a file comes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Source {
    /// Who.
    pub name: AccountName,
    /// Bytes that have come from there since the peer started.
    pub bytes: u64,
}

/// How a transfer is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum TransferState {
    /// What is on disk from before is being checked.
    Checking,
    /// It is under way, or waits for somebody who has what is missing.
    Fetching,
    /// Stopped by the user.
    Paused,
    /// It is whole and under its name.
    Done,
    /// It cannot go on until something is done about it; then `peer resume` goes on.
    Failed,
    /// Stopped by the user for good.
    Cancelled,
}

impl TransferState {
    /// Whether nothing more happens by itself.
    pub fn is_over(&self) -> bool {
        matches!(self, TransferState::Done | TransferState::Failed | TransferState::Cancelled)
    }
}
