//! Who has what: what those at the other sides of links have said that they have, and what they are told.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    Key, RoomName,
    file::{Pieces, Root},
    limits,
    wire::peer::{Has, Held, Holds, Much, PeerFrame, Watch},
};

use super::{FetchId, FileOutput, Files, OnList, Outcome, choice::Map, fetching::SOURCES};
use crate::core::LinkId;

/// Files that one side of a link may be told of piece by piece.
const WATCHES: usize = 64;
/// Rooms of which somebody may say what they have of them before it is known here that they share them.
const EARLY: usize = 8;
/// How long pieces that have come are gathered before those who watch are told, in milliseconds.
pub const GATHERED: u64 = 50;

/// The other side of a link.
#[derive(Debug)]
pub struct Far {
    /// Who.
    pub key: Key,
    /// Rooms that it shares with this peer.
    pub rooms: BTreeSet<RoomName>,
    /// What it has said that it has.
    holds: BTreeMap<RoomName, BTreeMap<Root, Much>>,
    /// What it has been told that this peer has.
    told: BTreeMap<(RoomName, Root), Much>,
    /// What it wants to know the pieces of, and whether it has been told those that are here.
    watches: BTreeMap<(RoomName, Root), bool>,
}

impl Far {
    /// How much it has of a file.
    pub fn holds(&self, room: &RoomName, root: &Root) -> Much {
        let shared = self.rooms.contains(room);
        self.holds.get(room).filter(|_| shared).and_then(|files| files.get(root)).copied().unwrap_or(Much::Nothing)
    }
}

impl Files {
    /// A link to somebody counts from now on, who shares these rooms.
    pub fn link_up(&mut self, link: LinkId, key: Key, rooms: impl IntoIterator<Item = RoomName>) {
        let (holds, told, watches) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        self.links.insert(link, Far { key, rooms: BTreeSet::new(), holds, told, watches });
        rooms.into_iter().for_each(|room| self.shares(link, room));
    }

    /// A link is gone.
    pub fn link_down(&mut self, link: LinkId, now: u64) {
        if self.links.remove(&link).is_some() {
            let all: Vec<Root> = self.fetching.keys().copied().collect();
            all.into_iter().for_each(|root| self.source_gone(root, link));
            self.serving.unlinked(link);
            self.serve_more(now);
        }
    }

    /// Somebody shares a room from now on.
    pub fn shares(&mut self, link: LinkId, room: RoomName) {
        let Some(far) = self.links.get_mut(&link) else { return };
        far.rooms.insert(room.clone());
        let listed: Vec<Root> = self.lists.get(&room).into_iter().flat_map(BTreeMap::keys).copied().collect();
        self.tell_holds(link, &room, &listed);
        let fetched = self.fetching.iter().filter(|(_, fetching)| fetching.room == room);
        let fetched: Vec<Root> = fetched.map(|(root, _)| *root).collect();
        fetched.into_iter().for_each(|root| self.source(root, link));
    }

    /// Somebody shares a room no more: nothing of it is served to them or asked of them.
    pub fn parts(&mut self, link: LinkId, room: &RoomName, now: u64) {
        let Some(far) = self.links.get_mut(&link) else { return };
        far.rooms.remove(room);
        far.holds.remove(room);
        far.told.retain(|(of, _), _| of != room);
        far.watches.retain(|(of, _), _| of != room);
        let fetched = self.fetching.iter().filter(|(_, fetching)| fetching.room == *room);
        let fetched: Vec<Root> = fetched.map(|(root, _)| *root).collect();
        fetched.into_iter().for_each(|root| self.source_gone(root, link));
        self.refuse_strangers(now);
    }

    /// A room's list is this now.
    pub fn listed(&mut self, room: RoomName, list: BTreeMap<Root, OnList>, now: u64) {
        let before = self.lists.get(&room);
        let had = |root: &Root| before.and_then(|before| before.get(root));
        let added: Vec<Root> = list.keys().filter(|root| had(root).is_none()).copied().collect();
        let gone = before.into_iter().flatten().filter(|(root, _)| !list.contains_key(*root));
        let changed: Vec<Root> = added.iter().copied().chain(gone.map(|(root, _)| *root)).collect();
        let own = |list: &BTreeMap<Root, OnList>, root: &Root| list.get(root).is_some_and(|entry| entry.own);
        let unshared = before.into_iter().flatten().filter(|(root, entry)| entry.own && !own(&list, root));
        let unshared: Vec<Root> = unshared.map(|(root, _)| *root).collect();
        let first = before.is_none();
        self.lists.insert(room.clone(), list);
        self.tell_all(&room, &changed);
        unshared.into_iter().for_each(|root| self.drop_own(root, now));
        self.refuse_strangers(now);
        if !first {
            self.fetch_unasked(&room, &added);
        }
    }

    /// This peer is in a room no more.
    pub fn left(&mut self, room: &RoomName, now: u64) {
        if self.lists.contains_key(room) {
            self.listed(room.clone(), BTreeMap::new(), now);
            self.lists.remove(room);
        }
    }

    /// Another amount of a file is here: those who may be served it are told.
    pub(super) fn announce(&mut self, root: Root) {
        let rooms = self.lists.iter().filter(|(_, list)| list.contains_key(&root));
        let rooms: Vec<RoomName> = rooms.map(|(room, _)| room.clone()).collect();
        rooms.iter().for_each(|room| self.tell_all(room, &[root]));
    }

    fn tell_all(&mut self, room: &RoomName, roots: &[Root]) {
        let sharing = self.links.iter().filter(|(_, far)| far.rooms.contains(room));
        let sharing: Vec<LinkId> = sharing.map(|(link, _)| *link).collect();
        sharing.into_iter().for_each(|link| self.tell_holds(link, room, roots));
    }

    /// Tells somebody how much of these files is here, where that is not what it has been told.
    fn tell_holds(&mut self, link: LinkId, room: &RoomName, roots: &[Root]) {
        let mut files = Vec::new();
        for root in roots {
            let much = if self.is_listed(room, root) { self.much(root) } else { Much::Nothing };
            let Some(far) = self.links.get_mut(&link) else { return };
            let place = (room.clone(), *root);
            if far.told.get(&place).copied().unwrap_or(Much::Nothing) != much {
                files.push(Held { root: *root, much });
            }
            match much {
                Much::Nothing => far.told.remove(&place),
                much => far.told.insert(place.clone(), much),
            };
            if much == Much::Nothing
                && let Some(told) = far.watches.get_mut(&place)
            {
                *told = false;
            }
        }
        if !files.is_empty() {
            self.tell(link, Holds { room: room.clone(), files });
        }
        roots.iter().for_each(|root| self.tell_pieces(link, room, root));
    }

    /// Tells somebody who watches which pieces are here, if it has not been told.
    fn tell_pieces(&mut self, link: LinkId, room: &RoomName, root: &Root) {
        let far = self.links.get(&link).filter(|far| far.rooms.contains(room));
        let waits = far.and_then(|far| far.watches.get(&(room.clone(), *root))) == Some(&false);
        if !waits || !self.is_listed(room, root) {
            return;
        }
        let Some(pieces) = self.pieces(root) else { return };
        if let Some(told) = self.links.get_mut(&link).and_then(|far| far.watches.get_mut(&(room.clone(), *root))) {
            *told = true;
        }
        if !pieces.is_empty() {
            self.tell(link, Has { room: room.clone(), root: *root, runs: pieces.runs(), afresh: true });
        }
    }

    /// Tells those who watch which pieces have come since they were told last.
    pub(super) fn tell_fresh(&mut self, root: Root, now: u64) {
        let Some(fetching) = self.fetching.get_mut(&root) else { return };
        if fetching.fresh.is_empty() || now < fetching.told_at + GATHERED {
            return;
        }
        fetching.told_at = now;
        let mut fresh = Pieces::none();
        for piece in std::mem::take(&mut fetching.fresh) {
            fresh.add(piece);
        }
        let runs = fresh.runs();
        for (link, far) in &self.links {
            for ((room, of), told) in &far.watches {
                if *of == root && *told && far.rooms.contains(room) && self.is_listed(room, &root) {
                    let has = Has { room: room.clone(), root, runs: runs.clone(), afresh: false };
                    self.out.push(Outcome::Tell(*link, has.into()));
                }
            }
        }
    }

    /// Somebody says what it has.
    pub fn holds(&mut self, link: LinkId, holds: Holds) {
        let Some(far) = self.links.get_mut(&link) else { return };
        let early = far.holds.keys().filter(|room| !far.rooms.contains(*room)).count();
        let known = far.rooms.contains(&holds.room) || far.holds.contains_key(&holds.room);
        if !known && early >= EARLY {
            return;
        }
        let files = far.holds.entry(holds.room.clone()).or_default();
        let mut changed = Vec::new();
        for Held { root, much } in holds.files.into_iter().take(limits::FILES) {
            if much == Much::Nothing {
                files.remove(&root);
            } else if files.len() < limits::FILES || files.contains_key(&root) {
                files.insert(root, much);
            }
            changed.push(root);
        }
        for root in changed {
            if self.fetching.get(&root).is_some_and(|fetching| fetching.room == holds.room) {
                self.source(root, link);
            }
        }
    }

    /// Somebody wants to know which pieces are here, or does not any more.
    pub fn watch(&mut self, link: LinkId, watch: Watch) {
        let Some(far) = self.links.get_mut(&link) else { return };
        let place = (watch.room, watch.root);
        if !watch.on {
            far.watches.remove(&place);
        } else if far.watches.len() < WATCHES || far.watches.contains_key(&place) {
            far.watches.insert(place.clone(), false);
            self.tell_pieces(link, &place.0, &place.1);
        }
    }

    /// Somebody says which pieces it has.
    pub fn has(&mut self, link: LinkId, has: Has) {
        let Some(fetching) = self.fetching.get_mut(&has.root).filter(|fetching| fetching.room == has.room) else {
            return;
        };
        let Some(source) = fetching.sources.get(&link).filter(|source| source.map != Map::All) else { return };
        // Runs that overlap could take a frame a long time to read.
        let in_order =
            has.runs.windows(2).all(|pair| pair[0].1 < pair[1].0) && has.runs.iter().all(|run| run.0 <= run.1);
        if !in_order {
            return;
        }
        let pieces = Pieces::of_runs(&has.runs, fetching.grid.count());
        let news = if has.afresh {
            let key = source.key;
            fetching.source(link, key, Map::Some(pieces));
            true
        } else {
            fetching.source_adds(link, &pieces)
        };
        if news {
            self.wake.insert((has.root, link));
        }
    }

    /// Takes somebody who has some of a file that is fetched for a source of it, or for one no longer.
    pub(super) fn source(&mut self, root: Root, link: LinkId) {
        let Some(fetching) = self.fetching.get_mut(&root).filter(|fetching| fetching.active) else { return };
        let Some(far) = self.links.get(&link).filter(|far| !fetching.offenders.contains(&far.key)) else { return };
        let much = far.holds(&fetching.room, &root);
        let held = fetching.sources.get(&link).map(|source| source.map == Map::All);
        if much == Much::Nothing {
            return self.source_gone(root, link);
        }
        if held.is_none() && fetching.sources.len() >= SOURCES {
            return;
        }
        match much {
            Much::Nothing => {}
            Much::All => fetching.source(link, far.key, Map::All),
            Much::Some if held == Some(false) => return,
            Much::Some => {
                fetching.source(link, far.key, Map::Some(Pieces::none()));
                let watch = Watch { room: fetching.room.clone(), root, on: true };
                self.tell(link, watch);
            }
        }
        self.wake.insert((root, link));
    }

    /// Somebody is no source of a file any more: what was under way from there is asked of others.
    pub(super) fn source_gone(&mut self, root: Root, link: LinkId) {
        let Some(fetching) = self.fetching.get_mut(&root).filter(|fetching| fetching.sources.contains_key(&link))
        else {
            return;
        };
        let was_full = fetching.sources.len() >= SOURCES;
        let stopped = fetching.source_gone(link);
        self.stop_asks(stopped);
        self.wake_all(root);
        if was_full {
            self.find_sources(root);
        }
    }

    /// Takes everybody who has some of a file for a source of it.
    pub(super) fn find_sources(&mut self, root: Root) {
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        links.into_iter().for_each(|link| self.source(root, link));
    }

    /// Tells those who are watched that they are so no more.
    pub(super) fn unwatch(&mut self, root: Root) {
        let Some(fetching) = self.fetching.get(&root) else { return };
        let room = fetching.room.clone();
        let watched = fetching.sources.iter().filter(|(_, source)| source.map != Map::All);
        let watched: Vec<LinkId> = watched.map(|(link, _)| *link).collect();
        watched.into_iter().for_each(|link| self.tell(link, Watch { room: room.clone(), root, on: false }));
    }

    pub(super) fn stop_asks(&mut self, asks: Vec<FetchId>) {
        for id in asks {
            self.asks.remove(&id);
            self.act(FileOutput::Stop(id));
        }
    }

    fn tell(&mut self, link: LinkId, frame: impl Into<PeerFrame>) {
        self.out.push(Outcome::Tell(link, frame.into()));
    }

    /// How many who are linked have all of a file, and how many have a part.
    pub fn holders(&self, room: &RoomName, root: &Root) -> (u32, u32) {
        let of = |much| self.links.values().filter(|far| far.holds(room, root) == much).count() as u32;
        (of(Much::All), of(Much::Some))
    }
}
