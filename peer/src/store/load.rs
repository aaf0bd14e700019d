//! Reading back what a core begins with, and what it asks for later.

use std::{collections::BTreeMap, str::FromStr};

use common::{
    Key, MessageId, RoomName, Slot, Version,
    address::Addresses,
    fault::{self, Fault},
    limits,
    table::{Departure, Member, Role, Settings, Shared, Table},
};
use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};

use super::{Store, StoreError, files, merged, salvage};
use crate::core::{
    Saved,
    contacts::{self, Held},
    log::{Log, Piece},
    own_log::Sealed,
    room::{Gap, Room, SPANS, Span},
    trust::Known,
};

impl Store {
    /// Own batches of a room with messages from `from` on, in order: as many as fit [`limits::BATCH_BYTES`], and at
    /// least one if there is one.
    pub async fn own_batches(&self, room: RoomName, me: Key, from: u64) -> Result<Vec<Sealed>, StoreError> {
        self.read(move |connection| own_batches(connection, &room, &me, from)).await
    }

    /// When, and which way, each member's receipt for one message came.
    pub async fn receipts(&self, id: MessageId) -> Result<BTreeMap<Key, (u64, String)>, StoreError> {
        self.read(move |connection| {
            let having = "SELECT member FROM acked WHERE room = ?1 AND first <= ?2 AND last >= ?2";
            // The first that covers it: before it in this order are only those for later messages that came sooner.
            let first = "SELECT at, path FROM receipts WHERE room = ? AND member = ? AND last >= ? AND first <= ?
                ORDER BY last LIMIT 1";
            let (mut having, mut first) = (connection.prepare_cached(having)?, connection.prepare_cached(first)?);
            let mut members = having.query(params![id.room.as_str(), id.number as i64])?;
            let mut receipts = BTreeMap::new();
            while let Some(row) = members.next()? {
                let member = Key(row.get(0)?);
                let number = id.number as i64;
                let receipt = first.query_row(params![id.room.as_str(), member.0, number, number], |row| {
                    Ok((row.get::<_, i64>(0)? as u64, row.get(1)?))
                });
                receipts.extend(receipt.optional()?.map(|receipt| (member, receipt)));
            }
            Ok(receipts)
        })
        .await
    }
}

fn own_batches(c: &Connection, room: &RoomName, me: &Key, from: u64) -> Result<Vec<Sealed>, StoreError> {
    let sql = "SELECT epoch, number, first, last, frame FROM segments
        WHERE room = ? AND author = ? AND last >= ? ORDER BY last";
    let mut statement = c.prepare_cached(sql)?;
    let mut rows = statement.query(params![room.as_str(), me.0, from as i64])?;
    let (mut batches, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let frame: Vec<u8> = row.get(4)?;
        bytes += frame.len();
        if !batches.is_empty() && bytes > limits::BATCH_BYTES {
            break;
        }
        let (first, last) = (row.get::<_, i64>(2)? as u64, row.get::<_, i64>(3)? as u64);
        batches.push(Sealed { stamp: version(row, 0)?, first, last, frame: frame.into() });
    }
    Ok(batches)
}

/// Everything that a core begins with.
pub fn saved(c: &Connection, me: &Key) -> Result<Saved, StoreError> {
    let mut rooms = rooms(c, me)?;
    open(c, &mut rooms)?;
    members(c, &mut rooms)?;
    spans(c, &mut rooms)?;
    gaps(c, &mut rooms)?;
    pieces(c, &mut rooms, me)?;
    forks(c, &mut rooms)?;
    merged::own_logs(c, &mut rooms, me)?;
    tips(c, &mut rooms, me)?;
    merged::receipts(c, &mut rooms)?;
    cancelled(c, &mut rooms)?;
    let cursor: i64 = c.query_row(
        "SELECT max(ifnull((SELECT cursor + count - 1 FROM segments ORDER BY cursor DESC LIMIT 1), 0),
            ifnull((SELECT max(cursor) FROM events), 0))",
        [],
        |row| row.get(0),
    )?;
    let tables: Option<i64> =
        c.query_row("SELECT value FROM meta WHERE name = 'tables'", [], |row| row.get(0)).optional()?;
    let salvaged: Option<i64> = c.query_row(salvage::SALVAGED_AT, [], |row| row.get(0)).optional()?;
    Ok(Saved {
        files: files::files(c)?,
        offered: files::offered(c)?,
        rooms,
        known: known(c)?,
        contacts: contacts(c)?,
        book: Vec::new(),
        names: names(c)?,
        addresses: addresses(c)?,
        tables: tables.unwrap_or(0) as u64,
        // What was lost had some that are not in the history any more, and somebody may know one.
        cursor: cursor.max(salvaged.unwrap_or(0)) as u64,
        numbers_from: (salvaged.unwrap_or(0) as u64).saturating_mul(1_000),
        salvaged: None,
    })
}

fn contacts(c: &Connection) -> Result<BTreeMap<Key, Held>, StoreError> {
    let mut contacts = BTreeMap::new();
    let mut statement = c.prepare("SELECT key, name, state, seen FROM contacts")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Some(state) = contacts::of_word(row.get_ref(2)?.as_str().unwrap_or_default()) else { continue };
        let seen = row.get::<_, Option<i64>>(3)?.map(|seen| seen as u64);
        contacts.insert(Key(row.get(0)?), Held { name: parsed(row, 1)?, state, seen });
    }
    Ok(contacts)
}

fn known(c: &Connection) -> Result<BTreeMap<Key, Known>, StoreError> {
    let mut known = BTreeMap::new();
    let mut statement = c.prepare("SELECT key, name, verified, blocked, conversed FROM known")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (verified, blocked, conversed) = (row.get(2)?, row.get(3)?, row.get(4)?);
        known.insert(Key(row.get(0)?), Known { name: parsed(row, 1)?, verified, blocked, conversed });
    }
    Ok(known)
}

fn names(c: &Connection) -> Result<BTreeMap<String, Key>, StoreError> {
    let mut statement = c.prepare("SELECT name, key FROM names")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, Key(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn rooms(c: &Connection, me: &Key) -> Result<BTreeMap<RoomName, Room>, StoreError> {
    let mut rooms = BTreeMap::new();
    let mut statement = c.prepare("SELECT room, joined FROM rooms")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name: RoomName = parsed(row, 0)?;
        let mut room = Room::new(&name, me);
        room.joined = row.get(1)?;
        rooms.insert(name, room);
    }
    Ok(rooms)
}

fn open(c: &Connection, rooms: &mut BTreeMap<RoomName, Room>) -> Result<(), StoreError> {
    let mut statement = c.prepare("SELECT room, epoch FROM open")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(room) = rooms.get_mut(&parsed::<RoomName>(row, 0)?) {
            room.note_open(row.get::<_, i64>(1)? as u64);
        }
    }
    Ok(())
}

fn members(c: &Connection, rooms: &mut BTreeMap<RoomName, Room>) -> Result<(), StoreError> {
    let mut listed: BTreeMap<RoomName, Vec<Shared>> = BTreeMap::new();
    for (room, shared) in files::listed(c)? {
        listed.entry(room).or_default().push(shared);
    }
    let mut members: BTreeMap<RoomName, Vec<Member>> = BTreeMap::new();
    let mut statement = c.prepare("SELECT room, slot, key, name, since, role FROM members ORDER BY room, slot")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        members.entry(parsed(row, 0)?).or_default().push(Member {
            slot: Slot(row.get(1)?),
            key: Key(row.get(2)?),
            name: parsed(row, 3)?,
            role: if fault::on(Fault::RoleForgotten) { Role::Member } else { word(row, 5)? },
            since: row.get::<_, i64>(4)? as u64,
        });
    }
    let mut statement =
        c.prepare("SELECT room, epoch, number, history, approval, private, topic FROM rooms WHERE joined")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name: RoomName = parsed(row, 0)?;
        let held = members.remove(&name).unwrap_or_default();
        let table = Table::from_snapshot(version(row, 1)?, held)
            .and_then(|table| table.with_files(listed.remove(&name).unwrap_or_default()))
            .map_err(|misfit| StoreError::Damaged(format!("the table of {name}: {misfit}")))?;
        if let Some(room) = rooms.get_mut(&name) {
            room.table = table.with_settings(Settings {
                history: word(row, 3)?,
                approval: row.get(4)?,
                private: row.get(5)?,
                topic: row.get(6)?,
            });
        }
    }
    Ok(())
}

fn spans(c: &Connection, rooms: &mut BTreeMap<RoomName, Room>) -> Result<(), StoreError> {
    let sql = "SELECT room, key, name, from_epoch, from_number, until_epoch, until_number, why FROM spans
        ORDER BY rowid";
    let mut statement = c.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Some(room) = rooms.get_mut(&parsed::<RoomName>(row, 0)?) else { continue };
        if room.past.len() == SPANS {
            room.past.pop_front();
        }
        room.past.push_back(Span {
            key: Key(row.get(1)?),
            name: parsed(row, 2)?,
            from: version(row, 3)?,
            until: version(row, 5)?,
            why: row.get_ref(7)?.as_str_or_null().ok().flatten().and_then(Departure::of_str),
        });
    }
    Ok(())
}

fn gaps(c: &Connection, rooms: &mut BTreeMap<RoomName, Room>) -> Result<(), StoreError> {
    let sql = "SELECT room, after_epoch, after_number, until_epoch, until_number FROM gaps ORDER BY rowid";
    let mut statement = c.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(room) = rooms.get_mut(&parsed::<RoomName>(row, 0)?) {
            room.skipped(Gap { after: version(row, 1)?, until: version(row, 3)? });
        }
    }
    Ok(())
}

fn pieces(c: &Connection, rooms: &mut BTreeMap<RoomName, Room>, me: &Key) -> Result<(), StoreError> {
    let sql = "SELECT room, author, first, last, start, end, open FROM pieces ORDER BY room, author, first";
    let mut statement = c.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name: RoomName = parsed(row, 0)?;
        let author = Key(row.get(1)?);
        let piece = Piece {
            first: row.get::<_, i64>(2)? as u64,
            last: row.get::<_, i64>(3)? as u64,
            start: row.get(4)?,
            end: row.get(5)?,
            open: row.get(6)?,
        };
        let room = rooms.entry(name.clone()).or_insert_with_key(|name| Room::new(name, me));
        room.logs.entry(author).or_insert_with(|| Log::new(&name, &author)).restore(piece);
    }
    Ok(())
}

fn forks(c: &Connection, rooms: &mut BTreeMap<RoomName, Room>) -> Result<(), StoreError> {
    let mut statement = c.prepare("SELECT room, author FROM forks")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(room) = rooms.get_mut(&parsed::<RoomName>(row, 0)?) {
            room.forked.insert(Key(row.get(1)?));
        }
    }
    Ok(())
}

/// What was shown since this peer said something last.
fn tips(c: &Connection, rooms: &mut BTreeMap<RoomName, Room>, me: &Key) -> Result<(), StoreError> {
    let own = "SELECT cursor FROM segments WHERE room = ? AND author = ? ORDER BY last DESC LIMIT 1";
    let since = "SELECT author, last, epoch, number, cursor FROM segments WHERE room = ? AND cursor > ?
        ORDER BY cursor DESC LIMIT 1000";
    let (mut own, mut since) = (c.prepare(own)?, c.prepare(since)?);
    for (name, room) in rooms {
        let said: Option<i64> = own.query_row(params![name.as_str(), me.0], |row| row.get(0)).optional()?;
        let mut rows = since.query(params![name.as_str(), said.unwrap_or(0)])?;
        while let Some(row) = rows.next()? {
            let (last, cursor) = (row.get::<_, i64>(1)? as u64, row.get::<_, i64>(4)? as u64);
            room.tips.seen(Key(row.get(0)?), last, version(row, 2)?, cursor);
        }
    }
    Ok(())
}

fn cancelled(c: &Connection, rooms: &mut BTreeMap<RoomName, Room>) -> Result<(), StoreError> {
    let mut statement = c.prepare("SELECT room, number, had FROM cancelled")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Some(room) = rooms.get_mut(&parsed::<RoomName>(row, 0)?) else { continue };
        let had: Vec<u8> = row.get(2)?;
        room.own.cancelled.add(row.get::<_, i64>(1)? as u64, had.as_chunks().0.iter().copied().map(Key));
    }
    Ok(())
}

fn addresses(c: &Connection) -> Result<BTreeMap<Key, Addresses>, StoreError> {
    let mut statement = c.prepare("SELECT key, addresses FROM addresses")?;
    let rows = statement.query_map([], |row| Ok((Key(row.get(0)?), row.get::<_, Vec<u8>>(1)?)))?;
    let mut addresses = BTreeMap::new();
    for row in rows {
        let (key, bytes) = row?;
        addresses.insert(key, Addresses::from_bytes(&bytes).unwrap_or_default());
    }
    Ok(addresses)
}

pub(super) fn version(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Version> {
    Ok(Version { epoch: row.get::<_, i64>(column)? as u64, number: row.get::<_, i64>(column + 1)? as u64 })
}

/// A column whose text is a word for something.
fn word<T: FromStr>(row: &SqlRow<'_>, column: usize) -> Result<T, StoreError> {
    let text: String = row.get(column)?;
    text.parse().map_err(|_| StoreError::Damaged(format!("{text:?} is not a word for anything")))
}

/// A column whose text is a name.
pub(super) fn parsed<T: TryFrom<String>>(row: &SqlRow<'_>, column: usize) -> Result<T, StoreError> {
    let text: String = row.get(column)?;
    T::try_from(text.clone()).map_err(|_| StoreError::Damaged(format!("{text:?} is not a name")))
}
