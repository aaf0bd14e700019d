//! The archive in a backup: files one after the other, as `tar` reads and writes them (ustar of POSIX). It is as little of
//! that as a backup needs: plain files.

use std::io::{self, Read, Write};

/// What everything in an archive is a multiple of.
const BLOCK: usize = 512;
/// The most bytes that the size of a file can say.
const LARGEST: u64 = 0o777_7777_7777;
/// What marks a header as one.
const MAGIC: &[u8] = b"ustar";
/// Where the sum of a header's bytes stands in it.
const SUM: std::ops::Range<usize> = 148..156;

/// A file in an archive, whose content follows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// What it is called, without folders.
    pub name: String,
    /// Its bytes.
    pub size: u64,
}

/// An archive that is being read.
pub struct Archive<R> {
    from: R,
    /// Bytes of the last entry that have not been read, and those that fill its last block.
    left: u64,
    filling: u64,
}

/// Writes a file under `folder/name`, which are short words of ours, of exactly `size` bytes, last changed so many seconds after 1970.
pub fn put(to: &mut impl Write, folder: &str, name: &str, size: u64, changed: u64, from: impl Read) -> io::Result<()> {
    if size > LARGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("{name} is larger than 8 GiB")));
    }
    let mut header = [0; BLOCK];
    let mut field = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    field(0, &format!("{folder}/{name}"));
    field(100, "0000600\0");
    field(108, "0000000\0");
    field(116, "0000000\0");
    field(124, &format!("{size:011o}\0"));
    field(136, &format!("{:011o}\0", changed.min(LARGEST)));
    field(156, "0");
    field(257, "ustar\x0000");
    let sum = sum(&header);
    header[SUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    to.write_all(&header)?;
    let written = io::copy(&mut from.take(size), to)?;
    if written < size {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{name} has become shorter")));
    }
    to.write_all(&[0; BLOCK][..filling(size) as usize])
}

/// Writes what ends an archive.
pub fn end(to: &mut impl Write) -> io::Result<()> {
    to.write_all(&[0; 2 * BLOCK])
}

impl<R: Read> Archive<R> {
    /// The archive that `from` holds.
    pub fn new(from: R) -> Archive<R> {
        Archive { from, left: 0, filling: 0 }
    }

    /// The next file; what has not been read of the last one is skipped. `None` at the end, once all of it has been
    /// read to its last byte. [`io::ErrorKind::InvalidData`] if it is no such archive.
    pub fn next(&mut self) -> io::Result<Option<Entry>> {
        loop {
            let rest = self.left + self.filling;
            (self.left, self.filling) = (0, 0);
            if io::copy(&mut self.from.by_ref().take(rest), &mut io::sink())? < rest {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let mut header = [0; BLOCK];
            self.from.read_exact(&mut header)?;
            if header == [0; BLOCK] {
                // What is behind has to be whole too: it says that nothing was cut off.
                io::copy(&mut self.from, &mut io::sink())?;
                return Ok(None);
            }
            let said = number(&header[SUM]);
            if !header[257..].starts_with(MAGIC) || said != Some(sum(&header)) {
                return Err(bad("there is something else in it than files"));
            }
            let size = number(&header[124..136]).ok_or_else(|| bad("it has a file of no size"))?;
            (self.left, self.filling) = (size, filling(size));
            match header[156] {
                b'0' | 0 => {
                    let path = header[..100].split(|byte| *byte == 0).next().unwrap_or_default();
                    let path = str::from_utf8(path).map_err(|_| bad("it has a file with no name"))?;
                    let name = path.rsplit('/').next().unwrap_or_default().to_string();
                    return Ok(Some(Entry { name, size }));
                }
                // A folder, as `tar` writes one.
                b'5' => {}
                _ => return Err(bad("there is something else in it than files")),
            }
        }
    }
}

/// The content of the last entry.
impl<R: Read> Read for Archive<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.from.read(&mut into[..most])?;
        if read == 0 && most > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        Ok(read)
    }
}

fn bad(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Bytes from the end of a file of that size to the next block.
fn filling(size: u64) -> u64 {
    size.next_multiple_of(BLOCK as u64) - size
}

/// The sum of a header's bytes, with its own place taken for spaces.
fn sum(header: &[u8; BLOCK]) -> u64 {
    let all: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    let own: u64 = header[SUM].iter().map(|byte| u64::from(*byte)).sum();
    all - own + SUM.len() as u64 * u64::from(b' ')
}

/// A number in octal digits, among spaces and zeros; none above [`LARGEST`].
fn number(field: &[u8]) -> Option<u64> {
    let digits = str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    u64::from_str_radix(digits, 8).ok().filter(|number| *number <= LARGEST)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn archive() -> Vec<u8> {
        let mut archive = Vec::new();
        put(&mut archive, "alice", "key", 3, 1_000_000_000, &b"abc"[..]).unwrap();
        put(&mut archive, "alice", "history.db", 1_024, 1_000_000_000, &[7; 1_024][..]).unwrap();
        end(&mut archive).unwrap();
        archive
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<(Entry, Vec<u8>)>> {
        let mut archive = Archive::new(bytes);
        let mut entries = Vec::new();
        while let Some(entry) = archive.next()? {
            let mut content = Vec::new();
            archive.by_ref().take(entry.size).read_to_end(&mut content)?;
            entries.push((entry, content));
        }
        Ok(entries)
    }

    #[test]
    fn what_is_written_reads_back() {
        let entries = read(&archive()).unwrap();
        assert_eq!(entries[0], (Entry { name: "key".into(), size: 3 }, b"abc".to_vec()));
        assert_eq!(entries[1], (Entry { name: "history.db".into(), size: 1_024 }, vec![7; 1_024]));
        assert_eq!(entries.len(), 2);
    }

    #[test]
    fn content_that_is_not_read_is_skipped() {
        let bytes = archive();
        let mut archive = Archive::new(&bytes[..]);
        assert_eq!(archive.next().unwrap().unwrap().name, "key");
        assert_eq!(archive.next().unwrap().unwrap().name, "history.db");
        assert_eq!(archive.next().unwrap(), None);
    }

    #[test]
    fn one_that_is_cut_anywhere_is_an_error() {
        let bytes = archive();
        for length in 0..bytes.len() - 512 {
            assert!(read(&bytes[..length]).is_err(), "cut after {length}");
        }
    }

    #[test]
    fn a_changed_header_is_an_error() {
        let bytes = archive();
        for place in (0..300).chain(1_024..1_324) {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert!(read(&changed).is_err(), "at {place}");
        }
    }

    #[test]
    fn tar_reads_what_is_written_and_what_it_writes_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive.tar");
        std::fs::write(&path, archive()).unwrap();
        let tar = |arguments: &[&str]| {
            let run = Command::new("tar").args(arguments).arg(&path).current_dir(folder.path()).output().unwrap();
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        };
        tar(&["-xf"]);
        assert_eq!(std::fs::read(folder.path().join("alice/key")).unwrap(), b"abc");
        std::fs::remove_file(&path).unwrap();
        let run = Command::new("tar").args(["-cf", "archive.tar", "alice"]).current_dir(folder.path()).status();
        assert!(run.unwrap().success());
        let mut names: Vec<String> =
            read(&std::fs::read(&path).unwrap()).unwrap().into_iter().map(|e| e.0.name).collect();
        names.sort();
        assert_eq!(names, ["history.db", "key"]);
    }
}
