//! How a file is cut into pieces, and sets of them.

use std::ops::Range;

use super::{PIECES, SMALLEST_PIECE};

/// How a file is cut into pieces: what is asked of one holder at a time. A folder's head is a piece of its own, the
/// first; the rest is cut into pieces of equal length, a power of two of at least [`SMALLEST_PIECE`], at most
/// [`PIECES`] of them; the last may be shorter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grid {
    pub(super) size: u64,
    pub(super) head: u64,
}

impl Grid {
    /// Bytes of a piece, the head and the last apart.
    pub fn piece(&self) -> u64 {
        (self.size - self.head).div_ceil(PIECES).next_power_of_two().max(SMALLEST_PIECE)
    }

    /// How many pieces there are, at most [`PIECES`] and one.
    pub fn count(&self) -> u32 {
        (u64::from(self.head > 0) + (self.size - self.head).div_ceil(self.piece())) as u32
    }

    /// How many bytes there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Where a piece lies in the file, in bytes; empty behind the last.
    pub fn range(&self, piece: u32) -> Range<u64> {
        let piece = match piece {
            0 if self.head > 0 => return 0..self.head,
            piece => u64::from(piece) - u64::from(self.head > 0),
        };
        let at = |piece: u64| self.head.saturating_add(piece.saturating_mul(self.piece())).min(self.size);
        at(piece)..at(piece + 1)
    }

    /// Which piece a byte is in; the last for what is behind the end.
    pub fn at(&self, byte: u64) -> u32 {
        let behind = byte.min(self.size - 1).checked_sub(self.head).map(|behind| behind / self.piece());
        behind.map_or(0, |piece| (piece + u64::from(self.head > 0)) as u32)
    }
}

/// Some of a file's pieces.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Pieces {
    bits: Vec<u64>,
    held: u32,
}

impl Pieces {
    /// None of them.
    pub fn none() -> Pieces {
        Pieces::default()
    }

    /// All of them, of `count`.
    pub fn all(count: u32) -> Pieces {
        let mut pieces = Pieces::none();
        (0..count).for_each(|piece| {
            pieces.add(piece);
        });
        pieces
    }

    /// Adds one. Returns whether it was missing.
    pub fn add(&mut self, piece: u32) -> bool {
        let (word, bit) = (piece as usize / 64, 1 << (piece % 64));
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        let missing = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        self.held += u32::from(missing);
        missing
    }

    /// Takes one out.
    pub fn remove(&mut self, piece: u32) {
        if self.has(piece) {
            self.bits[piece as usize / 64] &= !(1 << (piece % 64));
            self.held -= 1;
        }
    }

    /// Whether it is there.
    pub fn has(&self, piece: u32) -> bool {
        self.bits.get(piece as usize / 64).is_some_and(|word| word & (1 << (piece % 64)) != 0)
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        self.held
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Them, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        (0..self.bits.len() as u32 * 64).filter(|piece| self.has(*piece))
    }

    /// Them as runs of first and last.
    pub fn runs(&self) -> Vec<(u32, u32)> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for piece in self.iter() {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == piece => *last = piece,
                _ => runs.push((piece, piece)),
            }
        }
        runs
    }

    /// Those of `runs` that a file of `count` pieces has.
    pub fn of_runs(runs: &[(u32, u32)], count: u32) -> Pieces {
        let mut pieces = Pieces::none();
        for (first, last) in runs {
            (*first..count.min(last.saturating_add(1))).for_each(|piece| {
                pieces.add(piece);
            });
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::{super::GROUP, *};

    #[test]
    fn pieces_cover_a_file_without_overlap_and_keep_their_bound() {
        for (size, head) in [(1, 0), (GROUP, 0), (GROUP, GROUP), (65_537, 0), (1 << 30, 3 * GROUP), (100 << 30, 0)] {
            let grid = Grid { size, head };
            assert!(u64::from(grid.count()) <= PIECES + 1, "{grid:?}");
            let ends: Vec<_> = (0..grid.count()).map(|piece| grid.range(piece)).collect();
            assert_eq!(ends.first().unwrap().start, 0);
            assert!(ends.windows(2).all(|pair| pair[0].end == pair[1].start && pair[0].start < pair[0].end));
            assert_eq!(ends.last().unwrap().end, size);
            assert!(ends.iter().all(|range| range.start.is_multiple_of(GROUP)));
            assert!(grid.range(grid.count()).is_empty());
            assert!(grid.range(u32::MAX).is_empty());
            assert!((0..grid.count()).all(|piece| grid.at(grid.range(piece).start) == piece));
            assert!((0..grid.count()).all(|piece| grid.at(grid.range(piece).end - 1) == piece));
        }
    }

    #[test]
    fn pieces_read_back_from_their_runs_within_the_file() {
        let pieces = Pieces::of_runs(&[(0, 0), (3, 66), (70, u32::MAX)], 72);
        assert_eq!(pieces.runs(), [(0, 0), (3, 66), (70, 71)]);
        assert_eq!(pieces.len(), 67);
        assert_eq!(Pieces::all(130).runs(), [(0, 129)]);
    }
}
