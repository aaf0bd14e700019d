//! Full-text search. The index is written when there is time, behind the messages, and never delays one.

use common::{RoomName, wire::control::Event};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Store, StoreError,
    events::{events_of, message_at, segments_after},
};

/// Messages indexed in one go.
const BATCH: usize = 2_000;

impl Store {
    /// The last `limit` messages of a room that have all the words of `words`, which are taken as they stand: nothing
    /// in them is an operator. The oldest first. What the index lacks is added first.
    pub async fn search(&self, room: RoomName, words: String, limit: u32) -> Result<Vec<Event>, StoreError> {
        while self.index_some().await? {}
        self.read(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid DESC")?;
            let mut rows = statement.query([quoted(&words)])?;
            let mut found = Vec::new();
            while found.len() < limit as usize
                && let Some(row) = rows.next()?
            {
                let event = message_at(connection, row.get::<_, i64>(0)? as u64)?;
                found.extend(event.filter(|event| matches!(event, Event::Message(message) if message.room == room)));
            }
            found.reverse();
            Ok(found)
        })
        .await
    }
}

/// Each word as a phrase of FTS5, whatever characters it has.
fn quoted(words: &str) -> String {
    let phrases: Vec<String> =
        words.split_whitespace().map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect();
    if phrases.is_empty() { "\"\"".into() } else { phrases.join(" ") }
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
            for event in events_of(segment)? {
                if let Event::Message(message) = event {
                    insert.execute(params![message.cursor as i64, message.text])?;
                }
            }
        }
    }
    transaction.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('indexed', ?)", [end as i64])?;
    transaction.commit()?;
    Ok(true)
}
