//! The link to the tracker: greeting it, following its pushes, and coming back to it.

use std::{collections::BTreeSet, net::SocketAddr};

use common::{
    Key, RoomName,
    address::Addresses,
    fault::{self, Fault},
    frame::Frame,
    wire::{
        control::{Exit, MemberChange, Refusal},
        tracker::{
            Code, Held, Hello, Holding, Logout, Moved, NotMember, PROTOCOL, Refused, Snapshot, ToPeer, ToTracker,
            Update, WITH_FILES, Welcome,
        },
    },
};
use serde_bytes::ByteArray;

use super::{Core, Now, Output, Row, Welcomed, backoff::Backoff, door::Told, news::News, pin, requests::Requests};

/// The first pause before dialling again, in milliseconds.
const FIRST_PAUSE: u64 = 500;
/// How long the tracker may take to answer, in milliseconds.
const PATIENCE: u64 = 10_000;
/// Rooms in one frame of [`Holding`]: the longest names fit.
const HELD_PER_FRAME: usize = 150;

/// The state of the link.
#[derive(Debug)]
pub struct TrackerLink {
    /// Where it is; `None` if the session has none.
    pub address: Option<SocketAddr>,
    /// Why it is not up.
    pub trouble: Option<String>,
    /// Since when it is not up, if it has been dialled and is not.
    pub down_at: Option<u64>,
    /// The reason for which it refused this session last, in one word, as long as it has not said or done anything else.
    pub refused: Option<Code>,
    /// What it said at the last welcome.
    pub welcomed: Option<Welcomed>,
    /// By how much the clock here was ahead of its clock then, in seconds.
    pub clock_ahead: Option<i64>,
    /// A snapshot of which pieces are missing.
    pub assembling: Option<Snapshot>,
    /// What it has been asked.
    pub requests: Requests,
    /// Who waits at doors, as far as the user has been told.
    pub told: Told,
    /// Rooms with a door that the user has asked to join, folded, until the answer.
    pub asked: BTreeSet<String>,
    state: State,
    pinned: Option<Key>,
    /// What lets this peer in, as long as it has not been welcomed.
    invite: Option<String>,
    tables: u64,
    new_tables: u64,
    rejoining: BTreeSet<RoomName>,
    keeps_lists: bool,
    interfaces: Addresses,
    backoff: Backoff,
    /// What it said when it ended the session; until it is back, that tells more than that it is not there.
    farewell: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Absent,
    Down { retry_at: u64 },
    Dialling,
    Greeting { until: u64 },
    Up,
}

impl TrackerLink {
    /// Not yet dialled. `tables` is the id of the tables met last, 0 for none.
    pub fn new(address: Option<SocketAddr>, pinned: Option<Key>, invite: Option<String>, tables: u64) -> TrackerLink {
        TrackerLink {
            address,
            invite,
            trouble: None,
            down_at: None,
            refused: None,
            welcomed: None,
            clock_ahead: None,
            assembling: None,
            state: if address.is_some() { State::Down { retry_at: 0 } } else { State::Absent },
            pinned,
            tables,
            new_tables: tables,
            rejoining: BTreeSet::new(),
            keeps_lists: false,
            interfaces: Addresses::default(),
            backoff: Backoff::default(),
            requests: Requests::default(),
            told: Told::default(),
            asked: BTreeSet::new(),
            farewell: None,
        }
    }

    /// Where this host can be reached, as far as it knows itself.
    pub fn interfaces(&self) -> &Addresses {
        &self.interfaces
    }

    /// Whether it is up, and the tracker keeps lists of files.
    pub fn keeps_lists(&self) -> bool {
        self.is_up() && self.keeps_lists
    }

    /// Whether a room is yet to be joined again, at a tracker that has lost its tables.
    pub fn is_rejoining(&self, room: &RoomName) -> bool {
        self.rejoining.contains(room)
    }

    /// Whether it is up.
    pub fn is_up(&self) -> bool {
        self.state == State::Up
    }

    /// `up`, `connecting` or `down`.
    pub fn word(&self) -> &'static str {
        match self.state {
            State::Up => "up",
            State::Absent => "none",
            State::Dialling | State::Greeting { .. } if self.trouble.is_none() => "connecting",
            _ => "down",
        }
    }

    /// When something is due.
    pub fn deadline(&self) -> u64 {
        let link = match self.state {
            State::Down { retry_at } => retry_at,
            State::Greeting { until } => until,
            State::Absent | State::Dialling | State::Up => u64::MAX,
        };
        self.requests.deadline().min(link)
    }
}

impl Core {
    pub(super) fn interfaces(&mut self, addresses: Addresses) {
        if self.tracker.interfaces != addresses {
            self.tracker.interfaces = addresses.clone();
            if self.tracker.is_up() {
                self.tell(Moved { addresses });
            }
        }
    }

    /// Dials if it is time, and gives up on what has waited too long.
    pub(super) fn tracker_due(&mut self, now: Now) {
        match self.tracker.state {
            State::Down { retry_at } if retry_at <= now.at => {
                self.tracker.state = State::Dialling;
                self.out.push(Output::DialTracker);
            }
            State::Greeting { until } if until <= now.at => {
                self.resync("it took the connection and then said nothing", now);
            }
            _ => {}
        }
        self.requests_due(now);
    }

    pub(super) fn tracker_up(&mut self, key: Key, now: Now) {
        let Some(address) = self.tracker.address else { return };
        if let Some(pinned) = self.tracker.pinned.filter(|pinned| *pinned != key) {
            return self.turned_away(pin::another_key(address, key, pinned), now);
        }
        self.tracker.pinned = Some(key);
        self.tracker.state = State::Greeting { until: now.at + PATIENCE };
        self.tell(Hello {
            protocol: PROTOCOL,
            name: self.name.clone(),
            addresses: self.tracker.interfaces.clone(),
            invite: self.tracker.invite.clone(),
            shown: self.contacts.shown.clone(),
        });
        let held: Vec<Held> = self
            .rooms
            .iter()
            .filter(|(name, room)| room.joined && name.is_plain())
            .map(|(name, room)| Held {
                room: name.clone(),
                version: room.table.version(),
                digest: ByteArray::new(room.table.digest()),
                presence: room.presence,
            })
            .collect();
        let frames = held.len().div_ceil(HELD_PER_FRAME).max(1);
        for index in 0..frames {
            let rooms = held.iter().skip(index * HELD_PER_FRAME).take(HELD_PER_FRAME).cloned().collect();
            self.tell(Holding { rooms, last: index + 1 == frames });
        }
    }

    pub(super) fn tracker_says(&mut self, frame: ToPeer, now: Now) {
        if matches!(self.tracker.state, State::Absent | State::Down { .. } | State::Dialling) {
            return;
        }
        match frame {
            ToPeer::Welcome(welcome) => self.welcome(welcome, now),
            ToPeer::Refused(refused) => self.refused(refused, now),
            // What two say to each other is none of its tables.
            ToPeer::Update(Update { room, .. }) | ToPeer::Snapshot(Snapshot { room, .. }) if !room.is_plain() => {
                self.resync("it tells of a conversation of two", now);
            }
            ToPeer::NotMember(NotMember { room }) if !room.is_plain() => {}
            ToPeer::Update(update) => self.apply_update(update, now),
            ToPeer::Snapshot(piece) => self.apply_snapshot(piece, now),
            ToPeer::NotMember(not) => self.not_member(&not.room, now),
            ToPeer::Bye(bye) => match bye.code {
                // It has proven its key: nobody else can end a session so.
                Code::TakenOver | Code::Removed => {
                    self.end(Refusal::new(Exit::Refused, common::wire::printable(&bye.reason)));
                }
                _ => {
                    let reason = common::wire::printable(&bye.reason);
                    self.tracker.farewell = Some(reason.clone());
                    self.went_down(reason, now);
                }
            },
            ToPeer::Contacts(contacts) => self.told_contacts(contacts, now),
            ToPeer::Asks(asks) => self.asks(asks, now),
            ToPeer::Declined(declined) => self.declined(declined),
            ToPeer::Door(door) => self.door_listed(door),
            ToPeer::Answer(answer) => self.answered(answer, now),
            ToPeer::RoomList(list) => self.listed(list, now),
        }
    }

    pub(super) fn tracker_down(&mut self, reason: String, now: Now) {
        if !matches!(self.tracker.state, State::Absent | State::Down { .. }) {
            let farewell = self.tracker.farewell.as_ref().map(|farewell| format!("{farewell}; and now: {reason}"));
            self.went_down(farewell.unwrap_or(reason), now);
        }
    }

    /// Drops the link and dials again: what both hold is compared then.
    pub(super) fn resync(&mut self, why: &str, now: Now) {
        self.went_down(format!("begun again: {why}"), now);
    }

    fn went_down(&mut self, reason: String, now: Now) {
        let most = self.config.tracker_retry_s.saturating_mul(1_000);
        let pause = self.tracker.backoff.pause(FIRST_PAUSE, most, &mut self.jitter);
        self.tracker.state = State::Down { retry_at: now.at + pause };
        self.tracker.trouble = Some(reason);
        self.tracker.down_at.get_or_insert(now.at);
        self.tracker.refused = None;
        self.tracker.assembling = None;
        self.out.push(Output::DropTracker);
        self.fail_requests();
        // While it is down, members may be anywhere they were: whoever has no link is tried.
        self.schedule_everybody(now);
        self.repair.look_soon();
        self.witness.untold();
    }

    /// Dials at once, whatever there was before.
    pub(super) fn dial_tracker_afresh(&mut self, now: Now) {
        if self.tracker.state == State::Absent {
            return;
        }
        if !matches!(self.tracker.state, State::Down { .. }) {
            self.went_down("this host has slept; dialling again".into(), now);
        }
        self.tracker.backoff.reset();
        self.tracker.state = State::Down { retry_at: now.at };
    }

    fn welcome(&mut self, welcome: Welcome, now: Now) {
        self.tracker.state = State::Up;
        self.tracker.invite = None;
        self.tracker.trouble = None;
        self.tracker.down_at = None;
        self.tracker.refused = None;
        self.tracker.farewell = None;
        self.tracker.backoff.reset();
        self.tracker.clock_ahead = welcome.clock.map(|its| (now.wall as i64).saturating_sub(its as i64) / 1_000);
        self.compare_contacts();
        self.name = welcome.name;
        let welcomed = Welcomed {
            domain: welcome.domain,
            tracker_key: self.tracker.pinned.unwrap_or(self.me),
            seen: welcome.seen.as_slice().first().copied(),
        };
        self.tracker.welcomed = Some(welcomed.clone());
        self.out.push(Output::Welcomed(welcomed));
        self.tracker.keeps_lists = welcome.protocol >= WITH_FILES;
        self.ask_lists_again(None);
        self.tracker.new_tables = welcome.tables;
        if self.tracker.tables != welcome.tables {
            if self.tracker.tables != 0 {
                let joined = self.rooms.iter().filter(|(name, room)| room.joined && name.is_plain());
                self.tracker.rejoining = joined.map(|(name, _)| name.clone()).collect();
            }
            self.all_rejoined();
        }
    }

    fn refused(&mut self, refused: Refused, now: Now) {
        let exit = match refused.code {
            Code::NameTaken | Code::KeyNamed => Exit::Identity,
            _ => Exit::Refused,
        };
        let why = Refusal::new(exit, common::wire::printable(&refused.reason));
        if refused.code == Code::Removed {
            self.out.push(Output::DropTracker);
            return self.end(why);
        }
        self.turned_away(why, now);
        self.tracker.refused = Some(refused.code);
    }

    /// Who logs in is told. A session that stands goes on without that tracker: its rooms do not need it, and whoever
    /// can answer at its address could otherwise end them.
    fn turned_away(&mut self, why: Refusal, now: Now) {
        if self.tracker.welcomed.is_none() {
            self.out.push(Output::DropTracker);
            self.end(why);
        } else {
            self.went_down(why.message, now);
        }
    }

    /// A tracker that lost its tables gets them back from its peers: they join again. One that did not has removed
    /// this peer.
    fn not_member(&mut self, room: &RoomName, now: Now) {
        if fault::on(Fault::NotMemberIgnored) {
            return;
        }
        if self.tracker.rejoining.contains(room) && !fault::on(Fault::NotRejoined) {
            let request = self.rejoining(room);
            self.request(request, now);
        } else {
            self.drop_room(room, News::new(self.name.clone(), MemberChange::Removed));
        }
    }

    /// A room that was to be joined again is there.
    pub(super) fn rejoined(&mut self, room: &RoomName) {
        if self.tracker.rejoining.remove(room) {
            self.all_rejoined();
        }
    }

    /// The new tables are remembered only once every room is in them, so that a crash before does not forget one.
    fn all_rejoined(&mut self) {
        if fault::on(Fault::TablesForgotten) {
            return;
        }
        if self.tracker.rejoining.is_empty() && self.tracker.tables != self.tracker.new_tables {
            self.tracker.tables = self.tracker.new_tables;
            self.out.push(Output::Keep(Row::Tables(self.tracker.tables)));
        }
    }

    /// Logs out: the tracker and every link are told.
    pub(super) fn logout(&mut self) {
        if self.tracker.is_up() {
            self.tell(Logout {});
        }
        self.end(Refusal::new(Exit::Done, "logged out"));
    }

    fn end(&mut self, why: Refusal) {
        self.close_all(&why.message);
        self.out.push(Output::End(why));
    }

    pub(super) fn tell(&mut self, frame: impl Into<ToTracker>) {
        self.out.push(Output::TellTracker(frame.into().encode()));
    }
}
