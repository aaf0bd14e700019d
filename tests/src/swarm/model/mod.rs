//! What must hold, checked as it happens and (`settled`) once all is quiet.

mod settled;

use std::collections::{BTreeMap, BTreeSet};

use common::{
    AccountName, Key, MessageId, RoomName, Version,
    message::{Batch, Message},
    table::Table,
    wire::control::{Cancelled, Event, Mark, MemberChange, MemberEvent, ReceiptEvent, Refusal},
};
use peer::{
    core::{AskId, Core, Segment, command::Answer},
    store::events_of,
};

use super::order::{Order, answers, author_of};

/// One author's log in one room.
type Log = (RoomName, Key);

/// A message that is not sent any more to those who lacked it.
struct Cancel {
    had: BTreeSet<Key>,
    /// Whether its author has gone on from there: what leaves it before was made up before.
    in_effect: bool,
}

/// The history as it should be.
#[derive(Default)]
pub struct Model {
    rooms: BTreeSet<RoomName>,
    /// Everybody, by every name that they have had or asked for.
    people: BTreeMap<AccountName, Key>,
    tables: BTreeMap<(RoomName, Version), Table>,
    /// What has left its author, by what was signed.
    signed: BTreeMap<Log, BTreeMap<u64, (Version, Message)>>,
    /// What its author has stored: text and stamp.
    said: BTreeMap<Log, BTreeMap<u64, (String, Version)>>,
    /// What each member has stored of each log, in the order of storing.
    held: BTreeMap<(Log, Key), Vec<u64>>,
    /// What each member has stored in a batch with something withheld: it passes nothing of that on.
    partly: BTreeSet<(Log, Key, u64)>,
    /// What each member was shown of each log.
    shown: BTreeMap<(Log, Key), BTreeSet<u64>>,
    /// What each member has been shown to have.
    ticked: BTreeMap<(Log, Key), BTreeSet<u64>>,
    /// What its author has cancelled.
    cancelled: BTreeMap<Log, BTreeMap<u64, Cancel>>,
    /// What a batch was sent in to somebody, by its first number, and by whom.
    carried: BTreeSet<(Log, u64, Key, Key)>,
    order: Order,
    /// Who is a member as far as it knows itself, and has not asked to be none.
    stays: BTreeSet<(RoomName, Key)>,
    /// Who has asked to be none and is not out yet: the tracker may take it at its word at any time.
    leaving: BTreeSet<(RoomName, Key)>,
    /// Who may be removed at any time, since somebody has asked for that.
    removable: BTreeSet<(RoomName, Key)>,
    /// Whether the tracker may have taken somebody for away too long.
    pub expiry: bool,
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
    /// A model of these rooms and these people.
    pub fn new(rooms: impl Iterator<Item = RoomName>, people: impl Iterator<Item = (AccountName, Key)>) -> Model {
        Model { rooms: rooms.collect(), people: people.collect(), ..Model::default() }
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

    /// Somebody asks to be a member no more.
    pub fn leaves(&mut self, who: &Key, room: &RoomName) {
        self.stays.remove(&(room.clone(), *who));
        self.leaving.insert((room.clone(), *who));
    }

    /// Somebody wants another to be a member no more. From now on it may be out.
    pub fn may_be_removed(&mut self, whom: &AccountName, room: &RoomName) {
        let place = (room.clone(), self.people[whom]);
        self.stays.remove(&place);
        self.removable.insert(place);
    }

    /// Somebody wants to be called something else, and may be so from now on.
    pub fn may_be_called(&mut self, name: &AccountName, who: &Key) {
        self.people.insert(name.clone(), *who);
    }

    /// Somebody has stored what has happened to whom: whoever did it could.
    pub fn happened(&mut self, to: &Key, event: &MemberEvent) {
        use MemberChange::{Banned, Left, Rekeyed, Removed, Split};
        self.cursor(to, event.cursor, 1);
        // The tracker is honest here, whatever befalls it.
        assert_ne!(event.change, Split, "{to:?}: {event:?}");
        let ends = matches!(event.change, Banned | Left | Rekeyed | Removed);
        if ends && self.people[&event.name] == *to {
            self.out(to, &event.room);
        }
        if let (Banned | Removed, Some(by)) = (event.change, &event.by) {
            let removable = self.removable.contains(&(event.room.clone(), self.people[&event.name]));
            assert!(removable && self.people[by] != self.people[&event.name], "nobody wanted this: {event:?}");
        }
    }

    /// Somebody has taken messages: from a member, as far as it knew, of one who was a member at the stamp. `later` are
    /// those who have left in the same commit, after that.
    pub fn taken(&self, by: &Key, segment: &Segment, core: &Core, later: &BTreeSet<Key>) {
        if *by == segment.author {
            return;
        }
        let from = self.from(segment);
        let is_in = core.room(&segment.room).is_some_and(|room| room.table.member(&from).is_some());
        let of = (&segment.room, segment.first, segment.author);
        assert!(is_in || later.contains(&from), "{of:?} is taken from {from:?}, who is out");
        assert!(self.is_for(&segment.room, &segment.author, segment.stamp), "{of:?}: its author was out at its stamp");
    }

    /// Who brought a message.
    fn from(&self, segment: &Segment) -> Key {
        match segment.path.strip_prefix("via ") {
            Some(name) => self.people[&name.parse::<AccountName>().expect("a name")],
            None => segment.author,
        }
    }

    /// Somebody takes itself for a member no more: it has asked for that, or another has, or it was away too long.
    fn out(&mut self, who: &Key, room: &RoomName) {
        let stays = self.stays.remove(&(room.clone(), *who));
        self.leaving.remove(&(room.clone(), *who));
        let removable = self.removable.contains(&(room.clone(), *who));
        assert!(self.expiry || removable || !stays, "{who:?} is out of {room} and has not left it");
    }

    /// Somebody is told what has come of what it asked: what was said is stored, what was not is not.
    pub fn answered(&mut self, by: &Key, ask: AskId, answer: &Result<Answer, Refusal>) {
        match answer {
            Ok(Answer::Joined(joined)) => {
                let place = (joined.room.clone(), *by);
                if !self.leaving.contains(&place) && !self.removable.contains(&place) {
                    self.stays.insert(place);
                }
            }
            Ok(Answer::Cancelled(line)) => self.told_cancelled(by, line),
            _ => {}
        }
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

    /// An author has stored that it sends a message no more to any but these.
    pub fn cancelled(&mut self, by: &Key, room: &RoomName, number: u64, had: &[Key]) {
        let cancel = Cancel { had: had.iter().copied().collect(), in_effect: false };
        self.cancelled.entry((room.clone(), *by)).or_default().entry(number).or_insert(cancel);
    }

    fn told_cancelled(&mut self, by: &Key, line: &Cancelled) {
        let id: MessageId = line.id.parse().expect("the id of a message");
        let cancel = self.cancelled.get_mut(&(id.room, *by)).and_then(|log| log.get_mut(&id.number));
        cancel.expect("what is said to be cancelled is stored as that").in_effect = true;
    }

    /// Somebody has died: whoever asked gets no answer.
    pub fn died(&mut self, who: &Key) {
        self.asked.retain(|_, (by, ..)| by != who);
    }

    /// Somebody starts from its store: what it had shown as delivered still is.
    pub fn started(&mut self, who: &Key, core: &Core) {
        for ((name, version), table) in &self.tables {
            let room = core.room(name).filter(|room| room.joined && room.table.version() == *version);
            assert!(room.is_none_or(|room| room.table == *table), "{name} is another after a restart");
        }
        let own = self.cancelled.iter_mut().filter(|((_, author), _)| author == who);
        own.for_each(|(_, log)| log.values_mut().for_each(|cancel| cancel.in_effect = true));
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
        let log = (batch.room.clone(), *author);
        for (message, number) in batch.messages().zip(batch.first..) {
            let message = message.expect("an own message can be read");
            let withheld = self.withheld(&log, to, number);
            let in_effect = withheld && self.cancelled[&log][&number].in_effect;
            assert!(withheld || message.is_some(), "{number} in {} is withheld from {to:?}", log.0);
            assert!(!in_effect || message.is_none(), "{number} in {} is cancelled and sent to {to:?}", log.0);
            let Some(message) = message.map(|message| (batch.stamp, message)) else { continue };
            let signed = self.signed.entry(log.clone()).or_default().entry(number).or_insert_with(|| message.clone());
            assert_eq!(*signed, message, "two messages with the number {number}");
        }
        self.carried.insert((log, batch.first, *to, *author));
    }

    /// Somebody passes on another's batch: it has stored it, and it was meant for whoever gets it.
    pub fn passed(&mut self, by: &Key, author: &Key, to: &Key, batch: &Batch, core: &Core) {
        let log = (batch.room.clone(), *author);
        let room = core.room(&batch.room).filter(|room| room.joined);
        let member = room.is_some_and(|room| room.table.member(to).is_some());
        assert!(member && self.is_for(&log.0, to, batch.stamp), "{} is passed on to {to:?}", log.0);
        for (message, number) in batch.messages().zip(batch.first..) {
            let there = !matches!(message, Ok(None));
            assert!(!there || self.holds(&log, by, number), "{number} in {} is passed on and not stored", log.0);
        }
        self.carried.insert((log, batch.first, *to, *by));
    }

    /// Somebody has stored messages.
    pub fn stored(&mut self, by: &Key, segment: &Segment, core: &Core) {
        let log = (segment.room.clone(), segment.author);
        self.cursor(by, segment.cursor, segment.last + 1 - segment.first);
        if *by == segment.author {
            let others = self.held.iter().filter(|(((room, _), who), _)| *room == segment.room && who == by);
            let seen = others.filter_map(|(((_, author), _), held)| Some((*author, *held.last()?))).collect();
            self.order.said(segment, &seen, &self.people.values().copied().collect::<Vec<_>>());
        } else {
            self.came(by, segment);
            self.in_order(by, segment, core);
        }
        let texts = texts(segment);
        if *by != segment.author && texts.len() as u64 != segment.last + 1 - segment.first {
            self.partly.extend(texts.iter().map(|(number, _)| (log.clone(), *by, *number)));
        }
        for (number, text) in texts {
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

    /// Somebody has stored messages of another: they came the way that is told, and nothing before them is left out
    /// by their author.
    fn came(&self, by: &Key, segment: &Segment) {
        let log = (segment.room.clone(), segment.author);
        let from = self.from(segment);
        let carried = self.carried.contains(&(log.clone(), segment.first, *by, from));
        assert!(carried, "{} in {} of {:?} did not come {}", segment.first, log.0, log.1, segment.path);
        if segment.mark.is_none() && segment.path == "direct" {
            let last = self.held.get(&(log.clone(), *by)).and_then(|held| held.last()).map_or(0, |last| *last);
            let between =
                self.said.get(&log).into_iter().flat_map(|said| said.range(last + 1..segment.first.max(last + 1)));
            for (number, (_, stamp)) in between {
                let left_out = !self.is_for(&log.0, by, *stamp) || self.withheld(&log, by, *number);
                assert!(left_out, "{number} of {:?} in {} is left out before {}", log.1, log.0, segment.first);
            }
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
        for (number, _) in texts(segment) {
            let stored = match *to == segment.author {
                true => self.said.get(&log).is_some_and(|said| said.contains_key(&number)),
                false => self.holds(&log, to, number),
            };
            assert!(stored, "{number} of {} is shown to {to:?} and not stored", log.0);
            let shown = self.shown.entry((log.clone(), *to)).or_default();
            assert!(shown.insert(number), "{number} of {} is shown to {to:?} twice", log.0);
        }
    }

    /// What is stored, and so shown, comes after what it answers, or else it is marked.
    fn in_order(&self, to: &Key, segment: &Segment, core: &Core) {
        let (room, name) = (core.room(&segment.room), &segment.room);
        let people: Vec<Key> = self.people.values().copied().collect();
        let mut missing = Vec::new();
        for answered in answers(segment) {
            let (author, stamp) = (author_of(&answered, &people), answered.stamp.unwrap_or(segment.stamp));
            // Whoever cannot know that it was a member then does not wait.
            let expects = room.is_some_and(|room| {
                room.is_for(to, stamp) && (room.logs.contains_key(&author) || room.name_of(&author).is_some())
            });
            if author != *to && !self.holds(&(name.clone(), author), to, answered.number) {
                missing.push((author, answered.number, stamp, expects));
            }
        }
        let said = || format!("{} of {:?} in {name}, shown to {to:?} {}", segment.first, segment.author, segment.path);
        match segment.mark {
            None => {
                missing.retain(|(author, number, stamp, expects)| {
                    *expects && self.is_for(name, to, *stamp) && !self.withheld(&(name.clone(), *author), to, *number)
                });
                assert!(missing.is_empty(), "{} before what it answers: {missing:?}", said());
            }
            Some(Mark::Early) => assert!(!missing.is_empty(), "{} is marked, and nothing was missing", said()),
            Some(Mark::Late) => {
                let held = self.held.get(&((name.clone(), segment.author), *to)).and_then(|held| held.last());
                assert!(held > Some(&segment.last), "{} is marked late, and nothing later was there", said());
            }
        }
    }

    /// A receipt is shown: everything that it stands for must be in the member's store.
    pub fn receipted(&mut self, author: &Key, receipt: &ReceiptEvent) {
        self.receipts += 1;
        let member = &self.people[&receipt.name].clone();
        let log = (receipt.room.clone(), *author);
        let said = &self.said[&log];
        let mut ticked = Vec::new();
        for (number, (_, stamp)) in said.range(receipt.first..=receipt.last) {
            if self.is_for(&receipt.room, member, *stamp) && !self.withheld(&log, member, *number) {
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

    /// Whether a message is cancelled for a member.
    fn withheld(&self, log: &Log, member: &Key, number: u64) -> bool {
        self.cancelled.get(log).and_then(|log| log.get(&number)).is_some_and(|cancel| !cancel.had.contains(member))
    }

    fn holds(&self, log: &Log, member: &Key, number: u64) -> bool {
        self.held.get(&(log.clone(), *member)).is_some_and(|held| held.binary_search(&number).is_ok())
    }

    fn is_for(&self, room: &RoomName, member: &Key, stamp: Version) -> bool {
        self.tables[&(room.clone(), stamp)].member(member).is_some()
    }
}

/// The messages of a batch, without those withheld.
fn texts(segment: &Segment) -> Vec<(u64, String)> {
    let events = events_of(segment).expect("a stored batch can be read");
    let text = |event| match event {
        Event::Message(message) => (message.seq, message.text),
        other => panic!("a batch holds {other:?}"),
    };
    events.into_iter().map(text).collect()
}
