//! A random history: people join, leave and talk while links break, peers and the tracker die and come back.

use common::{Key, RoomName};
use peer::core::command::Ask;

use super::world::World;

/// Steps of one history.
const STEPS: usize = 120;

/// Runs one history with everything that can go wrong, mends it all, and checks what must hold then.
pub fn history(seed: u64) -> World {
    let peers = 3 + (seed % 4) as usize;
    let mut world = World::new(seed, peers);
    let rooms: Vec<RoomName> = ["lobby", "kitchen"].iter().map(|room| room.parse().expect("a room name")).collect();
    rooms.iter().for_each(|room| world.model.know(room));
    world.run(1_000);
    for index in 0..peers {
        world.ask(index, Ask::Join(rooms[0].clone()));
    }
    world.run(2_000);
    world.model.crashes = seed.is_multiple_of(2);
    for step in 0..STEPS {
        one_step(&mut world, &rooms, step);
        let span = world.random.below(3_000) as u64;
        world.run(span);
    }
    mend(&mut world);
    check(&world);
    world
}

fn one_step(world: &mut World, rooms: &[RoomName], step: usize) {
    let index = world.random.below(world.nodes.len());
    let other = world.random.below(world.nodes.len() + 1);
    let room = rooms[world.random.below(rooms.len())].clone();
    match world.random.below(100) {
        0..45 => {
            for line in 0..1 + world.random.below(5) {
                world.ask(
                    index,
                    Ask::Say { room: room.clone(), text: format!("{step}.{line} {}", "x".repeat(line * 200)) },
                );
            }
        }
        45..57 => world.ask(index, Ask::Join(room)),
        57..62 => world.ask(index, Ask::Leave(room)),
        62..67 => world.kill(index),
        67..77 => world.start(index),
        77..79 => world.kill_tracker(),
        79..87 => world.start_tracker(),
        87 => world.wipe_tracker(),
        88..92 if index != other => drop(world.cuts.insert((index, other))),
        92..94 if index != other => drop(world.cuts.insert((other, index))),
        94..97 => world.cuts.clear(),
        97 => world.nodes[index].slow = true,
        _ => world.nodes[index].slow = false,
    }
}

fn mend(world: &mut World) {
    world.model.crashes = false;
    world.cuts.clear();
    world.start_tracker();
    for index in 0..world.nodes.len() {
        world.nodes[index].slow = false;
        world.start(index);
    }
    // Longer than the longest pause between two attempts, and dead links besides.
    world.run(240_000);
}

fn check(world: &World) {
    let keys: Vec<Key> = world.nodes.iter().map(|node| node.identity.key()).collect();
    let cores = world.nodes.iter().filter_map(|node| node.core.as_ref());
    world.model.settled(cores.clone(), &keys);
    for core in cores {
        let online: Vec<&Key> = core.online().collect();
        let mut shared: Vec<&Key> = keys.iter().filter(|key| core.shares_room_with(key)).collect();
        shared.sort();
        assert_eq!(online, shared, "everybody is back, and shown so");
    }
}
