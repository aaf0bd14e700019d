//! The sessions: what each has been told, and what it waits to be told. Nothing here grows with how slow a session is:
//! a room it is behind with is a mark, not a queue.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use common::{AccountName, Key, frame::Encoded, limits};

use super::{SessionId, room::Cursor, rooms::RoomId};

/// An account logged in.
pub struct Session {
    /// Whose.
    pub key: Key,
    /// Whether frames were handed out of which it is not yet known that they were written.
    pub busy: bool,
    /// How many rooms it has said that it holds; `None` once it has named the last.
    pub holding: Option<usize>,
    /// The rooms it is told of, and how much of each it knows; `None` if nothing.
    pub cursors: BTreeMap<RoomId, Option<Cursor>>,
    /// Rooms it is behind with.
    pub due: BTreeSet<RoomId>,
    /// What it is to be told of its contacts.
    pub contacts: Told,
    /// Who asks to join which room that it may let people into. Who waits no more is taken out.
    pub asks: BTreeSet<(RoomId, Key)>,
    /// Whether rooms were declined to it since it was told so.
    pub declined: bool,
    /// The last that it is told of rooms it was removed from.
    pub farewells: BTreeMap<RoomId, Vec<Encoded>>,
    /// What else it is to be told, in order. Bounded by the rooms it may hold and the requests it may make.
    pub outbox: VecDeque<Waiting>,
}

/// What a session is to be told of its contacts. A mark each, and never more of them than there can be contacts.
#[derive(Default)]
pub struct Told {
    /// All of them. `None` until the session has said what rooms it holds: nothing is told before.
    pub whole: Option<bool>,
    /// Whether some were left out when they were told, since it was not known who is still there.
    pub left_out: bool,
    /// These, with the names they had when they were marked.
    pub some: BTreeMap<Key, AccountName>,
}

impl Told {
    /// Marks one contact.
    pub fn mark(&mut self, key: Key, name: AccountName) {
        match self.whole {
            Some(false) if self.some.len() < limits::CONTACTS => drop(self.some.insert(key, name)),
            Some(_) => self.mark_all(),
            None => {}
        }
    }

    /// Marks all of them.
    pub fn mark_all(&mut self) {
        self.whole = Some(true);
        self.some.clear();
    }

    /// Whether something is marked.
    pub fn is_due(&self) -> bool {
        self.whole == Some(true) || !self.some.is_empty()
    }
}

/// A frame for one session alone.
pub struct Waiting {
    /// The frame.
    pub frame: Encoded,
    /// Whether a request ends with it.
    pub answer: bool,
    /// The room that has to be pushed before, to at least this number.
    pub after: Option<(RoomId, u64)>,
}

impl Session {
    /// A session that knows nothing yet.
    pub fn new(key: Key) -> Session {
        Session {
            key,
            busy: false,
            holding: Some(0),
            cursors: BTreeMap::new(),
            due: BTreeSet::new(),
            contacts: Told::default(),
            asks: BTreeSet::new(),
            declined: false,
            farewells: BTreeMap::new(),
            outbox: VecDeque::new(),
        }
    }

    /// Requests that wait for their answers.
    pub fn unanswered(&self) -> usize {
        self.outbox.iter().filter(|waiting| waiting.answer).count()
    }

    /// The next frame of the outbox, unless a request ends with it.
    pub fn next_unasked(&mut self) -> Option<Waiting> {
        let unasked = self.outbox.front().is_some_and(|waiting| !waiting.answer && waiting.after.is_none());
        if unasked { self.outbox.pop_front() } else { None }
    }

    /// The next frame of the outbox, if nothing has to go before it.
    pub fn next_frame(&mut self) -> Option<Waiting> {
        let held_back = self.outbox.front()?.after.is_some_and(|(room, number)| {
            let told = self.cursors.get(&room).map(|cursor| cursor.map_or(0, |cursor| cursor.number));
            told.is_some_and(|told| told < number)
        });
        if held_back { None } else { self.outbox.pop_front() }
    }
}

/// The sessions, by id.
pub type Sessions = BTreeMap<SessionId, Session>;
