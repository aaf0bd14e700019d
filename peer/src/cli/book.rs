//! The address book.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use common::{
    AccountName,
    wire::control::{
        Exit, Refusal,
        people::{AskPeople, BookEntry, Import, Imported, Named, Save as Params},
    },
};
use peer::{book, control::Client};
use serde_json::{Value, json};

use super::{
    output::{Out, names},
    table::{Column, key, text, whole},
    text::inline,
};

/// The address book: whom you want to find again, with or without a tracker. It is the file book.toml in your folder.
#[derive(Args)]
#[command(after_help = "Examples:\n  peer book\n  peer book --export friends.toml\n  peer book --import friends.toml")]
pub struct Book {
    /// Write it to a file.
    #[arg(long, value_name = "FILE", conflicts_with = "import")]
    export: Option<PathBuf>,
    /// Add the entries of a file. A name that is known with another key is left out, and named.
    #[arg(long, value_name = "FILE")]
    import: Option<PathBuf>,
}

/// Put somebody into the address book.
#[derive(Args)]
#[command(after_help = "Example:\n  peer save bob --note 'from the lab'")]
pub struct Save {
    /// Whom.
    name: AccountName,
    /// What to remember of them.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// Take somebody out of the address book.
#[derive(Args)]
#[command(after_help = "Example:\n  peer forget bob")]
pub struct Forget {
    /// Whom.
    name: AccountName,
}

impl Book {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        if let Some(path) = self.import {
            if !path.exists() {
                return Err(Refusal::new(Exit::Refused, format!("there is no file {}", path.display())).into());
            }
            let entries = book::read(&path)?;
            let imported: Imported = client.people(AskPeople::Import(Import { entries })).await?;
            out.object(&imported, |imported| format!("in the book now: {}", names(&imported.taken)))?;
            if imported.refused.is_empty() {
                return Ok(());
            }
            let reason = format!("left out, since their names are known with other keys: {}", names(&imported.refused));
            return Err(Refusal::new(Exit::Identity, reason).into());
        }
        let entries: Vec<BookEntry> = client.people(AskPeople::Book {}).await?;
        if let Some(path) = self.export {
            book::write(&path, &entries)?;
            let told = json!({"file": path.display().to_string(), "entries": entries.len()});
            return Ok(out.object(&told, |_| format!("entries written to {}: {}", path.display(), entries.len()))?);
        }
        Ok(out.table(&entries, &BOOK, entry)?)
    }
}

/// The columns of [`entry`].
pub const BOOK: [Column; 5] =
    [text("NAME", 0), key("KEY", 2), whole("ADDRESS", 1), whole("VERIFIED", 4), text("NOTE", 3)];

/// An entry of the address book, in a table.
pub fn entry(entry: &BookEntry) -> [String; 5] {
    [
        entry.name.to_string(),
        entry.key.chars().take(16).collect(),
        entry.addresses.first().map_or("-".to_string(), ToString::to_string),
        if entry.verified { "yes" } else { "no" }.to_string(),
        inline(&entry.note),
    ]
}

/// What is said of somebody who was put into the book.
pub fn saved(entry: &BookEntry) -> String {
    format!("{} is in the address book; reach them with: peer connect {}", entry.name, entry.name)
}

/// The same, of somebody who was taken out of it.
pub fn forgotten(name: &AccountName) -> String {
    format!("{name} is not in the address book any more")
}

impl Save {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let entry: BookEntry = client.people(AskPeople::Save(self.params())).await?;
        Ok(out.object(&entry, saved)?)
    }

    /// Who is to be put into it, and how.
    pub fn params(self) -> Params {
        Params { name: self.name, note: self.note }
    }
}

impl Forget {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let name = self.name.clone();
        client.people::<Value>(AskPeople::Forget(Named { name: self.name })).await?;
        Ok(out.object(&json!({"name": name}), |_| forgotten(&name))?)
    }
}
