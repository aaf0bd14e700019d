//! One host of a swarm: the core that is tried, and what its shell and its disk would do.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use common::{
    Key,
    file::{FileInfo, Pieces},
    wire::control::files::Get,
};
use peer::core::{
    AskId, LinkId,
    files::{FetchId, FileInput, Files, Kept, Mark, OnList, Place, ServeId, Stage, Unasked},
};

use super::town::room;

/// How a host behaves that has the file from the beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nature {
    /// As it should.
    Honest,
    /// It sends bytes that are not in the file.
    Liar,
    /// It sends the first group of a range, or nothing, and then no more.
    Staller,
}

/// How many bytes a second a host sends and takes; 0 for as many as there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rates {
    /// Sends.
    pub up: u64,
    /// Takes.
    pub down: u64,
}

/// A range that a host sends.
#[derive(Clone, Debug)]
pub struct Flow {
    /// To whom, and by which of their numbers.
    pub to: (usize, FetchId),
    /// Bytes in all.
    pub length: u64,
    /// Bytes sent.
    pub sent: u64,
    /// Bytes sent that have not been taken.
    pub out: u64,
}

/// A range that a host fetches.
#[derive(Clone, Debug)]
pub struct Coming {
    /// From whom, over which link.
    pub from: (usize, LinkId),
    /// The pieces.
    pub pieces: (u32, u32),
    /// Bytes that have come.
    pub came: u64,
    /// Bytes of them in pieces that have come whole.
    pub kept: u64,
}

/// What a host has done.
#[derive(Clone, Default, Debug)]
pub struct Ledger {
    /// Bytes sent.
    pub sent: u64,
    /// Bytes that have come and are in the file.
    pub came: u64,
    /// Bytes that came and were lost, with links, lies and crashes.
    pub lost: u64,
    /// Bytes that came and were of no use, for the same came from elsewhere too.
    pub needless: u64,
    /// Bytes that came after it was said that no more of them is wanted, for the same came from elsewhere.
    pub stray: u64,
    /// When the file was whole, in microseconds.
    pub whole_at: Option<u64>,
    /// How many holders it has named for lying.
    pub accused: BTreeSet<usize>,
}

/// A host.
pub struct Host {
    /// The core; `None` while it is off.
    pub files: Option<Files>,
    /// How it behaves.
    pub nature: Nature,
    /// How fast it is.
    pub rates: Rates,
    /// How often it has been started.
    pub life: u64,
    /// The pieces on its disk, all of them right.
    pub disk: Pieces,
    /// Whether the file is whole, under its name.
    pub whole: bool,
    /// What its store keeps.
    pub kept: Option<Kept>,
    /// Links, by this side's number: who is there, and what they call it.
    pub links: BTreeMap<LinkId, (usize, LinkId)>,
    /// Ranges being sent.
    pub flows: BTreeMap<ServeId, Flow>,
    /// Requests that the core has not answered.
    pub asked: BTreeMap<ServeId, (usize, FetchId)>,
    /// Which was sent a part of last.
    pub last_flow: ServeId,
    /// Until when the uplink is busy, in microseconds.
    pub up_busy: u64,
    /// Whether it is to be seen what is sent next.
    pub sending: bool,
    /// Until when the downlink is busy.
    pub down_busy: u64,
    /// Ranges being fetched.
    pub coming: BTreeMap<FetchId, Coming>,
    /// Ranges of which no more is wanted, since the same comes from elsewhere.
    pub stopped: BTreeSet<FetchId>,
    /// When the core wants to be called, in milliseconds.
    pub tick_at: u64,
    /// What it has done.
    pub ledger: Ledger,
    /// Whether it fetches the file.
    pub fetches: bool,
    /// Whether its disk is full.
    pub disk_full: bool,
    /// Whether its user has wanted to go on while it was off.
    pub to_resume: bool,
}

/// A key for each host.
pub fn key(host: usize) -> Key {
    let mut key = [7; 32];
    key[..8].copy_from_slice(&(host as u64).to_be_bytes());
    Key(key)
}

impl Host {
    /// One that is off, and has nothing.
    pub fn new(nature: Nature, rates: Rates) -> Host {
        Host {
            files: None,
            nature,
            rates,
            life: 0,
            disk: Pieces::none(),
            whole: false,
            kept: None,
            links: BTreeMap::new(),
            flows: BTreeMap::new(),
            asked: BTreeMap::new(),
            last_flow: ServeId(0),
            up_busy: 0,
            sending: false,
            down_busy: 0,
            coming: BTreeMap::new(),
            stopped: BTreeSet::new(),
            tick_at: u64::MAX,
            ledger: Ledger::default(),
            fetches: false,
            disk_full: false,
            to_resume: false,
        }
    }

    /// It has the whole file from the beginning, and shares it.
    pub fn owns(&mut self, file: &FileInfo) {
        let place = Place { file: file.clone(), path: path(), whole: true };
        self.kept = Some(Kept { place, mark: Some(Mark(1)), stage: Stage::Own });
        self.disk = Pieces::all(file.grid().count());
        self.whole = true;
    }

    /// It is started.
    pub fn start(&mut self, file: &FileInfo, seed: u64, now: u64) {
        self.life += 1;
        // Who has lied is not remembered over a restart.
        self.ledger.accused.clear();
        let mut files = Files::new(self.kept.clone().into_iter().collect(), Unasked::default(), seed);
        let own = self.kept.as_ref().is_some_and(|kept| kept.stage == Stage::Own);
        files.listed(room(), BTreeMap::from([(file.root, OnList { file: file.clone(), own })]), now);
        self.files = Some(files);
        self.tick_at = u64::MAX;
    }

    /// Its user wants the file.
    pub fn get(&mut self, file: &FileInfo) {
        self.fetches = true;
        if let Some(files) = &mut self.files {
            let get = Get { room: room(), file: file.name.clone(), to: path(), overwrite: false, limit: None };
            files.get(AskId(self.life), get);
        }
    }

    /// It is killed. What had come of ranges is lost with it.
    pub fn stop(&mut self) {
        self.files = None;
        self.links.clear();
        self.flows.clear();
        self.asked.clear();
        let lost: u64 = self.coming.values().map(|coming| coming.came - coming.kept).sum();
        self.ledger.lost += lost;
        self.coming.clear();
        self.stopped.clear();
    }

    /// The core is told something.
    pub fn tell(&mut self, input: FileInput, now: u64) {
        if let Some(files) = &mut self.files {
            files.handle(input, now);
        }
    }

    /// The flow that a part is sent of next: each has its turn.
    pub fn next_flow(&self, window: u64, staller: bool) -> Option<ServeId> {
        let ready = |flow: &Flow| flow.sent < flow.length && flow.out < window && (!staller || flow.sent == 0);
        let after = self.flows.range(ServeId(self.last_flow.0 + 1)..);
        after.chain(self.flows.range(..=self.last_flow)).find(|(_, flow)| ready(flow)).map(|(id, _)| *id)
    }
}

/// Where the file goes.
pub fn path() -> PathBuf {
    PathBuf::from("/files/big")
}
