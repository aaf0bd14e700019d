//! What goes into the part of the core that moves files, and what comes out.

use std::path::PathBuf;

use common::{
    RoomName,
    file::{FileInfo, Pieces, Root},
    wire::{
        control::{Refusal, files::Limits},
        peer::{Fetch, ServeCode},
    },
};

use crate::core::{AskId, LinkId};

/// Names one range that is fetched; given by the core, never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FetchId(pub u64);

/// Names one range that somebody asks for; given by the shell, never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ServeId(pub u64);

/// Tells what lies on disk from what may have taken its place: made of the lengths and the times of the last change of
/// the file, or of all files of a folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark(pub u64);

/// A file's bytes on this machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// What it should be.
    pub file: FileInfo,
    /// Where it is, or is to be once it is whole: a file, or a folder. What is not whole yet lies beside it under
    /// another name.
    pub path: PathBuf,
    /// Whether it is whole, under its name.
    pub whole: bool,
}

/// A file that this peer has, or fetches, as it is kept over a restart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Where.
    pub place: Place,
    /// What lay there when it was last seen to be whole.
    pub mark: Option<Mark>,
    /// How it got here.
    pub stage: Stage,
}

/// How a file came to be here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stage {
    /// It was here, and is shared from where it lies.
    Own,
    /// It was or is fetched.
    Fetch {
        /// The transfer's number.
        id: u64,
        /// In which room it is shared.
        room: RoomName,
        /// Whether the user has stopped it for now.
        paused: bool,
        /// Whether it may take the place of a file that is there.
        overwrite: bool,
        /// At most so many bytes a second.
        limit: Option<u64>,
    },
}

/// A file that has been hashed to be shared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hashed {
    /// What it is.
    pub file: FileInfo,
    /// Where it is.
    pub path: PathBuf,
    /// What lies there.
    pub mark: Mark,
}

/// What [`FileOutput::Check`] has found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// These pieces, each proven by its hashes, of a file that is not whole yet; none, if there is nothing.
    Pieces(Pieces),
    /// The whole file, which is what it was by its mark.
    Whole,
    /// Another file than it was, or none, for this reason.
    Changed(String),
}

/// How a range that was fetched ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FetchEnd {
    /// All of it is here.
    Done,
    /// The holder does not serve it.
    Refused(ServeCode),
    /// The holder has sent what is not in the file, or not what the protocol calls for.
    Wrong(String),
    /// The stream or the link has ended before all of it came, or nothing came for too long.
    Broken(String),
    /// It cannot be written here: a full disk, say.
    Disk(String),
}

/// How a range that was served ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ServeEnd {
    /// All of it was taken.
    Done,
    /// The other side takes no more.
    Broken,
    /// What lies here is not what it was: nothing wrong was sent.
    Changed(String),
}

/// Something that has happened.
#[derive(Clone, Debug)]
pub enum FileInput {
    /// To [`FileOutput::Hash`]: all of them, or why one could not be.
    Hashed(AskId, RoomName, Result<Vec<Hashed>, Refusal>),
    /// To [`FileOutput::Prepare`]: where the file is to be, and, if it is not what was asked for, a word about that.
    Prepared(AskId, Result<(PathBuf, Option<String>), Refusal>),
    /// To [`FileOutput::Check`].
    Found(Root, Found),
    /// So many more bytes of a range have come, and been proven.
    Came(FetchId, u64),
    /// A piece is proven and on disk.
    Got(FetchId, u32),
    /// A range comes no further. The pieces that have not been [`FileInput::Got`] are missing.
    FetchEnded(FetchId, FetchEnd),
    /// To [`FileOutput::Finish`]: where the file is now, or why it could not be put there.
    Finished(Root, Result<(PathBuf, Mark), String>),
    /// Somebody asks for a range.
    Asked(ServeId, LinkId, Fetch),
    /// So many more bytes of a range have been sent.
    Sent(ServeId, u64),
    /// A range is served no further; also one that was waiting and is no longer wanted.
    ServeEnded(ServeId, ServeEnd),
}

/// Something to do.
#[derive(Clone, PartialEq, Debug)]
pub enum FileOutput {
    /// Hash these, to share them in a room; and keep their hashes, to serve them.
    Hash(AskId, RoomName, Vec<PathBuf>),
    /// See where a file may be put: its name made harmless, in the folder that it is to be in, nothing overwritten unasked,
    /// enough room on the disk.
    Prepare {
        /// Whose question.
        ask: AskId,
        /// What is to be put there.
        file: FileInfo,
        /// Where, as the user said.
        to: PathBuf,
        /// Whether a file that is there may be replaced.
        overwrite: bool,
    },
    /// Look what there is of a file: by its mark if it is whole, else piece by piece.
    Check(Place, Option<Mark>),
    /// Fetch pieces in a row over a link.
    Fetch {
        /// For what comes of it.
        fetch: FetchId,
        /// Over which link.
        link: LinkId,
        /// In which room the file is shared.
        room: RoomName,
        /// Where it goes.
        place: Place,
        /// The first and the last piece.
        pieces: (u32, u32),
        /// At most so many bytes a second of this file, from all holders together.
        limit: Option<u64>,
    },
    /// Fetch this no further; nothing more is to be told of it.
    Stop(FetchId),
    /// Put a file that has all its pieces under its name.
    Finish {
        /// What and where.
        place: Place,
        /// Whether a file that is there may be replaced.
        overwrite: bool,
    },
    /// Delete what there is of a file that is not whole.
    Discard(Place),
    /// Forget the hashes of a file that is not served any more. The file itself stays.
    Forget(Root),
    /// Serve the range.
    Serve(ServeId, Place),
    /// Do not serve it.
    Refuse(ServeId, ServeCode),
    /// How fast files may move.
    Limit(Limits),
}
