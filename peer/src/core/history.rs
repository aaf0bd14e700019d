//! What those who join later may have: in an open room, one whose history is [`History::All`], everything that was said
//! since it was made. Who is meant to get a message, and is waited for, stays fixed by its stamp.

use common::{AccountName, Key, Version, limits, table::History};

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

    /// Whether what was said under `stamp` may be passed on to `key`.
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

    /// Notes the epoch of the table held if the room is open in it. True if that is new.
    pub fn opened(&mut self) -> bool {
        let new = self.table.history() == History::All && self.open.insert(self.table.version().epoch);
        if self.open.len() > OPEN {
            self.open.pop_first();
        }
        new
    }

    /// Whether what this peer has said under `stamp` is sent to `key`.
    pub fn is_sent_to(&self, key: &Key, stamp: Version) -> bool {
        self.was_member(key, stamp) || self.may_have(key, stamp)
    }
}

#[cfg(test)]
mod tests {
    use common::{
        Slot,
        table::{Member, Role, Table},
    };

    use super::{
        super::room::{Gap, Span},
        *,
    };

    fn key(n: u8) -> Key {
        Key([n; 32])
    }

    fn version(epoch: u64, number: u64) -> Version {
        Version { epoch, number }
    }

    /// A room of epoch 2 as its member 1 holds it, who joined last, with version 5. Member 2 is there since version 3.
    fn room(history: History) -> Room {
        let member = |n: u8, since| Member {
            slot: Slot(n.into()),
            key: key(n),
            name: format!("m{n}").parse().unwrap(),
            role: Role::Member,
            since,
        };
        let mut room = Room::new(&"lobby".parse().unwrap(), &key(1));
        room.table = Table::from_snapshot(version(2, 5), [member(1, 5), member(2, 3)]).unwrap().with_history(history);
        room.opened();
        room
    }

    #[test]
    fn who_joins_may_have_what_was_said_before_only_if_the_room_is_open() {
        let (open, usual) = (room(History::All), room(History::Joined));
        for (stamp, is_for) in [(version(2, 4), false), (version(2, 5), true)] {
            assert_eq!((open.may_have(&key(1), stamp), usual.may_have(&key(1), stamp)), (true, is_for));
            assert_eq!((open.is_for(&key(1), stamp), usual.is_for(&key(1), stamp)), (is_for, is_for), "who is meant");
        }
        assert!(!open.may_have(&key(9), version(2, 4)), "who is out is out");
    }

    #[test]
    fn an_open_room_opens_nothing_of_one_before_it_that_was_not() {
        let mut room = room(History::All);
        assert!(room.is_open(version(1, 1)), "of what was not seen here, who saw it brings what is open");
        room.skipped(Gap { after: version(1, 9), until: version(2, 5) });
        assert!(!room.is_open(version(1, 1)) && room.is_open(version(2, 1)));
        room.open.insert(1);
        assert!(room.is_open(version(1, 1)));
    }

    #[test]
    fn who_has_said_what_is_vouched_for_only_where_it_was_not_seen() {
        let (open, usual) = (room(History::All), room(History::Joined));
        let before = version(2, 1);
        for author in [2, 9] {
            assert!(open.is_vouched(&key(author), before, &key(1)));
            assert!(!usual.is_vouched(&key(author), before, &key(1)));
        }
        assert!(!open.is_vouched(&key(9), version(2, 5), &key(1)), "the table of that version is held");
    }

    #[test]
    fn logs_of_strangers_are_bounded() {
        let mut room = room(History::All);
        assert!(room.takes_log(&key(9)));
        let numbered = |n: usize| Key([n.to_be_bytes(); 4].concat().try_into().unwrap());
        let log = super::super::log::Log::new(&"lobby".parse().unwrap(), &key(9));
        room.logs = (0..limits::FOLLOWED).map(numbered).map(|author| (author, log.clone())).collect();
        assert!(!room.takes_log(&key(9)) && room.takes_log(&key(2)));
    }

    #[test]
    fn the_name_of_somebody_here_is_not_given_to_a_stranger() {
        let mut room = room(History::All);
        let ended =
            Span { key: key(3), name: "gone".parse().unwrap(), from: version(2, 1), until: version(2, 2), why: None };
        room.ended(ended);
        let name =
            |called: &str| room.name_for(&key(9), &AccountName::try_from(called.to_string()).unwrap()).to_string();
        assert_eq!(name("stranger"), "stranger");
        assert_eq!([name("M2"), name("Gone"), name("m2~aaaaaaaa")], ["M2~09090909", "Gone~09090909", "m2~09090909"]);
        assert_eq!(room.name_for(&key(3), &"other".parse().unwrap()).as_str(), "gone", "who is known keeps its name");
    }
}
