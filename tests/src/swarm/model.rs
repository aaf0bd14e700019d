//! What must hold, checked as it happens and once all is quiet.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    Key, RoomName, Version,
    table::Table,
    wire::control::{Event, Mark, ReceiptEvent, Refusal},
};
use peer::{
    core::{Core, Segment},
    store::events_of,
};

/// One message of the model: what was said, and under which stamp.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Message {
    text: String,
    stamp: Version,
}

/// The history as it should be.
#[derive(Default)]
pub struct Model {
    /// Whether peers and tracker may crash at their commits.
    pub crashes: bool,
    said: BTreeMap<(RoomName, Key), BTreeMap<u64, Message>>,
    held: BTreeMap<(RoomName, Key, Key), BTreeSet<u64>>,
    tables: BTreeMap<(RoomName, Version), Table>,
    rooms: BTreeSet<RoomName>,
    /// How many checks have been made, so that a run that did nothing is noticed.
    pub deliveries: usize,
    /// Receipts seen.
    pub receipts: usize,
}

impl Model {
    /// A room that the checks look at.
    pub fn know(&mut self, room: &RoomName) {
        self.rooms.insert(room.clone());
    }

    /// Equal versions are equal tables, on whomever they are seen.
    pub fn tables(&mut self, core: &Core) {
        for name in &self.rooms {
            let Some(room) = core.room(name).filter(|room| room.joined) else { continue };
            let key = (name.clone(), room.table.version());
            let seen = self.tables.entry(key).or_insert_with(|| room.table.clone());
            assert_eq!(*seen, room.table, "one version of {name}, two tables");
        }
    }

    /// Somebody has stored messages.
    pub fn stored(&mut self, by: &Key, segment: &Segment) {
        let room = segment.room.clone();
        let events = events_of(segment).expect("a stored batch can be read");
        for (event, number) in events.into_iter().zip(segment.first..) {
            let Event::Message(event) = event else { continue };
            let message = Message { text: event.text, stamp: segment.stamp };
            if *by == segment.author {
                let log = self.said.entry((room.clone(), *by)).or_default();
                assert_eq!(log.len() as u64 + 1, number, "an author's numbers follow each other");
                log.insert(number, message);
                continue;
            }
            let said = self.said.get(&(room.clone(), segment.author)).and_then(|log| log.get(&number));
            assert_eq!(said, Some(&message), "what arrives is what was said");
            assert!(
                self.is_for(&room, by, message.stamp),
                "{number} in {room}, said at {}, is not for {by:?}, who got it {}",
                message.stamp,
                segment.path
            );
            let held = self.held.entry((room.clone(), *by, segment.author)).or_default();
            let late = segment.mark == Some(Mark::Late);
            assert!(late || held.last().is_none_or(|last| *last < number), "in order, or marked");
            assert!(held.insert(number), "once");
            self.deliveries += 1;
        }
    }

    /// A receipt is shown: everything that it stands for must be in the member's store.
    pub fn receipted(&mut self, author: &Key, member: &Key, receipt: &ReceiptEvent) {
        self.receipts += 1;
        let held = self.held.get(&(receipt.room.clone(), *member, *author));
        let log = &self.said[&(receipt.room.clone(), *author)];
        for (number, message) in log.range(receipt.first..=receipt.last) {
            if self.is_for(&receipt.room, member, message.stamp) {
                assert!(
                    held.is_some_and(|held| held.contains(number)),
                    "a false tick: {number} in {} for {member:?}",
                    receipt.room
                );
            }
        }
    }

    /// No session ends by itself here.
    pub fn ended(&self, why: &Refusal) {
        panic!("a session ended: {why}");
    }

    /// Once all is mended and quiet: every member has what was meant for it.
    pub fn settled<'a>(&self, cores: impl Iterator<Item = &'a Core> + Clone, keys: &[Key]) {
        for name in &self.rooms {
            let tables: Vec<&Table> =
                cores.clone().filter_map(|core| core.room(name)).filter(|r| r.joined).map(|r| &r.table).collect();
            let Some(table) = tables.first() else { continue };
            for other in &tables {
                assert_eq!(table.digest(), other.digest(), "the tables of {name} have not met");
            }
            assert_eq!(tables.len(), table.len(), "who is in {name} knows it");
            for author in keys.iter().filter(|key| table.member(key).is_some()) {
                let log = self.said.get(&(name.clone(), *author)).into_iter().flatten();
                for ((number, message), member) in log.flat_map(|said| keys.iter().map(move |key| (said, key))) {
                    if member == author || table.member(member).is_none() || !self.is_for(name, member, message.stamp) {
                        continue;
                    }
                    let held = self.held.get(&(name.clone(), *member, *author));
                    assert!(
                        held.is_some_and(|held| held.contains(number)),
                        "lost: {number} of {author:?} in {name}, said at {}, for {member:?}",
                        message.stamp
                    );
                }
            }
        }
    }

    fn is_for(&self, room: &RoomName, member: &Key, stamp: Version) -> bool {
        self.tables[&(room.clone(), stamp)].member(member).is_some()
    }
}
