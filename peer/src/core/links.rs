//! Links to other peers: which of two links stays, and when to let one go.
//!
//! Where both have dialled, the link that the smaller key dialled stays: both ends come to the same end by that rule.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use common::{
    Key, RoomName,
    fault::{self, Fault},
    frame::{Encoded, Frame},
    table::PresenceVersion,
    wire::peer::{Bye, Hello, PROTOCOL, PeerFrame},
};

use super::{Core, LinkId, Now, Output, feed::Feed, pin, ranges::Ranges};

/// How long a link from somebody who stands in no table is kept, since the table may be under way, in milliseconds.
const PARKED: u64 = 3_000;
/// Links kept so at once.
const PARKED_LINKS: usize = 64;
/// Bytes of answers that may wait for one link beyond its batches.
const ANSWERS: usize = 1024 * 1024;
/// Logs of which it is remembered on one link where they go on.
const SKIPPED: usize = 16_384;
/// How long the other side may take to say hello, in milliseconds.
const HELLO: u64 = 10_000;

/// One connection to another peer.
#[derive(Debug)]
pub struct Link {
    /// Who is there.
    pub key: Key,
    /// Where.
    pub address: SocketAddr,
    /// Bytes of frames given to the shell and not yet to the network.
    pub queued: usize,
    /// Whether the store is being read for it.
    pub loading: bool,
    /// What is sent of this peer's log, for each room of which the other side has said what it has of it.
    pub sent: BTreeMap<RoomName, Sending>,
    /// What was said of rooms that, as far as is known here, are not shared: the other side may have been told first.
    pub early: BTreeMap<RoomName, Vec<(u64, u64)>>,
    /// What the other side is passed on of others' logs.
    pub feeds: BTreeMap<RoomName, Feed>,
    /// Where logs go on, after messages that are not for this peer.
    skipped: BTreeMap<(RoomName, Key), u64>,
    /// Rooms that the two of them have shared and do not share now.
    parted: BTreeSet<RoomName>,
    dialled: bool,
    /// Which life of the other side it belongs to, once it has said hello.
    life: Option<u64>,
    parked: bool,
    until: u64,
}

/// What the other side of a link is sent of this peer's log in a room.
#[derive(Default, Debug)]
pub struct Sending {
    /// Up to where it has been sent.
    pub upto: u64,
    /// What the other side has said on this link that it has. What it receipted before it may have lost since.
    pub told: Ranges,
}

impl Sending {
    /// Whether a batch that begins with `first` leaves something out.
    pub fn leaves_out(&self, first: u64) -> bool {
        first > 1 && self.upto != first - 1 && !self.told.has(first - 1)
    }
}

/// All connections.
#[derive(Default, Debug)]
pub struct Links {
    links: BTreeMap<LinkId, Link>,
    /// Those that have until a moment to become links that count.
    unsettled: BTreeSet<LinkId>,
}

impl Link {
    /// The other side leaves out what is missing before `next` of a log.
    pub fn skip(&mut self, room: RoomName, author: Key, next: u64) {
        if self.skipped.len() < SKIPPED || self.skipped.contains_key(&(room.clone(), author)) {
            self.skipped.insert((room, author), next);
        }
    }

    /// Where a log goes on after what was left out last.
    pub fn skipped(&self, room: &RoomName, author: &Key) -> Option<u64> {
        self.skipped.get(&(room.clone(), *author)).copied()
    }
}

impl Links {
    /// The link with this id.
    pub fn get(&self, link: LinkId) -> Option<&Link> {
        self.links.get(&link)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, link: LinkId) -> Option<&mut Link> {
        self.links.get_mut(&link)
    }

    /// Those over which something is passed on.
    pub fn feeding(&self) -> Vec<LinkId> {
        self.links.iter().filter(|(_, link)| !link.feeds.is_empty()).map(|(id, _)| *id).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Forgets how far it was in a room, in both directions.
    pub fn forget_room(&mut self, link: LinkId, room: &RoomName) {
        if let Some(link) = self.links.get_mut(&link) {
            link.sent.remove(room);
            link.feeds.remove(room);
            link.skipped.retain(|(name, _), _| name != room);
            link.parted.insert(room.clone());
        }
    }

    /// Whether the two had shared a room and had ceased to, now that they share it.
    pub fn returned(&mut self, link: LinkId, room: &RoomName) -> bool {
        self.links.get_mut(&link).is_some_and(|link| link.parted.remove(room))
    }

    /// When something is due.
    pub fn deadline(&self) -> u64 {
        self.unsettled.iter().filter_map(|id| self.links.get(id)).map(|l| l.until).min().unwrap_or(u64::MAX)
    }

    fn insert(&mut self, id: LinkId, link: Link) {
        self.unsettled.insert(id);
        self.links.insert(id, link);
    }

    fn remove(&mut self, id: LinkId) -> Option<Link> {
        self.unsettled.remove(&id);
        self.links.remove(&id)
    }
}

impl Core {
    pub(super) fn link_up(&mut self, id: LinkId, key: Key, dialled: bool, address: SocketAddr, now: Now) {
        self.link_stands(id, key, dialled, false, address, now);
    }

    /// The same; `called` if this peer has dialled an address and not a person.
    pub(super) fn link_stands(
        &mut self,
        id: LinkId,
        key: Key,
        dialled: bool,
        called: bool,
        address: SocketAddr,
        now: Now,
    ) {
        if dialled
            && !called
            && let Some(person) = self.people.get_mut(&key)
        {
            person.dialling = false;
        }
        if self.dials.hosts.reached(address) {
            let people = self.people.iter_mut();
            let held: Vec<Key> =
                people.filter_map(|(key, person)| std::mem::take(&mut person.held).then_some(*key)).collect();
            held.into_iter().for_each(|key| self.schedule(key, now.at));
        }
        let known = called || self.people.get(&key).is_some();
        let unsettled = self.links.unsettled.iter().filter_map(|id| self.links.get(*id));
        let parked = unsettled.filter(|link| link.parked).count();
        let refuse = if key == self.me {
            Some("a peer does not talk to itself")
        } else if self.trust.doubts(&key) {
            Some(pin::UNDECIDED)
        } else if self.links.len() >= self.config.links {
            Some("too many links")
        } else if self.people.get(&key).is_some_and(|person| now.at < person.shunned_until) {
            Some("the rules were broken a moment ago")
        } else if !known && (dialled || parked >= PARKED_LINKS) {
            Some("no room is shared")
        } else {
            None
        };
        if let Some(reason) = refuse {
            self.out.push(Output::Close(id, reason.into()));
            return self.call_over(id, &key, reason);
        }
        let link = Link {
            key,
            address,
            queued: 0,
            loading: false,
            sent: BTreeMap::new(),
            early: BTreeMap::new(),
            feeds: BTreeMap::new(),
            skipped: BTreeMap::new(),
            parted: BTreeSet::new(),
            dialled,
            life: None,
            parked: !known,
            until: now.at + if known { HELLO } else { PARKED },
        };
        self.links.insert(id, link);
        if known {
            self.greet(id);
        }
    }

    /// The other side has said hello. The link counts from now on, unless there is a better one.
    pub(super) fn link_hello(&mut self, id: LinkId, hello: Hello, now: Now) {
        let Some(link) = self.links.get_mut(id) else { return };
        if hello.protocol != PROTOCOL {
            let reason = format!(
                "this peer speaks version {PROTOCOL} of the peer protocol, not {}; install the same version on both (peer \
                 --version)",
                hello.protocol
            );
            return self.close(id, &reason);
        }
        if link.life.replace(hello.life).is_some() {
            return self.breach(id, "hello was said twice");
        }
        let (key, parked) = (link.key, link.parked);
        if !self.let_in(id, key, &hello.name, now) {
            return;
        }
        if !parked {
            self.activate(id, now);
        }
    }

    pub(super) fn activate(&mut self, id: LinkId, now: Now) {
        self.links.unsettled.remove(&id);
        let Some(link) = self.links.get(id) else { return };
        let (key, dialled, life) = (link.key, link.dialled, link.life);
        let Some(person) = self.people.get_mut(&key) else {
            if fault::on(Fault::GhostKept) {
                return;
            }
            return self.close(id, "no room is shared any more");
        };
        if let Some((old, link)) = person.link.and_then(|old| self.links.links.get(&old).map(|link| (old, link))) {
            // Two links that one side dialled: the later one, since it gave up the earlier. So too if the other side
            // has begun a new life since.
            let later = link.dialled == dialled || link.life != life;
            let stays = if later { id } else { self.preferred(&key, id, dialled, old) };
            if stays == old {
                return self.close(id, "there is another link");
            }
            self.close(old, "there is another link");
        }
        let Some(person) = self.people.get_mut(&key) else { return };
        person.linked(id);
        let rooms = person.rooms.clone();
        self.unschedule(&key);
        rooms.into_iter().for_each(|room| self.receipts.owe(id, room));
        self.show_presence(&key);
        self.repair_linked(id, key, now);
        self.typing_linked(id);
        self.files_linked(id, key);
        self.reached(id, &key);
    }

    /// Of a link dialled by one side and one dialled by the other: the one that the smaller key dialled.
    fn preferred(&self, key: &Key, id: LinkId, dialled: bool, old: LinkId) -> LinkId {
        let smaller_dialled = dialled == (self.me < *key);
        if smaller_dialled { id } else { old }
    }

    pub(super) fn link_down(&mut self, id: LinkId, why: String, now: Now) {
        let Some(Link { key, dialled, .. }) = self.links.remove(id) else { return };
        self.receipts.forget_link(id);
        self.typing.forget(id);
        self.files.link_down(id, now.at);
        self.call_over(id, &key, &why);
        let tracker_up = self.tracker.is_up();
        let Some(person) = self.people.get_mut(&key) else { return };
        if person.link == Some(id) {
            person.link = None;
            if !tracker_up && std::mem::take(&mut person.online) {
                // Without a tracker nobody else can say where it is now. When it is back it has to tell anew, also
                // where for it nothing has changed.
                for name in &person.rooms {
                    if let Some(room) = self.rooms.get_mut(name) {
                        room.presence = PresenceVersion::default();
                    }
                }
            }
            self.show_presence(&key);
            self.schedule_first(key, now);
            self.repair_unlinked(id, &key);
        } else if dialled && person.link.is_none() {
            // The other side does not know this peer yet, or never will.
            self.dial_failed(key, now);
        }
    }

    pub(super) fn close(&mut self, id: LinkId, reason: &str) {
        self.close_with(id, Bye { reason: reason.into(), stranger: false });
    }

    fn close_with(&mut self, id: LinkId, bye: Bye) {
        let Some(link) = self.links.remove(id) else { return };
        self.receipts.forget_link(id);
        self.typing.forget(id);
        self.files.link_down(id, self.clock.at);
        if let Some(person) = self.people.get_mut(&link.key).filter(|person| person.link == Some(id)) {
            person.link = None;
            self.repair_unlinked(id, &link.key);
        }
        let reason = bye.reason.clone();
        self.out.push(Output::Send(id, PeerFrame::from(bye).encode()));
        self.out.push(Output::Close(id, reason.clone()));
        self.call_over(id, &link.key, &reason);
    }

    pub(super) fn close_all(&mut self, reason: &str) {
        let all: Vec<LinkId> = self.links.links.keys().copied().collect();
        all.into_iter().for_each(|id| self.close(id, reason));
    }

    fn greet(&mut self, id: LinkId) {
        let hello = Hello { protocol: PROTOCOL, name: self.name.clone(), life: self.life };
        self.send(id, PeerFrame::from(hello).encode());
    }

    /// Hands a frame to the shell and counts its bytes. Batches hold back by themselves; what only answers the other
    /// side cannot, so a link that takes no answers is closed.
    pub(super) fn send(&mut self, id: LinkId, frame: Encoded) {
        let Some(link) = self.links.links.get_mut(&id) else { return };
        if link.queued > self.config.link_buffer_bytes.saturating_add(ANSWERS) {
            return self.close(id, "it does not read what it is sent");
        }
        link.queued += frame.len();
        self.out.push(Output::Send(id, frame));
    }

    /// Somebody stands in a table now: their links that came too early count.
    pub(super) fn unpark(&mut self, key: &Key, now: Now) {
        let unsettled = self.links.unsettled.iter().copied();
        let early: Vec<LinkId> =
            unsettled.filter(|id| self.links.get(*id).is_some_and(|l| l.parked && l.key == *key)).collect();
        for id in early {
            let Some(link) = self.links.links.get_mut(&id) else { continue };
            link.parked = false;
            link.until = now.at + HELLO;
            let hello = link.life;
            self.greet(id);
            if hello.is_some() {
                self.activate(id, now);
            }
        }
    }

    /// Lets go of links that never said hello.
    pub(super) fn links_due(&mut self, now: Now) {
        let unsettled = self.links.unsettled.iter().copied();
        let late: Vec<LinkId> =
            unsettled.filter(|id| self.links.get(*id).is_some_and(|link| link.until <= now.at)).collect();
        for id in late {
            let parked = self.links.get(id).is_some_and(|link| link.parked);
            let reason = if parked { "no room is shared" } else { "no hello came" };
            self.close_with(id, Bye { reason: reason.into(), stranger: parked && self.tracker.is_up() });
        }
    }
}
