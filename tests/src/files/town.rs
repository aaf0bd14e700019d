//! The swarm: its hosts, its links, and the queue of what will happen.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use common::{
    RoomName,
    file::{FileInfo, Grid, Root},
    wire::peer::{Fetch, PeerFrame, ServeCode},
};
use peer::core::{
    LinkId,
    files::{FetchEnd, FetchId, FileInput, FileOutput, Found, Mark, Outcome, ServeEnd, ServeId},
};

use super::host::{Host, Nature, Rates, key, path};
use crate::sim::Random;

/// How long a disk takes to look, in microseconds.
const DISK: u64 = 2_000;

/// Something that will happen.
#[derive(Debug)]
pub(super) enum Event {
    /// A frame comes to a host over a link.
    Frame(usize, LinkId, Box<PeerFrame>),
    /// A wish for a range comes to a host over a link, from a host that calls it so.
    Ask(usize, LinkId, (usize, FetchId), Fetch),
    /// A refusal comes to a host.
    Refused(usize, FetchId, ServeCode),
    /// A host may send a part of something.
    Send(usize),
    /// A part of a range comes to a host's downlink: from whom, how much, whether it is right.
    Arrive(usize, FetchId, (usize, ServeId), u64, bool),
    /// It has come through it.
    Take(usize, FetchId, (usize, ServeId), u64, bool),
    /// So much of what a host has sent has been taken.
    Taken(usize, ServeId, u64),
    /// A range that a host sends is not wanted any more.
    Cancel(usize, (usize, FetchId)),
    /// What a host's own shell says, if it is still the same start of it.
    Shell(usize, u64, FileInput),
    /// A core wants to be called.
    Tick(usize),
    /// Whoever plays has something to do, by number.
    Step(usize),
}

/// Many hosts in one room, one file.
pub struct Town {
    /// The hosts.
    pub hosts: Vec<Host>,
    /// The file.
    pub file: FileInfo,
    /// What does not hold.
    pub wrong: Option<String>,
    /// Microseconds since the beginning.
    pub now: u64,
    /// How long anything takes from one host to another, in microseconds.
    pub latency: u64,
    pub(super) grid: Grid,
    pub(super) random: Random,
    queue: BinaryHeap<Reverse<(u64, u64, usize)>>,
    events: BTreeMap<usize, Event>,
    counter: u64,
    pub(super) last_link: u64,
    pub(super) last_serve: u64,
}

/// The room.
pub fn room() -> RoomName {
    "lobby".parse().expect("it is a name")
}

impl Town {
    /// Nobody yet, and a file of so many bytes.
    pub fn new(size: u64, latency_ms: u64, seed: u64) -> Town {
        let (name, media) = ("big".to_string(), String::new());
        let file = FileInfo { root: Root([5; 32]), name, size, head: 0, media, pixels: None };
        Town {
            hosts: Vec::new(),
            grid: file.grid(),
            file,
            wrong: None,
            now: 0,
            latency: latency_ms * 1_000,
            random: Random::new(seed),
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            counter: 0,
            last_link: 0,
            last_serve: 0,
        }
    }

    /// The clock of the cores.
    pub fn ms(&self) -> u64 {
        self.now / 1_000
    }

    /// Adds a host, which is started; it has the file or not.
    pub fn add(&mut self, nature: Nature, rates: Rates, has: bool) -> usize {
        let mut host = Host::new(nature, rates);
        if has {
            host.owns(&self.file);
        }
        self.hosts.push(host);
        let host = self.hosts.len() - 1;
        self.start(host);
        host
    }

    /// Starts a host again.
    pub fn start(&mut self, host: usize) {
        let seed = self.random.number();
        let now = self.ms();
        self.hosts[host].start(&self.file, seed, now);
        self.settle(host);
    }

    /// A host's user wants the file.
    pub fn get(&mut self, host: usize) {
        let file = self.file.clone();
        self.hosts[host].get(&file);
        self.settle(host);
    }

    /// Kills a host.
    pub fn stop(&mut self, host: usize) {
        let links: Vec<LinkId> = self.hosts[host].links.keys().copied().collect();
        links.into_iter().for_each(|link| self.cut(host, link));
        self.hosts[host].stop();
    }

    /// Links two hosts that are on, and are not linked.
    pub fn link(&mut self, one: usize, other: usize) {
        let linked = self.hosts[one].links.values().any(|(there, _)| *there == other);
        if linked || one == other || self.hosts[one].files.is_none() || self.hosts[other].files.is_none() {
            return;
        }
        let (a, b) = (LinkId(self.last_link + 1), LinkId(self.last_link + 2));
        self.last_link += 2;
        for (host, there, mine, theirs) in [(one, other, a, b), (other, one, b, a)] {
            self.hosts[host].links.insert(mine, (there, theirs));
            if let Some(files) = &mut self.hosts[host].files {
                files.link_up(mine, key(there), [room()]);
            }
        }
        self.settle(one);
        self.settle(other);
    }

    /// Links everybody with everybody.
    pub fn link_all(&mut self) {
        for one in 0..self.hosts.len() {
            (one + 1..self.hosts.len()).for_each(|other| self.link(one, other));
        }
    }

    /// A link breaks: what was under way on it is lost.
    pub fn cut(&mut self, host: usize, link: LinkId) {
        let Some((there, theirs)) = self.hosts[host].links.remove(&link) else { return };
        self.hosts[there].links.remove(&theirs);
        let now = self.ms();
        for (host, link, other) in [(host, link, there), (there, theirs, host)] {
            let over = self.hosts[host].coming.values().filter(|coming| coming.from.1 == link);
            let lost: u64 = over.map(|coming| coming.came - coming.kept).sum();
            self.hosts[host].coming.retain(|_, coming| coming.from.1 != link);
            self.hosts[host].ledger.lost += lost;
            self.hosts[host].flows.retain(|_, flow| flow.to.0 != other);
            self.hosts[host].asked.retain(|_, (asker, _)| *asker != other);
            if let Some(files) = &mut self.hosts[host].files {
                files.link_down(link, now);
            }
            self.settle(host);
        }
    }

    pub(super) fn later(&mut self, wait: u64, event: Event) {
        self.counter += 1;
        let id = self.counter as usize;
        self.queue.push(Reverse((self.now + wait, self.counter, id)));
        self.events.insert(id, event);
    }

    /// Has whoever plays be asked to do something after `wait` microseconds.
    pub(super) fn step_in(&mut self, wait: u64, number: usize) {
        self.later(wait, Event::Step(number));
    }

    /// Whether every host that fetches, and is on, has the file.
    pub fn is_done(&self) -> bool {
        self.hosts.iter().filter(|host| host.fetches && host.files.is_some()).all(|host| host.whole)
    }

    /// Runs until everybody has the file, or that moment in microseconds. Returns a step that is to be done now.
    pub(super) fn run(&mut self, until: u64) -> Option<usize> {
        while self.wrong.is_none() {
            if self.queue.peek().is_none_or(|Reverse((at, ..))| *at > until) {
                break;
            }
            let Some(Reverse((at, _, id))) = self.queue.pop() else { break };
            self.now = self.now.max(at);
            match self.events.remove(&id) {
                Some(Event::Step(number)) => return Some(number),
                Some(event) => self.happen(event),
                None => {}
            }
        }
        self.now = self.now.max(until);
        None
    }

    /// Runs until everybody has the file. Returns when that was, in microseconds.
    ///
    /// # Panics
    /// If it takes longer than `most` microseconds, or something does not hold.
    pub fn run_until_done(&mut self, most: u64) -> u64 {
        while !self.is_done() {
            assert!(self.now < most, "not done after {} s", most / 1_000_000);
            let until = self.now + 100_000;
            self.run(until);
            assert_eq!(self.wrong, None);
        }
        self.hosts.iter().filter_map(|host| host.ledger.whole_at).max().unwrap_or(0)
    }

    fn happen(&mut self, event: Event) {
        let now = self.ms();
        match event {
            Event::Frame(host, link, frame) => {
                if self.hosts[host].links.contains_key(&link)
                    && let Some(files) = &mut self.hosts[host].files
                {
                    match *frame {
                        PeerFrame::Holds(holds) => files.holds(link, holds),
                        PeerFrame::Watch(watch) => files.watch(link, watch),
                        PeerFrame::Has(has) => files.has(link, has),
                        _ => {}
                    }
                }
                self.settle(host);
            }
            Event::Shell(host, life, input) => {
                if self.hosts[host].life == life {
                    self.shell(host, &input);
                    self.hosts[host].tell(input, now);
                    self.settle(host);
                }
            }
            Event::Tick(host) => {
                if self.hosts[host].tick_at <= now {
                    self.hosts[host].tick_at = u64::MAX;
                    self.settle(host);
                }
            }
            Event::Step(_) => {}
            traffic => self.traffic(traffic),
        }
    }

    /// What happens to a disk when its shell is done with something.
    fn shell(&mut self, host: usize, input: &FileInput) {
        let now = self.now;
        let (count, host) = (self.grid.count(), &mut self.hosts[host]);
        if let FileInput::Finished(_, Ok(_)) = input {
            if host.disk.len() != count {
                self.wrong = Some(format!("a file of {count} pieces was whole with {}", host.disk.len()));
            }
            host.whole = true;
            host.ledger.whole_at.get_or_insert(now);
        }
    }

    /// Does what a core wants to be done.
    pub(super) fn settle(&mut self, host: usize) {
        let now = self.ms();
        let Some(files) = &mut self.hosts[host].files else { return };
        let outcomes = files.flush(now);
        let due = files.deadline();
        outcomes.into_iter().for_each(|outcome| self.carry_out(host, outcome));
        let host_ref = &mut self.hosts[host];
        if due < host_ref.tick_at {
            host_ref.tick_at = due;
            self.later((due * 1_000).saturating_sub(self.now), Event::Tick(host));
        }
    }

    fn carry_out(&mut self, host: usize, outcome: Outcome) {
        match outcome {
            Outcome::Tell(link, frame) => {
                if let Some((there, theirs)) = self.hosts[host].links.get(&link).copied() {
                    self.later(self.latency, Event::Frame(there, theirs, Box::new(frame)));
                }
            }
            Outcome::Keep(kept) => self.hosts[host].kept = Some(kept),
            Outcome::Unkeep(_) => self.hosts[host].kept = None,
            Outcome::Accuse(link, ..) => {
                let Some((there, _)) = self.hosts[host].links.get(&link).copied() else { return };
                if !self.hosts[host].ledger.accused.insert(there) {
                    self.wrong = Some(format!("host {host} was lied to by {there} again, and had asked it again"));
                } else if self.hosts[there].nature != Nature::Liar {
                    self.wrong = Some(format!("host {host} has accused {there}, which is honest"));
                }
            }
            Outcome::Refused(_, refusal) => self.wrong = Some(refusal.message),
            Outcome::Do(output) => self.act(host, output),
            Outcome::Begun(..) | Outcome::Offer(..) | Outcome::Show(_) => {}
        }
    }

    fn act(&mut self, host: usize, output: FileOutput) {
        let life = self.hosts[host].life;
        let root = self.file.root;
        let answer = |town: &mut Town, input| town.later(DISK, Event::Shell(host, life, input));
        match output {
            FileOutput::Prepare { ask, .. } => answer(self, FileInput::Prepared(ask, Ok((path(), None)))),
            FileOutput::Check(place, _) => {
                let pieces = Found::Pieces(self.hosts[host].disk.clone());
                answer(self, FileInput::Found(root, if place.whole { Found::Whole } else { pieces }));
            }
            FileOutput::Finish { .. } => answer(self, FileInput::Finished(root, Ok((path(), Mark(1))))),
            FileOutput::Fetch { fetch, link, pieces, .. } => self.ask_range(host, fetch, link, pieces),
            FileOutput::Stop(fetch) => self.stop_range(host, fetch),
            FileOutput::Serve(serve, _) => self.begin_flow(host, serve),
            FileOutput::Refuse(serve, code) => {
                let flow = self.hosts[host].flows.remove(&serve).map(|flow| flow.to);
                let asker = self.hosts[host].asked.remove(&serve).or(flow);
                if let Some((asker, fetch)) = asker {
                    self.later(self.latency, Event::Refused(asker, fetch, code));
                }
            }
            FileOutput::Discard(_) => self.hosts[host].disk = Default::default(),
            FileOutput::Hash(..) | FileOutput::Forget(_) | FileOutput::Limit(_) => {}
        }
    }

    /// A range that a host fetches has come to its end.
    pub(super) fn fetch_ends(&mut self, host: usize, fetch: FetchId, end: FetchEnd) {
        if let Some(coming) = self.hosts[host].coming.remove(&fetch) {
            self.hosts[host].ledger.lost += coming.came - coming.kept;
            let now = self.ms();
            self.hosts[host].tell(FileInput::FetchEnded(fetch, end), now);
            self.settle(host);
        }
    }

    /// A range that a host sends has come to its end.
    pub(super) fn serve_ends(&mut self, host: usize, serve: ServeId, end: ServeEnd) {
        let waited = self.hosts[host].asked.remove(&serve).is_some();
        if self.hosts[host].flows.remove(&serve).is_some() || waited {
            let now = self.ms();
            self.hosts[host].tell(FileInput::ServeEnded(serve, end), now);
            self.settle(host);
        }
    }
}
