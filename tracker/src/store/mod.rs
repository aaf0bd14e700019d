//! The tables on disk: SQLite, one transaction a batch of rows, synced before it counts.

mod read;
mod schema;
mod write;

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::Connection;

use crate::core::{Row, Tables};

/// Why the tables cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What SQLite says.
    #[error("the tables cannot be used: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Another tracker has them open.
    #[error("another tracker is running on these tables: stop it, or use --data with another folder")]
    InUse,
    /// Written by a newer tracker.
    #[error(
        "the tables were written by a newer tracker (schema {found}, this one knows {known}): install that one again"
    )]
    Newer {
        /// What the tables say.
        found: i64,
        /// What this tracker knows.
        known: i64,
    },
    /// A value that no tracker writes.
    #[error("the tables are damaged ({0}): put back a copy, or move them away to begin with empty ones")]
    Damaged(String),
}

/// The tables' place. Clones share it.
#[derive(Clone)]
pub struct Store {
    database: Arc<Mutex<Connection>>,
    in_memory: bool,
}

impl Store {
    /// Opens the tables at `path`, or begins them there with the id `fresh_id`. Only one tracker can have them open.
    pub fn open(path: &Path, fresh_id: u64) -> Result<Store, StoreError> {
        let database = Connection::open(path)?;
        database.busy_timeout(Duration::ZERO)?;
        database.pragma_update(None, "locking_mode", "exclusive")?;
        database.pragma_update(None, "journal_mode", "wal").map_err(in_use)?;
        database.pragma_update(None, "synchronous", "full")?;
        Store::prepared(database, fresh_id, false)
    }

    /// Tables that live as long as the last clone of this. They are written at once, in the caller's own thread, so
    /// that a simulation on virtual time replays.
    pub fn in_memory(fresh_id: u64) -> Result<Store, StoreError> {
        Store::prepared(Connection::open_in_memory()?, fresh_id, true)
    }

    fn prepared(mut database: Connection, fresh_id: u64, in_memory: bool) -> Result<Store, StoreError> {
        schema::prepare(&mut database, fresh_id)?;
        Ok(Store { database: Arc::new(Mutex::new(database)), in_memory })
    }

    /// All that is stored.
    pub fn load(&self) -> Result<Tables, StoreError> {
        read::tables(&self.lock())
    }

    /// Stores the rows, all or none, and returns when a crash could not take them back.
    pub fn commit(&self, rows: &[Row]) -> Result<(), StoreError> {
        let mut database = self.lock();
        let transaction = database.transaction()?;
        rows.iter().try_for_each(|row| write::row(&transaction, row))?;
        Ok(transaction.commit()?)
    }

    /// Whether a commit takes no time worth leaving the caller's thread for.
    pub fn is_in_memory(&self) -> bool {
        self.in_memory
    }

    /// A panic of another holder leaves the connection as good as a failed transaction does.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn in_use(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => StoreError::InUse,
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use common::{Key, table::History};

    use super::*;
    use crate::core::Seen;

    impl Store {
        /// Lets the tables grow to no more than this many pages, as a full disk would.
        pub fn bound(&self, pages: u32) {
            self.lock().pragma_update(None, "max_page_count", pages).unwrap();
        }
    }

    #[test]
    fn tables_of_a_newer_tracker_are_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tables.sqlite");
        let store = Store::open(&path, 9).unwrap();
        store.lock().pragma_update(None, "user_version", 99).unwrap();
        drop(store);
        for _ in 0..2 {
            assert!(matches!(Store::open(&path, 1), Err(StoreError::Newer { found: 99, known: schema::SCHEMA })));
        }
    }

    #[test]
    fn the_tables_keep_the_id_they_were_made_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tables.sqlite");
        drop(Store::open(&path, u64::MAX).unwrap());
        assert_eq!(Store::open(&path, 1).unwrap().load().unwrap().id, u64::MAX);
    }

    #[test]
    fn tables_of_the_first_schema_are_read_and_their_rooms_show_what_they_did() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tables.sqlite");
        let database = Connection::open(&path).unwrap();
        database.execute_batch(schema::FIRST).unwrap();
        database.execute_batch("INSERT INTO meta VALUES (5, 7, 0); INSERT INTO rooms VALUES (7, 'lobby', 3);").unwrap();
        database.pragma_update(None, "user_version", 1).unwrap();
        drop(database);
        for _ in 0..2 {
            let tables = Store::open(&path, 1).unwrap().load().unwrap();
            let [room] = &tables.rooms[..] else { panic!("{:?}", tables.rooms) };
            assert_eq!((tables.id, room.version.number, room.settings.history), (5, 3, History::Joined));
        }
    }

    #[test]
    fn a_batch_that_fails_leaves_nothing() {
        let store = Store::in_memory(1).unwrap();
        let row = Row::Account { key: Key([1; 32]), name: "alice".parse().unwrap(), seen: Seen::default() };
        assert!(store.commit(&[row.clone(), row]).is_err());
        assert!(store.load().unwrap().accounts.is_empty());
    }
}
