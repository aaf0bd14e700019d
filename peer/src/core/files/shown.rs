//! Transfers as the user sees them.

use common::{
    AccountName, Key,
    file::Root,
    wire::control::files::{FileShown, Here, Limits, Source, Transfer, TransferState},
};

use super::{FileOutput, Files, fetching::Fetching, library::State, transfers::OVER};

/// Where nobody who is linked has what is missing.
const NOBODY: &str = "nobody who is online has the rest; it goes on when somebody does";
/// Where others are fetched first.
const LATER: &str = "it begins when one of those before it is done";
/// Where the file is on the list no more.
const UNSHARED: &str = "it is not shared there any more; give it up with: peer cancel";

impl Files {
    /// All transfers, by number.
    pub fn transfers(&self) -> Vec<u64> {
        let mut all: Vec<u64> =
            self.fetching.values().map(|fetching| fetching.id).chain(self.ended.keys().copied()).collect();
        all.sort_unstable();
        all
    }

    /// A transfer, with people named by `name`.
    pub fn transfer(&self, id: u64, now: u64, name: impl Fn(&Key) -> Option<AccountName>) -> Option<Transfer> {
        if let Some(ended) = self.ended.get(&id) {
            return Some(ended.clone());
        }
        let fetching = self.fetching.values().find(|fetching| fetching.id == id)?;
        let trouble = self.trouble(fetching);
        let asked = fetching.sources.values().filter(|source| source.asks > 0);
        let source = |key: &Key| {
            let bytes = fetching.given.get(key).copied().unwrap_or_default();
            name(key).map(|name| Source { name, bytes })
        };
        let sources = asked.filter_map(|asked| source(&asked.key)).collect();
        let state = match fetching {
            Fetching { failed: Some(_), .. } => TransferState::Failed,
            Fetching { paused: true, .. } => TransferState::Paused,
            Fetching { checked: false, .. } => TransferState::Checking,
            _ => TransferState::Fetching,
        };
        let rate = if fetching.active { fetching.lately.get(now) } else { 0 };
        let left = fetching.grid.size().saturating_sub(fetching.done);
        let left_s = Some(rate).filter(|rate| *rate > 0).map(|rate| left.div_ceil(rate));
        Some(Transfer { state, rate, left_s, sources, trouble, ..line(fetching) })
    }

    fn trouble(&self, fetching: &Fetching) -> Option<String> {
        if fetching.failed.is_some() {
            return fetching.failed.clone();
        }
        let waits = fetching.wants();
        if waits && !self.is_listed(&fetching.room, &fetching.root()) {
            return Some(UNSHARED.into());
        }
        if waits && !fetching.active {
            return Some(LATER.into());
        }
        if waits && fetching.halted {
            return Some(NOBODY.into());
        }
        fetching.note.clone()
    }

    /// A transfer is over. The oldest of those that are over give way.
    pub(super) fn over(&mut self, fetching: Fetching, state: TransferState) {
        let trouble = fetching.note.clone().filter(|_| state == TransferState::Done);
        let ended = Transfer { state, trouble, ..line(&fetching) };
        self.ended.insert(fetching.id, ended);
        if self.ended.len() > OVER {
            self.ended.pop_first();
        }
    }

    /// How much of a file is here, and where.
    pub fn here(&self, root: &Root) -> (Here, Option<std::path::PathBuf>) {
        if let Some(held) = self.library.get(root) {
            let here = match held.state {
                State::Whole | State::Unsure => Here::Whole,
                State::Changed | State::Rotten => Here::Changed,
            };
            return (here, Some(held.kept.place.path.clone()));
        }
        match self.fetching.get(root) {
            Some(fetching) => (Here::Part, Some(fetching.place.path.clone())),
            None => (Here::None, None),
        }
    }

    /// To `limit`: changes what is named, and tells what is so from now on.
    pub fn limit(&mut self, limits: Limits) -> Limits {
        self.limits = Limits { up: limits.up.or(self.limits.up), down: limits.down.or(self.limits.down) };
        if limits != Limits::default() {
            self.act(FileOutput::Limit(self.limits));
        }
        self.limits
    }
}

fn line(fetching: &Fetching) -> Transfer {
    Transfer {
        id: fetching.id,
        room: fetching.room.clone(),
        file: FileShown::from(&fetching.place.file),
        state: TransferState::Fetching,
        path: fetching.place.path.clone(),
        done: fetching.done,
        total: fetching.grid.size(),
        rate: 0,
        left_s: None,
        sources: Vec::new(),
        trouble: None,
    }
}
