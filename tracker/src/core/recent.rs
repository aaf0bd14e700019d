//! The last steps of something that is numbered: what a cursor that is not too old still needs.

use std::collections::VecDeque;

/// Numbered steps, of which only the last are kept.
pub struct Recent<T> {
    last: u64,
    steps: VecDeque<T>,
}

impl<T> Recent<T> {
    /// None kept, the last having had the number `last`.
    pub fn new(last: u64) -> Recent<T> {
        Recent { last, steps: VecDeque::new() }
    }

    /// The number of the last step.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Adds a step, and forgets the oldest beyond `keep`.
    pub fn push(&mut self, step: T, keep: usize) {
        self.last += 1;
        self.steps.push_back(step);
        while self.steps.len() > keep {
            self.steps.pop_front();
        }
    }

    /// The steps after `number`; `None` if they are not all there, or `number` is still to come.
    pub fn since(&self, number: u64) -> Option<impl ExactSizeIterator<Item = &T>> {
        let missing = usize::try_from(self.last.checked_sub(number)?).ok()?;
        Some(self.steps.range(self.steps.len().checked_sub(missing)?..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_kept_can_be_caught_up_with() {
        let mut recent = Recent::new(10);
        for step in 11..=15 {
            recent.push(step, 3);
        }
        assert_eq!(recent.last(), 15);
        assert_eq!(recent.since(13).unwrap().copied().collect::<Vec<_>>(), [14, 15]);
        assert_eq!(recent.since(15).unwrap().len(), 0);
        assert!(recent.since(11).is_none());
        assert!(recent.since(16).is_none());
    }
}
