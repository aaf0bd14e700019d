//! What is kept of files: which are shared in which room and by whom, and which are here or under way.

use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt, OsStringExt},
};

use common::{Key, RoomName, Slot, content::Kind, file::FileInfo, frame, table::Shared};
use rusqlite::{Connection, Row as SqlRow, Transaction, params, params_from_iter, types::Value};
use serde::de::DeserializeOwned;

use super::{
    StoreError,
    events::{COLUMNS, messages_of, segment},
    load::parsed,
};
use crate::core::{
    Offered, Row,
    files::{Kept, Mark, Place, Stage},
};

/// The columns of what somebody shares, as [`offer`] reads them.
const OFFERED: &str = "room, author, number, file, at, cursor";
/// The columns of a file, as [`file`] reads them.
const FILE: &str = "file, path, whole, mark, transfer, room, paused, overwrite, speed";

/// Keeps one row that is about files, in a transaction.
pub(super) fn keep(t: &Transaction<'_>, row: &Row) -> Result<(), StoreError> {
    match row {
        Row::Listed(room, Shared { slot, offer }) => {
            let sql = "INSERT OR REPLACE INTO listed (room, slot, root, offer) VALUES (?, ?, ?, ?)";
            let offered = frame::pack(offer);
            t.prepare_cached(sql)?.execute(params![room.as_str(), slot.0, offer.file.root.0, offered])?;
        }
        Row::Unlisted(room, slot, root) => {
            let sql = "DELETE FROM listed WHERE room = ? AND slot = ? AND root = ?";
            t.prepare_cached(sql)?.execute(params![room.as_str(), slot.0, root.0])?;
        }
        Row::Offered(Offered { room, author, number, file, at, cursor }) => {
            let sql =
                "INSERT OR REPLACE INTO offered (room, author, number, file, at, cursor) VALUES (?, ?, ?, ?, ?, ?)";
            let file = file.as_ref().map(frame::pack);
            let (number, at, cursor) = (*number as i64, *at as i64, *cursor as i64);
            t.prepare_cached(sql)?.execute(params![room.as_str(), author.0, number, file, at, cursor])?;
        }
        Row::Unoffered(room, author, number) => {
            let sql = "DELETE FROM offered WHERE room = ? AND author = ? AND number = ?";
            t.prepare_cached(sql)?.execute(params![room.as_str(), author.0, *number as i64])?;
        }
        Row::File(kept) => keep_file(t, kept)?,
        Row::Unfile(root) => {
            t.prepare_cached("DELETE FROM files WHERE root = ?")?.execute([root.0])?;
        }
        // The others are not about files.
        _ => {}
    }
    Ok(())
}

fn keep_file(t: &Transaction<'_>, Kept { place, mark, stage }: &Kept) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO files
        (root, file, path, whole, mark, transfer, room, paused, overwrite, speed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let (transfer, room, paused, overwrite, speed) = match stage {
        Stage::Own => (None, None, false, false, None),
        Stage::Fetch { id, room, paused, overwrite, limit } => {
            (Some(*id as i64), Some(room.as_str()), *paused, *overwrite, limit.map(|limit| limit as i64))
        }
    };
    t.prepare_cached(sql)?.execute(params![
        place.file.root.0,
        frame::pack(&place.file),
        place.path.as_os_str().as_bytes(),
        place.whole,
        mark.map(|Mark(mark)| mark as i64),
        transfer,
        room,
        paused,
        overwrite,
        speed,
    ])?;
    Ok(())
}

/// What the tables list: each room's files.
pub(super) fn listed(c: &Connection) -> Result<Vec<(RoomName, Shared)>, StoreError> {
    let mut statement = c.prepare("SELECT room, slot, offer FROM listed ORDER BY room, slot, root")?;
    let mut rows = statement.query([])?;
    let mut listed = Vec::new();
    while let Some(row) = rows.next()? {
        listed.push((parsed(row, 0)?, Shared { slot: Slot(row.get(1)?), offer: packed(row, 2)? }));
    }
    Ok(listed)
}

/// What members have said that they share.
pub(super) fn offered(c: &Connection) -> Result<Vec<Offered>, StoreError> {
    let mut statement = c.prepare(&format!("SELECT {OFFERED} FROM offered ORDER BY room, author, number"))?;
    let mut rows = statement.query([])?;
    let mut offered = Vec::new();
    while let Some(row) = rows.next()? {
        offered.push(offer(row)?);
    }
    Ok(offered)
}

/// Reads a row of [`OFFERED`].
fn offer(row: &SqlRow<'_>) -> Result<Offered, StoreError> {
    Ok(Offered {
        room: parsed(row, 0)?,
        author: Key(row.get(1)?),
        number: number(row, 2)?,
        file: row.get::<_, Option<Vec<u8>>>(3)?.map(|_| info(row, 3)).transpose()?,
        at: number(row, 4)?,
        cursor: number(row, 5)?,
    })
}

/// What is here, or under way.
pub(super) fn files(c: &Connection) -> Result<Vec<Kept>, StoreError> {
    let mut statement = c.prepare(&format!("SELECT {FILE} FROM files ORDER BY root"))?;
    let mut rows = statement.query([])?;
    let mut files = Vec::new();
    while let Some(row) = rows.next()? {
        files.push(file(row, 0)?);
    }
    Ok(files)
}

/// Reads the columns [`FILE`] of a row, which begin at that one.
fn file(row: &SqlRow<'_>, first: usize) -> Result<Kept, StoreError> {
    let at = |column| first + column;
    let stage = match row.get::<_, Option<i64>>(at(4))? {
        None => Stage::Own,
        Some(id) => Stage::Fetch {
            id: id as u64,
            room: parsed(row, at(5))?,
            paused: row.get(at(6))?,
            overwrite: row.get(at(7))?,
            limit: row.get::<_, Option<i64>>(at(8))?.map(|limit| limit as u64),
        },
    };
    let path = OsString::from_vec(row.get(at(1))?).into();
    let place = Place { file: info(row, at(0))?, path, whole: row.get(at(2))? };
    Ok(Kept { place, mark: row.get::<_, Option<i64>>(at(3))?.map(|mark| Mark(mark as u64)), stage })
}

/// Takes out what was damaged: what cannot be read of it would keep the rest from being used.
pub(super) fn drop_unreadable(t: &Transaction<'_>) -> Result<(), StoreError> {
    let files = unreadable(t, &format!("SELECT root, {FILE} FROM files"), 1, |row| file(row, 1).map(drop))?;
    for key in files {
        t.execute("DELETE FROM files WHERE root = ?", params_from_iter(key))?;
    }
    let offered = unreadable(t, &format!("SELECT {OFFERED} FROM offered"), 3, |row| offer(row).map(drop))?;
    for key in offered {
        t.execute("DELETE FROM offered WHERE room = ? AND author = ? AND number = ?", params_from_iter(key))?;
    }
    Ok(())
}

/// Notes anew what the messages that are here share: the notes of it may be lost.
pub(super) fn note_again(t: &Transaction<'_>) -> Result<(), StoreError> {
    let mut statement = t.prepare(&format!("SELECT {COLUMNS} FROM segments ORDER BY room, author, first"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let segment = segment(row)?;
        for (message, number, cursor) in messages_of(&segment)? {
            let (room, author) = (segment.room.as_str(), segment.author.0);
            match (message.does(&segment.author, number), message.file, message.about) {
                (Kind::File, Some(file), _) => {
                    let sql = "INSERT OR IGNORE INTO offered (room, author, number, file, at, cursor)
                        VALUES (?, ?, ?, ?, ?, ?)";
                    let (number, sent, cursor) = (number as i64, message.sent as i64, cursor as i64);
                    t.prepare_cached(sql)?.execute(params![room, author, number, frame::pack(&file), sent, cursor])?;
                }
                (Kind::Delete, _, Some(about)) => {
                    let sql = "DELETE FROM offered WHERE room = ? AND author = ? AND number = ? AND file IS NOT NULL";
                    t.prepare_cached(sql)?.execute(params![room, author, about.number as i64])?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The first columns, so many of them, of those rows that cannot be read.
fn unreadable(
    t: &Transaction<'_>,
    sql: &str,
    key: usize,
    read: impl Fn(&SqlRow<'_>) -> Result<(), StoreError>,
) -> Result<Vec<Vec<Value>>, StoreError> {
    let mut statement = t.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut unreadable = Vec::new();
    while let Some(row) = rows.next()? {
        if read(row).is_err() {
            unreadable.push((0..key).map(|column| row.get(column)).collect::<Result<_, _>>()?);
        }
    }
    Ok(unreadable)
}

fn info(row: &SqlRow<'_>, column: usize) -> Result<FileInfo, StoreError> {
    let file: FileInfo = packed(row, column)?;
    file.check().map_err(|bad| StoreError::Damaged(bad.to_string()))?;
    Ok(file)
}

fn packed<T: DeserializeOwned>(row: &SqlRow<'_>, column: usize) -> Result<T, StoreError> {
    let bytes: Vec<u8> = row.get(column)?;
    frame::unpack(&bytes).map_err(|why| StoreError::Damaged(format!("what is said of a file: {why}")))
}

fn number(row: &SqlRow<'_>, column: usize) -> Result<u64, StoreError> {
    Ok(row.get::<_, i64>(column)? as u64)
}
