//! Comparing what two peers have of a room's logs: pure functions of one's own heads and what the other has told.
//!
//! Equal digests end it at once. Otherwise the difference is narrowed down sixteenfold with each answer, until few
//! enough logs are left to name their heads. What both have alike never travels.

use std::cmp::Ordering;

use common::{
    Key, RoomName, limits,
    message::Head,
    wire::peer::{Frontier, Heads, LogHead, Part},
};
use serde_bytes::{ByteArray, ByteBuf};

/// A part with no more logs than this is told as it is.
const FEW: usize = 16;
/// Half bytes of a key.
const LEVELS: usize = 64;

/// The heads of a room's logs, in the order of the authors' keys; logs with nothing in them are left out.
pub type Entries = [(Key, Head)];

/// What comes of comparing.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// What to answer, if anything.
    pub answer: Option<Frontier>,
    /// Logs that the other side has more of, or another message at the same number of.
    pub ahead: Vec<LogHead>,
}

/// What opens a comparison.
pub fn opening(room: &RoomName, mine: &Entries) -> Frontier {
    Frontier { room: room.clone(), table: None, digests: vec![part(mine, &[])], heads: Vec::new() }
}

/// Takes what the other side has told. `None` if it breaks the rules.
pub fn compare(mine: &Entries, theirs: &Frontier) -> Option<Compared> {
    if !well_formed(theirs) {
        return None;
    }
    let mut answer = Frontier { room: theirs.room.clone(), table: None, digests: Vec::new(), heads: Vec::new() };
    for part_of_theirs in &theirs.digests {
        let prefix = &part_of_theirs.prefix;
        let within = within(mine, prefix);
        if digest(within) == *part_of_theirs.digest {
            continue;
        }
        if within.len() <= FEW || prefix.len() == LEVELS {
            answer.heads.push(Heads { prefix: prefix.clone(), logs: heads(within), answer: true });
        } else {
            let children = (0..16).map(|half| [&prefix[..], &[half]].concat());
            answer.digests.extend(children.map(|prefix| part(mine, &prefix)));
        }
    }
    let mut ahead = Vec::new();
    for told in &theirs.heads {
        let (theirs_lead, mine_lead) = differ(within(mine, &told.prefix), &told.logs);
        ahead.extend(theirs_lead);
        if told.answer && !mine_lead.is_empty() {
            answer.heads.push(Heads { prefix: told.prefix.clone(), logs: mine_lead, answer: false });
        }
    }
    answer.heads.sort_by(|one, other| one.prefix.cmp(&other.prefix));
    answer.digests.truncate(limits::FRONTIER_PARTS);
    let says_something = !answer.digests.is_empty() || !answer.heads.is_empty();
    Some(Compared { answer: says_something.then_some(answer), ahead })
}

/// Parts in order and apart, so that no log is looked at twice however much is told.
fn well_formed(theirs: &Frontier) -> bool {
    let apart = |prefixes: Vec<&ByteBuf>| {
        prefixes.windows(2).all(|pair| pair[0] < pair[1] && !pair[1].starts_with(pair[0]))
            && prefixes.iter().all(|prefix| prefix.len() <= LEVELS && prefix.iter().all(|half| *half < 16))
            && prefixes.len() <= limits::FRONTIER_PARTS
    };
    apart(theirs.digests.iter().map(|part| &part.prefix).collect())
        && apart(theirs.heads.iter().map(|heads| &heads.prefix).collect())
        && theirs.heads.iter().all(|heads| {
            heads.logs.len() <= limits::FRONTIER_PARTS
                && heads.logs.windows(2).all(|pair| pair[0].author < pair[1].author)
                && heads.logs.iter().all(|log| place(&log.author, &heads.prefix).is_eq())
        })
}

/// Which of their logs lead further than mine, and which of mine further than theirs, both in order.
fn differ(mine: &Entries, theirs: &[LogHead]) -> (Vec<LogHead>, Vec<LogHead>) {
    let find = |author: &Key| mine.binary_search_by_key(author, |(key, _)| *key).ok().map(|index| mine[index].1);
    let theirs_lead = theirs.iter().filter(|log| match find(&log.author) {
        None => log.last > 0,
        Some(head) => log.last > head.number || (log.last == head.number && *log.hash != head.hash),
    });
    let theirs_lead = theirs_lead.cloned().collect();
    let mine_lead = mine.iter().filter(|(author, head)| {
        let told = theirs.binary_search_by_key(author, |log| log.author).ok().map(|index| &theirs[index]);
        told.is_none_or(|log| head.number > log.last || (head.number == log.last && head.hash != *log.hash))
    });
    (theirs_lead, mine_lead.map(head).collect())
}

fn heads(entries: &Entries) -> Vec<LogHead> {
    entries.iter().map(head).collect()
}

fn head((author, head): &(Key, Head)) -> LogHead {
    LogHead { author: *author, last: head.number, hash: ByteArray::new(head.hash) }
}

fn part(mine: &Entries, prefix: &[u8]) -> Part {
    let digest = digest(within(mine, prefix));
    Part { prefix: ByteBuf::from(prefix), digest: ByteArray::new(digest) }
}

fn digest(entries: &Entries) -> [u8; 16] {
    let mut digest = [0; 16];
    if !entries.is_empty() {
        let mut hash = blake3::Hasher::new_derive_key("rollcall 1 frontier");
        for (author, head) in entries {
            hash.update(&author.0);
            hash.update(&head.number.to_be_bytes());
            hash.update(&head.hash);
        }
        digest.copy_from_slice(&hash.finalize().as_bytes()[..16]);
    }
    digest
}

/// The entries whose keys begin with a prefix.
fn within<'a>(mine: &'a Entries, prefix: &[u8]) -> &'a Entries {
    let from = mine.partition_point(|(key, _)| place(key, prefix).is_lt());
    let count = mine[from..].partition_point(|(key, _)| place(key, prefix).is_eq());
    &mine[from..from + count]
}

/// Whether a key comes before, within or after all keys that begin with a prefix.
fn place(key: &Key, prefix: &[u8]) -> Ordering {
    let half = |index: usize| if index.is_multiple_of(2) { key.0[index / 2] >> 4 } else { key.0[index / 2] & 15 };
    (0..prefix.len()).map(half).cmp(prefix.iter().copied())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use common::frame::Frame;
    use common::wire::peer::PeerFrame;
    use proptest::prelude::*;

    use super::*;

    fn room() -> RoomName {
        "lobby".parse().unwrap()
    }

    fn entries(logs: &BTreeMap<u64, u64>) -> Vec<(Key, Head)> {
        let mut entries: Vec<(Key, Head)> = logs
            .iter()
            .filter(|(_, number)| **number > 0)
            .map(|(author, number)| {
                let key = Key(*blake3::hash(&author.to_be_bytes()).as_bytes());
                (key, Head { number: *number, hash: [*number as u8; 32] })
            })
            .collect();
        entries.sort_by_key(|(key, _)| *key);
        entries
    }

    /// Plays a comparison to its end: what each learns, and how many frames and bytes it took.
    fn play(one: &Entries, other: &Entries) -> (Vec<LogHead>, Vec<LogHead>, usize, usize) {
        let mut learnt = [Vec::new(), Vec::new()];
        let sides = [one, other];
        let mut next = Some(opening(&room(), one));
        let (mut frames, mut bytes) = (0, 0);
        while let Some(frame) = next.take() {
            frames += 1;
            bytes += PeerFrame::from(frame.clone()).encode().len();
            let taker = frames % 2;
            let compared = compare(sides[taker], &frame).expect("by the rules");
            learnt[taker].extend(compared.ahead);
            next = compared.answer;
        }
        let [ones, others] = learnt;
        (ones, others, frames, bytes)
    }

    #[test]
    fn equal_logs_cost_one_small_frame() {
        let logs = entries(&(0..10_000).map(|author| (author, 5)).collect());
        let (ones, others, frames, bytes) = play(&logs, &logs);
        assert_eq!((ones.len(), others.len(), frames), (0, 0, 1));
        assert!(bytes < 64, "{bytes}");
    }

    #[test]
    fn one_message_among_ten_thousand_authors_costs_some_kilobytes_and_few_round_trips() {
        let mut logs: BTreeMap<u64, u64> = (0..10_000).map(|author| (author, 5)).collect();
        let one = entries(&logs);
        logs.insert(77, 6);
        let (ones, others, frames, bytes) = play(&one, &entries(&logs));
        assert_eq!((ones.len(), others.len()), (1, 0));
        assert!(frames <= 7 && bytes < 4_000, "{frames} frames, {bytes} bytes");
    }

    #[test]
    fn two_messages_with_one_number_are_noticed_by_both() {
        let one = entries(&BTreeMap::from([(1, 5), (2, 3)]));
        let mut other = one.clone();
        other[0].1.hash = [99; 32];
        let (ones, others, ..) = play(&one, &other);
        assert_eq!((ones.len(), others.len()), (1, 1));
    }

    #[test]
    fn parts_that_overlap_or_lie_are_not_taken() {
        let mine = entries(&BTreeMap::from([(1, 5), (2, 3)]));
        let part = |prefix: &[u8]| Part { prefix: ByteBuf::from(prefix), digest: ByteArray::new([0; 16]) };
        let digests = |digests: Vec<Part>| Frontier { room: room(), table: None, digests, heads: Vec::new() };
        assert!(compare(&mine, &digests(vec![part(&[1]), part(&[2])])).is_some());
        assert_eq!(compare(&mine, &digests(vec![part(&[1]), part(&[1])])), None);
        assert_eq!(compare(&mine, &digests(vec![part(&[]), part(&[1])])), None);
        assert_eq!(compare(&mine, &digests(vec![part(&[16])])), None);
        assert_eq!(compare(&mine, &digests(vec![part(&[0; 65])])), None);
        let wrong = Heads { prefix: ByteBuf::from([0]), logs: heads(&[(Key([0xff; 32]), mine[0].1)]), answer: true };
        assert_eq!(
            compare(&mine, &Frontier { room: room(), table: None, digests: Vec::new(), heads: vec![wrong] }),
            None
        );
    }

    proptest! {
        #[test]
        fn both_learn_exactly_where_the_other_leads(
            one in prop::collection::btree_map(0..400u64, 0..4u64, 0..200),
            other in prop::collection::btree_map(0..400u64, 0..4u64, 0..200),
        ) {
            let (one, other) = (entries(&one), entries(&other));
            let (mut ones, mut others, ..) = play(&one, &other);
            ones.sort_by_key(|log| log.author);
            others.sort_by_key(|log| log.author);
            prop_assert_eq!(ones, differ(&one, &heads(&other)).0);
            prop_assert_eq!(others, differ(&other, &heads(&one)).0);
        }
    }
}
