//! Files that members share: what is said of one, how it is cut into pieces, and which pieces somebody has.
//!
//! A file is named by its [`Root`], the BLAKE3 hash of its bytes. Any range of it can be proven to belong to that root by
//! the hashes beside it (bao), in groups of [`GROUP`] bytes: nothing unproven is ever kept.
//!
//! A folder is shared as one run of bytes, so that everything here holds for it too: first the list of what is in it,
//! padded to a whole number of groups, [`FileInfo::head`] bytes in all, then the bytes of its files one after the other.

mod pieces;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

pub use pieces::{Grid, Pieces};

use crate::{
    id::{BadId, Key},
    identity::Identity,
    limits,
    name::RoomName,
};

/// Bytes that are proven together: 16 chunks of BLAKE3.
pub const GROUP: u64 = 16 * 1024;
/// The smallest piece, in bytes.
pub const SMALLEST_PIECE: u64 = 4 * GROUP;
/// Most pieces of one file, its head apart: what is kept in memory of a file has this bound, whatever its size.
pub const PIECES: u64 = 8_192;

/// The BLAKE3 hash of a file's bytes: it names the file, and proves every part of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Root(#[serde(with = "serde_bytes")] pub [u8; 32]);

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Key(self.0).fmt(f)
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root({})", Key(self.0).short())
    }
}

impl FromStr for Root {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        text.parse::<Key>().map(|key| Root(key.0))
    }
}

/// What is said of a file where it is shared.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct FileInfo {
    /// Which.
    #[serde(rename = "h")]
    pub root: Root,
    /// What whoever shares it calls it: a name, not a path, at most [`limits::FILE_NAME_BYTES`] long. It comes from
    /// outside: it is made harmless before it names anything on disk, or is shown.
    #[serde(rename = "n")]
    pub name: String,
    /// How many bytes there are, those of the head included.
    #[serde(rename = "s")]
    pub size: u64,
    /// For a folder, how many of the bytes list what is in it: a whole number of [`GROUP`]s; 0 for a file.
    #[serde(rename = "f", default, skip_serializing_if = "is_zero")]
    pub head: u64,
    /// What kind of file it is, as `image/jpeg`, by its bytes; empty if that is not known. At most
    /// [`limits::MEDIA_BYTES`] long.
    #[serde(rename = "m", default, skip_serializing_if = "String::is_empty")]
    pub media: String,
    /// For a picture, its width and height.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub pixels: Option<(u32, u32)>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Why a file cannot be shared as it is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadFile {
    /// The name is empty, too long, or a path.
    #[error("a file's name has 1 to {} bytes, and no slash or control character", limits::FILE_NAME_BYTES)]
    Name,
    /// There is nothing in it, or more than a file can have.
    #[error("a file of that size cannot be shared: it has to have 1 byte or more")]
    Size,
    /// The list of a folder is not within it.
    #[error("the list of a folder has at most {} bytes, and lies within it", limits::FOLDER_LIST)]
    Head,
    /// The media type is too long.
    #[error("a media type has at most {} bytes", limits::MEDIA_BYTES)]
    Media,
}

impl FileInfo {
    /// Whether it is within its bounds.
    pub fn check(&self) -> Result<(), BadFile> {
        let bad_name = self.name.is_empty()
            || self.name.len() > limits::FILE_NAME_BYTES
            || self.name.chars().any(|c| c == '/' || c.is_control())
            || self.name == "."
            || self.name == "..";
        if bad_name {
            return Err(BadFile::Name);
        }
        if self.size == 0 || self.size > limits::FILE_BYTES {
            return Err(BadFile::Size);
        }
        if !self.head.is_multiple_of(GROUP) || self.head > self.size || self.head > limits::FOLDER_LIST {
            return Err(BadFile::Head);
        }
        if self.media.len() > limits::MEDIA_BYTES || self.media.chars().any(char::is_control) {
            return Err(BadFile::Media);
        }
        Ok(())
    }

    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.head > 0
    }

    /// How it is cut into pieces.
    pub fn grid(&self) -> Grid {
        Grid { size: self.size, head: self.head }
    }

    /// What is said of it to those who know only text.
    pub fn as_text(&self) -> String {
        let size = self.size - self.head;
        match (self.is_folder(), self.pixels) {
            (true, _) => format!("shares the folder {} ({size} bytes)", self.name),
            (false, Some((width, height))) => {
                format!("shares {} ({}, {width}x{height}, {size} bytes)", self.name, self.media)
            }
            (false, None) if self.media.is_empty() => format!("shares {} ({size} bytes)", self.name),
            (false, None) => format!("shares {} ({}, {size} bytes)", self.name, self.media),
        }
    }
}

/// A member's word that it shares a file in a room: who keeps the list cannot add to it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Offer {
    /// Which file.
    #[serde(rename = "i")]
    pub file: FileInfo,
    /// When it was shared, in seconds since 1970, by the clock of who shares it.
    #[serde(rename = "t")]
    pub at: u64,
    /// The signature of who shares it.
    #[serde(rename = "g")]
    signature: ByteArray<64>,
}

impl Offer {
    /// The word of `member`.
    pub fn sign(member: &Identity, room: &RoomName, file: FileInfo, at: u64) -> Offer {
        let mut offer = Offer { file, at, signature: ByteArray::new([0; 64]) };
        offer.signature = ByteArray::new(member.sign(&offer.signed_bytes(room)));
        offer
    }

    /// Whether it is the word of `member`, and within its bounds.
    pub fn verify(&self, member: &Key, room: &RoomName) -> bool {
        self.file.check().is_ok() && member.verify(&self.signed_bytes(room), &self.signature)
    }

    /// The signature of who shares it.
    pub fn signature(&self) -> &[u8; 64] {
        &self.signature
    }

    /// Takes everything that tells one offer from another into a hash.
    pub fn hash_into(&self, hash: &mut blake3::Hasher) {
        let FileInfo { root, name, size, head, media, pixels } = &self.file;
        hash.update(&root.0);
        hash.update(&size.to_be_bytes());
        hash.update(&head.to_be_bytes());
        hash.update(&self.at.to_be_bytes());
        let (width, height) = pixels.unwrap_or_default();
        hash.update(&[u8::from(pixels.is_some())]);
        hash.update(&width.to_be_bytes());
        hash.update(&height.to_be_bytes());
        for text in [name, media] {
            hash.update(&(text.len() as u32).to_be_bytes());
            hash.update(text.as_bytes());
        }
    }

    /// The prefix keeps the signature from being mistaken for another of the same key.
    fn signed_bytes(&self, room: &RoomName) -> [u8; 49] {
        let mut hash = blake3::Hasher::new_derive_key("rollcall 1 offer");
        hash.update(&(room.as_str().len() as u32).to_be_bytes());
        hash.update(room.as_str().as_bytes());
        self.hash_into(&mut hash);
        let mut bytes = [0; 49];
        bytes[..17].copy_from_slice(b"rollcall 1 offer:");
        bytes[17..].copy_from_slice(hash.finalize().as_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> FileInfo {
        let (name, media) = ("cat.jpg".into(), "image/jpeg".into());
        FileInfo { root: Root([1; 32]), name, size: 100_000, head: 0, media, pixels: Some((640, 480)) }
    }

    #[test]
    fn nothing_in_an_offer_can_be_another() {
        let (alice, bob) = (Identity::from_seed([1; 32]), Identity::from_seed([2; 32]));
        let (lobby, other) = ("lobby".parse().unwrap(), "other".parse().unwrap());
        let good = Offer::sign(&alice, &lobby, info(), 5);
        assert!(good.verify(&alice.key(), &lobby));
        assert!(!good.verify(&bob.key(), &lobby) && !good.verify(&alice.key(), &other));
        let bad = |alter: fn(&mut Offer)| {
            let mut offer = good.clone();
            alter(&mut offer);
            offer.verify(&alice.key(), &lobby)
        };
        assert!(!bad(|o| o.at = 6));
        assert!(!bad(|o| o.file.root.0[0] ^= 1));
        assert!(!bad(|o| o.file.name.push('x')));
        assert!(!bad(|o| o.file.size += 1));
        assert!(!bad(|o| o.file.head = GROUP));
        assert!(!bad(|o| o.file.media = "image/png".into()));
        assert!(!bad(|o| o.file.pixels = None));
    }

    #[test]
    fn what_is_no_name_or_cannot_be_in_a_file_is_refused() {
        let with = |alter: fn(&mut FileInfo)| {
            let mut file = info();
            alter(&mut file);
            file.check()
        };
        assert_eq!(with(|_| {}), Ok(()));
        assert_eq!(with(|f| f.name = "../x".into()), Err(BadFile::Name));
        assert_eq!(with(|f| f.name = "..".into()), Err(BadFile::Name));
        assert_eq!(with(|f| f.name = "x".repeat(4_000)), Err(BadFile::Name));
        assert_eq!(with(|f| f.name = "a\u{1b}[2J".into()), Err(BadFile::Name));
        assert_eq!(with(|f| f.size = 0), Err(BadFile::Size));
        assert_eq!(with(|f| f.size = u64::MAX), Err(BadFile::Size));
        assert_eq!(with(|f| f.head = 5), Err(BadFile::Head));
        assert_eq!(with(|f| f.head = GROUP * 100), Err(BadFile::Head));
    }
}
