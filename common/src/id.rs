//! Ids as types of their own, so that a slot is never taken for a number.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::name::RoomName;

/// An identity key: the public half of an Ed25519 key pair (RFC 8032). It is who somebody is; a name is only what
/// they are called.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key(#[serde(with = "serde_bytes")] pub [u8; 32]);

impl Key {
    /// The first 8 bytes in hexadecimal: short enough to read, long enough to tell keys of one room apart.
    pub fn short(&self) -> KeyPrefix {
        let mut prefix = [0; 8];
        prefix.copy_from_slice(&self.0[..8]);
        KeyPrefix(prefix)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.short())
    }
}

impl FromStr for Key {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        read_hex(text).map(Key).ok_or(BadId)
    }
}

/// The first 8 bytes of a [`Key`], as it stands in a [`MessageId`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPrefix(pub [u8; 8]);

impl fmt::Display for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// The small stable number that a room gives a member on joining. Freed slots are reused, the lowest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
pub struct Slot(pub u32);

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The version of a room's table. The number grows by one with each change of membership; the epoch is new, and
/// larger, whenever the table is begun afresh: when the room is made, or made again after the tracker lost it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug, Default)]
pub struct Version {
    /// When the table was begun, in milliseconds since 1970 by the tracker's clock, made unique and increasing.
    #[serde(rename = "e")]
    pub epoch: u64,
    /// Changes of membership since then.
    #[serde(rename = "n")]
    pub number: u64,
}

impl Version {
    /// Smaller than the version of any table: what a peer holds of a room it knows nothing of.
    pub const NONE: Version = Version { epoch: 0, number: 0 };

    /// The version one change later.
    pub fn next(self) -> Version {
        self.after(1)
    }

    /// The version so many changes later. No table ever has that many: only a number that somebody made up stays
    /// where all numbers end.
    pub fn after(self, changes: usize) -> Version {
        Version { epoch: self.epoch, number: self.number.saturating_add(changes as u64) }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.number)
    }
}

impl FromStr for Version {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let (epoch, number) = text.split_once('.').ok_or(BadId)?;
        Ok(Version { epoch: epoch.parse().map_err(|_| BadId)?, number: number.parse().map_err(|_| BadId)? })
    }
}

/// Names one message: the room, the author and the place in the author's log of that room. Written
/// `lobby/9f86d081884c7d65/17`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MessageId {
    /// Where it was said.
    pub room: RoomName,
    /// Who said it.
    pub author: KeyPrefix,
    /// Which of the author's messages in that room it is, from 1.
    pub number: u64,
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.room, self.author, self.number)
    }
}

impl FromStr for MessageId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let mut parts = text.split('/');
        let (Some(room), Some(author), Some(number), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(BadId);
        };
        Ok(MessageId {
            room: room.parse().map_err(|_| BadId)?,
            author: KeyPrefix(read_hex(author).ok_or(BadId)?),
            number: number.parse().map_err(|_| BadId)?,
        })
    }
}

/// The text is not an id of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id; a message's id looks like lobby/9f86d081884c7d65/17")]
pub struct BadId;

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn read_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N || !text.bytes().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_reads_back_as_written() {
        let id = MessageId { room: "lobby".parse().unwrap(), author: Key([0xab; 32]).short(), number: 17 };
        assert_eq!(id.to_string(), "lobby/abababababababab/17");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn what_is_no_message_id_is_refused() {
        for text in
            ["", "lobby", "lobby/ab/1", "lobby/abababababababab/x", "lobby/abababababababab/1/2", "/+bababababababab/1"]
        {
            assert_eq!(text.parse::<MessageId>(), Err(BadId), "{text}");
        }
    }

    #[test]
    fn a_later_epoch_is_a_later_version() {
        assert!(Version { epoch: 2, number: 0 } > Version { epoch: 1, number: 9 });
    }
}
