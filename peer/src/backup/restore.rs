//! Putting a backup back. The account is made whole in a hidden folder, looked at, and gets its name in one step.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io::{self, BufReader, Chain, Cursor, Read, Write},
    iter,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use age::{DecryptError, Decryptor, scrypt, secrecy::SecretString};
use common::{AccountName, Identity};
use serde::Serialize;

use super::{
    ABOUT, About, BackupError, CONFIG, FORMAT, HISTORY, KEY, WORK, key_of, most,
    tar::{Archive, Entry},
};
use crate::{profile::Folders, store};

/// The most bytes of what an age file begins with; one under a passphrase has less than 200.
const HEADER: usize = 4 * 1024;
/// What that begins with, and what its last line begins with.
const AGE: (&[u8], &[u8]) = (b"age-encryption.org/", b"\n--- ");
/// Bytes that are read in one go.
const PIECE: usize = 64 * 1024;

/// An account that is here again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Restored {
    /// What it is called.
    pub name: AccountName,
    /// Its key, in hexadecimal.
    pub key: String,
    /// Its folder.
    pub folder: PathBuf,
    /// When the backup was made, in milliseconds since 1970.
    pub made: u64,
    /// The messages in its history.
    pub messages: u64,
    /// What has become of the settings in the backup.
    #[serde(flatten)]
    pub settings: Settings,
}

/// What has become of the settings in a backup.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "settings", content = "settings_file", rename_all = "snake_case")]
pub enum Settings {
    /// There were none, or the same are here.
    Same,
    /// They are the settings here now.
    Restored(PathBuf),
    /// Others are here, and stay; those of the backup are in this file.
    Beside(PathBuf),
}

/// A file that looks like a backup.
pub struct Sealed {
    path: PathBuf,
    decryptor: Decryptor<Content>,
}

type Content = BufReader<Chain<Cursor<Vec<u8>>, File>>;

impl Sealed {
    /// Opens it, as far as that goes without the passphrase.
    pub fn open(path: &Path) -> Result<Sealed, BackupError> {
        let read = BackupError::read(path);
        let file = File::open(path).map_err(&read)?;
        let mut header = Vec::new();
        Read::take(&file, HEADER as u64).read_to_end(&mut header).map_err(&read)?;
        if !header.starts_with(AGE.0) || !header.windows(AGE.1.len()).any(|bytes| bytes == AGE.1) {
            return Err(BackupError::NoBackup(path.to_owned()));
        }
        let whole = BufReader::with_capacity(PIECE, Cursor::new(header).chain(file));
        let decryptor = Decryptor::new_buffered(whole).map_err(|error| unopened(path, error))?;
        if !decryptor.is_scrypt() {
            return Err(BackupError::NoBackup(path.to_owned()));
        }
        Ok(Sealed { path: path.to_owned(), decryptor })
    }

    /// Puts the account in it back into `folders`, with its settings in `config` if there are none. An account that is
    /// here is never touched. Neither work nor memory is more than for a backup of ours, whatever the file is.
    pub fn restore(self, passphrase: SecretString, folders: &Folders, config: &Path) -> Result<Restored, BackupError> {
        let mut identity = scrypt::Identity::new(passphrase);
        identity.set_max_work_factor(WORK);
        let content = self.decryptor.decrypt(iter::once(&identity as &dyn age::Identity));
        let content = content.map_err(|error| unopened(&self.path, error))?;
        restore(&self.path, Archive::new(content), folders, config)
    }
}

fn restore(
    file: &Path,
    archive: Archive<impl Read>,
    folders: &Folders,
    config: &Path,
) -> Result<Restored, BackupError> {
    let data = folders.data();
    let fail = BackupError::write(data);
    DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(&fail)?;
    let lock = File::open(data).map_err(&fail)?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => BackupError::Busy,
        TryLockError::Error(error) => fail(error),
    })?;
    // One level deeper than accounts are, so that nobody takes it for one.
    let making = Making::begin(data.join(".restoring"))?;
    let new = making.0.join("account");
    DirBuilder::new().mode(0o700).create(&new).map_err(BackupError::write(&new))?;
    unpack(file, archive, &new, folders)?;
    let about = about(file, &new)?.ok_or_else(|| BackupError::damaged(file, "it does not say whose it is"))?;
    for needed in [KEY, HISTORY] {
        if !new.join(needed).exists() {
            return Err(BackupError::damaged(file, format!("{needed} is missing")));
        }
    }
    let key = Identity::load_or_create(&new.join(KEY))?.key();
    if key_of(&about) != Some(key) {
        return Err(BackupError::damaged(file, "the key in it is not the one that it names"));
    }
    let history = new.join(HISTORY);
    let messages = store::adopt(&history, &key).map_err(|source| match source.is_damage() {
        true => BackupError::damaged(file, source),
        false => BackupError::History { path: file.to_owned(), source },
    })?;
    let synced = |path: &Path| File::open(path).and_then(|file| file.sync_all()).map_err(BackupError::write(path));
    synced(&history)?;
    fs::remove_file(new.join(ABOUT)).map_err(&fail)?;
    synced(&new)?;
    let folder = free(folders, &about.name)?;
    fs::rename(&new, &folder).map_err(BackupError::write(&folder))?;
    synced(data)?;
    let brought = folder.join(CONFIG);
    // The account is here, and so are its settings, if only beside it.
    let settings = settings(&brought, config).unwrap_or(Settings::Beside(brought));
    Ok(Restored { name: about.name, key: about.key, folder, made: about.made, messages, settings })
}

fn unopened(path: &Path, error: DecryptError) -> BackupError {
    match error {
        DecryptError::ExcessiveWork { required, .. } => BackupError::Work { path: path.to_owned(), asked: required },
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => BackupError::Passphrase(path.to_owned()),
        DecryptError::InvalidMac => BackupError::damaged(path, "its beginning was changed"),
        DecryptError::Io(error) => content(path, error),
        _ => BackupError::NoBackup(path.to_owned()),
    }
}

/// Why content could not be read.
fn content(path: &Path, error: io::Error) -> BackupError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => BackupError::damaged(path, "its end is missing"),
        io::ErrorKind::InvalidData => BackupError::damaged(path, error),
        _ => BackupError::read(path)(error),
    }
}

/// Writes all files of the archive into a folder.
fn unpack(file: &Path, mut archive: Archive<impl Read>, into: &Path, folders: &Folders) -> Result<(), BackupError> {
    while let Some(Entry { name, size }) = archive.next().map_err(|error| content(file, error))? {
        let Some(most) = most(&name) else {
            return Err(BackupError::damaged(file, format!("{name:?} does not belong in a backup")));
        };
        if size > most {
            return Err(BackupError::damaged(file, format!("{name} is larger than it may be")));
        }
        let path = into.join(&name);
        let fail = BackupError::write(&path);
        let mut to = File::options().write(true).create_new(true).mode(0o600).open(&path).map_err(|error| {
            let twice = error.kind() == io::ErrorKind::AlreadyExists;
            if twice { BackupError::damaged(file, format!("it has {name} twice")) } else { fail(error) }
        })?;
        let (mut left, mut piece) = (size, vec![0; PIECE]);
        while left > 0 {
            let most = piece.len().min(usize::try_from(left).unwrap_or(PIECE));
            let read = archive.read(&mut piece[..most]).map_err(|error| content(file, error))?;
            to.write_all(&piece[..read]).map_err(&fail)?;
            left -= read as u64;
        }
        to.sync_all().map_err(&fail)?;
        if name == ABOUT
            && let Some(about) = about(file, into)?
        {
            // Better known before the history is written than afterwards.
            free(folders, &about.name)?;
        }
    }
    Ok(())
}

/// Whose it is, once that has been unpacked.
fn about(file: &Path, folder: &Path) -> Result<Option<About>, BackupError> {
    /// What every format has.
    #[derive(serde::Deserialize)]
    struct Version {
        format: u32,
        rollcall: String,
    }
    let path = folder.join(ABOUT);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(BackupError::read(&path))?,
    };
    let bad = |error: toml::de::Error| BackupError::damaged(file, error.message());
    let Version { format, rollcall } = toml::from_str(&text).map_err(bad)?;
    if format != FORMAT {
        return Err(BackupError::Newer { path: file.to_owned(), rollcall, format });
    }
    toml::from_str(&text).map_err(bad).map(Some)
}

/// The folder of an account that is not here.
fn free(folders: &Folders, name: &AccountName) -> Result<PathBuf, BackupError> {
    let path = folders.data().join(name.fold());
    match path.symlink_metadata() {
        // What a first login that came to nothing leaves; with anything else in it, it stays.
        Ok(_) if removed_if_empty(&path) => Ok(path),
        Ok(_) => Err(BackupError::Taken { name: name.clone(), path }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path),
        Err(error) => Err(BackupError::read(&path)(error)),
    }
}

/// Whether a folder held nothing but the lock of an account, which nobody holds, and is gone now.
fn removed_if_empty(folder: &Path) -> bool {
    let lock = folder.join("lock");
    let is_alone = fs::read_dir(folder).is_ok_and(|entries| {
        entries.map(|entry| entry.map(|entry| entry.path())).all(|path| path.is_ok_and(|path| path == lock))
    });
    let Ok(held) = File::open(&lock) else { return false };
    is_alone && held.try_lock().is_ok() && fs::remove_file(&lock).is_ok() && fs::remove_dir(folder).is_ok()
}

/// Makes the settings of the backup those of this machine, unless it has some.
fn settings(brought: &Path, config: &Path) -> Result<Settings, BackupError> {
    let read = |path: &Path| match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(BackupError::read(path)),
    };
    let Some(text) = read(brought)? else { return Ok(Settings::Same) };
    let settings = match read(config)? {
        Some(here) if here == text => Settings::Same,
        Some(_) => return Ok(Settings::Beside(brought.to_owned())),
        None => {
            let fail = BackupError::write(config);
            if let Some(folder) = config.parent() {
                DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(&fail)?;
            }
            put(config, &text).map_err(&fail)?;
            Settings::Restored(config.to_owned())
        }
    };
    fs::remove_file(brought).map_err(BackupError::write(brought))?;
    Ok(settings)
}

/// Writes a file that is whole, and synced, before it has its name.
fn put(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    let written = file.write_all(text).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// A folder that goes with the value.
struct Making(PathBuf);

impl Making {
    /// Makes it, empty: one is there if a restore was killed.
    fn begin(path: PathBuf) -> Result<Making, BackupError> {
        let made = match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => DirBuilder::new().mode(0o700).create(&path),
        };
        made.map_err(BackupError::write(&path))?;
        Ok(Making(path))
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        // The next restore removes what is left.
        let _ = fs::remove_dir_all(&self.0);
    }
}
