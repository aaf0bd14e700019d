//! Where things are on disk: the XDG folders, or everything under one folder, and what a profile keeps between two
//! logins.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io::{self, Read, Write},
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use common::{AccountName, Domain, Key, config::fault_of, why};
use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};

/// A log larger than this is begun anew at the next login.
const LOG_BYTES: u64 = 1024 * 1024;

/// What is read of why a session has ended, in bytes at the most.
const ENDED_BYTES: u64 = 4 * 1024;

/// The folders of one user of the machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folders {
    config: PathBuf,
    data: PathBuf,
    state: PathBuf,
    runtime: PathBuf,
}

/// One account's place in them. Names that are the same but for case have the same place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Profile {
    data: PathBuf,
    log: PathBuf,
    socket: PathBuf,
}

/// What a profile keeps between two logins.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// The UDP port, the same for the life of the profile.
    pub port: Option<u16>,
    /// The tracker it was last logged in at.
    pub tracker: Option<KeptTracker>,
    /// Whether that was lost, and with it the key that the tracker must have.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
}

/// A tracker that a profile was logged in at.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KeptTracker {
    /// Where it was.
    pub address: SocketAddr,
    /// What it calls its accounts.
    pub domain: Domain,
    /// Its key, in hexadecimal: another one under the same domain is another tracker.
    key: String,
}

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// No home folder is known.
    #[error("cannot tell where your home folder is; set HOME, or name a folder: --home DIR")]
    NoHome,
    /// A file or folder cannot be used.
    #[error("cannot use {}: {}; check that it belongs to you and that the disk has room", path.display(), why(source))]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The profile's file has been damaged.
    #[error(
        "{} is damaged ({reason}). It holds the key of your tracker: ask whoever runs that for the key, remove the file, \
         and: peer login {name} --tracker HOST --tracker-key KEY", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        name: String,
        /// Where, and how.
        reason: String,
    },
    /// Another process has the profile.
    #[error("this account is already logged in here")]
    InUse,
}

impl Folders {
    /// Everything under `home`, or else the XDG folders.
    pub fn find(home: Option<&Path>) -> Result<Folders, ProfileError> {
        if let Some(home) = home {
            let home = std::path::absolute(home).map_err(io_at(home))?;
            return Ok(Folders { config: home.join("config"), data: home.clone(), state: home.clone(), runtime: home });
        }
        let xdg = etcetera::base_strategy::Xdg::new().map_err(|_| ProfileError::NoHome)?;
        let of = |folder: PathBuf| folder.join("rollcall");
        let state = of(xdg.state_dir().unwrap_or_else(|| xdg.data_dir()));
        Ok(Folders {
            config: of(xdg.config_dir()),
            data: of(xdg.data_dir()),
            runtime: xdg.runtime_dir().map(of).unwrap_or_else(|| state.clone()),
            state,
        })
    }

    /// The config file.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("peer.toml")
    }

    /// Where the control sockets of running peers are.
    pub fn runtime(&self) -> &Path {
        &self.runtime
    }

    /// The folder that the accounts' own folders are in.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The accounts that have been logged in here, in order, each under its latest name.
    pub fn accounts(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.data) else { return Vec::new() };
        let found = entries.filter_map(|entry| {
            let entry = entry.ok()?;
            // A tracker has a key, and no history; an account whose key is lost is one that can be helped.
            let own = entry.path().join("history.db").exists();
            own.then(|| Some((entry.file_name().into_string().ok()?, fs::read_link(entry.path()).ok())))?
        });
        let (links, mut names): (Vec<_>, Vec<_>) = found.partition(|(_, target)| target.is_some());
        let led_to = |name: &str| links.iter().any(|(_, target)| target.as_deref() == Some(Path::new(name)));
        names.retain(|(name, _)| !led_to(name));
        let mut names: Vec<String> = names.into_iter().chain(links.iter().cloned()).map(|(name, _)| name).collect();
        names.sort();
        names
    }

    /// Where a tracker inside the peer keeps what is its own.
    pub fn tracker_data(&self) -> PathBuf {
        self.data.join("hosted-tracker")
    }

    /// The place of an account, under any name that it has had here.
    pub fn profile(&self, name: &AccountName) -> Profile {
        let name = name.fold();
        let first = fs::read_link(self.data.join(&name)).ok().filter(|target| target.components().count() == 1);
        let name = first.and_then(|target| target.to_str().map(String::from)).unwrap_or(name);
        Profile {
            log: self.state.join(format!("{name}.log")),
            socket: self.runtime.join(format!("{name}.sock")),
            data: self.data.join(name),
        }
    }
}

impl Profile {
    /// The folder with all that is to be kept.
    pub fn folder(&self) -> &Path {
        &self.data
    }

    /// The identity key.
    pub fn key(&self) -> PathBuf {
        self.data.join("key")
    }

    /// The messages.
    pub fn history(&self) -> PathBuf {
        self.data.join("history.db")
    }

    /// The address book.
    pub fn book(&self) -> PathBuf {
        self.data.join("book.toml")
    }

    /// The control socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The log of a peer that has no terminal to write to.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Opens the log for adding to it. What earlier sessions left there goes once it is large.
    pub fn open_log(&self) -> Result<File, ProfileError> {
        if let Some(folder) = self.log.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io_at(folder))?;
        }
        let large = fs::metadata(&self.log).is_ok_and(|log| log.len() > LOG_BYTES);
        let mut options = File::options();
        // A file is cut by its length, since one that is opened for appending cannot be cut by opening it.
        let file = options.create(true).append(true).mode(0o600).open(&self.log).map_err(io_at(&self.log))?;
        if large {
            file.set_len(0).map_err(io_at(&self.log))?;
        }
        Ok(file)
    }

    /// What is kept between two logins.
    pub fn kept_file(&self) -> PathBuf {
        self.data.join("profile.toml")
    }

    /// Why the last session has ended, if it did not end by a logout; on one line.
    pub fn ended(&self) -> Option<String> {
        let mut why = String::new();
        // What is longer was not written here.
        File::open(self.ended_file()).ok()?.take(ENDED_BYTES).read_to_string(&mut why).ok()?;
        Some(why).filter(|why| !why.is_empty())
    }

    /// Notes why a session has ended, for whoever asks for it later. It is a help: where it cannot be kept, nothing is lost.
    pub fn note_end(&self, why: Option<&str>) {
        let _ = match why {
            Some(why) => fs::write(self.ended_file(), why),
            None => fs::remove_file(self.ended_file()),
        };
    }

    fn ended_file(&self) -> PathBuf {
        self.data.join("ended")
    }

    /// The file that a running peer keeps locked.
    pub fn lock(&self) -> PathBuf {
        self.data.join("lock")
    }

    /// Makes the folders, those with secrets for their owner only, and takes the profile for as long as the file
    /// that is returned stays open: two processes on one history would damage it.
    pub fn open(&self) -> Result<File, ProfileError> {
        for folder in [Some(self.data.as_path()), self.log.parent(), self.socket.parent()].into_iter().flatten() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io_at(folder))?;
        }
        let path = self.lock();
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io_at(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(ProfileError::InUse),
            Err(TryLockError::Error(source)) => Err(ProfileError::Io { path, source }),
        }
    }

    /// Reads what is kept; nothing at the first login. Where there is a history and nothing is kept, it was lost.
    pub fn kept(&self) -> Result<Kept, ProfileError> {
        let path = self.kept_file();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // It is written before the history is.
                return Ok(Kept { lost: self.history().exists(), ..Kept::default() });
            }
            Err(source) => return Err(ProfileError::Io { path, source }),
        };
        let name = self.data.file_name().unwrap_or_default().to_string_lossy();
        let damaged = |reason: String| ProfileError::Damaged { path: path.clone(), name: name.to_string(), reason };
        let kept: Kept = toml::from_str(&text).map_err(|error| damaged(fault_of(&text, &error)))?;
        match &kept.tracker {
            // A pin that cannot be read must not pass for no pin.
            Some(tracker) if tracker.key.parse::<Key>().is_err() => Err(damaged("the tracker's key".into())),
            _ => Ok(kept),
        }
    }

    /// Writes what is kept; a crash leaves either the old or the new.
    pub fn keep(&self, kept: &Kept) -> Result<(), ProfileError> {
        let path = self.kept_file();
        let text = toml::to_string(kept)
            .map_err(|error| ProfileError::Io { path: path.clone(), source: io::Error::other(error) })?;
        replace(&path, text.as_bytes()).map_err(io_at(&path))
    }
}

impl KeptTracker {
    /// A tracker as it has been met.
    pub fn new(address: SocketAddr, domain: Domain, key: Key) -> KeptTracker {
        KeptTracker { address, domain, key: key.to_string() }
    }

    /// From now on it must have this key.
    pub fn expect(&mut self, key: Key) {
        self.key = key.to_string();
    }

    /// Its key. `None` only in a value that was not read by [`Profile::kept`].
    pub fn key(&self) -> Option<Key> {
        self.key.parse().ok()
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = path.with_extension("new");
    let mut file = File::create(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn io_at(path: &Path) -> impl Fn(io::Error) -> ProfileError {
    let path = path.to_owned();
    move |source| ProfileError::Io { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn profile(home: &Path) -> Profile {
        Folders::find(Some(home)).unwrap().profile(&"Alice".parse().unwrap())
    }

    #[test]
    fn with_a_home_everything_is_below_it() {
        let folders = Folders::find(Some(Path::new("/r"))).unwrap();
        assert_eq!(folders.config_file(), Path::new("/r/config/peer.toml"));
        let profile = profile(Path::new("/r"));
        assert_eq!(profile.key(), Path::new("/r/alice/key"));
        assert_eq!(profile.history(), Path::new("/r/alice/history.db"));
        assert_eq!(profile.socket(), Path::new("/r/alice.sock"));
        assert_eq!(profile.log(), Path::new("/r/alice.log"));
    }

    #[test]
    fn accounts_are_the_folders_with_a_history_under_their_latest_name() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::find(Some(home.path())).unwrap();
        assert!(folders.accounts().is_empty());
        for (folder, file) in
            [("bob", "key"), ("bob", "history.db"), ("alice", "key"), ("alice", "history.db"), ("tracker", "key")]
        {
            fs::create_dir_all(home.path().join(folder)).unwrap();
            fs::write(home.path().join(folder).join(file), "").unwrap();
        }
        assert_eq!(folders.accounts(), ["alice", "bob"]);
        std::os::unix::fs::symlink("bob", home.path().join("robert")).unwrap();
        assert_eq!(folders.accounts(), ["alice", "robert"]);
    }

    #[test]
    fn what_is_kept_reads_back_and_at_first_there_is_nothing() {
        let home = tempfile::tempdir().unwrap();
        let profile = profile(home.path());
        let _held = profile.open().unwrap();
        assert_eq!(profile.kept().unwrap(), Kept::default());
        let address = "10.0.0.1:27655".parse().unwrap();
        let tracker = KeptTracker::new(address, "lan".parse().unwrap(), Key([7; 32]));
        let kept = Kept { port: Some(40_000), tracker: Some(tracker), lost: false };
        profile.keep(&kept).unwrap();
        assert_eq!(profile.kept().unwrap(), kept);
        assert_eq!(profile.kept().unwrap().tracker.unwrap().key(), Some(Key([7; 32])));
    }

    #[test]
    fn a_history_without_what_was_kept_of_the_tracker_is_not_a_first_login() {
        let home = tempfile::tempdir().unwrap();
        let profile = profile(home.path());
        let _held = profile.open().unwrap();
        fs::write(profile.history(), "").unwrap();
        let kept = profile.kept().unwrap();
        assert!(kept.lost);
        // Nor is it after a session without a tracker.
        profile.keep(&Kept { port: Some(40_000), ..kept }).unwrap();
        assert!(profile.kept().unwrap().lost);
    }

    #[test]
    fn a_damaged_pin_is_an_error_and_never_no_pin() {
        let home = tempfile::tempdir().unwrap();
        let profile = profile(home.path());
        let _held = profile.open().unwrap();
        let text = "[tracker]\naddress = '10.0.0.1:1'\ndomain = 'lan'\nkey = 'zz'\n";
        fs::write(profile.kept_file(), text).unwrap();
        assert!(matches!(profile.kept(), Err(ProfileError::Damaged { .. })));
    }

    #[test]
    fn a_profile_is_one_process_s_at_a_time_and_its_folder_is_private() {
        let home = tempfile::tempdir().unwrap();
        let profile = profile(home.path());
        let held = profile.open().unwrap();
        assert!(matches!(profile.open(), Err(ProfileError::InUse)));
        drop(held);
        assert!(profile.open().is_ok());
        let mode = fs::metadata(home.path().join("alice")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
