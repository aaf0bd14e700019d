//! Where the bytes of a shared folder lie: which of them are whose.

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

use common::file::FileInfo;

use super::{
    harmless,
    list::{self, Entry},
    shelf::Shelf,
};

/// A file of a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Its place among the folder's bytes.
    pub range: Range<u64>,
    /// The way to it from the folder.
    pub way: PathBuf,
    /// Whether it may be run as a program.
    pub runs: bool,
}

/// What is where in a folder.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Layout {
    /// The files, in the order of their bytes.
    pub parts: Vec<Part>,
    /// The empty folders.
    pub folders: Vec<PathBuf>,
}

impl Layout {
    /// The layout of a folder whose head is on the shelf.
    pub fn read(shelf: &Shelf, file: &FileInfo) -> io::Result<Layout> {
        let head = fs::read(shelf.head(&file.root))?;
        if head.len() as u64 != file.head {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the list of the folder has not come yet"));
        }
        let entries = list::decode(&head, file.size - file.head).map_err(|bad| {
            io::Error::new(io::ErrorKind::InvalidData, format!("the list of the folder is no good: {bad}"))
        })?;
        let own = fs::exists(shelf.own(&file.root))?;
        Ok(if own { Layout::as_listed(&entries, file.head) } else { Layout::harmless(&entries, file.head) })
    }

    /// With the names as they are listed, for a folder of this disk.
    pub fn as_listed(entries: &[Entry], head: u64) -> Layout {
        Layout::new(entries, head, |way| way.iter().collect())
    }

    /// With names that do no harm. Those that become the same by that are told apart.
    fn harmless(entries: &[Entry], head: u64) -> Layout {
        let mut given: HashMap<(PathBuf, &str), PathBuf> = HashMap::new();
        let mut taken: HashSet<PathBuf> = HashSet::new();
        // How many names have come to be the same one: none is tried twice.
        let mut tried: HashMap<PathBuf, usize> = HashMap::new();
        Layout::new(entries, head, |way| {
            way.iter().fold(PathBuf::new(), |above, name| {
                let key = (above, name.as_str());
                if let Some(known) = given.get(&key) {
                    return known.clone();
                }
                let same = tried.entry(key.0.join(harmless::numbered(name, 1))).or_default();
                let path = loop {
                    *same += 1;
                    let path = key.0.join(harmless::numbered(name, *same));
                    if taken.insert(path.clone()) {
                        break path;
                    }
                };
                given.insert(key, path.clone());
                path
            })
        })
    }

    fn new<'a>(entries: &'a [Entry], head: u64, mut place: impl FnMut(&'a [String]) -> PathBuf) -> Layout {
        let mut layout = Layout::default();
        let mut at = head;
        for entry in entries {
            let way = place(&entry.way);
            match entry.length {
                Some(length) => {
                    layout.parts.push(Part { range: at..at + length, way, runs: entry.runs });
                    at += length;
                }
                None => layout.folders.push(way),
            }
        }
        layout
    }

    /// The part with the byte at `offset`.
    pub fn at(&self, offset: u64) -> Option<usize> {
        let part = self.parts.partition_point(|part| part.range.end <= offset);
        self.parts.get(part).filter(|found| found.range.contains(&offset)).map(|_| part)
    }

    /// All files of it below `base`, in order.
    pub fn paths(&self, base: &Path) -> impl Iterator<Item = PathBuf> {
        let base = base.to_path_buf();
        self.parts.iter().map(move |part| base.join(&part.way))
    }
}
