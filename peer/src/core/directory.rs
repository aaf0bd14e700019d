//! The mirror of the tracker's tables: updates and snapshots come in, events and rows go out.

use std::collections::BTreeSet;

use common::{
    Key, RoomName, Slot,
    fault::{self, Fault},
    limits,
    table::{Member, Presence, Table},
    wire::{
        control::MemberChange,
        tracker::{Snapshot, Update},
    },
};

use super::{
    Core, Now,
    people::{Person, Standing},
};

/// Members of one room that a peer holds at the most; a snapshot beyond it is not taken.
const MEMBERS: usize = 100_000;
/// Rooms that a peer remembers at the most, those that it has left included.
const ROOMS: usize = 10 * limits::ROOMS_PER_ACCOUNT;

impl Core {
    /// Fills the list of people from the rooms that were kept.
    pub(super) fn meet_everybody(&mut self) {
        self.meet_contacts();
        self.restore_direct();
        for (name, room) in self.rooms.iter().filter(|(_, room)| room.joined) {
            for member in room.table.members().filter(|m| m.key != self.me) {
                self.people.shares(member.key, &member.name, name);
                self.trust.meet(member.key, &member.name);
            }
        }
    }

    /// Applies changes of one room. Where they do not fit what is held, the tracker link is begun again, which brings
    /// the tables together by their digests.
    pub(super) fn apply_update(&mut self, update: Update, now: Now) {
        let Update { room: name, from, changes, presence, presence_version } = update;
        let fits = self.rooms.get(&name).is_some_and(|room| room.joined && room.table.version() == from);
        if !fits {
            return self.resync("an update does not follow the table held here", now);
        }
        let mut fresh = BTreeSet::new();
        for (index, change) in changes.iter().enumerate() {
            if self.apply_change(&name, change, changes.get(index + 1), &mut fresh, now).is_err() {
                return self.resync("a change does not fit the table held here", now);
            }
            if self.rooms.get(&name).is_none_or(|room| !room.joined) {
                // One of them has put this peer out: what follows is not for it.
                return;
            }
        }
        if let Some(room) = self.rooms.get_mut(&name) {
            room.presence = presence_version;
        }
        if !changes.is_empty() {
            self.repair.table_changed(now);
            self.keep_room(&name);
            self.feed_again(&name);
            self.restore_roles(&name, now);
            self.table_moved(&name, now);
        }
        self.apply_presence(&name, &presence, false, &fresh, now);
    }

    /// Takes the last word about some slots; `whole` if slots not named are offline. Nothing is said of the online
    /// state of people in `fresh`, who have only just come.
    fn apply_presence(&mut self, name: &RoomName, presence: &[Presence], whole: bool, fresh: &BTreeSet<Key>, now: Now) {
        let Some(room) = self.rooms.get(name) else { return };
        let key_at = |slot: Slot| room.table.at(slot).map(|m| m.key);
        let mut news: Vec<(Key, Option<&Presence>)> =
            presence.iter().filter_map(|p| key_at(p.slot).map(|key| (key, Some(p)))).collect();
        if whole {
            let named: BTreeSet<Key> = news.iter().map(|(key, _)| *key).collect();
            news.extend(room.table.members().filter(|m| !named.contains(&m.key)).map(|m| (m.key, None)));
        }
        for (key, presence) in news {
            let Some(person) = self.people.get_mut(&key) else { continue };
            match presence.and_then(|p| p.online.as_ref()) {
                Some(addresses) => {
                    person.away = presence.is_some_and(|p| p.away);
                    self.is_at(key, addresses, now);
                }
                None => person.online = false,
            }
            self.repair.look_soon();
            if fresh.contains(&key) {
                self.quietly_shown(&key);
            } else {
                self.show_presence(&key);
            }
        }
    }

    /// Takes one piece of a whole room; with the last one the room is replaced.
    pub(super) fn apply_snapshot(&mut self, piece: Snapshot, now: Now) {
        let mut snapshot = match self.tracker.assembling.take() {
            Some(mut begun) if begun.room == piece.room && begun.version == piece.version => {
                begun.members.extend(piece.members);
                begun.presence.extend(piece.presence);
                begun.files.extend(piece.files);
                begun.presence_version = piece.presence_version;
                begun.more = piece.more;
                begun
            }
            _ => piece,
        };
        if !self.rooms.contains_key(&snapshot.room) && self.rooms.len() >= ROOMS {
            return self.resync("it tells of more rooms than a peer takes", now);
        }
        if snapshot.members.len() > MEMBERS {
            return self.resync("a room has more members than a peer takes", now);
        }
        if snapshot.files.len() > limits::FILES {
            return self.resync("a room lists more files than a peer takes", now);
        }
        if snapshot.more {
            self.tracker.assembling = Some(snapshot);
            return;
        }
        if fault::on(Fault::SnapshotCut) {
            snapshot.members.pop_if(|last| last.key != self.me);
        }
        let table = Table::from_snapshot(snapshot.version, snapshot.members);
        let table = table.and_then(|table| table.with_settings(snapshot.settings).with_files(snapshot.files));
        match table {
            Ok(table) if table.member(&self.me).is_some() => {
                self.replace(&snapshot.room, table);
                self.repair.table_changed(now);
                self.feed_again(&snapshot.room);
                self.table_moved(&snapshot.room, now);
                if let Some(room) = self.rooms.get_mut(&snapshot.room) {
                    room.presence = snapshot.presence_version;
                }
                // Who was there before is compared with what was shown; for whoever is new nothing was.
                let fresh = self.fresh(&snapshot.room, now);
                self.apply_presence(&snapshot.room, &snapshot.presence, true, &fresh, now);
                self.rejoined(&snapshot.room);
                self.restore_roles(&snapshot.room, now);
            }
            _ => self.resync("a snapshot contradicts itself", now),
        }
    }

    /// Notes everybody in a room as sharing it, and returns those who did not before.
    fn fresh(&mut self, name: &RoomName, now: Now) -> BTreeSet<Key> {
        let Some(room) = self.rooms.get(name) else { return BTreeSet::new() };
        let members: Vec<Member> = room.table.members().filter(|m| m.key != self.me).cloned().collect();
        let mut fresh = BTreeSet::new();
        for member in members {
            self.meet(member.key, &member.name, Some(name));
            if self.people.shares(member.key, &member.name, name) {
                fresh.insert(member.key);
                self.newly_shared(member.key, name, now);
            }
        }
        fresh
    }

    pub(super) fn newly_shared(&mut self, key: Key, name: &RoomName, now: Now) {
        match self.people.get(&key).and_then(|person| person.link) {
            Some(link) => {
                if self.links.returned(link, name) {
                    // What it has said since it came back may have come here before this was known, and is lost.
                    self.send_anew(link, name);
                }
                self.receipts.owe(link, name.clone());
                self.go_on(link, &key, name, now);
                self.compare_newly(link, &key, name);
                self.files.shares(link, name.clone());
            }
            None => self.unpark(&key, now),
        }
        self.schedule_first(key, now);
    }

    pub(super) fn no_longer_shared(&mut self, key: &Key, name: &RoomName) {
        if let Some(waiting) = self.waiting.get_mut(name).filter(|_| !fault::on(Fault::TakenFromRemoved)) {
            waiting.forget(key);
        }
        if let Some(link) = self.people.get(key).and_then(|person| person.link) {
            if !fault::on(Fault::RemovedSentTo) {
                self.unsend(link, name);
                self.links.forget_room(link, name);
            }
            self.receipts.forget_room(link, name);
            self.repair_parted(link, name);
            self.files.parts(link, name, self.clock.at);
        }
        if let Some(person) = self.people.get_mut(key)
            && !person.rooms.iter().any(|room| room != name && room.is_plain())
            && !self.contacts.is_contact(key)
        {
            // Nobody tells any more whether it is there.
            person.online = false;
        }
        self.witness.parted(name, key);
        if let Some(Person { link: Some(link), .. }) = self.people.parts(key, name) {
            self.close(link, "no room is shared any more");
        }
    }

    /// Tells the user if somebody has come or gone.
    pub(super) fn show_presence(&mut self, key: &Key) {
        let Some(person) = self.people.get_mut(key) else { return };
        let standing = person.standing();
        if std::mem::replace(&mut person.shown, standing) == standing {
            return;
        }
        let (name, rooms) = (person.name.clone(), self.told_in(key));
        let word = match standing {
            Standing::Offline => MemberChange::Offline,
            Standing::Online => MemberChange::Online,
            Standing::Away => MemberChange::Away,
        };
        for room in rooms {
            self.event(&room, name.clone(), word);
        }
    }

    pub(super) fn quietly_shown(&mut self, key: &Key) {
        if let Some(person) = self.people.get_mut(key) {
            person.shown = person.standing();
        }
    }
}
