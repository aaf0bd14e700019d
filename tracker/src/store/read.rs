//! Reads everything back at a start. What no tracker writes is refused, not guessed at.

use std::{collections::BTreeMap, str::FromStr};

use common::{
    Key, Slot, Version, frame,
    table::{History, Settings, Shared},
};
use rusqlite::{Connection, types::FromSql};

use super::StoreError;
use crate::core::{
    Kept, Seen, Standing, StoredAccount, StoredHold, StoredInvitation, StoredMember, StoredReset, StoredRoom, Tables,
};

pub fn tables(database: &Connection) -> Result<Tables, StoreError> {
    let meta: (i64, i64, i64) = database
        .query_row("SELECT id, last_epoch, lived FROM meta", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(Tables {
        id: meta.0 as u64,
        last_epoch: meta.1 as u64,
        lived: meta.2 as u64,
        accounts: accounts(database)?,
        rooms: rooms(database)?,
        holds: rows(database, "SELECT name, key, until FROM holds", |row| {
            Ok(StoredHold { name: parsed(row, 0)?, key: maybe_key(row, 1)?, until: number(row, 2)? })
        })?,
        retired: rows(database, "SELECT key, by FROM retired", |row| Ok((key(row, 0)?, key(row, 1)?)))?,
        invitations: rows(database, "SELECT hash, uses, until FROM invitations", |row| {
            Ok(StoredInvitation { hash: value(row, 0)?, uses: value(row, 1)?, until: number(row, 2)? })
        })?,
        resets: rows(database, "SELECT key, hash, until FROM resets", |row| {
            Ok(StoredReset { key: key(row, 0)?, hash: value(row, 1)?, until: number(row, 2)? })
        })?,
        contacts: rows(database, "SELECT of, with_key, standing FROM contacts", |row| {
            let word: String = value(row, 2)?;
            let standing = Standing::of_str(&word).ok_or(StoreError::Damaged(format!("a standing {word:?}")))?;
            Ok((key(row, 0)?, key(row, 1)?, standing))
        })?,
        declined: rows(database, "SELECT key, room, by FROM declined", |row| {
            let by = value::<Option<String>>(row, 2)?.map(|_| parsed(row, 2)).transpose()?;
            Ok((key(row, 0)?, parsed(row, 1)?, by))
        })?,
    })
}

fn accounts(database: &Connection) -> Result<Vec<StoredAccount>, StoreError> {
    rows(database, "SELECT key, name, seen, seen_at, hide_seen FROM accounts", |row| {
        let seen = Seen { lived: number(row, 2)?, at: number(row, 3)? };
        Ok(StoredAccount { key: key(row, 0)?, name: parsed(row, 1)?, seen, hide_seen: value(row, 4)? })
    })
}

fn rooms(database: &Connection) -> Result<Vec<StoredRoom>, StoreError> {
    let mut members = members(database)?;
    let mut files = files(database)?;
    let mut waiting = at_the_door(database, "SELECT epoch, key, at FROM waiting")?;
    let mut banned = at_the_door(database, "SELECT epoch, key, at FROM banned")?;
    let sql = "SELECT epoch, name, number, history, approval, private, topic, kept_for, kept_until FROM rooms
               ORDER BY epoch";
    rows(database, sql, |row| {
        let version = Version { epoch: number(row, 0)?, number: number(row, 2)? };
        let until = value::<Option<i64>>(row, 8)?.map(|until| until as u64);
        let owner = maybe_key(row, 7)?;
        Ok(StoredRoom {
            name: parsed(row, 1)?,
            version,
            settings: Settings {
                history: history(row, 3)?,
                approval: value(row, 4)?,
                private: value(row, 5)?,
                topic: value(row, 6)?,
            },
            members: members.remove(&version.epoch).unwrap_or_default(),
            files: files.remove(&version.epoch).unwrap_or_default(),
            waiting: waiting.remove(&version.epoch).unwrap_or_default(),
            banned: banned.remove(&version.epoch).unwrap_or_default(),
            kept: until.map(|until| Kept { owner, until }),
        })
    })
}

fn at_the_door(database: &Connection, sql: &str) -> Result<BTreeMap<u64, Vec<(Key, u64)>>, StoreError> {
    let mut rooms: BTreeMap<u64, Vec<(Key, u64)>> = BTreeMap::new();
    for (epoch, who) in rows(database, sql, |row| Ok((number(row, 0)?, (key(row, 1)?, number(row, 2)?))))? {
        rooms.entry(epoch).or_default().push(who);
    }
    Ok(rooms)
}

fn members(database: &Connection) -> Result<BTreeMap<u64, Vec<StoredMember>>, StoreError> {
    let mut members: BTreeMap<u64, Vec<StoredMember>> = BTreeMap::new();
    let all = rows(database, "SELECT epoch, slot, key, role, since FROM members ORDER BY epoch, slot", |row| {
        let role: String = value(row, 3)?;
        let role = role.parse().map_err(|_| StoreError::Damaged(format!("a role {role:?}")))?;
        Ok((number(row, 0)?, StoredMember { slot: slot(row, 1)?, key: key(row, 2)?, role, since: number(row, 4)? }))
    })?;
    for (epoch, member) in all {
        members.entry(epoch).or_default().push(member);
    }
    Ok(members)
}

fn files(database: &Connection) -> Result<BTreeMap<u64, Vec<Shared>>, StoreError> {
    let mut files: BTreeMap<u64, Vec<Shared>> = BTreeMap::new();
    let all = rows(database, "SELECT epoch, slot, offer FROM files ORDER BY epoch, slot, root", |row| {
        let offer: Vec<u8> = value(row, 2)?;
        let offer = frame::unpack(&offer).map_err(|why| StoreError::Damaged(format!("a file on a list: {why}")))?;
        Ok((number(row, 0)?, Shared { slot: slot(row, 1)?, offer }))
    })?;
    for (epoch, shared) in all {
        files.entry(epoch).or_default().push(shared);
    }
    Ok(files)
}

fn rows<T>(
    database: &Connection,
    sql: &str,
    mut read: impl FnMut(&rusqlite::Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = database.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

fn value<T: FromSql>(row: &rusqlite::Row<'_>, column: usize) -> Result<T, StoreError> {
    Ok(row.get(column)?)
}

fn number(row: &rusqlite::Row<'_>, column: usize) -> Result<u64, StoreError> {
    Ok(value::<i64>(row, column)? as u64)
}

fn slot(row: &rusqlite::Row<'_>, column: usize) -> Result<Slot, StoreError> {
    let slot = u32::try_from(number(row, column)?).map_err(|_| StoreError::Damaged("a slot".into()))?;
    Ok(Slot(slot))
}

fn key(row: &rusqlite::Row<'_>, column: usize) -> Result<Key, StoreError> {
    Ok(Key(value::<[u8; 32]>(row, column)?))
}

fn maybe_key(row: &rusqlite::Row<'_>, column: usize) -> Result<Option<Key>, StoreError> {
    Ok(value::<Option<[u8; 32]>>(row, column)?.map(Key))
}

fn history(row: &rusqlite::Row<'_>, column: usize) -> Result<History, StoreError> {
    let text: String = value(row, column)?;
    text.parse().map_err(|_| StoreError::Damaged(format!("a history {text:?}")))
}

fn parsed<T: FromStr>(row: &rusqlite::Row<'_>, column: usize) -> Result<T, StoreError> {
    let text: String = value(row, column)?;
    text.parse().map_err(|_| StoreError::Damaged(format!("a name {text:?}")))
}
