//! Reading what is passed on to somebody: batches of some logs of a room, in the order in which they were shown here.

use std::collections::BTreeMap;

use common::{Key, RoomName, limits};
use rusqlite::{Connection, params};

use super::{
    Store, StoreError,
    events::{COLUMNS, segment},
};
use crate::core::Segment;

/// Rows looked at in one go, so that a log that is followed from far back does not keep the store to itself.
const ROWS: usize = 10_000;

/// Some of what is to be passed on.
#[derive(Debug)]
pub struct Fed {
    /// Batches, as many as fit [`limits::BATCH_BYTES`], and at least one if there is one.
    pub segments: Vec<Segment>,
    /// The cursor up to which all has been looked through.
    pub position: u64,
    /// Whether there is more behind it.
    pub more: bool,
}

impl Store {
    /// Batches of these logs with messages after those numbers, shown after the cursor `position`; 0 to begin with the
    /// first there is.
    pub async fn feed(&self, room: RoomName, logs: Vec<(Key, u64)>, position: u64) -> Result<Fed, StoreError> {
        self.read(move |connection| feed(connection, &room, &logs.into_iter().collect(), position)).await
    }
}

fn feed(c: &Connection, room: &RoomName, logs: &BTreeMap<Key, u64>, position: u64) -> Result<Fed, StoreError> {
    let mut fed = Fed { segments: Vec::new(), position, more: false };
    if position == 0 {
        let Some(first) = first(c, room, logs)? else { return Ok(Fed { position: last(c)?, ..fed }) };
        fed.position = first - 1;
    }
    let sql = format!("SELECT {COLUMNS} FROM segments WHERE room = ? AND cursor > ? ORDER BY cursor LIMIT {ROWS}");
    let mut statement = c.prepare_cached(&sql)?;
    let mut rows = statement.query(params![room.as_str(), fed.position as i64])?;
    let (mut bytes, mut looked_at) = (0, 0);
    while let Some(row) = rows.next()? {
        looked_at += 1;
        let (cursor, last): (i64, i64) = (row.get("cursor")?, row.get("last")?);
        let after = logs.get(&Key(row.get("author")?));
        if after.is_some_and(|after| last as u64 > *after) {
            let segment = segment(row)?;
            bytes += segment.frame.len();
            if bytes > limits::BATCH_BYTES && !fed.segments.is_empty() {
                fed.more = true;
                return Ok(fed);
            }
            fed.segments.push(segment);
        }
        fed.position = cursor as u64;
    }
    fed.more = looked_at == ROWS;
    Ok(fed)
}

/// The cursor of the first batch that is asked for.
fn first(c: &Connection, room: &RoomName, logs: &BTreeMap<Key, u64>) -> Result<Option<u64>, StoreError> {
    let sql = "SELECT min(cursor) FROM segments WHERE room = ? AND author = ? AND last > ?";
    let mut statement = c.prepare_cached(sql)?;
    let mut first = None;
    for (author, after) in logs {
        let cursor: Option<i64> =
            statement.query_row(params![room.as_str(), author.0, *after as i64], |row| row.get(0))?;
        first = first.into_iter().chain(cursor.map(|cursor| cursor as u64)).min();
    }
    Ok(first)
}

fn last(c: &Connection) -> Result<u64, StoreError> {
    let last: Option<i64> = c.query_row("SELECT max(cursor) FROM segments", [], |row| row.get(0))?;
    Ok(last.unwrap_or(0) as u64)
}
