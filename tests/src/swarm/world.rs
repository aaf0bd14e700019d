//! Who is there, what is under way between them, and the clock.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    pin::pin,
    task::{Context, Poll, Waker},
};

use common::{AccountName, Identity, Key, address::Addresses, frame::Encoded};
use peer::core::{AskId, Core, Input, LinkId, Now, Saved, Start, command::Ask};
use tracker::core::{Input as TrackerInput, SessionId, Tracker};

use super::model::Model;
use crate::sim::Random;

/// After how long a silent connection is dead, in milliseconds.
const DEAD: u64 = 15_000;
/// 2026 or so.
const EPOCH: u64 = 1_790_000_000_000;

/// A person and its peer.
pub struct Node {
    pub name: AccountName,
    pub identity: Identity,
    pub store: peer::Store,
    /// `None` while it is down.
    pub core: Option<Core>,
    /// Counts its starts: what was meant for an earlier one does not reach a later.
    pub life: u64,
    /// The connection to the tracker, by its session.
    pub tracker: Option<SessionId>,
    /// Whether its network takes what it is given only slowly.
    pub slow: bool,
}

/// The tracker's process.
pub struct TrackerNode {
    pub store: tracker::store::Store,
    pub core: Option<Tracker>,
    pub life: u64,
}

/// What will happen.
pub enum Event {
    Wake(usize, u64),
    Peer(usize, u64, Input),
    /// A frame or an end, over a link that may be gone by then.
    OverLink(LinkId, Option<Encoded>),
    LinkDies(LinkId),
    WakeTracker(u64),
    Tracker(u64, TrackerInput),
    ToTracker(SessionId, Encoded),
    FromTracker(SessionId, Option<Encoded>),
    SessionDies(SessionId),
}

/// One end of a link.
#[derive(Clone, Copy)]
pub struct End {
    pub node: usize,
    pub life: u64,
    pub other: LinkId,
    /// When what was sent last will arrive: nothing overtakes it.
    pub busy_until: u64,
}

/// A tracker connection.
pub struct Session {
    pub node: usize,
    pub life: u64,
    pub tracker_life: u64,
    pub greeted: bool,
    pub up_until: u64,
    pub down_until: u64,
}

/// The swarm.
pub struct World {
    pub now: u64,
    pub random: Random,
    pub nodes: Vec<Node>,
    pub tracker: TrackerNode,
    pub ends: BTreeMap<LinkId, End>,
    pub sessions: BTreeMap<SessionId, Session>,
    /// Pairs that cannot reach each other, in this direction; the tracker is number `nodes.len()`.
    pub cuts: BTreeSet<(usize, usize)>,
    pub model: Model,
    queue: BTreeMap<(u64, u64), Event>,
    queued: u64,
    asks: u64,
    last_id: u64,
}

impl World {
    /// A tracker and so many peers, all up and logging in.
    pub fn new(seed: u64, peers: usize) -> World {
        let mut random = Random::new(seed);
        let store = tracker::store::Store::in_memory(random.number() | 1).expect("a store in memory");
        let nodes = (0..peers).map(|index| {
            let identity = Identity::from_seed(random.seed());
            let (store, _) = peer::Store::in_memory(&identity.key()).expect("a store in memory");
            let name = format!("p{index}").parse().expect("a name");
            Node { name, identity, store, core: None, life: 0, tracker: None, slow: false }
        });
        let nodes = nodes.collect();
        let mut world = World {
            now: 0,
            random,
            nodes,
            tracker: TrackerNode { store, core: None, life: 0 },
            ends: BTreeMap::new(),
            sessions: BTreeMap::new(),
            cuts: BTreeSet::new(),
            model: Model::default(),
            queue: BTreeMap::new(),
            queued: 0,
            asks: 0,
            last_id: 0,
        };
        world.start_tracker();
        (0..peers).for_each(|node| world.start(node));
        world
    }

    /// Both clocks.
    pub fn clock(&self) -> Now {
        Now { at: self.now, wall: EPOCH + self.now }
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

    /// The time something takes on the network, with what a lost packet adds.
    pub fn latency(&mut self) -> u64 {
        let again = if self.random.chance(0.05) { 50 + self.random.below(200) } else { 0 };
        (1 + self.random.below(20) + again) as u64
    }

    /// Starts a peer from what its store holds.
    pub fn start(&mut self, index: usize) {
        let seed = self.random.number();
        let node = &mut self.nodes[index];
        if node.core.is_some() {
            return;
        }
        let (_, saved): (_, Saved) = node.store.reopen(&node.identity.key()).expect("the store opens");
        let config = peer::Config { link_buffer_bytes: 2_000, ..peer::Config::default() };
        node.life += 1;
        node.core = Some(Core::new(Start {
            name: node.name.clone(),
            identity: node.identity.clone(),
            config,
            tracker_key: None,
            tracker: address(99),
            address: address(index),
            saved,
            seed,
        }));
        self.input(index, Input::Interfaces(Addresses::new([address(index)])));
    }

    /// Kills a peer. Others notice when their connections die.
    pub fn kill(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        if node.core.take().is_none() {
            return;
        }
        let tracker = node.tracker.take();
        let ends: Vec<LinkId> = self.ends.iter().filter(|(_, end)| end.node == index).map(|(id, _)| *id).collect();
        for id in ends {
            if let Some(end) = self.ends.remove(&id) {
                self.after(DEAD, Event::LinkDies(end.other));
            }
        }
        if let Some(session) = tracker {
            self.after(DEAD, Event::SessionDies(session));
        }
    }

    /// Starts the tracker from what its store holds.
    pub fn start_tracker(&mut self) {
        if self.tracker.core.is_some() {
            return;
        }
        self.tracker.life += 1;
        let stored = self.tracker.store.load().expect("the tables load");
        let core = Tracker::new(tracker::Config::default(), stored, self.tracker.life, self.clock().wall);
        self.tracker.core = Some(core.expect("the tables fit"));
        self.wake_tracker();
    }

    /// Kills the tracker.
    pub fn kill_tracker(&mut self) {
        self.tracker.core = None;
        for session in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.after(DEAD, Event::SessionDies(session));
        }
    }

    /// Kills the tracker and takes its tables away.
    pub fn wipe_tracker(&mut self) {
        self.kill_tracker();
        let id = self.random.number() | 1;
        self.tracker.store = tracker::store::Store::in_memory(id).expect("a store in memory");
    }

    /// Asks a peer something on its user's behalf.
    pub fn ask(&mut self, index: usize, ask: Ask) {
        self.asks += 1;
        let id = AskId(self.asks);
        self.input(index, Input::Ask(id, ask));
    }

    /// Whether anything sent in this direction arrives.
    pub fn reaches(&self, from: usize, to: usize) -> bool {
        !self.cuts.contains(&(from, to))
    }

    /// The number that cuts know the tracker by.
    pub fn tracker_index(&self) -> usize {
        self.nodes.len()
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
            Event::Wake(node, life) if self.nodes[node].life == life => self.input(node, Input::Tick),
            Event::Peer(node, life, input) if self.nodes[node].life == life => self.input(node, input),
            Event::Wake(..) | Event::Peer(..) => {}
            Event::OverLink(link, frame) => self.arrive(link, frame),
            Event::LinkDies(link) => self.link_dies(link),
            Event::WakeTracker(life) if self.tracker.life == life => self.wake_tracker(),
            Event::Tracker(life, input) if self.tracker.life == life => self.tracker_input(input),
            Event::WakeTracker(_) | Event::Tracker(..) => {}
            Event::ToTracker(session, frame) => self.arrive_at_tracker(session, frame),
            Event::FromTracker(session, frame) => self.arrive_from_tracker(session, frame),
            Event::SessionDies(session) => self.session_dies(session),
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
