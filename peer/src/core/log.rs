//! Another's log as it is held here: pieces in a row, with holes between them where something was not meant for this
//! peer, or has not come.

use common::{
    Key, RoomName,
    message::{Hash, Head},
};

use super::ranges::Ranges;

/// Pieces of one log at the most. Only its author makes holes; one that makes more than this is taken no further.
const PIECES: usize = 4_096;

/// Messages held in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
    /// The chain's hash before the first.
    pub start: Hash,
    /// The chain's hash after the last.
    pub end: Hash,
    /// Whether what is missing before it may be meant for this peer: a third member left it out, not the author.
    pub open: bool,
}

/// How a batch fits what is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fit {
    /// All of it is held.
    Held,
    /// It follows the last message held.
    Next,
    /// It leaves a hole behind the last message held.
    Beyond,
    /// It goes into a hole.
    Fills,
    /// One number has two different messages.
    Fork,
    /// There are too many holes already.
    Full,
}

/// One author's log in one room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// Where a log of this author begins.
    empty: Head,
    /// In order, with at least one number between them.
    pieces: Vec<Piece>,
    /// Where the log is said to end when nothing behind `pieces` is meant for this peer.
    reach: Option<Head>,
}

impl Log {
    /// A log of which nothing is held.
    pub fn new(room: &RoomName, author: &Key) -> Log {
        Log { empty: Head::empty(room, author), pieces: Vec::new(), reach: None }
    }

    /// The last message held.
    pub fn head(&self) -> Head {
        self.pieces.last().map_or(self.empty, |piece| Head { number: piece.last, hash: piece.end })
    }

    /// The last message held, if all others after `number` are held too.
    pub fn held_after(&self, number: u64) -> Option<Head> {
        self.pieces.last().filter(|piece| piece.first <= number.saturating_add(1)).map(Piece::ending)
    }

    /// What this log is compared by: its head, or what it is said to reach beyond it.
    pub fn compared(&self) -> Head {
        self.reach.filter(|reach| reach.number > self.head().number).unwrap_or(self.head())
    }

    /// Notes that it is said to end here, with nothing on the way that is meant for this peer. It is a word that
    /// nobody has proven, so nothing but comparing goes by it.
    pub fn reaches(&mut self, head: Head) {
        self.reach = Some(head);
    }

    /// Whether a message is held.
    pub fn has(&self, number: u64) -> bool {
        self.piece_of(number).is_some()
    }

    /// Whether a message is held or known not to be meant for this peer.
    pub fn settled(&self, number: u64) -> bool {
        let next = self.pieces.partition_point(|piece| piece.last < number);
        self.pieces.get(next).is_some_and(|piece| piece.first <= number || !piece.open)
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The latest ranges held, at most `most`, in order.
    pub fn latest(&self, most: usize) -> impl Iterator<Item = (u64, u64)> {
        let skipped = self.pieces.len().saturating_sub(most);
        self.pieces[skipped..].iter().map(|piece| (piece.first, piece.last))
    }

    /// What is held, as a set.
    pub fn ranges(&self) -> Ranges {
        let mut ranges = Ranges::default();
        for piece in &self.pieces {
            ranges.add(piece.first, piece.last);
        }
        ranges
    }

    /// Holes in which something for this peer may be missing, the latest first.
    pub fn holes(&self) -> impl Iterator<Item = (u64, u64)> {
        let before = |index: usize| if index == 0 { 0 } else { self.pieces[index - 1].last };
        let open = self.pieces.iter().enumerate().rev().filter(|(_, piece)| piece.open);
        open.map(move |(index, piece)| (before(index) + 1, piece.first - 1))
    }

    /// How messages from `start` to `end` fit. Batches are made once, so one that overlaps what is held and is not
    /// part of it is another log under the same key.
    pub fn fit(&self, start: Head, end: Head) -> Fit {
        let (first, last) = (start.number + 1, end.number);
        if let Some(piece) = self.piece_of(first) {
            let same_end = piece.last != last || piece.end == end.hash;
            let same_start = piece.first != first || piece.start == start.hash;
            return if last <= piece.last && same_end && same_start { Fit::Held } else { Fit::Fork };
        }
        let next = self.pieces.partition_point(|piece| piece.last < first);
        let before = if next == 0 { self.empty } else { self.pieces[next - 1].ending() };
        let after = self.pieces.get(next);
        if after.is_some_and(|piece| piece.first <= last || (piece.first == last + 1 && piece.start != end.hash)) {
            return Fit::Fork;
        }
        if before.number == start.number && before.hash != start.hash {
            return Fit::Fork;
        }
        match after {
            _ if self.pieces.len() >= PIECES && before.number != start.number => Fit::Full,
            Some(_) => Fit::Fills,
            None if before.number == start.number => Fit::Next,
            None => Fit::Beyond,
        }
    }

    /// Whether the message before `first` is held, or there is none.
    pub fn adjoins(&self, first: u64) -> bool {
        first <= 1 || self.has(first - 1)
    }

    /// Adds messages that fit. `open` is for the hole that may be left before them. Returns the piece that they are
    /// part of now, and the firsts of those that it has swallowed.
    pub fn add(&mut self, start: Head, end: Head, open: bool) -> (Piece, Vec<u64>) {
        let (first, last) = (start.number + 1, end.number);
        let index = self.pieces.partition_point(|piece| piece.last < first);
        let mut piece = Piece { first, last, start: start.hash, end: end.hash, open: open && first > 1 };
        let mut swallowed = Vec::new();
        if let Some(next) = self.pieces.get(index).copied()
            && next.first == last + 1
        {
            (piece.last, piece.end) = (next.last, next.end);
            swallowed.push(self.pieces.remove(index).first);
        }
        if let Some(before) = index.checked_sub(1).map(|before| self.pieces[before])
            && before.last + 1 == first
        {
            (piece.first, piece.start, piece.open) = (before.first, before.start, before.open);
            self.pieces[index - 1] = piece;
        } else {
            self.pieces.insert(index, piece);
        }
        (piece, swallowed)
    }

    /// Puts back a piece that was kept. Pieces come in order.
    pub fn restore(&mut self, piece: Piece) {
        self.pieces.push(piece);
    }

    fn piece_of(&self, number: u64) -> Option<&Piece> {
        let index = self.pieces.partition_point(|piece| piece.last < number);
        self.pieces.get(index).filter(|piece| piece.first <= number)
    }
}

impl Piece {
    fn ending(&self) -> Head {
        Head { number: self.last, hash: self.end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> Log {
        Log::new(&"lobby".parse().unwrap(), &Key([1; 32]))
    }

    /// The head of the true log at a number.
    fn head(number: u64) -> Head {
        if number == 0 { log().empty } else { Head { number, hash: [number as u8; 32] } }
    }

    fn filled(pieces: &[(u64, u64)]) -> Log {
        let mut log = log();
        for (first, last) in pieces {
            log.add(head(first - 1), head(*last), true);
        }
        log
    }

    #[test]
    fn what_follows_is_next_and_what_leaves_a_hole_is_beyond() {
        let log = filled(&[(1, 3)]);
        assert_eq!(log.fit(head(3), head(5)), Fit::Next);
        assert_eq!(log.fit(head(4), head(5)), Fit::Beyond);
        assert_eq!(log.fit(head(0), head(2)), Fit::Held);
    }

    #[test]
    fn a_hole_that_is_filled_is_gone() {
        let mut log = filled(&[(1, 3), (6, 9)]);
        assert_eq!(log.holes().collect::<Vec<_>>(), [(4, 5)]);
        assert!(!log.settled(4) && log.settled(6) && !log.settled(10));
        assert_eq!(log.fit(head(3), head(5)), Fit::Fills);
        let (piece, swallowed) = log.add(head(3), head(5), false);
        assert_eq!((piece.first, piece.last, swallowed), (1, 9, vec![6]));
        assert_eq!((log.pieces().len(), log.head()), (1, head(9)));
        assert_eq!(log.holes().count(), 0);
    }

    #[test]
    fn a_hole_filled_in_part_stays() {
        let mut log = filled(&[(1, 3), (8, 9)]);
        log.add(head(4), head(6), true);
        assert_eq!(log.holes().collect::<Vec<_>>(), [(7, 7), (4, 4)]);
        log.add(head(6), head(7), true);
        assert_eq!(log.holes().collect::<Vec<_>>(), [(4, 4)]);
    }

    #[test]
    fn another_message_with_a_held_number_is_a_fork() {
        let other = |number| Head { number, hash: [99; 32] };
        let log = filled(&[(1, 3), (6, 9)]);
        assert_eq!(log.fit(head(1), other(3)), Fit::Fork, "another end");
        assert_eq!(log.fit(other(3), head(5)), Fit::Fork, "it follows another message");
        assert_eq!(log.fit(head(4), other(5)), Fit::Fork, "another message follows it");
        assert_eq!(log.fit(head(2), head(4)), Fit::Fork, "it overlaps");
        assert_eq!(log.fit(other(9), head(10)), Fit::Fork, "it follows another head");
    }

    #[test]
    fn the_end_of_a_log_with_a_hole_is_told_only_behind_the_hole() {
        let log = filled(&[(1, 3), (6, 9)]);
        assert_eq!([2, 4, 5, 9].map(|number| log.held_after(number)), [None, None, Some(head(9)), Some(head(9))]);
    }

    #[test]
    fn what_a_log_is_said_to_reach_counts_only_for_comparing() {
        let mut log = filled(&[(1, 3)]);
        log.reaches(head(7));
        assert_eq!((log.compared(), log.head()), (head(7), head(3)));
        assert_eq!(log.fit(head(3), head(5)), Fit::Next);
        log.add(head(3), head(9), false);
        assert_eq!(log.compared(), head(9));
    }
}
