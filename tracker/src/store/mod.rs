//! The tables on disk: SQLite, one transaction a batch of rows, synced before it counts.

mod read;
mod schema;
mod write;

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::reasons::bare;
use rusqlite::{Connection, ErrorCode};

use crate::core::{Row, Tables};

/// Why the tables cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What SQLite says.
    #[error("the tables cannot be used: {}", bare(&.0.to_string()))]
    Sqlite(#[source] rusqlite::Error),
    /// The disk has no room.
    #[error("the disk of the tables is full: make room, and start again")]
    Full,
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

impl StoreError {
    /// The same, of tables whose file is known.
    pub fn at(&self, path: &Path) -> String {
        let shown = path.display();
        match self {
            StoreError::Sqlite(error) => {
                format!("the tables {shown} cannot be used: {}; see whose they are: ls -l {shown}", sqlite(error))
            }
            StoreError::Full => {
                let folder = path.parent().unwrap_or(path);
                format!("the disk of {} is full: make room, and start again", folder.display())
            }
            StoreError::InUse => {
                format!("another tracker is running on {shown}: stop it, or use --data with another folder")
            }
            StoreError::Newer { found, known } => format!(
                "{shown} was written by a newer tracker (schema {found}, this one knows {known}): install that one again"
            ),
            StoreError::Damaged(found) => format!(
                "{shown} is damaged ({found}): put back a copy of it, or move it away to begin with empty tables"
            ),
        }
    }
}

fn sqlite(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen) => "it is no file that can be opened here".into(),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => "they are not yours to write".into(),
        _ => bare(&error.to_string()),
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => StoreError::Damaged(bare(&error.to_string())),
            Some(ErrorCode::DiskFull) => StoreError::Full,
            _ => StoreError::Sqlite(error),
        }
    }
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
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::InUse,
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
    fn what_is_wrong_with_the_tables_is_told_with_their_path_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tables.sqlite");
        let told = |path: &Path| Store::open(path, 1).map(drop).unwrap_err().at(path);
        let is_helpful = |told: &str| {
            assert!(!told.contains("rror code"), "{told}");
            assert_eq!(told.matches("database").count(), usize::from(told.contains("damaged")), "{told}");
        };
        std::fs::write(&path, "no tables".repeat(200)).unwrap();
        let damaged = told(&path);
        assert!(damaged.contains("tables.sqlite is damaged (") && damaged.contains("put back a copy"), "{damaged}");
        is_helpful(&damaged);
        let folder_there = told(folder.path());
        assert!(folder_there.contains("ls -l"), "{folder_there}");
        is_helpful(&folder_there);
        let full = StoreError::Full.at(&path);
        assert_eq!(full, format!("the disk of {} is full: make room, and start again", folder.path().display()));
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
