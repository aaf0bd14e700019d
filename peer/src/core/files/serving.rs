//! Who is served next. Ranges that others ask for wait in a line; a few at once are being sent.
//!
//! What has been given away the fewest times goes first, so that many who fetch the same from one holder have something
//! to give each other soon; among equals each link has its turn. No link is passed over for long.

use std::collections::BTreeMap;

use common::{
    RoomName,
    fault::{self, Fault},
    file::{GROUP, Root},
    wire::peer::{Fetch, ServeCode},
};

use super::{FileOutput, Files, Place, ServeEnd, ServeId, fetching::RANGE};
use crate::core::LinkId;

/// Ranges that are sent at once, over all links. Few, since a piece can only be passed on once it has come whole.
const AT_ONCE: usize = 8;
/// Ranges that are sent at once on one link.
const LINK_AT_ONCE: usize = 4;
/// Ranges that wait for one link.
const LINK_LINE: usize = 16;
/// Ranges that wait in all.
const LINE: usize = 1_024;
/// How long a range may wait before it is refused, in milliseconds: less than whoever asks waits for the first byte.
const PATIENCE: u64 = 8_000;
/// After how long without progress a range holds up no other, in milliseconds.
const STUCK: u64 = 2_000;
/// How many turns of everybody else a link may be passed over.
const PASSED_OVER: u64 = 4;

/// The line, and what is being sent.
#[derive(Default, Debug)]
pub struct Serving {
    line: BTreeMap<ServeId, Range>,
    sending: BTreeMap<ServeId, Range>,
    /// How many times each piece has been given away lately.
    given: BTreeMap<Root, Vec<u8>>,
    /// At which turn each link was served last.
    turns: BTreeMap<LinkId, u64>,
    turn: u64,
}

#[derive(Debug)]
struct Range {
    link: LinkId,
    room: RoomName,
    root: Root,
    pieces: (u32, u32),
    /// Since when it waits, or when bytes of it were sent last.
    at: u64,
    /// Whether it stands still.
    stuck: bool,
}

impl Serving {
    /// A link is gone, and with it all that it asked for.
    pub fn unlinked(&mut self, link: LinkId) {
        self.line.retain(|_, range| range.link != link);
        self.sending.retain(|_, range| range.link != link);
        self.turns.remove(&link);
    }

    /// When a range has waited, or stood still, for too long.
    pub fn deadline(&self) -> u64 {
        let waits = self.line.values().map(|range| range.at + PATIENCE).min();
        let stuck = self.sending.values().filter(|range| !range.stuck).map(|range| range.at + STUCK).min();
        waits.into_iter().chain(stuck).min().unwrap_or(u64::MAX)
    }

    /// Forgets what was given away of files that nobody asks for any more.
    pub fn forget_idle(&mut self) {
        let (line, sending) = (&self.line, &self.sending);
        self.given.retain(|root, _| line.values().chain(sending.values()).any(|range| range.root == *root));
    }

    fn on_link(of: &BTreeMap<ServeId, Range>, link: LinkId) -> usize {
        of.values().filter(|range| range.link == link).count()
    }

    /// Which of those that wait is served next, of files that `may` be.
    fn next(&self, may: impl Fn(&Root) -> bool) -> Option<ServeId> {
        let busy = self.sending.values().filter(|range| !range.stuck).count();
        if busy >= AT_ONCE {
            return None;
        }
        let ready = || {
            let free = |range: &Range| Self::on_link(&self.sending, range.link) < LINK_AT_ONCE && may(&range.root);
            self.line.iter().filter(move |(_, range)| free(range))
        };
        let turn = |range: &Range| self.turns.get(&range.link).copied().unwrap_or(self.turn);
        let links = self.turns.len() as u64;
        let passed_over = |range: &Range| self.turn.saturating_sub(turn(range)) > PASSED_OVER * links.max(1);
        if let Some((id, _)) =
            ready().filter(|(_, range)| passed_over(range)).min_by_key(|(id, range)| (turn(range), **id))
        {
            return Some(*id);
        }
        let given = |range: &Range| {
            let given = self.given.get(&range.root);
            given.and_then(|given| given.get(range.pieces.0 as usize..=range.pieces.1 as usize)?.iter().max().copied())
        };
        ready().min_by_key(|(id, range)| (given(range), turn(range), **id)).map(|(id, _)| *id)
    }

    /// It is being sent from now on.
    fn begin(&mut self, id: ServeId, count: u32, now: u64) -> Option<Root> {
        let range = self.line.remove(&id)?;
        let root = range.root;
        let given = self.given.entry(root).or_insert_with(|| vec![0; count as usize]);
        for given in given.get_mut(range.pieces.0 as usize..=range.pieces.1 as usize).into_iter().flatten() {
            *given = given.saturating_add(1);
        }
        self.turn += 1;
        self.turns.insert(range.link, self.turn);
        self.sending.insert(id, Range { at: now, ..range });
        Some(root)
    }
}

impl Files {
    /// Somebody asks for a range.
    pub(super) fn asked(&mut self, id: ServeId, link: LinkId, fetch: Fetch, now: u64) {
        match self.may_serve(link, &fetch) {
            Ok(pieces) => {
                let range = Range { link, room: fetch.room, root: fetch.root, pieces, at: now, stuck: false };
                let turn = self.serving.turn;
                self.serving.turns.entry(link).or_insert(turn);
                self.serving.line.insert(id, range);
                self.serve_more(now);
            }
            Err(code) => self.act(FileOutput::Refuse(id, code)),
        }
    }

    /// Which pieces a range is in, if it is served.
    fn may_serve(&self, link: LinkId, fetch: &Fetch) -> Result<(u32, u32), ServeCode> {
        if !self.may_have(link, &fetch.room, &fetch.root) {
            return Err(ServeCode::NotShared);
        }
        let Some(place) = self.place(&fetch.root) else {
            let unsure = self.is_unsure(&fetch.root);
            return Err(if unsure { ServeCode::Busy } else { ServeCode::NotHere });
        };
        let grid = place.file.grid();
        let end = fetch.offset.checked_add(fetch.length).filter(|end| *end <= grid.size() && fetch.length > 0);
        let end = end.ok_or(ServeCode::NotHere)?;
        let whole_groups = |at: u64| at.is_multiple_of(GROUP) || at == grid.size();
        let first = grid.at(fetch.offset);
        let last = grid.at(end - 1);
        if !fetch.offset.is_multiple_of(GROUP) || !whole_groups(end) || (fetch.length > RANGE && first != last) {
            return Err(ServeCode::NotHere);
        }
        if let Some(fetching) = self.fetching.get(&fetch.root)
            && !fetching.holds(first, last)
        {
            return Err(ServeCode::NotHere);
        }
        let (line, all) = (Serving::on_link(&self.serving.line, link), self.serving.line.len());
        if line >= LINK_LINE || all >= LINE {
            return Err(ServeCode::Busy);
        }
        Ok((first, last))
    }

    /// Whether somebody may be served a file of a room.
    fn may_have(&self, link: LinkId, room: &RoomName, root: &Root) -> bool {
        let shares = self.links.get(&link).is_some_and(|far| far.rooms.contains(room));
        (shares && self.is_listed(room, root)) || fault::on(Fault::ServedToStranger)
    }

    /// Serves as many as may be served at once.
    pub(super) fn serve_more(&mut self, now: u64) {
        loop {
            // While a file gets its name nothing is read of it, under the old one or the new.
            let may = |root: &Root| self.fetching.get(root).is_none_or(|fetching| !fetching.finishing);
            let Some(id) = self.serving.next(may) else { return };
            let Some(range) = self.serving.line.get(&id) else { return };
            let (root, pieces) = (range.root, range.pieces);
            let here = self.fetching.get(&root).is_none_or(|fetching| fetching.holds(pieces.0, pieces.1));
            let Some(place) = self.place(&root).filter(|_| here).cloned() else {
                self.serving.line.remove(&id);
                self.act(FileOutput::Refuse(id, ServeCode::NotHere));
                continue;
            };
            if self.serving.begin(id, place.file.grid().count(), now).is_some() {
                self.act(FileOutput::Serve(id, place));
            }
        }
    }

    /// Refuses what has waited for too long, and lets others pass by what stands still.
    pub(super) fn serving_due(&mut self, now: u64) {
        let line = self.serving.line.iter();
        let late: Vec<ServeId> = line.filter(|(_, range)| range.at + PATIENCE <= now).map(|(id, _)| *id).collect();
        for id in late {
            self.serving.line.remove(&id);
            self.act(FileOutput::Refuse(id, ServeCode::Busy));
        }
        let sending = self.serving.sending.values_mut();
        sending.filter(|range| range.at + STUCK <= now).for_each(|range| range.stuck = true);
        self.serve_more(now);
    }

    /// Refuses whoever is served something that they may not have any more, or that is not shared any more.
    pub(super) fn refuse_strangers(&mut self, now: u64) {
        let all = self.serving.line.iter().chain(&self.serving.sending);
        let strangers = all.filter(|(_, range)| !self.may_have(range.link, &range.room, &range.root));
        let strangers: Vec<ServeId> = strangers.map(|(id, _)| *id).collect();
        for id in strangers {
            self.serving.line.remove(&id);
            self.serving.sending.remove(&id);
            self.act(FileOutput::Refuse(id, ServeCode::NotShared));
        }
        self.serve_more(now);
    }

    pub(super) fn sent(&mut self, id: ServeId, now: u64) {
        if let Some(range) = self.serving.sending.get_mut(&id) {
            (range.at, range.stuck) = (now, false);
        }
    }

    pub(super) fn serve_ended(&mut self, id: ServeId, end: ServeEnd, now: u64) {
        let sending = self.serving.sending.remove(&id);
        let range = self.serving.line.remove(&id).or(sending);
        if let Some(range) = range
            && let ServeEnd::Changed(_) = end
        {
            self.rotten(range.root, now);
        }
        self.serve_more(now);
    }

    /// Where a file is of which all or a part can be served.
    fn place(&self, root: &Root) -> Option<&Place> {
        use super::library::State;
        match self.library.get(root) {
            Some(held) => Some(&held.kept.place).filter(|_| held.state == State::Whole),
            None => self.fetching.get(root).filter(|fetching| fetching.checked).map(|fetching| &fetching.place),
        }
    }

    /// Whether it is not known yet what is here of a file.
    fn is_unsure(&self, root: &Root) -> bool {
        use super::library::State;
        self.library.get(root).is_some_and(|held| held.state == State::Unsure)
            || self.fetching.get(root).is_some_and(|fetching| !fetching.checked)
    }
}
