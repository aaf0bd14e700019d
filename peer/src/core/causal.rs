//! Causal order: an answer is shown after what it answers.
//!
//! The first message of a batch names what its author had seen last: the messages that nothing else it had seen comes
//! after. All that is older follows from those, so a few names are enough. A batch that names something not here yet
//! waits for it, as long as it keeps coming and never beyond a bound; then it is shown with a mark.

use std::collections::{BTreeMap, VecDeque};

use common::{
    Key, RoomName, Version,
    fault::{self, Fault},
    id::KeyPrefix,
    limits,
    message::{Answered, Batch},
};
use serde_bytes::ByteArray;

use super::{Core, LinkId, Now, room::Room};

/// How long a batch waits for something that does not come nearer, in milliseconds.
const WAIT: u64 = 3_000;
/// How long it waits at the most, in milliseconds.
const MOST: u64 = 60_000;
/// Batches that wait in one room.
const BATCHES: usize = 4_096;
/// Bytes of text that wait in one room. What does not fit is shown with a mark at once.
const BYTES: usize = 8 * 1024 * 1024;

/// The messages of others that nothing comes after yet, as far as they were seen.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Tips {
    /// By author, with the cursor for which are the latest.
    tips: BTreeMap<Key, Tip>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Tip {
    number: u64,
    stamp: Version,
    cursor: u64,
}

impl Tips {
    /// Notes that a batch has been shown: it comes after what it answers.
    pub fn shown(&mut self, author: Key, batch: &Batch, cursor: u64) {
        for answered in answers(batch) {
            self.tips.retain(|key, tip| key.short().0 != *answered.author || tip.number > answered.number);
        }
        self.seen(author, batch.last(), batch.stamp, cursor);
    }

    /// Notes a message that was seen. What fills a hole comes before what was seen already of its author.
    pub fn seen(&mut self, author: Key, number: u64, stamp: Version, cursor: u64) {
        if self.tips.get(&author).is_none_or(|tip| tip.number < number) {
            self.tips.insert(author, Tip { number, stamp, cursor });
        }
    }

    /// What a message under `stamp` comes after: the latest, at most [`limits::ANSWERS`]. From then on it stands for
    /// all of them.
    pub fn take(&mut self, stamp: Version) -> Vec<Answered> {
        let mut tips: Vec<(Key, Tip)> = std::mem::take(&mut self.tips).into_iter().collect();
        tips.sort_by_key(|(_, tip)| std::cmp::Reverse(tip.cursor));
        tips.truncate(limits::ANSWERS);
        let answered = |(author, tip): (Key, Tip)| Answered {
            author: ByteArray::new(author.short().0),
            number: tip.number,
            stamp: (tip.stamp != stamp).then_some(tip.stamp),
        };
        tips.into_iter().map(answered).collect()
    }
}

/// What a batch comes after.
fn answers(batch: &Batch) -> Vec<Answered> {
    batch.messages().next().and_then(Result::ok).flatten().map(|first| first.answers).unwrap_or_default()
}

/// A batch and how it came.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// The link.
    pub link: LinkId,
    /// Whose it is.
    pub author: Key,
    /// Who passed it on, if not the author.
    pub via: Option<Key>,
    /// What the author is called.
    pub name: common::AccountName,
    /// The batch.
    pub batch: Batch,
    /// Whether it was said that what is missing before it is not for this peer.
    pub skips: bool,
}

/// A batch that waits.
#[derive(Debug)]
struct Waiting {
    arrived: Arrived,
    answers: Vec<Answered>,
    /// When it is taken whatever is missing, in milliseconds of [`Now::at`]. It counts for the first of its author's.
    until: u64,
    most: u64,
}

/// Batches that wait in one room: each author's in a row.
#[derive(Default, Debug)]
pub struct WaitingRoom {
    authors: BTreeMap<Key, VecDeque<Waiting>>,
    batches: usize,
    bytes: usize,
}

impl WaitingRoom {
    /// Whether a message of an author waits.
    pub fn has(&self, author: &Key, number: u64) -> bool {
        let Some(row) = self.authors.get(author) else { return false };
        let index = row.partition_point(|waiting| waiting.arrived.batch.last() < number);
        row.get(index).is_some_and(|waiting| waiting.arrived.batch.first <= number)
    }

    /// Whether an earlier message of its author waits.
    fn has_before(&self, author: &Key, number: u64) -> bool {
        self.authors.get(author).and_then(VecDeque::front).is_some_and(|first| first.arrived.batch.first < number)
    }

    fn firsts(&self) -> impl Iterator<Item = &Waiting> {
        self.authors.values().filter_map(VecDeque::front)
    }

    fn has_space(&self) -> bool {
        self.batches < BATCHES && self.bytes < BYTES
    }

    fn push(&mut self, waiting: Waiting) {
        self.batches += 1;
        self.bytes += waiting.arrived.batch.bytes();
        let row = self.authors.entry(waiting.arrived.author).or_default();
        let index = row.partition_point(|earlier| earlier.arrived.batch.first < waiting.arrived.batch.first);
        row.insert(index, waiting);
    }

    /// Leaves out what has come from somebody, as its author or as who passed it on.
    pub fn forget(&mut self, from: &Key) {
        for row in self.authors.values_mut() {
            row.retain(|waiting| {
                let Arrived { author, via, batch, .. } = &waiting.arrived;
                let stays = via.unwrap_or(*author) != *from;
                if !stays {
                    self.batches -= 1;
                    self.bytes -= batch.bytes();
                }
                stays
            });
        }
        self.authors.retain(|_, row| !row.is_empty());
    }

    /// Takes out the first of an author's; the time of the next begins.
    fn pop(&mut self, author: &Key, now: Now) -> Option<Arrived> {
        let row = self.authors.get_mut(author)?;
        let first = row.pop_front();
        match row.front_mut() {
            Some(next) => next.until = (now.at + WAIT).min(next.most),
            None => drop(self.authors.remove(author)),
        }
        let arrived = first?.arrived;
        self.batches -= 1;
        self.bytes -= arrived.batch.bytes();
        Some(arrived)
    }
}

impl Core {
    /// When a batch has waited long enough.
    pub(super) fn waiting_deadline(&self) -> u64 {
        self.waiting.values().flat_map(WaitingRoom::firsts).map(|waiting| waiting.until).min().unwrap_or(u64::MAX)
    }

    /// Takes a batch, or has it wait if something that it comes after is not here, or another before it waits.
    pub(super) fn take_in_order(&mut self, arrived: Arrived, now: Now) {
        let (name, author) = (arrived.batch.room.clone(), arrived.author);
        let answers = answers(&arrived.batch);
        let behind = self.waiting.get(&name).is_some_and(|w| w.has_before(&author, arrived.batch.first));
        let misses = self.missing(&name, arrived.batch.stamp, &answers).is_some() && !fault::on(Fault::AnswerNotWaited);
        if !behind && !misses {
            self.accept(arrived, false, now);
            return self.release(&name, author, now);
        }
        let waiting = self.waiting.entry(name.clone()).or_default();
        if waiting.has_space() {
            let until = if fault::on(Fault::WaitsForEver) { u64::MAX } else { now.at + WAIT };
            return waiting.push(Waiting { arrived, answers, until, most: now.at + MOST });
        }
        while let Some(earlier) = self.waiting.get_mut(&name).and_then(|waiting| waiting.pop(&author, now)) {
            self.accept(earlier, true, now);
        }
        self.accept(arrived, true, now);
        self.release(&name, author, now);
    }

    /// Takes, with a mark, what has waited long enough.
    pub(super) fn waiting_due(&mut self, now: Now) {
        let late = |core: &Core| {
            core.waiting.iter().find_map(|(name, waiting)| {
                let late = waiting.firsts().find(|waiting| waiting.until <= now.at)?;
                Some((name.clone(), late.arrived.author))
            })
        };
        while let Some((name, author)) = late(self) {
            let Some(arrived) = self.waiting.get_mut(&name).and_then(|waiting| waiting.pop(&author, now)) else {
                return;
            };
            self.accept(arrived, true, now);
            self.release(&name, author, now);
        }
    }

    /// Something of `author` has been taken: takes what has waited for it, and lets wait longer what waits for more.
    pub(super) fn release(&mut self, name: &RoomName, author: Key, now: Now) {
        let mut taken = vec![author];
        while let Some(author) = taken.pop() {
            let Some(waiting) = self.waiting.get(name) else { return };
            let missing_of = |first: &Waiting| self.missing(name, first.arrived.batch.stamp, &first.answers);
            let missing: Vec<(Key, Option<KeyPrefix>)> =
                waiting.firsts().map(|first| (first.arrived.author, missing_of(first))).collect();
            for (waits, missing) in missing {
                let Some(waiting) = self.waiting.get_mut(name) else { return };
                if missing.is_none() {
                    if let Some(arrived) = waiting.pop(&waits, now) {
                        self.accept(arrived, false, now);
                        taken.push(waits);
                    }
                } else if missing == Some(author.short())
                    && let Some(first) = waiting.authors.get_mut(&waits).and_then(VecDeque::front_mut)
                {
                    first.until = (now.at + WAIT).min(first.most);
                }
            }
        }
        self.waiting.retain(|_, waiting| waiting.batches > 0);
    }

    /// The author of something that is answered under `stamp`, that this peer may have, and that is not here.
    fn missing(&self, name: &RoomName, stamp: Version, answers: &[Answered]) -> Option<KeyPrefix> {
        let room = self.rooms.get(name)?;
        answers.iter().find_map(|answered| {
            if answered.stamp.is_some_and(|stamp| !room.may_have(&self.me, stamp)) {
                return None;
            }
            let prefix = KeyPrefix(*answered.author);
            let Some(author) = by_prefix(room, prefix.0) else {
                // Who is gone is not known before somebody passes on what they have said.
                let stamp = answered.stamp.unwrap_or(stamp);
                return (room.is_open(stamp) && !room.is_for(&self.me, stamp)).then_some(prefix);
            };
            let here = room.logs.get(&author).is_some_and(|log| log.settled(answered.number));
            (author != self.me && !here).then_some(prefix)
        })
    }
}

/// The author in this room whose key begins so.
fn by_prefix(room: &Room, prefix: [u8; 8]) -> Option<Key> {
    let mut from = [0; 32];
    from[..8].copy_from_slice(&prefix);
    let known = room.logs.range(Key(from)..).next().map(|(key, _)| *key).filter(|key| key.short().0 == prefix);
    // What somebody said who has left since is to be had from others.
    let members = room.table.members().map(|member| member.key);
    known.or_else(|| members.chain(room.past.iter().map(|span| span.key)).find(|key| key.short().0 == prefix))
}

#[cfg(test)]
mod tests {
    use common::{
        Identity,
        message::{Head, Message},
    };

    use super::*;

    const STAMP: Version = Version { epoch: 1, number: 1 };

    fn batch(author: u8, answers: Vec<Answered>) -> (Key, Batch) {
        let identity = Identity::from_seed([author; 32]);
        let room = "lobby".parse().unwrap();
        let message = Message { answers, ..Message::new(0, "x".into()) };
        let (batch, _) = Batch::sign(&identity, &room, STAMP, Head::empty(&room, &identity.key()), &[message]);
        (identity.key(), batch)
    }

    #[test]
    fn what_an_answer_answers_is_covered_by_it() {
        let mut tips = Tips::default();
        let (alice, question) = batch(1, Vec::new());
        let (bob, remark) = batch(2, Vec::new());
        tips.shown(alice, &question, 1);
        tips.shown(bob, &remark, 2);
        let mut bobs = tips.clone();
        let both = bobs.take(STAMP);
        assert_eq!(both.len(), 2);
        assert!(bobs.take(STAMP).is_empty(), "what is said next follows by itself");
        let (carol, answer) = batch(3, both);
        tips.shown(carol, &answer, 3);
        let named: Vec<[u8; 8]> = tips.take(STAMP).iter().map(|answered| *answered.author).collect();
        assert_eq!(named, [carol.short().0]);
    }

    #[test]
    fn what_fills_a_hole_does_not_hide_what_was_seen_after_it() {
        let mut tips = Tips::default();
        tips.seen(Key([1; 32]), 9, STAMP, 1);
        tips.seen(Key([1; 32]), 5, STAMP, 2);
        assert_eq!(tips.take(STAMP)[0].number, 9);
    }

    #[test]
    fn only_so_many_are_named_and_those_are_the_latest() {
        let mut tips = Tips::default();
        for n in 0..100 {
            tips.seen(Key([n; 32]), 1, STAMP, u64::from(n));
        }
        let named = tips.take(STAMP);
        assert_eq!(named.len(), limits::ANSWERS);
        assert_eq!(named[0].author, ByteArray::new([99; 8]));
    }
}
