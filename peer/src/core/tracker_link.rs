//! The link to the tracker: greeting it, following its pushes, asking it for things, and coming back to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use common::{
    Key, RoomName,
    address::Addresses,
    frame::Frame,
    wire::{
        control::{Exit, MemberChange, Refusal, Room as RoomLine},
        tracker::{
            Answer, Code, Held, Hello, Holding, Join, Leave, ListRooms, Logout, Moved, PROTOCOL, Refused, RoomList,
            Snapshot, ToPeer, ToTracker, Welcome,
        },
    },
};
use serde_bytes::ByteArray;

use super::{
    AskId, Core, Now, Output, Row, Welcomed,
    backoff::Backoff,
    command::{Answer as UserAnswer, Ask},
    pin,
};

/// The first pause before dialling again, in milliseconds.
const FIRST_PAUSE: u64 = 500;
/// How long the tracker may take to answer, in milliseconds.
const PATIENCE: u64 = 10_000;
/// Rooms in one frame of [`Holding`]: the longest names fit.
const HELD_PER_FRAME: usize = 150;

/// The state of the link.
#[derive(Debug)]
pub struct TrackerLink {
    /// Where it is.
    pub address: SocketAddr,
    /// Why it is not up.
    pub trouble: Option<String>,
    /// What it said at the last welcome.
    pub welcomed: Option<Welcomed>,
    /// A snapshot of which pieces are missing.
    pub assembling: Option<Snapshot>,
    state: State,
    pinned: Option<Key>,
    tables: u64,
    new_tables: u64,
    rejoining: BTreeSet<RoomName>,
    interfaces: Addresses,
    backoff: Backoff,
    requests: BTreeMap<u32, Request>,
    last_request: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Down { retry_at: u64 },
    Dialling,
    Greeting { until: u64 },
    Up,
}

#[derive(Debug)]
struct Request {
    what: What,
    until: u64,
}

#[derive(Debug)]
enum What {
    Join(AskId, RoomName),
    Leave(AskId, RoomName),
    Rooms(AskId, Vec<RoomLine>),
    Rejoin(RoomName),
}

impl What {
    fn ask(&self) -> Option<AskId> {
        match self {
            What::Join(ask, _) | What::Leave(ask, _) | What::Rooms(ask, _) => Some(*ask),
            What::Rejoin(_) => None,
        }
    }
}

impl TrackerLink {
    /// Not yet dialled. `tables` is the id of the tables met last, 0 for none.
    pub fn new(address: SocketAddr, pinned: Option<Key>, tables: u64) -> TrackerLink {
        TrackerLink {
            address,
            trouble: None,
            welcomed: None,
            assembling: None,
            state: State::Down { retry_at: 0 },
            pinned,
            tables,
            new_tables: tables,
            rejoining: BTreeSet::new(),
            interfaces: Addresses::default(),
            backoff: Backoff::default(),
            requests: BTreeMap::new(),
            last_request: 0,
        }
    }

    /// Whether it is up.
    pub fn is_up(&self) -> bool {
        self.state == State::Up
    }

    /// `up`, `connecting` or `down`.
    pub fn word(&self) -> &'static str {
        match self.state {
            State::Up => "up",
            State::Dialling | State::Greeting { .. } if self.trouble.is_none() => "connecting",
            _ => "down",
        }
    }

    /// When something is due.
    pub fn deadline(&self) -> u64 {
        let link = match self.state {
            State::Down { retry_at } => retry_at,
            State::Greeting { until } => until,
            State::Dialling | State::Up => u64::MAX,
        };
        self.requests.values().map(|r| r.until).min().unwrap_or(u64::MAX).min(link)
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
        let late: Vec<u32> =
            self.tracker.requests.iter().filter(|(_, r)| r.until <= now.at).map(|(id, _)| *id).collect();
        for id in late {
            if let Some(request) = self.tracker.requests.remove(&id) {
                self.fail(
                    &request.what,
                    "the tracker has not answered for 10 seconds; try again, or look at: peer status",
                );
            }
        }
    }

    pub(super) fn tracker_up(&mut self, key: Key, now: Now) {
        if let Some(pinned) = self.tracker.pinned.filter(|pinned| *pinned != key) {
            if self.tracker.welcomed.is_some() {
                // Whoever poses as the tracker must not be able to end a session that goes on without one.
                return self.went_down(pin::POSING.into(), now);
            }
            self.out.push(Output::DropTracker);
            return self.end(pin::another_key(self.tracker.address, key, pinned));
        }
        self.tracker.pinned = Some(key);
        self.tracker.state = State::Greeting { until: now.at + PATIENCE };
        self.tell(Hello { protocol: PROTOCOL, name: self.name.clone(), addresses: self.tracker.interfaces.clone() });
        let held: Vec<Held> = self
            .rooms
            .iter()
            .filter(|(_, room)| room.joined)
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
        if matches!(self.tracker.state, State::Down { .. } | State::Dialling) {
            return;
        }
        match frame {
            ToPeer::Welcome(welcome) => self.welcome(welcome),
            ToPeer::Refused(refused) => self.refused(refused, now),
            ToPeer::Update(update) => self.apply_update(update, now),
            ToPeer::Snapshot(piece) => self.apply_snapshot(piece, now),
            ToPeer::NotMember(not) => self.not_member(&not.room, now),
            ToPeer::Bye(bye) => match bye.code {
                Code::TakenOver => {
                    self.end(Refusal::new(Exit::Refused, common::wire::printable(&bye.reason)));
                }
                _ => self.went_down(common::wire::printable(&bye.reason), now),
            },
            ToPeer::Answer(answer) => self.answered(answer, now),
            ToPeer::RoomList(list) => self.listed(list, now),
        }
    }

    pub(super) fn tracker_down(&mut self, reason: String, now: Now) {
        if !matches!(self.tracker.state, State::Down { .. }) {
            self.went_down(reason, now);
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
        self.tracker.assembling = None;
        self.out.push(Output::DropTracker);
        for request in std::mem::take(&mut self.tracker.requests).into_values() {
            self.fail(
                &request.what,
                "the tracker went away before it answered; try again when it is back (peer status)",
            );
        }
        // While it is down, members may be anywhere they were: whoever has no link is tried.
        self.schedule_everybody(now);
    }

    fn welcome(&mut self, welcome: Welcome) {
        self.tracker.state = State::Up;
        self.tracker.trouble = None;
        self.tracker.backoff.reset();
        self.name = welcome.name;
        let welcomed = Welcomed {
            domain: welcome.domain,
            tracker_key: self.tracker.pinned.unwrap_or(self.me),
            seen: welcome.seen.as_slice().first().copied(),
        };
        self.tracker.welcomed = Some(welcomed.clone());
        self.out.push(Output::Welcomed(welcomed));
        self.tracker.new_tables = welcome.tables;
        if self.tracker.tables != welcome.tables {
            if self.tracker.tables != 0 {
                let joined = self.rooms.iter().filter(|(_, room)| room.joined);
                self.tracker.rejoining = joined.map(|(name, _)| name.clone()).collect();
            }
            self.all_rejoined();
        }
    }

    fn refused(&mut self, refused: Refused, now: Now) {
        let reason = common::wire::printable(&refused.reason);
        match refused.code {
            Code::NameTaken | Code::KeyNamed => self.end(Refusal::new(Exit::Identity, reason)),
            Code::Protocol => self.end(Refusal::new(Exit::Refused, reason)),
            _ if self.tracker.welcomed.is_none() => self.end(Refusal::new(Exit::Refused, reason)),
            _ => self.went_down(reason, now),
        }
    }

    /// A tracker that lost its tables gets them back from its peers: they join again. One that did not has removed
    /// this peer.
    fn not_member(&mut self, room: &RoomName, now: Now) {
        if self.tracker.rejoining.contains(room) {
            self.request(What::Rejoin(room.clone()), now);
        } else {
            self.drop_room(room, MemberChange::Removed);
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
        if self.tracker.rejoining.is_empty() && self.tracker.tables != self.tracker.new_tables {
            self.tracker.tables = self.tracker.new_tables;
            self.out.push(Output::Keep(Row::Tables(self.tracker.tables)));
        }
    }

    /// Asks the tracker on the user's behalf: to join, to leave, or which rooms there are.
    pub(super) fn ask_tracker(&mut self, id: AskId, ask: Ask, now: Now) {
        let what = match ask {
            Ask::Join(room) => What::Join(id, room),
            Ask::Leave(room) => What::Leave(id, room),
            _ => What::Rooms(id, Vec::new()),
        };
        if self.tracker.is_up() {
            self.request(what, now);
        } else {
            let trouble = self.tracker.trouble.clone().unwrap_or_else(|| "still connecting".into());
            let text = format!(
                "the tracker at {} is needed for this and is not reachable ({trouble}); it is being tried again. Is \
                 it running, and is UDP port {} open to it?",
                self.tracker.address,
                self.tracker.address.port()
            );
            self.fail(&what, &text);
        }
    }

    fn request(&mut self, what: What, now: Now) {
        self.tracker.last_request = self.tracker.last_request.wrapping_add(1);
        let id = self.tracker.last_request;
        match &what {
            What::Join(_, room) | What::Rejoin(room) => self.tell(Join { id, room: room.clone() }),
            What::Leave(_, room) => self.tell(Leave { id, room: room.clone() }),
            What::Rooms(_, so_far) => self.tell(ListRooms { id, after: so_far.last().map(|line| line.room.clone()) }),
        }
        self.tracker.requests.insert(id, Request { what, until: now.at + PATIENCE });
    }

    fn answered(&mut self, answer: Answer, now: Now) {
        let Some(Request { what, .. }) = self.tracker.requests.remove(&answer.id) else { return };
        if let Some(refused) = answer.refused {
            return self.fail_with(&what, Refusal::new(Exit::Refused, common::wire::printable(&refused.reason)));
        }
        match what {
            What::Join(ask, room) => {
                let reply = self.joined_reply(&room);
                self.reply(ask, reply);
            }
            What::Leave(ask, room) => {
                self.drop_room(&room, MemberChange::Left);
                self.reply(ask, Ok(UserAnswer::Done));
            }
            What::Rejoin(_) => {}
            // A list is answered with a list.
            What::Rooms(..) => self.resync("an answer does not fit its question", now),
        }
    }

    fn listed(&mut self, list: RoomList, now: Now) {
        let Some(Request { what: What::Rooms(ask, mut lines), .. }) = self.tracker.requests.remove(&list.id) else {
            return;
        };
        let progress = !list.rooms.is_empty();
        lines.extend(list.rooms.into_iter().map(|entry| RoomLine {
            joined: self.joined(&entry.room).is_some(),
            room: entry.room,
            members: entry.members,
            approval: false,
        }));
        if list.more && progress && lines.len() < 1_000_000 {
            self.request(What::Rooms(ask, lines), now);
        } else {
            self.reply(ask, Ok(UserAnswer::Rooms(lines)));
        }
    }

    fn fail(&mut self, what: &What, why: &str) {
        self.fail_with(what, Refusal::new(Exit::Unreachable, why));
    }

    fn fail_with(&mut self, what: &What, refusal: Refusal) {
        if let Some(ask) = what.ask() {
            self.reply(ask, Err(refusal));
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

    fn tell(&mut self, frame: impl Into<ToTracker>) {
        self.out.push(Output::TellTracker(frame.into().encode()));
    }
}
