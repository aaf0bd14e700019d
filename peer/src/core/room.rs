//! One room as a peer holds it: the mirror of its table, who was a member when, and the logs of what was said.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{causal::Tips, log::Log, own_log::OwnLog, ranges::Ranges};
use common::{
    AccountName, Key, RoomName, Slot, Version,
    fault::{self, Fault},
    limits,
    message::Head,
    table::{Departure, PresenceVersion, Role, Table},
};

/// Past memberships kept a room. A stamp older than the oldest of them can no longer be judged, and counts as true
/// for whoever is a member now.
pub const SPANS: usize = 4_096;
/// Gaps remembered a room.
const GAPS: usize = 256;

/// A membership that has ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Span {
    /// Whose.
    pub key: Key,
    /// What it was called.
    pub name: AccountName,
    /// The first version with it.
    pub from: Version,
    /// The first version without it.
    pub until: Version,
    /// How it ended; `None` if the table was begun afresh or the end was not seen.
    pub why: Option<Departure>,
}

/// Versions between two tables held, where a snapshot has skipped them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    /// The last version held before.
    pub after: Version,
    /// The first version held after.
    pub until: Version,
}

impl Gap {
    /// Whether a version was not seen for it.
    fn hides(&self, version: Version) -> bool {
        let after = self.after.epoch != version.epoch || self.after.number < version.number;
        let before = self.until.epoch != version.epoch || version.number < self.until.number;
        after && before && [self.after.epoch, self.until.epoch].contains(&version.epoch)
    }
}

/// The room. It stays when the peer leaves, since its logs go on if it comes back.
#[derive(Clone, Debug)]
pub struct Room {
    /// Whether this peer is a member.
    pub joined: bool,
    /// The mirror of the tracker's table.
    pub table: Table,
    /// How much presence has been told.
    pub presence: PresenceVersion,
    /// Memberships that have ended, the oldest first, at most [`SPANS`].
    pub past: VecDeque<Span>,
    /// Versions that were never seen, the oldest first, at most `GAPS`.
    pub gaps: VecDeque<Gap>,
    /// Epochs in which the room showed all that was said to those who joined, at most
    /// [`OPEN`](super::history::OPEN).
    pub open: BTreeSet<u64>,
    /// What this peer has said here.
    pub own: OwnLog,
    /// The others' logs, as far as they are held here.
    pub logs: BTreeMap<Key, Log>,
    /// Whose log is known to have two different messages with one number.
    pub forked: BTreeSet<Key>,
    /// What was seen last, for what is said next.
    pub tips: Tips,
    /// Who was a member, and in which role, when the tracker lost its tables: for those who come again. Not kept.
    pub lost: BTreeMap<Key, Role>,
    /// Whether the user has been told that a member goes by a newer table, in which this peer is none. Not kept.
    pub refused: bool,
}

impl Room {
    /// A room of which nothing is known but its name.
    pub fn new(room: &RoomName, me: &Key) -> Room {
        Room {
            joined: false,
            table: Table::default(),
            presence: PresenceVersion::default(),
            past: VecDeque::new(),
            gaps: VecDeque::new(),
            open: BTreeSet::new(),
            own: OwnLog::new(Head::empty(room, me)),
            logs: BTreeMap::new(),
            forked: BTreeSet::new(),
            tips: Tips::default(),
            lost: BTreeMap::new(),
            refused: false,
        }
    }

    /// Whether this peer is a member, and somebody else too, as far as is known here.
    pub fn has(&self, key: &Key) -> bool {
        self.joined && self.table.member(key).is_some()
    }

    /// The ranges of an author's log that are held, the latest of them and at least one: an empty one for nothing.
    pub fn held(&self, author: &Key) -> Vec<(u64, u64)> {
        let latest = self.logs.get(author).map(|log| log.latest(limits::RECEIPT_RANGES).collect::<Vec<_>>());
        let latest = latest.map(|ranges| match ranges.last() {
            Some((_, last)) if fault::on(Fault::ReceiptWidened) => vec![(1, *last)],
            _ => ranges,
        });
        latest.filter(|latest| !latest.is_empty()).unwrap_or_else(|| vec![(1, 0)])
    }

    /// What somebody whose log came here is or was called.
    pub fn name_of(&self, key: &Key) -> Option<&AccountName> {
        let member = self.table.member(key).map(|member| &member.name);
        member.or_else(|| self.past.iter().rev().find(|span| span.key == *key).map(|span| &span.name))
    }

    /// Whether `key` was a member at `stamp`, as far as is known here. A stamp newer than the table held is judged by
    /// that table: what it will show is not known yet, and the room must go on while the tracker is down.
    ///
    /// An epoch says nothing of what came first: tables that were lost may begin again by a clock that was put back.
    pub fn was_member(&self, key: &Key, stamp: Version) -> bool {
        if self.is_for(key, stamp) {
            return true;
        }
        let forgotten = self.past.len() == SPANS && self.past.front().is_some_and(|oldest| stamp < oldest.until);
        let unseen = self.gaps.iter().any(|gap| gap.hides(stamp)) || !self.has_seen(stamp.epoch);
        // Nobody here can tell: the word of a present member is taken.
        self.table.member(key).is_some() && (forgotten || unseen)
    }

    /// Whether what was said under `stamp` is for `key`: as far as is known here, it was a member.
    pub fn is_for(&self, key: &Key, stamp: Version) -> bool {
        let now = self.table.version();
        let current = self.table.member(key);
        current.is_some_and(|member| now.epoch == stamp.epoch && member.since <= stamp.number)
            || self.past.iter().any(|span| span.key == *key && span.from <= stamp && stamp < span.until)
    }

    /// Whether what was said under `stamp` is for `key` beyond doubt, so that it may be passed on: where the end of a
    /// membership was not seen, it may have come before.
    pub fn surely_for(&self, key: &Key, stamp: Version) -> bool {
        let current = self.table.version().epoch == stamp.epoch
            && self.table.member(key).is_some_and(|member| member.since <= stamp.number);
        let mut past = self.past.iter().filter(|span| span.key == *key && span.from <= stamp && stamp < span.until);
        let hidden = self.gaps.iter().any(|gap| gap.hides(stamp));
        current || past.any(|span| span.why.is_some() || !hidden)
    }

    /// Whether the tables held here tell who was a member at `stamp`; otherwise it is newer than they are.
    pub fn judges(&self, stamp: Version) -> bool {
        let now = self.table.version();
        if stamp.epoch == now.epoch { stamp.number <= now.number } else { self.has_seen(stamp.epoch) }
    }

    /// Whether any table of an epoch has been held.
    pub(super) fn has_seen(&self, epoch: u64) -> bool {
        self.table.version().epoch == epoch
            || self.past.iter().any(|span| span.from.epoch == epoch)
            || self.gaps.iter().any(|gap| gap.after.epoch == epoch || gap.until.epoch == epoch)
    }

    /// Notes that the versions between two were not seen.
    pub fn skipped(&mut self, gap: Gap) {
        if fault::on(Fault::GapForgotten) {
            return;
        }
        if self.gaps.len() == GAPS {
            self.gaps.pop_front();
        }
        self.gaps.push_back(gap);
    }

    /// Everybody who was a member at `stamp`, with whether they still are, in the order of their names.
    pub fn members_at(&self, stamp: Version) -> Vec<Meant> {
        let now = self.table.version();
        let current = self.table.members().filter(|m| now.epoch == stamp.epoch && m.since <= stamp.number);
        let mut meant: BTreeMap<Key, Meant> = current
            .map(|m| (m.key, Meant { key: m.key, name: m.name.clone(), slot: Some(m.slot), why: None }))
            .collect();
        for span in self.past.iter().filter(|span| span.from <= stamp && stamp < span.until) {
            // Who left and came back is a member again, and still meant to get it.
            meant.entry(span.key).or_insert_with(|| match self.table.member(&span.key) {
                Some(member) => Meant { key: span.key, name: member.name.clone(), slot: Some(member.slot), why: None },
                None => Meant { key: span.key, name: span.name.clone(), slot: None, why: span.why },
            });
        }
        let mut meant: Vec<Meant> = meant.into_values().collect();
        meant.sort_by(|a, b| a.name.cmp(&b.name));
        meant
    }

    /// Remembers a membership that has ended, and returns it for the store.
    pub fn ended(&mut self, span: Span) -> Span {
        if self.past.len() == SPANS {
            self.past.pop_front();
        }
        if !fault::on(Fault::SpanForgotten) {
            self.past.push_back(span.clone());
        }
        span
    }

    /// The number of the first own message after `number` that `key` is to be sent and is not among those it has;
    /// `None` if there is none yet.
    pub fn next_for(&self, key: &Key, number: u64, has: &Ranges) -> Option<u64> {
        let runs = &self.own.runs;
        let start = runs.partition_point(|run| run.last <= number);
        let meant = runs[start..].iter().filter(|run| self.is_sent_to(key, run.stamp));
        meant
            .map(|run| (has.next_missing(run.first.max(number + 1)), run.last))
            .find(|(next, last)| next <= last)
            .map(|(next, _)| next)
    }
}

/// Somebody who is meant to get a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meant {
    /// Who.
    pub key: Key,
    /// What it is called, or was when it left.
    pub name: AccountName,
    /// Its slot; `None` once it is a member no more, and so is not waited for any more.
    pub slot: Option<Slot>,
    /// How it ceased to be one, if it has and that was seen.
    pub why: Option<Departure>,
}

#[cfg(test)]
mod tests {
    use common::table::{Member, Step};

    use super::{super::own_log::Run, *};

    fn version(number: u64) -> Version {
        Version { epoch: 1, number }
    }

    fn key(n: u8) -> Key {
        Key([n; 32])
    }

    fn room() -> Room {
        let mut room = Room::new(&"lobby".parse().unwrap(), &key(0));
        room.table = Table::new(1);
        room
    }

    fn join(room: &mut Room, n: u8) {
        let member = Member {
            slot: room.table.free_slot(),
            key: key(n),
            name: format!("m{n}").parse().unwrap(),
            role: Role::Member,
            since: room.table.version().number + 1,
        };
        room.table.apply(&Step::Put(member).at(0)).unwrap();
    }

    fn leave(room: &mut Room, n: u8) {
        let member = room.table.member(&key(n)).unwrap().clone();
        room.table.apply(&Step::Gone { slot: member.slot, why: Departure::Left }.at(0)).unwrap();
        let span = Span {
            key: member.key,
            name: member.name,
            from: version(member.since),
            until: room.table.version(),
            why: Some(Departure::Left),
        };
        room.ended(span);
    }

    #[test]
    fn who_was_a_member_is_judged_by_the_stamp() {
        let mut room = room();
        join(&mut room, 1);
        join(&mut room, 2);
        leave(&mut room, 2);
        assert!(!room.was_member(&key(2), version(1)));
        assert!(room.was_member(&key(2), version(2)));
        assert!(!room.was_member(&key(2), version(3)));
        assert!(room.was_member(&key(1), version(9)), "a newer stamp is judged by the table held");
        assert!(!room.was_member(&key(2), version(9)));
    }

    #[test]
    fn tables_begun_again_by_a_clock_that_was_put_back_tell_nothing_of_those_before() {
        let mut room = room();
        room.table = Table::new(9);
        join(&mut room, 1);
        let (old, stamp) = (room.table.version(), Version { epoch: 9, number: 1 });
        leave(&mut room, 1);
        room.table = Table::new(2);
        join(&mut room, 1);
        join(&mut room, 2);
        room.skipped(Gap { after: old, until: room.table.version() });
        assert!(room.was_member(&key(1), stamp));
        assert!(!room.was_member(&key(2), stamp), "who came later was no member then");
        assert_eq!(room.members_at(stamp).iter().map(|m| m.key).collect::<Vec<_>>(), [key(1)]);
        assert!(room.was_member(&key(2), Version { epoch: 9, number: 2 }), "a version that was not seen");
        assert!(room.was_member(&key(2), Version { epoch: 3, number: 1 }), "an epoch that was not seen");
    }

    #[test]
    fn what_was_said_when_somebody_may_have_been_out_is_not_passed_on_to_them() {
        let mut room = room();
        join(&mut room, 1);
        join(&mut room, 2);
        let from = room.table.version();
        leave(&mut room, 2);
        join(&mut room, 2);
        let until = room.table.version();
        // As a peer sees it that slept meanwhile.
        room.past = [Span { key: key(2), name: "m2".parse().unwrap(), from, until, why: None }].into();
        room.skipped(Gap { after: from, until });
        assert!(room.is_for(&key(2), version(3)) && !room.surely_for(&key(2), version(3)));
        assert!(room.surely_for(&key(2), version(2)) && room.surely_for(&key(2), version(4)));
    }

    #[test]
    fn what_was_said_while_somebody_was_out_is_not_for_them() {
        let mut room = room();
        join(&mut room, 0);
        join(&mut room, 1);
        room.own.extend_runs(Run { stamp: version(2), first: 1, last: 3 });
        leave(&mut room, 1);
        room.own.extend_runs(Run { stamp: version(3), first: 4, last: 6 });
        join(&mut room, 1);
        room.own.extend_runs(Run { stamp: version(4), first: 7, last: 7 });
        let nothing = Ranges::default();
        assert_eq!(room.next_for(&key(1), 0, &nothing), Some(1));
        assert_eq!(room.next_for(&key(1), 1, &nothing), Some(2));
        assert_eq!(room.next_for(&key(1), 3, &nothing), Some(7));
        assert_eq!(room.next_for(&key(1), 7, &nothing), None);
    }
}
