//! Marks: whether a file on disk is still the one that it was, told without reading it.

use std::{
    fs::Metadata,
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use crate::core::files::Mark;

/// The mark of files, in this order: their lengths, when each was changed last, and which file each is.
pub fn mark(paths: impl Iterator<Item = PathBuf>) -> io::Result<Mark> {
    let mut hash = blake3::Hasher::new();
    for path in paths {
        add(&mut hash, &look(&path)?);
    }
    Ok(finish(&hash))
}

/// What the system says of a file; an error for what is none.
pub fn look(path: &Path) -> io::Result<Metadata> {
    let metadata = path.symlink_metadata()?;
    if metadata.is_file() {
        return Ok(metadata);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is neither a file nor a folder"))
}

fn add(hash: &mut blake3::Hasher, metadata: &Metadata) {
    for number in [metadata.len(), metadata.mtime() as u64, metadata.mtime_nsec() as u64, metadata.ino()] {
        hash.update(&number.to_be_bytes());
    }
}

fn finish(hash: &blake3::Hasher) -> Mark {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.finalize().as_bytes()[..8]);
    Mark(u64::from_be_bytes(bytes))
}
