//! The sessions: what each has been told, and what it waits to be told. Nothing here grows with how slow a session is:
//! a room it is behind with is a mark, not a queue.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use common::{Key, frame::Encoded};

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
    /// What else it is to be told, in order. Bounded by the rooms it may hold and the requests it may make.
    pub outbox: VecDeque<Waiting>,
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
            outbox: VecDeque::new(),
        }
    }

    /// Requests that wait for their answers.
    pub fn unanswered(&self) -> usize {
        self.outbox.iter().filter(|waiting| waiting.answer).count()
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
