//! What a peer makes of the frames it is sent, by the rules of the wire alone.

use std::collections::BTreeMap;

use common::{
    RoomName, Slot, Version,
    address::Addresses,
    frame::{Encoded, Frame, HEADER},
    table::{Delta, Presence, PresenceVersion, Step, Table},
    wire::tracker::{Held, ToPeer, Update},
};
use serde_bytes::ByteArray;

#[derive(Clone, Default)]
pub struct MirrorRoom {
    pub table: Table,
    pub online: BTreeMap<Slot, Addresses>,
    pub presence: PresenceVersion,
}

#[derive(Clone, Default)]
pub struct Mirror {
    pub rooms: BTreeMap<RoomName, MirrorRoom>,
    pieces: Vec<common::table::Member>,
    words: Vec<Presence>,
}

impl Mirror {
    /// Takes in a frame; gives back those that are not about tables.
    pub fn take(&mut self, frame: &Encoded) -> Option<ToPeer> {
        match ToPeer::decode(&frame[HEADER..]).unwrap().unwrap() {
            ToPeer::Update(update) => self.update(update),
            ToPeer::Snapshot(piece) => {
                self.pieces.extend(piece.members);
                self.words.extend(piece.presence);
                if !piece.more {
                    let members = std::mem::take(&mut self.pieces);
                    let table = Table::from_snapshot(piece.version, members).unwrap().with_settings(piece.settings);
                    let mut room = MirrorRoom { table, presence: piece.presence_version, ..Default::default() };
                    room.hear(std::mem::take(&mut self.words));
                    self.rooms.insert(piece.room, room);
                }
            }
            ToPeer::NotMember(no) => drop(self.rooms.remove(&no.room)),
            other => return Some(other),
        }
        None
    }

    pub fn held(&self) -> Vec<Held> {
        let held = |(name, room): (&RoomName, &MirrorRoom)| Held {
            room: name.clone(),
            version: room.table.version(),
            digest: ByteArray::new(room.table.digest()),
            presence: room.presence,
        };
        self.rooms.iter().map(held).collect()
    }

    fn update(&mut self, update: Update) {
        let room = self.rooms.get_mut(&update.room).expect("an update comes after a snapshot");
        for change in &update.changes {
            if let Step::Gone { slot, .. } = &change.step {
                room.online.remove(slot);
            }
        }
        let from: Version = update.from;
        room.table.apply_delta(&Delta { from, changes: update.changes }).expect("an update fits");
        room.hear(update.presence);
        room.presence = update.presence_version;
    }
}

impl MirrorRoom {
    fn hear(&mut self, words: Vec<Presence>) {
        for Presence { slot, online, .. } in words {
            match online {
                Some(addresses) => self.online.insert(slot, addresses),
                None => self.online.remove(&slot),
            };
        }
    }
}
