//! Data for stdout: JSON for programs, aligned tables for people.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::text;

/// More names than this are a number.
const NAMED: usize = 6;

/// Where data goes, and how.
pub struct Out {
    json: bool,
    colour: bool,
}

/// An object with the version of this command line's contract.
#[derive(Serialize)]
struct Versioned<'a, T> {
    v: u8,
    #[serde(flatten)]
    object: &'a T,
}

impl Out {
    /// To stdout; with colours if that is a terminal, unless `NO_COLOR` is set.
    pub fn new(json: bool) -> Out {
        Out { json, colour: colours(&io::stdout()) }
    }

    /// Whether data is JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// One object, as JSON or as `human` tells it.
    pub fn object<T: Serialize>(&self, object: &T, human: impl FnOnce(&T) -> String) -> io::Result<()> {
        if self.json { json(object) } else { line(&human(object)) }
    }

    /// One object a line, or a table under `head`.
    pub fn table<T: Serialize, const N: usize>(
        &self,
        objects: &[T],
        head: [&str; N],
        row: impl Fn(&T) -> [String; N],
    ) -> io::Result<()> {
        if self.json {
            return objects.iter().try_for_each(json);
        }
        let mut lines = table(objects, head, row).into_iter();
        if let Some(head) = lines.next() {
            line(&self.dim(&head))?;
        }
        lines.try_for_each(|row| line(&row))
    }

    /// A line that only a person is told.
    pub fn remark(&self, text: &str) -> io::Result<()> {
        if self.json { Ok(()) } else { line(text) }
    }

    /// The text in a fainter colour, where colours are welcome.
    pub fn dim(&self, text: &str) -> String {
        if self.colour { format!("\u{1b}[2m{text}\u{1b}[0m") } else { text.to_string() }
    }
}

/// Whether colours are welcome there: on a terminal, unless `NO_COLOR` is set.
pub fn colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// One JSON object on a line of its own. Nothing in it steers a terminal.
pub fn json(object: &impl Serialize) -> io::Result<()> {
    line(&text::json(&serde_json::to_string(&Versioned { v: 1, object })?))
}

/// Tells a person something, on stderr. If that is gone, the exit code still tells.
pub fn note(text: &str) {
    let _ = io::stderr().write_all(format!("peer: {}\n", text::block(text, "")).as_bytes());
}

/// A list of names, or a word where there is none.
pub fn names(names: &[common::AccountName]) -> String {
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    if names.is_empty() { "nobody".to_string() } else { names.join(", ") }
}

/// The same, but many are counted and not named.
pub fn few(list: &[common::AccountName]) -> String {
    if list.len() > NAMED { format!("{} members", list.len()) } else { names(list) }
}

/// One line of data.
pub fn line(text: &str) -> io::Result<()> {
    // One write, so that lines of several processes do not mix.
    io::stdout().lock().write_all(format!("{text}\n").as_bytes())
}

/// The lines of a table under `head`, which is the first.
pub fn table<T, const N: usize>(objects: &[T], head: [&str; N], row: impl Fn(&T) -> [String; N]) -> Vec<String> {
    let rows: Vec<[String; N]> = objects.iter().map(row).collect();
    align(&[head.map(String::from)], &rows)
}

fn align<const N: usize>(head: &[[String; N]], rows: &[[String; N]]) -> Vec<String> {
    let all = || head.iter().chain(rows);
    let width = |column: usize| all().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let padded = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_string()
    };
    all().map(padded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |a: &str, b: &str| [a.to_string(), b.to_string()];
        assert_eq!(
            align(&[row("NAME", "SLOT")], &[row("alexandra", "1"), row("bö", "")]),
            ["NAME       SLOT", "alexandra  1", "bö"]
        );
    }
}
