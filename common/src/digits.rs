//! Hashes as people read them to each other.

/// Sixty decimal digits in twelve groups of five, made of `bytes` under a `context` of their own: equal where those are.
pub fn sixty(context: &str, bytes: &[u8]) -> String {
    let mut hash = [0; 12 * 8];
    blake3::Hasher::new_derive_key(context).update(bytes).finalize_xof().fill(&mut hash);
    // Of 64 bits the remainder prefers no group that anybody could tell.
    let groups = hash.as_chunks().0.iter().map(|bytes| format!("{:05}", u64::from_be_bytes(*bytes) % 100_000));
    groups.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_twelve_groups_of_five_and_hang_on_every_byte_and_the_context() {
        let digits = sixty("a", &[1, 2]);
        assert_eq!(digits.split(' ').map(str::len).collect::<Vec<_>>(), [5; 12]);
        assert!(digits.chars().all(|c| c == ' ' || c.is_ascii_digit()));
        assert!(digits != sixty("a", &[1, 3]) && digits != sixty("b", &[1, 2]));
        assert_eq!(digits, sixty("a", &[1, 2]));
    }
}
