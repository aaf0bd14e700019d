//! Who is there, what is under way between them, and the clock.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    pin::pin,
    task::{Context, Poll, Waker},
};

use common::{Identity, Key, wire::control::Order};
use peer::core::{AskId, Input, LinkId, command::Ask};
use tracker::core::Input as TrackerInput;

use super::{
    chance::Chance,
    model::Model,
    peers::Node,
    step::{ROOMS, Who},
    tracker::TrackerNode,
    wires::{Packet, Side, Wire, WireId},
};
use crate::sim::Random;

/// 2026 or so.
pub const EPOCH: i64 = 1_790_000_000_000;

/// What will happen. Numbers beside a process are its life: what was meant for an earlier one does not reach a later.
pub enum Event {
    /// A peer's core wants to be asked.
    Wake(usize, u64),
    /// Something happens to a peer, by way of this connection to the tracker if one is named.
    Peer(usize, u64, Option<WireId>, Input),
    /// Bytes were handed on to the network.
    Written(usize, u64, LinkId, usize),
    /// A peer's commit ends.
    Synced(usize, u64),
    /// A peer that stood still goes on.
    GoesOn(usize, u64),
    /// A peer has stood still for as long as a connection lives.
    Silent(usize, u64),
    /// The tracker's core wants to be asked.
    WakeTracker(u64),
    /// Something happens to the tracker.
    Tracker(u64, TrackerInput),
    /// The tracker's commit ends.
    TrackerSynced(u64),
    /// Something arrives at an end of a connection.
    Arrives(WireId, Side, Packet),
    /// An end of a connection notices that it is over.
    Ends(WireId, Side),
    /// An end of a connection has heard nothing since the cut at this moment.
    Unheard(WireId, Side, u64),
}

/// The swarm.
pub struct World {
    pub now: u64,
    pub chance: Chance,
    pub nodes: Vec<Node>,
    pub tracker: TrackerNode,
    pub wires: BTreeMap<WireId, Wire>,
    /// Directions in which nothing arrives, and since when; the tracker is number `nodes.len()`.
    pub cuts: BTreeMap<(usize, usize), u64>,
    /// Those who never reach each other, whatever is mended.
    pub walls: Vec<(usize, usize)>,
    /// How often one has been linked to another by its own dial, since this was counted last.
    pub dialled: BTreeMap<(usize, usize), usize>,
    pub model: Model,
    queue: BTreeMap<(u64, u64), Event>,
    queued: u64,
    asks: u64,
    last_id: u64,
}

impl World {
    /// A tracker and so many peers, all up and logging in.
    pub fn new(seed: u64, peers: usize, walls: Vec<(usize, usize)>) -> World {
        let mut random = Random::new(seed);
        let tracker = TrackerNode::new(random.number() | 1);
        let nodes: Vec<Node> = (0..peers).map(|index| Node::new(index, Identity::from_seed(random.seed()))).collect();
        let people = nodes.iter().map(|node| (node.name.clone(), node.identity.key()));
        let model = Model::new(ROOMS.iter().map(|room| room.parse().expect("a room name")), people);
        let mut world = World {
            now: 0,
            chance: Chance::new(seed),
            nodes,
            tracker,
            wires: BTreeMap::new(),
            cuts: BTreeMap::new(),
            walls,
            dialled: BTreeMap::new(),
            model,
            queue: BTreeMap::new(),
            queued: 0,
            asks: 0,
            last_id: 0,
        };
        world.start_tracker();
        (0..peers).for_each(|node| world.start(node));
        world
    }

    /// An id never given before.
    pub fn fresh(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Puts off an event.
    pub fn after(&mut self, wait: u64, event: Event) {
        self.queued += 1;
        self.queue.insert((self.now + wait, self.queued), event);
    }

    /// Puts off an event to a moment.
    pub fn at(&mut self, moment: u64, event: Event) {
        self.after(moment.saturating_sub(self.now), event);
    }

    /// Asks a peer something on its user's behalf, if it can be asked. One that cannot write refuses.
    pub fn ask(&mut self, index: usize, ask: Ask) {
        let node = &self.nodes[index];
        if node.core.is_none() || node.asleep || node.refuses {
            return;
        }
        self.asks += 1;
        let (id, life) = (AskId(self.asks), node.life);
        match &ask {
            Ask::Say { room, content } => self.model.asked(id, &node.identity.key(), room, &content.text),
            Ask::Leave(room) => self.model.leaves(&node.identity.key(), room),
            Ask::Order(room, Order::Remove { name, .. }) => self.model.may_be_removed(name, room),
            Ask::Rename(name) => self.model.may_be_called(name, &node.identity.key()),
            _ => {}
        }
        self.take(index, life, None, Input::Ask(id, ask));
    }

    /// Whether anything sent in this direction arrives.
    pub fn reaches(&self, from: usize, to: usize) -> bool {
        !self.cuts.contains_key(&(from, to)) && self.meet(from, to)
    }

    /// Whether there is no wall between two.
    pub fn meet(&self, one: usize, other: usize) -> bool {
        !self.walls.iter().any(|wall| *wall == (one, other) || *wall == (other, one))
    }

    /// The number that connections know the tracker by.
    pub fn tracker_index(&self) -> usize {
        self.nodes.len()
    }

    /// The number that connections know somebody by.
    pub fn index(&self, who: Who) -> usize {
        match who {
            Who::Peer(index) => index,
            Who::Tracker => self.tracker_index(),
        }
    }

    /// Which life somebody leads, while it is up.
    pub fn life(&self, who: usize) -> Option<u64> {
        match self.nodes.get(who) {
            Some(node) => node.core.is_some().then_some(node.life),
            None => self.tracker.core.is_some().then_some(self.tracker.life),
        }
    }

    /// Whether somebody stands still.
    pub fn sleeps(&self, who: usize) -> bool {
        self.nodes.get(who).is_some_and(|node| node.asleep)
    }

    /// Lets everything happen that happens in the next `span` milliseconds.
    pub fn run(&mut self, span: u64) {
        let end = self.now + span;
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= end) {
            self.now = entry.key().0;
            let event = entry.remove();
            self.happen(event);
        }
        self.now = end;
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Wake(node, life) => self.wake(node, life),
            Event::Peer(node, life, tracker, input) => self.take(node, life, tracker, input),
            Event::Written(node, life, link, bytes) => self.written(node, life, link, bytes),
            Event::Synced(node, life) => self.synced(node, life),
            Event::GoesOn(node, nap) => self.goes_on(node, nap),
            Event::Silent(node, nap) if self.nodes[node].asleep && self.nodes[node].nap == nap => {
                self.fall_silent(node);
            }
            Event::Silent(..) => {}
            Event::WakeTracker(life) => self.wake_tracker(life),
            Event::Tracker(life, input) => self.tracker_takes(life, input),
            Event::TrackerSynced(life) => self.tracker_synced(life),
            Event::Arrives(wire, side, packet) => self.arrives(wire, side, packet),
            Event::Ends(wire, side) => self.ends(wire, side),
            Event::Unheard(wire, side, since) => self.unheard(wire, side, since),
        }
    }

    /// Whose key it is.
    pub fn whose(&self, key: &Key) -> Option<usize> {
        self.nodes.iter().position(|node| node.identity.key() == *key)
    }
}

/// Where a peer is.
pub fn address(index: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, index as u8 + 1], 4_000))
}

/// What a future gives that never waits.
pub fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a store in memory works where its caller stands"),
    }
}
