//! What is in a folder of this disk.

use std::{
    fs::{self, DirEntry},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use common::why;

use super::list::{ENTRIES, Entry};

/// What has been found.
#[derive(Default, Debug)]
pub struct Found {
    /// Files and empty folders, in the order of a list.
    pub entries: Vec<Entry>,
    /// What is not shared: links, devices, names that are not text.
    pub left_out: Vec<PathBuf>,
}

/// Looks through a folder. Links are not followed. Stops with an error where there is too much in it.
pub fn walk(folder: &Path) -> io::Result<Found> {
    let mut found = Found::default();
    let mut folders = vec![(folder.to_path_buf(), Vec::new())];
    while let Some((path, way)) = folders.pop() {
        let mut empty = true;
        let unread = |error: io::Error| io::Error::new(error.kind(), format!("{}: {}", path.display(), why(&error)));
        for entry in fs::read_dir(&path).map_err(unread)? {
            let entry = entry.map_err(unread)?;
            let before = found.left_out.len();
            look(&entry, &way, &mut found, &mut folders)?;
            empty &= found.left_out.len() > before;
            if found.entries.len() + found.left_out.len() + folders.len() > ENTRIES {
                return Err(io::Error::other(format!("there are more than {ENTRIES} files in it; share parts of it")));
            }
        }
        if empty && !way.is_empty() {
            found.entries.push(Entry { way, length: None, runs: false });
        }
    }
    found.entries.sort_by(|a, b| a.way.cmp(&b.way));
    Ok(found)
}

fn look(
    entry: &DirEntry,
    way: &[String],
    found: &mut Found,
    folders: &mut Vec<(PathBuf, Vec<String>)>,
) -> io::Result<()> {
    let kind = entry.file_type()?;
    let Ok(name) = entry.file_name().into_string() else {
        found.left_out.push(entry.path());
        return Ok(());
    };
    let way = [way, &[name]].concat();
    if kind.is_dir() {
        folders.push((entry.path(), way));
    } else if kind.is_file() {
        let metadata = entry.metadata()?;
        let runs = metadata.permissions().mode() & 0o100 != 0;
        found.entries.push(Entry { way, length: Some(metadata.len()), runs });
    } else {
        found.left_out.push(entry.path());
    }
    Ok(())
}
