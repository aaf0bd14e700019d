//! Who of a table's members is there.

use serde::{Deserialize, Serialize};

use crate::{address::Addresses, id::Slot};

/// Where a member's session is right now, or that there is none. It runs under a number of its own beside the
/// table, so that a stamp stays true while people come and go.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Presence {
    /// Whose.
    #[serde(rename = "s")]
    pub slot: Slot,
    /// Its addresses; `None` when offline.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub online: Option<Addresses>,
    /// Online, but away from the keyboard.
    #[serde(rename = "w", default, skip_serializing_if = "std::ops::Not::not")]
    pub away: bool,
}

/// How much of a room's presence somebody has been told: the tracker's run (new with each start, since presence
/// does not outlive it) and the number within the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, Debug)]
pub struct PresenceVersion {
    /// Which start of the tracker.
    #[serde(rename = "r")]
    pub run: u64,
    /// Changes of presence in this room since then.
    #[serde(rename = "n")]
    pub number: u64,
}
