//! A history that goes to another machine: a copy of one that may be in use, and the taking in of one that was brought.

use std::path::Path;

use common::Key;
use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{StoreError, load, salvage, schema};

/// Writes what the history at `path` holds at this moment to an empty file. A session that uses it goes on.
pub fn copy(path: &Path, into: &Path) -> Result<(), StoreError> {
    let open = |source| StoreError::Open { path: path.to_owned(), source };
    let history = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(open)?;
    // What a crashed session has left beside the history stays there: its next start looks for it.
    history.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    history.busy_timeout(std::time::Duration::from_secs(5))?;
    let into = into.to_str().ok_or_else(|| open(rusqlite::Error::InvalidPath(into.to_owned())))?;
    history.execute("VACUUM INTO ?", [into])?;
    Ok(())
}

/// Makes the copy at `path` this account's history, after a look at every page and every signature in it, and returns
/// how many messages it has.
///
/// More may have been said since the copy was made: own messages get numbers from now on that nobody has seen, as after
/// a history was damaged. What the others have of it is fetched back from them.
pub fn adopt(path: &Path, me: &Key) -> Result<u64, StoreError> {
    let open = |source| StoreError::Open { path: path.to_owned(), source };
    let mut history = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(open)?;
    history.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    history.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
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
