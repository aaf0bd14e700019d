//! Random histories against a model: who is a member of what, and who is online.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{World, key, room};
use crate::config::Config;

const PEERS: u8 = 9;
const ROOMS: [&str; 3] = ["lobby", "kitchen", "Attic"];
const STEPS: usize = 400;
const SEEDS: u64 = 60;

/// SplitMix64: a seed replays.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

#[test]
fn whatever_happens_every_mirror_equals_the_tables_once_all_is_quiet() {
    let seeds = match std::env::var("ROLLCALL_SEED") {
        Ok(seed) => seed.parse().map(|seed: u64| seed..seed + 1).expect("a number"),
        Err(_) => 0..SEEDS,
    };
    for seed in seeds {
        println!("seed {seed}: replay with ROLLCALL_SEED={seed}");
        history(seed);
    }
}

fn history(seed: u64) {
    let mut dice = Dice(seed);
    let mut world = World::new(Config::default());
    let mut members: BTreeMap<&str, BTreeSet<u8>> = BTreeMap::new();
    for _ in 0..STEPS {
        let peer = dice.roll(PEERS.into()) as u8 + 1;
        let name = ROOMS[dice.roll(3) as usize];
        let there = world.peers.get(&peer).is_some_and(|p| p.session.is_some());
        match dice.roll(20) {
            0..=3 => world.login(peer),
            4..=8 if there => {
                world.join(peer, name);
                members.entry(name).or_default().insert(peer);
            }
            9..=10 if there && !world.peers[&peer].slow => {
                world.leave(peer, name);
                members.entry(name).or_default().remove(&peer);
            }
            11 => world.lose(peer),
            12..=13 => world.slow(peer, true),
            14..=15 => world.slow(peer, false),
            16 if there => world.say(peer, common::wire::tracker::Logout {}),
            17 if dice.roll(8) == 0 => world.restart(),
            18 => world.pass(dice.roll(9_000)),
            _ => world.pass(dice.roll(8)),
        }
    }
    // Quiet: everybody is back, and every timer has run.
    for peer in 1..=PEERS {
        world.slow(peer, false);
        if world.peers.get(&peer).is_none_or(|p| p.session.is_none()) && dice.roll(3) > 0 {
            world.login(peer);
        }
    }
    world.pass(30_000);
    for name in ROOMS {
        let expected: Vec<_> = members.entry(name).or_default().iter().map(|peer| key(*peer)).collect();
        let held = world.tracker.rooms.find(&room(name)).and_then(|id| world.tracker.rooms.get(id));
        let mut found: Vec<_> = held.into_iter().flat_map(|r| r.table().members().map(|m| m.key)).collect();
        found.sort();
        assert_eq!(found, expected, "members of {name}");
    }
    for peer in 1..=PEERS {
        if world.peers.get(&peer).is_some_and(|p| p.session.is_some()) {
            world.assert_mirrored(peer);
        }
    }
}
