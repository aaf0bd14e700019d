//! Making a backup. A session of the account goes on meanwhile.

use std::{
    ffi::OsString,
    fs::{self, File, TryLockError},
    io::{self, BufWriter, Write},
    iter,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use age::{
    Encryptor, scrypt,
    secrecy::{ExposeSecret, SecretString},
};
use common::{AccountName, Identity, Key};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use serde::Serialize;

use super::{ABOUT, About, BackupError, CONFIG, FILES, FOLDER, FORMAT, HISTORY, KEY, PASSPHRASE, WORK, tar};
use crate::{profile::Profile, store};

/// A backup that was made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Made {
    /// Whose.
    pub name: AccountName,
    /// Their key, in hexadecimal.
    pub key: String,
    /// The file.
    pub file: PathBuf,
    /// Its bytes.
    pub bytes: u64,
}

/// Whether there may be a backup of that name, as far as can be told before there is one.
pub fn may_be_written(to: &Path, overwrite: bool) -> Result<(), BackupError> {
    if to.is_dir() {
        return Err(BackupError::Folder(to.to_owned()));
    }
    let folder = folder_of(to);
    folder.join(".").metadata().map_err(BackupError::write(folder))?;
    if !overwrite && to.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    Ok(())
}

/// Writes a backup of an account to `to`, for its owner's eyes only. The file is whole, and synced to disk, before it has
/// its name; one that is there is replaced only if that is wanted.
pub fn make(
    name: &AccountName,
    profile: &Profile,
    config: &Path,
    to: &Path,
    passphrase: SecretString,
    overwrite: bool,
) -> Result<Made, BackupError> {
    if passphrase.expose_secret().chars().count() < PASSPHRASE {
        return Err(BackupError::Short);
    }
    if !profile.key().exists() || !profile.history().exists() {
        return Err(BackupError::NoAccount(name.clone()));
    }
    may_be_written(to, overwrite)?;
    let key = Identity::load_or_create(&profile.key())?.key();
    let (partial, file) = beside(to)?;
    let unfinished = Remove(&partial);
    let bytes = write(name, key, profile, config, file, &partial, passphrase)?;
    put(&partial, to, overwrite).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
        _ => BackupError::write(to)(error),
    })?;
    // It has its name: there is nothing to remove any more.
    std::mem::forget(unfinished);
    Ok(Made { name: name.clone(), key: key.to_string(), file: to.to_owned(), bytes })
}

/// Writes all of it to a file, and returns its size.
fn write(
    name: &AccountName,
    key: Key,
    profile: &Profile,
    config: &Path,
    file: File,
    path: &Path,
    passphrase: SecretString,
) -> Result<u64, BackupError> {
    let made = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let about = About {
        format: FORMAT,
        rollcall: env!("CARGO_PKG_VERSION").into(),
        name: name.clone(),
        key: key.to_string(),
        made: made.as_millis() as u64,
    };
    let copy = Copy::of(profile)?;
    let fail = BackupError::write(path);
    let mut recipient = scrypt::Recipient::new(passphrase);
    recipient.set_work_factor(WORK);
    let encryptor = Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient))
        .map_err(|error| fail(io::Error::other(error.to_string())))?;
    let mut archive = encryptor.wrap_output(BufWriter::new(&file)).map_err(&fail)?;
    let about = toml::to_string(&about).map_err(|error| fail(io::Error::other(error)))?;
    let mut put = |name: &str, size: u64, from: &mut dyn io::Read| {
        tar::put(&mut archive, FOLDER, name, size, made.as_secs(), from).map_err(&fail)
    };
    for (name, most) in FILES {
        let source = match name {
            ABOUT => {
                put(ABOUT, about.len() as u64, &mut about.as_bytes())?;
                continue;
            }
            KEY => profile.key(),
            HISTORY => copy.path.clone(),
            CONFIG => config.to_owned(),
            name => profile.folder().join(name),
        };
        let mut content = match File::open(&source) {
            // Not everybody has settings, or an address book.
            Err(error) if error.kind() == io::ErrorKind::NotFound && ![KEY, HISTORY].contains(&name) => continue,
            opened => opened.map_err(BackupError::read(&source))?,
        };
        let size = content.metadata().map_err(BackupError::read(&source))?.len();
        if size > most {
            return Err(BackupError::Large { path: source, most });
        }
        put(name, size, &mut content)?;
    }
    tar::end(&mut archive).map_err(&fail)?;
    archive.finish().and_then(|mut rest| rest.flush()).and_then(|()| file.sync_all()).map_err(&fail)?;
    Ok(file.metadata().map_err(&fail)?.len())
}

/// A copy of the history, which is as it was at one moment. It goes with the value.
struct Copy {
    path: PathBuf,
    /// Its lock keeps other backups from the copy.
    _folder: File,
}

impl Copy {
    fn of(profile: &Profile) -> Result<Copy, BackupError> {
        let folder = profile.folder();
        let lock = File::open(folder).map_err(BackupError::read(folder))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => BackupError::Busy,
            TryLockError::Error(error) => BackupError::read(folder)(error),
        })?;
        // What it says is to be read by nobody else, like the history: it stays in the same folder.
        let path = folder.join("history.db.copy");
        let copy = Copy { path: path.clone(), _folder: lock };
        let fail = BackupError::write(&path);
        // One of a backup that was killed is overwritten.
        File::options().write(true).create(true).truncate(true).mode(0o600).open(&path).map_err(&fail)?;
        store::copy(&profile.history(), &path).map_err(|source| BackupError::Copy { source })?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // The next one overwrites it.
        let _ = fs::remove_file(&self.path);
    }
}

/// A file that goes if it does not come to more.
struct Remove<'a>(&'a Path);

impl Drop for Remove<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.0);
    }
}

/// A new hidden file in the folder of `to`.
fn beside(to: &Path) -> Result<(PathBuf, File), BackupError> {
    let fail = BackupError::write(to);
    let mut hidden = OsString::from(".");
    hidden.push(to.file_name().unwrap_or_default());
    hidden.push(format!(".{}", std::process::id()));
    let path = to.with_file_name(hidden);
    let file = File::options().write(true).create_new(true).mode(0o600).open(&path).map_err(fail)?;
    Ok((path, file))
}

fn put(from: &Path, to: &Path, overwrite: bool) -> io::Result<()> {
    if overwrite {
        fs::rename(from, to)?;
    } else {
        match renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlags::RENAME_NOREPLACE) {
            // Not every file system can.
            Err(nix::Error::EINVAL | nix::Error::ENOSYS) => {
                fs::hard_link(from, to)?;
                fs::remove_file(from)?;
            }
            result => result?,
        }
    }
    File::open(folder_of(to))?.sync_all()
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
