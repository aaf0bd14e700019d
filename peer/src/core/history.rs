//! What those who join later may have: in an open room, one whose history is [`History::All`], everything that was said
//! since it was made. Who is meant to get a message, and is waited for, stays fixed by its stamp.

use common::{
    AccountName, Key, Version,
    fault::{self, Fault},
    limits,
    table::History,
};

use super::room::Room;

/// Epochs remembered in which a room was open.
pub const OPEN: usize = 256;

impl Room {
    /// Whether every member may have what was said under `stamp`, whenever it joined. The epoch must have been open as
    /// well: a room made again by the same name opens nothing of the one before. Of an epoch that was not seen here
    /// only somebody who saw it brings anything.
    pub fn is_open(&self, stamp: Version) -> bool {
        let opened = self.open.contains(&stamp.epoch) || !self.has_seen(stamp.epoch);
        self.table.history() == History::All && opened
    }

    /// Whether what was said under `stamp` may be passed on to `key` by others than its author.
    pub fn may_be_passed(&self, key: &Key, stamp: Version) -> bool {
        self.surely_for(key, stamp) || (self.is_open(stamp) && self.table.member(key).is_some())
    }

    /// Whether `key` may have what was said under `stamp`.
    pub fn may_have(&self, key: &Key, stamp: Version) -> bool {
        self.is_for(key, stamp) || (self.is_open(stamp) && self.table.member(key).is_some())
    }

    /// Whether `author` is taken to have been a member at `stamp`. What was said while `me` was none, and is open, cannot
    /// be judged here: the word of the present member who brings it is taken.
    pub fn is_vouched(&self, author: &Key, stamp: Version, me: &Key) -> bool {
        self.was_member(author, stamp) || (self.is_open(stamp) && !self.is_for(me, stamp))
    }

    /// Whether messages of `author` are taken from third members: it is or was a member here, or the room is open and
    /// there is space for one more who was.
    pub fn takes_log(&self, author: &Key) -> bool {
        let has_space = self.logs.len() < limits::FOLLOWED || self.logs.contains_key(author);
        self.name_of(author).is_some() || (self.table.history() == History::All && has_space)
    }

    /// What to call an author whom a third member calls `called`. If that is somebody else's name here, or a name with a
    /// key behind it, it gets the author's own key behind it.
    pub fn name_for(&self, author: &Key, called: &AccountName) -> AccountName {
        if let Some(known) = self.name_of(author) {
            return known.clone();
        }
        let fold = called.fold();
        let mut others = self.table.members().map(|m| &m.name).chain(self.past.iter().map(|span| &span.name));
        let taken = called.has_key() || others.any(|name| name.fold() == fold);
        if taken { called.with_key(author) } else { called.clone() }
    }

    /// Notes that the room was open in an epoch. True if that is new.
    pub fn note_open(&mut self, epoch: u64) -> bool {
        let new = self.open.insert(epoch);
        if self.open.len() > OPEN {
            self.open.pop_first();
        }
        new
    }

    /// Whether what this peer has said under `stamp` is sent to `key`.
    pub fn is_sent_to(&self, key: &Key, stamp: Version) -> bool {
        self.was_member(key, stamp) || self.may_have(key, stamp) || fault::on(Fault::RemovedSentTo)
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
