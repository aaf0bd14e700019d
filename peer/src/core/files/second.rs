//! Asking a second holder for what somebody else has been asked for: so that one slow holder does not hold up the end, and
//! hardly anything comes twice.

use std::collections::BTreeSet;

use super::{
    FetchId, choice,
    fetching::{Ask, Fetching, Source},
};
use crate::core::LinkId;

/// How long a holder of whom nothing is known yet may take to begin, in milliseconds, before somebody else is asked too.
const UNKNOWN: u64 = 1_000;
/// How late a range has to be, in milliseconds, to be asked for twice once that has been done for much of the file.
const DEAR: u64 = 5_000;
/// Ranges under way that somebody else had been asked for already.
const SECONDS: usize = 4;
/// How much sooner it should come from the second than from the first, in milliseconds.
const SOONER: u64 = 200;

impl Fetching {
    /// Pieces under way from somebody else that this holder is to be asked for too: what has not begun to come, and when
    /// there is nothing else left, what comes so slowly that it would come from here sooner.
    pub(super) fn second(&self, link: LinkId, source: &Source, most: u64, now: u64) -> Option<(u32, u32)> {
        let seconds = self.asks.values().filter(|ask| ask.second).count();
        if source.asks >= 2 || seconds >= SECONDS {
            return None;
        }
        let only = |id: &FetchId, piece: u32| {
            self.under_way.get(&piece).is_some_and(|ids| ids.as_slice() == [*id]) && source.map.has(piece)
        };
        let end = !self.is_open();
        let (length, first) = (self.grid.piece().min(most), source.delay.unwrap_or(UNKNOWN / 2));
        let here = first + length.saturating_mul(1_000).checked_div(source.rate.get()).unwrap_or(SOONER);
        let mut slowest: Option<(u64, u32, FetchId)> = None;
        for (id, ask) in self.asks.iter().filter(|(_, ask)| ask.link != link) {
            let (left, piece) = match ask.begun {
                None => {
                    // While what was asked for later has not begun to come either, it is this side that is slow.
                    let passed_by = self.newest_begun > ask.at || now >= self.came_at + UNKNOWN;
                    let waited = now.saturating_sub(ask.at);
                    let usual = self.sources.get(&ask.link).and_then(|source| source.delay).unwrap_or(UNKNOWN);
                    let in_time = waited < usual + SOONER && usual < waited + here + SOONER;
                    if !passed_by || in_time {
                        continue;
                    }
                    (u64::MAX - ask.at, (ask.first..=ask.last).find(|piece| only(id, *piece)))
                }
                Some(begun) if end => {
                    let rate = (ask.came.saturating_mul(1_000) / now.saturating_sub(begun).max(1)).max(1);
                    let left = ask.length.saturating_sub(ask.came).saturating_mul(1_000) / rate;
                    if left < 2 * here + SOONER || (self.dear(ask) && left < DEAR) {
                        continue;
                    }
                    (left, (ask.first..=ask.last).rev().find(|piece| only(id, *piece)))
                }
                Some(_) => continue,
            };
            if let Some(piece) = piece.filter(|_| slowest.is_none_or(|(most, ..)| left > most)) {
                slowest = Some((left, piece, *id));
            }
        }
        let (_, piece, id) = slowest?;
        Some(choice::widen(&self.grid, piece, |piece| only(&id, piece), most))
    }

    /// Whether so much has been asked for twice that it is done for a range only if it is very late.
    fn dear(&self, ask: &Ask) -> bool {
        self.twice + ask.length > self.grid.size() / 16 + 2 * self.grid.piece()
    }

    /// What is asked of others and comes from `id` already: all that is missing of it is here, or, if it has not begun
    /// to come, comes from somewhere else.
    pub(super) fn needless(&self, id: FetchId) -> Vec<FetchId> {
        let Some(ask) = self.asks.get(&id) else { return Vec::new() };
        let others = (ask.first..=ask.last).filter_map(|piece| self.under_way.get(&piece)).flatten();
        let others: BTreeSet<FetchId> = others.copied().filter(|other| *other != id).collect();
        let needed = |other: &FetchId| {
            let Some(ask) = self.asks.get(other) else { return false };
            (ask.first..=ask.last).filter(|piece| !self.have.has(*piece)).any(|piece| {
                let mut ids = self.under_way.get(&piece).into_iter().flatten().filter(|id| *id != other);
                ask.begun.is_some() || !ids.any(|id| self.asks.get(id).is_some_and(|ask| ask.begun.is_some()))
            })
        };
        others.into_iter().filter(|other| !needed(other)).collect()
    }
}
