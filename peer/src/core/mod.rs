//! The decisions of a peer, without any I/O: a core takes an [`Input`] and the time, and says in [`Output`]s what is
//! to be done.
//!
//! Architecture invariant: nothing in here awaits, reads a clock, a socket, a file or a random source.

#[cfg(test)]
mod alone;
mod answers;
mod ask_people;
mod backoff;
mod book;
mod breach;
mod causal;
mod changes;
#[cfg(test)]
mod changes_tests;
mod claim;
pub mod command;
pub mod contacts;
mod delivery;
mod dials;
pub mod direct;
mod directory;
mod door;
mod feed;
pub mod files;
mod frontier;
pub mod history;
mod hosts;
mod io;
mod links;
pub mod log;
mod meeting;
mod news;
mod offers;
#[cfg(test)]
mod out_tests;
mod outbox;
pub mod own_log;
mod people;
pub mod pin;
mod ranges;
mod receipts;
mod repair;
#[cfg(test)]
mod repair_tests;
mod requests;
mod restore;
pub mod room;
#[cfg(test)]
mod session_tests;
mod taking;
#[cfg(test)]
mod tests;
mod tracker_link;
pub mod trust;
mod typing;
mod waking;
mod witness;
#[cfg(test)]
mod witness_tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use common::{
    AccountName, Identity, Key, RoomName,
    address::Addresses,
    fault::{self, Fault},
    wire::control::people::BookEntry,
};

pub use offers::{Listed, Offered};

pub use io::{AskId, CallId, Input, LinkId, Now, Output, Row, Segment, Shown, Welcomed};

use crate::{Config, store::Salvaged};
use backoff::Jitter;
use book::Book;
use causal::WaitingRoom;
use contacts::{Contacts, Held};
use delivery::Unsaid;
use dials::Dials;
use files::{Files, Unasked};
use links::Links;
use meeting::Meeting;
use offers::Offers;
use people::People;
use receipts::Receipts;
use repair::Repair;
use room::Room;
use tracker_link::TrackerLink;
use trust::{Known, Trust};
use typing::Typing;
use witness::Witness;

/// What a core begins with.
pub struct Start {
    /// What the user is called.
    pub name: AccountName,
    /// Who the user is.
    pub identity: Identity,
    /// The settings.
    pub config: Config,
    /// The tracker's key, if it is known already.
    pub tracker_key: Option<Key>,
    /// What lets a new account in, or gives a new key an old account, for the first login at a tracker that asks for it.
    pub invite: Option<String>,
    /// The tracker's address; `None` for a session without one.
    pub tracker: Option<std::net::SocketAddr>,
    /// The address the peer is bound to, to be shown.
    pub address: std::net::SocketAddr,
    /// What was kept at earlier starts.
    pub saved: Saved,
    /// For jitter, and to tell this start from others.
    pub seed: u64,
}

/// What the store has kept.
#[derive(Default)]
pub struct Saved {
    /// Every room that there ever was.
    pub rooms: BTreeMap<RoomName, Room>,
    /// Everybody whose key is known.
    pub known: BTreeMap<Key, Known>,
    /// Every name that somebody had, folded, and whose it is.
    pub names: BTreeMap<String, Key>,
    /// Contacts as the tracker last told them.
    pub contacts: BTreeMap<Key, Held>,
    /// The address book.
    pub book: Vec<BookEntry>,
    /// Where people were last seen.
    pub addresses: BTreeMap<Key, Addresses>,
    /// Files that are here, or are fetched.
    pub files: Vec<files::Kept>,
    /// Which files members have said that they share, and have not taken back.
    pub offered: Vec<Offered>,
    /// The id of the tracker's tables; 0 if none has been met.
    pub tables: u64,
    /// The last cursor given.
    pub cursor: u64,
    /// Own messages get no number below this one: the store has lost something once, and with it, maybe, messages
    /// that were sent already. Microseconds since 1970 by then; 0 if nothing was ever lost.
    pub numbers_from: u64,
    /// What was found damaged at this start, and how much of it is kept.
    pub salvaged: Option<Salvaged>,
}

/// A peer's state.
pub struct Core {
    name: AccountName,
    identity: Identity,
    me: Key,
    config: Config,
    address: std::net::SocketAddr,
    rooms: BTreeMap<RoomName, Room>,
    people: People,
    trust: Trust,
    contacts: Contacts,
    book: Book,
    meeting: Meeting,
    tracker: TrackerLink,
    links: Links,
    dials: Dials,
    unsaid: BTreeMap<RoomName, VecDeque<Unsaid>>,
    waiting: BTreeMap<RoomName, WaitingRoom>,
    receipts: Receipts,
    typing: Typing,
    repair: Repair,
    witness: Witness,
    files: Files,
    offers: Offers,
    /// Rooms whose list of files may be another one than it was: for who fetches and serves.
    lists_changed: BTreeSet<RoomName>,
    numbers_from: u64,
    /// Told in every hello.
    life: u64,
    cursor: u64,
    jitter: Jitter,
    started: Option<u64>,
    /// The moment of the last input.
    clock: Now,
    out: Vec<Output>,
}

impl Core {
    /// A peer that has just started: the first [`Input::Tick`] makes it dial.
    pub fn new(start: Start) -> Core {
        let me = start.identity.key();
        let mut core = Core {
            name: start.name,
            me,
            identity: start.identity,
            address: start.address,
            people: People::new(start.saved.addresses),
            trust: Trust::new(start.saved.known, start.saved.names, &me),
            contacts: Contacts::new(start.saved.contacts, start.config.hide_seen),
            book: Book::default(),
            meeting: Meeting::default(),
            tracker: TrackerLink::new(start.tracker, start.tracker_key, start.invite, start.saved.tables),
            links: Links::default(),
            dials: Dials::new(start.config.dials_per_second),
            files: Files::new(start.saved.files, Unasked::of(&start.config), start.seed),
            config: start.config,
            unsaid: BTreeMap::new(),
            waiting: BTreeMap::new(),
            receipts: Receipts::default(),
            typing: Typing::default(),
            repair: Repair::new(),
            witness: Witness::default(),
            offers: Offers::new(start.saved.offered),
            lists_changed: start.saved.rooms.keys().cloned().collect(),
            rooms: start.saved.rooms,
            numbers_from: start.saved.numbers_from,
            cursor: if fault::on(Fault::CursorForgotten) { 0 } else { start.saved.cursor },
            life: start.seed,
            jitter: Jitter::new(start.seed),
            started: None,
            clock: Now::default(),
            out: Vec::new(),
        };
        core.files.limit(core.config.limits());
        core.open_book(start.saved.book);
        core.meet_everybody();
        core
    }

    /// Takes one input. What is to be done comes from [`Core::flush`].
    pub fn handle(&mut self, input: Input, now: Now) {
        self.started.get_or_insert(now.at);
        self.clock = now;
        match input {
            Input::Ask(id, ask) => self.ask(id, ask, now),
            Input::Tick => {}
            Input::Woke => self.woke(now),
            Input::Interfaces(addresses) => self.interfaces(addresses),
            Input::TrackerUp(key) => self.tracker_up(key, now),
            Input::TrackerSays(frame) => self.tracker_says(frame, now),
            Input::TrackerDown(reason) => self.tracker_down(reason, now),
            Input::LinkUp { link, key, dialled, address } => self.link_up(link, key, dialled, address, now),
            Input::LinkSays(link, frame) => self.link_says(link, frame, now),
            Input::LinkHints(link, hint) => self.link_hints(link, hint, now),
            Input::Looks(looks) => self.looks(looks),
            Input::LinkSent(link, bytes) => self.link_sent(link, bytes),
            Input::LinkBroken(link, what) => self.accuse(link, &what),
            Input::LinkDown(link, why) => self.link_down(link, why, now),
            Input::CallUp { call, link, key, address } => self.call_up(call, link, key, address, now),
            Input::CallFailed(call, why) => self.call_failed(call, &why),
            Input::DialFailed(key, _) => self.dial_failed(key, now),
            Input::Loaded { link, room, batches } => self.loaded(link, &room, batches),
            Input::File(input) => self.file_input(input, now),
            Input::Fed { link, room, segments, position, more } => self.fed(link, &room, segments, position, more),
        }
    }

    /// What is to be done about all inputs since the last call. What waited to be said is signed here, so that many
    /// inputs taken together become one batch.
    pub fn flush(&mut self, now: Now) -> Vec<Output> {
        self.clock = now;
        self.tracker_due(now);
        self.dials_due(now);
        self.links_due(now);
        self.meeting_due(now);
        self.repair_due(now);
        self.witness_due(now);
        self.waiting_due(now);
        self.files_due(now);
        self.seal(now);
        if !self.lists_changed.is_empty() {
            // What was said just now may be of files.
            self.files_due(now);
        }
        self.settle_lists(now);
        self.pay_owed();
        self.keep_book();
        std::mem::take(&mut self.out)
    }

    /// When [`Core::flush`] is to be called at the latest, on the clock of [`Now::at`].
    pub fn deadline(&self) -> u64 {
        let due = [
            self.saying_deadline(),
            self.tracker.deadline(),
            self.links.deadline(),
            self.dials.deadline(),
            self.meeting.deadline(),
            self.repair.deadline(),
            self.witness.deadline(),
            self.waiting_deadline(),
            self.files.deadline(),
        ];
        due.into_iter().fold(u64::MAX, u64::min)
    }

    /// Whether more may be asked now: not while so much waits to be said that it should wait at its source.
    pub fn takes_asks(&self) -> bool {
        self.unsaid.values().map(VecDeque::len).sum::<usize>() < self.config.say_queue
    }

    /// What the user is called.
    pub fn name(&self) -> &AccountName {
        &self.name
    }

    /// A room that this peer is in or was in.
    pub fn room(&self, name: &RoomName) -> Option<&Room> {
        self.rooms.get(name)
    }

    /// Who is taken for online among those who share a room.
    pub fn online(&self) -> impl Iterator<Item = &Key> {
        self.people.iter().filter(|(_, person)| person.is_online()).map(|(key, _)| key)
    }

    /// Whether somebody is in a room that this peer is in.
    pub fn shares_room_with(&self, key: &Key) -> bool {
        self.people.get(key).is_some()
    }

    fn cursors(&mut self, count: u64) -> u64 {
        let first = self.cursor + 1;
        self.cursor += count;
        first
    }

    /// The room of that name, also where only the case differs, if this peer is a member.
    fn joined(&self, room: &RoomName) -> Option<(&RoomName, &Room)> {
        let exact = self.rooms.get_key_value(room).filter(|(_, r)| r.joined);
        exact.or_else(|| {
            let fold = room.fold();
            self.rooms.iter().find(|(name, r)| r.joined && name.fold() == fold)
        })
    }
}
