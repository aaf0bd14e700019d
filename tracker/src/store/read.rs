//! Reads everything back at a start. What no tracker writes is refused, not guessed at.

use std::{collections::BTreeMap, str::FromStr};

use common::{
    Key, Slot, Version,
    table::{History, Role, Settings},
};
use rusqlite::{Connection, types::FromSql};

use super::StoreError;
use crate::core::{StoredAccount, StoredMember, StoredRoom, Tables};

pub fn tables(database: &Connection) -> Result<Tables, StoreError> {
    let meta: (i64, i64, i64) = database
        .query_row("SELECT id, last_epoch, lived FROM meta", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut members = members(database)?;
    let rooms = rows(database, "SELECT epoch, name, number, history FROM rooms ORDER BY epoch", |row| {
        let version = Version { epoch: number(row, 0)?, number: number(row, 2)? };
        let members = members.remove(&version.epoch).unwrap_or_default();
        Ok(StoredRoom { name: parsed(row, 1)?, version, settings: Settings::with_history(history(row, 3)?), members })
    })?;
    let accounts = rows(database, "SELECT key, name, seen FROM accounts", |row| {
        Ok(StoredAccount { key: key(row, 0)?, name: parsed(row, 1)?, seen: number(row, 2)? })
    })?;
    Ok(Tables { id: meta.0 as u64, last_epoch: meta.1 as u64, lived: meta.2 as u64, accounts, rooms })
}

fn members(database: &Connection) -> Result<BTreeMap<u64, Vec<StoredMember>>, StoreError> {
    let mut members: BTreeMap<u64, Vec<StoredMember>> = BTreeMap::new();
    let all = rows(database, "SELECT epoch, slot, key, role, since FROM members ORDER BY epoch, slot", |row| {
        let slot = u32::try_from(number(row, 1)?).map_err(|_| StoreError::Damaged("a slot".into()))?;
        let role = match value::<String>(row, 3)?.as_str() {
            "member" => Role::Member,
            other => return Err(StoreError::Damaged(format!("a role {other:?}"))),
        };
        Ok((number(row, 0)?, StoredMember { slot: Slot(slot), key: key(row, 2)?, role, since: number(row, 4)? }))
    })?;
    for (epoch, member) in all {
        members.entry(epoch).or_default().push(member);
    }
    Ok(members)
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

fn key(row: &rusqlite::Row<'_>, column: usize) -> Result<Key, StoreError> {
    Ok(Key(value::<[u8; 32]>(row, column)?))
}

fn history(row: &rusqlite::Row<'_>, column: usize) -> Result<History, StoreError> {
    let text: String = value(row, column)?;
    text.parse().map_err(|_| StoreError::Damaged(format!("a history {text:?}")))
}

fn parsed<T: FromStr>(row: &rusqlite::Row<'_>, column: usize) -> Result<T, StoreError> {
    let text: String = value(row, column)?;
    text.parse().map_err(|_| StoreError::Damaged(format!("a name {text:?}")))
}
