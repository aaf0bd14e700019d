//! What a peer makes of the frames it is sent, by the rules of the wire alone.

use std::collections::BTreeMap;

use common::{
    Key, RoomName, Slot, Version,
    address::Addresses,
    frame::{Encoded, Frame, HEADER},
    table::{Change, Delta, Presence, PresenceVersion, Shared, Step, Table},
    wire::tracker::{Contact, ContactState, Contacts, Held, ToPeer, Update},
};
use serde_bytes::ByteArray;

#[derive(Clone, Default)]
pub struct MirrorRoom {
    pub table: Table,
    /// Where they are, and whether away.
    pub online: BTreeMap<Slot, (Addresses, bool)>,
    pub presence: PresenceVersion,
}

#[derive(Clone, Default)]
pub struct Mirror {
    pub rooms: BTreeMap<RoomName, MirrorRoom>,
    pub contacts: BTreeMap<Key, Contact>,
    /// Every change that was seen.
    pub changes: Vec<Change>,
    all_contacts: Option<BTreeMap<Key, Contact>>,
    pieces: Vec<common::table::Member>,
    files: Vec<Shared>,
    words: Vec<Presence>,
}

impl Mirror {
    /// Takes in a frame; gives back those that are not about tables.
    pub fn take(&mut self, frame: &Encoded) -> Option<ToPeer> {
        assert!(frame.len() <= HEADER + ToPeer::LIMIT);
        match ToPeer::decode(&frame[HEADER..]).unwrap().unwrap() {
            ToPeer::Update(update) => self.update(update),
            ToPeer::Snapshot(piece) => {
                self.pieces.extend(piece.members);
                self.words.extend(piece.presence);
                self.files.extend(piece.files);
                if !piece.more {
                    let members = std::mem::take(&mut self.pieces);
                    let table = Table::from_snapshot(piece.version, members).unwrap().with_settings(piece.settings);
                    let table = table.with_files(std::mem::take(&mut self.files)).unwrap();
                    let mut room = MirrorRoom { table, presence: piece.presence_version, ..Default::default() };
                    room.hear(std::mem::take(&mut self.words));
                    self.rooms.insert(piece.room, room);
                }
            }
            ToPeer::Contacts(told) => self.contacts(told),
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

    fn contacts(&mut self, told: Contacts) {
        let told_here = told.contacts.into_iter().map(|contact| (contact.key, contact));
        if told.more || told.whole {
            self.all_contacts.get_or_insert_default().extend(told_here);
            if !told.more {
                self.contacts = self.all_contacts.take().unwrap_or_default();
            }
        } else {
            self.contacts.extend(told_here);
        }
        self.contacts.retain(|_, contact| contact.state != ContactState::Gone);
    }

    fn update(&mut self, update: Update) {
        let room = self.rooms.get_mut(&update.room).expect("an update comes after a snapshot");
        for change in &update.changes {
            if let Step::Gone { slot, .. } = &change.step {
                room.online.remove(slot);
            }
        }
        self.changes.extend(update.changes.iter().cloned());
        let from: Version = update.from;
        room.table.apply_delta(&Delta { from, changes: update.changes }).expect("an update fits");
        room.hear(update.presence);
        room.presence = update.presence_version;
    }
}

impl MirrorRoom {
    fn hear(&mut self, words: Vec<Presence>) {
        for Presence { slot, online, away } in words {
            match online {
                Some(addresses) => self.online.insert(slot, (addresses, away)),
                None => self.online.remove(&slot),
            };
        }
    }
}
