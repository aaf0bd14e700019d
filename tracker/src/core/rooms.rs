//! Which rooms there are, and who is a member of which.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use common::{
    Key, RoomName,
    fault::{self, Fault},
    table::{Misfit, Settings, Table},
    wire::tracker::RoomEntry,
};

use super::{room::Room, rows::StoredRoom};

/// A room's epoch, which no other room ever has.
pub type RoomId = u64;

/// The rooms.
pub struct Rooms {
    names: BTreeMap<String, RoomId>,
    rooms: BTreeMap<RoomId, Room>,
    of: BTreeMap<Key, BTreeSet<RoomId>>,
    waits: BTreeMap<Key, BTreeSet<RoomId>>,
    last_epoch: u64,
    run: u64,
}

impl Rooms {
    /// No rooms yet. Epochs go on after `last_epoch`.
    pub fn new(last_epoch: u64, run: u64) -> Rooms {
        Rooms {
            names: BTreeMap::new(),
            rooms: BTreeMap::new(),
            of: BTreeMap::new(),
            waits: BTreeMap::new(),
            last_epoch,
            run,
        }
    }

    /// Takes in a room as it was stored. `name_of` knows what its members are called.
    pub fn restore(
        &mut self,
        stored: StoredRoom,
        name_of: impl Fn(&Key) -> Option<common::AccountName>,
    ) -> Result<(), Misfit> {
        let id = stored.version.epoch;
        let members = stored.members.into_iter().map(|member| {
            let name = name_of(&member.key).ok_or(Misfit::Taken(member.slot))?;
            Ok(common::table::Member {
                slot: member.slot,
                key: member.key,
                name,
                role: member.role,
                since: member.since,
            })
        });
        let members = members.collect::<Result<Vec<_>, Misfit>>()?;
        let table = Table::from_snapshot(stored.version, members)?.with_settings(stored.settings);
        let table = table.with_files(stored.files)?;
        for member in table.members() {
            self.of.entry(member.key).or_default().insert(id);
        }
        self.names.insert(stored.name.fold(), id);
        let mut room = Room::restored(stored.name, table, self.run);
        for (key, at) in stored.waiting {
            room.door.waiting.insert(key, at);
            self.waits.entry(key).or_default().insert(id);
        }
        room.door.banned = stored.banned.into_iter().collect();
        room.door.kept = stored.kept;
        self.rooms.insert(id, room);
        Ok(())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rooms.len()
    }

    /// Members of all rooms.
    pub fn members(&self) -> usize {
        self.rooms.values().map(|room| room.table().len()).sum()
    }

    /// The room of that name, but for case.
    pub fn find(&self, name: &RoomName) -> Option<RoomId> {
        self.names.get(&name.fold()).copied()
    }

    /// A room.
    pub fn get(&self, id: RoomId) -> Option<&Room> {
        self.rooms.get(&id)
    }

    /// A room.
    pub fn get_mut(&mut self, id: RoomId) -> Option<&mut Room> {
        self.rooms.get_mut(&id)
    }

    /// The rooms without members that are kept, and until when in milliseconds of the tracker's life.
    pub fn kept(&self) -> impl Iterator<Item = (RoomId, u64)> {
        self.rooms.iter().filter_map(|(id, room)| room.door.kept.map(|kept| (*id, kept.until)))
    }

    /// All rooms, in the order of their age.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&RoomId, &mut Room)> {
        self.rooms.iter_mut()
    }

    /// The rooms that `key` is a member of.
    pub fn of(&self, key: &Key) -> BTreeSet<RoomId> {
        self.of.get(key).cloned().unwrap_or_default()
    }

    /// The rooms at whose door `key` waits.
    pub fn waits_of(&self, key: &Key) -> BTreeSet<RoomId> {
        self.waits.get(key).cloned().unwrap_or_default()
    }

    /// How many rooms `key` is a member of, or waits to be let into.
    pub fn count_of(&self, key: &Key) -> usize {
        [&self.of, &self.waits].into_iter().filter_map(|of| of.get(key)).map(BTreeSet::len).sum()
    }

    /// Makes a room. Its epoch is later than that of any room before it, whatever the clock says.
    pub fn make(&mut self, name: RoomName, settings: Settings, now: u64) -> RoomId {
        let id = match fault::on(Fault::EpochReused) {
            true => 1_000 + name.as_str().len() as u64,
            false => now.max(self.last_epoch + 1),
        };
        self.last_epoch = id;
        self.names.insert(name.fold(), id);
        self.rooms.insert(id, Room::new(name, id, settings, self.run));
        id
    }

    /// Ends a room.
    pub fn unmake(&mut self, id: RoomId) {
        if let Some(room) = self.rooms.remove(&id) {
            self.names.remove(&room.name().fold());
        }
    }

    /// Notes that `key` is a member of the room.
    pub fn note(&mut self, key: Key, id: RoomId) {
        self.of.entry(key).or_default().insert(id);
    }

    /// Notes that `key` is a member of the room no more.
    pub fn forget(&mut self, key: &Key, id: RoomId) {
        take_out(&mut self.of, key, id);
    }

    /// Notes that `key` waits at the room's door.
    pub fn note_wait(&mut self, key: Key, id: RoomId) {
        self.waits.entry(key).or_default().insert(id);
    }

    /// Notes that `key` waits there no more.
    pub fn forget_wait(&mut self, key: &Key, id: RoomId) {
        take_out(&mut self.waits, key, id);
    }

    /// Rooms after `after` in the order of their folded names, up to about `bytes` on the wire, and whether there are
    /// more. A private room is shown to its members only.
    pub fn list(&self, key: &Key, after: Option<&RoomName>, bytes: usize) -> (Vec<RoomEntry>, bool) {
        let from = after.map_or(Bound::Unbounded, |name| Bound::Excluded(name.fold()));
        let shown = |room: &&Room| !room.table().settings().private || room.table().member(key).is_some();
        let named = self.names.range((from, Bound::Unbounded)).filter_map(|(_, id)| self.rooms.get(id));
        let mut rooms = named.filter(shown).peekable();
        let (mut list, mut size) = (Vec::new(), 0);
        while let Some(room) = rooms.next_if(|_| size < bytes) {
            size += room.name().as_str().len() + room.table().settings().topic.len() + 48;
            let (members, settings) = (room.table().len() as u32, room.table().settings().clone());
            list.push(RoomEntry { room: room.name().clone(), members, settings });
        }
        (list, rooms.peek().is_some())
    }
}

fn take_out(of: &mut BTreeMap<Key, BTreeSet<RoomId>>, key: &Key, id: RoomId) {
    if let Some(rooms) = of.get_mut(key) {
        rooms.remove(&id);
        if rooms.is_empty() {
            of.remove(key);
        }
    }
}
