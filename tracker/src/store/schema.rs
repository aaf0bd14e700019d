//! How the tables lie in SQLite.

use rusqlite::{Connection, params};

use super::{StoreError, in_use, number};

/// Grows with each change of the schema, which then needs a step here that leads from the one before.
pub const SCHEMA: i64 = 1;

const TABLES: &str = "
    CREATE TABLE meta (id INTEGER NOT NULL, last_epoch INTEGER NOT NULL, lived INTEGER NOT NULL);
    CREATE TABLE accounts (key BLOB PRIMARY KEY, name TEXT NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE rooms (epoch INTEGER PRIMARY KEY, name TEXT NOT NULL, number INTEGER NOT NULL);
    CREATE TABLE members (
        epoch INTEGER NOT NULL, slot INTEGER NOT NULL, key BLOB NOT NULL, role TEXT NOT NULL, since INTEGER NOT NULL,
        PRIMARY KEY (epoch, slot)
    ) WITHOUT ROWID;
";

/// Begins the tables if there are none, and refuses those of a newer tracker.
pub fn prepare(database: &mut Connection, fresh_id: u64) -> Result<(), StoreError> {
    let transaction = database.transaction().map_err(in_use)?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(in_use)?;
    match found {
        0 => {
            transaction.execute_batch(TABLES)?;
            transaction.execute("INSERT INTO meta VALUES (?1, 0, 0)", params![number(fresh_id)])?;
            transaction.pragma_update(None, "user_version", SCHEMA)?;
        }
        SCHEMA => {}
        found => return Err(StoreError::Newer { found, known: SCHEMA }),
    }
    Ok(transaction.commit()?)
}
