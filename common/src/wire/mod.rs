//! What is said on the wire: to and from a tracker, between peers, and over the local control socket.

pub mod control;
pub mod peer;
pub mod tracker;

use crate::limits;

/// Cuts a reason to [`limits::REASON_CHARS`] and takes out control characters, so that it can be shown to a person
/// whoever sent it.
pub fn printable(reason: &str) -> String {
    reason.chars().filter(|c| !c.is_control()).take(limits::REASON_CHARS).collect()
}
