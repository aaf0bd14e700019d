//! How the tables lie in SQLite.

use rusqlite::{Connection, params};

use super::{StoreError, in_use, write::number};

/// Grows with each change of the schema, which then needs a step here that leads from the one before.
pub const SCHEMA: i64 = 4;

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

/// From each schema to the next.
const STEPS: [&str; 3] = [
    // To 2: a room says what it shows to those who join.
    "ALTER TABLE rooms ADD COLUMN history TEXT NOT NULL DEFAULT 'joined';",
    // To 3: contacts, doors, invitations, and names and keys that are another's.
    "
    ALTER TABLE accounts ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE accounts ADD COLUMN hide_seen INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE rooms ADD COLUMN approval INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE rooms ADD COLUMN private INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE rooms ADD COLUMN topic TEXT NOT NULL DEFAULT '';
    ALTER TABLE rooms ADD COLUMN kept_until INTEGER;
    ALTER TABLE rooms ADD COLUMN kept_for BLOB;
    CREATE TABLE waiting (
        epoch INTEGER NOT NULL, key BLOB NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (epoch, key)
    ) WITHOUT ROWID;
    CREATE TABLE banned (
        epoch INTEGER NOT NULL, key BLOB NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (epoch, key)
    ) WITHOUT ROWID;
    CREATE TABLE declined (key BLOB NOT NULL, room TEXT NOT NULL, by TEXT, PRIMARY KEY (key, room)) WITHOUT ROWID;
    CREATE TABLE contacts (
        of BLOB NOT NULL, with_key BLOB NOT NULL, standing TEXT NOT NULL, PRIMARY KEY (of, with_key)
    ) WITHOUT ROWID;
    CREATE TABLE holds (name TEXT PRIMARY KEY, key BLOB, until INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE retired (key BLOB PRIMARY KEY, by BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE invitations (hash BLOB PRIMARY KEY, uses INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE resets (key BLOB PRIMARY KEY, hash BLOB NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
    ",
    // To 4: a room keeps a list of files. What a member says of one lies there as it travels.
    "
    CREATE TABLE files (
        epoch INTEGER NOT NULL, slot INTEGER NOT NULL, root BLOB NOT NULL, offer BLOB NOT NULL,
        PRIMARY KEY (epoch, slot, root)
    ) WITHOUT ROWID;
    ",
];

/// Begins the tables if there are none, leads older ones on, and refuses those of a newer tracker.
pub fn prepare(database: &mut Connection, fresh_id: u64) -> Result<(), StoreError> {
    let transaction = database.transaction().map_err(in_use)?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(in_use)?;
    if found == 0 {
        transaction.execute_batch(FIRST)?;
        transaction.execute("INSERT INTO meta VALUES (?1, 0, 0)", params![number(fresh_id)])?;
    }
    let done = usize::try_from(found.max(1) - 1).ok();
    let Some(steps) = done.and_then(|done| STEPS.get(done..)) else {
        return Err(StoreError::Newer { found, known: SCHEMA });
    };
    for step in steps {
        transaction.execute_batch(step)?;
    }
    if found != SCHEMA {
        transaction.pragma_update(None, "user_version", SCHEMA)?;
    }
    Ok(transaction.commit()?)
}
