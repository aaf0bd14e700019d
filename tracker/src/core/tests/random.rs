//! Random histories against a model: who is a member of what, and who is online.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    table::{Role, Settings},
    wire::tracker::{Decide, Logout, Make, Remove, Rename, SetContact, SetRole, SetTopic, Shown, Unban, Wish},
};

use super::world::{World, called, key, room};
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

#[test]
fn whatever_people_do_to_each_other_everybody_sees_what_the_tracker_holds() {
    let seeds = match std::env::var("ROLLCALL_SEED") {
        Ok(seed) => seed.parse().map(|seed: u64| seed..seed + 1).expect("a number"),
        Err(_) => 0..SEEDS,
    };
    for seed in seeds {
        println!("seed {seed}: replay with ROLLCALL_SEED={seed}");
        people(seed);
    }
}

fn people(seed: u64) {
    let mut dice = Dice(seed ^ 0x5eed);
    let mut world = World::new(Config::default());
    for _ in 0..STEPS {
        let (me, other) = (dice.roll(PEERS.into()) as u8 + 1, dice.roll(PEERS.into()) as u8 + 1);
        let name = ROOMS[dice.roll(3) as usize].to_owned();
        let flip = dice.roll(2) == 0;
        let (id, named) = (1, room(&name));
        match dice.roll(24) {
            0..=3 => world.login(me),
            4 => world.lose(me),
            5 => world.say(me, Logout {}),
            6 => world.slow(me, flip),
            7 => world.pass(dice.roll(9_000)),
            8 if dice.roll(6) == 0 => world.restart(),
            8 => world.say(me, Shown { away: flip, hide_seen: dice.roll(2) == 0 }),
            9..=10 => {
                let settings = Settings { approval: flip, ..Settings::default() };
                world.say(me, Make { id, room: named, settings });
            }
            11..=13 => world.join(me, &name),
            14 if !world.peers.get(&me).is_none_or(|peer| peer.slow) => world.leave(me, &name),
            14..=16 => world.say(me, Decide { id, room: named, name: called(other), accept: dice.roll(4) > 0 }),
            17 => world.say(me, Remove { id, room: named, name: called(other), ban: dice.roll(4) == 0 }),
            18 => world.say(me, Unban { id, room: named, name: called(other) }),
            19 => {
                let role = [Role::Member, Role::Moderator, Role::Owner][dice.roll(3) as usize];
                world.say(me, SetRole { id, room: named, name: called(other), role });
            }
            20 => world.say(me, SetTopic { id, room: named, topic: format!("topic {}", dice.roll(9)) }),
            21 => {
                // One's first name is held and leads to one, so that the others still know whom they mean.
                let name = if flip { called(me) } else { format!("name-{me}-{}", dice.roll(3)).parse().unwrap() };
                world.say(me, Rename { id, name });
            }
            _ => {
                use Wish::{Accept, Add, Block, Decline, Remove, Unblock};
                let wish = [Add, Add, Accept, Accept, Decline, Remove, Block, Unblock][dice.roll(8) as usize];
                world.say(me, SetContact { id, name: called(other), key: None, wish });
            }
        }
    }
    for peer in 1..=PEERS {
        world.slow(peer, false);
        world.login(peer);
    }
    world.pass(30_000);
    (1..=PEERS).for_each(|peer| world.assert_mirrored(peer));
    (1..=PEERS).for_each(|peer| world.assert_contacts(peer));
    let held = |world: &mut World| -> Vec<_> {
        let rooms = world.tracker.rooms.iter_mut();
        rooms.map(|(_, room)| (room.digest(), room.door.clone())).collect()
    };
    for (_, room) in world.tracker.rooms.iter_mut() {
        let owners = room.table().members().filter(|member| member.role == Role::Owner).count();
        let others = room.table().members().filter(|member| member.role == Role::Moderator).count();
        assert!(owners == 1 || (owners == 0 && others == 0), "{} has {owners} owners", room.name());
        assert_eq!(room.table().is_empty(), room.door.kept.is_some());
        for key in room.door.banned.keys() {
            assert!(room.table().member(key).is_none() && !room.door.waiting.contains_key(key));
        }
    }
    let before = held(&mut world);
    world.restart();
    assert_eq!(held(&mut world), before, "a restart keeps everything");
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
