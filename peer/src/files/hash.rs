//! Hashing files and folders to share them.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use bao_tree::io::sync::outboard_post_order;
use common::{
    file::{FileInfo, Root},
    limits, why,
    wire::control::{Exit, Refusal},
};

use super::{harmless, layout::Layout, list, mark, proof::tree, run::open_to_read, shelf::Shelf, walk};
use crate::core::files::{Hashed, Mark};

/// Bytes read at once.
const BUFFER: usize = 1024 * 1024;
/// Bytes at the beginning of a file that tell what kind it is.
const BEGINNING: usize = 8 * 1024;

/// What is being hashed has a file of its own until its root is known.
static LAST: AtomicU64 = AtomicU64::new(0);

/// Hashes a file or folder of this disk, and keeps its hashes on the shelf. Ends early, with a refusal, once `over` is set.
pub fn hash(shelf: &Shelf, path: &Path, over: &AtomicBool) -> Result<Hashed, Refusal> {
    let refuse = |why: String| Refusal::new(Exit::Refused, format!("{} cannot be shared: {why}", path.display()));
    let real = path.canonicalize().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            Refusal::new(Exit::Refused, format!("there is no file {}; check the path", path.display()))
        }
        _ => refuse(why(&error)),
    })?;
    let name = path.file_name().or(real.file_name()).map(|name| name.to_string_lossy()).unwrap_or_default();
    let source = if real.is_dir() { folder(&real) } else { file(&real) }.map_err(refuse)?;
    let root = source.hash(shelf, over).map_err(refuse)?;
    let file = FileInfo { root, name: passable(&name), ..source.file };
    file.check().map_err(|bad| refuse(bad.to_string()))?;
    Ok(Hashed { file, path: real, mark: source.mark })
}

/// Something to be hashed.
struct Source {
    /// What it is; its root and its name are not known yet.
    file: FileInfo,
    /// For a folder, the bytes before those of its files.
    head: Vec<u8>,
    /// The files, in order, with their lengths.
    files: Vec<(PathBuf, u64)>,
    mark: Mark,
}

fn file(path: &Path) -> Result<Source, String> {
    let mut file = open_to_read(path).map_err(|error| why(&error))?;
    let size = file.metadata().map_err(|error| why(&error))?.len();
    let files = vec![(path.to_path_buf(), size)];
    let mark = marked(&files)?;
    let media = media(&mut file).unwrap_or_default();
    let pixels = media.starts_with("image/").then(|| pixels(file)).flatten();
    let file = FileInfo { root: Root([0; 32]), name: String::new(), size, head: 0, media, pixels };
    if size == 0 {
        return Err("there is nothing in it".into());
    }
    Ok(Source { file, head: Vec::new(), files, mark })
}

fn folder(path: &Path) -> Result<Source, String> {
    let found = walk::walk(path).map_err(|error| error.to_string())?;
    if !found.left_out.is_empty() {
        let some: Vec<_> = found.left_out.iter().take(3).map(|path| path.display().to_string()).collect();
        let (count, some) = (found.left_out.len(), some.join(", "));
        if found.entries.is_empty() {
            return Err(format!(
                "there is nothing in it but {count} links, devices and names that are not text, such as {some}, which are \
                 not shared"
            ));
        }
        tracing::warn!("{}: {count} links, devices and names that are not text are left out: {some}", path.display());
    }
    let head = list::encode(&found.entries)?;
    let layout = Layout::as_listed(&found.entries, head.len() as u64);
    let size = layout.parts.last().map_or(head.len() as u64, |part| part.range.end);
    let lengths = layout.parts.iter().map(|part| part.range.end - part.range.start);
    let files: Vec<_> = layout.paths(path).zip(lengths).collect();
    let mark = marked(&files)?;
    let file = FileInfo {
        root: Root([0; 32]),
        name: String::new(),
        size,
        head: head.len() as u64,
        media: String::new(),
        pixels: None,
    };
    Ok(Source { file, head, files, mark })
}

fn marked(files: &[(PathBuf, u64)]) -> Result<Mark, String> {
    mark::mark(files.iter().map(|(path, _)| path.clone())).map_err(|error| why(&error))
}

impl Source {
    /// Hashes it, and puts the hashes, and the head of a folder, on the shelf.
    fn hash(&self, shelf: &Shelf, over: &AtomicBool) -> Result<Root, String> {
        if self.file.size > limits::FILE_BYTES {
            return Err(format!("it has more than {} bytes", limits::FILE_BYTES));
        }
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let (hashes, made) = shelf.begin(number).map_err(|error| shelf_error(&error))?;
        let result = self.hash_into(hashes, over).and_then(|root| {
            shelf.put(&made, &root).map_err(|error| shelf_error(&error))?;
            self.keep_head(shelf, &root).map_err(|error| shelf_error(&error))?;
            Ok(root)
        });
        if result.is_err() {
            // Nothing looks for it under this name.
            let _ = std::fs::remove_file(&made);
        }
        result
    }

    fn hash_into(&self, hashes: File, over: &AtomicBool) -> Result<Root, String> {
        let changes = "it changes while it is read; share it once it is left alone";
        let chain = Chain { head: &self.head, files: self.files.iter(), open: None, over };
        let reader = BufReader::with_capacity(BUFFER, chain);
        let hash = outboard_post_order(reader, tree(self.file.size), BufWriter::with_capacity(BUFFER, hashes));
        let hash = hash.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => changes.to_string(),
            _ => why(&error),
        })?;
        if marked(&self.files).ok() != Some(self.mark) {
            return Err(changes.into());
        }
        Ok(Root(hash.into()))
    }

    fn keep_head(&self, shelf: &Shelf, root: &Root) -> io::Result<()> {
        if self.head.is_empty() {
            return Ok(());
        }
        std::fs::write(shelf.head(root), &self.head)?;
        std::fs::write(shelf.own(root), b"")
    }
}

fn shelf_error(error: &io::Error) -> String {
    format!("its hashes cannot be kept: {}", why(error))
}

/// The head, and then the files one after the other.
struct Chain<'a> {
    head: &'a [u8],
    files: std::slice::Iter<'a, (PathBuf, u64)>,
    open: Option<io::Take<File>>,
    over: &'a AtomicBool,
}

impl Read for Chain<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.over.load(Ordering::Relaxed) {
            return Err(io::Error::other("the session has ended"));
        }
        if !self.head.is_empty() {
            return self.head.read(buffer);
        }
        loop {
            if let Some(open) = &mut self.open {
                match open.read(buffer)? {
                    0 => self.open = None,
                    bytes => return Ok(bytes),
                }
            }
            let Some((path, length)) = self.files.next() else { return Ok(0) };
            let file = open_to_read(path)?;
            if file.metadata()?.len() != *length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.open = Some(file.take(*length));
        }
    }
}

fn media(file: &mut File) -> Option<String> {
    let mut beginning = Vec::with_capacity(BEGINNING);
    file.by_ref().take(BEGINNING as u64).read_to_end(&mut beginning).ok()?;
    infer::get(&beginning).map(|kind| kind.mime_type().to_string())
}

fn pixels(mut file: File) -> Option<(u32, u32)> {
    file.rewind().ok()?;
    let size = imagesize::reader_size(BufReader::new(file)).ok()?;
    Some((u32::try_from(size.width).ok()?, u32::try_from(size.height).ok()?))
}

/// A name as near to the one on disk as can be said.
fn passable(name: &str) -> String {
    let name = name.replace(|c: char| c == '/' || c.is_control(), "_");
    if name.len() > limits::FILE_NAME_BYTES { harmless::shortened(&name, limits::FILE_NAME_BYTES) } else { name }
}
