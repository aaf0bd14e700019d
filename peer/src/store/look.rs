//! A look at a history that changes nothing of it, and leaves nothing beside it.

use std::{os::unix::ffi::OsStrExt, path::Path};

use common::Key;
use rusqlite::{Connection, OpenFlags};

use super::{StoreError, schema};

/// Whether a start could use the history at `path`, as far as its first pages tell; there may be none. `me` is the key
/// beside it. What is damaged is no error: the next start repairs it.
pub fn look(path: &Path, me: Option<&Key>) -> Result<(), StoreError> {
    if !path.exists() {
        return Ok(());
    }
    let looked = super::is_file(path).and_then(|()| {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        schema::is_for(&Connection::open_with_flags(as_it_lies(path), flags)?, me)
    });
    match looked {
        Err(error) if error.is_damage() => Ok(()),
        looked => looked.map_err(|error| error.at(path)),
    }
}

/// The name by which SQLite takes neither a lock nor what lies beside the file.
fn as_it_lies(path: &Path) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte);
    let bytes = path.as_os_str().as_bytes().iter();
    let name: String =
        bytes.map(|byte| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02x}") }).collect();
    format!("file:{name}?immutable=1")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::Store;

    const ME: Key = Key([1; 32]);

    #[test]
    fn a_history_that_a_start_takes_is_fine_and_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a ?#%history.db");
        look(&path, Some(&ME)).unwrap();
        assert!(!path.exists());
        drop(Store::open(&path, &ME).unwrap());
        let before = fs::read(&path).unwrap();
        look(&path, Some(&ME)).unwrap();
        look(&path, None).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn what_a_start_refuses_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        drop(Store::open(&path, &ME).unwrap());
        assert!(matches!(look(&path, Some(&Key([2; 32]))), Err(StoreError::Foreign(_))));
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(look(&path, Some(&ME)), Err(StoreError::Newer { found: 99, .. })));
        assert!(matches!(look(folder.path(), Some(&ME)), Err(StoreError::NoFile { .. })));
    }

    #[test]
    fn what_the_next_start_repairs_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        for damaged in [vec![], vec![b'x'; 8_192]] {
            fs::write(&path, damaged).unwrap();
            look(&path, Some(&ME)).unwrap();
        }
    }
}
