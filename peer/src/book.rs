//! The file of the address book: TOML that a person can read and write.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use common::{config::fault_of, why, wire::control::people::BookEntry};
use serde::{Deserialize, Serialize};

/// A file larger than this is no address book.
const BYTES: u64 = 16 * 1024 * 1024;

/// Why the book cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// The system says no.
    #[error("cannot use the address book {}: {}; {}", path.display(), why(source), remedy(source, path))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no address book.
    #[error("{} is no address book: {reason}; put it right, or move it away", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where, and how.
        reason: String,
    },
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Book {
    #[serde(default)]
    person: Vec<BookEntry>,
}

fn remedy(error: &io::Error, path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
    match (error.kind(), folder) {
        (io::ErrorKind::NotFound, Some(folder)) => format!("make its folder first: mkdir -p {}", folder.display()),
        _ => "check that it is yours and that the disk has room".into(),
    }
}

/// The entries of the file at `path`; none if there is no such file.
pub fn read(path: &Path) -> Result<Vec<BookEntry>, BookError> {
    let fail = |source| BookError::Io { path: path.to_owned(), source };
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fail(error)),
        Ok(file) if file.len() > BYTES => {
            return Err(BookError::Malformed { path: path.to_owned(), reason: "it is larger than 16 MiB".into() });
        }
        Ok(_) => {}
    }
    let text = fs::read_to_string(path).map_err(fail)?;
    let malformed =
        |error: toml::de::Error| BookError::Malformed { path: path.to_owned(), reason: fault_of(&text, &error) };
    Ok(toml::from_str::<Book>(&text).map_err(malformed)?.person)
}

/// Writes the entries. The file is whole before it has its name.
pub fn write(path: &Path, entries: &[BookEntry]) -> Result<(), BookError> {
    let fail = |source| BookError::Io { path: path.to_owned(), source };
    let text = toml::to_string(&Book { person: entries.to_vec() })
        .map_err(|error| BookError::Malformed { path: path.to_owned(), reason: error.to_string() })?;
    let partial = path.with_extension("toml.new");
    let mut file: File =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial).map_err(fail)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(fail)?;
    fs::rename(&partial, path).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_reads_back_as_written_and_a_person_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("book.toml");
        assert_eq!(read(&path).unwrap(), []);
        let entry = BookEntry {
            name: "bob".parse().unwrap(),
            key: common::Key([1; 32]).to_string(),
            addresses: vec!["10.0.0.2:4000".parse().unwrap()],
            verified: true,
            note: "from the lab".into(),
        };
        write(&path, std::slice::from_ref(&entry)).unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains("name = \"bob\""));
        assert_eq!(read(&path).unwrap(), [entry]);
    }

    #[test]
    fn what_is_no_book_is_refused_with_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("book.toml");
        fs::write(&path, "[[person]]\nname = 5\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("line 2"));
    }
}
