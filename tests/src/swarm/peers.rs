//! A peer's process around its core, as the driver of `peer::net` is: inputs that came while a commit ran are taken
//! together, and nothing goes out before what it stands on is kept.

use std::{collections::VecDeque, sync::Arc};

use common::{
    AccountName, Identity, Key,
    address::Addresses,
    fault::{self, Fault},
};
use peer::core::{Core, Input, Now, Output, Row, Shown, Start};

use super::{
    chance::Draw,
    wires::{DEAD, Packet, WireId, end_of},
    world::{EPOCH, Event, World, address, ready},
};

/// The pause after a commit that failed, in milliseconds.
const RETRY: u64 = 1_000;

/// A person and its peer.
pub struct Node {
    /// What it is called when it starts.
    pub name: AccountName,
    pub identity: Identity,
    pub store: peer::Store,
    /// `None` while it is down.
    pub core: Option<Core>,
    /// Counts its starts.
    pub life: u64,
    /// The connection to the tracker that counts.
    pub tracker: Option<WireId>,
    /// Whether its network takes what it is given only slowly.
    pub slow: bool,
    /// Whether it stands still.
    pub asleep: bool,
    /// Counts the times that it has stood still.
    pub nap: u64,
    /// Whether its disk is full.
    pub disk_full: bool,
    /// Whether a commit has failed, so that its user is refused everything.
    pub refuses: bool,
    /// How far its clock is from the true time, in milliseconds.
    pub clock: i64,
    /// At which commit from now it dies, and whether that commit is still synced.
    pub doom: Option<(usize, bool)>,
    /// What came while it could not be taken, with the connection to the tracker by which it came.
    waiting: VecDeque<(Option<WireId>, Input)>,
    /// The commit under way, and what is to be done after it.
    commit: Option<(Arc<Vec<Row>>, Vec<Output>)>,
    /// Whether the commit ended while it stood still.
    overslept: bool,
    /// When it is woken next.
    wakes: u64,
}

impl Node {
    /// Somebody whose peer has never run.
    pub fn new(index: usize, identity: Identity) -> Node {
        let (store, _) = peer::Store::in_memory(&identity.key()).expect("a store in memory");
        Node {
            name: format!("p{index}").parse().expect("a name"),
            identity,
            store,
            core: None,
            life: 0,
            tracker: None,
            slow: false,
            asleep: false,
            nap: 0,
            disk_full: false,
            refuses: false,
            clock: 0,
            doom: None,
            waiting: VecDeque::new(),
            commit: None,
            overslept: false,
            wakes: u64::MAX,
        }
    }
}

impl World {
    /// Starts a peer from what its store holds, if it is down.
    pub fn start(&mut self, index: usize) {
        let seed = self.chance.of(Draw::Start, index, 0).number();
        let node = &mut self.nodes[index];
        if node.core.is_some() {
            return;
        }
        let (_, saved) = node.store.reopen(&node.identity.key()).expect("the store opens");
        let config = peer::Config { link_buffer_bytes: 2_000, ..peer::Config::default() };
        node.life += 1;
        let core = Core::new(Start {
            name: node.name.clone(),
            identity: node.identity.clone(),
            config,
            tracker_key: None,
            invite: None,
            tracker: Some(address(99)),
            address: address(index),
            saved,
            seed,
        });
        self.model.started(&node.identity.key(), &core);
        let life = node.life;
        node.core = Some(core);
        self.take(index, life, None, Input::Interfaces(Addresses::new([address(index)])));
    }

    /// Kills a peer. Others notice when their connections die.
    pub fn kill(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        let Some(core) = node.core.take() else { return };
        // A person logs in by the name that they know to be theirs.
        node.name = core.name().clone();
        (node.tracker, node.commit, node.doom) = (None, None, None);
        (node.asleep, node.overslept, node.refuses, node.wakes) = (false, false, false, u64::MAX);
        node.waiting.clear();
        self.model.died(&node.identity.key());
        self.vanish(index);
    }

    /// A peer stands still for so long.
    pub fn sleep(&mut self, index: usize, ms: u64) {
        let node = &mut self.nodes[index];
        if node.core.is_none() || node.asleep {
            return;
        }
        node.asleep = true;
        node.nap += 1;
        let nap = node.nap;
        self.after(ms, Event::GoesOn(index, nap));
        self.after(DEAD, Event::Silent(index, nap));
    }

    pub(super) fn goes_on(&mut self, index: usize, nap: u64) {
        let node = &mut self.nodes[index];
        if !node.asleep || node.nap != nap {
            return;
        }
        node.asleep = false;
        let life = node.life;
        if std::mem::take(&mut node.overslept) {
            self.synced(index, life);
        }
        self.turn(index);
    }

    /// Wakes whoever stands still.
    pub fn wake_up(&mut self, index: usize) {
        self.goes_on(index, self.nodes[index].nap);
    }

    /// Something happens to a peer.
    pub(super) fn take(&mut self, index: usize, life: u64, tracker: Option<WireId>, input: Input) {
        let node = &mut self.nodes[index];
        if node.core.is_some() && node.life == life {
            node.waiting.push_back((tracker, input));
            self.turn(index);
        }
    }

    pub(super) fn wake(&mut self, index: usize, life: u64) {
        let node = &mut self.nodes[index];
        if node.wakes == self.now {
            node.wakes = u64::MAX;
            self.take(index, life, None, Input::Tick);
        }
    }

    /// Takes all that waits, and does what comes of it.
    fn turn(&mut self, index: usize) {
        let now = self.clock(index);
        let node = &mut self.nodes[index];
        if node.commit.is_some() || node.asleep || node.waiting.is_empty() {
            return;
        }
        let Some(core) = node.core.as_mut() else { return };
        for (tracker, input) in node.waiting.drain(..) {
            let late = tracker.is_some_and(|wire| node.tracker != Some(wire));
            if !late {
                core.handle(input, now);
            }
        }
        let (mut rows, mut rest) = (Vec::new(), Vec::new());
        for output in core.flush(now) {
            match output {
                Output::Keep(row) => rows.push(row),
                output => rest.push(output),
            }
        }
        if rows.iter().any(|row| matches!(row, Row::Room { .. })) {
            self.model.tables(core);
        }
        if rows.is_empty() {
            return self.carry_out(index, rest);
        }
        let early = if fault::on(Fault::OutBeforeSync) { std::mem::take(&mut rest) } else { Vec::new() };
        node.commit = Some((Arc::new(rows), rest));
        let (wait, life) = (1 + self.chance.of(Draw::Commit, index, 0).below(6) as u64, node.life);
        self.after(wait, Event::Synced(index, life));
        self.carry_out(index, early);
    }

    /// A commit ends, and with it, perhaps, the peer.
    pub(super) fn synced(&mut self, index: usize, life: u64) {
        let node = &mut self.nodes[index];
        if node.life != life || node.commit.is_none() {
            return;
        }
        if node.asleep {
            node.overslept = true;
            return;
        }
        if node.disk_full {
            node.refuses = true;
            return self.after(RETRY, Event::Synced(index, life));
        }
        node.refuses = false;
        let dies = node.doom.as_mut().and_then(|(commit, kept)| {
            *commit -= 1;
            (*commit == 0).then_some(*kept)
        });
        let Some((rows, outputs)) = node.commit.take() else { return };
        if dies == Some(false) {
            if fault::on(Fault::CommitTorn) {
                ready(node.store.commit(Arc::new(rows[..rows.len() / 2].to_vec()))).expect("a commit in memory");
            }
            return self.kill(index);
        }
        let me = node.identity.key();
        let stored = rows.iter().filter(|row| !forgotten(row, &me)).cloned().collect();
        ready(node.store.commit(Arc::new(stored))).expect("a commit in memory");
        self.kept(index, &rows);
        if dies.is_some() {
            return self.kill(index);
        }
        self.carry_out(index, outputs);
        self.turn(index);
    }

    fn kept(&mut self, index: usize, rows: &[Row]) {
        let node = &self.nodes[index];
        let (me, Some(core)) = (node.identity.key(), &node.core) else { return };
        for (index, row) in rows.iter().enumerate() {
            match row {
                Row::Segment(segment) => {
                    // Who has gone in the same commit, behind it, was there when it was taken.
                    let left = |row: &Row| match row {
                        Row::Span(room, span) if *room == segment.room => Some(span.key),
                        _ => None,
                    };
                    let later = rows[index..].iter().filter_map(left).collect();
                    self.model.taken(&me, segment, core, &later);
                    self.model.stored(&me, segment, core);
                }
                Row::Event(event) => self.model.happened(&me, event),
                Row::Cancelled { room, number, had } => self.model.cancelled(&me, room, *number, had),
                _ => {}
            }
        }
    }

    fn carry_out(&mut self, index: usize, outputs: Vec<Output>) {
        for output in outputs {
            self.carry_out_one(index, output);
        }
        let node = &mut self.nodes[index];
        let Some(deadline) = node.core.as_ref().map(|core| core.deadline().max(self.now + 1)) else { return };
        if deadline < node.wakes {
            node.wakes = deadline;
            let life = node.life;
            if deadline != u64::MAX {
                self.at(deadline, Event::Wake(index, life));
            }
        }
    }

    fn carry_out_one(&mut self, index: usize, output: Output) {
        let (me, life) = (self.nodes[index].identity.key(), self.nodes[index].life);
        match output {
            Output::Keep(_) | Output::Show(Shown::Member(_) | Shown::Typing(_)) | Output::Welcomed(_) => {}
            // Files have a swarm of their own.
            Output::File(_) | Output::Show(Shown::Transfer(_)) => {}
            // Nobody in the swarm looks for who is typing.
            Output::Hint(..) => {}
            // Nobody in the histories calls an address, or has an address book.
            Output::Call(..) | Output::KeepBook(_) => {}
            Output::Reply(id, answer) => self.model.answered(&me, id, &answer),
            Output::Show(Shown::Batch(segment)) => self.model.shown(&me, &segment),
            Output::Show(Shown::Receipt(receipt)) => {
                self.model.receipted(&me, &receipt);
            }
            Output::DialTracker => self.dial_tracker(index),
            Output::DropTracker => {
                if let Some(wire) = self.nodes[index].tracker.take() {
                    self.send(wire, 0, Packet::Close);
                }
            }
            Output::TellTracker(frame) => {
                if let Some(wire) = self.nodes[index].tracker {
                    self.send(wire, 0, Packet::to_tracker(&frame));
                }
            }
            Output::Dial(key, addresses) => {
                let other = self.whose(&key).filter(|other| addresses.as_slice().contains(&address(*other)));
                self.dial(index, key, other);
            }
            Output::Send(link, frame) => self.send_frame(index, link, frame),
            Output::Close(link, _) => {
                let (wire, side) = end_of(link);
                self.send(wire, side, Packet::Close);
            }
            Output::Load { link, room, from } => {
                let store = &self.nodes[index].store;
                let batches = ready(store.own_batches(room.clone(), me, from)).expect("the store reads");
                self.after(2, Event::Peer(index, life, None, Input::Loaded { link, room, batches }));
            }
            Output::Feed { link, room, logs, position } => {
                let store = &self.nodes[index].store;
                let fed = ready(store.feed(room.clone(), logs, position)).expect("the store reads");
                let peer::store::Fed { segments, position, more } = fed;
                let fed = Input::Fed { link, room, segments, position, more };
                self.after(2, Event::Peer(index, life, None, fed));
            }
            Output::End(why) => self.model.ended(&why),
        }
    }

    /// Both clocks, as a peer sees them.
    fn clock(&self, index: usize) -> Now {
        let wall = EPOCH.saturating_add(self.now as i64).saturating_add(self.nodes[index].clock);
        Now { at: self.now, wall: wall.max(0) as u64 }
    }
}

/// Whether a fault that is on keeps a row from the store.
fn forgotten(row: &Row, me: &Key) -> bool {
    match row {
        Row::Receipt { .. } => fault::on(Fault::ReceiptNotKept),
        Row::Segment(segment) if segment.author == *me => fault::on(Fault::OwnNotKept),
        Row::Segment(_) => fault::on(Fault::HeldNotKept),
        Row::Piece { .. } => fault::on(Fault::PieceNotKept),
        Row::Cancelled { .. } => fault::on(Fault::CancelNotKept),
        _ => false,
    }
}
