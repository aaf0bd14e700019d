//! Files: which are here, which are fetched from whom, and who is served.
//!
//! [`Files`] knows nothing of tables and trackers: it is told who is linked and which rooms they share, and what is on
//! each room's list. So many of them can be tried against each other with nothing else there.

mod arriving;
mod choice;
mod fetching;
mod holders;
mod in_core;
pub mod io;
mod library;
mod meter;
mod outcome;
mod second;
mod serving;
mod shown;
mod transfers;
#[cfg(test)]
mod transfers_tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use common::{
    RoomName,
    file::{FileInfo, Root},
    wire::control::{
        Refusal,
        files::{Limits, Transfer},
    },
};

pub use io::{FetchEnd, FetchId, FileInput, FileOutput, Found, Hashed, Kept, Mark, Place, ServeEnd, ServeId, Stage};
pub use outcome::Outcome;

use super::{AskId, LinkId, backoff::Jitter};
use crate::Config;
use fetching::Fetching;
use holders::Far;
use library::{Checks, Held, State};
use serving::Serving;
use transfers::{LookedFor, Preparing, refused};

/// How often it is looked whether files that are here are still what they were, in milliseconds.
const LOOK: u64 = 30_000;
/// Files that are hashed at once for the user, by question.
const HASHING: usize = 16;

/// A file on a room's list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OnList {
    /// What it is.
    pub file: FileInfo,
    /// Whether this peer's user shares it.
    pub own: bool,
}

/// What a user lets others make this peer store.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Unasked {
    /// How many bytes at the most; 0 for none.
    pub bytes: u64,
    /// In which folder.
    pub downloads: Option<PathBuf>,
}

impl Unasked {
    /// As the config says. Without a folder nothing is stored.
    pub fn of(config: &Config) -> Unasked {
        let downloads = Some(config.downloads.clone()).filter(|folder| !folder.as_os_str().is_empty());
        Unasked { bytes: config.fetch_unasked_bytes(), downloads }
    }
}

/// Everything about files.
#[derive(Debug)]
pub struct Files {
    links: BTreeMap<LinkId, Far>,
    lists: BTreeMap<RoomName, BTreeMap<Root, OnList>>,
    /// Files that are here whole, or were.
    library: BTreeMap<Root, Held>,
    /// Files that are not.
    fetching: BTreeMap<Root, Fetching>,
    /// Transfers that are over.
    ended: BTreeMap<u64, Transfer>,
    preparing: BTreeMap<AskId, Preparing>,
    /// Questions for files that are here, it seems, while that is looked at.
    looked_for: BTreeMap<AskId, LookedFor>,
    hashing: BTreeSet<AskId>,
    checks: Checks,
    serving: Serving,
    /// Ranges under way, and of which file each is.
    asks: BTreeMap<FetchId, Root>,
    /// Who may be asked for more of what.
    wake: BTreeSet<(Root, LinkId)>,
    limits: Limits,
    unasked: u64,
    downloads: Option<PathBuf>,
    last_id: u64,
    last_fetch: u64,
    own_asks: u64,
    next_tick: u64,
    next_look: u64,
    jitter: Jitter,
    out: Vec<Outcome>,
}

impl Files {
    /// What was kept, none of it checked yet.
    pub fn new(kept: Vec<Kept>, unasked: Unasked, seed: u64) -> Files {
        let mut files = Files {
            links: BTreeMap::new(),
            lists: BTreeMap::new(),
            library: BTreeMap::new(),
            fetching: BTreeMap::new(),
            ended: BTreeMap::new(),
            preparing: BTreeMap::new(),
            looked_for: BTreeMap::new(),
            hashing: BTreeSet::new(),
            checks: Checks::default(),
            serving: Serving::default(),
            asks: BTreeMap::new(),
            wake: BTreeSet::new(),
            limits: Limits::default(),
            unasked: unasked.bytes,
            downloads: unasked.downloads,
            last_id: 0,
            last_fetch: 0,
            own_asks: 0,
            next_tick: u64::MAX,
            next_look: LOOK,
            jitter: Jitter::new(seed),
            out: Vec::new(),
        };
        kept.into_iter().for_each(|kept| files.restore(kept));
        files
    }

    fn restore(&mut self, kept: Kept) {
        let root = kept.place.file.root;
        match kept.stage.clone() {
            Stage::Fetch { id, room, paused, overwrite, limit } if !kept.place.whole => {
                self.last_id = self.last_id.max(id);
                let mut fetching = Fetching::new(id, room, kept.place);
                (fetching.paused, fetching.overwrite, fetching.limit) = (paused, overwrite, limit);
                self.fetching.insert(root, fetching);
            }
            stage => {
                if let Stage::Fetch { id, .. } = stage {
                    self.last_id = self.last_id.max(id);
                }
                self.library.insert(root, Held { kept, state: State::Unsure });
            }
        }
        self.check(root);
    }

    /// Takes what the shell says.
    pub fn handle(&mut self, input: FileInput, now: u64) {
        match input {
            FileInput::Hashed(ask, room, files) => {
                self.hashing.remove(&ask);
                match files {
                    Ok(files) => self.hashed(ask, room, files, now),
                    Err(refusal) => self.out.push(Outcome::Refused(ask, refusal)),
                }
            }
            FileInput::Prepared(ask, place) => self.prepared(ask, place),
            FileInput::Found(root, found) => self.found(root, found, now),
            FileInput::Came(id, bytes) => self.came(id, bytes, now),
            FileInput::Got(id, piece) => self.got(id, piece),
            FileInput::FetchEnded(id, end) => self.fetch_ended(id, end, now),
            FileInput::Finished(root, end) => self.finished(root, end, now),
            FileInput::Asked(id, link, fetch) => self.asked(id, link, fetch, now),
            FileInput::Sent(id, _) => self.sent(id, now),
            FileInput::ServeEnded(id, end) => self.serve_ended(id, end, now),
        }
    }

    /// What is to be done about all that has happened since the last call.
    pub fn flush(&mut self, now: u64) -> Vec<Outcome> {
        if now >= self.next_look {
            self.next_look = now + LOOK;
            self.look();
            self.serving.forget_idle();
        }
        if now >= self.serving.deadline() {
            self.serving_due(now);
        }
        self.tick(now);
        self.ask_more(now);
        let fresh: Vec<Root> = self.fetching.keys().copied().collect();
        fresh.into_iter().for_each(|root| self.tell_fresh(root, now));
        std::mem::take(&mut self.out)
    }

    /// When [`Files::flush`] is to be called at the latest.
    pub fn deadline(&self) -> u64 {
        let fresh = self.fetching.values().filter(|fetching| !fetching.fresh.is_empty());
        let fresh = fresh.map(|fetching| fetching.told_at + holders::GATHERED).min().unwrap_or(u64::MAX);
        let look = if self.library.is_empty() { u64::MAX } else { self.next_look };
        self.next_tick.min(look).min(fresh).min(self.serving.deadline())
    }

    /// To `share`: paths of this machine are hashed first.
    pub fn share(&mut self, ask: AskId, room: RoomName, paths: Vec<PathBuf>) -> Result<(), Refusal> {
        if paths.is_empty() {
            return Err(refused("name what is to be shared: peer share ROOM PATH"));
        }
        if self.hashing.len() >= HASHING {
            return Err(refused("files are being hashed for others of your questions; try again when they are done"));
        }
        if self.library.len() + self.fetching.len() + paths.len() > library::HERE {
            return Err(refused("too many files are here or under way; let some go first: peer unshare, peer cancel"));
        }
        self.hashing.insert(ask);
        self.act(FileOutput::Hash(ask, room, paths));
        Ok(())
    }

    fn act(&mut self, output: FileOutput) {
        self.out.push(Outcome::Do(output));
    }

    /// Whether a file is on a room's list.
    fn is_listed(&self, room: &RoomName, root: &Root) -> bool {
        self.lists.get(room).is_some_and(|list| list.contains_key(root))
    }
}
