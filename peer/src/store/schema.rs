//! The tables of the store.

use common::Key;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{StoreError, merged};

const FORMAT: i64 = 6;
/// The oldest that can be brought up to it.
const OLDEST: i64 = 4;

/// Times that somebody came or went which are kept over a restart.
pub const PRESENCE: i64 = 100_000;

const TABLES: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    -- Messages in a row of one author, as they travelled. The cursor is the first one's; the others follow.
    CREATE TABLE segments (
        cursor INTEGER PRIMARY KEY, count INTEGER, room TEXT, author BLOB, name TEXT, first INTEGER, last INTEGER,
        epoch INTEGER, number INTEGER, received INTEGER, path TEXT, end BLOB, mark TEXT, frame BLOB
    );
    CREATE UNIQUE INDEX segments_by_log ON segments (room, author, last);
    CREATE INDEX segments_by_room ON segments (room, cursor);
    -- Others' logs as they are held: messages in a row, with the chain's hashes at both ends.
    CREATE TABLE pieces (
        room TEXT, author BLOB, first INTEGER, last INTEGER, start BLOB, end BLOB, open INTEGER,
        PRIMARY KEY (room, author, first)
    ) WITHOUT ROWID;
    -- Batches that were not taken, since others with their numbers were there.
    CREATE TABLE forks (room TEXT, author BLOB, first INTEGER, frame BLOB, PRIMARY KEY (room, author)) WITHOUT ROWID;
    CREATE TABLE events (
        cursor INTEGER PRIMARY KEY, room TEXT, name TEXT, change TEXT, version TEXT, by TEXT,
        at INTEGER, detail TEXT
    );
    CREATE INDEX events_by_room ON events (room, cursor);
    CREATE TABLE receipts (
        room TEXT, member BLOB, first INTEGER, last INTEGER, at INTEGER, path TEXT, PRIMARY KEY (room, member, last)
    ) WITHOUT ROWID;
    -- The same without when and how, in runs.
    CREATE TABLE acked (
        room TEXT, member BLOB, first INTEGER, last INTEGER, PRIMARY KEY (room, member, first)
    ) WITHOUT ROWID;
    -- Own messages in a row of one version of the table.
    CREATE TABLE runs (
        room TEXT, epoch INTEGER, number INTEGER, first INTEGER, last INTEGER, PRIMARY KEY (room, first)
    ) WITHOUT ROWID;
    -- Own messages that are not sent any more, and the keys of those who have them, one after the other.
    CREATE TABLE cancelled (room TEXT, number INTEGER, had BLOB, PRIMARY KEY (room, number)) WITHOUT ROWID;
    CREATE TABLE rooms (
        room TEXT PRIMARY KEY, epoch INTEGER, number INTEGER, joined INTEGER,
        history TEXT, approval INTEGER, private INTEGER, topic TEXT
    ) WITHOUT ROWID;
    CREATE TABLE members (
        room TEXT, slot INTEGER, key BLOB, name TEXT, role TEXT, since INTEGER, PRIMARY KEY (room, slot)
    ) WITHOUT ROWID;
    CREATE TABLE spans (
        room TEXT, key BLOB, name TEXT, from_epoch INTEGER, from_number INTEGER, until_epoch INTEGER,
        until_number INTEGER, why TEXT
    );
    CREATE INDEX spans_by_room ON spans (room);
    CREATE TABLE gaps (
        room TEXT, after_epoch INTEGER, after_number INTEGER, until_epoch INTEGER, until_number INTEGER
    );
    -- Epochs in which a room shows all that is said to those who join it.
    CREATE TABLE open (room TEXT, epoch INTEGER, PRIMARY KEY (room, epoch)) WITHOUT ROWID;
    -- Everybody whose key is known, and every name that somebody had.
    CREATE TABLE known (
        key BLOB PRIMARY KEY, name TEXT, verified INTEGER, blocked INTEGER, conversed INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE names (name TEXT PRIMARY KEY, key BLOB) WITHOUT ROWID;
    CREATE TABLE contacts (key BLOB PRIMARY KEY, name TEXT, state TEXT, seen INTEGER) WITHOUT ROWID;
    CREATE TABLE addresses (key BLOB PRIMARY KEY, addresses BLOB) WITHOUT ROWID;
    -- What was done to messages: the latest edit, the deletion, and each one's latest reaction. Made of the segments.
    CREATE TABLE notes (
        room TEXT, about BLOB, number INTEGER, kind INTEGER, author BLOB, name TEXT, by_number INTEGER, text TEXT,
        PRIMARY KEY (room, about, number, kind, author)
    ) WITHOUT ROWID;
    -- The files that the tables list.
    CREATE TABLE listed (
        room TEXT, slot INTEGER, root BLOB, offer BLOB, PRIMARY KEY (room, slot, root)
    ) WITHOUT ROWID;
    -- The files that members share by messages of theirs; none for a message that was taken back before it came.
    CREATE TABLE offered (
        room TEXT, author BLOB, number INTEGER, file BLOB, at INTEGER, cursor INTEGER,
        PRIMARY KEY (room, author, number)
    ) WITHOUT ROWID;
    -- The files that are here or under way, the latter with the number of the transfer.
    CREATE TABLE files (
        root BLOB PRIMARY KEY, file BLOB, path BLOB, whole INTEGER, mark INTEGER,
        transfer INTEGER, room TEXT, paused INTEGER, overwrite INTEGER, speed INTEGER
    ) WITHOUT ROWID;
    -- Up to which cursor each conversation was read.
    CREATE TABLE read (room TEXT PRIMARY KEY, cursor INTEGER) WITHOUT ROWID;
    CREATE VIRTUAL TABLE search USING fts5 (text, content='', tokenize='unicode61');
";

/// From format 4 to 5. What is there when it begins to be noted what was read, was read.
const READ: &str = "
    CREATE TABLE read (room TEXT PRIMARY KEY, cursor INTEGER) WITHOUT ROWID;
    INSERT INTO read SELECT room, max(cursor + count - 1) FROM segments GROUP BY room;
";

/// From format 5 to 6. Rooms and edits are terms of the search now: its index is made anew.
const RUNS: &str = "
    CREATE TABLE acked (
        room TEXT, member BLOB, first INTEGER, last INTEGER, PRIMARY KEY (room, member, first)
    ) WITHOUT ROWID;
    CREATE TABLE runs (
        room TEXT, epoch INTEGER, number INTEGER, first INTEGER, last INTEGER, PRIMARY KEY (room, first)
    ) WITHOUT ROWID;
    DROP TABLE search;
    CREATE VIRTUAL TABLE search USING fts5 (text, content='', tokenize='unicode61');
    DELETE FROM meta WHERE name = 'indexed';
";

/// Makes the tables if there are none, and checks that they are ours to use.
pub fn prepare(connection: &Connection, me: &Key) -> Result<(), StoreError> {
    tune(connection)?;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match found {
        0 => {
            let transaction = connection.unchecked_transaction()?;
            transaction.execute_batch(TABLES)?;
            transaction.execute("INSERT INTO meta VALUES ('key', ?)", params![me.0])?;
            transaction.pragma_update(None, "user_version", FORMAT)?;
            transaction.commit()?;
        }
        FORMAT => {}
        OLDEST..FORMAT => {
            let transaction = connection.unchecked_transaction()?;
            for format in found..FORMAT {
                bring_up(&transaction, format, me)?;
            }
            transaction.pragma_update(None, "user_version", FORMAT)?;
            transaction.commit()?;
        }
        found if found < FORMAT => return Err(StoreError::Older { found, known: FORMAT }),
        found => return Err(StoreError::Newer { found, known: FORMAT }),
    }
    let owner: Option<[u8; 32]> =
        connection.query_row("SELECT value FROM meta WHERE name = 'key'", [], |row| row.get(0)).optional()?;
    match owner {
        Some(owner) if owner == me.0 => Ok(()),
        Some(owner) => Err(StoreError::Foreign(Key(owner).short().to_string())),
        None => Err(StoreError::Damaged("it does not say whose it is".into())),
    }
}

/// Whether there is nothing in it that works by itself when a table is read or written: no view, no trigger, and no
/// virtual table but the search's.
pub fn is_plain(connection: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table', 'index')
        OR (sql LIKE 'CREATE VIRTUAL%' AND name != 'search')";
    Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))? == 0)
}

/// Whether the tables are those that [`prepare`] makes, and nothing else is there, such as triggers.
pub fn is_ours(connection: &Connection) -> Result<bool, StoreError> {
    let made = |connection: &Connection| {
        let mut statement =
            connection.prepare("SELECT type, name, ifnull(sql, '') FROM sqlite_schema ORDER BY name")?;
        let rows = statement.query_map([], |row| {
            // How it is laid out depends on the version that has made it.
            let sql: String = row.get(2)?;
            let sql: Vec<&str> = sql.split_whitespace().collect();
            Ok([row.get(0)?, row.get(1)?, sql.join(" ")])
        })?;
        rows.collect::<rusqlite::Result<Vec<[String; 3]>>>()
    };
    let fresh = Connection::open_in_memory()?;
    fresh.execute_batch(TABLES)?;
    Ok(made(connection)? == made(&fresh)?)
}

/// From one format to the next.
fn bring_up(transaction: &Transaction<'_>, format: i64, me: &Key) -> Result<(), StoreError> {
    match format {
        4 => transaction.execute_batch(READ)?,
        5 => {
            transaction.execute_batch(RUNS)?;
            merged::rebuild(transaction, me)?;
        }
        _ => {}
    }
    Ok(())
}

/// Notes in the file that it is in use. True if that was noted already: its last user has not ended well.
pub fn begin(connection: &Connection) -> Result<bool, StoreError> {
    Ok(connection.execute("INSERT OR IGNORE INTO meta (name, value) VALUES ('in_use', 1)", [])? == 0)
}

/// Sees to it that the note of [`begin`] is in the file itself, and not only in that of the newest changes: if that
/// file is missing at the next start, it shows.
pub fn begun(connection: &Connection) -> Result<(), StoreError> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

/// From which cursor on batches may be damaged that nobody has looked at.
pub fn sound(connection: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT value FROM meta WHERE name = 'sound'";
    let sound: Option<i64> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(sound.unwrap_or(0) as u64)
}

/// Notes that all batches up to now are as they were stored.
pub fn is_sound(connection: &Connection) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO meta (name, value) SELECT 'sound', ifnull(max(cursor), 0) FROM segments";
    connection.execute(sql, [])?;
    Ok(())
}

/// Notes that damage was met: the next start looks at everything.
pub fn damaged(connection: &Connection) -> Result<(), StoreError> {
    connection.execute("DELETE FROM meta WHERE name = 'sound'", [])?;
    begin(connection).map(drop)
}

/// Forgets who was online when, but for the last so many times: a member that comes and goes for ever fills no disk.
pub fn forget(connection: &Connection, kept: i64) -> Result<(), StoreError> {
    let presence = "change IN ('online', 'offline', 'away')";
    let sql = format!(
        "DELETE FROM events WHERE {presence} AND cursor <=
            (SELECT cursor FROM events WHERE {presence} ORDER BY cursor DESC LIMIT 1 OFFSET ?)"
    );
    connection.execute(&sql, [kept])?;
    Ok(())
}

/// Takes the note back, unless damage was met.
pub fn ended(connection: &Connection) -> Result<(), StoreError> {
    let sql = "DELETE FROM meta WHERE name = 'in_use' AND EXISTS (SELECT 1 FROM meta WHERE name = 'sound')";
    connection.execute(sql, [])?;
    Ok(())
}

/// A commit is on disk when it returns (`synchronous = FULL`), and readers do not wait for it (WAL).
pub fn tune(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -1024)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}
