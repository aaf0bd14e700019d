//! Safety numbers: what two people read out to each other to know that each has the other's key.

use crate::id::Key;

/// How often each half is hashed: finding a key whose half agrees in part with another's costs so many times more.
const ROUNDS: usize = 5_200;
/// Digits of a group.
const GROUP: u64 = 100_000;

/// 60 digits in 12 groups of five, the same for both sides. Each key has 30 of them: BLAKE3 over the key, hashed again
/// with the key 5,200 times; each five of the first 30 bytes, as a number modulo 100,000, are a group. The smaller half
/// stands first. (The form is that of Signal's numeric fingerprints; the numbers are not.)
pub fn safety_number(one: &Key, other: &Key) -> String {
    let (one, other) = (half(one), half(other));
    let (first, second) = if one < other { (one, other) } else { (other, one) };
    format!("{first} {second}")
}

fn half(key: &Key) -> String {
    let mut hash = blake3::derive_key("rollcall 1 safety number", &key.0);
    for _ in 0..ROUNDS {
        let mut next = blake3::Hasher::new();
        next.update(&hash);
        next.update(&key.0);
        hash = *next.finalize().as_bytes();
    }
    let group = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)) % GROUP;
    let groups: Vec<String> = hash[..30].chunks(5).map(|bytes| format!("{:05}", group(bytes))).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_have_the_same_number_and_another_key_has_another() {
        let (one, other) = (Key([1; 32]), Key([2; 32]));
        let number = safety_number(&one, &other);
        assert_eq!(number, safety_number(&other, &one));
        let groups: Vec<&str> = number.split(' ').collect();
        assert_eq!(groups.len(), 12);
        assert!(groups.iter().all(|group| group.len() == 5 && group.bytes().all(|c| c.is_ascii_digit())));
        assert_ne!(number, safety_number(&one, &Key([3; 32])));
    }
}
