//! What the cores ask for is done here, over connections that deliver in order or die.

use std::sync::Arc;

use common::{
    Identity,
    frame::{Encoded, Frame, HEADER},
    wire::{
        peer::PeerFrame,
        tracker::{ToPeer, ToTracker},
    },
};
use peer::core::{Input, LinkId, Output, Row, Shown};
use tracker::core::{Input as TrackerInput, Output as TrackerOutput, SessionId};

use super::world::{End, Event, Session, World, address, ready};

/// After how long a silent connection is dead, in milliseconds.
const DEAD: u64 = 15_000;
/// How long a dial goes on, in milliseconds.
const DIAL: u64 = 5_000;

impl World {
    /// Gives a peer an input, and does what it wants done.
    pub fn input(&mut self, index: usize, input: Input) {
        let now = self.clock();
        let Some(core) = self.nodes[index].core.as_mut() else { return };
        core.handle(input, now);
        let outputs = core.flush(now);
        let mut rows = Vec::new();
        let mut rest = Vec::new();
        for output in outputs {
            match output {
                Output::Keep(row) => rows.push(row),
                output => rest.push(output),
            }
        }
        let crash = self.model.crashes && self.random.chance(0.002);
        if crash && self.random.chance(0.5) {
            return self.kill(index);
        }
        if !rows.is_empty() {
            let rows = Arc::new(rows);
            ready(self.nodes[index].store.commit(rows.clone())).expect("a commit in memory");
            self.kept(index, &rows);
        }
        if crash {
            return self.kill(index);
        }
        for output in rest {
            self.carry_out(index, output);
        }
        if let Some(core) = &self.nodes[index].core {
            self.model.tables(core);
            let (deadline, life) = (core.deadline(), self.nodes[index].life);
            if deadline != u64::MAX {
                self.at(deadline.max(self.now + 1), Event::Wake(index, life));
            }
        }
    }

    fn kept(&mut self, index: usize, rows: &[Row]) {
        let me = self.nodes[index].identity.key();
        if let Some(core) = &self.nodes[index].core {
            self.model.tables(core);
        }
        for row in rows {
            if let Row::Segment(segment) = row {
                self.model.stored(&me, segment);
            }
        }
    }

    fn carry_out(&mut self, index: usize, output: Output) {
        match output {
            Output::Show(Shown::Receipt(receipt)) => {
                let (me, names) = (self.nodes[index].identity.key(), &self.nodes);
                let member = names.iter().find(|n| n.name == receipt.name).map(|n| n.identity.key());
                self.model.receipted(&me, &member.expect("a receipt is of somebody"), &receipt);
            }
            Output::DialTracker => self.dial_tracker(index),
            Output::DropTracker => self.drop_tracker(index),
            Output::TellTracker(frame) => {
                let Some(id) = self.nodes[index].tracker else { return };
                let latency = self.latency();
                let Some(session) = self.sessions.get_mut(&id) else { return };
                session.up_until = session.up_until.max(self.now + latency);
                let moment = session.up_until;
                self.at(moment, Event::ToTracker(id, frame));
            }
            Output::Dial(key, addresses) => {
                let other = self.whose(&key).filter(|other| addresses.as_slice().contains(&address(*other)));
                self.dial(index, key, other);
            }
            Output::Send(link, frame) => self.send(link, Some(frame)),
            Output::Close(link, _) => self.send(link, None),
            Output::Load { link, room, from } => {
                let node = &self.nodes[index];
                let (me, life) = (node.identity.key(), node.life);
                let batches = ready(node.store.own_batches(room.clone(), me, from)).expect("the store reads");
                self.after(2, Event::Peer(index, life, Input::Loaded { link, room, batches }));
            }
            Output::Feed { link, room, logs, position } => {
                let node = &self.nodes[index];
                let fed = ready(node.store.feed(room.clone(), logs, position)).expect("the store reads");
                let peer::store::Fed { segments, position, more } = fed;
                self.after(2, Event::Peer(index, node.life, Input::Fed { link, room, segments, position, more }));
            }
            Output::End(why) => self.model.ended(&why),
            Output::Keep(_) | Output::Reply(..) | Output::Show(_) | Output::Welcomed(_) => {}
        }
    }

    fn dial(&mut self, index: usize, key: common::Key, other: Option<usize>) {
        let life = self.nodes[index].life;
        let there =
            other.filter(|o| self.nodes[*o].core.is_some() && self.reaches(index, *o) && self.reaches(*o, index));
        let Some(other) = there else {
            return self.after(DIAL, Event::Peer(index, life, Input::DialFailed(key, "nobody answers".into())));
        };
        let (mine, theirs) = (LinkId(self.fresh()), LinkId(self.fresh()));
        let (mine_at, theirs_at) = (self.latency(), self.latency());
        let their_life = self.nodes[other].life;
        let busy_until = self.now + mine_at.max(theirs_at) + 1;
        self.ends.insert(mine, End { node: index, life, other: theirs, busy_until });
        self.ends.insert(theirs, End { node: other, life: their_life, other: mine, busy_until });
        let up = Input::LinkUp { link: mine, key, dialled: true, address: address(other) };
        self.after(mine_at, Event::Peer(index, life, up));
        let me = self.nodes[index].identity.key();
        let up = Input::LinkUp { link: theirs, key: me, dialled: false, address: address(index) };
        self.after(theirs_at, Event::Peer(other, their_life, up));
    }

    /// Sends a frame, or the end of a link.
    fn send(&mut self, link: LinkId, frame: Option<Encoded>) {
        let latency = self.latency();
        let Some(end) = self.ends.get_mut(&link) else { return };
        end.busy_until = end.busy_until.max(self.now + latency);
        let (moment, End { node, life, other, .. }) = (end.busy_until, *end);
        let Some(to) = self.ends.get(&other).map(|end| end.node) else { return };
        if let Some(frame) = &frame {
            let wait = if self.nodes[node].slow { 400 } else { 1 };
            self.after(wait, Event::Peer(node, life, Input::LinkSent(link, frame.len())));
        }
        if self.reaches(node, to) {
            self.at(moment, Event::OverLink(other, frame));
        } else {
            self.after(DEAD, Event::LinkDies(link));
            self.after(DEAD, Event::LinkDies(other));
        }
    }

    /// Something arrives at one end of a link.
    pub(super) fn arrive(&mut self, link: LinkId, frame: Option<Encoded>) {
        let Some(end) = self.ends.get(&link).copied() else { return };
        if !self.ends.contains_key(&end.other) || self.nodes[end.node].life != end.life {
            return;
        }
        let Some(frame) = frame else {
            self.link_dies(link);
            return self.link_dies(end.other);
        };
        if let Some(frame) = PeerFrame::decode(&frame[HEADER..]).expect("a peer's frames can be read") {
            self.input(end.node, Input::LinkSays(link, frame));
        }
    }

    pub(super) fn link_dies(&mut self, link: LinkId) {
        if let Some(end) = self.ends.remove(&link)
            && self.nodes[end.node].life == end.life
        {
            self.input(end.node, Input::LinkDown(link, "dead".into()));
        }
    }

    fn dial_tracker(&mut self, index: usize) {
        let life = self.nodes[index].life;
        let tracker = self.tracker_index();
        if self.tracker.core.is_none() || !self.reaches(index, tracker) || !self.reaches(tracker, index) {
            return self.after(DIAL, Event::Peer(index, life, Input::TrackerDown("nothing answers".into())));
        }
        let id = SessionId(self.fresh());
        let wait = self.latency();
        let session = Session {
            node: index,
            life,
            tracker_life: self.tracker.life,
            greeted: false,
            up_until: self.now + wait,
            down_until: self.now + wait,
        };
        self.sessions.insert(id, session);
        self.nodes[index].tracker = Some(id);
        let key = Identity::from_seed([99; 32]).key();
        self.after(wait, Event::Peer(index, life, Input::TrackerUp(key)));
    }

    fn drop_tracker(&mut self, index: usize) {
        let Some(id) = self.nodes[index].tracker.take() else { return };
        if let Some(session) = self.sessions.remove(&id) {
            let lost = TrackerInput::Lost { session: id };
            self.at(session.up_until + 1, Event::Tracker(session.tracker_life, lost));
        }
    }

    pub(super) fn arrive_at_tracker(&mut self, id: SessionId, frame: Encoded) {
        let tracker = self.tracker_index();
        let Some(session) = self.sessions.get_mut(&id).filter(|s| s.tracker_life == self.tracker.life) else { return };
        let node = session.node;
        if self.cuts.contains(&(node, tracker)) {
            return self.after(DEAD, Event::SessionDies(id));
        }
        let greeted = std::mem::replace(&mut session.greeted, true);
        let frame = ToTracker::decode(&frame[HEADER..]).expect("a peer's frames can be read");
        let (key, seen) = (self.nodes[node].identity.key(), address(node));
        match frame {
            Some(ToTracker::Hello(hello)) if !greeted => {
                self.tracker_input(TrackerInput::Hello { session: id, key, seen, hello });
            }
            Some(frame) => self.tracker_input(TrackerInput::Frame { session: id, seen, frame }),
            None => {}
        }
    }

    pub(super) fn arrive_from_tracker(&mut self, id: SessionId, frame: Option<Encoded>) {
        let Some(session) = self.sessions.get(&id) else { return };
        let (node, life) = (session.node, session.life);
        if self.nodes[node].life != life || self.nodes[node].tracker != Some(id) {
            return;
        }
        let Some(frame) = frame else { return self.session_dies(id) };
        if let Some(frame) = ToPeer::decode(&frame[HEADER..]).expect("the tracker's frames can be read") {
            self.input(node, Input::TrackerSays(frame));
        }
    }

    pub(super) fn session_dies(&mut self, id: SessionId) {
        let Some(session) = self.sessions.remove(&id) else { return };
        if session.tracker_life == self.tracker.life {
            self.tracker_input(TrackerInput::Lost { session: id });
        }
        let node = &mut self.nodes[session.node];
        if node.tracker == Some(id) && node.life == session.life {
            node.tracker = None;
            self.input(session.node, Input::TrackerDown("dead".into()));
        }
    }

    pub(super) fn tracker_input(&mut self, input: TrackerInput) {
        let now = self.clock().wall;
        if let Some(tracker) = self.tracker.core.as_mut() {
            tracker.handle(input, now);
            self.wake_tracker();
        }
    }

    pub(super) fn wake_tracker(&mut self) {
        let now = self.clock().wall;
        let Some(tracker) = self.tracker.core.as_mut() else { return };
        let outputs = tracker.poll(now);
        let deadline = tracker.deadline();
        let crash = self.model.crashes && self.random.chance(0.0005);
        if crash && self.random.chance(0.5) {
            return self.kill_tracker();
        }
        let mut rows = Vec::new();
        let mut rest = Vec::new();
        for output in outputs {
            match output {
                TrackerOutput::Store(row) => rows.push(row),
                output => rest.push(output),
            }
        }
        self.tracker.store.commit(&rows).expect("a commit in memory");
        if crash {
            return self.kill_tracker();
        }
        for output in rest {
            self.tracker_does(output);
        }
        if let Some(deadline) = deadline {
            let (wait, life) = (deadline.saturating_sub(now).max(1), self.tracker.life);
            self.after(wait, Event::WakeTracker(life));
        }
    }

    fn tracker_does(&mut self, output: TrackerOutput) {
        let (id, frames, end) = match output {
            TrackerOutput::Store(_) => return,
            TrackerOutput::Send { session, frames, .. } => {
                let slow = self.sessions.get(&session).is_some_and(|s| self.nodes[s.node].slow);
                let (wait, life) = (if slow { 700 } else { 2 }, self.tracker.life);
                self.after(wait, Event::Tracker(life, TrackerInput::Sent { session }));
                (session, frames, false)
            }
            TrackerOutput::Close { session, last, .. } => (session, vec![last], true),
        };
        for frame in frames.into_iter().map(Some).chain(end.then_some(None)) {
            let (latency, tracker) = (self.latency(), self.tracker_index());
            let Some(session) = self.sessions.get_mut(&id) else { return };
            session.down_until = session.down_until.max(self.now + latency);
            let (moment, node) = (session.down_until, session.node);
            if self.reaches(tracker, node) {
                self.at(moment, Event::FromTracker(id, frame));
            } else {
                self.after(DEAD, Event::SessionDies(id));
            }
        }
    }
}
