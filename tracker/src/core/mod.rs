//! The tables and who is told of them, as a pure function: `handle` takes what happened, `poll` says what to do about
//! it. Nothing here reads a clock, a socket, a disk or a random source; iteration is in a fixed order, so that equal
//! inputs give equal outputs.
//!
//! Times are milliseconds since 1970 that never go back. Presence is true within the time after which a silent link
//! is dead and the grace after that.
//!
//! Architecture invariant: what a poll stores is to be on disk before any of its frames leaves (write ahead).

pub mod accounts;
mod admission;
mod contacts;
mod door;
mod files;
mod frames;
pub mod invitations;
mod joining;
mod logins;
mod names;
mod presence;
mod push;
mod recent;
mod renames;
mod requests;
mod roles;
mod room;
mod rooms;
mod rows;
mod sessions;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, net::SocketAddr};

use common::{
    Key,
    address::Addresses,
    frame::{Encoded, Frame},
    table::Misfit,
    wire::tracker::{Bye, Code, Hello, PROTOCOL, Refused, ToPeer, ToTracker, Welcome},
};

use crate::config::Config;
use accounts::{Outcome, Wanted};
use contacts::Book;
pub use contacts::Standing;
use door::DeclinedTo;
use invitations::Invitations;
use logins::Logins;
use room::Online;
use rooms::{RoomId, Rooms};
pub use rows::{
    Hash, Kept, Row, Seen, StoredAccount, StoredHold, StoredInvitation, StoredMember, StoredReset, StoredRoom, Tables,
};
use sessions::{Session, Sessions, Waiting};

/// Names a session, and the link that carries it. An id is never used twice in a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub u64);

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// A link wants to be a session.
    Hello {
        /// The id it will have.
        session: SessionId,
        /// The key that the handshake has proven.
        key: Key,
        /// Where the link comes from.
        seen: SocketAddr,
        /// What it said.
        hello: Hello,
        /// What the host's clock shows, in milliseconds since 1970: something to tell it, and nothing else. The time
        /// that inputs come with never goes back, and does not follow a clock that is set.
        clock: u64,
    },
    /// A session said something else.
    Frame {
        /// Which.
        session: SessionId,
        /// Where its link comes from now.
        seen: SocketAddr,
        /// What.
        frame: ToTracker,
    },
    /// The frames of the session's last [`Output::Send`] were written.
    Sent {
        /// Which.
        session: SessionId,
    },
    /// A link is gone.
    Lost {
        /// Whose.
        session: SessionId,
    },
    /// Whoever runs the tracker wants something.
    Operator {
        /// For the answer.
        ask: u64,
        /// What.
        wanted: Wanted,
    },
    /// The tracker is going down.
    Stop,
}

/// What to do.
#[derive(Clone, Debug)]
pub enum Output {
    /// Store this, together with the other rows of the same poll, before anything of it is sent.
    Store(Row),
    /// Write these frames, and say [`Input::Sent`] then. There is at most one such write a session under way.
    Send {
        /// To whom.
        session: SessionId,
        /// What.
        frames: Vec<Encoded>,
        /// How many requests they end.
        answers: usize,
    },
    /// Tell whoever runs the tracker.
    Outcome {
        /// To what it asked.
        ask: u64,
        /// What came of it.
        outcome: Outcome,
    },
    /// Write this last frame and close the link. The session is no more.
    Close {
        /// Whose.
        session: SessionId,
        /// A [`Bye`] or a [`Refused`].
        last: Encoded,
        /// Why, for programs.
        code: Code,
        /// Why, for people.
        reason: String,
    },
}

/// What the tables hold and how often they changed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Registered accounts.
    pub accounts: u64,
    /// Sessions logged in.
    pub sessions: u64,
    /// Rooms.
    pub rooms: u64,
    /// Members of all rooms.
    pub members: u64,
    /// Changes of tables and presence since the start.
    pub changes: u64,
    /// Updates and snapshots pushed since the start.
    pub pushes: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// A room's changes go out.
    Flush(RoomId),
    /// A lost session shows as offline.
    Grace(Key),
    /// A room without members ends.
    Shut(RoomId),
    /// Members that were online before the tracker started have had their time to come back.
    Settle,
    /// Members that have not been seen for too long go.
    Sweep,
}

/// The tracker's tables and sessions.
pub struct Tracker {
    config: Config,
    tables: u64,
    logins: Logins,
    rooms: Rooms,
    book: Book,
    invitations: Invitations,
    declined: DeclinedTo,
    sessions: Sessions,
    timers: BTreeSet<(u64, Timer)>,
    /// Sessions that may have something to be told.
    ready: BTreeSet<SessionId>,
    outputs: Vec<Output>,
    changes: u64,
    pushes: u64,
    /// Whether everybody has had the time to log in since the tracker started.
    settled: bool,
    /// The tracker's life when it started, and when that was.
    lived: u64,
    started: u64,
}

impl Tracker {
    /// A tracker with the tables as they were stored. `run` is another number at each start. Fails if the tables
    /// contradict themselves.
    pub fn new(config: Config, stored: Tables, run: u64, now: u64) -> Result<Tracker, Misfit> {
        let logins = Logins::new(stored.accounts, stored.holds, stored.retired);
        let mut rooms = Rooms::new(stored.last_epoch, run);
        for room in stored.rooms {
            rooms.restore(room, |key| logins.get(key).map(|account| account.name.clone()))?;
        }
        let mut declined = DeclinedTo::new();
        for (key, room, by) in stored.declined {
            declined.entry(key).or_default().insert(room.fold(), (room, by));
        }
        let settle = now + 1000 * (config.dead_after_s + config.grace_s);
        let mut tracker = Tracker {
            config,
            tables: stored.id,
            logins,
            rooms,
            book: Book::new(stored.contacts),
            invitations: Invitations::new(stored.invitations, stored.resets),
            declined,
            sessions: Sessions::new(),
            timers: BTreeSet::from([(settle, Timer::Settle), (settle, Timer::Sweep)]),
            ready: BTreeSet::new(),
            outputs: Vec::new(),
            changes: 0,
            pushes: 0,
            settled: false,
            lived: stored.lived,
            started: now,
        };
        for (id, until) in tracker.rooms.kept().collect::<Vec<_>>() {
            tracker.timers.insert((tracker.clock_at(until), Timer::Shut(id)));
        }
        Ok(tracker)
    }

    /// Takes in what happened.
    pub fn handle(&mut self, input: Input, now: u64) {
        match input {
            Input::Hello { session, key, seen, hello, clock } => self.hello(session, key, seen, hello, clock, now),
            Input::Frame { session, seen, frame } => self.frame(session, seen, frame, now),
            Input::Sent { session } => {
                if let Some(sent) = self.sessions.get_mut(&session) {
                    sent.busy = false;
                    self.ready.insert(session);
                }
            }
            Input::Lost { session } => self.lost(session, now),
            Input::Operator { ask, wanted } => {
                let outcome = self.operate(wanted, now);
                self.outputs.push(Output::Outcome { ask, outcome });
            }
            Input::Stop => {
                self.store_seen(self.seen_at(now));
                for session in self.sessions.keys().copied().collect::<Vec<_>>() {
                    self.close(session, Code::ShuttingDown, "the tracker is shutting down; messages go on without it");
                }
            }
        }
    }

    /// When [`Tracker::poll`] is to be called again, if nothing happens before.
    pub fn deadline(&self) -> Option<u64> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// What is to be done now.
    pub fn poll(&mut self, now: u64) -> Vec<Output> {
        while self.deadline().is_some_and(|at| at <= now)
            && let Some((_, timer)) = self.timers.pop_first()
        {
            match timer {
                Timer::Flush(room) => self.flush(room, now),
                Timer::Grace(key) => self.offline(&key, now),
                Timer::Shut(room) => self.shut(room),
                Timer::Settle => self.settle(now),
                Timer::Sweep => self.sweep(now),
            }
        }
        self.tell_ready();
        std::mem::take(&mut self.outputs)
    }

    /// What the tables hold.
    pub fn counts(&self) -> Counts {
        Counts {
            accounts: self.logins.len() as u64,
            sessions: self.sessions.len() as u64,
            rooms: self.rooms.len() as u64,
            members: self.rooms.members() as u64,
            changes: self.changes,
            pushes: self.pushes,
        }
    }

    fn hello(&mut self, session: SessionId, key: Key, seen: SocketAddr, hello: Hello, clock: u64, now: u64) {
        let taken_over = self.logins.get(&key).and_then(|account| account.session);
        let fits = self.protocol_fits(&hello).and_then(|()| self.session_fits(taken_over));
        if let Err(Refused { code, reason }) = fits.and_then(|()| self.admit(key, &hello, now)) {
            let last = ToPeer::from(Refused { code, reason: reason.clone() }).encode();
            return self.outputs.push(Output::Close { session, last, code, reason });
        }
        if let Some(old) = taken_over {
            let reason = format!("logged in again from {}, with the same key; an account has one session", seen.ip());
            self.close(old, Code::TakenOver, &reason);
        }
        let Some(account) = self.logins.get_mut(&key) else { return };
        account.session = Some(session);
        account.met = true;
        let welcome = Welcome {
            protocol: PROTOCOL,
            domain: self.config.domain.clone(),
            tables: self.tables,
            name: account.name.clone(),
            seen: Addresses::new([seen]),
            clock: Some(clock),
        };
        if let Some(at) = account.grace.take() {
            self.timers.remove(&(at, Timer::Grace(key)));
        }
        self.sessions.insert(session, Session::new(key));
        self.tell(session, ToPeer::from(welcome), None);
        self.hide_seen(&key, hello.shown.hide_seen);
        let addresses = presence::reachable(seen, &hello.addresses);
        self.show(&key, Some(Online { addresses, away: hello.shown.away }), now);
    }

    fn protocol_fits(&self, hello: &Hello) -> Result<(), Refused> {
        if hello.protocol >= PROTOCOL {
            return Ok(());
        }
        let reason =
            format!("this tracker speaks version {PROTOCOL}, the peer {}: install a newer peer", hello.protocol);
        Err(Refused { code: Code::Protocol, reason })
    }

    fn session_fits(&self, taken_over: Option<SessionId>) -> Result<(), Refused> {
        let limit = self.config.sessions;
        if taken_over.is_some() || self.sessions.len() < limit {
            return Ok(());
        }
        let reason = format!(
            "{limit} people are logged in, as many as may be: try later, or ask whoever runs the tracker to raise `sessions`"
        );
        Err(Refused { code: Code::Full, reason })
    }

    fn lost(&mut self, session: SessionId, now: u64) {
        let Some(key) = self.detach(session) else { return };
        let Some(account) = self.logins.get_mut(&key) else { return };
        account.session = None;
        let at = now + 1000 * self.config.grace_s;
        account.grace = Some(at);
        self.timers.insert((at, Timer::Grace(key)));
    }

    /// Ends a session and tells it why.
    fn close(&mut self, session: SessionId, code: Code, reason: &str) {
        if let Some(key) = self.detach(session) {
            let last = ToPeer::from(Bye { code, reason: reason.into() }).encode();
            self.outputs.push(Output::Close { session, last, code, reason: reason.into() });
            if let Some(account) = self.logins.get_mut(&key) {
                account.session = None;
            }
        }
    }

    /// Takes a session out of all lists. Its account shows as it did.
    fn detach(&mut self, session: SessionId) -> Option<Key> {
        let gone = self.sessions.remove(&session)?;
        self.ready.remove(&session);
        for room in gone.cursors.keys() {
            if let Some(room) = self.rooms.get_mut(*room) {
                room.listeners.remove(&session);
            }
        }
        Some(gone.key)
    }

    /// Puts a frame into a session's outbox; with `after`, behind that room's push.
    fn tell(&mut self, session: SessionId, frame: ToPeer, after: Option<(RoomId, u64)>) {
        if let Some(told) = self.sessions.get_mut(&session) {
            let answer = matches!(frame, ToPeer::Answer(_) | ToPeer::RoomList(_) | ToPeer::Door(_));
            told.outbox.push_back(Waiting { frame: frame.encode(), answer, after });
            self.ready.insert(session);
        }
    }

    /// How long the tracker has run in all its life. Expiry is counted in it, so that nobody goes because the tracker
    /// was away.
    fn lived(&self, now: u64) -> u64 {
        self.lived + now.saturating_sub(self.started)
    }

    /// When the tracker's life will have come to that, by its clock.
    fn clock_at(&self, lived: u64) -> u64 {
        self.started + lived.saturating_sub(self.lived)
    }
}
