//! The dice of the switch: splitmix64, so that a seed means the same run for ever, whatever crate changes.

/// A seeded source of numbers.
pub struct Random(u64);

impl Random {
    /// The source that `seed` stands for.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// Whether something happens that happens with this probability. A certain answer throws no dice.
    pub fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && (probability >= 1.0 || self.unit() < probability)
    }

    /// A number from 0 up to, not including, 1.
    pub fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_means_one_sequence() {
        let run = |seed| {
            let mut random = Random::new(seed);
            [(); 8].map(|()| random.unit())
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }

    #[test]
    fn a_share_is_met() {
        let mut random = Random::new(1);
        let hits = (0..100_000).filter(|_| random.happens(0.05)).count();
        assert!((4_600..5_400).contains(&hits), "{hits}");
    }
}
