//! Where a fetched file is put: under which name, and where it lies until it is whole.

use std::{
    fs::Metadata,
    io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

use common::{
    file::{FileInfo, Root},
    wire::control::{Exit, Refusal},
};
use nix::{
    sys::statvfs::statvfs,
    unistd::{AccessFlags, access},
};

use super::harmless::{self, harmless};
use crate::core::files::Place;

/// Where a file or folder lies until it is whole: hidden beside where it is to be.
pub fn beside(place: &Place) -> PathBuf {
    beside_path(&place.path, &place.file.root)
}

fn beside_path(path: &Path, root: &Root) -> PathBuf {
    let end = format!(".{}.part", &root.to_string()[..8]);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{}{end}", harmless::shortened(&name, harmless::LONGEST - 1 - end.len())))
}

/// Where `file` may be put when the user says `to`, and a word if its name is not what it was.
pub fn prepare(file: &FileInfo, to: &Path, overwrite: bool) -> Result<(PathBuf, Option<String>), Refusal> {
    let (path, word) = name(file, to)?;
    let shown = path.display();
    let parent = path.parent().unwrap_or(Path::new("/"));
    if !parent.is_dir() {
        return Err(refused(format!("there is no folder {}; make it first", parent.display())));
    }
    if let Some(there) = there(&path)? {
        if there.is_dir() {
            return Err(refused(format!("the folder {shown} is there already; name another: -o PATH")));
        }
        if file.is_folder() || !overwrite {
            let or = if file.is_folder() { "" } else { ", or replace it: --overwrite" };
            return Err(refused(format!("{shown} is there already; name another place: -o PATH{or}")));
        }
    }
    if let Err(errno) = access(parent, AccessFlags::W_OK | AccessFlags::X_OK) {
        let why = errno.desc();
        return Err(refused(format!(
            "nothing can be put into {}: {why}; name another place: -o PATH",
            parent.display()
        )));
    }
    let needed = file.size.saturating_sub(taken(&beside_path(&path, &file.root)));
    if let Some(free) = free(parent)
        && free < needed
    {
        return Err(refused(format!(
            "there is not enough room for {shown}: it takes {needed} bytes more, and {free} are free; make room, or name \
             another place: -o PATH"
        )));
    }
    Ok((path, word))
}

/// The path that is meant. A name that the user gives is taken as it is.
pub fn name(file: &FileInfo, to: &Path) -> Result<(PathBuf, Option<String>), Refusal> {
    if to.is_dir() {
        let harmless = harmless(&file.name);
        let word =
            harmless.why.map(|why| format!("it is called {:?} here: its name was not taken, as {why}", harmless.name));
        return Ok((to.join(harmless.name), word));
    }
    let is_file = !to.as_os_str().as_bytes().ends_with(b"/") && to.file_name().is_some() && to.is_absolute();
    if !is_file {
        return Err(refused(format!("there is no folder {}; make it first", to.display())));
    }
    Ok((to.to_path_buf(), None))
}

/// What is at a path; a link is what is there, whatever it leads to.
fn there(path: &Path) -> Result<Option<Metadata>, Refusal> {
    match path.symlink_metadata() {
        Ok(there) => Ok(Some(there)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(refused(format!("{} cannot be used: {error}; name another place: -o PATH", path.display()))),
    }
}

/// Bytes of the disk that what has come already takes. A folder's are not counted: that asks for a little more room than
/// is needed.
fn taken(beside: &Path) -> u64 {
    beside.symlink_metadata().ok().filter(Metadata::is_file).map_or(0, |there| there.blocks() * 512)
}

/// Bytes that are free on the disk of a folder, if that can be told.
pub fn free(folder: &Path) -> Option<u64> {
    let disk = statvfs(folder).ok()?;
    Some(disk.blocks_available() * disk.fragment_size())
}

fn refused(message: String) -> Refusal {
    Refusal::new(Exit::Refused, message)
}
