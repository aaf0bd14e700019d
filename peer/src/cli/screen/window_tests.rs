use super::*;
use crate::cli::screen::{entries::Entry, told::Notice};
use proptest::prelude::*;

/// A conversation whose entries take so many lines each.
fn of(heights: &[usize]) -> (Conversation, impl Fn(&Held) -> usize) {
    let told: Vec<Notice> = heights.iter().map(|height| Notice { after: 0, text: height.to_string() }).collect();
    let lines = |held: &Held| match held.entry() {
        Entry::Notice(height) => height.parse().unwrap(),
        _ => 0,
    };
    (Conversation::new(None, &told), lines)
}

/// The lines in view, counted from the first of all.
fn rows(conversation: &Conversation, height: usize, lines: &impl Fn(&Held) -> usize) -> Vec<usize> {
    let before = |entry: usize| conversation.entries.range(..entry).map(lines).sum::<usize>();
    let shown = conversation.in_view(height, lines);
    shown
        .into_iter()
        .flat_map(|(entry, rows)| rows.map(move |row| (entry, row)))
        .map(|(e, row)| before(e) + row)
        .collect()
}

proptest! {
    /// Against a model: lines in a row, and the number of the one with which the view ends.
    #[test]
    fn the_view_is_full_and_moves_by_as_many_lines_as_it_is_to(
        heights in prop::collection::vec(0usize..6, 1..30),
        moves in prop::collection::vec((-9isize..9, 1usize..12), 1..20),
    ) {
        let (mut conversation, lines) = of(&heights);
        let all: usize = heights.iter().sum();
        let mut end = all;
        for (up, height) in moves {
            conversation.settle(height, &lines);
            end = end.max(height.min(all));
            conversation.scroll(up, height, &lines);
            end = end.saturating_add_signed(-up).clamp(height.min(all), all);
            let shown = rows(&conversation, height, &lines);
            prop_assert_eq!(&shown, &(end.saturating_sub(height)..end).collect::<Vec<_>>());
            prop_assert_eq!(conversation.is_at_end(), end == all);
        }
    }
}
