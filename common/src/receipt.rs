//! Receipts that travel through a third peer. Between two who are linked the link proves who receipts; here a
//! signature does, so that nobody in between can tick a message for another.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use crate::{id::Key, identity::Identity, limits, name::RoomName};

/// A member's word that it has these messages of one log in its store, synced.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Receipt {
    /// The room.
    #[serde(rename = "r")]
    pub room: RoomName,
    /// Whose log, and so who is to be told.
    #[serde(rename = "a")]
    pub author: Key,
    /// Who has them.
    #[serde(rename = "m")]
    pub member: Key,
    /// First and last numbers, at most [`limits::RECEIPT_RANGES`] pairs.
    #[serde(rename = "n")]
    pub ranges: Vec<(u64, u64)>,
    /// The member's signature.
    #[serde(rename = "g")]
    signature: ByteArray<64>,
}

impl Receipt {
    /// A receipt of `member`.
    pub fn sign(member: &Identity, room: &RoomName, author: Key, ranges: Vec<(u64, u64)>) -> Receipt {
        let signature = ByteArray::new([0; 64]);
        let mut receipt = Receipt { room: room.clone(), author, member: member.key(), ranges, signature };
        receipt.signature = ByteArray::new(member.sign(&receipt.signed_bytes()));
        receipt
    }

    /// Whether the member named has signed it, and it is within its bounds.
    pub fn verify(&self) -> bool {
        self.ranges.len() <= limits::RECEIPT_RANGES && self.member.verify(&self.signed_bytes(), &self.signature)
    }

    /// Room and author are bound by the hash, each with its length fixed or before it; the prefix keeps the signature
    /// from being mistaken for another of the same key.
    fn signed_bytes(&self) -> [u8; 51] {
        let mut hash = blake3::Hasher::new_derive_key("rollcall 1 receipt");
        hash.update(&self.author.0);
        hash.update(&(self.room.as_str().len() as u32).to_be_bytes());
        hash.update(self.room.as_str().as_bytes());
        for (first, last) in &self.ranges {
            hash.update(&first.to_be_bytes());
            hash.update(&last.to_be_bytes());
        }
        let mut bytes = [0; 51];
        bytes[..19].copy_from_slice(b"rollcall 1 receipt:");
        bytes[19..].copy_from_slice(hash.finalize().as_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_receipt_can_be_another() {
        let (alice, bob) = (Identity::from_seed([1; 32]), Identity::from_seed([2; 32]));
        let good = Receipt::sign(&bob, &"lobby".parse().unwrap(), alice.key(), vec![(1, 3), (5, 9)]);
        assert!(good.verify());
        let bad = |alter: fn(&mut Receipt)| {
            let mut receipt = good.clone();
            alter(&mut receipt);
            receipt.verify()
        };
        assert!(!bad(|r| r.room = "other".parse().unwrap()));
        assert!(!bad(|r| r.author = r.member));
        assert!(!bad(|r| r.member = r.author));
        assert!(!bad(|r| r.ranges[0].1 = 4));
        assert!(!bad(|r| r.ranges.truncate(1)));
        assert!(!bad(|r| r.ranges = vec![(1, 1); limits::RECEIPT_RANGES + 1]));
    }
}
