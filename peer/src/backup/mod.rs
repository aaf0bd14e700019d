//! Carrying a person to another machine: the identity key, the history and all that is known of others, in one file
//! under a passphrase.
//!
//! The file is an age file (<https://age-encryption.org/v1>, with scrypt) with a tar archive inside, so that
//! `age -d FILE | tar -x` opens it without Rollcall.

mod make;
mod restore;
mod tar;

use std::{
    io,
    path::{Path, PathBuf},
};

pub use age::secrecy::SecretString;
use common::{AccountName, Key, identity::IdentityError, why};
use serde::{Deserialize, Serialize};

use crate::store::StoreError;

pub use make::{Made, make, may_be_written};
pub use restore::{Restored, Sealed, Settings};

/// What the archive has to be for this version to read it.
const FORMAT: u32 = 1;
/// Passphrases cost 2^18 rounds of scrypt, which take 256 MiB and about a second: as `age` does it. A file that asks for
/// more is not opened.
const WORK: u8 = 18;
/// Whoever has the file can try as many passphrases as they have time for.
const PASSPHRASE: usize = 8;

/// The folder in the archive that all of it is in.
const FOLDER: &str = "rollcall";
const ABOUT: &str = "backup.toml";
const KEY: &str = "key";
const HISTORY: &str = "history.db";
const CONFIG: &str = "peer.toml";

/// What is in an archive, and how large it may be, in bytes.
const FILES: [(&str, u64); 6] = [
    (ABOUT, 4 * 1024),
    (KEY, 32),
    ("profile.toml", 64 * 1024),
    ("book.toml", 16 * 1024 * 1024),
    (CONFIG, 1024 * 1024),
    (HISTORY, u64::MAX),
];

/// Whose an archive is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct About {
    /// What it has to be for this version to read it.
    format: u32,
    /// The version that made it.
    rollcall: String,
    /// What the account is called.
    name: AccountName,
    /// Its key, in hexadecimal.
    key: String,
    /// When it was made, in milliseconds since 1970.
    made: u64,
}

/// Why there is no backup, or nothing restored. Nothing is left half done.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file is there already.
    #[error("{} is there already; choose another name, or replace it with --overwrite", .0.display())]
    Exists(PathBuf),
    /// It is to be called what a folder is called.
    #[error("{} is a folder; name a file in it", .0.display())]
    Folder(PathBuf),
    /// The passphrase is too short.
    #[error("the passphrase is too short: whoever has the file can try many; take 8 characters at the least")]
    Short,
    /// There is nothing to make a backup of.
    #[error("there is no account {0} here; see who is: peer")]
    NoAccount(AccountName),
    /// Something cannot be read.
    #[error("{}", unread(path, cause))]
    Read {
        /// What.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Something cannot be written.
    #[error("cannot write {}: {}; check that the folder is yours and that the disk has room", path.display(), why(source))]
    Write {
        /// What.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// One of the account's files is larger than any of its kind.
    #[error("{} is larger than {most} bytes, and no backup takes it; make it smaller, or move it away", path.display())]
    Large {
        /// Which.
        path: PathBuf,
        /// The most bytes.
        most: u64,
    },
    /// The history cannot be copied.
    #[error("cannot copy the history: {source}; {}", remedy(source))]
    Copy {
        /// Why.
        source: StoreError,
    },
    /// Another backup is being made or restored here.
    #[error("another backup of an account here is being made or restored; wait until that is done, and try again")]
    Busy,
    /// The file is something else.
    #[error("{} is no backup under a passphrase; a backup is made by: peer backup FILE", .0.display())]
    NoBackup(PathBuf),
    /// The file asks for too much work.
    #[error(
        "{} asks for more work than a backup does (2^{asked} rounds, and not 2^{WORK}), which may be meant to keep this \
         machine busy. If it is yours: age -d FILE | age -p -o NEW",
        path.display()
    )]
    Work {
        /// The file.
        path: PathBuf,
        /// The logarithm of the rounds that it asks for.
        asked: u8,
    },
    /// The passphrase does not open the file.
    #[error("the passphrase does not open {}; try again. If you are sure of it, the file has been changed", .0.display())]
    Passphrase(PathBuf),
    /// The file is not what was written.
    #[error("{} is damaged or not all of it is here ({reason}); nothing was restored. Take another copy of it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How it shows.
        reason: String,
    },
    /// The file was made by a later version.
    #[error("{} was made by Rollcall {rollcall}, which is newer (format {format}, this one knows {FORMAT}): use that one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version that made it.
        rollcall: String,
        /// Its format.
        format: u32,
    },
    /// The history in it is not to be used.
    #[error("nothing was restored from {}: {source}", path.display())]
    History {
        /// The file.
        path: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// The key is not to be used.
    #[error("{}{}", .0, key_remedy(.0))]
    Key(#[from] IdentityError),
    /// There is an account of that name.
    #[error(
        "there is an account {name} here already, in {}, and it is left as it is; to put the backup in its place, end its \
         session and move that folder away",
        path.display()
    )]
    Taken {
        /// The name.
        name: AccountName,
        /// Its folder.
        path: PathBuf,
    },
}

impl BackupError {
    fn read(path: &Path) -> impl Fn(io::Error) -> BackupError {
        move |cause| BackupError::Read { path: path.to_owned(), cause }
    }

    fn write(path: &Path) -> impl Fn(io::Error) -> BackupError {
        move |source| BackupError::Write { path: path.to_owned(), source }
    }

    fn damaged(path: &Path, reason: impl ToString) -> BackupError {
        BackupError::Damaged { path: path.to_owned(), reason: reason.to_string() }
    }
}

fn unread(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no file {}; check the path", path.display()),
        _ => format!("cannot read {}: {}; check that it is the file you mean, and yours", path.display(), why(error)),
    }
}

fn remedy(error: &StoreError) -> &'static str {
    match error.is_damage() {
        true => "log in once, which repairs it",
        false => "check that its folder is yours, and that the disk has room for a second one",
    }
}

fn key_remedy(error: &IdentityError) -> &'static str {
    match error {
        IdentityError::Malformed { .. } => "; put your copy of it back",
        IdentityError::Io { .. } | IdentityError::Exposed { .. } => "",
    }
}

/// The bound of a file of that name in an archive; `None` for one that does not belong there.
fn most(name: &str) -> Option<u64> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, most)| *most)
}

/// Whose key a text says.
fn key_of(about: &About) -> Option<Key> {
    about.key.parse().ok()
}
