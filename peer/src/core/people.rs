//! Everybody who shares a room with this peer, by key.

use std::collections::{BTreeMap, BTreeSet};

use common::{AccountName, Key, RoomName, address::Addresses};

use super::{backoff::Backoff, io::LinkId};

/// Somebody who shares a room with this peer.
#[derive(Clone, Debug)]
pub struct Person {
    /// What it is called.
    pub name: AccountName,
    /// The rooms shared, at least one.
    pub rooms: BTreeSet<RoomName>,
    /// Whether the tracker says that it is logged in.
    pub online: bool,
    /// Whether the user has been told that it is online.
    pub shown: bool,
    /// Where it is, or was when last seen.
    pub addresses: Addresses,
    /// The link to it, once both have said hello.
    pub link: Option<LinkId>,
    /// Whether it is being dialled.
    pub dialling: bool,
    /// Pauses between dials.
    pub backoff: Backoff,
    /// When it is to be dialled next, if it is.
    pub due: Option<u64>,
    /// Whether it is not dialled yet for the host that it is said to be on.
    pub held: bool,
    /// Since when it has been seen to have no link though it may be there.
    pub unlinked_since: Option<u64>,
    /// How many members have been asked for a way to it.
    pub asked: u32,
    /// Until when it gets no link, for it has broken the rules.
    pub shunned_until: u64,
    /// When the user was last told that it has.
    pub accused_at: Option<u64>,
    /// Until when no more are asked.
    pub asked_until: u64,
}

impl Person {
    /// Whether it can be taken for online: the tracker says so, or a link to it is alive.
    pub fn is_online(&self) -> bool {
        self.online || self.link.is_some()
    }

    /// Whether it may be there though there is no link: the tracker says so, or there is none to say.
    pub fn may_be_there(&self, tracker_up: bool) -> bool {
        self.online || (!tracker_up && !self.addresses.is_empty())
    }

    /// There is a link to it.
    pub fn linked(&mut self, link: LinkId) {
        self.link = Some(link);
        self.backoff.reset();
        (self.unlinked_since, self.asked, self.asked_until) = (None, 0, 0);
    }
}

/// Everybody who shares a room with this peer.
#[derive(Debug)]
pub struct People {
    known: BTreeMap<Key, Person>,
    /// Addresses from before this start, for people not met in it.
    remembered: BTreeMap<Key, Addresses>,
}

impl People {
    /// Nobody yet; `remembered` is where people were at earlier starts.
    pub fn new(remembered: BTreeMap<Key, Addresses>) -> People {
        People { known: BTreeMap::new(), remembered }
    }

    /// The person with this key.
    pub fn get(&self, key: &Key) -> Option<&Person> {
        self.known.get(key)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, key: &Key) -> Option<&mut Person> {
        self.known.get_mut(key)
    }

    /// There is a reason to ask members for a way to somebody at once.
    pub fn ask_again(&mut self, key: &Key) {
        if let Some(person) = self.known.get_mut(key) {
            person.asked_until = 0;
        }
    }

    /// All, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Key, &mut Person)> {
        self.known.iter_mut()
    }

    /// All, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Person)> {
        self.known.iter()
    }

    /// Notes that `key` shares `room`. True if it did not before.
    pub fn shares(&mut self, key: Key, name: &AccountName, room: &RoomName) -> bool {
        let person = self.known.entry(key).or_insert_with(|| Person {
            name: name.clone(),
            rooms: BTreeSet::new(),
            online: false,
            shown: false,
            addresses: self.remembered.remove(&key).unwrap_or_default(),
            link: None,
            dialling: false,
            backoff: Backoff::default(),
            due: None,
            held: false,
            unlinked_since: None,
            asked: 0,
            shunned_until: 0,
            accused_at: None,
            asked_until: 0,
        });
        person.name = name.clone();
        person.rooms.insert(room.clone())
    }

    /// Notes that `key` shares `room` no more. Returns the person if that was the last room.
    pub fn parts(&mut self, key: &Key, room: &RoomName) -> Option<Person> {
        let person = self.known.get_mut(key)?;
        person.rooms.remove(room);
        if !person.rooms.is_empty() {
            return None;
        }
        let person = self.known.remove(key)?;
        self.remembered.insert(*key, person.addresses.clone());
        Some(person)
    }
}
