//! Full-text search. The index is written when there is time, behind the messages, and never delays one.
//!
//! SQLite's tokenizer knows letters and digits only, and takes a line of Chinese for one word. So text goes through
//! [`terms`] first, on its way into the index and when it is searched for: what is no letter or digit, and each letter
//! of a script that puts no spaces between words, becomes a term of its own. A word is then found as a phrase of terms,
//! whatever it is made of. The room, and that a message is an edit, are terms too, which no text has: so a word that is
//! everywhere else costs nothing where it is rare.

use common::{RoomName, content::Kind, wire::control::Event};
use rusqlite::{Connection, OptionalExtension, Rows, params};

use super::{
    Store, StoreError,
    events::{cursor_of, messages_of, segments_after},
    notes,
};

/// Messages indexed in one go.
const BATCH: usize = 2_000;

impl Store {
    /// The last `limit` messages of a room that have all the words of `words`, which are taken as they stand: nothing
    /// in them is an operator. The oldest first. What the index lacks is added first. A message is found by what it says
    /// now: not by the text it had before an edit, and not once it was taken back. With `before`, only those with a smaller
    /// cursor.
    pub async fn search(
        &self,
        room: RoomName,
        words: String,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        while self.index_some().await? || self.note_some().await? {}
        self.read(move |connection| {
            let Some(phrases) = phrases(&words) else { return Ok(Vec::new()) };
            let phrases = format!("\"{}\" {phrases}", room_term(&room));
            let end = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
            let sql = "SELECT rowid FROM search WHERE search MATCH ? AND rowid >= ? AND rowid < ? ORDER BY rowid DESC";
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = Vec::new();
            let mut take = |rows: &mut Rows<'_>, enough: Option<usize>| -> Result<(), StoreError> {
                while let Some(row) = rows.next()? {
                    let hit = row.get::<_, i64>(0)? as u64;
                    // An edit has a later place than what it edits: the ones found first need not be the last ones.
                    let sure = found.iter().filter(|event| cursor_of(event) > hit).count();
                    if enough.is_some_and(|enough| sure >= enough) {
                        break;
                    }
                    let event = notes::found(connection, hit)?;
                    found.extend(event.filter(|event| cursor_of(event) < end as u64));
                }
                Ok(())
            };
            take(&mut statement.query(params![format!("\"{EDIT}\" {phrases}"), end, i64::MAX])?, None)?;
            take(&mut statement.query(params![phrases, 0, end])?, Some(limit as usize))?;
            found.sort_by_key(cursor_of);
            found.dedup_by_key(|event| cursor_of(event));
            found.drain(..found.len().saturating_sub(limit as usize));
            Ok(found)
        })
        .await
    }
}

/// What no other term begins with: where a text has it, it is written as its number.
const MARK: char = '\u{e000}';
/// The term of edits.
const EDIT: &str = "\u{e000}edit";

/// The term of a room. Names of people change, and those of rooms do not: that of a conversation of two is its own.
fn room_term(room: &RoomName) -> String {
    let hash = blake3::hash(room.as_str().as_bytes()).to_hex();
    format!("{MARK}room{}", &hash.as_str()[..16])
}

/// Each word as a phrase of FTS5; `None` if there is no word. Terms hold no quotes.
fn phrases(words: &str) -> Option<String> {
    let phrases: Vec<String> = words.split_whitespace().map(|word| format!("\"{}\"", terms(word))).collect();
    (!phrases.is_empty()).then(|| phrases.join(" "))
}

/// The text as terms between spaces. A character that is a term of its own is written as its number, behind a mark
/// that no other term can have: private characters are written as numbers too.
fn terms(text: &str) -> String {
    let mut terms = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            // An accent that follows its letter, which the tokenizer leaves out as it does that of one character.
            '\u{300}'..='\u{36f}' => terms.push(c),
            c if c.is_whitespace() => terms.push(' '),
            c if c.is_alphanumeric() && !stands_alone(c) => terms.push(c),
            c => terms.extend([' ', MARK].into_iter().chain(format!("{:x} ", u32::from(c)).chars())),
        }
    }
    terms
}

/// Letters of scripts without spaces between words: those of south-east Asia, China and Japan.
fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{abff}'
        | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

/// Adds some messages that the index lacks. False once it lacks none.
pub(super) fn index_some(connection: &mut Connection) -> Result<bool, StoreError> {
    let transaction = connection.transaction()?;
    let indexed: Option<i64> =
        transaction.query_row("SELECT value FROM meta WHERE name = 'indexed'", [], |row| row.get(0)).optional()?;
    let segments = segments_after(&transaction, indexed.unwrap_or(0) as u64, BATCH)?;
    let Some(last) = segments.last() else { return Ok(false) };
    let end = last.cursor;
    {
        let mut insert = transaction.prepare_cached("INSERT INTO search (rowid, text) VALUES (?, ?)")?;
        for segment in &segments {
            for (message, number, cursor) in messages_of(segment)? {
                let kind = message.does(&segment.author, number);
                if !matches!(kind, Kind::Delete | Kind::Reaction) {
                    let edit = if kind == Kind::Edit { EDIT } else { "" };
                    let terms = [&terms(&message.text), " ", &room_term(&segment.room), " ", edit].concat();
                    insert.execute(params![cursor as i64, terms])?;
                }
            }
        }
    }
    transaction.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('indexed', ?)", [end as i64])?;
    transaction.commit()?;
    Ok(true)
}
