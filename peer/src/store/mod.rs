//! What a peer keeps over a restart, in SQLite: what was said, receipts, the tables as last known.
//!
//! One transaction, synced, takes everything that gathered while the last one ran. Messages lie there by the batch,
//! as they travelled, so that storing one of a hundred costs a hundredth of a row.

mod events;
mod feed;
mod load;
mod schema;
mod search;
mod write;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use common::{Key, frame::BadFrame};
use rusqlite::Connection;

use crate::core::{Row, Saved};

pub use events::{events_of, message_count};
pub use feed::Fed;

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
    #[error("the history is damaged: {0}")]
    Damaged(String),
    /// A stored batch cannot be read.
    #[error("the history is damaged: {0}")]
    Frame(#[from] BadFrame),
}

/// An open store; clones are the same one.
#[derive(Clone)]
pub struct Store {
    writer: Arc<Mutex<Connection>>,
    reader: Arc<Mutex<Connection>>,
    /// Whether to work where the caller stands, without another thread: so that a simulation replays exactly.
    inline: bool,
}

impl Store {
    /// Opens the store at `path`, which is made if there is none, and reads what a core begins with.
    pub fn open(path: &Path, me: &Key) -> Result<(Store, Saved), StoreError> {
        let fail = |source| StoreError::Open { path: path.to_owned(), source };
        let writer = Connection::open(path).map_err(fail)?;
        schema::prepare(&writer, me)?;
        let reader = Connection::open(path).map_err(fail)?;
        schema::tune(&reader)?;
        let saved = load::saved(&writer, me)?;
        let (writer, reader) = (Arc::new(Mutex::new(writer)), Arc::new(Mutex::new(reader)));
        Ok((Store { writer, reader, inline: false }, saved))
    }

    /// A store in memory, which works where the caller stands.
    pub fn in_memory(me: &Key) -> Result<(Store, Saved), StoreError> {
        let connection = Connection::open_in_memory()?;
        schema::prepare(&connection, me)?;
        let connection = Arc::new(Mutex::new(connection));
        Ok((Store { writer: connection.clone(), reader: connection, inline: true }, Saved::default()))
    }

    /// The same store as after a restart of its peer.
    pub fn reopen(&self, me: &Key) -> Result<(Store, Saved), StoreError> {
        let saved = load::saved(&lock(&self.writer), me)?;
        Ok((self.clone(), saved))
    }

    /// Keeps all rows, or none of them; they are on disk when it returns.
    pub async fn commit(&self, rows: Arc<Vec<Row>>) -> Result<(), StoreError> {
        self.run(self.writer.clone(), move |connection| write::commit(connection, &rows)).await
    }

    /// Adds some messages that the search index lacks. False once it lacks none.
    pub async fn index_some(&self) -> Result<bool, StoreError> {
        self.run(self.writer.clone(), search::index_some).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(self.reader.clone(), work).await
    }

    async fn run<T: Send + 'static>(
        &self,
        connection: Arc<Mutex<Connection>>,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if self.inline {
            return work(&mut lock(&connection));
        }
        let done = tokio::task::spawn_blocking(move || work(&mut lock(&connection))).await;
        done.unwrap_or_else(|_| Err(StoreError::Damaged("the thread that used it has failed".into())))
    }
}

/// A panic while the lock was held has rolled its transaction back: the connection is still good.
fn lock(connection: &Mutex<Connection>) -> std::sync::MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
