//! A small disk that can be filled.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::PathBuf,
};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::host::Host;

const FILLER: &str = "filler";
/// The least that any file takes of it, in bytes.
const PAGE: usize = 4096;

/// A file system in memory, in place of a host's folder; gone when it is dropped.
pub struct Disk(PathBuf);

impl Host {
    /// Puts a disk of so many bytes in place of the host's folder, which is to be empty.
    ///
    /// # Panics
    /// If the system refuses.
    pub fn small_disk(&self, bytes: usize) -> Disk {
        let folder = self.folder().to_owned();
        let options = format!("size={bytes}");
        mount(Some("disk"), &folder, Some("tmpfs"), MsFlags::empty(), Some(options.as_str())).expect("a disk");
        Disk(folder)
    }
}

impl Disk {
    /// Writes a file until nothing more fits.
    pub fn fill(&self) {
        let mut file = File::create_new(self.0.join(FILLER)).expect("a new file");
        let full = loop {
            if let Err(error) = file.write_all(&[0; PAGE]) {
                break error;
            }
        };
        assert_eq!(full.kind(), io::ErrorKind::StorageFull, "{full}");
    }

    /// Removes that file.
    pub fn clear(&self) {
        fs::remove_file(self.0.join(FILLER)).expect("the file goes");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Programs that still run there keep it until they end.
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}
