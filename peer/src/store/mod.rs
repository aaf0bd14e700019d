//! What a peer keeps over a restart, in SQLite: what was said, receipts, the tables as last known.
//!
//! One transaction, synced, takes everything that gathered while the last one ran. Messages lie there by the batch,
//! as they travelled, so that storing one of a hundred costs a hundredth of a row.

mod copy;
mod events;
mod feed;
mod files;
mod load;
mod marks;
mod merged;
mod notes;
mod salvage;
mod schema;
mod search;
mod write;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use common::{
    Key,
    frame::BadFrame,
    wire::control::MemberChange::{Away, Offline, Online},
};
use rusqlite::Connection;

use crate::core::{Row, Saved};

pub use copy::{adopt, copy};
pub use events::{events_of, message_count};
pub use feed::Fed;
pub use notes::Standing;
pub use salvage::Salvaged;

/// After so many times that somebody came or went, the oldest are forgotten.
const FORGOTTEN: u64 = 10_000;

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened.
    #[error("cannot open the history {}: {source}; check that the folder exists, is yours and is not full", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// It is damaged, and could not be repaired.
    #[error("the history {} is damaged and cannot be repaired: {source}; make room, or move it away", path.display())]
    Salvage {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Reading or writing failed.
    #[error("the history cannot be used: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Written by a later version.
    #[error("the history was written by a newer Rollcall (format {found}, this one knows {known}): use that one")]
    Newer {
        /// The file's format.
        found: i64,
        /// The newest format known here.
        known: i64,
    },
    /// Written by a version before the first release.
    #[error(
        "the history was written by an early Rollcall (format {found}, this one knows {known}) and cannot be read: \
         move it away to begin a new one"
    )]
    Older {
        /// The file's format.
        found: i64,
        /// The format known here.
        known: i64,
    },
    /// It belongs to another identity.
    #[error(
        "the history belongs to the key {0}, not to the key beside it; put that key back, or move the history away"
    )]
    Foreign(String),
    /// It holds something that was never written.
    #[error("the history is damaged: {0}; the next login repairs it")]
    Damaged(String),
    /// The thread that used it has failed.
    #[error("the history cannot be used: its thread has failed; log in again")]
    Failed,
    /// A stored batch cannot be read.
    #[error("the history is damaged: {0}; the next login repairs it")]
    Frame(#[from] BadFrame),
}

impl StoreError {
    /// Whether the file holds what was never written there; the next start repairs it.
    pub fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            StoreError::Sqlite(error) => matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase)),
            StoreError::Damaged(_) | StoreError::Frame(_) => true,
            _ => false,
        }
    }

    /// What was found, without what it means.
    fn bare(&self) -> String {
        match self {
            StoreError::Sqlite(error) => error.to_string(),
            StoreError::Damaged(found) => found.clone(),
            error => error.to_string(),
        }
    }
}

/// An open store; clones are the same one. When the last is dropped, that is noted in the file: without the note, the
/// next start looks for damage.
#[derive(Clone)]
pub struct Store {
    files: Arc<Files>,
    /// Whether to work where the caller stands, without another thread: so that a simulation replays exactly.
    inline: bool,
}

struct Files {
    me: Key,
    writer: Arc<Mutex<Connection>>,
    reader: Arc<Mutex<Connection>>,
    /// Damage was met.
    damaged: AtomicBool,
    /// How often it could not be read or written.
    errors: AtomicU64,
    /// How often somebody came or went since that was last forgotten.
    presence: AtomicU64,
}

impl Store {
    /// Opens the store at `path`, which is made if there is none, and reads what a core begins with. A damaged one is
    /// repaired: [`Saved::salvaged`] says so.
    pub fn open(path: &Path, me: &Key) -> Result<(Store, Saved), StoreError> {
        salvage::finish(path)?;
        match Store::open_sound(path, me) {
            Err(error) if error.is_damage() => {
                let salvaged = salvage::salvage(path, me, &error)?;
                let (store, saved) = Store::open_sound(path, me)?;
                Ok((store, Saved { salvaged: Some(salvaged), ..saved }))
            }
            result => result,
        }
    }

    /// The store of an account that has been used: if there is none, it is lost, and with it, maybe, messages that were
    /// sent already.
    pub fn open_again(path: &Path, me: &Key) -> Result<(Store, Saved), StoreError> {
        if !path.exists() {
            // An empty file is a store that has lost everything.
            std::fs::File::create(path).map_err(|source| StoreError::Salvage { path: path.to_owned(), source })?;
        }
        Store::open(path, me)
    }

    fn open_sound(path: &Path, me: &Key) -> Result<(Store, Saved), StoreError> {
        let fail = |source| StoreError::Open { path: path.to_owned(), source };
        let is_empty = path.metadata().is_ok_and(|file| file.len() == 0);
        let had_wal = salvage::beside(path, "-wal").exists();
        let writer = Connection::open(path).map_err(fail)?;
        schema::prepare(&writer, me)?;
        let mut lost = is_empty.then_some("its file was gone, or empty");
        if schema::begin(&writer)? {
            salvage::check(&writer, schema::sound(&writer)?)?;
            lost = lost.or((!had_wal).then_some("the file with what was stored last, history.db-wal, is gone"));
        }
        let mut salvaged = None;
        if let Some(found) = lost {
            salvage::note(&writer)?;
            let messages = salvage::messages(&writer)?;
            salvaged = Some(Salvaged { found: found.into(), messages, kept: None });
        }
        if let Err(error) = schema::forget(&writer, schema::PRESENCE) {
            // A full disk is for what has to be written.
            tracing::warn!("who came and went long ago could not be forgotten: {error}");
        }
        schema::is_sound(&writer)?;
        schema::begun(&writer)?;
        let reader = Connection::open(path).map_err(fail)?;
        schema::tune(&reader)?;
        let saved = Saved { salvaged, ..load::saved(&writer, me)? };
        let (writer, reader) = (Arc::new(Mutex::new(writer)), Arc::new(Mutex::new(reader)));
        Ok((
            Store::of(
                Files {
                    me: *me,
                    writer,
                    reader,
                    damaged: AtomicBool::new(false),
                    errors: AtomicU64::new(0),
                    presence: AtomicU64::new(0),
                },
                false,
            ),
            saved,
        ))
    }

    fn of(files: Files, inline: bool) -> Store {
        Store { files: Arc::new(files), inline }
    }

    /// A store in memory, which works where the caller stands.
    pub fn in_memory(me: &Key) -> Result<(Store, Saved), StoreError> {
        let connection = Connection::open_in_memory()?;
        schema::prepare(&connection, me)?;
        let connection = Arc::new(Mutex::new(connection));
        let files = Files {
            me: *me,
            writer: connection.clone(),
            reader: connection,
            damaged: AtomicBool::new(false),
            errors: AtomicU64::new(0),
            presence: AtomicU64::new(0),
        };
        Ok((Store::of(files, true), Saved::default()))
    }

    /// The same store as after a restart of its peer.
    pub fn reopen(&self, me: &Key) -> Result<(Store, Saved), StoreError> {
        let saved = load::saved(&lock(&self.files.writer), me)?;
        Ok((self.clone(), saved))
    }

    /// How often it could not be read or written since it was opened.
    pub fn errors(&self) -> u64 {
        self.files.errors.load(Ordering::Relaxed)
    }

    /// Keeps all rows, or none of them; they are on disk when it returns.
    pub async fn commit(&self, rows: Arc<Vec<Row>>) -> Result<(), StoreError> {
        let (me, came_and_went) = (self.files.me, rows.iter().filter(|row| is_presence(row)).count() as u64);
        self.run(self.files.writer.clone(), move |connection| write::commit(connection, &rows, &me)).await?;
        let presence = self.files.presence.fetch_add(came_and_went, Ordering::Relaxed) + came_and_went;
        if presence >= FORGOTTEN {
            self.files.presence.store(0, Ordering::Relaxed);
            let forgotten =
                self.run(self.files.writer.clone(), |connection| schema::forget(connection, schema::PRESENCE)).await;
            if let Err(error) = forgotten {
                // It is tried again with as many more.
                tracing::warn!("who came and went long ago could not be forgotten: {error}");
            }
        }
        Ok(())
    }

    /// Adds some messages that the search index lacks. False once it lacks none.
    pub async fn index_some(&self) -> Result<bool, StoreError> {
        self.run(self.files.writer.clone(), search::index_some).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        // In a transaction it sees what was stored at one moment, however many questions it asks.
        self.run(self.files.reader.clone(), move |connection| work(&*connection.transaction()?)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        connection: Arc<Mutex<Connection>>,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let result = if self.inline {
            work(&mut lock(&connection))
        } else {
            let done = tokio::task::spawn_blocking(move || work(&mut lock(&connection))).await;
            done.unwrap_or_else(|_| Err(StoreError::Failed))
        };
        self.files.errors.fetch_add(u64::from(result.is_err()), Ordering::Relaxed);
        if result.as_ref().is_err_and(StoreError::is_damage) && !self.files.damaged.swap(true, Ordering::Relaxed) {
            // Where that cannot be noted either, the next start sees for itself.
            let _ = schema::damaged(&lock(&self.files.writer));
        }
        result
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if !self.damaged.load(Ordering::Relaxed) {
            // Without it the next start takes a little longer.
            let _ = schema::ended(&lock(&self.writer));
        }
    }
}

fn is_presence(row: &Row) -> bool {
    matches!(row, Row::Event(event) if matches!(event.change, Online | Offline | Away))
}

/// A panic while the lock was held has rolled its transaction back: the connection is still good.
fn lock(connection: &Mutex<Connection>) -> std::sync::MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod files_tests;
#[cfg(test)]
mod survival_tests;
#[cfg(test)]
mod tests;
