//! Chance within a run: every use has a stream of its own, and each step of the history begins them afresh. What
//! happens between two peers after a step then does not hang on what other steps or peers have drawn.

use std::collections::BTreeMap;

use crate::sim::Random;

/// What is drawn.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Draw {
    /// How long something takes on its way.
    Latency,
    /// How long a handshake takes.
    Handshake,
    /// How long a commit takes.
    Commit,
    /// How a connection breaks.
    Break,
    /// The number that a process begins with.
    Start,
    /// The id of new tables.
    Tables,
}

/// The streams.
pub struct Chance {
    seed: u64,
    step: u64,
    streams: BTreeMap<(Draw, usize, usize), Random>,
}

impl Chance {
    /// Those of one history.
    pub fn new(seed: u64) -> Chance {
        Chance { seed, step: 0, streams: BTreeMap::new() }
    }

    /// The step with this number begins.
    pub fn step(&mut self, number: u64) {
        self.step = number;
        self.streams.clear();
    }

    /// The stream of one use, from one party to another.
    pub fn of(&mut self, draw: Draw, from: usize, to: usize) -> &mut Random {
        let numbers = [self.step, draw as u64, from as u64, to as u64];
        self.streams.entry((draw, from, to)).or_insert_with(|| {
            Random::new(numbers.into_iter().fold(self.seed, |mixed, number| Random::new(mixed ^ number).number()))
        })
    }
}
