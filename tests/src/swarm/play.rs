//! Playing a history: each step is done, then everything is mended, and what must hold then is checked.

use common::{Key, RoomName};
use peer::core::{Core, command::Ask};

use super::{
    step::{History, ROOMS, What, Who},
    world::{World, ready},
};

/// How much has been checked, so that a run that did nothing is noticed.
#[derive(Clone, Copy, Default, Debug)]
pub struct Tally {
    /// Messages stored by others than their authors.
    pub deliveries: usize,
    /// Receipts shown.
    pub receipts: usize,
}

/// Plays a history. Panics where something does not hold that must.
pub fn play(history: &History) -> Tally {
    let mut world = World::new(history.seed, history.peers);
    world.run(1_000);
    for step in &history.steps {
        world.chance.step(step.number);
        world.step(step.number, &step.what);
        world.run(step.then);
    }
    world.chance.step(u64::MAX);
    world.mend();
    world.check();
    Tally { deliveries: world.model.deliveries, receipts: world.model.receipts }
}

impl World {
    fn step(&mut self, number: u64, what: &What) {
        let room = |room: &usize| ROOMS[*room].parse().expect("a room name");
        match what {
            What::Say { who, room: name, lines } => {
                for line in 0..*lines {
                    let text = format!("{number}.{line} {}", "x".repeat(line * 200));
                    self.ask(*who, Ask::Say { room: room(name), text });
                }
            }
            What::Join { who, room: name } => self.ask(*who, Ask::Join(room(name))),
            What::Leave { who, room: name } => self.ask(*who, Ask::Leave(room(name))),
            What::Kill(who) => self.kill_any(*who),
            What::Start(Who::Peer(who)) => self.start(*who),
            What::Start(Who::Tracker) => self.start_tracker(),
            What::Crash { who: Who::Peer(who), commit, kept } => self.nodes[*who].doom = Some((*commit, *kept)),
            What::Crash { who: Who::Tracker, commit, kept } => self.tracker.doom = Some((*commit, *kept)),
            What::PowerLoss(who) => who.iter().for_each(|who| self.kill_any(*who)),
            What::Wipe => self.wipe_tracker(),
            What::Cut { from, to } => self.cut(self.index(*from), self.index(*to)),
            What::Heal => self.heal(),
            What::Break(one, other) => self.break_wires(self.index(*one), self.index(*other)),
            What::Sleep { who, ms } => self.sleep(*who, *ms),
            What::Slow { who, slow } => self.nodes[*who].slow = *slow,
            What::Disk { who: Who::Peer(who), full } => self.nodes[*who].disk_full = *full,
            What::Disk { who: Who::Tracker, full } => self.tracker.disk_full = *full,
            What::Clock { who: Who::Peer(who), ms } => self.nodes[*who].clock += ms,
            What::Clock { who: Who::Tracker, ms } => self.tracker.clock += ms,
        }
    }

    fn kill_any(&mut self, who: Who) {
        match who {
            Who::Peer(who) => self.kill(who),
            Who::Tracker => self.kill_tracker(),
        }
    }

    fn mend(&mut self) {
        self.heal();
        (self.tracker.disk_full, self.tracker.doom) = (false, None);
        self.start_tracker();
        for index in 0..self.nodes.len() {
            let node = &mut self.nodes[index];
            (node.disk_full, node.doom, node.slow) = (false, None, false);
            self.wake_up(index);
            self.start(index);
        }
        // Longer than the longest pause between two attempts, and dead links besides.
        self.run(240_000);
    }

    fn check(&self) {
        let keys: Vec<Key> = self.nodes.iter().map(|node| node.identity.key()).collect();
        let cores: Vec<&Core> = self.nodes.iter().filter_map(|node| node.core.as_ref()).collect();
        self.model.settled(keys.iter().zip(cores.iter().copied()));
        for core in cores {
            let online: Vec<&Key> = core.online().collect();
            let mut shared: Vec<&Key> = keys.iter().filter(|key| core.shares_room_with(key)).collect();
            shared.sort();
            assert_eq!(online, shared, "everybody is back, and shown so");
        }
        for (node, key) in self.nodes.iter().zip(&keys) {
            for room in ROOMS.map(|room| room.parse::<RoomName>().expect("a room name")) {
                let events = ready(node.store.messages(room.clone(), u32::MAX)).expect("the store reads");
                let key_of =
                    |name: &str| keys[self.nodes.iter().position(|n| n.name.as_str() == name).expect("a name")];
                self.model.history(key, &room, &events, key_of);
            }
        }
    }
}
