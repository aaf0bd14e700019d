//! Small damage to good inputs: what random bytes alone never reach.

use tests::sim::Random;

/// Bytes that mean something to a decoder: MessagePack's arrays, maps, strings, byte strings, extensions and integers
/// of the longest kind, JSON's and TOML's brackets, quotes.
const TELLING: &[u8] = b"\x00\xff\x7f\x80\x90\xc0\xc1\xc6\xc9\xcf\xd9\xdb\xdd\xdf[]{}\",:.=/-\n";

/// One of the inputs, damaged in one to four ways.
pub fn mutate(random: &mut Random, inputs: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = inputs[random.below(inputs.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, TELLING[random.below(TELLING.len())]),
            2 => {
                let other = &inputs[random.below(inputs.len())];
                bytes.truncate(at);
                bytes.extend(&other[random.below(other.len())..]);
            }
            _ if bytes.is_empty() => {}
            3 => bytes[at] = TELLING[random.below(TELLING.len())],
            4 => bytes[at] ^= 1 << random.below(8),
            _ => drop(bytes.drain(at..(at + random.below(16)).min(bytes.len()))),
        }
    }
    bytes
}
