//! Whether the tracker tells everybody the same. It decides the tables, so one that lies could show two members two
//! different ones: hide somebody, or add somebody for one of them alone. Members tell each other where their tables
//! stand whenever they compare logs, and say so if the two cannot both be true.
//!
//! Two tables that differ at one version are a lie at once. Two versions that stay apart are one after a time, since a
//! tracker that both have a link to brings them together within seconds. So is a member that does not know this peer.

use std::collections::BTreeMap;

use common::{
    Key, RoomName, Version,
    frame::Frame,
    wire::{
        control::MemberChange,
        peer::{Frontier, PeerFrame, Told},
    },
};
use serde_bytes::ByteArray;

use super::{Core, LinkId, Now};

/// How long two tables may differ while both members have a link to the tracker, in milliseconds: longer than a dead
/// link goes unnoticed.
const PATIENCE: u64 = 60_000;
/// Members and rooms in doubt at once.
const DOUBTS: usize = 4_096;

/// What does not fit together.
#[derive(Default, Debug)]
pub struct Witness {
    doubts: BTreeMap<(RoomName, Key), Doubt>,
}

/// A member holds another table than this peer.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    /// Which; `None` if it is one without this peer.
    theirs: Option<(Version, [u8; 32])>,
    /// The epoch of this peer's table then.
    epoch: u64,
    since: u64,
    /// When the member is asked again.
    ask_at: u64,
    /// Whether the user has been told.
    told: bool,
}

impl Witness {
    /// When something is due.
    pub fn deadline(&self) -> u64 {
        self.doubts.values().map(|doubt| doubt.ask_at).min().unwrap_or(u64::MAX)
    }

    /// Without a link to the tracker nobody can say what is the latest.
    pub fn untold(&mut self) {
        self.doubts.retain(|_, doubt| doubt.told);
    }

    /// What there was between this peer and a member in a room is over.
    pub fn parted(&mut self, room: &RoomName, key: &Key) {
        self.doubts.remove(&(room.clone(), *key));
    }
}

impl Core {
    /// Where this peer's table of a room stands, for whoever compares logs with it.
    pub(super) fn testimony(&self, room: &RoomName, answer: bool) -> Option<Told> {
        let room = self.rooms.get(room)?;
        let digest = ByteArray::new(room.table.digest());
        Some(Told { version: room.table.version(), digest, up: self.tracker.is_up(), answer })
    }

    /// A member has told where its table stands.
    pub(super) fn testified(&mut self, id: LinkId, key: Key, name: &RoomName, theirs: &Told, now: Now) {
        let Some(mine) = self.testimony(name, false) else { return };
        let (place, told) = ((name.clone(), key), (theirs.version, *theirs.digest));
        let epoch = mine.version.epoch;
        // It was behind, and has come on, or tables were begun afresh since.
        let is_over = |doubt: &Doubt| {
            let overtaken = |was: Version| was.epoch == epoch && was.number < mine.version.number;
            let over = |was: (Version, _)| was.0.epoch != theirs.version.epoch || (was != told && overtaken(was.0));
            doubt.epoch != epoch || doubt.theirs.is_none_or(over)
        };
        if theirs.version == mine.version {
            match theirs.digest == mine.digest {
                true => drop(self.witness.doubts.remove(&place)),
                false => self.lied_to(name, &key, now),
            }
        } else if theirs.up && mine.up {
            match self.doubt(place, Doubt { theirs: Some(told), epoch, ..fresh(now) }) {
                Some(doubt) if is_over(doubt) => {
                    *doubt = Doubt { theirs: Some(told), epoch, told: doubt.told, ..fresh(now) };
                }
                Some(doubt) if now.at >= doubt.since + PATIENCE => self.lied_to(name, &key, now),
                _ => {}
            }
        } else {
            self.witness.parted(name, &key);
        }
        if theirs.answer && (theirs.version, &theirs.digest) != (mine.version, &mine.digest) {
            let word = Frontier { room: name.clone(), table: Some(mine), digests: Vec::new(), heads: Vec::new() };
            self.send(id, PeerFrame::from(word).encode());
        }
    }

    /// There is a link to a member: it knows this peer.
    pub(super) fn known_to(&mut self, key: &Key) {
        self.witness.doubts.retain(|(_, doubted), doubt| doubted != key || doubt.theirs.is_some() || doubt.told);
    }

    /// A member that the tracker has a link to does not know this peer, though both should share rooms.
    pub(super) fn taken_for_a_stranger(&mut self, key: &Key, now: Now) {
        let Some(person) = self.people.get(key).filter(|person| self.tracker.is_up() && person.online) else { return };
        for name in person.rooms.clone() {
            match self.doubt((name.clone(), *key), fresh(now)) {
                // It knew this peer before, and may know of a change first.
                Some(doubt) if doubt.theirs.is_some() => *doubt = Doubt { told: doubt.told, ..fresh(now) },
                Some(doubt) if now.at >= doubt.since + PATIENCE => self.lied_to(&name, key, now),
                _ => {}
            }
        }
    }

    /// A room's table is another one now: what was in doubt may be settled.
    pub(super) fn table_moved(&mut self, name: &RoomName, now: Now) {
        let Some(version) = self.rooms.get(name).map(|room| room.table.version()) else { return };
        let of_room = |key: &(RoomName, Key)| key.0 == *name;
        let reached: Vec<(Key, Version, [u8; 32])> = self
            .witness
            .doubts
            .iter()
            .filter(|(place, _)| of_room(place))
            .filter_map(|((_, key), doubt)| doubt.theirs.map(|(theirs, digest)| (*key, theirs, digest)))
            .filter(|(_, theirs, _)| theirs.epoch == version.epoch && theirs.number <= version.number)
            .collect();
        for (key, theirs, digest) in reached {
            let same = self.rooms.get(name).is_some_and(|room| room.table.digest() == digest);
            if theirs == version && !same {
                self.lied_to(name, &key, now);
            } else {
                self.witness.parted(name, &key);
            }
        }
    }

    /// Asks members in doubt again.
    pub(super) fn witness_due(&mut self, now: Now) {
        let due: Vec<(RoomName, Key)> = self
            .witness
            .doubts
            .iter_mut()
            .filter(|(_, doubt)| doubt.ask_at <= now.at)
            .map(|(place, doubt)| {
                doubt.ask_at = now.at + PATIENCE;
                place.clone()
            })
            .collect();
        for (name, key) in due {
            match self.people.get(&key).filter(|person| person.rooms.contains(&name)).map(|person| person.link) {
                None => self.witness.parted(&name, &key),
                Some(None) => {}
                Some(Some(link)) => self.open_comparison(link, &name),
            }
        }
    }

    /// The doubt about a member in a room, begun if there was none and there is space.
    fn doubt(&mut self, place: (RoomName, Key), fresh: Doubt) -> Option<&mut Doubt> {
        let has_space = self.witness.doubts.len() < DOUBTS || self.witness.doubts.contains_key(&place);
        has_space.then(|| self.witness.doubts.entry(place).or_insert(fresh))
    }

    /// Tells the user, once until the two agree again.
    fn lied_to(&mut self, name: &RoomName, key: &Key, now: Now) {
        let told = self.doubt((name.clone(), *key), fresh(now)).map(|doubt| std::mem::replace(&mut doubt.told, true));
        let called = self.rooms.get(name).and_then(|room| room.name_of(key)).cloned();
        if let (Some(false), Some(called)) = (told, called) {
            self.event(name, called, MemberChange::Split);
        }
    }
}

fn fresh(now: Now) -> Doubt {
    Doubt { theirs: None, epoch: 0, since: now.at, ask_at: now.at + PATIENCE, told: false }
}
