//! Random histories against a model: who is a member of what, and who is online.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    file::{Offer, Root},
    table::{Change, Departure, Member, Role, Settings, Step},
    wire::tracker::{
        ContactState, Decide, Logout, Make, Remove, Rename, SetContact, SetRole, SetTopic, Share, Shown, Unban,
        Unshare, Wish,
    },
};

use super::world::{World, called, file, key, room, who};
use crate::config::Config;

const PEERS: u8 = 9;
const ROOMS: [&str; 3] = ["lobby", "kitchen", "Attic"];
const STEPS: usize = 400;
const SEEDS: u64 = 60;
/// Few enough that they meet.
const PEOPLE: u64 = 5;

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

/// One that is to be replayed, or as many as are asked for.
fn seeds() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().map(|seed| seed.parse::<u64>().expect("a number"));
    match number("ROLLCALL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("ROLLCALL_SEEDS").unwrap_or(SEEDS),
    }
}

#[test]
fn whatever_happens_every_mirror_equals_the_tables_once_all_is_quiet() {
    for seed in seeds() {
        println!("seed {seed}: replay with ROLLCALL_SEED={seed}");
        history(seed);
    }
}

#[test]
fn whatever_people_do_to_each_other_everybody_sees_what_the_tracker_holds() {
    let seeds = seeds();
    let mut met = Met::default();
    for seed in seeds.clone() {
        println!("seed {seed}: replay with ROLLCALL_SEED={seed}");
        people(seed, &mut met);
    }
    let Met { removed, kept, contacts, renamed, files } = met;
    println!("{removed} removed, {kept} rooms kept, {contacts} contacts, {renamed} other names, {files} files");
    let enough = seeds.count() < 10 || [removed, kept, contacts, renamed, files].iter().all(|met| *met > 5);
    assert!(enough, "the histories reach what they are about");
}

/// What came about in the histories.
#[derive(Default)]
struct Met {
    removed: usize,
    kept: usize,
    contacts: usize,
    renamed: usize,
    files: usize,
}

fn people(seed: u64, met: &mut Met) {
    let mut dice = Dice(seed ^ 0x5eed);
    let mut world = World::new(Config::default());
    for _ in 0..STEPS {
        let (mut me, mut other) = (dice.roll(PEOPLE) as u8 + 1, dice.roll(PEOPLE) as u8 + 1);
        let name = ROOMS[dice.roll(3) as usize].to_owned();
        let (flip, what) = (dice.roll(2) == 0, dice.roll(28));
        let (id, named) = (1, room(&name));
        if (14..=19).contains(&what) && dice.roll(8) > 0 {
            // Mostly by somebody who may, and about somebody whom it can be about.
            let held = world.tracker.rooms.find(&named).and_then(|id| world.tracker.rooms.get(id));
            let staff = held.iter().flat_map(|room| room.table().members()).filter(|one| one.role > Role::Member);
            let staff: Vec<u8> = staff.map(|one| who(&one.key)).collect();
            let waiting: Vec<u8> = held.iter().flat_map(|room| room.door.waiting.keys()).map(who).collect();
            let any = |of: &[u8], dice: &mut Dice| of.get(dice.roll(of.len().max(1) as u64) as usize).copied();
            me = any(&staff, &mut dice).unwrap_or(me);
            other = any(&waiting, &mut dice).filter(|_| what <= 16).unwrap_or(other);
        }
        if dice.roll(4) > 0 && world.peers.get(&me).is_none_or(|peer| peer.session.is_none()) {
            world.login(me);
        }
        match what {
            0..=1 => world.login(me),
            2 => world.slow(me, false),
            3 => world.slow(me, dice.roll(4) == 0),
            4 => world.lose(me),
            5 => world.say(me, Logout {}),
            6 => world.pass(dice.roll(100)),
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
            22..=24 => {
                let number = dice.roll(6) as u8;
                let offer = world.offer(me, &name, file(number, if flip { "a" } else { "b" }));
                world.say(me, Share { id, room: named, offer });
            }
            25 => world.say(me, Unshare { id, room: named, root: Root([dice.roll(6) as u8; 32]) }),
            _ => {
                use Wish::{Accept, Add, Block, Decline, Remove, Unblock};
                let wish = [Add, Add, Add, Accept, Accept, Decline, Remove, Block, Unblock, Unblock];
                let wish = wish[dice.roll(10) as usize];
                world.say(me, SetContact { id, name: called(other), key: None, wish });
            }
        }
    }
    let everybody = 1..=PEOPLE as u8;
    for peer in everybody.clone() {
        world.slow(peer, false);
        world.login(peer);
    }
    world.pass(30_000);
    everybody.clone().for_each(|peer| world.assert_mirrored(peer));
    everybody.for_each(|peer| world.assert_contacts(peer));
    let held = |world: &mut World| -> Vec<_> {
        let rooms = world.tracker.rooms.iter_mut();
        rooms.map(|(_, room)| (room.digest(), room.door.clone())).collect()
    };
    for (_, room) in world.tracker.rooms.iter_mut() {
        let owners = room.table().members().filter(|member| member.role == Role::Owner).count();
        let others = room.table().members().filter(|member| member.role == Role::Moderator).count();
        assert!(owners == 1 || (owners == 0 && others == 0), "{} has {owners} owners", room.name());
        assert_eq!(room.table().is_empty(), room.door.kept.is_some());
        met.files += room.table().file_count();
        for key in room.door.banned.keys() {
            assert!(room.table().member(key).is_none() && !room.door.waiting.contains_key(key));
        }
    }
    for (id, peer) in &world.peers {
        let removals = |change: &&Change| matches!(change.step, Step::Gone { why: Departure::Removed, .. });
        met.removed += peer.mirror.changes.iter().filter(removals).count();
        met.contacts += peer.mirror.contacts.values().filter(|one| one.state == ContactState::Contact).count();
        met.renamed += usize::from(world.tracker.logins.name_of(&key(*id)) != Some(called(*id)));
    }
    met.kept += world.tracker.rooms.kept().count();
    let before = held(&mut world);
    world.restart();
    assert_eq!(held(&mut world), before, "a restart keeps everything");
}

fn history(seed: u64) {
    let mut dice = Dice(seed);
    let mut world = World::new(Config::default());
    let mut members: BTreeMap<&str, BTreeSet<u8>> = BTreeMap::new();
    let mut files: BTreeSet<(&str, u8, Root)> = BTreeSet::new();
    for _ in 0..STEPS {
        let peer = dice.roll(PEERS.into()) as u8 + 1;
        let name = ROOMS[dice.roll(3) as usize];
        let there = world.peers.get(&peer).is_some_and(|p| p.session.is_some());
        match dice.roll(24) {
            0..=3 => world.login(peer),
            4..=8 if there => {
                world.join(peer, name);
                members.entry(name).or_default().insert(peer);
            }
            9..=10 if there && !world.peers[&peer].slow => {
                world.leave(peer, name);
                members.entry(name).or_default().remove(&peer);
                files.retain(|(of, by, _)| (*of, *by) != (name, peer));
            }
            11 => world.lose(peer),
            12..=13 => world.slow(peer, true),
            14..=15 => world.slow(peer, false),
            16 if there => world.say(peer, common::wire::tracker::Logout {}),
            17 if dice.roll(8) == 0 => world.restart(),
            18 => world.pass(dice.roll(9_000)),
            20..=22 if there && members.get(name).is_some_and(|members| members.contains(&peer)) => {
                let (shared, unshares) = (file(dice.roll(4) as u8, "cat.jpg"), dice.roll(3) == 0);
                if unshares {
                    files.remove(&(name, peer, shared.root));
                    world.say(peer, Unshare { id: 1, room: room(name), root: shared.root });
                } else {
                    files.insert((name, peer, shared.root));
                    let offer = world.offer(peer, name, shared);
                    world.say(peer, Share { id: 1, room: room(name), offer });
                }
            }
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
        let mut expected: Vec<_> = members.entry(name).or_default().iter().map(|peer| key(*peer)).collect();
        let held = world.tracker.rooms.find(&room(name)).and_then(|id| world.tracker.rooms.get(id));
        let mut found: Vec<_> = held.into_iter().flat_map(|r| r.table().members().map(|m| m.key)).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "members of {name}");
        let shared = |(of, offer): (&Member, &Offer)| (name, who(&of.key), offer.file.root);
        let found: BTreeSet<_> = held.into_iter().flat_map(|room| room.table().files().map(shared)).collect();
        let expected = files.iter().filter(|(of, ..)| *of == name).copied().collect();
        assert_eq!(found, expected, "files of {name}");
    }
    for peer in 1..=PEERS {
        if world.peers.get(&peer).is_some_and(|p| p.session.is_some()) {
            world.assert_mirrored(peer);
        }
    }
}
