//! Sets of numbers that come mostly in a row: what a member has receipted of a log.

/// Ranges kept at the most. Forgetting one un-ticks messages; it never ticks one.
const MOST: usize = 1_024;

/// A set of numbers as ranges, in order, with gaps between them.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Adds all from `first` to `last`. True if that adds anything.
    pub fn add(&mut self, first: u64, last: u64) -> bool {
        if first > last || self.0.iter().any(|(from, to)| *from <= first && last <= *to) {
            return false;
        }
        let (mut first, mut last) = (first, last);
        self.0.retain(|(from, to)| {
            let apart = to.saturating_add(1) < first || last.saturating_add(1) < *from;
            if !apart {
                (first, last) = (first.min(*from), last.max(*to));
            }
            apart
        });
        let index = self.0.partition_point(|(from, _)| *from < first);
        self.0.insert(index, (first, last));
        if self.0.len() > MOST {
            self.0.remove(0);
        }
        true
    }

    /// The ranges, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().copied()
    }

    /// Whether `number` is in it.
    pub fn has(&self, number: u64) -> bool {
        self.0.iter().rev().any(|(from, to)| *from <= number && number <= *to)
    }

    /// The first number from `number` on that is not in it.
    pub fn next_missing(&self, number: u64) -> u64 {
        let index = self.0.partition_point(|(_, to)| *to < number);
        self.0.get(index).filter(|(from, _)| *from <= number).map_or(number, |(_, to)| to.saturating_add(1))
    }

    /// How many of the numbers from `first` to `last` are in it.
    pub fn count(&self, first: u64, last: u64) -> u64 {
        let within = self.0.iter().map(|(from, to)| (*from.max(&first), *to.min(&last)));
        within.filter(|(from, to)| from <= to).map(|(from, to)| to - from + 1).sum()
    }

    /// The numbers from `first` to `last` that are not in it, as ranges in order.
    pub fn gaps(&self, first: u64, last: u64) -> impl Iterator<Item = (u64, u64)> + use<> {
        let (mut gaps, mut next) = (Vec::new(), first);
        for (from, to) in self.0.iter().filter(|(from, to)| first <= *to && *from <= last) {
            if next < *from {
                gaps.push((next, from - 1));
            }
            next = to.saturating_add(1);
        }
        if next <= last {
            gaps.push((next, last));
        }
        gaps.into_iter()
    }

    /// What is in both.
    pub fn and(&self, other: &Ranges) -> Ranges {
        let pairs = self.0.iter().flat_map(|a| other.0.iter().map(move |b| (a.0.max(b.0), a.1.min(b.1))));
        Ranges(pairs.filter(|(from, to)| from <= to).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(list: &[(u64, u64)]) -> Ranges {
        let mut ranges = Ranges::default();
        for (first, last) in list {
            ranges.add(*first, *last);
        }
        ranges
    }

    #[test]
    fn ranges_that_touch_become_one() {
        assert_eq!(ranges(&[(1, 3), (7, 9), (4, 6)]), ranges(&[(1, 9)]));
        assert_eq!(ranges(&[(1, 3), (5, 6)]).0, [(1, 3), (5, 6)]);
    }

    #[test]
    fn what_is_there_already_adds_nothing() {
        let mut held = ranges(&[(1, 9)]);
        assert!(!held.add(2, 9));
        assert!(!held.add(9, 8));
        assert!(held.add(9, 10));
    }

    #[test]
    fn a_hole_is_not_in_it() {
        let held = ranges(&[(1, 3), (5, 6)]);
        assert_eq!([3, 4, 5].map(|n| held.has(n)), [true, false, true]);
        assert_eq!(held.count(2, 5), 3);
        assert_eq!([1, 4, 5, 9].map(|n| held.next_missing(n)), [4, 4, 7, 9]);
        assert_eq!(held.and(&ranges(&[(3, 5)])), ranges(&[(3, 3), (5, 5)]));
    }

    #[test]
    fn what_is_not_in_it_is_its_gaps() {
        let held = ranges(&[(3, 4), (7, 8), (20, 30)]);
        assert_eq!(held.gaps(1, 10).collect::<Vec<_>>(), [(1, 2), (5, 6), (9, 10)]);
        assert_eq!(held.gaps(4, 7).collect::<Vec<_>>(), [(5, 6)]);
        assert_eq!(held.gaps(22, 25).count(), 0);
        assert_eq!(held.gaps(10, 9).count(), 0);
    }

    #[test]
    fn the_number_of_ranges_is_bounded_and_the_latest_are_kept() {
        let held = ranges(&(0..5_000).map(|n| (2 * n, 2 * n)).collect::<Vec<_>>());
        assert_eq!(held.0.len(), MOST);
        assert!(held.has(9_998) && !held.has(0));
    }
}
