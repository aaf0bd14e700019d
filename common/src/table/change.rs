//! Changes of a table: one step each, and how it came about.

use serde::{Deserialize, Serialize};

use super::{Member, Settings, Shared};
use crate::{
    file::Root,
    id::{Slot, Version},
};

/// One step of a table, from one version to the next, and how it came about.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Change {
    /// What is different.
    #[serde(rename = "c")]
    pub step: Step,
    /// Who did it, by the slot it had before; `None` for whom it is about, and for the tracker.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Slot>,
    /// When, by the tracker's clock, in seconds since 1970.
    #[serde(rename = "t")]
    pub at: u64,
}

/// What is different after a change.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub enum Step {
    /// A slot has this member now: somebody joined, or the member's name or role is another.
    #[serde(rename = "p")]
    Put(Member),
    /// A slot is free.
    #[serde(rename = "d")]
    Gone {
        /// Which.
        #[serde(rename = "s")]
        slot: Slot,
        /// Why.
        #[serde(rename = "w")]
        why: Departure,
    },
    /// The room is like this now.
    #[serde(rename = "s")]
    Set(Settings),
    /// A member shares a file, or says something else of one that it shares.
    #[serde(rename = "f")]
    Share(Shared),
    /// It shares the file no more.
    #[serde(rename = "u")]
    Unshare {
        /// The member's slot.
        #[serde(rename = "s")]
        slot: Slot,
        /// Which file.
        #[serde(rename = "h")]
        root: Root,
    },
}

impl Step {
    /// The change that makes this step at a time, done by whom it is about or by the tracker.
    pub fn at(self, at: u64) -> Change {
        Change { step: self, by: None, at }
    }
}

/// How somebody stopped being a member.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub enum Departure {
    /// By leaving.
    #[serde(rename = "l")]
    Left,
    /// By not being seen for the tracker's `member_expiry`.
    #[serde(rename = "e")]
    Expired,
    /// By being removed. It may join again, or ask to.
    #[serde(rename = "k")]
    Removed,
    /// By being removed for good.
    #[serde(rename = "b")]
    Banned,
    /// By another key taking the account over, since this one is lost: it joins in the same moment.
    #[serde(rename = "n")]
    Rekeyed,
}

impl Departure {
    /// The word for it in a store.
    pub fn as_str(&self) -> &'static str {
        match self {
            Departure::Left => "left",
            Departure::Expired => "expired",
            Departure::Removed => "removed",
            Departure::Banned => "banned",
            Departure::Rekeyed => "rekeyed",
        }
    }

    /// The departure that a word stands for.
    pub fn of_str(word: &str) -> Option<Departure> {
        use Departure::{Banned, Expired, Left, Rekeyed, Removed};
        [Left, Expired, Removed, Banned, Rekeyed].into_iter().find(|why| why.as_str() == word)
    }
}

/// Contiguous changes: what turns the table at version `from` into the one at `to`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delta {
    /// The version to apply them to.
    pub from: Version,
    /// One step of the number each.
    pub changes: Vec<Change>,
}

impl Delta {
    /// The version they lead to.
    pub fn to(&self) -> Version {
        self.from.after(self.changes.len())
    }

    /// Two deltas in a row as one. `None`, and nothing is lost but the call, if `next` does not begin where this ends.
    pub fn merge(mut self, next: Delta) -> Option<Delta> {
        if next.from != self.to() {
            return None;
        }
        self.changes.extend(next.changes);
        Some(self)
    }
}

/// Why a change does not fit a table: the two were not made for each other, and a snapshot is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// It begins at another version than the table's.
    #[error("the change begins at version {found}, the table is at {held}")]
    Version {
        /// The table's.
        held: Version,
        /// The change's.
        found: Version,
    },
    /// It frees a slot that is free.
    #[error("slot {0} is already free")]
    Free(Slot),
    /// It gives a member's slot to somebody else, or a key a second slot.
    #[error("slot {0} or its key is already taken")]
    Taken(Slot),
    /// A member that joined is not dated with the version that brought it.
    #[error("the member in slot {0} is dated wrongly")]
    Dated(Slot),
    /// It is about a file of a slot that is free, or takes one away that is not shared.
    #[error("slot {0} shares no such file")]
    File(Slot),
    /// What a member says of a file is out of its bounds.
    #[error("slot {0} shares a file that no file can be")]
    Offer(Slot),
    /// More files are shared, by a member or in all, than a list has space for.
    #[error("slot {0} shares more files than the list has space for")]
    Full(Slot),
    /// It changes what is fixed when a room is made.
    #[error("a room's history and approval are fixed when it is made")]
    Fixed,
}
