//! The mirror of the tracker's tables: updates and snapshots come in, events and rows go out.

use std::collections::BTreeSet;

use common::{
    Key, RoomName, Slot, Version,
    fault::{self, Fault},
    limits,
    table::{Change, Departure, History, Member, Presence, Step, Table},
    wire::{
        control::MemberChange,
        tracker::{Snapshot, Update},
    },
};

use super::{
    Core, Now, Output, Row,
    people::Person,
    room::{Gap, Span},
};

/// Members of one room that a peer holds at the most; a snapshot beyond it is not taken.
const MEMBERS: usize = 100_000;
/// Rooms that a peer remembers at the most, those that it has left included.
const ROOMS: usize = 10 * limits::ROOMS_PER_ACCOUNT;

impl Core {
    /// Fills the list of people from the rooms that were kept.
    pub(super) fn meet_everybody(&mut self) {
        for (name, room) in self.rooms.iter().filter(|(_, room)| room.joined) {
            for member in room.table.members().filter(|m| m.key != self.me) {
                self.people.shares(member.key, &member.name, name);
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
        for change in &changes {
            if self.apply_change(&name, change, &mut fresh, now).is_err() {
                return self.resync("a change does not fit the table held here", now);
            }
        }
        let Some(room) = self.rooms.get_mut(&name) else { return };
        if !changes.is_empty() {
            self.repair.table_changed(now);
            let row = Row::Room { room: name.clone(), version: room.table.version(), joined: true };
            self.out.push(Output::Keep(row));
        }
        room.presence = presence_version;
        if !changes.is_empty() {
            self.feed_again(&name);
            self.table_moved(&name, now);
        }
        self.apply_presence(&name, &presence, false, &fresh, now);
    }

    fn apply_change(
        &mut self,
        name: &RoomName,
        change: &Change,
        fresh: &mut BTreeSet<Key>,
        now: Now,
    ) -> Result<(), common::table::Misfit> {
        let Some(room) = self.rooms.get_mut(name) else { return Ok(()) };
        match &change.step {
            Step::Put(member) => {
                room.table.apply(change)?;
                self.out.push(Output::Keep(Row::Put(name.clone(), member.clone())));
                if member.key != self.me && self.people.shares(member.key, &member.name, name) {
                    fresh.insert(member.key);
                    self.event(name, member.name.clone(), MemberChange::Joined);
                    self.newly_shared(member.key, name, now);
                }
            }
            Step::Gone { slot, why } => {
                let member = room.table.at(*slot).cloned();
                let from = room.table.version();
                room.table.apply(change)?;
                let Some(member) = member else { return Ok(()) };
                let span = Span {
                    key: member.key,
                    name: member.name.clone(),
                    from: Version { epoch: from.epoch, number: member.since },
                    until: room.table.version(),
                    why: Some(*why),
                };
                let span = room.ended(span);
                self.out.push(Output::Keep(Row::Free(name.clone(), *slot)));
                self.out.push(Output::Keep(Row::Span(name.clone(), span)));
                let word = match why {
                    Departure::Left => MemberChange::Left,
                    Departure::Expired | Departure::Removed => MemberChange::Removed,
                    Departure::Banned => MemberChange::Banned,
                    Departure::Rekeyed => MemberChange::Rekeyed,
                };
                if member.key == self.me {
                    self.drop_room(name, word);
                } else {
                    self.event(name, member.name, word);
                    self.no_longer_shared(&member.key, name);
                }
            }
            Step::Set(_) => room.table.apply(change)?,
        }
        Ok(())
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
                    let moved = !addresses.is_empty() && person.addresses != *addresses;
                    if moved {
                        person.addresses = addresses.clone();
                        self.out.push(Output::Keep(Row::Addresses(key, addresses.clone())));
                    }
                    if moved || !person.online {
                        person.backoff.reset();
                        person.online = true;
                        self.schedule_first(key, now);
                    }
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
        if snapshot.more {
            self.tracker.assembling = Some(snapshot);
            return;
        }
        if fault::on(Fault::SnapshotCut) {
            snapshot.members.pop_if(|last| last.key != self.me);
        }
        let table = Table::from_snapshot(snapshot.version, snapshot.members);
        match table.map(|table| table.with_settings(snapshot.settings)) {
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
            }
            _ => self.resync("a snapshot contradicts itself", now),
        }
    }

    /// Puts a new table in the place of the old one, and tells what is different where the two are of one epoch.
    fn replace(&mut self, name: &RoomName, table: Table) {
        let me = self.me;
        let room = self.rooms.entry(name.clone()).or_insert_with(|| super::Room::new(name, &me));
        let old = std::mem::replace(&mut room.table, table);
        let was_joined = std::mem::replace(&mut room.joined, true);
        let version = room.table.version();
        if room.table.history() == History::All && room.note_open(version.epoch) {
            self.out.push(Output::Keep(Row::Open(name.clone(), version.epoch)));
        }
        let same_epoch = was_joined && old.version().epoch == version.epoch;
        let gone: Vec<Member> = old
            .members()
            .filter(|m| !same_epoch || room.table.member(&m.key).is_none_or(|new| new.since != m.since))
            .cloned()
            .collect();
        let spans: Vec<Span> = gone
            .iter()
            .map(|m| Span {
                key: m.key,
                name: m.name.clone(),
                from: Version { epoch: old.version().epoch, number: m.since },
                // When exactly it left has not been seen: what it said until then is taken for true.
                until: if same_epoch { version } else { Version { number: u64::MAX, ..old.version() } },
                why: None,
            })
            .map(|span| room.ended(span))
            .collect();
        // Who joins is a member before it is told, and what is said meanwhile is for it.
        let joined = room.table.member(&me).map_or(version.number, |member| member.since);
        let after = match was_joined {
            true => old.version(),
            false => Version { number: joined.saturating_sub(1), ..version },
        };
        if after.next() != version {
            let gap = Gap { after, until: version };
            room.skipped(gap);
            self.out.push(Output::Keep(Row::Gap(name.clone(), gap)));
        }
        let members: Vec<Member> = room.table.members().cloned().collect();
        self.out.push(Output::Keep(Row::Clear(name.clone())));
        self.out.extend(members.iter().map(|m| Output::Keep(Row::Put(name.clone(), m.clone()))));
        self.out.extend(spans.into_iter().map(|span| Output::Keep(Row::Span(name.clone(), span))));
        self.out.push(Output::Keep(Row::Room { room: name.clone(), version, joined: true }));
        if !was_joined {
            self.event(name, self.name.clone(), MemberChange::Joined);
        }
        for member in gone.iter().filter(|m| m.key != me) {
            if !members.iter().any(|m| m.key == member.key) {
                if same_epoch {
                    self.event(name, member.name.clone(), MemberChange::Left);
                }
                self.no_longer_shared(&member.key, name);
            }
        }
        if was_joined {
            for member in members.iter().filter(|m| m.key != me && old.member(&m.key).is_none()) {
                self.event(name, member.name.clone(), MemberChange::Joined);
            }
        }
    }

    /// Notes everybody in a room as sharing it, and returns those who did not before.
    fn fresh(&mut self, name: &RoomName, now: Now) -> BTreeSet<Key> {
        let Some(room) = self.rooms.get(name) else { return BTreeSet::new() };
        let members: Vec<Member> = room.table.members().filter(|m| m.key != self.me).cloned().collect();
        let mut fresh = BTreeSet::new();
        for member in members {
            if self.people.shares(member.key, &member.name, name) {
                fresh.insert(member.key);
                self.newly_shared(member.key, name, now);
            }
        }
        fresh
    }

    /// This peer is not a member of a room any more. Its logs stay.
    pub(super) fn drop_room(&mut self, name: &RoomName, word: MemberChange) {
        let Some(room) = self.rooms.get_mut(name).filter(|room| room.joined) else { return };
        room.joined = false;
        let version = room.table.version();
        let members: Vec<Member> = room.table.members().cloned().collect();
        let spans: Vec<Span> = members
            .iter()
            .map(|m| Span {
                key: m.key,
                name: m.name.clone(),
                from: Version { epoch: version.epoch, number: m.since },
                until: version.next(),
                why: None,
            })
            .map(|span| room.ended(span))
            .collect();
        room.table = Table::default();
        self.out.extend(spans.into_iter().map(|span| Output::Keep(Row::Span(name.clone(), span))));
        self.out.push(Output::Keep(Row::Clear(name.clone())));
        self.out.push(Output::Keep(Row::Room { room: name.clone(), version: Version::NONE, joined: false }));
        self.event(name, self.name.clone(), word);
        let me = self.me;
        for member in members.iter().filter(|m| m.key != me) {
            self.no_longer_shared(&member.key, name);
        }
        self.refuse_unsaid(name);
        self.waiting.remove(name);
    }

    fn newly_shared(&mut self, key: Key, name: &RoomName, now: Now) {
        match self.people.get(&key).and_then(|person| person.link) {
            Some(link) => {
                self.receipts.owe(link, name.clone());
                self.go_on(link, &key, name, now);
                self.compare_newly(link, &key, name);
            }
            None => self.unpark(&key, now),
        }
        self.schedule_first(key, now);
    }

    fn no_longer_shared(&mut self, key: &Key, name: &RoomName) {
        if let Some(link) = self.people.get(key).and_then(|person| person.link) {
            self.links.forget_room(link, name);
            self.receipts.forget_room(link, name);
            self.repair_parted(link, name);
        }
        self.witness.parted(name, key);
        if let Some(Person { link: Some(link), .. }) = self.people.parts(key, name) {
            self.close(link, "no room is shared any more");
        }
    }

    /// Tells the user if somebody has come or gone.
    pub(super) fn show_presence(&mut self, key: &Key) {
        let Some(person) = self.people.get_mut(key) else { return };
        let online = person.is_online();
        if std::mem::replace(&mut person.shown, online) == online {
            return;
        }
        let (name, rooms) = (person.name.clone(), person.rooms.clone());
        let word = if online { MemberChange::Online } else { MemberChange::Offline };
        for room in rooms {
            self.event(&room, name.clone(), word);
        }
    }

    fn quietly_shown(&mut self, key: &Key) {
        if let Some(person) = self.people.get_mut(key) {
            person.shown = person.is_online();
        }
    }
}
