//! What the files' part of the core hands back to the rest of it.

use common::{
    RoomName,
    file::{FileInfo, Root},
    wire::{control::Refusal, peer::PeerFrame},
};

use super::{FileOutput, Kept};
use crate::core::{AskId, LinkId};

/// Something to do.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// For the shell.
    Do(FileOutput),
    /// Say this to a peer.
    Tell(LinkId, PeerFrame),
    /// Keep this over a restart.
    Keep(Kept),
    /// Do so no more.
    Unkeep(Root),
    /// Answer the user with a transfer, by its number.
    Begun(AskId, u64),
    /// Answer the user that it cannot be.
    Refused(AskId, Refusal),
    /// Files have been hashed: share them in a room, and answer the user.
    Offer(AskId, RoomName, Vec<FileInfo>),
    /// Show the user a transfer, by its number.
    Show(u64),
    /// Whoever is at the other side of a link has done what they may not, in a room.
    Accuse(LinkId, RoomName, String),
}
