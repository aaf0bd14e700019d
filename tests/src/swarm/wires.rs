//! Connections: in each direction everything arrives in order, or from some moment on nothing does. Each end notices
//! by itself that a connection is over, and not always at the same time.

use common::{
    fault::{self, Fault},
    frame::{self, Encoded, Frame, HEADER},
    message::Batch,
    wire::{
        peer::PeerFrame,
        tracker::{ToPeer, ToTracker},
    },
};
use peer::core::{Input, LinkId};
use tracker::core::{Input as TrackerInput, SessionId};

use super::{
    chance::Draw,
    world::{Event, World, address},
};

/// After how long a silent connection is dead, in milliseconds.
pub const DEAD: u64 = 15_000;
/// How long a dial goes on, in milliseconds.
const DIAL: u64 = 5_000;

/// Names a connection.
pub type WireId = u64;
/// The end that dialled is 0, the other 1.
pub type Side = usize;

/// A connection of two peers, or of a peer and the tracker.
pub struct Wire {
    pub ends: [End; 2],
    /// Whether the peer has said hello to the tracker.
    greeted: bool,
}

/// One end, and the direction from it to the other.
pub struct End {
    pub who: usize,
    life: u64,
    open: bool,
    /// When what was sent last will arrive: nothing overtakes it.
    arrives: u64,
    /// What is held up by a cut.
    stuck: Vec<Packet>,
    /// From when on nothing arrives any more.
    lost: u64,
    /// Bytes that have not been handed on to the network.
    queued: usize,
}

/// What travels.
pub enum Packet {
    Peer(PeerFrame),
    ToTracker(ToTracker),
    ToPeer(ToPeer),
    Close,
}

/// The name that one end of a connection goes by in a peer's core.
pub fn link(wire: WireId, side: Side) -> LinkId {
    LinkId(2 * wire + side as u64)
}

/// The connection and the end of it that a core has named.
pub fn end_of(link: LinkId) -> (WireId, Side) {
    (link.0 / 2, (link.0 % 2) as usize)
}

impl World {
    /// A peer dials another.
    pub(super) fn dial(&mut self, index: usize, key: common::Key, other: Option<usize>) {
        let life = self.nodes[index].life;
        let Some(other) = other.filter(|other| self.answers(index, *other)) else {
            return self.after(DIAL, Event::Peer(index, life, None, Input::DialFailed(key, "nobody answers".into())));
        };
        let waits = [(index, other), (other, index)].map(|(from, to)| self.handshake(from, to));
        let wire = self.connect(index, other, waits[0].max(waits[1]));
        *self.dialled.entry((index, other)).or_default() += 1;
        let up = Input::LinkUp { link: link(wire, 0), key, dialled: true, address: address(other) };
        self.after(waits[0], Event::Peer(index, life, None, up));
        let me = self.nodes[index].identity.key();
        let up = Input::LinkUp { link: link(wire, 1), key: me, dialled: false, address: address(index) };
        self.after(waits[1], Event::Peer(other, self.nodes[other].life, None, up));
    }

    /// A peer dials the tracker.
    pub(super) fn dial_tracker(&mut self, index: usize) {
        let (life, tracker) = (self.nodes[index].life, self.tracker_index());
        if !self.answers(index, tracker) {
            let wire = self.fresh();
            self.nodes[index].tracker = Some(wire);
            let down = Input::TrackerDown("nothing answers".into());
            return self.after(DIAL, Event::Peer(index, life, Some(wire), down));
        }
        let wait = self.handshake(index, tracker);
        let wire = self.connect(index, tracker, wait);
        self.nodes[index].tracker = Some(wire);
        let key = common::Identity::from_seed([99; 32]).key();
        self.after(wait, Event::Peer(index, life, Some(wire), Input::TrackerUp(key)));
    }

    fn answers(&self, from: usize, to: usize) -> bool {
        self.life(to).is_some() && !self.sleeps(to) && self.reaches(from, to) && self.reaches(to, from)
    }

    /// Mostly two round trips; now and then so long that the other side has dialled too by then.
    fn handshake(&mut self, from: usize, to: usize) -> u64 {
        let random = self.chance.of(Draw::Handshake, from, to);
        let long = if random.chance(0.15) { random.below(1_500) } else { 0 };
        (2 + random.below(40) + long) as u64
    }

    fn connect(&mut self, from: usize, to: usize, wait: u64) -> WireId {
        let (wire, arrives) = (self.fresh(), self.now + wait + 1);
        let end = |who| End {
            who,
            life: self.life(who).unwrap_or(0),
            open: true,
            arrives,
            stuck: Vec::new(),
            lost: u64::MAX,
            queued: 0,
        };
        self.wires.insert(wire, Wire { ends: [end(from), end(to)], greeted: false });
        wire
    }

    /// Sends a frame of a peer to a peer. Nothing may pile up in front of the network.
    pub(super) fn send_frame(&mut self, index: usize, id: LinkId, frame: Encoded) {
        let (wire, side) = end_of(id);
        let Some(end) = self.wires.get_mut(&wire).map(|wire| &mut wire.ends[side]).filter(|end| end.open) else {
            return;
        };
        end.queued += frame.len();
        assert!(end.queued < 4 * 1024 * 1024, "p{index} queues {} bytes for one link", end.queued);
        let wait = if self.nodes[index].slow { 400 } else { 1 };
        let life = self.nodes[index].life;
        self.after(wait, Event::Written(index, life, id, frame.len()));
        let decoded = PeerFrame::decode(&frame[HEADER..]).expect("a peer's frames can be read");
        let decoded = decoded.expect("a peer's frames are known");
        self.leaves(index, self.wires[&wire].ends[1 - side].who, &decoded);
        self.send(wire, side, Packet::Peer(decoded));
    }

    /// A frame leaves one peer for another: it must be one that may.
    fn leaves(&mut self, index: usize, to: usize, frame: &PeerFrame) {
        let [me, to] = [index, to].map(|node| self.nodes[node].identity.key());
        let Some(core) = &self.nodes[index].core else { return };
        match frame {
            PeerFrame::Batch(batch) => self.model.sent(&me, &to, batch, core),
            PeerFrame::Passed(passed) => {
                let batch = frame::unpack::<Batch>(&passed.batch).expect("a batch that is passed on can be read");
                match passed.author == me {
                    true => self.model.sent(&me, &to, &batch, core),
                    false => self.model.passed(&me, &passed.author, &to, &batch, core),
                }
            }
            _ => {}
        }
    }

    /// So many bytes have been handed on to the network.
    pub(super) fn written(&mut self, index: usize, life: u64, id: LinkId, bytes: usize) {
        let (wire, side) = end_of(id);
        if let Some(wire) = self.wires.get_mut(&wire).filter(|wire| wire.ends[side].open) {
            wire.ends[side].queued -= bytes;
            self.at(self.now, Event::Peer(index, life, None, Input::LinkSent(id, bytes)));
        }
    }

    /// Sends something from one end to the other.
    pub(super) fn send(&mut self, id: WireId, side: Side, packet: Packet) {
        let Some((from, to)) = self.wires.get(&id).map(|wire| (wire.ends[side].who, wire.ends[1 - side].who)) else {
            return;
        };
        let latency = self.latency(from, to);
        let (now, held_up) = (self.now, !self.reaches(from, to));
        let Some(end) = self.wires.get_mut(&id).map(|wire| &mut wire.ends[side]).filter(|end| end.open) else {
            return;
        };
        end.arrives = end.arrives.max(now + latency);
        let closes = matches!(packet, Packet::Close);
        end.open = !closes;
        let (arrives, lost) = (end.arrives, end.lost <= now);
        if held_up || !end.stuck.is_empty() {
            end.stuck.push(packet);
        } else if !lost {
            self.at(arrives, Event::Arrives(id, 1 - side, packet));
        }
        if closes {
            // Should the word not arrive, silence tells it.
            self.after(DEAD, Event::Ends(id, 1 - side));
        }
    }

    fn latency(&mut self, from: usize, to: usize) -> u64 {
        let random = self.chance.of(Draw::Latency, from, to);
        // A packet that was lost is sent again.
        let again = if random.chance(0.05) { 50 + random.below(200) } else { 0 };
        (1 + random.below(20) + again) as u64
    }

    /// Something arrives at one end.
    pub(super) fn arrives(&mut self, id: WireId, side: Side, packet: Packet) {
        let Some(wire) = self.wires.get_mut(&id) else { return };
        let (to, from) = (&wire.ends[side], &wire.ends[1 - side]);
        if !to.open || from.lost <= self.now {
            return;
        }
        let (to, life, from) = (to.who, to.life, from.who);
        let session = SessionId(id);
        match packet {
            Packet::Close => self.ends(id, side),
            Packet::Peer(frame) => self.take(to, life, None, Input::LinkSays(link(id, side), frame)),
            Packet::ToPeer(frame) => self.take(to, life, Some(id), Input::TrackerSays(frame)),
            Packet::ToTracker(ToTracker::Hello(hello)) if !std::mem::replace(&mut wire.greeted, true) => {
                let (key, seen) = (self.nodes[from].identity.key(), address(from));
                self.tracker_takes(life, TrackerInput::Hello { session, key, seen, hello, clock: 0 });
            }
            Packet::ToTracker(frame) => {
                self.tracker_takes(life, TrackerInput::Frame { session, seen: address(from), frame });
            }
        }
    }

    /// One end notices that the connection is over.
    pub(super) fn ends(&mut self, id: WireId, side: Side) {
        let tracker = self.tracker_index();
        let Some(wire) = self.wires.get_mut(&id) else { return };
        let other = wire.ends[1 - side].who;
        let end = &mut wire.ends[side];
        let (who, life, was_open) = (end.who, end.life, std::mem::replace(&mut end.open, false));
        if !wire.ends.iter().any(|end| end.open) {
            self.wires.remove(&id);
        }
        if !was_open {
            return;
        }
        if who == tracker {
            self.tracker_takes(life, TrackerInput::Lost { session: SessionId(id) });
        } else if other == tracker {
            self.take(who, life, Some(id), Input::TrackerDown("dead".into()));
        } else if !fault::on(Fault::LinkEndMissed) {
            self.take(who, life, None, Input::LinkDown(link(id, side), "dead".into()));
        }
    }

    fn wires_of(&self, who: usize) -> Vec<(WireId, Side)> {
        let sides = self.wires.iter().flat_map(|(id, wire)| [(*id, 0, wire), (*id, 1, wire)]);
        sides.filter(|(_, side, wire)| wire.ends[*side].who == who).map(|(id, side, _)| (id, side)).collect()
    }

    fn wires_from_to(&self, from: usize, to: usize) -> Vec<(WireId, Side)> {
        self.wires_of(from).into_iter().filter(|(id, side)| self.wires[id].ends[1 - side].who == to).collect()
    }

    /// A process is gone: what it has sent goes on, and the others notice by its silence.
    pub(super) fn vanish(&mut self, who: usize) {
        for (id, side) in self.wires_of(who) {
            if let Some(wire) = self.wires.get_mut(&id) {
                wire.ends[side].open = false;
            }
            self.after(DEAD, Event::Ends(id, 1 - side));
        }
    }

    /// A process has stood still for too long: its connections are dead, which it finds when it goes on.
    pub(super) fn fall_silent(&mut self, who: usize) {
        for (id, side) in self.wires_of(who) {
            self.lose(id, self.now);
            self.ends(id, 1 - side);
            self.ends(id, side);
        }
    }

    /// From now on nothing arrives in one direction.
    pub(super) fn cut(&mut self, from: usize, to: usize) {
        if from == to || self.cuts.contains_key(&(from, to)) {
            return;
        }
        self.cuts.insert((from, to), self.now);
        for (id, side) in self.wires_from_to(from, to) {
            self.after(DEAD, Event::Unheard(id, 1 - side, self.now));
        }
    }

    /// An end has heard nothing since a cut, if the cut still stands. The other end is not answered from then on.
    pub(super) fn unheard(&mut self, id: WireId, side: Side, since: u64) {
        let Some(wire) = self.wires.get(&id) else { return };
        let (to, from) = (wire.ends[side].who, wire.ends[1 - side].who);
        if self.cuts.get(&(from, to)) == Some(&since) {
            let wait = self.chance.of(Draw::Break, from, to).below(DEAD as usize) as u64;
            self.lose(id, self.now);
            self.ends(id, side);
            self.after(wait, Event::Ends(id, 1 - side));
        }
    }

    /// Everything gets everywhere: what was held up goes on.
    pub(super) fn heal(&mut self) {
        self.cuts.clear();
        let mut goes_on = Vec::new();
        for (id, wire) in &mut self.wires {
            for (side, end) in wire.ends.iter_mut().enumerate() {
                end.arrives = end.arrives.max(self.now + 1);
                let (arrives, lost) = (end.arrives, end.lost <= self.now);
                let stuck = std::mem::take(&mut end.stuck).into_iter().filter(|_| !lost);
                goes_on.extend(stuck.map(|packet| (arrives, Event::Arrives(*id, 1 - side, packet))));
            }
        }
        goes_on.into_iter().for_each(|(arrives, event)| self.at(arrives, event));
    }

    /// The connections of two break. A part of what is on its way arrives; each end notices at once or by silence.
    pub(super) fn break_wires(&mut self, one: usize, other: usize) {
        for (id, side) in self.wires_from_to(one, other) {
            let random = self.chance.of(Draw::Break, one, other);
            let until = self.now + random.below(60) as u64;
            let waits =
                [(); 2].map(|()| if random.chance(0.5) { random.below(300) } else { random.below(DEAD as usize) });
            self.lose(id, until);
            self.after(waits[0] as u64, Event::Ends(id, side));
            self.after(waits[1] as u64, Event::Ends(id, 1 - side));
        }
    }

    fn lose(&mut self, id: WireId, from: u64) {
        if let Some(wire) = self.wires.get_mut(&id) {
            wire.ends.iter_mut().for_each(|end| end.lost = end.lost.min(from));
        }
    }
}
