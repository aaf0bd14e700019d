//! Getting from third members what the author cannot bring: it is gone, or there is a wall in between.
//!
//! Logs are compared on every new link and now and then with a random member. What somebody else has more of is
//! followed there, one log at one member at a time, unless its author has a link and brings it itself. Who should be
//! there and has no link is followed at a member that has one to it, from the first second on.

use std::collections::BTreeMap;

use common::{
    Key, RoomName,
    fault::{self, Fault},
    frame::Frame,
    limits,
    message::Head,
    wire::peer::{Follow, Followed, Frontier, Near, PeerFrame},
};

use super::{Core, LinkId, Now, claim::Claim, frontier, room::Room};

/// Between two comparisons with a random member, in milliseconds; up to half of it is added at random.
const COMPARE: u64 = 30_000;
/// How soon logs are compared when there is a reason, in milliseconds.
const SOON: u64 = 1_000;
/// How long logs are left uncompared after a table has changed, in milliseconds: it may make more of them known.
const SETTLE: u64 = 5_000;
/// Between two looks at who has no link, in milliseconds; for so long one may have none before somebody else is asked.
const LOOK: u64 = 1_000;
/// How long a member may take to say whether it has a link to somebody, in milliseconds.
const NEAR: u64 = 2_000;
/// How long a member may pass on nothing of what it has, in milliseconds, before another is asked.
const STALLED: u64 = 10_000;
/// Members asked in turn for one who has no link, and the pause before the next of them, in milliseconds.
const ASKED: u32 = 8;
const PAUSE: u64 = 10_000;
/// Holes of one room that a member is asked for at once.
const HOLES: usize = 32;
/// Rooms compared at once.
const ROOMS: usize = 64;

/// What is got from where.
#[derive(Debug)]
pub struct Repair {
    sources: BTreeMap<(RoomName, Key), Source>,
    /// Who has more of logs whose authors may yet bring it themselves.
    hints: BTreeMap<(RoomName, Key), (LinkId, u64)>,
    /// Rooms in which somebody has more of this peer's own log.
    pub claims: BTreeMap<RoomName, Claim>,
    compare_at: u64,
    look_at: u64,
    compare_soon: bool,
    look_soon: bool,
}

/// Where one log is followed.
#[derive(Debug)]
struct Source {
    link: LinkId,
    /// The number up to which it is said to have the log.
    target: u64,
    /// Whether it has a link to the author.
    near: bool,
    /// When it was asked, or last brought something.
    since: u64,
}

impl Repair {
    /// Nothing is followed yet.
    pub fn new() -> Repair {
        Repair {
            sources: BTreeMap::new(),
            hints: BTreeMap::new(),
            claims: BTreeMap::new(),
            compare_at: u64::MAX,
            look_at: u64::MAX,
            compare_soon: false,
            look_soon: false,
        }
    }

    /// When something is due.
    pub fn deadline(&self) -> u64 {
        self.compare_at.min(self.look_at)
    }

    /// Looks again soon at who has no link.
    pub fn look_soon(&mut self) {
        self.look_soon = true;
    }

    /// A room's table has changed.
    pub fn table_changed(&mut self, now: Now) {
        self.compare_at = self.compare_at.min(now.at + SETTLE);
    }
}

impl Core {
    /// A link counts from now on.
    pub(super) fn repair_linked(&mut self, id: LinkId, key: Key, now: Now) {
        if self.repair.compare_at == u64::MAX {
            self.repair.compare_at = now.at + COMPARE;
        }
        self.known_to(&key);
        let rooms: Vec<RoomName> = self.people.get(&key).map(|p| p.rooms.iter().cloned().collect()).unwrap_or_default();
        for name in &rooms {
            self.unfollow(name, &key);
            self.compare_newly(id, &key, name);
        }
        self.give_receipts(id, &key);
        self.tell_all_near(&key);
    }

    /// Two who are linked share a room from now on, or are linked from now on: one of them begins to compare.
    pub(super) fn compare_newly(&mut self, id: LinkId, key: &Key, name: &RoomName) {
        if self.me < *key {
            self.open_comparison(id, name);
        }
        self.ask_for_holes(id, name);
    }

    /// Comparing heads does not show holes, so whoever is linked is asked to fill them.
    fn ask_for_holes(&mut self, id: LinkId, name: &RoomName) {
        let Some(room) = self.rooms.get(name) else { return };
        let holes = room.logs.iter().flat_map(|(author, log)| {
            log.holes().map(|(first, last)| Followed { author: *author, after: first - 1, until: Some(last) })
        });
        let holes: Vec<Followed> = holes.take(HOLES).collect();
        if !holes.is_empty() {
            self.send(id, PeerFrame::from(Follow { room: name.clone(), logs: holes }).encode());
        }
    }

    /// A link is gone. What was followed there is followed elsewhere.
    pub(super) fn repair_unlinked(&mut self, id: LinkId, key: &Key) {
        self.repair.sources.retain(|(_, author), source| {
            if source.link == id {
                self.people.ask_again(author);
                self.repair.compare_soon = true;
            }
            source.link != id
        });
        self.repair.hints.retain(|_, (link, _)| *link != id);
        self.repair.look_soon();
        self.tell_all_near(key);
    }

    /// Somebody with a link shares a room no more, or this peer does.
    pub(super) fn repair_parted(&mut self, id: LinkId, name: &RoomName) {
        self.repair.sources.retain(|(room, _), source| source.link != id || room != name);
        self.repair.hints.retain(|(room, _), (link, _)| *link != id || room != name);
    }

    /// Does what is due.
    pub(super) fn repair_due(&mut self, now: Now) {
        if std::mem::take(&mut self.repair.look_soon) {
            self.repair.look_at = self.repair.look_at.min(now.at + LOOK);
        }
        if std::mem::take(&mut self.repair.compare_soon) {
            self.repair.compare_at = self.repair.compare_at.min(now.at + SOON);
        }
        if self.repair.compare_at <= now.at {
            self.repair.compare_at = now.at + COMPARE + self.jitter.below(COMPARE / 2);
            self.compare_with_somebody();
        }
        if self.repair.look_at <= now.at {
            self.look(now);
        }
    }

    fn compare_with_somebody(&mut self) {
        let linked: Vec<(LinkId, Vec<RoomName>)> = self
            .people
            .iter()
            .filter_map(|(_, person)| Some((person.link?, person.rooms.iter().take(ROOMS).cloned().collect())))
            .collect();
        let chosen = self.jitter.below(linked.len() as u64) as usize;
        if let Some((id, rooms)) = linked.get(chosen) {
            for name in rooms {
                self.open_comparison(*id, name);
                self.ask_for_holes(*id, name);
            }
        }
    }

    pub(super) fn open_comparison(&mut self, id: LinkId, name: &RoomName) {
        let Some(room) = self.rooms.get(name).filter(|room| room.joined) else { return };
        let table = self.testimony(name, true);
        let opening = Frontier { table, ..frontier::opening(name, &self.entries(room)) };
        self.send(id, PeerFrame::from(opening).encode());
    }

    fn entries(&self, room: &Room) -> Vec<(Key, Head)> {
        let own = (self.me, room.own.head);
        let others = room.logs.iter().map(|(author, log)| (*author, log.compared()));
        let mut entries: Vec<(Key, Head)> = others.chain([own]).filter(|(_, head)| head.number > 0).collect();
        entries.sort_by_key(|(author, _)| *author);
        entries
    }

    /// The other side has told what it has of a room's logs.
    pub(super) fn compared(&mut self, id: LinkId, theirs: &Frontier, now: Now) {
        let name = &theirs.room;
        let Some(link) = self.links.get(id) else { return };
        let shared = self.rooms.get(name).filter(|room| room.joined && room.table.member(&link.key).is_some());
        let Some(room) = shared else { return };
        let key = link.key;
        let Some(compared) = frontier::compare(&self.entries(room), theirs) else {
            return self.breach(id, "a comparison that breaks the rules");
        };
        if let Some(answer) = compared.answer {
            self.send(id, PeerFrame::from(answer).encode());
        }
        if let Some(table) = &theirs.table {
            self.testified(id, key, name, table, now);
        }
        let mut wanted = Vec::new();
        for log in compared.ahead {
            if log.author == self.me {
                self.claim(id, name, log.last, now);
            } else if let Some(followed) = self.wanted(id, name, &log.author, log.last, now) {
                wanted.push(followed);
            }
        }
        self.follow(id, name, wanted);
    }

    /// What to ask for of a log that a member has more of, or something else of.
    fn wanted(&mut self, id: LinkId, name: &RoomName, author: &Key, last: u64, now: Now) -> Option<Followed> {
        if fault::on(Fault::RepairNotAsked) {
            return None;
        }
        let room = self.rooms.get(name)?;
        if !room.takes_log(author) {
            return None;
        }
        let is_stranger = room.name_of(author).is_none();
        let held = room.logs.get(author);
        let compared = held.map_or(0, |log| log.compared().number);
        if last == compared {
            // Two messages with one number: the batch shows which.
            let unknown = !room.forked.contains(author);
            return unknown.then_some(Followed { author: *author, after: last - 1, until: Some(last) });
        }
        let after = held.map_or(0, |log| log.head().number);
        // An author who has left the room brings nothing of it, whatever other room is shared.
        let person = self.people.get(author).filter(|person| person.rooms.contains(name));
        if person.is_some_and(|person| person.link.is_some()) {
            return None;
        }
        let place = (name.clone(), *author);
        if let Some(source) = self.repair.sources.get_mut(&place) {
            source.target = source.target.max(last);
            return None;
        }
        if person.is_some_and(|person| person.may_be_there(self.tracker.is_up())) {
            self.repair.hints.insert(place, (id, last));
            self.repair.look_soon();
            return None;
        }
        if is_stranger && self.repair.sources.len() >= limits::FOLLOWED {
            return None;
        }
        self.repair.sources.insert(place, Source { link: id, target: last, near: false, since: now.at });
        self.repair.look_soon();
        Some(Followed { author: *author, after, until: None })
    }

    pub(super) fn follow(&mut self, id: LinkId, name: &RoomName, logs: Vec<Followed>) {
        if !logs.is_empty() {
            self.send(id, PeerFrame::from(Follow { room: name.clone(), logs }).encode());
        }
    }

    fn unfollow(&mut self, name: &RoomName, author: &Key) {
        let place = (name.clone(), *author);
        self.repair.hints.remove(&place);
        if let Some(source) = self.repair.sources.remove(&place) {
            self.follow(source.link, name, vec![Followed { author: *author, after: 0, until: Some(0) }]);
        }
    }

    /// A member says whether it has a link to somebody who is followed there.
    pub(super) fn near(&mut self, id: LinkId, near: &Near, now: Now) {
        let place = (near.room.clone(), near.author);
        if let Some(source) = self.repair.sources.get_mut(&place).filter(|source| source.link == id) {
            let was_near = std::mem::replace(&mut source.near, near.linked);
            if was_near && !near.linked {
                self.people.ask_again(&near.author);
            }
            if !near.linked {
                source.since = source.since.min(now.at.saturating_sub(NEAR));
                self.repair.look_soon();
            }
        }
    }

    /// The member through which somebody without a link is reached in a room.
    pub(super) fn near_source(&self, name: &RoomName, author: &Key) -> Option<Key> {
        let source = self.repair.sources.get(&(name.clone(), *author)).filter(|source| source.near)?;
        self.links.get(source.link).map(|link| link.key)
    }

    /// Something of a log has been taken.
    pub(super) fn progress(&mut self, name: &RoomName, author: &Key, now: Now) {
        if let Some(source) = self.repair.sources.get_mut(&(name.clone(), *author)) {
            source.since = now.at;
        }
        if *author == self.me {
            self.claim_settled(name);
        }
    }

    /// Looks for other ways to those who should be there and have no link, and for other members where one does not
    /// bring what it has.
    fn look(&mut self, now: Now) {
        let tracker_up = self.tracker.is_up();
        let mut unlinked: Vec<(Key, Vec<RoomName>)> = Vec::new();
        let mut again = false;
        for (key, person) in self.people.iter_mut() {
            if person.link.is_none() && person.may_be_there(tracker_up) {
                again = true;
                if now.at >= person.unlinked_since.get_or_insert(now.at).saturating_add(LOOK) {
                    unlinked.push((*key, person.rooms.iter().cloned().collect()));
                }
            }
        }
        for (key, rooms) in unlinked {
            for name in rooms {
                self.look_around(&key, &name, now);
            }
        }
        again |= self.drop_stalled(now);
        self.repair.look_at = if again { now.at + LOOK } else { u64::MAX };
    }

    /// Asks the next member for somebody who has no link.
    fn look_around(&mut self, key: &Key, name: &RoomName, now: Now) {
        let place = (name.clone(), *key);
        let waits = |source: &Source| {
            fault::on(Fault::WallNotWalkedAround) || source.near || now.at < source.since.saturating_add(NEAR)
        };
        if self.repair.sources.get(&place).is_some_and(waits) {
            return;
        }
        let Some(room) = self.rooms.get(name).filter(|room| room.table.len() <= self.config.mesh_members) else {
            return;
        };
        let Some(person) = self.people.get(key).filter(|person| person.asked_until <= now.at) else { return };
        let others = self.people.iter().filter(|(other, person)| *other != key && person.rooms.contains(name));
        let links: Vec<LinkId> = others.filter_map(|(_, person)| person.link).collect();
        if links.is_empty() {
            return;
        }
        let (hinted, target) = self.repair.hints.remove(&place).unzip();
        let id = hinted.unwrap_or(links[(person.asked as usize) % links.len()]);
        let after = room.logs.get(key).map_or(0, |log| log.head().number);
        if let Some(person) = self.people.get_mut(key) {
            person.asked = person.asked.wrapping_add(1);
            if person.asked.is_multiple_of(ASKED.min(links.len() as u32)) {
                person.asked_until = now.at + PAUSE / 2 + self.jitter.below(PAUSE);
            }
        }
        self.unfollow(name, key);
        let source = Source { link: id, target: target.unwrap_or(0), near: false, since: now.at };
        self.repair.sources.insert(place, source);
        self.follow(id, name, vec![Followed { author: *key, after, until: None }]);
    }

    /// Gives up on members that have not brought what they said they have. True if some are still to bring it.
    fn drop_stalled(&mut self, now: Now) -> bool {
        let lacks = |core: &Core, (name, author): &(RoomName, Key), target: u64| {
            let log = core.rooms.get(name).and_then(|room| room.logs.get(author));
            log.map_or(0, |log| log.compared().number) < target
        };
        let unmet: Vec<(RoomName, Key)> = self
            .repair
            .sources
            .iter()
            .filter(|(place, source)| lacks(self, place, source.target))
            .map(|(place, _)| place.clone())
            .collect();
        for (name, author) in &unmet {
            let place = (name.clone(), *author);
            let stalled = |source: &Source| now.at >= source.since.saturating_add(STALLED);
            if self.repair.sources.get(&place).is_some_and(stalled) {
                self.unfollow(name, author);
                self.repair.compare_soon = true;
            }
        }
        !unmet.is_empty()
    }
}
