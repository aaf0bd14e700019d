//! What the user asks for: to fetch a file, to stop, to go on.

use std::{collections::BTreeMap, path::PathBuf};

use common::{
    RoomName,
    file::{FileInfo, Root},
    wire::control::{
        Exit, Refusal,
        files::{Get, TransferState},
    },
};

use super::{
    FileOutput, Files, Kept, Mark, Outcome, Place, Stage,
    fetching::Fetching,
    library::{HERE, State},
};
use crate::core::AskId;

/// Files that are fetched at once.
const AT_ONCE: usize = 16;
/// Questions of the user that wait for the shell.
const WAITING: usize = 256;
/// Transfers that are over and still shown.
pub const OVER: usize = 256;
/// The first digits of a root that name it.
const DIGITS: usize = 8;

/// A file that is to be fetched, once it is known where to.
#[derive(Debug)]
pub struct Preparing {
    room: RoomName,
    file: FileInfo,
    overwrite: bool,
    limit: Option<u64>,
    /// Whether the user waits for an answer.
    answer: bool,
}

/// A file that is asked for and was here when it was last looked at.
#[derive(Debug)]
pub struct LookedFor {
    file: FileInfo,
    get: Get,
    /// Whether the user waits for an answer.
    answer: bool,
}

impl Files {
    /// Which file of a room is called so, or has a root that begins so.
    pub fn find(&self, room: &RoomName, text: &str) -> Result<Root, Refusal> {
        self.find_of(room, text, |_| true)
    }

    fn find_of(&self, room: &RoomName, text: &str, of: impl Fn(&Root) -> bool) -> Result<Root, Refusal> {
        let list = || self.lists.get(room).into_iter().flatten().filter(|(root, _)| of(root));
        let mut found: Vec<Root> = list().filter(|(_, entry)| entry.file.name == text).map(|(root, _)| *root).collect();
        if found.is_empty() && text.len() >= DIGITS {
            let digits = text.to_lowercase();
            found = list().map(|(root, _)| *root).filter(|root| root.to_string().starts_with(&digits)).collect();
        }
        match found.as_slice() {
            [root] => Ok(*root),
            [] => Err(refused(format!("no file called {text} is shared in {room}; see: peer files {room}"))),
            several => {
                let roots: Vec<String> = several.iter().take(8).map(|root| root.to_string()).collect();
                Err(refused(format!("several files are called {text}; name one by its root: {}", roots.join(", "))))
            }
        }
    }

    /// The same, of those that this peer's user shares.
    pub fn find_own(&self, room: &RoomName, text: &str) -> Result<Root, Refusal> {
        let own = |root: &Root| self.lists.get(room).and_then(|list| list.get(root)).is_some_and(|entry| entry.own);
        self.find_of(room, text, own)
    }

    /// To `get`. The room is named as it is kept here.
    pub fn get(&mut self, ask: AskId, get: Get) {
        let found = self.find(&get.room, &get.file).and_then(|root| {
            let list = self.lists.get(&get.room).and_then(|list| list.get(&root));
            list.map(|entry| entry.file.clone()).ok_or_else(|| refused(format!("{} is not shared any more", get.file)))
        });
        match found {
            Ok(file) => self.begin(ask, true, file, get),
            Err(refusal) => self.out.push(Outcome::Refused(ask, refusal)),
        }
    }

    fn begin(&mut self, ask: AskId, answer: bool, file: FileInfo, get: Get) {
        if let Some(fetching) = self.fetching.get(&file.root) {
            return self.begun(ask, answer, fetching.id);
        }
        let here = self.library.get(&file.root).is_some_and(|held| matches!(held.state, State::Whole | State::Unsure));
        if here && self.looked_for.len() < WAITING {
            // It may have been deleted, or changed, since it was last looked at.
            let root = file.root;
            self.looked_for.insert(ask, LookedFor { file, get, answer });
            return self.check(root);
        }
        self.prepare(ask, answer, file, get);
    }

    /// What lies where a file should be is known: whoever asked for the file is told that it is here, or it is fetched.
    pub(super) fn looked(&mut self, root: Root) {
        let all = std::mem::take(&mut self.looked_for).into_iter();
        let (asked, others): (BTreeMap<_, _>, _) = all.partition(|(_, looked_for)| looked_for.file.root == root);
        self.looked_for = others;
        for (ask, LookedFor { file, get, answer }) in asked {
            let held = self.library.get(&root).filter(|held| held.state == State::Whole);
            let Some(path) = held.map(|held| held.kept.place.path.clone()) else {
                self.prepare(ask, answer, file, get);
                continue;
            };
            self.last_id += 1;
            let mut fetching = Fetching::new(self.last_id, get.room, Place { file, path, whole: true });
            fetching.done = fetching.grid.size();
            self.over(fetching, TransferState::Done);
            self.begun(ask, answer, self.last_id);
        }
    }

    fn prepare(&mut self, ask: AskId, answer: bool, file: FileInfo, get: Get) {
        if self.library.len() + self.fetching.len() >= HERE || self.preparing.len() >= WAITING {
            let why = "too many files are here or under way; let some go first: peer unshare, peer cancel";
            return self.refuse(ask, answer, refused(why));
        }
        let Get { room, to, overwrite, limit, .. } = get;
        self.preparing.insert(ask, Preparing { room, file: file.clone(), overwrite, limit, answer });
        self.act(FileOutput::Prepare { ask, file, to, overwrite });
    }

    fn begun(&mut self, ask: AskId, answer: bool, id: u64) {
        if answer {
            self.out.push(Outcome::Begun(ask, id));
        }
    }

    fn refuse(&mut self, ask: AskId, answer: bool, refusal: Refusal) {
        if answer {
            self.out.push(Outcome::Refused(ask, refusal));
        }
    }

    /// Fetches what has newly been listed, if it may without being asked.
    pub(super) fn fetch_unasked(&mut self, room: &RoomName, added: &[Root]) {
        let Some(to) = self.downloads.clone().filter(|_| self.unasked > 0) else { return };
        for root in added {
            let Some(entry) = self.lists.get(room).and_then(|list| list.get(root)).filter(|entry| !entry.own) else {
                continue;
            };
            let file = entry.file.clone();
            if self.library.contains_key(root) || self.fetching.contains_key(root) {
                continue;
            }
            // All that is there counts, also what the user has asked for.
            let held = self.library.values().map(|held| &held.kept.place);
            let places = held.chain(self.fetching.values().map(|fetching| &fetching.place));
            let there: u64 = places.filter(|place| place.path.starts_with(&to)).map(|place| place.file.size).sum();
            let soon: u64 = self.preparing.values().filter(|get| !get.answer).map(|get| get.file.size).sum();
            if there.saturating_add(soon).saturating_add(file.size) > self.unasked {
                continue;
            }
            // No question of the user has this number.
            self.own_asks += 1;
            let ask = AskId(u64::MAX - self.own_asks);
            let (name, to) = (file.name.clone(), to.clone());
            self.begin(ask, false, file, Get { room: room.clone(), file: name, to, overwrite: false, limit: None });
        }
    }

    /// Where a file goes is known, or why it cannot go there.
    pub(super) fn prepared(&mut self, ask: AskId, place: Result<(PathBuf, Option<String>), Refusal>) {
        let Some(Preparing { room, file, overwrite, limit, answer }) = self.preparing.remove(&ask) else { return };
        let (path, note) = match place {
            Ok(place) => place,
            Err(refusal) => return self.refuse(ask, answer, refusal),
        };
        let root = file.root;
        if let Some(fetching) = self.fetching.get(&root) {
            return self.begun(ask, answer, fetching.id);
        }
        self.last_id += 1;
        let id = self.last_id;
        let mut fetching = Fetching::new(id, room, Place { file, path, whole: false });
        (fetching.overwrite, fetching.limit, fetching.note) = (overwrite, limit, note);
        self.library.remove(&root);
        self.out.push(Outcome::Keep(fetching.kept()));
        self.fetching.insert(root, fetching);
        self.begun(ask, answer, id);
        self.out.push(Outcome::Show(id));
        self.check(root);
    }

    fn of_id(&self, id: u64) -> Result<Root, Refusal> {
        let found = self.fetching.values().find(|fetching| fetching.id == id);
        match (found, self.ended.get(&id)) {
            (Some(fetching), _) => Ok(fetching.root()),
            (None, Some(_)) => Err(refused(format!("transfer {id} is over; see: peer transfers"))),
            (None, None) => Err(refused(format!("there is no transfer {id}; see: peer transfers"))),
        }
    }

    /// To `pause`.
    pub fn pause(&mut self, id: u64, now: u64) -> Result<(), Refusal> {
        let root = self.of_id(id)?;
        self.set_paused(root, true, now);
        Ok(())
    }

    /// To `resume`.
    pub fn resume(&mut self, id: u64, now: u64) -> Result<(), Refusal> {
        let root = self.of_id(id)?;
        if let Some(fetching) = self.fetching.get_mut(&root)
            && fetching.failed.take().is_some()
        {
            // What the trouble has left on disk is not trusted.
            fetching.checked = false;
            self.check(root);
        }
        self.set_paused(root, false, now);
        Ok(())
    }

    fn set_paused(&mut self, root: Root, paused: bool, now: u64) {
        let Some(fetching) = self.fetching.get_mut(&root) else { return };
        if std::mem::replace(&mut fetching.paused, paused) != paused {
            let (kept, id) = (fetching.kept(), fetching.id);
            self.out.push(Outcome::Keep(kept));
            self.out.push(Outcome::Show(id));
        }
        if self.fetching.get(&root).is_some_and(|fetching| fetching.is_whole() && fetching.wants()) {
            return self.finish(root);
        }
        self.reschedule(now);
    }

    /// To `cancel_transfer`.
    pub fn cancel(&mut self, id: u64, now: u64) -> Result<(), Refusal> {
        let root = self.of_id(id)?;
        if self.fetching.get(&root).is_some_and(|fetching| fetching.finishing) {
            return Err(refused("all of it is here, and it is being put under its name"));
        }
        self.out.push(Outcome::Unkeep(root));
        self.let_go(root, now);
        Ok(())
    }

    /// A file is fetched no more, and what is here of it is deleted.
    pub(super) fn let_go(&mut self, root: Root, now: u64) {
        self.deactivate(root);
        let Some(fetching) = self.fetching.remove(&root) else { return };
        self.checks.outdate(&root);
        self.act(FileOutput::Discard(fetching.place.clone()));
        let id = fetching.id;
        self.over(fetching, TransferState::Cancelled);
        self.out.push(Outcome::Show(id));
        self.announce(root);
        self.reschedule(now);
        self.serve_more(now);
    }

    /// It cannot go on until somebody does something about it.
    pub(super) fn fail(&mut self, root: Root, why: String, now: u64) {
        let Some(fetching) = self.fetching.get_mut(&root) else { return };
        fetching.finishing = false;
        fetching.failed = Some(format!("{why}, and then: peer resume {}", fetching.id));
        let id = fetching.id;
        self.reschedule(now);
        self.out.push(Outcome::Show(id));
    }

    /// Every piece is here: it gets its name.
    pub(super) fn finish(&mut self, root: Root) {
        self.deactivate(root);
        let Some(fetching) = self.fetching.get_mut(&root) else { return };
        fetching.finishing = true;
        let (place, overwrite) = (fetching.place.clone(), fetching.overwrite);
        self.act(FileOutput::Finish { place, overwrite });
    }

    pub(super) fn finished(&mut self, root: Root, end: Result<(PathBuf, Mark), String>, now: u64) {
        let (path, mark) = match end {
            Ok(end) => end,
            Err(why) => return self.fail(root, why, now),
        };
        if self.fetching.get(&root).is_none_or(|fetching| !fetching.finishing) {
            return;
        }
        let Some(mut fetching) = self.fetching.remove(&root) else { return };
        fetching.place = Place { file: fetching.place.file, path, whole: true };
        let kept = Kept { mark: Some(mark), ..fetching.kept() };
        debug_assert!(matches!(kept.stage, Stage::Fetch { .. }));
        let id = fetching.id;
        self.over(fetching, TransferState::Done);
        self.hold(kept);
        self.out.push(Outcome::Show(id));
        self.reschedule(now);
        self.serve_more(now);
    }

    /// Sees that those who may be fetched at once are, the oldest first, and no others.
    pub(super) fn reschedule(&mut self, now: u64) {
        let mut wanting: Vec<(u64, Root)> =
            self.fetching.values().filter(|f| f.wants()).map(|f| (f.id, f.root())).collect();
        wanting.sort_unstable();
        wanting.truncate(AT_ONCE);
        let chosen = |root: &Root| wanting.iter().any(|(_, wanted)| wanted == root);
        let idle = self.fetching.iter().filter(|(root, fetching)| fetching.active && !chosen(root));
        let idle: Vec<Root> = idle.map(|(root, _)| *root).collect();
        idle.into_iter().for_each(|root| self.deactivate(root));
        for (_, root) in wanting {
            let Some(fetching) = self.fetching.get_mut(&root).filter(|fetching| !fetching.active) else { continue };
            (fetching.active, fetching.alone_since, fetching.halted) = (true, Some(now), false);
            self.announce(root);
            self.find_sources(root);
            self.next_tick = self.next_tick.min(now);
        }
    }

    /// Nobody is asked for a file any more, for now.
    pub(super) fn deactivate(&mut self, root: Root) {
        self.unwatch(root);
        let Some(fetching) = self.fetching.get_mut(&root) else { return };
        fetching.active = false;
        let stopped = fetching.stop();
        self.stop_asks(stopped);
        self.announce(root);
    }
}

pub(super) fn refused(why: impl Into<String>) -> Refusal {
    Refusal::new(Exit::Refused, why.into())
}
