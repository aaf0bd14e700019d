//! One room: its table, the presence beside it, and the frames that bring a session from a cursor to now. Frames are
//! encoded once for all sessions with the same cursor.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use common::{
    AccountName, Key, RoomName, Slot, Version,
    address::Addresses,
    fault::{self, Fault},
    frame::Encoded,
    table::{Change, Departure, Member, Misfit, Presence, PresenceVersion, Role, Settings, Step, Table},
};

use super::{SessionId, door::Door, frames, recent::Recent};

/// Frames that many sessions share.
pub type Frames = Arc<[Encoded]>;

/// How somebody who is online is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Online {
    /// Where.
    pub addresses: Addresses,
    /// Away from the keyboard.
    pub away: bool,
}

/// How much of a room a session has been told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// The number of the table's version.
    pub number: u64,
    /// The number of the presence in this run; `None` if it has been told none of it.
    pub presence: Option<u64>,
}

/// Steps that are kept beyond as many as there are members and files. A longer way is longer than a snapshot.
const KEPT: usize = 64;
/// Encoded ways that are kept until the next change: sessions are mostly at very few different cursors.
const WAYS: usize = 8;

/// A room.
pub struct Room {
    name: RoomName,
    table: Table,
    /// Free slots below the highest one taken.
    holes: BTreeSet<Slot>,
    changes: Recent<Change>,
    online: BTreeMap<Slot, Online>,
    shown: Recent<Slot>,
    run: u64,
    /// Whether every member has had the time to log in since the tracker started: who has not is offline.
    settled: bool,
    digest: Option<[u8; 32]>,
    ways: Vec<(Option<Cursor>, Frames)>,
    /// Who is outside, and what for.
    pub door: Door,
    /// The sessions that are told of changes.
    pub listeners: BTreeSet<SessionId>,
    /// When the changes made so far go out, if there are any.
    pub due: Option<u64>,
    /// When changes last went out.
    pub pushed: u64,
}

impl Room {
    /// A new room with nobody in it.
    pub fn new(name: RoomName, epoch: u64, settings: Settings, run: u64) -> Room {
        Room { settled: true, ..Room::restored(name, Table::new(epoch).with_settings(settings), run) }
    }

    /// A room as it was stored, with nobody online yet.
    pub fn restored(name: RoomName, table: Table, run: u64) -> Room {
        let top = table.members().last().map_or(0, |member| member.slot.0 + 1);
        let holes = (0..top).map(Slot).filter(|slot| table.at(*slot).is_none()).collect();
        Room {
            name,
            changes: Recent::new(table.version().number),
            table,
            holes,
            online: BTreeMap::new(),
            shown: Recent::new(0),
            run,
            settled: false,
            digest: None,
            ways: Vec::new(),
            door: Door::default(),
            listeners: BTreeSet::new(),
            due: None,
            pushed: 0,
        }
    }

    /// Its name as its maker wrote it.
    pub fn name(&self) -> &RoomName {
        &self.name
    }

    /// Its members.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The table's digest.
    pub fn digest(&mut self) -> [u8; 32] {
        *self.digest.get_or_insert_with(|| self.table.digest())
    }

    /// Where a session is that has been told everything.
    pub fn cursor(&self) -> Cursor {
        Cursor { number: self.changes.last(), presence: Some(self.shown.last()) }
    }

    /// How much of what a peer says it holds can be built on; `None` if nothing.
    pub fn cursor_of(&mut self, version: Version, digest: &[u8; 32], presence: PresenceVersion) -> Option<Cursor> {
        let held = self.table.version();
        let known = version.epoch == held.epoch
            && version.number <= held.number
            && (version.number < held.number || *digest == self.digest());
        let told = (presence.run == self.run && presence.number <= self.shown.last()).then_some(presence.number);
        let number = if fault::on(Fault::CursorAhead) { held.number } else { version.number };
        known.then_some(Cursor { number, presence: told })
    }

    /// Gives `key` the lowest free slot, at a time in seconds since 1970. `by` has let it in.
    pub fn join(
        &mut self,
        key: Key,
        name: AccountName,
        role: Role,
        by: Option<Slot>,
        at: u64,
    ) -> Result<Member, Misfit> {
        let slot = self.holes.first().copied().unwrap_or(Slot((self.table.len() + self.holes.len()) as u32));
        let since = self.table.version().number + 1;
        let member = Member { slot, key, name, role, since };
        self.apply(Change { step: Step::Put(member.clone()), by, at })?;
        self.holes.remove(&slot);
        Ok(member)
    }

    /// Shows a member as it is now, under another name or role, at a time in seconds since 1970.
    pub fn put(&mut self, member: Member, by: Option<Slot>, at: u64) -> Result<(), Misfit> {
        self.apply(Change { step: Step::Put(member), by, at })
    }

    /// Is like this from now on, at a time in seconds since 1970.
    pub fn set(&mut self, settings: Settings, by: Option<Slot>, at: u64) -> Result<(), Misfit> {
        self.apply(Change { step: Step::Set(settings), by, at })
    }

    /// Makes a step that its member makes by itself, at a time in seconds since 1970.
    pub fn step(&mut self, step: Step, at: u64) -> Result<(), Misfit> {
        self.apply(step.at(at))
    }

    /// Frees a slot, at a time in seconds since 1970.
    pub fn leave(&mut self, slot: Slot, why: Departure, by: Option<Slot>, at: u64) -> Result<(), Misfit> {
        self.apply(Change { step: Step::Gone { slot, why }, by, at })?;
        self.online.remove(&slot);
        self.holes.insert(slot);
        Ok(())
    }

    /// Says whether and where a member is online.
    pub fn show(&mut self, slot: Slot, online: Option<Online>) {
        match online {
            Some(online) => self.online.insert(slot, online),
            None => self.online.remove(&slot),
        };
        self.shown.push(slot, self.table.len() + KEPT);
        self.ways.clear();
    }

    /// From now on who has not logged in since the tracker started is offline. Returns whether that is news.
    pub fn settle(&mut self) -> bool {
        let absent: Vec<Slot> =
            self.table.members().map(|member| member.slot).filter(|slot| !self.online.contains_key(slot)).collect();
        let news = !self.settled && !absent.is_empty();
        if news {
            absent.into_iter().for_each(|slot| self.show(slot, None));
        }
        self.settled = true;
        news
    }

    /// What a session at `cursor` has to be told so that it is at [`Room::cursor`].
    pub fn frames_since(&mut self, cursor: Option<Cursor>) -> Frames {
        if cursor == Some(self.cursor()) {
            return Frames::default();
        }
        if let Some((_, frames)) = self.ways.iter().find(|(from, _)| *from == cursor) {
            return frames.clone();
        }
        let frames = cursor.and_then(|from| self.update(from)).unwrap_or_else(|| self.snapshot());
        if self.ways.len() == WAYS {
            self.ways.remove(0);
        }
        self.ways.push((cursor, frames.clone()));
        frames
    }

    /// The changes since `from`; `None` if they are not all kept, or too long for one frame.
    pub fn update(&self, from: Cursor) -> Option<Frames> {
        let changes: Vec<Change> = self.changes.since(from.number)?.cloned().collect();
        let presence = match from.presence.and_then(|number| self.shown.since(number)) {
            Some(slots) => self.words(slots.copied().collect()),
            None if self.settled => self.words(self.table.members().map(|member| member.slot).collect()),
            None => self.words(self.online.keys().copied().collect()),
        };
        let version = Version { number: from.number, ..self.table.version() };
        frames::update(&self.name, version, changes, presence, self.presence_version())
    }

    /// The last word about each of these slots that has a member.
    fn words(&self, slots: BTreeSet<Slot>) -> Vec<Presence> {
        let taken = slots.into_iter().filter(|slot| self.table.at(*slot).is_some());
        taken.map(|slot| frames::word(slot, self.online.get(&slot))).collect()
    }

    fn snapshot(&self) -> Frames {
        frames::snapshot(&self.name, &self.table, &self.online, self.presence_version())
    }

    fn presence_version(&self) -> PresenceVersion {
        PresenceVersion { run: self.run, number: self.shown.last() }
    }

    fn apply(&mut self, change: Change) -> Result<(), Misfit> {
        self.table.apply(&change)?;
        self.changes.push(change, self.table.len() + self.table.file_count() + KEPT);
        self.digest = None;
        self.ways.clear();
        Ok(())
    }
}
