//! The files of a transcript, and how far they are written: nothing twice and nothing left out, whenever the process ends.
//!
//! Beside the texts lies a file that says up to which event they are written, and how long each of them was then. It is
//! written less often than they are. So after a crash a text may be longer than it says: what is to be written next is
//! then found there already, and passed over.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use common::{RoomName, config::fault_of};
use serde::{Deserialize, Serialize};

/// Where it is kept how far the texts are written.
const STATE: &str = ".transcript.toml";
/// Text written since that was kept, in bytes, at the most.
pub const UNKEPT: u64 = 256 * 1024;
/// Longest name of a file, in bytes, that every file system takes.
const NAME_BYTES: usize = 255;

/// How far the texts are written.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
struct State {
    /// Whose transcripts these are: the key.
    account: String,
    /// The cursor of the last event that is in them.
    cursor: u64,
    /// By the name of the file.
    #[serde(default)]
    texts: BTreeMap<String, Text>,
}

/// One text.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
struct Text {
    /// Its length.
    bytes: u64,
    /// The day of its last lines.
    day: String,
}

/// A folder of transcripts.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
    state: State,
    /// What stood in the texts beyond their known length, of those that were written since this was opened.
    surplus: BTreeMap<String, Vec<u8>>,
    unkept: u64,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is somebody else's.
    #[error("{} has the transcripts of another account; give this one a folder of its own", .0.display())]
    Foreign(PathBuf),
    /// The file that tells how far the texts are written cannot be read.
    #[error("{} cannot be read: {reason}; move the folder away to begin a new one", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Files {
    /// Opens the folder, which is made if there is none. In a new one the texts begin after the event `cursor`.
    pub fn open(folder: &Path, account: &str, cursor: u64) -> Result<Files, OpenError> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let path = folder.join(STATE);
        let state = match fs::read_to_string(&path) {
            Ok(text) => {
                toml::from_str(&text).map_err(|error| OpenError::Damaged { path, reason: fault_of(&text, &error) })?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                State { account: account.into(), cursor, texts: BTreeMap::new() }
            }
            Err(error) => return Err(error.into()),
        };
        if state.account != account {
            return Err(OpenError::Foreign(folder.to_owned()));
        }
        let mut files = Files { folder: folder.to_owned(), state, surplus: BTreeMap::new(), unkept: 0 };
        // So that it is known from the beginning whose they are.
        files.keep()?;
        Ok(files)
    }

    /// The cursor of the last event that is written.
    pub fn cursor(&self) -> u64 {
        self.state.cursor
    }

    /// Writes the lines of an event, behind a line with the day where that is another than that of the line before.
    pub fn write(&mut self, room: &RoomName, cursor: u64, day: &str, lines: &str) -> io::Result<()> {
        let name = file_name(room);
        let text = self.state.texts.get(&name).cloned().unwrap_or_default();
        let head = if text.day == day { String::new() } else { format!("== {day} ==\n") };
        let bytes = self.append(&name, text.bytes, format!("{head}{lines}\n").as_bytes())?;
        self.state.texts.insert(name, Text { bytes, day: day.into() });
        self.passed(cursor);
        Ok(())
    }

    /// An event is dealt with.
    pub fn passed(&mut self, cursor: u64) {
        self.state.cursor = self.state.cursor.max(cursor);
    }

    /// Whether so much was written since it was kept how far that it is time to.
    pub fn is_far(&self) -> bool {
        self.unkept > UNKEPT
    }

    /// Keeps how far the texts are written; a crash leaves either the old or the new.
    pub fn keep(&mut self) -> io::Result<()> {
        let path = self.folder.join(STATE);
        let new = path.with_extension("new");
        let text = toml::to_string(&self.state).map_err(io::Error::other)?;
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        fs::rename(&new, &path)?;
        self.unkept = 0;
        Ok(())
    }

    /// Puts bytes at the end of a text whose first `known` bytes are known, unless they are there already, and returns
    /// how many are known then. What somebody else has put there stays.
    fn append(&mut self, name: &str, known: u64, bytes: &[u8]) -> io::Result<u64> {
        let path = self.folder.join(name);
        self.unkept += bytes.len() as u64;
        if !self.surplus.contains_key(name) {
            self.surplus.insert(name.to_string(), surplus(&path, known)?);
        }
        let surplus = self.surplus.get(name).map(Vec::as_slice).unwrap_or_default();
        if let Some(rest) = surplus.strip_prefix(bytes) {
            let rest = rest.to_vec();
            self.surplus.insert(name.to_string(), rest);
            return Ok(known + bytes.len() as u64);
        }
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        if !surplus.is_empty() && bytes.starts_with(surplus) {
            // Half a line, which a full disk or the end of the process has cut.
            file.set_len(known)?;
        }
        let length = file.metadata()?.len();
        if let Err(error) = file.write_all(bytes) {
            // The half of it that may be there would be there twice.
            let _ = file.set_len(length);
            return Err(error);
        }
        self.surplus.insert(name.to_string(), Vec::new());
        Ok(length + bytes.len() as u64)
    }
}

/// What a file has beyond its first `known` bytes, as much as may be what was written there last.
fn surplus(path: &Path, known: u64) -> io::Result<Vec<u8>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    file.seek(SeekFrom::Start(known))?;
    let mut surplus = Vec::new();
    file.take(4 * UNKEPT).read_to_end(&mut surplus)?;
    Ok(surplus)
}

/// The file of a room. A name that is too long for one is cut, with its hash behind it.
fn file_name(room: &RoomName) -> String {
    const ENDING: &str = ".txt";
    let name = room.as_str();
    if name.len() + ENDING.len() <= NAME_BYTES {
        return format!("{name}{ENDING}");
    }
    let hash = &blake3::hash(name.as_bytes()).to_hex()[..16];
    let most = NAME_BYTES - ENDING.len() - hash.len() - 1;
    let end = (0..=most).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    format!("{}~{hash}{ENDING}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lobby() -> RoomName {
        "lobby".parse().unwrap()
    }

    fn text(folder: &Path) -> String {
        fs::read_to_string(folder.join("lobby.txt")).unwrap()
    }

    fn write(files: &mut Files, cursor: u64) {
        files.write(&lobby(), cursor, "2026-05-01", &format!("line {cursor}")).unwrap();
    }

    #[test]
    fn what_was_written_and_not_kept_is_not_written_twice() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::open(folder.path(), "alice", 0).unwrap();
        write(&mut files, 1);
        files.keep().unwrap();
        (2..=4).for_each(|cursor| write(&mut files, cursor));
        // The process is killed, and begins again where it was kept.
        let mut files = Files::open(folder.path(), "alice", 9).unwrap();
        assert_eq!(files.cursor(), 1);
        (2..=5).for_each(|cursor| write(&mut files, cursor));
        assert_eq!(text(folder.path()), "== 2026-05-01 ==\nline 1\nline 2\nline 3\nline 4\nline 5\n");
    }

    #[test]
    fn half_a_line_is_made_whole_and_what_a_person_wrote_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::open(folder.path(), "alice", 0).unwrap();
        write(&mut files, 1);
        files.keep().unwrap();
        let path = folder.path().join("lobby.txt");
        fs::write(&path, text(folder.path()) + "lin").unwrap();
        let mut files = Files::open(folder.path(), "alice", 0).unwrap();
        write(&mut files, 2);
        files.keep().unwrap();
        fs::write(&path, text(folder.path()) + "remember this\n").unwrap();
        let mut files = Files::open(folder.path(), "alice", 0).unwrap();
        write(&mut files, 3);
        files.write(&lobby(), 4, "2026-05-02", "line 4").unwrap();
        let lines = "line 1\nline 2\nremember this\nline 3\n== 2026-05-02 ==\nline 4\n";
        assert_eq!(text(folder.path()), format!("== 2026-05-01 ==\n{lines}"));
    }

    #[test]
    fn a_folder_of_another_account_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        Files::open(folder.path(), "alice", 0).unwrap();
        assert!(matches!(Files::open(folder.path(), "bob", 0), Err(OpenError::Foreign(_))));
    }

    #[test]
    fn the_longest_name_of_a_room_still_names_a_file() {
        let long: RoomName = "\u{20000}".repeat(64).parse().unwrap();
        let name = file_name(&long);
        assert!(name.len() <= NAME_BYTES && name.ends_with(".txt"), "{name}");
        assert_ne!(name, file_name(&format!("{}\u{20001}", "\u{20000}".repeat(63)).parse().unwrap()));
    }
}
