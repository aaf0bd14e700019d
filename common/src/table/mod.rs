//! The versioned table of a room's members, and the presence beside it. The tracker makes changes; tracker and
//! peers apply them by the same rules, so that equal versions mean equal tables.

mod change;
mod presence;
mod settings;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::{
    change::{Change, Delta, Departure, Misfit, Step},
    presence::{Presence, PresenceVersion},
    settings::{BadHistory, BadRole, History, Role, Settings},
};
use crate::{
    file::{Offer, Root},
    id::{Key, Slot, Version},
    limits,
    name::AccountName,
};

/// One member of a room.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Member {
    /// The member's number in this room, for as long as it is a member.
    #[serde(rename = "s")]
    pub slot: Slot,
    /// Who it is.
    #[serde(rename = "k")]
    pub key: Key,
    /// What it is called.
    #[serde(rename = "n")]
    pub name: AccountName,
    /// What it may do.
    #[serde(rename = "r", default, skip_serializing_if = "Role::is_member")]
    pub role: Role,
    /// The number of the table's version with which it became a member.
    #[serde(rename = "j")]
    pub since: u64,
}

/// A file on a room's list. With its member it goes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Shared {
    /// Who shares it.
    #[serde(rename = "s")]
    pub slot: Slot,
    /// That member's word. Who applies a table checks its bounds, and not whose word it is: [`Offer::verify`] does.
    #[serde(rename = "o")]
    pub offer: Offer,
}

/// A room's members at one version.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Table {
    version: Version,
    settings: Settings,
    members: BTreeMap<Slot, Member>,
    slots: BTreeMap<Key, Slot>,
    files: BTreeMap<(Slot, Root), Offer>,
}

impl Table {
    /// A table with nobody in it, at number 0 of `epoch`.
    pub fn new(epoch: u64) -> Table {
        Table { version: Version { epoch, number: 0 }, ..Table::default() }
    }

    /// The table of a snapshot. Refused if two members share a slot or a key, or one is dated after `version`.
    pub fn from_snapshot(version: Version, members: impl IntoIterator<Item = Member>) -> Result<Table, Misfit> {
        let mut table = Table { version, ..Table::default() };
        for member in members {
            let slot = member.slot;
            if member.since > version.number {
                return Err(Misfit::Dated(slot));
            }
            if table.members.contains_key(&slot) || table.slots.insert(member.key, slot).is_some() {
                return Err(Misfit::Taken(slot));
            }
            table.members.insert(slot, member);
        }
        Ok(table)
    }

    /// The same table of a room with these settings.
    pub fn with_settings(self, settings: Settings) -> Table {
        Table { settings, ..self }
    }

    /// The same table of a room with these files on its list. Refused if one is of a slot that is free or out of its
    /// bounds, or if there are too many.
    pub fn with_files(mut self, files: impl IntoIterator<Item = Shared>) -> Result<Table, Misfit> {
        files.into_iter().try_for_each(|shared| self.share(shared))?;
        Ok(self)
    }

    fn share(&mut self, Shared { slot, offer }: Shared) -> Result<(), Misfit> {
        if !self.members.contains_key(&slot) {
            return Err(Misfit::File(slot));
        }
        if offer.file.check().is_err() {
            return Err(Misfit::Offer(slot));
        }
        if !self.has_space(slot, &offer.file.root) {
            return Err(Misfit::Full(slot));
        }
        self.files.insert((slot, offer.file.root), offer);
        Ok(())
    }

    /// Whether a member may share this file: one that it shares already, or one more within
    /// [`limits::FILES_PER_MEMBER`] and [`limits::FILES`].
    pub fn has_space(&self, slot: Slot, root: &Root) -> bool {
        self.files.contains_key(&(slot, *root))
            || (self.files.len() < limits::FILES && self.files_of(slot).count() < limits::FILES_PER_MEMBER)
    }

    /// The files that a member shares, by its slot.
    pub fn files_of(&self, slot: Slot) -> impl Iterator<Item = &Offer> {
        self.files.range((slot, Root([0; 32]))..=(slot, Root([255; 32]))).map(|(_, offer)| offer)
    }

    /// What the room is like.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the room shows to those who join.
    pub fn history(&self) -> History {
        self.settings.history
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether nobody is a member.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The members in the order of their slots.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// The files on the list, in the order of the slots of those who share them.
    pub fn files(&self) -> impl Iterator<Item = (&Member, &Offer)> {
        self.files.iter().filter_map(|((slot, _), offer)| Some((self.members.get(slot)?, offer)))
    }

    /// How many files there are.
    pub fn file_count(&self) -> usize {
        self.files.len()
    }

    /// What a member says of a file that it shares.
    pub fn offer(&self, slot: Slot, root: &Root) -> Option<&Offer> {
        self.files.get(&(slot, *root))
    }

    /// The member with this key.
    pub fn member(&self, key: &Key) -> Option<&Member> {
        self.slots.get(key).and_then(|slot| self.members.get(slot))
    }

    /// The member in this slot.
    pub fn at(&self, slot: Slot) -> Option<&Member> {
        self.members.get(&slot)
    }

    /// The lowest slot that is free.
    pub fn free_slot(&self) -> Slot {
        let taken = self.members.keys().zip(0..).take_while(|(slot, index)| slot.0 == *index).count();
        Slot(taken as u32)
    }

    /// Applies one change, which moves the version on by one. On a misfit the table is left as it was.
    pub fn apply(&mut self, change: &Change) -> Result<(), Misfit> {
        let next = self.version.next();
        match &change.step {
            Step::Put(member) => {
                let slot = member.slot;
                match (self.members.get(&slot), self.slots.get(&member.key)) {
                    (None, None) if member.since == next.number => {}
                    (None, None) => return Err(Misfit::Dated(slot)),
                    (Some(old), Some(_)) if old.key == member.key => {
                        if old.since != member.since {
                            return Err(Misfit::Dated(slot));
                        }
                    }
                    _ => return Err(Misfit::Taken(slot)),
                }
                self.slots.insert(member.key, slot);
                self.members.insert(slot, member.clone());
            }
            Step::Gone { slot, .. } => {
                let member = self.members.remove(slot).ok_or(Misfit::Free(*slot))?;
                self.slots.remove(&member.key);
                self.files.retain(|(of, _), _| of != slot);
            }
            Step::Share(shared) => self.share(shared.clone())?,
            Step::Unshare { slot, root } => {
                self.files.remove(&(*slot, *root)).ok_or(Misfit::File(*slot))?;
            }
            Step::Set(settings) => {
                let (new, old) = (settings, &self.settings);
                if (new.history, new.approval) != (old.history, old.approval) {
                    return Err(Misfit::Fixed);
                }
                self.settings = settings.clone();
            }
        }
        self.version = next;
        Ok(())
    }

    /// Applies a delta that begins at this version. On a misfit the table may have taken a part of it: discard it
    /// and ask for a snapshot.
    pub fn apply_delta(&mut self, delta: &Delta) -> Result<(), Misfit> {
        if delta.from != self.version {
            return Err(Misfit::Version { held: self.version, found: delta.from });
        }
        delta.changes.iter().try_for_each(|change| self.apply(change))
    }

    /// The table's hash: equal on two peers exactly when their tables are. BLAKE3 over the version, the settings and,
    /// in the order of slots, each member's slot, key, role, since and name, then the number of files and, for each, the
    /// slot, what is said of it and the signature, with fixed widths, and the length before all texts. So nobody can be
    /// told a list on which a file counts for less than on another's.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = blake3::Hasher::new_derive_key("rollcall 3 table digest");
        hash.update(&self.version.epoch.to_be_bytes());
        hash.update(&self.version.number.to_be_bytes());
        let Settings { history, approval, private, topic } = &self.settings;
        hash.update(&[*history as u8, u8::from(*approval), u8::from(*private)]);
        hash.update(&(topic.len() as u32).to_be_bytes());
        hash.update(topic.as_bytes());
        hash.update(&(self.members.len() as u32).to_be_bytes());
        for member in self.members.values() {
            hash.update(&member.slot.0.to_be_bytes());
            hash.update(&member.key.0);
            hash.update(&[member.role as u8]);
            hash.update(&member.since.to_be_bytes());
            hash.update(&(member.name.as_str().len() as u32).to_be_bytes());
            hash.update(member.name.as_str().as_bytes());
        }
        hash.update(&(self.files.len() as u32).to_be_bytes());
        for ((slot, _), offer) in &self.files {
            hash.update(&slot.0.to_be_bytes());
            offer.hash_into(&mut hash);
            hash.update(offer.signature());
        }
        *hash.finalize().as_bytes()
    }
}

#[cfg(test)]
mod files_tests;
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(super) fn member(slot: u32, since: u64) -> Member {
        Member {
            slot: Slot(slot),
            key: Key([slot as u8; 32]),
            name: format!("m{slot}").parse().unwrap(),
            role: Role::Member,
            since,
        }
    }

    fn gone(slot: u32) -> Change {
        Step::Gone { slot: Slot(slot), why: Departure::Left }.at(0)
    }

    /// Joins of the lowest free slot and departures of any, as a tracker would make them.
    fn history(steps: &[u8]) -> (Table, Vec<Change>) {
        let mut table = Table::new(7);
        let mut changes = Vec::new();
        for step in steps {
            let held: Vec<Slot> = table.members().map(|m| m.slot).collect();
            let change = if step % 3 != 0 || held.is_empty() {
                Step::Put(member(table.free_slot().0, table.version().number + 1)).at(0)
            } else {
                gone(held[*step as usize % held.len()].0)
            };
            table.apply(&change).unwrap();
            changes.push(change);
        }
        (table, changes)
    }

    #[test]
    fn a_freed_slot_is_the_next_one_given() {
        let mut table = Table::new(1);
        for slot in 0..3 {
            table.apply(&Step::Put(member(slot, slot as u64 + 1)).at(0)).unwrap();
        }
        assert_eq!(table.free_slot(), Slot(3));
        table.apply(&gone(1)).unwrap();
        assert_eq!(table.free_slot(), Slot(1));
    }

    #[test]
    fn a_change_that_does_not_fit_leaves_the_table_as_it_was() {
        let (mut table, _) = history(&[1, 1]);
        let before = table.clone();
        let mut second_slot = member(5, 3);
        second_slot.key = Key([0; 32]);
        for bad in [gone(9), Step::Put(member(9, 99)).at(0), Step::Put(second_slot).at(0)] {
            assert!(table.apply(&bad).is_err());
            assert_eq!(table, before);
        }
    }

    #[test]
    fn tables_of_rooms_with_other_settings_have_other_digests() {
        let (table, _) = history(&[1, 1]);
        for settings in [
            Settings::with_history(History::All),
            Settings { approval: true, ..Settings::default() },
            Settings { private: true, ..Settings::default() },
            Settings { topic: "tea".into(), ..Settings::default() },
        ] {
            assert_ne!(table.clone().with_settings(settings).digest(), table.digest());
        }
    }

    #[test]
    fn what_is_fixed_when_a_room_is_made_does_not_change() {
        let (mut table, _) = history(&[1, 1]);
        for fixed in [Settings::with_history(History::All), Settings { approval: true, ..Settings::default() }] {
            assert_eq!(table.apply(&Step::Set(fixed).at(0)), Err(Misfit::Fixed));
        }
        let topic = Settings { topic: "tea".into(), ..Settings::default() };
        assert_eq!(table.apply(&Step::Set(topic.clone()).at(0)), Ok(()));
        assert_eq!(*table.settings(), topic);
    }

    #[test]
    fn numbers_at_the_end_of_their_range_do_no_harm() {
        let version = Version { epoch: 1, number: u64::MAX };
        let mut table = Table::from_snapshot(version, []).unwrap();
        let delta = Delta { from: version, changes: vec![Step::Put(member(u32::MAX, u64::MAX)).at(0), gone(u32::MAX)] };
        assert_eq!(table.apply_delta(&delta), Ok(()));
        assert_eq!((table.version(), delta.to()), (version, version));
    }

    #[test]
    fn a_snapshot_with_a_doubled_key_or_slot_is_refused() {
        let version = Version { epoch: 1, number: 5 };
        let mut twin = member(1, 1);
        twin.key = Key([0; 32]);
        assert_eq!(Table::from_snapshot(version, [member(0, 1), twin]), Err(Misfit::Taken(Slot(1))));
        assert_eq!(Table::from_snapshot(version, [member(0, 1), member(0, 2)]), Err(Misfit::Taken(Slot(0))));
        assert_eq!(Table::from_snapshot(version, [member(0, 6)]), Err(Misfit::Dated(Slot(0))));
    }

    proptest! {
        #[test]
        fn deltas_merged_lead_where_the_steps_and_the_snapshot_do(steps: Vec<u8>, cut: prop::sample::Index) {
            let (table, changes) = history(&steps);
            let cut = cut.index(changes.len() + 1);
            let start = Table::new(7);
            let first = Delta { from: start.version(), changes: changes[..cut].to_vec() };
            let second = Delta { from: first.to(), changes: changes[cut..].to_vec() };
            let mut merged = start;
            merged.apply_delta(&first.merge(second).unwrap()).unwrap();
            prop_assert_eq!(&merged, &table);
            let snapshot = Table::from_snapshot(table.version(), table.members().cloned()).unwrap();
            prop_assert_eq!(snapshot.digest(), table.digest());
            prop_assert_eq!(snapshot, table);
        }

        #[test]
        fn tables_that_differ_have_other_digests(steps in prop::collection::vec(any::<u8>(), 1..40)) {
            let (table, changes) = history(&steps);
            let mut before = Table::new(7);
            for change in &changes[..changes.len() - 1] {
                before.apply(change).unwrap();
            }
            prop_assert_ne!(before.digest(), table.digest());
        }
    }
}
