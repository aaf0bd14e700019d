//! Files that are here whole, and what there is of the others: checked, not trusted.

use std::collections::{BTreeMap, VecDeque};

use common::{
    fault::{self, Fault},
    file::{Pieces, Root},
    wire::peer::Much,
};

use super::{FileOutput, Files, Found, Hashed, Kept, Outcome, Place, Stage};
use crate::core::{AskId, RoomName};

/// Files that are looked at on disk at once.
const CHECKS: usize = 8;
/// Files that are here, or fetched, at the most.
pub const HERE: usize = 10_000;

/// A file that is here whole, or was.
#[derive(Debug)]
pub struct Held {
    /// As it is kept over a restart.
    pub kept: Kept,
    /// How it is.
    pub state: State,
}

/// How a file that is here is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// It has not been looked at since the start.
    Unsure,
    /// It is whole.
    Whole,
    /// Something else is there now, or nothing.
    Changed,
    /// The same, though what can be seen without reading it says that it is the same: so that is not asked again.
    Rotten,
}

/// Which files are being looked at on disk.
#[derive(Default, Debug)]
pub struct Checks {
    waiting: VecDeque<Root>,
    /// Those under way, and whether what comes of them is out of date.
    under_way: BTreeMap<Root, bool>,
}

impl Checks {
    /// Whether a file is to be looked at, or is being.
    fn pending(&self, root: &Root) -> bool {
        self.waiting.contains(root) || self.under_way.contains_key(root)
    }

    /// What comes of a check that is under way does not count.
    pub fn outdate(&mut self, root: &Root) {
        if let Some(outdated) = self.under_way.get_mut(root) {
            *outdated = true;
        }
    }
}

impl Files {
    /// What there is of a file on disk is to be found out.
    pub(super) fn check(&mut self, root: Root) {
        self.checks.outdate(&root);
        if !self.checks.waiting.contains(&root) {
            self.checks.waiting.push_back(root);
        }
        self.check_more();
    }

    fn check_more(&mut self) {
        let mut later = Vec::new();
        while self.checks.under_way.len() < CHECKS
            && let Some(root) = self.checks.waiting.pop_front()
        {
            if self.checks.under_way.contains_key(&root) {
                later.push(root);
                continue;
            }
            let held = self.library.get(&root).map(|held| (held.kept.place.clone(), held.kept.mark));
            let fetched = || self.fetching.get(&root).map(|fetching| (fetching.place.clone(), None));
            if let Some((place, mark)) = held.or_else(fetched) {
                self.checks.under_way.insert(root, false);
                self.act(FileOutput::Check(place, mark));
            } else {
                self.looked(root);
            }
        }
        self.checks.waiting.extend(later);
    }

    /// All that is here is looked at, without reading it.
    pub(super) fn look(&mut self) {
        let all = self.library.iter().filter(|(_, held)| held.state != State::Rotten);
        let all: Vec<Root> = all.map(|(root, _)| *root).collect();
        for root in all {
            if !self.checks.under_way.contains_key(&root) {
                self.check(root);
            }
        }
    }

    pub(super) fn found(&mut self, root: Root, found: Found, now: u64) {
        let outdated = self.checks.under_way.remove(&root);
        self.check_more();
        if outdated != Some(false) {
            if !self.checks.pending(&root) {
                self.looked(root);
            }
            return;
        }
        if let Some(held) = self.library.get_mut(&root) {
            let state = if found == Found::Whole { State::Whole } else { State::Changed };
            if held.state != state && held.state != State::Rotten {
                held.state = state;
                self.announce(root);
            }
            self.looked(root);
            return self.serve_more(now);
        }
        let Some(fetching) = self.fetching.get_mut(&root).filter(|fetching| !fetching.checked) else { return };
        let have = match found {
            Found::Pieces(pieces) if !fault::on(Fault::ResumeForgets) => pieces,
            Found::Whole => Pieces::all(fetching.grid.count()),
            Found::Pieces(_) | Found::Changed(_) => Pieces::none(),
        };
        fetching.found(have);
        self.announce(root);
        if self.fetching.get(&root).is_some_and(|fetching| fetching.is_whole() && fetching.wants()) {
            return self.finish(root);
        }
        self.reschedule(now);
    }

    /// What was read of a file to be served is not what it was.
    pub(super) fn rotten(&mut self, root: Root, now: u64) {
        if let Some(held) = self.library.get_mut(&root) {
            held.state = State::Rotten;
        } else if let Some(fetching) = self.fetching.get_mut(&root).filter(|fetching| !fetching.finishing) {
            // What is not whole is checked again, and fetched anew where it has to be.
            fetching.checked = false;
            fetching.have = Pieces::none();
            fetching.done = 0;
            self.check(root);
            self.reschedule(now);
        }
        self.announce(root);
        self.serve_more(now);
    }

    /// How much of a file is here to be served.
    pub(super) fn much(&self, root: &Root) -> Much {
        if let Some(held) = self.library.get(root) {
            return if held.state == State::Whole { Much::All } else { Much::Nothing };
        }
        match self.fetching.get(root) {
            Some(fetching) if fetching.checked && (fetching.active || !fetching.have.is_empty()) => Much::Some,
            _ => Much::Nothing,
        }
    }

    /// Which pieces of a file are here to be served.
    pub(super) fn pieces(&self, root: &Root) -> Option<Pieces> {
        match self.library.get(root) {
            Some(held) if held.state == State::Whole => Some(Pieces::all(held.kept.place.file.grid().count())),
            Some(_) => None,
            None => self.fetching.get(root).filter(|fetching| fetching.checked).map(|fetching| fetching.have.clone()),
        }
    }

    /// Files have been hashed, to be shared in a room.
    pub(super) fn hashed(&mut self, ask: AskId, room: RoomName, files: Vec<Hashed>, now: u64) {
        let infos = files.iter().map(|hashed| hashed.file.clone()).collect();
        for Hashed { file, path, mark } in files {
            let root = file.root;
            // If it was being fetched, it was here all the time.
            self.let_go(root, now);
            let kept = Kept { place: Place { file, path, whole: true }, mark: Some(mark), stage: Stage::Own };
            self.hold(kept);
        }
        self.out.push(Outcome::Offer(ask, room, infos));
    }

    /// A file is here whole from now on.
    pub(super) fn hold(&mut self, kept: Kept) {
        let root = kept.place.file.root;
        self.checks.outdate(&root);
        self.out.push(Outcome::Keep(kept.clone()));
        self.library.insert(root, Held { kept, state: State::Whole });
        self.announce(root);
    }

    /// A file that the user has shared is shared no more, in no room.
    pub(super) fn drop_own(&mut self, root: Root, now: u64) {
        let own = |list: &BTreeMap<Root, super::OnList>| list.get(&root).is_some_and(|entry| entry.own);
        let is_own = self.library.get(&root).is_some_and(|held| held.kept.stage == Stage::Own);
        if is_own && !self.lists.values().any(own) {
            self.library.remove(&root);
            self.checks.outdate(&root);
            self.announce(root);
            self.out.push(Outcome::Unkeep(root));
            self.act(FileOutput::Forget(root));
            self.serve_more(now);
        }
    }
}
