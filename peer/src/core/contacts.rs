//! Contacts: the mirror of what the tracker tells of them, kept so that they are known without it as well.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    AccountName, Key, RoomName,
    address::Addresses,
    limits,
    wire::{
        control::{
            MemberChange,
            people::{AnswerPeople, ContactLine},
        },
        tracker::{Contact, ContactState, Contacts as Told, SetContact, Shown, Wish},
    },
};

use super::{AskId, Core, Now, Output, Row, command::Answer, people::Standing, requests::What};

/// Contacts held at the most, with some that are about to go.
const HELD: usize = 2 * limits::CONTACTS;

/// How this peer's account and somebody stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// What they are called.
    pub name: AccountName,
    /// How they stand.
    pub state: ContactState,
    /// When they were last seen, in seconds since 1970, if they were offline then and did not hide it.
    pub seen: Option<u64>,
}

/// All contacts.
#[derive(Default, Debug)]
pub struct Contacts {
    held: BTreeMap<Key, Held>,
    /// Those named so far while all of them are told.
    named: BTreeSet<Key>,
    /// Where those are whose keys the user has to decide on, if they are online.
    undecided: BTreeMap<Key, Addresses>,
    /// Whether the tracker is to be told of blocks made and lifted without it, once it has told all it holds.
    to_compare: bool,
    /// How this session is to be shown.
    pub shown: Shown,
}

impl Contacts {
    /// As they were kept.
    pub fn new(held: BTreeMap<Key, Held>, hide_seen: bool) -> Contacts {
        Contacts {
            held,
            named: BTreeSet::new(),
            undecided: BTreeMap::new(),
            to_compare: false,
            shown: Shown { away: false, hide_seen },
        }
    }

    /// Whether both have agreed.
    pub fn is_contact(&self, key: &Key) -> bool {
        self.held.get(key).is_some_and(|held| held.state == ContactState::Contact)
    }

    fn state(&self, key: &Key) -> Option<ContactState> {
        self.held.get(key).map(|held| held.state)
    }
}

/// The word for it on the command line.
pub fn word(state: ContactState) -> &'static str {
    match state {
        ContactState::Asked => "asked",
        ContactState::Asks => "asks",
        ContactState::Contact => "contact",
        ContactState::Blocked => "blocked",
        ContactState::Gone => "gone",
        ContactState::Rekeyed => "rekeyed",
    }
}

/// The state of a word, for the store.
pub fn of_word(text: &str) -> Option<ContactState> {
    use ContactState::{Asked, Asks, Blocked, Contact};
    [Asked, Asks, Contact, Blocked].into_iter().find(|state| word(*state) == text)
}

impl Core {
    /// The contacts that were kept are known from the start.
    pub(super) fn meet_contacts(&mut self) {
        let held: Vec<(Key, AccountName)> = self.contacts.held.iter().map(|(key, h)| (*key, h.name.clone())).collect();
        for (key, name) in held {
            self.trust.meet(key, &name);
        }
    }

    /// The tracker tells the last word about some contacts.
    pub(super) fn told_contacts(&mut self, told: Told, now: Now) {
        let Told { contacts, whole, more } = told;
        if self.contacts.held.len() + contacts.len() > HELD || self.contacts.named.len() > HELD {
            return self.resync("it tells of more contacts than a peer takes", now);
        }
        if whole || more {
            self.contacts.named.extend(contacts.iter().map(|contact| contact.key));
        }
        for contact in contacts {
            self.told_contact(contact, now);
        }
        if whole && !more {
            let named = std::mem::take(&mut self.contacts.named);
            let gone: Vec<Key> = self.contacts.held.keys().filter(|key| !named.contains(key)).copied().collect();
            gone.into_iter().for_each(|key| self.no_contact(&key));
        } else if !more {
            self.contacts.named.clear();
        }
        if !more && std::mem::take(&mut self.contacts.to_compare) {
            self.tell_blocks(now);
        }
    }

    /// The tracker has welcomed this peer, and will tell of the contacts.
    pub(super) fn compare_contacts(&mut self) {
        self.contacts.to_compare = true;
    }

    /// Blocks made and lifted while the tracker was away are told to it.
    fn tell_blocks(&mut self, now: Now) {
        let held = |key: &Key| self.contacts.state(key) == Some(ContactState::Blocked);
        let apart = self.trust.iter().filter(|(key, known)| known.blocked != held(key));
        let wishes: Vec<SetContact> = apart
            .take(HELD)
            .map(|(key, known)| SetContact {
                id: 0,
                name: known.name.clone(),
                key: Some(*key),
                wish: if known.blocked { Wish::Block } else { Wish::Unblock },
            })
            .collect();
        wishes.into_iter().for_each(|wish| self.request(What::Standing(wish), now));
    }

    fn told_contact(&mut self, told: Contact, now: Now) {
        let Contact { key, name, state, online, away, seen } = told;
        if key == self.me {
            return;
        }
        let before = self.contacts.state(&key);
        let place = self.place_of(&key, &name);
        match state {
            ContactState::Gone => return self.no_contact(&key),
            ContactState::Rekeyed => {
                // It is told at each login.
                if self.contacts.held.remove(&key).is_some() {
                    self.event(&place, name, MemberChange::Rekeyed);
                    self.out.push(Output::Keep(Row::Contact(key, None)));
                }
                return;
            }
            _ => {}
        }
        self.meet(key, &name, Some(&place));
        let held = Held { name: name.clone(), state, seen };
        if self.contacts.held.get(&key) != Some(&held) {
            self.out.push(Output::Keep(Row::Contact(key, Some(held.clone()))));
            self.contacts.held.insert(key, held);
        }
        if before != Some(state) {
            match before {
                Some(ContactState::Contact) => self.event(&place, name.clone(), MemberChange::Parted),
                Some(ContactState::Blocked) => self.block(&key, false),
                _ => {}
            }
            match state {
                ContactState::Asks => self.event(&place, name.clone(), MemberChange::Asks),
                ContactState::Contact => self.event(&place, name.clone(), MemberChange::Contact),
                ContactState::Blocked => self.block(&key, true),
                _ => {}
            }
        }
        if self.trust.doubts(&key) {
            match online {
                Some(addresses) => self.contacts.undecided.insert(key, addresses),
                None => self.contacts.undecided.remove(&key),
            };
        } else if state == ContactState::Contact && !self.trust.blocks(&key) {
            self.begin_direct(key, now);
            if let Some(person) = self.people.get_mut(&key).filter(|_| online.is_some()) {
                person.away = away;
            }
            match online {
                Some(addresses) => self.is_at(key, &addresses, now),
                // In a room they share the tracker tells it also of who has blocked this account.
                None if !self.shares_a_room(&key) => {
                    if let Some(person) = self.people.get_mut(&key) {
                        person.online = false;
                    }
                }
                None => {}
            }
            // Who has only just become a contact is not told to have come.
            if before == Some(state) { self.show_presence(&key) } else { self.quietly_shown(&key) }
        }
    }

    /// Where what happens with somebody is told: the conversation with whoever the user knows by that name.
    fn place_of(&mut self, key: &Key, name: &AccountName) -> RoomName {
        let known = self.trust.find(name).unwrap_or(*key);
        if known == *key {
            self.meet(*key, name, None);
        }
        let place = RoomName::direct(&self.me, &known);
        self.conversed(&place, &known);
        place
    }

    fn shares_a_room(&self, key: &Key) -> bool {
        self.people.get(key).is_some_and(|person| person.rooms.iter().any(RoomName::is_plain))
    }

    /// The user has decided that a contact's key is right.
    pub(super) fn contact_decided(&mut self, key: Key, now: Now) {
        let online = self.contacts.undecided.remove(&key);
        if self.contacts.is_contact(&key) {
            self.begin_direct(key, now);
            if let Some(addresses) = online {
                self.is_at(key, &addresses, now);
            }
        }
    }

    fn no_contact(&mut self, key: &Key) {
        self.contacts.undecided.remove(key);
        let Some(held) = self.contacts.held.remove(key) else { return };
        self.out.push(Output::Keep(Row::Contact(*key, None)));
        match held.state {
            ContactState::Contact => {
                let place = RoomName::direct(&self.me, key);
                self.event(&place, held.name, MemberChange::Parted);
                self.end_if_empty(key);
            }
            ContactState::Blocked => self.block(key, false),
            _ => {}
        }
    }

    /// A conversation in which nothing was said is no reason to know somebody.
    fn end_if_empty(&mut self, key: &Key) {
        let room = self.rooms.get(&RoomName::direct(&self.me, key));
        if room.is_some_and(|room| room.own.head.number == 0 && room.logs.is_empty()) {
            self.end_direct(key);
        } else if !self.shares_a_room(key)
            && let Some(person) = self.people.get_mut(key)
        {
            person.online = false;
            self.show_presence(key);
        }
    }

    /// Takes and sends nothing more in the conversation with somebody, or does so again.
    pub(super) fn block(&mut self, key: &Key, blocked: bool) {
        let Some(known) = self.trust.get_mut(key) else { return };
        if std::mem::replace(&mut known.blocked, blocked) == blocked {
            return;
        }
        self.keep_known(key);
        if blocked {
            self.end_direct(key);
        } else if self.rooms.contains_key(&RoomName::direct(&self.me, key)) {
            // What was dropped meanwhile counts as sent on a link that stands: on another one it comes again.
            if let Some(link) = self.people.get(key).and_then(|person| person.link) {
                self.close(link, "begun again");
            }
            self.begin_direct(*key, self.clock);
            self.schedule_first(*key, self.clock);
        }
    }

    /// Somebody is online, and can be reached there.
    pub(super) fn is_at(&mut self, key: Key, addresses: &Addresses, now: Now) {
        let Some(person) = self.people.get_mut(&key) else { return };
        let moved = !addresses.is_empty() && person.addresses != *addresses;
        if moved {
            person.addresses = addresses.clone();
            self.out.push(Output::Keep(Row::Addresses(key, addresses.clone())));
            self.book.moved(&key);
        }
        if moved || !person.online {
            person.backoff.reset();
            person.online = true;
            self.schedule_first(key, now);
        }
    }

    /// The tracker has done what was wished. It tells the new state by itself; a block holds from now on.
    pub(super) fn wish_done(&mut self, ask: AskId, wish: &SetContact) {
        let key = wish.key.or_else(|| self.trust.find(&wish.name));
        if let Some(key) = key.filter(|_| matches!(wish.wish, Wish::Block | Wish::Unblock)) {
            self.block(&key, wish.wish == Wish::Block);
        }
        self.reply(ask, Ok(Answer::People(AnswerPeople::Done {})));
    }

    /// Tells the tracker how this session is to be shown.
    pub(super) fn set_away(&mut self, away: bool) {
        if self.contacts.shown.away != away {
            self.contacts.shown.away = away;
            if self.tracker.is_up() {
                self.tell(self.contacts.shown.clone());
            }
        }
    }

    /// To [`AskPeople::Contacts`](common::wire::control::people::AskPeople).
    pub(super) fn contact_lines(&self) -> Vec<ContactLine> {
        let mut lines: Vec<ContactLine> =
            self.contacts.held.iter().map(|(key, held)| self.contact_line(key, held)).collect();
        let only_here = self.trust.iter().filter(|(key, known)| known.blocked && !self.contacts.held.contains_key(key));
        lines.extend(only_here.map(|(key, known)| {
            let held = Held { name: known.name.clone(), state: ContactState::Blocked, seen: None };
            self.contact_line(key, &held)
        }));
        lines.sort_by(|a, b| a.name.cmp(&b.name));
        lines
    }

    fn contact_line(&self, key: &Key, held: &Held) -> ContactLine {
        let person = self.people.get(key).filter(|_| held.state == ContactState::Contact);
        let standing = person.map_or(Standing::Offline, |person| person.standing());
        ContactLine {
            name: held.name.clone(),
            state: match held.state {
                _ if self.trust.doubts(key) => "identity".into(),
                _ if self.trust.blocks(key) => word(ContactState::Blocked).into(),
                state => word(state).into(),
            },
            online: standing != Standing::Offline,
            away: standing == Standing::Away,
            seen: held.seen.filter(|_| standing == Standing::Offline),
            key: key.to_string(),
            verified: self.trust.is_verified(key),
        }
    }
}

#[cfg(test)]
#[path = "contacts_tests.rs"]
mod tests;
