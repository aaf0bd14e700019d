//! What this peer has said in a room: where its log ends, its latest batches, and who has what of it.

use std::collections::{BTreeMap, VecDeque};

use common::{Key, Version, frame::Encoded, message::Head};

use super::{outbox::Cancelled, ranges::Ranges};

/// Own batches kept in memory a room; older ones are read from the store.
const RECENT: usize = 64;

/// What this peer has said in one room.
#[derive(Clone, Debug)]
pub struct OwnLog {
    /// Where it ends.
    pub head: Head,
    /// Which stamps its messages have: runs in a row, so that a long log under few stamps takes little memory.
    pub runs: Vec<Run>,
    /// Which of its messages are not sent any more.
    pub cancelled: Cancelled,
    /// The latest batches.
    recent: VecDeque<Sealed>,
    /// What each member has of it, by its receipts.
    acked: BTreeMap<Key, Ranges>,
    /// For members not in `acked`.
    nothing: Ranges,
}

/// Messages in a row under one stamp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// The stamp.
    pub stamp: Version,
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
}

/// One own batch, as it goes to every member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// Its stamp.
    pub stamp: Version,
    /// Its first number.
    pub first: u64,
    /// Its last number.
    pub last: u64,
    /// The frame.
    pub frame: Encoded,
}

impl OwnLog {
    /// The log that leads to `head`, with nothing in memory of what is before.
    pub fn new(head: Head) -> OwnLog {
        OwnLog {
            head,
            runs: Vec::new(),
            cancelled: Cancelled::default(),
            recent: VecDeque::new(),
            acked: BTreeMap::new(),
            nothing: Ranges::default(),
        }
    }

    /// Adds a batch that leads to `head`.
    pub fn push(&mut self, sealed: Sealed, head: Head) {
        self.head = head;
        self.extend_runs(Run { stamp: sealed.stamp, first: sealed.first, last: sealed.last });
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(sealed);
    }

    /// Adds a run behind the last one.
    pub fn extend_runs(&mut self, run: Run) {
        match self.runs.last_mut() {
            Some(last) if last.stamp == run.stamp && last.last + 1 == run.first => last.last = run.last,
            _ => self.runs.push(run),
        }
    }

    /// The stamp of a message.
    pub fn stamp(&self, number: u64) -> Option<Version> {
        let run = self.runs.get(self.runs.partition_point(|run| run.last < number))?;
        (run.first <= number).then_some(run.stamp)
    }

    /// The batch with this message, if it is one of the latest.
    pub fn recent(&self, number: u64) -> Option<&Sealed> {
        let index = self.recent.partition_point(|sealed| sealed.last < number);
        self.recent.get(index).filter(|sealed| sealed.first <= number)
    }

    /// What a member has of it.
    pub fn acked(&self, key: &Key) -> &Ranges {
        self.acked.get(key).unwrap_or(&self.nothing)
    }

    /// Takes a receipt for the messages from `first` to `last`. Returns the last of them, at most the log's end, if
    /// the receipt says anything new.
    pub fn receipt(&mut self, key: &Key, first: u64, last: u64) -> Option<u64> {
        let last = last.min(self.head.number);
        self.acked.entry(*key).or_default().add(first.max(1), last).then_some(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_never_goes_back_nor_beyond_the_log() {
        let bob = Key([1; 32]);
        let mut own = OwnLog::new(Head { number: 5, hash: [0; 32] });
        assert_eq!(own.receipt(&bob, 1, 3), Some(3));
        assert_eq!(own.receipt(&bob, 1, 2), None);
        assert_eq!(own.receipt(&bob, 0, u64::MAX), Some(5));
        assert_eq!(own.acked(&bob).next_missing(1), 6);
    }
}
