//! Keeping rows.

use common::{Key, Version};
use rusqlite::{Connection, Transaction, params};

use super::{StoreError, files, merged};
use crate::core::{Row, Segment, contacts, trust::Known};

/// Keeps all rows in one transaction.
pub fn commit(connection: &mut Connection, rows: &[Row], me: &Key) -> Result<(), StoreError> {
    let transaction = connection.transaction()?;
    for row in rows {
        keep(&transaction, row, me)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Keeps one row in a transaction.
pub(super) fn keep(t: &Transaction<'_>, row: &Row, me: &Key) -> Result<(), StoreError> {
    match row {
        Row::Segment(segment) => {
            keep_segment(t, segment)?;
            if segment.author == *me {
                merged::said(t, segment)?;
            }
        }
        Row::Piece { room, author, piece, swallowed } => {
            let delete = "DELETE FROM pieces WHERE room = ? AND author = ? AND first = ?";
            for first in swallowed {
                t.prepare_cached(delete)?.execute(params![room.as_str(), author.0, *first as i64])?;
            }
            let sql = "INSERT OR REPLACE INTO pieces (room, author, first, last, start, end, open)
                VALUES (?, ?, ?, ?, ?, ?, ?)";
            let (first, last) = (piece.first as i64, piece.last as i64);
            t.prepare_cached(sql)?.execute(params![
                room.as_str(),
                author.0,
                first,
                last,
                piece.start,
                piece.end,
                piece.open
            ])?;
        }
        Row::Fork { room, author, first, frame } => {
            let sql = "INSERT OR IGNORE INTO forks (room, author, first, frame) VALUES (?, ?, ?, ?)";
            t.prepare_cached(sql)?.execute(params![room.as_str(), author.0, *first as i64, &frame[..]])?;
        }
        Row::Event(event) => {
            let sql = "INSERT INTO events (cursor, room, name, change, version, by, at, detail)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
            t.prepare_cached(sql)?.execute(params![
                event.cursor as i64,
                event.room.as_str(),
                event.name.as_str(),
                event.change.as_str(),
                event.version,
                event.by.as_ref().map(|by| by.as_str()),
                event.at.map(|at| at as i64),
                event.detail,
            ])?;
        }
        Row::Receipt { room, member, first, last, at, path } => {
            let sql = "INSERT INTO receipts (room, member, first, last, at, path) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET first = min(first, excluded.first)";
            let (first, last) = (*first as i64, *last as i64);
            t.prepare_cached(sql)?.execute(params![room.as_str(), member.0, first, last, *at as i64, path])?;
            merged::acked(t, room.as_str(), member, first, last)?;
        }
        Row::Cancelled { room, number, had } => {
            let sql = "INSERT OR IGNORE INTO cancelled (room, number, had) VALUES (?, ?, ?)";
            let had: Vec<u8> = had.iter().flat_map(|key| key.0).collect();
            t.prepare_cached(sql)?.execute(params![room.as_str(), *number as i64, had])?;
        }
        Row::Room { room, version, joined, settings } => {
            let sql = "INSERT OR REPLACE INTO rooms (room, epoch, number, joined, history, approval, private, topic)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
            let (epoch, number) = pair(version);
            t.prepare_cached(sql)?.execute(params![
                room.as_str(),
                epoch,
                number,
                joined,
                settings.history.as_str(),
                settings.approval,
                settings.private,
                settings.topic,
            ])?;
        }
        Row::Clear(room) => {
            for sql in ["DELETE FROM members WHERE room = ?", "DELETE FROM listed WHERE room = ?"] {
                t.prepare_cached(sql)?.execute([room.as_str()])?;
            }
        }
        Row::Put(room, member) => {
            let sql = "INSERT OR REPLACE INTO members (room, slot, key, name, role, since) VALUES (?, ?, ?, ?, ?, ?)";
            t.prepare_cached(sql)?.execute(params![
                room.as_str(),
                member.slot.0,
                member.key.0,
                member.name.as_str(),
                member.role.as_str(),
                member.since as i64,
            ])?;
        }
        Row::Free(room, slot) => {
            let both =
                ["DELETE FROM members WHERE room = ? AND slot = ?", "DELETE FROM listed WHERE room = ? AND slot = ?"];
            for sql in both {
                t.prepare_cached(sql)?.execute(params![room.as_str(), slot.0])?;
            }
        }
        Row::Span(room, span) => {
            let sql = "INSERT INTO spans (room, key, name, from_epoch, from_number, until_epoch, until_number, why)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
            let ((from_epoch, from_number), (until_epoch, until_number)) = (pair(&span.from), pair(&span.until));
            t.prepare_cached(sql)?.execute(params![
                room.as_str(),
                span.key.0,
                span.name.as_str(),
                from_epoch,
                from_number,
                until_epoch,
                until_number,
                span.why.map(|why| why.as_str()),
            ])?;
        }
        Row::Gap(room, gap) => {
            let sql = "INSERT INTO gaps (room, after_epoch, after_number, until_epoch, until_number)
                VALUES (?, ?, ?, ?, ?)";
            let (after, until) = (pair(&gap.after), pair(&gap.until));
            t.prepare_cached(sql)?.execute(params![room.as_str(), after.0, after.1, until.0, until.1])?;
        }
        Row::Open(room, epoch) => {
            let sql = "INSERT OR IGNORE INTO open (room, epoch) VALUES (?, ?)";
            t.prepare_cached(sql)?.execute(params![room.as_str(), *epoch as i64])?;
        }
        Row::Contact(key, Some(held)) => {
            let sql = "INSERT OR REPLACE INTO contacts (key, name, state, seen) VALUES (?, ?, ?, ?)";
            let seen = held.seen.map(|seen| seen as i64);
            t.prepare_cached(sql)?.execute(params![key.0, held.name.as_str(), contacts::word(held.state), seen])?;
        }
        Row::Contact(key, None) => {
            t.prepare_cached("DELETE FROM contacts WHERE key = ?")?.execute([key.0])?;
        }
        Row::Known(key, known) => {
            let sql = "INSERT OR REPLACE INTO known (key, name, verified, blocked, conversed) VALUES (?, ?, ?, ?, ?)";
            let Known { name, verified, blocked, conversed } = known;
            t.prepare_cached(sql)?.execute(params![key.0, name.as_str(), verified, blocked, conversed])?;
        }
        Row::Named(name, key) => {
            let sql = "INSERT OR REPLACE INTO names (name, key) VALUES (?, ?)";
            t.prepare_cached(sql)?.execute(params![name, key.0])?;
        }
        Row::Addresses(key, addresses) => {
            let sql = "INSERT OR REPLACE INTO addresses (key, addresses) VALUES (?, ?)";
            t.prepare_cached(sql)?.execute(params![key.0, addresses.to_bytes()])?;
        }
        Row::Listed(..) | Row::Unlisted(..) | Row::Offered(..) | Row::Unoffered(..) | Row::File(_) | Row::Unfile(_) => {
            files::keep(t, row)?;
        }
        Row::Tables(id) => {
            let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES ('tables', ?)";
            t.prepare_cached(sql)?.execute([*id as i64])?;
        }
    }
    Ok(())
}

fn keep_segment(t: &Transaction<'_>, segment: &Segment) -> Result<(), StoreError> {
    let sql = "INSERT INTO segments
        (cursor, count, room, author, name, first, last, epoch, number, received, path, end, mark, frame)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let (epoch, number) = pair(&segment.stamp);
    t.prepare_cached(sql)?.execute(params![
        segment.cursor as i64,
        (segment.last - segment.first + 1) as i64,
        segment.room.as_str(),
        segment.author.0,
        segment.name.as_str(),
        segment.first as i64,
        segment.last as i64,
        epoch,
        number,
        segment.received as i64,
        segment.path,
        segment.end,
        segment.mark.map(|mark| mark.as_str()),
        &segment.frame[..],
    ])?;
    Ok(())
}

/// SQLite's integers have a sign; ours go there and back by their bits. Only equality and the order of numbers below
/// 2^63 are used of them, and a log or a table never gets that far.
fn pair(version: &Version) -> (i64, i64) {
    (version.epoch as i64, version.number as i64)
}
