//! Which pieces are asked for next of one holder.
//!
//! The rarest first, so that whoever alone has a piece gives it away early, and those who fetch the same have something
//! to give each other. Among equals chance decides: twenty who begin at once with one holder ask for different pieces.

use common::file::{Grid, Pieces};

use crate::core::backoff::Jitter;

/// What one holder has, as far as is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Map {
    /// Everything.
    All,
    /// These pieces.
    Some(Pieces),
}

impl Map {
    /// Whether it has a piece.
    pub fn has(&self, piece: u32) -> bool {
        match self {
            Map::All => true,
            Map::Some(pieces) => pieces.has(piece),
        }
    }
}

/// The pieces in a row, first and last, that are to be asked for: of those that `wanted` lets through, one of the rarest
/// by `seen`, and as many beside it that are as rare as fit in `most` bytes.
pub fn rarest(
    grid: &Grid,
    seen: &[u16],
    wanted: impl Fn(u32) -> bool,
    most: u64,
    jitter: &mut Jitter,
) -> Option<(u32, u32)> {
    let (mut best, mut equals) = (None, 0);
    for (piece, count) in (0..grid.count()).zip(seen) {
        if best.is_some_and(|(_, fewest)| *count > fewest) || !wanted(piece) {
            continue;
        }
        if best.is_none_or(|(_, fewest)| *count < fewest) {
            equals = 0;
        }
        equals += 1;
        if jitter.below(equals) == 0 {
            best = Some((piece, *count));
        }
    }
    let (piece, count) = best?;
    let alike = |piece: u32| seen.get(piece as usize) == Some(&count) && wanted(piece);
    Some(widen(grid, piece, alike, most))
}

/// A piece with those beside it that are `alike`, as many as fit in `most` bytes.
pub fn widen(grid: &Grid, piece: u32, alike: impl Fn(u32) -> bool, most: u64) -> (u32, u32) {
    let length = |piece: u32| {
        let range = grid.range(piece);
        range.end - range.start
    };
    let (mut first, mut last) = (piece, piece);
    let mut bytes = length(piece);
    while last + 1 < grid.count() && bytes + length(last + 1) <= most && alike(last + 1) {
        last += 1;
        bytes += length(last);
    }
    while first > 0 && bytes + length(first - 1) <= most && alike(first - 1) {
        first -= 1;
        bytes += length(first);
    }
    (first, last)
}

#[cfg(test)]
mod tests {
    use common::file::{FileInfo, Root, SMALLEST_PIECE};

    use super::*;

    fn grid(pieces: u64) -> Grid {
        let size = pieces * SMALLEST_PIECE;
        FileInfo { root: Root([0; 32]), name: "x".into(), size, head: 0, media: String::new(), pixels: None }.grid()
    }

    #[test]
    fn the_rarest_is_chosen_whatever_chance_says() {
        for seed in 0..50 {
            let seen = [3, 2, 1, 0, 1, 0, 4, 1];
            let chosen = rarest(&grid(8), &seen, |piece| ![3, 5].contains(&piece), 1, &mut Jitter::new(seed)).unwrap();
            assert!([2, 4, 7].contains(&chosen.0) && chosen.0 == chosen.1, "seed {seed}: {chosen:?}");
        }
    }

    #[test]
    fn those_who_begin_at_once_choose_differently() {
        let chosen: std::collections::BTreeSet<_> =
            (0..20).map(|seed| rarest(&grid(256), &[0; 256], |_| true, 1, &mut Jitter::new(seed))).collect();
        assert!(chosen.len() > 15, "{chosen:?}");
    }

    #[test]
    fn a_range_takes_what_is_as_rare_beside_it_and_no_more_than_fits() {
        let seen = [0, 1, 1, 1, 1, 1, 1, 9];
        let mut jitter = Jitter::new(1);
        let (first, last) = rarest(&grid(8), &seen, |piece| piece != 0, 3 * SMALLEST_PIECE, &mut jitter).unwrap();
        assert!(last - first == 2 && first >= 1 && last <= 6, "{first} to {last}");
        assert_eq!(rarest(&grid(8), &seen, |piece| piece != 0, u64::MAX, &mut jitter), Some((1, 6)));
        assert_eq!(rarest(&grid(8), &seen, |_| false, u64::MAX, &mut jitter), None);
    }
}
