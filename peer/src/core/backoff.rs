//! Pauses between attempts: doubling, with jitter, so that many who lost the same thing do not all come back at once.

/// A small random generator (SplitMix64, Steele et al. 2014): good enough for jitter, and the same on every replay.
#[derive(Clone, Debug)]
pub struct Jitter(u64);

impl Jitter {
    /// Begins at `seed`, which the shell takes from the system's random source.
    pub fn new(seed: u64) -> Jitter {
        Jitter(seed)
    }

    /// A number from 0 to below `bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(mixed ^ (mixed >> 31)) * u128::from(bound)) >> 64) as u64
    }
}

/// Attempts that have failed in a row.
#[derive(Clone, Copy, Default, Debug)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause before the next attempt, in milliseconds: between half and the whole of `first` doubled with each
    /// failure, and never more than `most`.
    pub fn pause(&mut self, first: u64, most: u64, jitter: &mut Jitter) -> u64 {
        let whole = first.saturating_mul(1 << self.failures.min(20)).min(most);
        self.failures = self.failures.saturating_add(1);
        whole / 2 + jitter.below(whole / 2 + 1)
    }

    /// The next pause is the first again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_most_and_begin_again_after_a_success() {
        let (mut backoff, mut jitter) = (Backoff::default(), Jitter::new(1));
        for whole in [100, 200, 400, 800, 1000, 1000] {
            let pause = backoff.pause(100, 1000, &mut jitter);
            assert!((whole / 2..=whole).contains(&pause), "{pause} of {whole}");
        }
        backoff.reset();
        assert!(backoff.pause(100, 1000, &mut jitter) <= 100);
    }
}
