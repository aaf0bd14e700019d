//! Up to where each conversation was read, and what is unread in it.

use std::collections::BTreeMap;

use common::{Key, RoomName, limits, wire::control::Event};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Store, StoreError,
    events::{COLUMNS, cursor_of, segment},
    load::parsed,
    notes::as_they_stand,
};

/// Batches that are looked through for what is unread, at the most: they may hold nothing but edits and reactions.
const LOOKED_AT: usize = 1_000;

impl Store {
    /// The cursor up to which each conversation was read, of those in which anything was.
    pub async fn read_up_to(&self) -> Result<BTreeMap<RoomName, u64>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT room, cursor FROM read")?;
            let mut rows = statement.query([])?;
            let mut read = BTreeMap::new();
            while let Some(row) = rows.next()? {
                read.insert(parsed(row, 0)?, row.get::<_, i64>(1)? as u64);
            }
            Ok(read)
        })
        .await
    }

    /// Notes that a room was read up to a cursor, or all of it. Returns up to where it was read by now, which is never less
    /// than before nor beyond its last message, and whether that is news.
    pub async fn mark_read(&self, room: RoomName, cursor: Option<u64>) -> Result<(u64, bool), StoreError> {
        self.run(self.files.writer.clone(), move |connection| mark_read(connection, &room, cursor)).await
    }

    /// What others said in a room after a cursor, as it stands now, without what was taken back: the last `limit`.
    pub async fn unread(&self, room: RoomName, after: u64, limit: usize) -> Result<Vec<Event>, StoreError> {
        while self.note_some().await? {}
        let me = self.files.me;
        self.read(move |connection| unread(connection, &room, &me, after, limit)).await
    }
}

fn mark_read(c: &mut Connection, room: &RoomName, cursor: Option<u64>) -> Result<(u64, bool), StoreError> {
    let transaction = c.transaction()?;
    let before: Option<i64> = transaction
        .query_row("SELECT cursor FROM read WHERE room = ?", [room.as_str()], |row| row.get(0))
        .optional()?;
    let last: i64 = transaction
        .query_row(
            "SELECT cursor + count - 1 FROM segments WHERE room = ? ORDER BY cursor DESC LIMIT 1",
            [room.as_str()],
            |row| row.get(0),
        )
        .optional()?
        .unwrap_or(0);
    let before = before.unwrap_or(0);
    let now = cursor.map_or(last, |cursor| last.min(i64::try_from(cursor).unwrap_or(last))).max(before);
    if now > before {
        let sql = "INSERT OR REPLACE INTO read (room, cursor) VALUES (?, ?)";
        transaction.execute(sql, params![room.as_str(), now])?;
    }
    transaction.commit()?;
    Ok((now as u64, now > before))
}

fn unread(c: &Connection, room: &RoomName, me: &Key, after: u64, limit: usize) -> Result<Vec<Event>, StoreError> {
    // A segment that begins before the cursor may reach beyond it, but not by more than a batch holds.
    let sql = format!(
        "SELECT {COLUMNS} FROM segments WHERE room = ?1 AND cursor > ?2 AND cursor + count - 1 > ?3 AND author != ?4
            ORDER BY cursor DESC LIMIT ?5"
    );
    let mut statement = c.prepare_cached(&sql)?;
    let begin = after.saturating_sub(limits::BATCH_MESSAGES as u64) as i64;
    let mut rows = statement.query(params![room.as_str(), begin - 1, after as i64, me.0, LOOKED_AT as i64])?;
    let mut unread = Vec::new();
    while unread.len() < limit
        && let Some(row) = rows.next()?
    {
        let events = as_they_stand(c, &segment(row)?)?.into_iter().rev();
        let counts = |event: &Event| matches!(event, Event::Message(message) if !message.deed.deleted);
        unread.extend(events.filter(|event| cursor_of(event) > after && counts(event)));
    }
    unread.truncate(limit);
    Ok(unread)
}

#[cfg(test)]
#[path = "marks_tests.rs"]
mod tests;
