//! Tables that fit the width they are shown in: long texts are cut, and columns that are needed least left out.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns of space between two columns.
const GAP: usize = 2;
/// A text is cut to no less than this, while there are columns that can be left out.
const LEAST: usize = 10;
/// Digits of a key where there is no room for all.
const DIGITS: usize = 16;

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    head: &'static str,
    kind: Kind,
    /// Which is left out first: the highest; 0 never is.
    rank: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// As it is.
    Whole,
    /// It may be cut.
    Text,
    /// A key in hexadecimal, whose beginning tells it from others.
    Key,
}

/// Something that is shown as it is.
pub const fn whole(head: &'static str, rank: u8) -> Column {
    Column { head, kind: Kind::Whole, rank }
}

/// A text, which may be cut.
pub const fn text(head: &'static str, rank: u8) -> Column {
    Column { head, kind: Kind::Text, rank }
}

/// A key in hexadecimal.
pub const fn key(head: &'static str, rank: u8) -> Column {
    Column { head, kind: Kind::Key, rank }
}

/// Cells under their columns.
#[derive(Clone, Debug)]
pub struct Table {
    columns: &'static [Column],
    rows: Vec<Vec<String>>,
    /// Lines that stand below.
    below: Vec<String>,
}

impl Table {
    /// A row for each of `objects`.
    pub fn new<T, const N: usize>(
        objects: &[T],
        columns: &'static [Column; N],
        row: impl Fn(&T) -> [String; N],
    ) -> Table {
        let rows = objects.iter().map(|object| row(object).into()).collect();
        Table { columns, rows, below: Vec::new() }
    }

    /// The same with lines below it.
    pub fn with(mut self, below: Vec<String>) -> Table {
        self.below = below;
        self
    }

    /// Its lines, the first with the heads; as wide as they are, or in so many columns of a terminal.
    pub fn lines(mut self, width: Option<usize>) -> Vec<String> {
        if width.is_some() {
            self.shorten_keys();
        }
        let heads: Vec<String> = self.columns.iter().map(|column| column.head.to_string()).collect();
        self.rows.insert(0, heads);
        let natural: Vec<usize> = (0..self.columns.len())
            .map(|at| self.rows.iter().map(|row| row[at].width()).max().unwrap_or_default())
            .collect();
        let widths = width
            .map_or_else(|| natural.iter().copied().map(Some).collect(), |width| fit(self.columns, &natural, width));
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).filter_map(|(cell, width)| width.map(|width| padded(cell, width)));
            cells.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end().to_string()
        };
        self.rows.iter().map(line).chain(self.below).collect()
    }

    /// Its lines further in than what is said, within so many columns.
    pub fn shown(self, width: Option<usize>) -> String {
        let lines = self.lines(width.map(|width| width.saturating_sub(GAP)));
        lines.iter().map(|line| format!("{:GAP$}{line}", "")).collect::<Vec<_>>().join("\n")
    }

    fn shorten_keys(&mut self) {
        for (at, _) in self.columns.iter().enumerate().filter(|(_, column)| column.kind == Kind::Key) {
            for row in &mut self.rows {
                row[at] = row[at].chars().take(DIGITS).collect();
            }
        }
    }
}

/// How wide each column is; `None` for one that is left out.
fn fit(columns: &[Column], natural: &[usize], width: usize) -> Vec<Option<usize>> {
    let mut left_out = vec![false; columns.len()];
    loop {
        let mut widths: Vec<Option<usize>> =
            natural.iter().zip(&left_out).map(|(natural, out)| (!out).then_some(*natural)).collect();
        let last =
            (0..columns.len()).filter(|at| columns[*at].rank > 0 && !left_out[*at]).max_by_key(|at| columns[*at].rank);
        let least = |column: &Column| if last.is_some() { LEAST.max(column.head.len()) } else { 1 };
        let total = |widths: &[Option<usize>]| {
            let count = widths.iter().flatten().count();
            widths.iter().flatten().sum::<usize>() + count.saturating_sub(1) * GAP
        };
        while total(&widths) > width {
            let cut = (0..columns.len())
                .filter(|at| columns[*at].kind == Kind::Text && widths[*at] > Some(least(&columns[*at])))
                .max_by_key(|at| widths[*at]);
            let Some(cut) = cut else { break };
            widths[cut] = widths[cut].map(|width| width - 1);
        }
        match last {
            Some(last) if total(&widths) > width => left_out[last] = true,
            _ => return widths,
        }
    }
}

fn padded(cell: &str, width: usize) -> String {
    let cell = cut(cell, width);
    let space = width.saturating_sub(cell.width());
    cell + &" ".repeat(space)
}

/// A text in so many columns of a terminal; what is cut ends in `…`.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_string();
    }
    let mut room = width.saturating_sub(1);
    let fits = |c: &char| {
        let wide = c.width().unwrap_or_default();
        let fits = wide <= room;
        room = room.saturating_sub(wide);
        fits
    };
    let kept: String = text.chars().take_while(fits).collect();
    kept + "…"
}

/// The width of the terminal that stdout is, in columns; `None` where it is none.
pub fn terminal() -> Option<usize> {
    use std::io::IsTerminal;
    let size = std::io::stdout().is_terminal().then(ratatui::crossterm::terminal::size)?;
    size.ok().map(|(columns, _)| usize::from(columns)).filter(|columns| *columns > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 5] =
        [text("NAME", 0), whole("SIZE", 1), text("TOPIC", 3), key("KEY", 2), whole("SINCE", 4)];

    fn lines(width: Option<usize>) -> Vec<String> {
        let row = |_: &()| {
            [
                "日本のファイル.jpg".into(),
                "1".into(),
                "a long topic of many words".into(),
                "ab".repeat(32),
                "2026-11-22".into(),
            ]
        };
        Table::new(&[()], &COLUMNS, row).lines(width)
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_where_nobody_looks() {
        let row = |cells: &[&str; 2]| cells.map(String::from);
        const TWO: [Column; 2] = [text("NAME", 0), whole("SLOT", 0)];
        let table = Table::new(&[["alexandra", "1"], ["bö", ""]], &TWO, row);
        assert_eq!(table.lines(None), ["NAME       SLOT", "alexandra  1", "bö"]);
        assert!(lines(None)[1].contains(&"ab".repeat(32)));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_whatever_that_is() {
        for width in 8..140 {
            for line in lines(Some(width)) {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn long_texts_are_cut_first_and_then_the_columns_go_that_are_needed_least() {
        assert_eq!(lines(Some(200))[0].split_whitespace().count(), 5);
        let some = lines(Some(72)).join("\n");
        assert!(some.contains("SINCE") && some.contains('…'), "{some}");
        let fewer = lines(Some(46)).join("\n");
        assert!(!fewer.contains("SINCE") && fewer.contains("KEY") && fewer.contains(" abababababababab"), "{fewer}");
        assert_eq!(lines(Some(9))[0], "NAME");
    }

    #[test]
    fn a_text_is_cut_by_what_it_takes_on_a_terminal() {
        assert_eq!(cut("hello", 5), "hello");
        assert_eq!(cut("hello there", 6), "hello…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
    }
}
