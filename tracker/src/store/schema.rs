//! How the tables lie in SQLite.

use rusqlite::{Connection, params};

use super::{StoreError, in_use, number};

/// Grows with each change of the schema, which then needs a step here that leads from the one before.
pub const SCHEMA: i64 = 2;

/// The tables of schema 1, which the steps lead on from.
pub const FIRST: &str = "
    CREATE TABLE meta (id INTEGER NOT NULL, last_epoch INTEGER NOT NULL, lived INTEGER NOT NULL);
    CREATE TABLE accounts (key BLOB PRIMARY KEY, name TEXT NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE rooms (epoch INTEGER PRIMARY KEY, name TEXT NOT NULL, number INTEGER NOT NULL);
    CREATE TABLE members (
        epoch INTEGER NOT NULL, slot INTEGER NOT NULL, key BLOB NOT NULL, role TEXT NOT NULL, since INTEGER NOT NULL,
        PRIMARY KEY (epoch, slot)
    ) WITHOUT ROWID;
";

/// From schema 1 to 2: a room says what it shows to those who join.
const SECOND: &str = "ALTER TABLE rooms ADD COLUMN history TEXT NOT NULL DEFAULT 'joined';";

/// Begins the tables if there are none, leads older ones on, and refuses those of a newer tracker.
pub fn prepare(database: &mut Connection, fresh_id: u64) -> Result<(), StoreError> {
    let transaction = database.transaction().map_err(in_use)?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(in_use)?;
    match found {
        0 => {
            transaction.execute_batch(FIRST)?;
            transaction.execute_batch(SECOND)?;
            transaction.execute("INSERT INTO meta VALUES (?1, 0, 0)", params![number(fresh_id)])?;
        }
        1 => transaction.execute_batch(SECOND)?,
        SCHEMA => {}
        found => return Err(StoreError::Newer { found, known: SCHEMA }),
    }
    if found != SCHEMA {
        transaction.pragma_update(None, "user_version", SCHEMA)?;
    }
    Ok(transaction.commit()?)
}
