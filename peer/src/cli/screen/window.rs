//! Which part of a conversation is in view. Where the view is not at the end, it hangs on an entry and a line of it, so that
//! it stays there whatever the width of the terminal makes of the lines before and behind.

use std::ops::Range;

use super::{
    conversation::{Conversation, Missing},
    entries::{Held, cursor},
};

/// Lines from the end of what is held at which more is asked for.
const NEAR: usize = 50;

/// Where the view ends.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Anchor {
    /// In which entry.
    pub entry: usize,
    /// So many of its lines are below.
    pub below: usize,
}

impl Conversation {
    /// What is in a view of `height` lines, from the top: entries, and which of their lines.
    pub fn in_view(&self, height: usize, lines: &impl Fn(&Held) -> usize) -> Vec<(usize, Range<usize>)> {
        let Some(end) = self.bottom(height, lines) else { return Vec::new() };
        let (mut shown, mut left) = (Vec::new(), height);
        for entry in (0..=end.entry).rev() {
            if left == 0 {
                break;
            }
            let own = lines(&self.entries[entry]);
            let last = if entry == end.entry { own.saturating_sub(end.below) } else { own };
            let first = last.saturating_sub(left);
            left -= last - first;
            if first < last {
                shown.push((entry, first..last));
            }
        }
        shown.reverse();
        shown
    }

    /// The places of the entries that are in a view of `height` lines.
    pub fn visible(&self, height: usize, lines: &impl Fn(&Held) -> usize) -> Range<usize> {
        let shown = self.in_view(height, lines);
        match (shown.first(), shown.last()) {
            (Some((first, _)), Some((last, _))) => *first..last + 1,
            _ => 0..0,
        }
    }

    /// What is at a line of the view, counted from the last, and which of its own lines that is.
    pub fn at_line(&self, from_end: usize, height: usize, lines: &impl Fn(&Held) -> usize) -> Option<(&Held, usize)> {
        let shown = self.in_view(height, lines);
        let mut rows = shown.into_iter().flat_map(|(entry, rows)| rows.map(move |row| (entry, row))).rev();
        rows.nth(from_end).map(|(entry, row)| (&self.entries[entry], row))
    }

    /// Moves the view by so many lines, up where that is more than none; says what is missing then.
    pub fn scroll(&mut self, up: isize, height: usize, lines: &impl Fn(&Held) -> usize) -> Option<Missing> {
        let from = self.bottom(height, lines)?;
        self.anchor = if up > 0 {
            Some(self.above(from, up.unsigned_abs(), lines))
        } else {
            self.below(from, up.unsigned_abs(), lines)
        };
        self.settle(height, lines);
        let near = |entries: &mut dyn Iterator<Item = usize>, seen: usize| {
            let mut found = seen;
            for entry in entries {
                if found >= NEAR {
                    return false;
                }
                found += lines(&self.entries[entry]);
            }
            found < NEAR
        };
        let shown = self.in_view(height, lines);
        let (first, last) = (shown.first()?, shown.last()?);
        if up > 0 && self.more_before && near(&mut (0..first.0).rev(), first.1.start) {
            return self.begins().map(Missing::Before);
        }
        let below = lines(&self.entries[last.0]) - last.1.end;
        if up < 0 && self.more_after && near(&mut (last.0 + 1..self.entries.len()), below) {
            return self.ends().map(Missing::After);
        }
        None
    }

    /// Moves the view as little as shows all of a message, or the beginning of one that is too long for that.
    pub fn bring_into_view(&mut self, at: u64, height: usize, lines: &impl Fn(&Held) -> usize) {
        let Some(entry) = self.entries.iter().position(|held| cursor(held) == Some(at)) else { return };
        let own = lines(&self.entries[entry]);
        let found = self.in_view(height, lines);
        let is_above = match found.iter().find(|(shown, _)| *shown == entry) {
            Some((_, rows)) if rows.len() == own => return,
            Some((_, rows)) => rows.start > 0,
            None => found.first().is_some_and(|(first, _)| entry < *first),
        };
        if is_above || own >= height {
            self.begin_with(entry, height, lines);
        } else {
            self.anchor = Some(Anchor { entry, below: 0 });
            self.settle(height, lines);
        }
    }

    /// Shows a message in the middle of the view, or from its beginning if it is long.
    pub(super) fn centre(&mut self, entry: usize, height: usize, lines: &impl Fn(&Held) -> usize) {
        if lines(&self.entries[entry]) > height / 2 {
            self.begin_with(entry, height, lines);
            return;
        }
        self.anchor = self.below(Anchor { entry, below: 0 }, height / 2, lines);
        self.settle(height, lines);
    }

    /// The first line of an entry is the first in view.
    pub(super) fn begin_with(&mut self, entry: usize, height: usize, lines: &impl Fn(&Held) -> usize) {
        let Some(own) = self.entries.get(entry).map(lines) else { return };
        self.anchor = self.below(Anchor { entry, below: own }, height, lines);
        self.settle(height, lines);
    }

    /// A view that ends with the last line is at the end again, and goes on with what comes.
    pub fn settle(&mut self, height: usize, lines: &impl Fn(&Held) -> usize) {
        let Some(bottom) = self.anchor.and_then(|_| self.bottom(height, lines)) else { return };
        self.anchor = self.below(bottom, 0, lines);
    }

    /// Where a view of `height` lines ends. It never ends so far up that it would not be full.
    fn bottom(&self, height: usize, lines: &impl Fn(&Held) -> usize) -> Option<Anchor> {
        let last = Anchor { entry: self.entries.len().checked_sub(1)?, below: 0 };
        let Some(Anchor { entry, below }) = self.anchor else { return Some(last) };
        let entry = entry.min(last.entry);
        let own = lines(&self.entries[entry]);
        let below = below.min(own.saturating_sub(1));
        let mut above = own - below;
        let is_full = above >= height
            || (0..entry).rev().any(|entry| {
                above += lines(&self.entries[entry]);
                above >= height
            });
        let end = Anchor { entry, below };
        if is_full { Some(end) } else { Some(self.below(end, height - above, lines).unwrap_or(last)) }
    }

    /// So many lines further up, as far as there are any.
    fn above(&self, from: Anchor, mut up: usize, lines: &impl Fn(&Held) -> usize) -> Anchor {
        let mut below = from.below;
        for entry in (0..=from.entry).rev() {
            let rest = lines(&self.entries[entry]).saturating_sub(below);
            if up < rest {
                return Anchor { entry, below: below + up };
            }
            (up, below) = (up - rest, 0);
        }
        Anchor { entry: 0, below: lines(&self.entries[0]).saturating_sub(1) }
    }

    /// So many lines further down; nothing where that is the end.
    fn below(&self, from: Anchor, mut down: usize, lines: &impl Fn(&Held) -> usize) -> Option<Anchor> {
        if down < from.below {
            return Some(Anchor { below: from.below - down, ..from });
        }
        down -= from.below;
        let mut end = Anchor { below: 0, ..from };
        for entry in from.entry + 1..self.entries.len() {
            let own = lines(&self.entries[entry]);
            if down < own {
                // An entry of which nothing is in view yet is not where the view ends.
                return Some(if down == 0 { end } else { Anchor { entry, below: own - down } });
            }
            (down, end) = (down - own, Anchor { entry, below: 0 });
        }
        None
    }
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
