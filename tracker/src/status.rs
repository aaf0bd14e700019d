//! What a tracker holds and has carried: asked over a socket in its data folder, for `tracker status`.

use serde::{Deserialize, Serialize};

/// The answer of `tracker status --json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The version of this object: 1.
    pub v: u32,
    /// What the tracker calls its accounts.
    pub domain: String,
    /// Registered accounts.
    pub accounts: u64,
    /// Sessions logged in.
    pub sessions: u64,
    /// Rooms.
    pub rooms: u64,
    /// Members of all rooms.
    pub members: u64,
    /// Changes of tables and presence since it started.
    pub changes: u64,
    /// Updates and snapshots pushed since it started.
    pub pushes: u64,
    /// UDP payload received since it started, in bytes.
    pub bytes_in: u64,
    /// UDP payload sent since it started, in bytes.
    pub bytes_out: u64,
    /// Since it started, in seconds.
    pub uptime_s: u64,
}
