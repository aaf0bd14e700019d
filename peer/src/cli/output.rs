//! Data for stdout: JSON for programs, tables for people.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::{
    table::{self, Column, Table},
    text,
};

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

    /// One object a line, or a table, which fits the terminal if it is shown on one.
    pub fn table<T: Serialize, const N: usize>(
        &self,
        objects: &[T],
        columns: &'static [Column; N],
        row: impl Fn(&T) -> [String; N],
    ) -> io::Result<()> {
        if self.json {
            return objects.iter().try_for_each(json);
        }
        let mut lines = Table::new(objects, columns, row).lines(table::terminal()).into_iter();
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

/// `1 member`, `2 members`.
pub fn count(members: u64) -> String {
    if members == 1 { "1 member".into() } else { format!("{members} members") }
}

/// One line of data.
pub fn line(text: &str) -> io::Result<()> {
    // One write, so that lines of several processes do not mix.
    io::stdout().lock().write_all(format!("{text}\n").as_bytes())
}
