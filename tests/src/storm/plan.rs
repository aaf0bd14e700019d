//! What happens in a storm, as a pure function of a seed.

use std::collections::HashMap;

use crate::{
    channel::{ChannelEvent, parse},
    sim::Random,
};

/// One thing that happens. Peers are numbered from 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A peer's user says something, as soon as the peer is there.
    Say {
        /// Who.
        author: usize,
        /// What.
        text: String,
    },
    /// A peer has another address from now on.
    Move(usize),
    /// Something goes wrong.
    Begin(Fault),
    /// It is over.
    End(Fault),
}

/// Something that is wrong for a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A peer was killed, and nobody told.
    Dead(usize),
    /// A peer is held, as on a computer that sleeps.
    Asleep(usize),
    /// The tracker was killed.
    NoTracker,
    /// Nothing arrives in one direction.
    Cut(End, End),
    /// Nothing arrives in either direction.
    Wall(End, End),
}

/// Whom a way leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// A peer.
    Peer(usize),
    /// The tracker.
    Tracker,
}

/// The share of messages before which something goes wrong, if it can.
const TROUBLE: f64 = 0.07;
/// How many messages a fault lasts for, at the least and at the most.
const LASTS: (usize, usize) = (20, 150);

const RECORDINGS: [&str; 2] =
    [include_str!("../../data/ubuntu-irc/2012-12-15.txt"), include_str!("../../data/ubuntu-irc/2007-06-04.txt")];

/// So many messages of a real channel, said by so many peers, and faults between them. All faults are over in the end.
pub fn plan(seed: u64, peers: usize, messages: usize) -> Vec<Step> {
    let mut random = Random::new(seed);
    let mut steps = Vec::new();
    let mut active: Vec<(usize, Fault)> = Vec::new();
    for (number, (author, text)) in talk(peers).cycle().take(messages).enumerate() {
        let over = active.extract_if(.., |(until, _)| *until <= number);
        steps.extend(over.map(|(_, fault)| Step::End(fault)));
        if random.chance(TROUBLE) {
            match trouble(&mut random, peers) {
                Trouble::Fault(fault) if !active.iter().any(|(_, other)| excludes(*other, fault)) => {
                    active.push((number + LASTS.0 + random.below(LASTS.1 - LASTS.0), fault));
                    steps.push(Step::Begin(fault));
                }
                Trouble::Move(peer) if !active.iter().any(|(_, other)| absent(*other) == Some(peer)) => {
                    steps.push(Step::Move(peer));
                }
                Trouble::Fault(_) | Trouble::Move(_) => {}
            }
        }
        steps.push(Step::Say { author, text });
    }
    steps.extend(active.into_iter().map(|(_, fault)| Step::End(fault)));
    steps
}

enum Trouble {
    Fault(Fault),
    Move(usize),
}

fn trouble(random: &mut Random, peers: usize) -> Trouble {
    let peer = random.below(peers);
    let another = (peer + 1 + random.below(peers - 1)) % peers;
    // Every fifth way is that to the tracker.
    let other = if random.chance(0.2) { End::Tracker } else { End::Peer(another) };
    Trouble::Fault(match random.below(10) {
        0..4 => Fault::Dead(peer),
        4 => Fault::Asleep(peer),
        5 => Fault::NoTracker,
        6 => Fault::Wall(End::Peer(peer), other),
        7 => Fault::Cut(End::Peer(peer), other),
        8 => Fault::Cut(other, End::Peer(peer)),
        _ => return Trouble::Move(peer),
    })
}

/// Whether one cannot begin while the other lasts: its end would be taken for that of the other.
fn excludes(one: Fault, other: Fault) -> bool {
    let same_way = match (ends(one), ends(other)) {
        (Some((a, b)), Some((c, d))) => (a, b) == (c, d) || (a, b) == (d, c),
        _ => false,
    };
    one == other || same_way || (absent(one).is_some() && absent(one) == absent(other))
}

fn ends(fault: Fault) -> Option<(End, End)> {
    match fault {
        Fault::Cut(one, other) | Fault::Wall(one, other) => Some((one, other)),
        Fault::Dead(_) | Fault::Asleep(_) | Fault::NoTracker => None,
    }
}

/// The peer that does nothing while a fault lasts.
fn absent(fault: Fault) -> Option<usize> {
    match fault {
        Fault::Dead(peer) | Fault::Asleep(peer) => Some(peer),
        Fault::NoTracker | Fault::Cut(..) | Fault::Wall(..) => None,
    }
}

/// What was said in the recordings, each speaker's lines by one of so many peers.
fn talk(peers: usize) -> impl Iterator<Item = (usize, String)> + Clone {
    let mut authors = HashMap::new();
    let mut lines = Vec::new();
    for event in RECORDINGS.into_iter().flat_map(parse) {
        if let ChannelEvent::Said { speaker, text } = event {
            let next = authors.len() % peers;
            lines.push((*authors.entry(speaker).or_insert(next), text));
        }
    }
    lines.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_is_one_plan_and_another_is_another() {
        assert_eq!(plan(1, 8, 500), plan(1, 8, 500));
        assert_ne!(plan(1, 8, 500), plan(2, 8, 500));
    }

    #[test]
    fn everything_that_begins_ends_and_nobody_dies_twice() {
        for seed in 0..100 {
            let mut active = Vec::new();
            for step in plan(seed, 8, 1_000) {
                match step {
                    Step::Begin(fault) => {
                        assert!(!active.iter().any(|other| excludes(*other, fault)), "seed {seed}: {fault:?}");
                        active.push(fault);
                    }
                    Step::End(fault) => {
                        assert_eq!(active.extract_if(.., |other| *other == fault).count(), 1, "seed {seed}: {fault:?}");
                    }
                    Step::Move(peer) => assert!(!active.iter().any(|fault| absent(*fault) == Some(peer))),
                    Step::Say { .. } => {}
                }
            }
            assert_eq!(active, [], "seed {seed}");
        }
    }

    #[test]
    fn a_plan_holds_every_kind_of_trouble_and_everybody_speaks() {
        let steps = plan(0, 8, 1_000);
        let begins = |is: fn(&Fault) -> bool| steps.iter().any(|step| matches!(step, Step::Begin(fault) if is(fault)));
        assert!(begins(|fault| matches!(fault, Fault::Dead(_))) && begins(|fault| matches!(fault, Fault::Asleep(_))));
        assert!(begins(|fault| matches!(fault, Fault::Cut(..))) && begins(|fault| matches!(fault, Fault::Wall(..))));
        assert!(begins(|fault| *fault == Fault::NoTracker));
        assert!(steps.iter().any(|step| matches!(step, Step::Move(_))));
        let speaks = |peer| steps.iter().any(|step| matches!(step, Step::Say { author, .. } if *author == peer));
        assert!((0..8).all(speaks));
    }
}
