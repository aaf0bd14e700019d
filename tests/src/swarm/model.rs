//! What must hold, checked as it happens and once all is quiet.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    Key, RoomName, Version,
    message::{Batch, Message},
    table::Table,
    wire::control::{Event, Mark, ReceiptEvent, Refusal},
};
use peer::{
    core::{AskId, Core, Segment, command::Answer},
    store::events_of,
};

/// One author's log in one room.
type Log = (RoomName, Key);

/// The history as it should be.
#[derive(Default)]
pub struct Model {
    rooms: BTreeSet<RoomName>,
    tables: BTreeMap<(RoomName, Version), Table>,
    /// What has left its author, by what was signed.
    signed: BTreeMap<Log, BTreeMap<u64, (Version, Message)>>,
    /// What its author has stored: text and stamp.
    said: BTreeMap<Log, BTreeMap<u64, (String, Version)>>,
    /// What each member has stored of each log, in the order of storing.
    held: BTreeMap<(Log, Key), Vec<u64>>,
    /// What each member was shown of each log.
    shown: BTreeMap<(Log, Key), BTreeSet<u64>>,
    /// What each member has been shown to have.
    ticked: BTreeMap<(Log, Key), BTreeSet<u64>>,
    /// The last cursor that each has stored.
    cursors: BTreeMap<Key, u64>,
    /// What somebody has asked to be said and not been answered.
    asked: BTreeMap<AskId, (Key, RoomName, String)>,
    /// Messages that members have stored.
    pub deliveries: usize,
    /// Receipts seen.
    pub receipts: usize,
}

impl Model {
    /// A model of these rooms.
    pub fn new(rooms: impl IntoIterator<Item = RoomName>) -> Model {
        Model { rooms: rooms.into_iter().collect(), ..Model::default() }
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

    /// Somebody wants something said.
    pub fn asked(&mut self, ask: AskId, by: &Key, room: &RoomName, text: &str) {
        self.asked.insert(ask, (*by, room.clone(), text.into()));
    }

    /// Somebody is told that it was said, or not: so it is, and stored.
    pub fn answered(&mut self, ask: AskId, answer: &Result<Answer, Refusal>) {
        let Some((by, room, text)) = self.asked.remove(&ask) else { return };
        match answer {
            Ok(Answer::Said(said)) => {
                let stored = self.said.get(&(room.clone(), by)).and_then(|log| log.get(&said.seq));
                assert_eq!(
                    stored.map(|(stored, _)| stored),
                    Some(&text),
                    "what is said to be said in {room} is stored"
                );
            }
            Ok(other) => panic!("no answer to what was to be said: {other:?}"),
            Err(_) => {
                let mut log = self.said.get(&(room, by)).into_iter().flatten();
                assert!(!log.any(|(_, (said, _))| *said == text), "what is refused is not said: {text}");
            }
        }
    }

    /// Somebody has died: whoever asked gets no answer.
    pub fn died(&mut self, who: &Key) {
        self.asked.retain(|_, (by, ..)| by != who);
    }

    /// Somebody starts from its store: what it had shown as delivered still is.
    pub fn started(&mut self, who: &Key, core: &Core) {
        for (((room, author), member), ticked) in self.ticked.iter().filter(|(((_, author), _), _)| author == who) {
            let acked = core.room(room).map(|room| room.own.acked(member));
            let lost = ticked.iter().find(|number| acked.is_none_or(|acked| !acked.has(**number)));
            assert_eq!(lost, None, "a tick is gone after a restart: {author:?} in {room}, {member:?}");
        }
    }

    /// An author's batch leaves it for somebody who is a member as far as the author knows.
    pub fn sent(&mut self, author: &Key, to: &Key, batch: &Batch, core: &Core) {
        let room = core.room(&batch.room).filter(|room| room.joined);
        assert!(
            room.is_some_and(|room| room.table.member(to).is_some()),
            "{} is sent to {to:?}, who is out of it",
            batch.room
        );
        let log = self.signed.entry((batch.room.clone(), *author)).or_default();
        for (message, number) in batch.messages().zip(batch.first..) {
            let Some(message) = message.expect("an own message can be read") else { continue };
            let message = (batch.stamp, message);
            let signed = log.entry(number).or_insert_with(|| message.clone());
            assert_eq!(*signed, message, "two messages with the number {number}");
        }
    }

    /// Somebody has stored messages.
    pub fn stored(&mut self, by: &Key, segment: &Segment) {
        let log = (segment.room.clone(), segment.author);
        self.cursor(by, segment.cursor, segment.last + 1 - segment.first);
        for (text, number) in texts(segment).into_iter().zip(segment.first..) {
            let message = (text, segment.stamp);
            if *by == segment.author {
                let said = self.said.entry(log.clone()).or_default();
                assert_eq!(said.len() as u64 + 1, number, "an author's numbers follow each other");
                said.insert(number, message);
                continue;
            }
            let said = self.said.get(&log).and_then(|log| log.get(&number));
            assert_eq!(said, Some(&message), "what arrives is what was said");
            assert!(
                self.is_for(&log.0, by, message.1),
                "{number} in {}, said at {}, is not for {by:?}, who got it {}",
                log.0,
                message.1,
                segment.path
            );
            let held = self.held.entry((log.clone(), *by)).or_default();
            let late = segment.mark == Some(Mark::Late);
            assert!(late || held.last().is_none_or(|last| *last < number), "in order, or marked");
            let place = held.binary_search(&number).expect_err("once");
            held.insert(place, number);
            self.deliveries += 1;
        }
    }

    /// Somebody has stored something under these cursors.
    pub fn cursor(&mut self, by: &Key, first: u64, count: u64) {
        let last = self.cursors.entry(*by).or_default();
        assert!(*last < first, "cursors grow, over restarts too");
        *last = first + count - 1;
    }

    /// Somebody is shown messages: they are stored, and it has not been shown them before.
    pub fn shown(&mut self, to: &Key, segment: &Segment) {
        let log = (segment.room.clone(), segment.author);
        for number in segment.first..=segment.last {
            let stored = match *to == segment.author {
                true => self.said.get(&log).is_some_and(|said| said.contains_key(&number)),
                false => self.holds(&log, to, number),
            };
            assert!(stored, "{number} of {} is shown to {to:?} and not stored", log.0);
            let shown = self.shown.entry((log.clone(), *to)).or_default();
            assert!(shown.insert(number), "{number} of {} is shown to {to:?} twice", log.0);
        }
    }

    /// A receipt is shown: everything that it stands for must be in the member's store.
    pub fn receipted(&mut self, author: &Key, member: &Key, receipt: &ReceiptEvent) {
        self.receipts += 1;
        let log = (receipt.room.clone(), *author);
        let said = &self.said[&log];
        let mut ticked = Vec::new();
        for (number, (_, stamp)) in said.range(receipt.first..=receipt.last) {
            if self.is_for(&receipt.room, member, *stamp) {
                assert!(self.holds(&log, member, *number), "a false tick: {number} in {} for {member:?}", receipt.room);
                ticked.push(*number);
            }
        }
        assert!(receipt.last <= said.len() as u64, "a tick for what was not said in {}", receipt.room);
        self.ticked.entry((log, *member)).or_default().extend(ticked);
    }

    /// No session ends by itself here.
    pub fn ended(&self, why: &Refusal) {
        panic!("a session ended: {why}");
    }

    /// Once all is mended and quiet: every member has what was meant for it, and every author knows.
    pub fn settled<'a>(&self, cores: impl Iterator<Item = (&'a Key, &'a Core)> + Clone) {
        assert!(self.asked.is_empty(), "asked, and never answered: {:?}", self.asked);
        for name in &self.rooms {
            let rooms = cores.clone().filter_map(|(key, core)| Some((key, core.room(name).filter(|r| r.joined)?)));
            let Some(table) = rooms.clone().next().map(|(_, room)| &room.table) else { continue };
            for (_, room) in rooms.clone() {
                assert_eq!(table.digest(), room.table.digest(), "the tables of {name} have not met");
            }
            assert_eq!(rooms.clone().count(), table.len(), "who is in {name} knows it");
            for (author, own) in rooms.clone() {
                let log = (name.clone(), *author);
                let said = self.said.get(&log).into_iter().flatten();
                for ((number, (_, stamp)), (member, _)) in said.flat_map(|said| rooms.clone().map(move |r| (said, r))) {
                    if member != author && self.is_for(name, member, *stamp) {
                        assert!(
                            self.holds(&log, member, *number),
                            "lost: {number} of {author:?} in {name}, said at {stamp}, for {member:?}"
                        );
                        assert!(
                            own.own.acked(member).has(*number),
                            "no receipt: {number} of {author:?} in {name}, said at {stamp}, for {member:?}"
                        );
                    }
                }
                assert_eq!(own.undelivered(author), 0, "{author:?} waits for receipts in {name}");
            }
        }
    }

    /// What a store holds in the end, against what was stored in it: nothing is gone and nothing is there twice.
    pub fn history(&self, of: &Key, room: &RoomName, events: &[Event], key_of: impl Fn(&str) -> Key) {
        let mut found: BTreeMap<Key, Vec<u64>> = BTreeMap::new();
        for event in events {
            let Event::Message(message) = event else { continue };
            let author = key_of(message.from.as_str());
            let said = self.said.get(&(room.clone(), author)).and_then(|log| log.get(&message.seq));
            assert_eq!(said.map(|(text, _)| text), Some(&message.text), "the history tells what was said");
            found.entry(author).or_default().push(message.seq);
        }
        // What came late stands behind what came in time.
        found.values_mut().for_each(|numbers: &mut Vec<u64>| numbers.sort_unstable());
        let own = self.said.get(&(room.clone(), *of)).map(|log| (*of, log.keys().copied().collect::<Vec<_>>()));
        let held = self.held.iter().filter(|(((name, _), by), _)| name == room && by == of);
        let expected = held.map(|(((_, author), _), held)| (*author, held.clone()));
        assert_eq!(found, expected.chain(own).collect(), "the history of {room} as {of:?} has it");
    }

    fn holds(&self, log: &Log, member: &Key, number: u64) -> bool {
        self.held.get(&(log.clone(), *member)).is_some_and(|held| held.binary_search(&number).is_ok())
    }

    fn is_for(&self, room: &RoomName, member: &Key, stamp: Version) -> bool {
        self.tables[&(room.clone(), stamp)].member(member).is_some()
    }
}

fn texts(segment: &Segment) -> Vec<String> {
    let events = events_of(segment).expect("a stored batch can be read");
    let text = |event| match event {
        Event::Message(message) => message.text,
        other => panic!("a batch holds {other:?}"),
    };
    events.into_iter().map(text).collect()
}
