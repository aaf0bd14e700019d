//! Which key a name stands for: the one it had when it was first seen. Another key under a known name is doubted:
//! nothing is exchanged with it until the user decides.

use std::collections::{BTreeMap, BTreeSet};

use common::{AccountName, Key, RoomName};

/// Names remembered at the most. Beyond them nobody new is; who is known already stays so.
const NAMES: usize = 200_000;

/// Somebody whose key is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// What they are called, or were when last seen.
    pub name: AccountName,
    /// Whether the user has compared keys with them.
    pub verified: bool,
    /// Whether the user wants to hear nothing from them.
    pub blocked: bool,
    /// Whether there is, or was, something in the conversation with them.
    pub conversed: bool,
}

/// Who is known by which key.
#[derive(Clone, Default, Debug)]
pub struct Trust {
    known: BTreeMap<Key, Known>,
    /// Every name that somebody has or had, folded.
    names: BTreeMap<String, Key>,
    /// Keys that came under somebody else's name, with that name.
    doubted: BTreeMap<Key, AccountName>,
    /// Those of them that the user has decided against.
    settled: BTreeSet<Key>,
    /// The conversations with those who have one, by the name that it has on the wire.
    rooms: BTreeMap<RoomName, Key>,
}

/// What comes of seeing a key under a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Met {
    /// Nothing new.
    Known,
    /// The name is this key's from now on; to be kept.
    Pinned,
    /// The name is another key's.
    Doubted {
        /// Whether that has not been seen before.
        news: bool,
    },
}

impl Trust {
    /// What was kept at earlier starts, for the peer with the key `me`.
    pub fn new(known: BTreeMap<Key, Known>, names: BTreeMap<String, Key>, me: &Key) -> Trust {
        let conversed = known.iter().filter(|(_, known)| known.conversed);
        let rooms = conversed.map(|(key, _)| (RoomName::direct(me, key), *key)).collect();
        Trust { known, names, doubted: BTreeMap::new(), settled: BTreeSet::new(), rooms }
    }

    /// A key is seen under a name.
    pub fn meet(&mut self, key: Key, name: &AccountName) -> Met {
        let fold = name.fold();
        match self.names.get(&fold) {
            Some(owner) if *owner != key => {
                return Met::Doubted { news: self.doubted.insert(key, name.clone()).is_none() };
            }
            Some(_) => {}
            None if self.names.len() >= NAMES => return Met::Known,
            None => {
                self.names.insert(fold, key);
            }
        }
        self.doubted.remove(&key);
        self.settled.remove(&key);
        match self.known.get_mut(&key) {
            Some(known) if known.name == *name => Met::Known,
            Some(known) => {
                known.name = name.clone();
                Met::Pinned
            }
            None => {
                let known = Known { name: name.clone(), verified: false, blocked: false, conversed: false };
                self.known.insert(key, known);
                Met::Pinned
            }
        }
    }

    /// The user decides that a doubted key has its name rightly: nobody else has it any more. Returns the key that had
    /// it so far.
    pub fn decide(&mut self, key: &Key) -> Option<Key> {
        let name = self.doubted.remove(key)?;
        self.settled.remove(key);
        let before = self.names.insert(name.fold(), *key);
        self.meet(*key, &name);
        before
    }

    /// The user has decided against a doubted key: it stays cut off, and there is nothing more to decide.
    pub fn settle(&mut self, key: Key) {
        if self.doubted.contains_key(&key) {
            self.settled.insert(key);
        }
    }

    /// The key under a name that is another's, if there is one to decide on.
    pub fn doubt(&self, name: &AccountName) -> Option<Key> {
        let fold = name.fold();
        let mut under = self.doubted.iter().filter(|(_, doubted)| doubted.fold() == fold);
        under.find(|(key, _)| !self.settled.contains(key)).map(|(key, _)| *key)
    }

    /// Whether a key came under somebody else's name.
    pub fn doubts(&self, key: &Key) -> bool {
        self.doubted.contains_key(key)
    }

    /// Whether the user wants to hear nothing from a key.
    pub fn blocks(&self, key: &Key) -> bool {
        self.known.get(key).is_some_and(|known| known.blocked)
    }

    /// Whether the user has compared keys with somebody.
    pub fn is_verified(&self, key: &Key) -> bool {
        self.known.get(key).is_some_and(|known| known.verified)
    }

    /// Somebody, by key.
    pub fn get(&self, key: &Key) -> Option<&Known> {
        self.known.get(key)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, key: &Key) -> Option<&mut Known> {
        self.known.get_mut(key)
    }

    /// Everybody known.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Known)> {
        self.known.iter()
    }

    /// Whom a name stands for: with a key behind it for whoever has that key, otherwise for its owner.
    pub fn find(&self, name: &AccountName) -> Option<Key> {
        if !name.has_key() {
            return self.names.get(&name.fold()).copied();
        }
        self.known.iter().find(|(key, known)| known.name.with_key(key).fold() == name.fold()).map(|(key, _)| *key)
    }

    /// What somebody is shown as: with a key behind the name if that is another's.
    pub fn shown(&self, key: &Key) -> Option<AccountName> {
        let known = self.known.get(key)?;
        let owns = self.names.get(&known.name.fold()) == Some(key);
        Some(if owns { known.name.clone() } else { known.name.with_key(key) })
    }

    /// Notes that there is a conversation with somebody. True if that is new.
    pub fn converse(&mut self, room: &RoomName, key: &Key) -> bool {
        self.rooms.insert(room.clone(), *key);
        self.known.get_mut(key).is_some_and(|known| !std::mem::replace(&mut known.conversed, true))
    }

    /// With whom a conversation is.
    pub fn other(&self, room: &RoomName) -> Option<&Key> {
        self.rooms.get(room)
    }

    /// The conversations, and with whom each is.
    pub fn conversations(&self) -> impl Iterator<Item = (&RoomName, &Key)> {
        self.rooms.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Key = Key([9; 32]);
    const ONE: Key = Key([1; 32]);
    const TWO: Key = Key([2; 32]);

    fn name(text: &str) -> AccountName {
        text.parse().unwrap()
    }

    fn trust() -> Trust {
        Trust::new(BTreeMap::new(), BTreeMap::new(), &ME)
    }

    #[test]
    fn a_name_stands_for_the_key_that_had_it_first_whatever_its_case() {
        let mut trust = trust();
        assert_eq!(trust.meet(ONE, &name("bob")), Met::Pinned);
        assert_eq!(trust.meet(ONE, &name("bob")), Met::Known);
        assert_eq!(trust.meet(TWO, &name("BOB")), Met::Doubted { news: true });
        assert_eq!(trust.meet(TWO, &name("BOB")), Met::Doubted { news: false });
        assert!(trust.doubts(&TWO) && !trust.doubts(&ONE));
        assert_eq!((trust.find(&name("Bob")), trust.doubt(&name("bob"))), (Some(ONE), Some(TWO)));
    }

    #[test]
    fn who_takes_another_name_keeps_the_one_before() {
        let mut trust = trust();
        trust.meet(ONE, &name("bob"));
        assert_eq!(trust.meet(ONE, &name("robert")), Met::Pinned);
        assert_eq!((trust.find(&name("bob")), trust.find(&name("robert"))), (Some(ONE), Some(ONE)));
        assert_eq!(trust.shown(&ONE), Some(name("robert")));
        assert_eq!(trust.meet(TWO, &name("bob")), Met::Doubted { news: true });
    }

    #[test]
    fn the_user_decides_whose_a_name_is() {
        let mut trust = trust();
        trust.meet(ONE, &name("bob"));
        trust.get_mut(&ONE).unwrap().verified = true;
        trust.meet(TWO, &name("bob"));
        assert_eq!(trust.decide(&TWO), Some(ONE));
        assert!(!trust.doubts(&TWO) && !trust.is_verified(&TWO));
        assert_eq!(trust.find(&name("bob")), Some(TWO));
        assert_eq!(trust.shown(&ONE), Some(name("bob").with_key(&ONE)));
        assert_eq!(trust.find(&name("bob").with_key(&ONE)), Some(ONE));
        assert_eq!(trust.meet(ONE, &name("bob")), Met::Doubted { news: true }, "it is the other's name now");
        assert_eq!(trust.doubt(&name("bob")), Some(ONE), "who comes back under it is to be decided on");
    }

    #[test]
    fn who_was_decided_against_stays_cut_off_and_is_not_asked_about_again() {
        let mut trust = trust();
        trust.meet(ONE, &name("bob"));
        trust.meet(TWO, &name("bob"));
        trust.decide(&TWO);
        trust.meet(ONE, &name("bob"));
        trust.settle(ONE);
        assert_eq!(trust.meet(ONE, &name("bob")), Met::Doubted { news: false });
        assert!(trust.doubts(&ONE));
        assert_eq!(trust.doubt(&name("bob")), None);
    }
}
