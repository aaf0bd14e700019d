//! Playing a history: each step is done, then everything is mended, and what must hold then is checked.

use common::{
    AccountName, Key, MessageId, RoomName,
    table::{Role, Settings},
    wire::control,
};
use peer::core::{Core, command::Ask};

use super::{
    step::{History, Order, ROOMS, What, Who},
    world::{World, ready},
};

/// How often one may be linked anew to the same other once all is mended. Until a dead link is noticed, dials may be
/// turned away because of it, every second or so.
const DIALS: usize = 60;

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
    let mut world = World::new(history.seed, history.peers, history.ending.walls.clone());
    world.run(1_000);
    for step in &history.steps {
        world.chance.step(step.number);
        world.step(step.number, &step.what);
        world.run(step.then);
    }
    world.chance.step(u64::MAX);
    world.mend(&history.ending.dead);
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
                    self.ask(*who, Ask::Say { room: room(name), content: text.into() });
                }
            }
            What::Join { who, room: name } => self.ask(*who, Ask::Join(room(name))),
            What::Leave { who, room: name } => self.ask(*who, Ask::Leave(room(name))),
            What::Make { who, room: name } => self.ask(*who, Ask::Make(room(name), Settings::default())),
            What::Order { who, room: name, whom, order } => {
                let name_of = |core: &Core| {
                    let key = self.nodes[*whom].identity.key();
                    core.room(&room(name))?.table.member(&key).map(|member| member.name.clone())
                };
                let known = self.nodes[*who].core.as_ref().and_then(name_of);
                let called = known.unwrap_or_else(|| self.nodes[*whom].name.clone());
                self.ask(*who, Ask::Order(room(name), ordered(*order, called, number)));
            }
            What::Rename { who } => {
                let name = format!("p{who}.{number}").parse().expect("a name");
                self.ask(*who, Ask::Rename(name));
            }
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
            What::Clock { who: Who::Tracker, ms } => {
                self.tracker.clock += ms;
                self.model.expiry = true;
            }
            What::Cancel { who, room: name, back } => {
                let author = self.nodes[*who].identity.key();
                let said = self.nodes[*who].core.as_ref().and_then(|core| core.room(&room(name)));
                let number = said.map_or(0, |room| room.own.head.number).saturating_sub(*back);
                self.ask(*who, Ask::Cancel(MessageId { room: room(name), author: author.short(), number }));
            }
        }
    }

    fn kill_any(&mut self, who: Who) {
        match who {
            Who::Peer(who) => self.kill(who),
            Who::Tracker => self.kill_tracker(),
        }
    }

    /// All is mended but walls, and those who are dead for good.
    fn mend(&mut self, dead: &[usize]) {
        self.heal();
        dead.iter().for_each(|who| self.kill(*who));
        (self.tracker.disk_full, self.tracker.doom) = (false, None);
        self.start_tracker();
        for index in (0..self.nodes.len()).filter(|index| !dead.contains(index)) {
            let node = &mut self.nodes[index];
            (node.disk_full, node.doom, node.slow) = (false, None, false);
            self.wake_up(index);
            self.start(index);
        }
        self.dialled.clear();
        // Longer than the longest pause between two attempts, and dead links besides; where not everybody meets, what
        // goes from one to the next by chance takes more.
        let all_meet = self.walls.is_empty() && dead.is_empty();
        self.run(if all_meet { 240_000 } else { 900_000 });
    }

    fn check(&self) {
        let keys: Vec<Key> = self.nodes.iter().map(|node| node.identity.key()).collect();
        let living: Vec<(Key, &Core)> =
            self.nodes.iter().filter_map(|node| Some((node.identity.key(), node.core.as_ref()?))).collect();
        let meet =
            |one: &Key, other: &Key| self.whose(one).zip(self.whose(other)).is_some_and(|(a, b)| self.meet(a, b));
        self.model.settled(&living, meet);
        for (_, core) in &living {
            let online: Vec<&Key> = core.online().collect();
            let there = living.iter().map(|(key, _)| key);
            let mut shared: Vec<&Key> = there.filter(|key| core.shares_room_with(key)).collect();
            shared.sort();
            assert_eq!(online, shared, "everybody is back, and shown so");
        }
        let most = self.dialled.iter().max_by_key(|(_, count)| **count);
        assert!(most.is_none_or(|(_, count)| *count <= DIALS), "links come and go: {most:?}");
        for (node, key) in self.nodes.iter().zip(&keys) {
            for room in ROOMS.map(|room| room.parse::<RoomName>().expect("a room name")) {
                let events = ready(node.store.messages(room.clone(), None, u32::MAX)).expect("the store reads");
                self.model.history(key, &room, &events);
            }
        }
    }
}

/// What is asked for to have something done to somebody called so.
fn ordered(order: Order, name: AccountName, number: u64) -> control::Order {
    match order {
        Order::Kick => control::Order::Remove { name, ban: false },
        Order::Ban => control::Order::Remove { name, ban: true },
        Order::Unban => control::Order::Unban { name },
        Order::Promote => control::Order::Role { name, role: Role::Moderator },
        Order::Demote => control::Order::Role { name, role: Role::Member },
        Order::HandOver => control::Order::Role { name, role: Role::Owner },
        Order::Topic => control::Order::Topic { topic: format!("topic {number}") },
    }
}
