//! One file that is fetched: what of it is here, who has the rest, and who is asked for what.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    Key, RoomName,
    fault::{self, Fault},
    file::{Grid, Pieces, Root},
};

use super::{
    FetchId, Kept, Place, Stage,
    choice::{self, Map},
    meter::{Lately, Rate},
};
use crate::core::{
    LinkId,
    backoff::{Backoff, Jitter},
};

/// Ranges under way on one link.
pub const LINK_ASKS: u32 = 4;
/// Longest range asked for, in bytes, one piece apart: 4 MiB.
pub const RANGE: u64 = 4 * 1024 * 1024;
/// Holders of one file that are asked, and whose maps are held.
pub const SOURCES: usize = 128;
/// People of whom it is counted how much each has sent.
const COUNTED: usize = 1_024;

/// A file under way.
#[derive(Debug)]
pub struct Fetching {
    /// The transfer's number.
    pub id: u64,
    /// Where it is shared.
    pub room: RoomName,
    /// Where it goes.
    pub place: Place,
    /// Its pieces.
    pub grid: Grid,
    /// Whether it may take the place of a file that is there.
    pub overwrite: bool,
    /// Bytes a second at the most.
    pub limit: Option<u64>,
    /// What the user should know of where it goes.
    pub note: Option<String>,
    /// Whether what is on disk has been checked.
    pub checked: bool,
    /// Whether the user has stopped it for now.
    pub paused: bool,
    /// Why it cannot go on.
    pub failed: Option<String>,
    /// Whether it is being put under its name.
    pub finishing: bool,
    /// Whether it is among those that are fetched at once.
    pub active: bool,
    /// Since when nobody who is linked has anything that is missing.
    pub alone_since: Option<u64>,
    /// Whether the user has been told that it stands still.
    pub halted: bool,
    /// What is here, proven.
    pub have: Pieces,
    /// How many bytes that is.
    pub done: u64,
    /// Whom it is fetched from.
    pub sources: BTreeMap<LinkId, Source>,
    /// Ranges under way.
    pub asks: BTreeMap<FetchId, Ask>,
    /// Bytes asked for twice though they had begun to come, or soon did.
    pub(super) twice: u64,
    /// When the newest was asked for of those ranges that have begun to come.
    pub(super) newest_begun: u64,
    /// When bytes came last.
    pub(super) came_at: u64,
    /// Missing pieces that are under way, each once or twice.
    pub(super) under_way: BTreeMap<u32, Vec<FetchId>>,
    /// How many of those who have a part have each piece.
    seen: Vec<u16>,
    /// Who has sent what is not in it.
    pub offenders: BTreeSet<Key>,
    /// How many bytes have come from whom.
    pub given: BTreeMap<Key, u64>,
    /// How fast it comes.
    pub lately: Lately,
    /// Pieces that are here since those who watch were told last.
    pub fresh: Vec<u32>,
    /// When they were.
    pub told_at: u64,
}

/// Somebody who has at least a part of a file.
#[derive(Debug)]
pub struct Source {
    /// Who.
    pub key: Key,
    /// What it has.
    pub map: Map,
    /// How fast it sends.
    pub rate: Rate,
    /// How long it takes to begin, lately, in milliseconds.
    pub delay: Option<u64>,
    /// Until when it is not asked.
    pub paused_until: u64,
    /// Pauses after failures.
    pub backoff: Backoff,
    /// Whether it is to be asked anew what it has.
    pub void: bool,
    /// Ranges under way from it.
    pub asks: u32,
    /// Bytes of them that have not come.
    pub ahead: u64,
}

/// A range under way.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// From whom.
    pub link: LinkId,
    /// The first piece.
    pub first: u32,
    /// The last.
    pub last: u32,
    /// Bytes in all.
    pub length: u64,
    /// When it was asked for.
    pub at: u64,
    /// When its first bytes came.
    pub begun: Option<u64>,
    /// When its last bytes came.
    pub last_came: u64,
    /// How many bytes have come.
    pub came: u64,
    /// Whether somebody else had been asked for it already.
    pub second: bool,
}

impl Fetching {
    /// One of which it is not known yet what is here.
    pub fn new(id: u64, room: RoomName, place: Place) -> Fetching {
        let grid = place.file.grid();
        Fetching {
            id,
            room,
            grid,
            place,
            overwrite: false,
            limit: None,
            note: None,
            checked: false,
            paused: false,
            failed: None,
            finishing: false,
            active: false,
            alone_since: None,
            halted: false,
            have: Pieces::none(),
            done: 0,
            sources: BTreeMap::new(),
            asks: BTreeMap::new(),
            twice: 0,
            newest_begun: 0,
            came_at: 0,
            under_way: BTreeMap::new(),
            seen: vec![0; grid.count() as usize],
            offenders: BTreeSet::new(),
            given: BTreeMap::new(),
            lately: Lately::default(),
            fresh: Vec::new(),
            told_at: 0,
        }
    }

    /// What is kept of it over a restart.
    pub fn kept(&self) -> Kept {
        let (id, room, paused) = (self.id, self.room.clone(), self.paused);
        let stage = Stage::Fetch { id, room, paused, overwrite: self.overwrite, limit: self.limit };
        Kept { place: self.place.clone(), mark: None, stage }
    }

    /// Which file.
    pub fn root(&self) -> Root {
        self.place.file.root
    }

    /// Whether something should be done about it now, if there is a place among those that are fetched at once.
    pub fn wants(&self) -> bool {
        self.checked && !self.paused && self.failed.is_none() && !self.finishing
    }

    /// Takes what was found on disk.
    pub fn found(&mut self, have: Pieces) {
        let length = |piece| self.grid.range(piece).end - self.grid.range(piece).start;
        self.done = have.iter().map(length).sum();
        (self.have, self.checked) = (have, true);
    }

    /// Whether every piece is here.
    pub fn is_whole(&self) -> bool {
        self.have.len() == self.grid.count()
    }

    /// Whether any piece is missing that is not under way.
    pub(super) fn is_open(&self) -> bool {
        u64::from(self.have.len()) + (self.under_way.len() as u64) < u64::from(self.grid.count())
    }

    /// Bytes of pieces in a row.
    pub fn length(&self, (first, last): (u32, u32)) -> u64 {
        self.grid.range(last).end - self.grid.range(first).start
    }

    /// Somebody has this much of it from now on.
    pub fn source(&mut self, link: LinkId, key: Key, map: Map) {
        let source = self.sources.entry(link).or_insert_with(|| Source {
            key,
            map: Map::Some(Pieces::none()),
            rate: Rate::default(),
            delay: None,
            paused_until: 0,
            backoff: Backoff::default(),
            void: false,
            asks: 0,
            ahead: 0,
        });
        let before = std::mem::replace(&mut source.map, map);
        source.void = false;
        if let Map::Some(pieces) = &source.map {
            count(&mut self.seen, pieces, 1);
        }
        if let Map::Some(pieces) = &before {
            count(&mut self.seen, pieces, -1);
        }
    }

    /// Somebody has these pieces too. Returns whether one of them is missing here.
    pub fn source_adds(&mut self, link: LinkId, added: &Pieces) -> bool {
        let Some(Source { map: Map::Some(pieces), .. }) = self.sources.get_mut(&link) else { return false };
        let mut news = false;
        for piece in added.iter() {
            if pieces.add(piece) {
                news |= !self.have.has(piece);
                if let Some(seen) = self.seen.get_mut(piece as usize) {
                    *seen = seen.saturating_add(1);
                }
            }
        }
        news
    }

    /// Somebody has nothing of it any more, or is gone. Returns what was under way from there.
    pub fn source_gone(&mut self, link: LinkId) -> Vec<FetchId> {
        let asks: Vec<FetchId> = self.asks.iter().filter(|(_, ask)| ask.link == link).map(|(id, _)| *id).collect();
        asks.iter().for_each(|id| {
            self.ended(*id);
        });
        if let Some(Source { map: Map::Some(pieces), .. }) = self.sources.remove(&link) {
            count(&mut self.seen, &pieces, -1);
        }
        asks
    }

    /// Nobody is asked any more. Returns what was under way.
    pub fn stop(&mut self) -> Vec<FetchId> {
        let asks = std::mem::take(&mut self.asks).into_keys().collect();
        self.under_way.clear();
        self.sources.clear();
        self.seen.fill(0);
        self.alone_since = None;
        asks
    }

    /// Whether anybody has something that is missing.
    pub fn has_source(&self) -> bool {
        let missing = || (0..self.grid.count()).filter(|piece| !self.have.has(*piece));
        self.sources.values().any(|source| match &source.map {
            Map::All => !source.void,
            map => !source.void && missing().any(|piece| map.has(piece)),
        })
    }

    /// Which pieces a holder is to be asked for now, if any.
    pub fn next(&self, link: LinkId, now: u64, jitter: &mut Jitter) -> Option<(u32, u32)> {
        let source = self.sources.get(&link).filter(|source| now >= source.paused_until && !source.void)?;
        let (piece, reach) = (self.grid.piece(), source.rate.reach());
        let most = (reach / 2).clamp(piece, RANGE.max(piece));
        let full = source.asks > 0 && source.ahead >= reach.max(2 * piece);
        if full || source.asks >= LINK_ASKS || !self.active {
            return None;
        }
        // Without the list of a folder it is not known where the rest goes.
        let head_first = self.place.file.is_folder() && !self.have.has(0);
        let wanted = |piece: u32| {
            !self.have.has(piece)
                && source.map.has(piece)
                && !self.under_way.contains_key(&piece)
                && (piece == 0 || !head_first)
        };
        if self.is_open()
            && let Some(chosen) = choice::rarest(&self.grid, &self.seen, wanted, most, jitter)
        {
            return Some(chosen);
        }
        self.second(link, source, most, now)
    }

    /// A holder is asked.
    pub fn asked(&mut self, id: FetchId, link: LinkId, (first, last): (u32, u32), now: u64) {
        let length = self.length((first, last));
        let Some(source) = self.sources.get_mut(&link) else { return };
        if source.asks == 0 {
            source.rate.begin(now);
        }
        source.asks += 1;
        source.ahead += length;
        let mut others = self.under_way.range(first..=last).flat_map(|(_, ids)| ids).peekable();
        let second = others.peek().is_some();
        let begun = |id: &FetchId| self.asks.get(id).is_some_and(|ask| ask.begun.is_some());
        if others.any(begun) {
            self.twice = self.twice.saturating_add(length);
        }
        for piece in (first..=last).filter(|piece| !self.have.has(*piece)) {
            self.under_way.entry(piece).or_default().push(id);
        }
        self.asks.insert(id, Ask { link, first, last, length, at: now, begun: None, last_came: now, came: 0, second });
    }

    /// So many bytes have come. Returns what need not come from elsewhere any more.
    pub fn came(&mut self, id: FetchId, bytes: u64, now: u64) -> Vec<FetchId> {
        let Some(ask) = self.asks.get_mut(&id) else { return Vec::new() };
        let first = ask.begun.is_none();
        self.newest_begun = self.newest_begun.max(ask.at);
        self.came_at = now;
        ask.begun.get_or_insert(now);
        (ask.last_came, ask.came) = (now, ask.came.saturating_add(bytes));
        self.lately.came(bytes, now);
        if let Some(source) = self.sources.get_mut(&ask.link) {
            source.rate.came(bytes, now);
            if first {
                let delay = now.saturating_sub(ask.at);
                source.delay = Some(source.delay.map_or(delay, |before| before / 2 + delay / 2));
            }
            source.ahead = source.ahead.saturating_sub(bytes);
            source.backoff.reset();
            let key = source.key;
            if self.given.len() < COUNTED || self.given.contains_key(&key) {
                let given = self.given.entry(key).or_default();
                *given = given.saturating_add(bytes);
            }
        }
        if !first {
            return Vec::new();
        }
        let needless = self.needless(id);
        let beaten = needless.iter().filter_map(|id| self.asks.get(id)).filter(|ask| ask.second);
        self.twice = self.twice.saturating_add(beaten.map(|ask| ask.length).sum());
        needless
    }

    /// A piece is here. Returns what need not come from elsewhere any more, or nothing if it was here.
    pub fn got(&mut self, id: FetchId, piece: u32) -> Option<Vec<FetchId>> {
        let range = self.grid.range(piece);
        if range.is_empty() || !self.have.add(piece) {
            return None;
        }
        self.done += range.end - range.start;
        self.fresh.push(piece);
        let needless = self.needless(id);
        self.under_way.remove(&piece);
        Some(needless)
    }

    /// A range comes no further: what is missing of it is to be asked for again.
    pub fn ended(&mut self, id: FetchId) -> Option<Ask> {
        let ask = self.asks.remove(&id)?;
        for piece in (ask.first..=ask.last).filter(|_| !fault::on(Fault::RestForgotten)) {
            if let Some(ids) = self.under_way.get_mut(&piece) {
                ids.retain(|other| *other != id);
                if ids.is_empty() {
                    self.under_way.remove(&piece);
                }
            }
        }
        if let Some(source) = self.sources.get_mut(&ask.link) {
            source.asks = source.asks.saturating_sub(1);
            source.ahead = source.ahead.saturating_sub(ask.length.saturating_sub(ask.came));
        }
        Some(ask)
    }

    /// Whether the range is within what is here.
    pub fn holds(&self, first: u32, last: u32) -> bool {
        (first..=last).all(|piece| self.have.has(piece))
    }
}

fn count(seen: &mut [u16], pieces: &Pieces, by: i16) {
    for piece in pieces.iter() {
        if let Some(seen) = seen.get_mut(piece as usize) {
            *seen = seen.saturating_add_signed(by);
        }
    }
}
