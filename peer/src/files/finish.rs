//! Putting a file under its name, and deleting what there is of one.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use common::why;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use super::{check::mark_of, layout::Layout, place::beside, run::open_to_read, shelf::Shelf};
use crate::core::files::{Mark, Place};

/// Puts a file that has all its pieces under its name, synced to disk.
pub fn finish(shelf: &Shelf, place: &Place, overwrite: bool) -> Result<Mark, String> {
    let beside = beside(place);
    let shown = place.path.display();
    let layout = match place.file.is_folder() {
        true => Some(Layout::read(shelf, &place.file).map_err(|error| why(&error))?),
        false => None,
    };
    // It is missing where it was put under its name just before this peer ended.
    if beside.exists() || !place.path.exists() {
        sync(&beside, layout.as_ref())
            .map_err(|error| format!("{} cannot be written: {}", beside.display(), why(&error)))?;
        put(&beside, &place.path, overwrite && layout.is_none()).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => format!(
                "{shown} is there already, and what has come lies in {}; move one of them away",
                beside.display()
            ),
            _ => format!("it cannot be called {shown}: {}; what has come lies in {}", why(&error), beside.display()),
        })?;
    }
    if let Some(Err(error)) = place.path.parent().map(sync_folder) {
        return Err(format!("{shown} cannot be synced to disk: {}", why(&error)));
    }
    mark_of(shelf, place).map_err(|error| format!("{shown} cannot be read: {}", why(&error)))
}

fn sync(beside: &Path, layout: Option<&Layout>) -> io::Result<()> {
    let Some(layout) = layout else { return open_to_read(beside)?.sync_all() };
    fs::create_dir_all(beside)?;
    for folder in &layout.folders {
        fs::create_dir_all(beside.join(folder))?;
    }
    for part in &layout.parts {
        let path = beside.join(&part.way);
        if part.range.is_empty() {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            File::create(&path)?;
        }
        let file = open_to_read(&path)?;
        if part.runs {
            let mode = file.metadata()?.permissions().mode();
            // Who may read it may run it.
            file.set_permissions(Permissions::from_mode(mode | (mode & 0o444) >> 2))?;
        }
        file.sync_all()?;
    }
    sync_folder(beside)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn put(from: &Path, to: &Path, overwrite: bool) -> io::Result<()> {
    if overwrite {
        return fs::rename(from, to);
    }
    match renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlags::RENAME_NOREPLACE) {
        // Not every file system can.
        Err(nix::Error::EINVAL | nix::Error::ENOSYS) if from.is_dir() => match to.symlink_metadata() {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => fs::rename(from, to),
        },
        Err(nix::Error::EINVAL | nix::Error::ENOSYS) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        result => Ok(result?),
    }
}

/// Deletes what there is of a file that is not whole.
pub fn discard(shelf: &Shelf, place: &Place) {
    let beside = beside(place);
    let deleted = match beside.symlink_metadata() {
        Ok(there) if there.is_dir() => fs::remove_dir_all(&beside),
        Ok(_) => fs::remove_file(&beside),
        Err(error) => Err(error),
    };
    if let Err(error) = deleted
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!("{} stays: {error}", beside.display());
    }
    shelf.forget(&place.file.root);
}
