//! After a sleep: what this peer holds of connections may be dead, and it may be somewhere else now.

use common::Key;

use super::{Core, Now};

impl Core {
    /// The host has slept. Nothing is waited for: every connection is begun again, as if at a start.
    pub(super) fn woke(&mut self, now: Now) {
        self.life = self.life.wrapping_add(1);
        self.close_all("this host has slept, and dials again");
        self.dial_tracker_afresh(now);
        let everybody: Vec<Key> = self.people.iter().map(|(key, _)| *key).collect();
        for key in everybody {
            self.dial_afresh(key, now);
        }
    }
}
