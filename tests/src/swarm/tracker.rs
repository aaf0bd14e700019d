//! The tracker's process around its core, as the driver of `tracker::net` is.

use common::{
    fault::{self, Fault},
    frame::{Encoded, Frame, HEADER},
    wire::tracker::{ToPeer, ToTracker},
};
use tracker::core::{Input, Output, Row, Tracker};

use super::{
    chance::Draw,
    wires::Packet,
    world::{EPOCH, Event, World},
};

/// The pause after a commit that failed, in milliseconds.
const RETRY: u64 = 1_000;

/// The tracker's process.
pub struct TrackerNode {
    pub store: tracker::store::Store,
    /// `None` while it is down.
    pub core: Option<Tracker>,
    /// Counts its starts.
    pub life: u64,
    /// Whether its disk is full.
    pub disk_full: bool,
    /// How far the clock of its machine is from the true time, in milliseconds.
    pub clock: i64,
    /// At which commit from now it dies, and whether that commit is still synced.
    pub doom: Option<(usize, bool)>,
    /// What the clock was off by when it started: it goes by that until it ends.
    started_at: i64,
    waiting: Vec<Input>,
    commit: Option<(Vec<Row>, Vec<Output>)>,
    wakes: u64,
}

impl TrackerNode {
    /// A tracker that has never run.
    pub fn new(tables: u64) -> TrackerNode {
        TrackerNode {
            store: tracker::store::Store::in_memory(tables).expect("a store in memory"),
            core: None,
            life: 0,
            disk_full: false,
            clock: 0,
            doom: None,
            started_at: 0,
            waiting: Vec::new(),
            commit: None,
            wakes: u64::MAX,
        }
    }
}

impl Packet {
    /// What a peer says to the tracker.
    pub fn to_tracker(frame: &Encoded) -> Packet {
        let frame = ToTracker::decode(&frame[HEADER..]).expect("a peer's frames can be read");
        Packet::ToTracker(frame.expect("a peer's frames are known"))
    }

    fn to_peer(frame: &Encoded) -> Packet {
        let frame = ToPeer::decode(&frame[HEADER..]).expect("the tracker's frames can be read");
        Packet::ToPeer(frame.expect("the tracker's frames are known"))
    }
}

impl World {
    /// Starts the tracker from what its store holds, if it is down.
    pub fn start_tracker(&mut self) {
        if self.tracker.core.is_some() {
            return;
        }
        self.tracker.life += 1;
        self.tracker.started_at = self.tracker.clock;
        let stored = self.tracker.store.load().expect("the tables load");
        let core = Tracker::new(tracker::Config::default(), stored, self.tracker.life, self.tracker_clock());
        self.tracker.core = Some(core.expect("the tables fit"));
        self.tracker_turn();
    }

    /// Kills the tracker.
    pub fn kill_tracker(&mut self) {
        if self.tracker.core.take().is_some() {
            (self.tracker.commit, self.tracker.doom, self.tracker.wakes) = (None, None, u64::MAX);
            self.tracker.waiting.clear();
            self.vanish(self.tracker_index());
        }
    }

    /// Kills the tracker and takes its tables away.
    pub fn wipe_tracker(&mut self) {
        self.kill_tracker();
        let id = self.chance.of(Draw::Tables, 0, 0).number() | 1;
        self.tracker.store = tracker::store::Store::in_memory(id).expect("a store in memory");
    }

    pub(super) fn tracker_takes(&mut self, life: u64, input: Input) {
        if self.tracker.core.is_some() && self.tracker.life == life {
            self.tracker.waiting.push(input);
            self.tracker_turn();
        }
    }

    pub(super) fn wake_tracker(&mut self, life: u64) {
        if self.tracker.life == life && self.tracker.wakes == self.now {
            self.tracker.wakes = u64::MAX;
            self.tracker_turn();
        }
    }

    fn tracker_turn(&mut self) {
        let now = self.tracker_clock();
        let Some(core) = self.tracker.core.as_mut().filter(|_| self.tracker.commit.is_none()) else { return };
        self.tracker.waiting.drain(..).for_each(|input| core.handle(input, now));
        let (mut rows, mut rest) = (Vec::new(), Vec::new());
        for output in core.poll(now) {
            match output {
                Output::Store(row) => rows.push(row),
                output => rest.push(output),
            }
        }
        if rows.is_empty() {
            return self.tracker_does(rest);
        }
        let early = if fault::on(Fault::PushBeforeStore) { std::mem::take(&mut rest) } else { Vec::new() };
        self.tracker.commit = Some((rows, rest));
        let (wait, life) =
            (1 + self.chance.of(Draw::Commit, self.tracker_index(), 0).below(6) as u64, self.tracker.life);
        self.after(wait, Event::TrackerSynced(life));
        self.tracker_does(early);
    }

    pub(super) fn tracker_synced(&mut self, life: u64) {
        if self.tracker.life != life || self.tracker.commit.is_none() {
            return;
        }
        if self.tracker.disk_full {
            return self.after(RETRY, Event::TrackerSynced(life));
        }
        let dies = self.tracker.doom.as_mut().and_then(|(commit, kept)| {
            *commit -= 1;
            (*commit == 0).then_some(*kept)
        });
        if dies == Some(false) {
            return self.kill_tracker();
        }
        let Some((mut rows, outputs)) = self.tracker.commit.take() else { return };
        if fault::on(Fault::ChangeNotStored) {
            rows.retain(|row| !matches!(row, Row::Put { .. }));
        }
        self.tracker.store.commit(&rows).expect("a commit in memory");
        if dies.is_some() {
            return self.kill_tracker();
        }
        self.tracker_does(outputs);
        self.tracker_turn();
    }

    fn tracker_does(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Store(_) | Output::Outcome { .. } => {}
                Output::Send { session, frames, .. } => {
                    let slow = self.wires.get(&session.0).is_some_and(|wire| self.nodes[wire.ends[0].who].slow);
                    let (wait, life) = (if slow { 700 } else { 2 }, self.tracker.life);
                    self.after(wait, Event::Tracker(life, Input::Sent { session }));
                    frames.iter().for_each(|frame| self.send(session.0, 1, Packet::to_peer(frame)));
                }
                Output::Close { session, last, .. } => {
                    self.send(session.0, 1, Packet::to_peer(&last));
                    self.send(session.0, 1, Packet::Close);
                }
            }
        }
        let now = self.tracker_clock();
        let deadline = self.tracker.core.as_ref().and_then(Tracker::deadline);
        let Some(wait) = deadline.map(|deadline| deadline.saturating_sub(now).max(1)) else { return };
        if self.now + wait < self.tracker.wakes {
            self.tracker.wakes = self.now + wait;
            self.after(wait, Event::WakeTracker(self.tracker.life));
        }
    }

    /// The true time as far as the tracker knows: what its machine's clock said at its start, and what went by since.
    fn tracker_clock(&self) -> u64 {
        (EPOCH + self.now as i64 + self.tracker.started_at).max(0) as u64
    }
}
