//! A history that goes to another machine: a copy of one that may be in use, and the taking in of one that was brought.

use std::{os::unix::ffi::OsStrExt, path::Path, time::Duration};

use common::Key;
use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{StoreError, load, salvage, schema};

/// How long a copy waits for a session that is writing.
const BUSY: Duration = Duration::from_secs(5);

/// Writes what the history at `path` holds at this moment to an empty file, and looks at every page and every signature of
/// it. A session that uses it goes on. Where there is damage, that is noted, and the next login repairs it.
pub fn copy(path: &Path, into: &Path) -> Result<(), StoreError> {
    let open = |cause| StoreError::Open { path: path.to_owned(), cause };
    // What a crashed session has left beside the history stays as it is, and what is missing there stays missing: its next
    // start looks for it. While a session uses the history, it is there.
    let is_used = || salvage::beside(path, "-wal").exists();
    let was_used = is_used();
    let mut copied = if was_used { copy_used(path, into) } else { copy_alone(path, into) };
    if !was_used && is_used() {
        // A session has begun meanwhile, and may have written where it was read.
        std::fs::File::create(into).map_err(|source| StoreError::Salvage { path: into.to_owned(), source })?;
        copied = copy_used(path, into);
    }
    let sound = copied.and_then(|()| salvage::check(&Connection::open(into).map_err(open)?, 0));
    if sound.as_ref().is_err_and(StoreError::is_damage) {
        let history = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(open)?;
        history.busy_timeout(BUSY)?;
        schema::damaged(&history)?;
    }
    sound
}

/// While a session may use it.
fn copy_used(path: &Path, into: &Path) -> Result<(), StoreError> {
    let open = |cause| StoreError::Open { path: path.to_owned(), cause };
    let history = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(open)?;
    history.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    history.busy_timeout(BUSY)?;
    vacuum(&history, into)
}

/// While nobody does, without a trace.
fn copy_alone(path: &Path, into: &Path) -> Result<(), StoreError> {
    let open = |cause| StoreError::Open { path: path.to_owned(), cause };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let history = Connection::open_with_flags(format!("file:{}?immutable=1", escaped(path)), flags).map_err(open)?;
    vacuum(&history, into)
}

fn vacuum(history: &Connection, into: &Path) -> Result<(), StoreError> {
    let name = into.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(into.to_owned()))?;
    history.execute("VACUUM INTO ?", [name])?;
    Ok(())
}

/// A path as it stands in a URI (RFC 3986).
fn escaped(path: &Path) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte);
    let bytes = path.as_os_str().as_bytes().iter();
    bytes.map(|byte| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Makes the copy at `path` this account's history, after a look at every page and every signature in it, and returns
/// how many messages it has.
///
/// More may have been said since the copy was made: own messages get numbers from now on that nobody has seen, as after
/// a history was damaged. What the others have of it is fetched back from them.
pub fn adopt(path: &Path, me: &Key) -> Result<u64, StoreError> {
    let open = |cause| StoreError::Open { path: path.to_owned(), cause };
    let mut history = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(open)?;
    history.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    history.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    if !schema::is_plain(&history)? {
        return Err(StoreError::Damaged("there is something else than tables in it".into()));
    }
    schema::prepare(&history, me)?;
    if !schema::is_ours(&history)? {
        return Err(StoreError::Damaged("its tables are not those of a history".into()));
    }
    salvage::check(&history, 0)?;
    let transaction = history.transaction()?;
    // Their content lies on the other machine.
    transaction.execute("DELETE FROM files", [])?;
    transaction.execute("DELETE FROM meta WHERE name = 'in_use'", [])?;
    salvage::note(&transaction)?;
    load::saved(&transaction, me)?;
    let messages = salvage::messages(&transaction)?;
    transaction.commit()?;
    history.close().map_err(|(_, error)| error)?;
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf, sync::Arc};

    use common::message::Head;
    use tempfile::TempDir;

    use super::*;
    use crate::{
        core::Row,
        store::{
            Store,
            tests::{lobby, me, room_rows, segment, texts},
        },
    };

    /// A store in use, with two messages, and an empty file for a copy of it.
    async fn store() -> (TempDir, Store, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (path, into) = (folder.path().join("history.db"), folder.path().join("copy.db"));
        let (store, _) = Store::open(&path, &me().key()).unwrap();
        let (said, _) = segment(&me(), Head::empty(&lobby(), &me().key()), 1, &["one", "two"]);
        store.commit(Arc::new([room_rows(), vec![Row::Segment(said)]].concat())).await.unwrap();
        fs::write(&into, "").unwrap();
        (folder, store, path, into)
    }

    #[tokio::test]
    async fn a_copy_of_a_store_in_use_is_whole_and_goes_on_with_numbers_that_are_new() {
        let (_folder, _store, path, into) = store().await;
        copy(&path, &into).unwrap();
        assert_eq!(adopt(&into, &me().key()).unwrap(), 2);
        let (copied, saved) = Store::open_again(&into, &me().key()).unwrap();
        assert_eq!(saved.salvaged, None);
        assert_eq!(saved.rooms[&lobby()].own.head.number, 2);
        assert!(saved.numbers_from > 1_000_000, "{}", saved.numbers_from);
        assert_eq!(texts(&copied.past(None, Some(0), 9).await.unwrap()), ["one", "two"]);
    }

    #[tokio::test]
    async fn a_copy_in_the_format_before_is_brought_up_to_this_one() {
        let (_folder, _store, path, into) = store().await;
        copy(&path, &into).unwrap();
        let old = Connection::open(&into).unwrap();
        old.execute_batch("DROP TABLE acked; DROP TABLE runs; DROP TABLE read; PRAGMA user_version = 4").unwrap();
        drop(old);
        assert_eq!(adopt(&into, &me().key()).unwrap(), 2);
    }

    #[tokio::test]
    async fn somebody_else_s_history_is_not_taken_in() {
        let (_folder, _store, path, into) = store().await;
        copy(&path, &into).unwrap();
        assert!(matches!(adopt(&into, &Key([9; 32])), Err(StoreError::Foreign(_))));
    }

    /// The signatures are looked at before the copy goes out: afterwards there may be no other.
    #[tokio::test]
    async fn a_damaged_history_is_not_copied_and_is_repaired_at_the_next_start() {
        let (_folder, store, path, into) = store().await;
        drop(store);
        let damage = "UPDATE segments SET frame = zeroblob(length(frame))";
        Connection::open(&path).unwrap().execute_batch(damage).unwrap();
        assert!(copy(&path, &into).unwrap_err().is_damage());
        let (_, saved) = Store::open(&path, &me().key()).unwrap();
        assert!(saved.salvaged.is_some());
    }

    /// A session that was killed leaves its newest changes in a file beside; without that file something may be lost.
    #[tokio::test]
    async fn a_copy_leaves_the_sign_that_something_newer_is_lost() {
        let (folder, store, path, into) = store().await;
        let moved = folder.path().join("a b%?#");
        fs::copy(&path, &moved).unwrap();
        drop(store);
        copy(&moved, &into).unwrap();
        let (_, saved) = Store::open(&moved, &me().key()).unwrap();
        assert!(saved.salvaged.is_some() && saved.numbers_from > 0);
    }

    #[tokio::test]
    async fn a_history_that_works_by_itself_when_it_is_read_is_not_taken_in() {
        for trap in [
            "DROP TABLE meta; CREATE VIEW meta AS
                WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n FROM x) SELECT 'k' AS name, n AS value FROM x",
            "CREATE TRIGGER t AFTER DELETE ON meta BEGIN DELETE FROM segments; END",
            "CREATE VIRTUAL TABLE other USING fts5 (text)",
        ] {
            let (_folder, _store, path, into) = store().await;
            copy(&path, &into).unwrap();
            Connection::open(&into).unwrap().execute_batch(trap).unwrap();
            assert!(adopt(&into, &me().key()).unwrap_err().is_damage(), "{trap}");
        }
    }
}
