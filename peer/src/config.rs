//! Every setting of a peer. `config/peer.toml` shows them with their defaults.

use std::{net::SocketAddr, time::Duration};

use common::net::endpoint::LinkLimits;
use serde::{Deserialize, Serialize};

/// The settings; a field's documentation is its documentation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The tracker, as `HOST` or `HOST:PORT`; empty to look for one on the LAN.
    pub tracker: String,
    /// Where to listen. Port 0 takes a free one at the first login and keeps it for the life of the profile.
    pub listen: SocketAddr,
    /// How often a link that this peer dialled says that it is alive, in seconds.
    pub keep_alive_s: u64,
    /// After how many seconds of silence a link is dead.
    pub dead_after_s: u64,
    /// Rooms with up to this many members keep a link to every member that is online; in larger ones a link is
    /// dialled when there is something to deliver.
    pub mesh_members: usize,
    /// Links to other peers dialled in one second, at the most.
    pub dials_per_second: u32,
    /// Links to other peers at once, at the most.
    pub links: usize,
    /// Bytes that may wait in memory for one link; what is beyond them is read from the store when it is their turn.
    pub link_buffer_bytes: usize,
    /// Messages that may wait to be signed and stored, at the most, before `say` is told to wait.
    pub say_queue: usize,
    /// The longest pause between two attempts to reach the tracker, in seconds.
    pub tracker_retry_s: u64,
    /// The longest pause between two attempts to reach a member, in seconds.
    pub member_retry_s: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            tracker: String::new(),
            listen: SocketAddr::from(([0u16; 8], 0)),
            keep_alive_s: 5,
            dead_after_s: 15,
            mesh_members: 128,
            dials_per_second: 100,
            links: 1_024,
            link_buffer_bytes: 1024 * 1024,
            say_queue: 4_096,
            tracker_retry_s: 15,
            member_retry_s: 60,
        }
    }
}

impl Config {
    /// What the links of this peer are held to.
    pub fn link_limits(&self) -> LinkLimits {
        LinkLimits {
            keep_alive: Duration::from_secs(self.keep_alive_s),
            dead_after: Duration::from_secs(self.dead_after_s),
            stream_window: 1024 * 1024,
            send_window: 2 * 1024 * 1024,
            handshakes: 256,
        }
    }
}
