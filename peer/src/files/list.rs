//! The head of a shared folder: the list of what is in it.
//!
//! MessagePack, an array of entries, padded with zeros to a whole number of groups. The entries are in the order of their
//! names, part by part, and so are the bytes of the files behind the head.

use std::fmt;

use common::{file::GROUP, frame, limits};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, SeqAccess, Visitor},
};

/// Most entries of a folder.
pub const ENTRIES: usize = 100_000;
/// Deepest nesting.
pub const LEVELS: usize = 64;

/// A file of a folder, or a folder within it that is empty.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Entry {
    /// The way to it from the folder.
    pub way: Vec<String>,
    /// Bytes of the file; `None` for an empty folder.
    pub length: Option<u64>,
    /// Whether it may be run as a program.
    pub runs: bool,
}

/// Why bytes are not the head of a folder.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadList {
    /// It is not MessagePack, or not of entries.
    #[error("it cannot be read: {0}")]
    Malformed(String),
    /// A way leads out of the folder, or nowhere.
    #[error("it names a file outside of the folder")]
    Outside,
    /// Two entries are in one place, or not in order.
    #[error("it names a file twice, or out of order")]
    Order,
    /// The lengths are not those of the bytes behind it.
    #[error("its files have {listed} bytes, and not {there}")]
    Length {
        /// What the list says.
        listed: u64,
        /// What there is.
        there: u64,
    },
}

/// The head with these entries, which must be in order.
pub fn encode(entries: &[Entry]) -> Result<Vec<u8>, String> {
    let too_many = || {
        let (most, bytes) = (ENTRIES, limits::FOLDER_LIST);
        format!("it holds too much: a folder can have {most} files, and the list of their names {bytes} bytes")
    };
    if entries.len() > ENTRIES {
        return Err(too_many());
    }
    let mut head = rmp_serde::to_vec(entries).map_err(|error| error.to_string())?;
    let whole = (head.len() as u64).next_multiple_of(GROUP);
    if whole > limits::FOLDER_LIST {
        return Err(too_many());
    }
    head.resize(whole as usize, 0);
    Ok(head)
}

/// Reads a head with `there` bytes behind it. It comes from outside: no name in it has been made harmless.
pub fn decode(head: &[u8], there: u64) -> Result<Vec<Entry>, BadList> {
    let Entries(entries) = frame::unpack(head).map_err(|error| BadList::Malformed(error.to_string()))?;
    let leads_out = |entry: &Entry| {
        entry.way.is_empty()
            || entry.way.len() > LEVELS
            || entry.way.iter().any(|part| part.is_empty() || part == "." || part == ".." || part.contains(['/', '\0']))
    };
    if entries.iter().any(leads_out) {
        return Err(BadList::Outside);
    }
    // What is below a file would follow it at once.
    if entries.windows(2).any(|pair| pair[0].way >= pair[1].way || pair[1].way.starts_with(&pair[0].way)) {
        return Err(BadList::Order);
    }
    let listed = entries.iter().fold(0u64, |sum, entry| sum.saturating_add(entry.length.unwrap_or(0)));
    if listed != there {
        return Err(BadList::Length { listed, there });
    }
    Ok(entries)
}

/// Entries, no more of them than there may be: a short name takes far more room in memory than in a list.
struct Entries(Vec<Entry>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Entries, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                write!(f, "at most {ENTRIES} entries")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = seq.next_element()? {
                    if entries.len() == ENTRIES {
                        return Err(de::Error::invalid_length(entries.len() + 1, &self));
                    }
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_seq(Reader)
    }
}
