//! Breaking lines where words end, by what is seen as one character and the columns that it takes.

use ratatui::{
    style::Style,
    text::{Line, Span},
};
use unicode_width::UnicodeWidthStr;

/// The spans as lines of at most `width` columns, those after the first behind `hang` spaces.
pub fn wrap(spans: &[Span<'_>], width: usize, hang: usize) -> Vec<Line<'static>> {
    let width = width.max(2);
    let hang = hang.min(width / 2);
    let mut lines = Vec::new();
    let mut row = Row::default();
    let symbols = spans.iter().flat_map(|span| span.styled_graphemes(Style::default()));
    for symbol in symbols {
        let columns = symbol.symbol.width();
        if row.columns + columns > width {
            let rest = row.break_off();
            lines.push(std::mem::replace(&mut row, Row::behind(hang)).line());
            rest.into_iter().for_each(|(symbol, style)| row.push(&symbol, style));
            if symbol.symbol == " " && row.cells.len() == usize::from(hang > 0) {
                // A space at which a line is broken is not seen.
                continue;
            }
        }
        row.push(symbol.symbol, symbol.style);
    }
    lines.push(row.line());
    lines
}

#[derive(Default)]
struct Row {
    cells: Vec<(String, Style)>,
    columns: usize,
    /// Cells that are there before anything is said.
    indent: usize,
    /// Cells up to the last space.
    word: usize,
}

impl Row {
    fn behind(hang: usize) -> Row {
        if hang == 0 {
            return Row::default();
        }
        Row { cells: vec![(" ".repeat(hang), Style::default())], columns: hang, indent: 1, word: 1 }
    }

    fn push(&mut self, symbol: &str, style: Style) {
        self.cells.push((symbol.to_string(), style));
        self.columns += symbol.width();
        if symbol == " " {
            self.word = self.cells.len();
        }
    }

    /// Takes off the word that is not whole, unless it is all there is.
    fn break_off(&mut self) -> Vec<(String, Style)> {
        if self.word > self.indent { self.cells.split_off(self.word) } else { Vec::new() }
    }

    fn line(self) -> Line<'static> {
        let mut spans: Vec<Span<'static>> = Vec::new();
        for (symbol, style) in self.cells {
            match spans.last_mut() {
                Some(last) if last.style == style => last.content.to_mut().push_str(&symbol),
                _ => spans.push(Span::styled(symbol, style)),
            }
        }
        Line::from(spans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width: usize, hang: usize) -> Vec<String> {
        wrap(&[Span::raw(text)], width, hang).iter().map(|line| line.to_string().trim_end().to_string()).collect()
    }

    #[test]
    fn lines_are_broken_between_words_and_hang_behind_the_first() {
        assert_eq!(wrapped("one two three four", 9, 2), ["one two", "  three", "  four"]);
        assert_eq!(wrapped("", 9, 2), [""]);
    }

    #[test]
    fn what_has_no_spaces_is_broken_where_the_line_ends_and_no_wide_character_is_halved() {
        assert_eq!(wrapped("abcdefgh", 4, 0), ["abcd", "efgh"]);
        assert_eq!(wrapped("日本日本", 5, 0), ["日本", "日本"]);
    }
}
