//! The bytes of a shared file or folder as one run, wherever they lie.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, IoSlice},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use nix::{fcntl::OFlag, sys::uio::pwritev};

use super::{layout::Layout, place::beside, shelf::Shelf, work::Work};
use crate::core::files::Place;

/// The bytes of one file or folder.
#[derive(Debug)]
pub struct Run {
    shelf: Shelf,
    place: Place,
    /// Where the bytes are now: under the name, or beside it while they are not whole.
    base: PathBuf,
    work: Arc<Work>,
    writes: bool,
    /// What was used last, and with it most often next.
    open: Option<(Spot, File)>,
}

/// One of the files in which the bytes lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Spot {
    /// The file itself.
    Plain,
    /// The head of a folder.
    Head,
    /// A file of a folder.
    Part(usize),
}

/// Where bytes are: in which file, from which byte of it, and how many in a row.
struct Where {
    spot: Spot,
    from: u64,
    length: usize,
}

impl Run {
    /// To be read. What is not whole may just have become so: then it is read from under its name.
    pub fn to_read(shelf: &Shelf, place: &Place, work: Arc<Work>) -> Run {
        let beside = beside(place);
        let base = if place.whole || !beside.exists() { place.path.clone() } else { beside };
        Run::at(shelf, place, base, work)
    }

    /// To be written, beside its name.
    pub fn to_write(shelf: &Shelf, place: &Place, work: Arc<Work>) -> Run {
        Run { writes: true, ..Run::at(shelf, place, beside(place), work) }
    }

    /// What lies at `base`, to be read.
    pub fn at(shelf: &Shelf, place: &Place, base: PathBuf, work: Arc<Work>) -> Run {
        Run { shelf: shelf.clone(), place: place.clone(), base, work, writes: false, open: None }
    }

    /// Where it lies.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// Fills `buffer` with the bytes at `offset`.
    pub fn read_at(&mut self, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            let Where { spot, from, length } = self.find(offset, buffer.len())?;
            let (now, rest) = buffer.split_at_mut(length);
            self.file(spot)?.read_exact_at(now, from)?;
            buffer = rest;
            offset += length as u64;
        }
        Ok(())
    }

    /// Writes bytes, in parts that follow each other, at `offset`.
    pub fn write_at(&mut self, mut offset: u64, mut parts: &mut [IoSlice<'_>]) -> io::Result<()> {
        loop {
            let left = parts.iter().map(|part| part.len()).sum();
            if left == 0 {
                return Ok(());
            }
            let Where { spot, from, length } = self.find(offset, left)?;
            let file = self.file(spot)?;
            let written = if length == left {
                pwritev(file, parts, from as i64)?
            } else {
                file.write_at(&parts[0][..parts[0].len().min(length)], from)?
            };
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            IoSlice::advance_slices(&mut parts, written);
            offset += written as u64;
        }
    }

    /// What is where in the folder.
    pub fn layout(&self) -> io::Result<Arc<Layout>> {
        self.work.layout(&self.shelf, &self.place.file)
    }

    fn find(&self, offset: u64, most: usize) -> io::Result<Where> {
        let head = self.place.file.head;
        let (spot, from, left) = if head == 0 {
            (Spot::Plain, offset, self.place.file.size.saturating_sub(offset))
        } else if offset < head {
            (Spot::Head, offset, head - offset)
        } else {
            let layout = self.layout()?;
            let part = layout.at(offset).ok_or(io::ErrorKind::UnexpectedEof)?;
            let range = &layout.parts[part].range;
            (Spot::Part(part), offset - range.start, range.end - offset)
        };
        match left {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            left => Ok(Where { spot, from, length: most.min(usize::try_from(left).unwrap_or(usize::MAX)) }),
        }
    }

    fn file(&mut self, spot: Spot) -> io::Result<&File> {
        if self.open.as_ref().is_none_or(|(open, _)| *open != spot) {
            self.open = None;
            let file = self.open(spot)?;
            self.open = Some((spot, file));
        }
        match &self.open {
            Some((_, file)) => Ok(file),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn open(&self, spot: Spot) -> io::Result<File> {
        let (path, length) = match spot {
            Spot::Head => {
                let path = self.shelf.head(&self.place.file.root);
                return if self.writes { self.shelf.open_to_write(&path) } else { File::open(path) };
            }
            Spot::Plain => (self.base.clone(), self.place.file.size),
            Spot::Part(part) => {
                let layout = self.layout()?;
                let part = &layout.parts[part];
                (self.base.join(&part.way), part.range.end - part.range.start)
            }
        };
        if self.writes { open_to_write(&path, length, &self.base) } else { open_to_read(&path) }
    }
}

/// Opens a file, and no link, pipe or device.
pub fn open_to_read(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    plain(OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?)
}

/// Opens or begins a file at `path`, which is `base` or below it, and has it `length` bytes long.
fn open_to_write(path: &Path, length: u64, base: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let open =
        || OpenOptions::new().read(true).write(true).create(true).truncate(false).custom_flags(flags.bits()).open(path);
    let file = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound && path != base => {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            open()
        }
        result => result,
    };
    let file = plain(file?)?;
    if file.metadata()?.len() != length {
        file.set_len(length)?;
    }
    Ok(file)
}

fn plain(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is neither a file nor a folder"))
}
