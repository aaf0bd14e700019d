//! The address book: people whom the user wants to find again, tracker or not. It is a file that a person can read;
//! the shell reads and writes it.

use std::collections::BTreeMap;

use common::{
    AccountName, Key,
    address::Addresses,
    wire::control::{
        Exit, Refusal,
        people::{BookEntry, Imported, Save},
    },
};

use super::{Core, Output};

/// Entries at the most.
const ENTRIES: usize = 10_000;
/// Longest note, in characters.
const NOTE: usize = 200;

/// Who is in it, with a note each; their names and addresses are those of everybody who is known.
#[derive(Default, Debug)]
pub struct Book {
    notes: BTreeMap<Key, String>,
    /// Whether the file is to be written.
    changed: bool,
}

impl Book {
    /// Whether somebody is in it.
    pub fn has(&self, key: &Key) -> bool {
        self.notes.contains_key(key)
    }

    /// Somebody is at other addresses now.
    pub fn moved(&mut self, key: &Key) {
        self.changed |= self.has(key);
    }
}

impl Core {
    /// Takes the entries of the file. What it says of who was verified is not taken: that is in the store.
    pub(super) fn open_book(&mut self, entries: Vec<BookEntry>) {
        self.take_entries(entries);
        self.book.changed = false;
    }

    fn take_entries(&mut self, entries: Vec<BookEntry>) -> Imported {
        let mut imported = Imported { taken: Vec::new(), refused: Vec::new() };
        for entry in entries {
            let key = entry.key.parse::<Key>().ok().filter(|key| *key != self.me);
            let Some(key) = key.filter(|_| self.book.notes.len() < ENTRIES) else {
                imported.refused.push(entry.name);
                continue;
            };
            self.meet(key, &entry.name, None);
            if self.trust.find(&entry.name) != Some(key) {
                imported.refused.push(entry.name);
                continue;
            }
            self.people.remember(key, Addresses::new(entry.addresses));
            self.book.notes.insert(key, entry.note.chars().take(NOTE).collect());
            self.book.changed = true;
            imported.taken.push(entry.name);
        }
        imported
    }

    /// To `import`.
    pub(super) fn import(&mut self, entries: Vec<BookEntry>) -> Imported {
        self.take_entries(entries)
    }

    /// Has the file written if it is to be.
    pub(super) fn keep_book(&mut self) {
        if std::mem::take(&mut self.book.changed) {
            self.out.push(Output::KeepBook(self.book_entries()));
        }
    }

    /// The entries, by name.
    pub(super) fn book_entries(&self) -> Vec<BookEntry> {
        let mut entries: Vec<BookEntry> = self.book.notes.keys().filter_map(|key| self.book_entry(key)).collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries
    }

    fn book_entry(&self, key: &Key) -> Option<BookEntry> {
        let addresses = self.people.addresses(key).map(|addresses| addresses.as_slice().to_vec());
        Some(BookEntry {
            name: self.trust.shown(key)?,
            key: key.to_string(),
            addresses: addresses.unwrap_or_default(),
            verified: self.trust.is_verified(key),
            note: self.book.notes.get(key)?.clone(),
        })
    }

    /// Puts somebody known into the book.
    pub(super) fn save(&mut self, save: Save) -> Result<BookEntry, Refusal> {
        let refuse = |why: String| Refusal::new(Exit::Refused, why);
        let key = self.find_person(&save.name)?;
        if self.book.notes.len() >= ENTRIES && !self.book.has(&key) {
            return Err(refuse(format!("the address book has {ENTRIES} entries, as many as it may: peer forget NAME")));
        }
        let note = save.note.or_else(|| self.book.notes.get(&key).cloned()).unwrap_or_default();
        if note.chars().count() > NOTE || note.chars().any(char::is_control) {
            return Err(refuse(format!("a note is one line of at most {NOTE} characters")));
        }
        self.book.notes.insert(key, note);
        self.book.changed = true;
        self.book_entry(&key).ok_or_else(|| refuse(format!("{} is not known", save.name)))
    }

    /// Takes somebody out of it.
    pub(super) fn forget(&mut self, name: &AccountName) -> Result<(), Refusal> {
        let key = self.find_person(name)?;
        if self.book.notes.remove(&key).is_none() {
            return Err(Refusal::new(Exit::Refused, format!("{name} is not in the address book; see: peer book")));
        }
        self.book.changed = true;
        Ok(())
    }

    /// Somebody in the book is verified now, or no longer.
    pub(super) fn book_changed(&mut self, key: &Key) {
        self.book.moved(key);
    }
}
