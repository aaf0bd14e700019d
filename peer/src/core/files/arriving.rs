//! Ranges that are fetched: asking for them, and what comes of it.

use common::{
    fault::{self, Fault},
    file::{Pieces, Root},
    wire::peer::{Much, ServeCode, Watch},
};

use super::{FetchEnd, FetchId, FileOutput, Files, Outcome, choice::Map, fetching::Ask};
use crate::core::LinkId;

/// How often it is looked whether something stands still while files are fetched, in milliseconds.
const TICK: u64 = 100;
/// The same while there is nobody to fetch from.
const SLOW_TICK: u64 = 1_000;
/// After how long without a byte a range that has begun to come is taken for dead, in milliseconds.
const STALLED: u64 = 10_000;
/// The same before its first byte: it may be waiting in line.
const UNANSWERED: u64 = 30_000;
/// The first pause after a range that did not come, in milliseconds.
const FIRST_PAUSE: u64 = 500;
/// The longest pause.
const LONGEST_PAUSE: u64 = 30_000;
/// The pause after an answer that too much is asked for at once.
const BUSY: u64 = 250;
/// After how long without anybody to fetch from the user is told, in milliseconds.
const ALONE: u64 = 2_000;

impl Files {
    /// Everybody who has something of a file is asked for what they may be asked for now.
    pub(super) fn wake_all(&mut self, root: Root) {
        if let Some(fetching) = self.fetching.get(&root).filter(|fetching| fetching.active) {
            self.wake.extend(fetching.sources.keys().map(|link| (root, *link)));
        }
    }

    /// Asks whoever may have become free, or has something new.
    pub(super) fn ask_more(&mut self, now: u64) {
        while let Some((root, link)) = self.wake.pop_first() {
            while let Some(fetching) = self.fetching.get_mut(&root)
                && let Some(pieces) = fetching.next(link, now, &mut self.jitter)
            {
                self.last_fetch += 1;
                let fetch = FetchId(self.last_fetch);
                fetching.asked(fetch, link, pieces, now);
                let (room, place, limit) = (fetching.room.clone(), fetching.place.clone(), fetching.limit);
                self.asks.insert(fetch, root);
                self.act(FileOutput::Fetch { fetch, link, room, place, pieces, limit });
            }
        }
    }

    pub(super) fn came(&mut self, id: FetchId, bytes: u64, now: u64) {
        let Some(fetching) = self.asks.get(&id).and_then(|root| self.fetching.get_mut(root)) else { return };
        let root = fetching.root();
        let needless = fetching.came(id, bytes, now);
        self.needless(root, needless);
        // What has come makes room for what is asked for next.
        self.wake_of(id, root);
    }

    pub(super) fn got(&mut self, id: FetchId, piece: u32) {
        let Some(fetching) = self.asks.get(&id).and_then(|root| self.fetching.get_mut(root)) else { return };
        let root = fetching.root();
        let Some(needless) = fetching.got(id, piece) else { return };
        let (whole, first) = (fetching.is_whole(), fetching.have.len() == 1);
        self.needless(root, needless);
        if whole {
            return self.finish(root);
        }
        if first || piece == 0 {
            // With the list of a folder here, all the rest may be asked for; and from the first piece on, it is served.
            self.announce(root);
            self.wake_all(root);
        }
        self.wake_of(id, root);
    }

    fn wake_of(&mut self, id: FetchId, root: Root) {
        if let Some(ask) = self.fetching.get(&root).and_then(|fetching| fetching.asks.get(&id)) {
            self.wake.insert((root, ask.link));
        }
    }

    /// Stops what comes from elsewhere already.
    fn needless(&mut self, root: Root, needless: Vec<FetchId>) {
        for id in needless {
            let ask = self.fetching.get_mut(&root).and_then(|fetching| fetching.ended(id));
            self.wake.extend(ask.map(|ask| (root, ask.link)));
            self.stop_asks(vec![id]);
        }
    }

    pub(super) fn fetch_ended(&mut self, id: FetchId, end: FetchEnd, now: u64) {
        let Some(root) = self.asks.remove(&id) else { return };
        let Some(fetching) = self.fetching.get_mut(&root) else { return };
        let Some(ask) = fetching.ended(id) else { return };
        match end {
            FetchEnd::Done => {
                let missing = (ask.first..=ask.last).any(|piece| !fetching.have.has(piece));
                if missing {
                    self.pause_source(root, ask.link, FIRST_PAUSE, false, now);
                }
            }
            FetchEnd::Refused(ServeCode::Busy) => self.pause_source(root, ask.link, BUSY, false, now),
            FetchEnd::Refused(ServeCode::NotHere) => self.pause_source(root, ask.link, FIRST_PAUSE, true, now),
            FetchEnd::Refused(_) | FetchEnd::Broken(_) => self.pause_source(root, ask.link, FIRST_PAUSE, false, now),
            FetchEnd::Wrong(_) if fault::on(Fault::WrongKept) => {
                let pieces: Vec<u32> = (ask.first..=ask.last).collect();
                for piece in pieces {
                    fetching.got(id, piece);
                }
                if fetching.is_whole() {
                    return self.finish(root);
                }
            }
            FetchEnd::Wrong(_) => self.offended(root, &ask),
            FetchEnd::Disk(why) => return self.fail_on_disk(root, why, now),
        }
        self.wake_all(root);
    }

    fn fail_on_disk(&mut self, root: Root, why: String, now: u64) {
        self.deactivate(root);
        self.fail(root, why, now);
    }

    /// A holder is not asked for a while; `void` if it has said that it has something which it has not.
    fn pause_source(&mut self, root: Root, link: LinkId, first: u64, void: bool, now: u64) {
        let Some(source) = self.fetching.get_mut(&root).and_then(|fetching| fetching.sources.get_mut(&link)) else {
            return;
        };
        let most = if first == BUSY { 4 * BUSY } else { LONGEST_PAUSE };
        source.paused_until = now + source.backoff.pause(first, most, &mut self.jitter);
        source.void |= void;
    }

    /// A holder has sent what is not in the file: it is asked no more for it, and named.
    fn offended(&mut self, root: Root, ask: &Ask) {
        let Some(fetching) = self.fetching.get_mut(&root) else { return };
        let what = format!("sent bytes that are not in {}", fetching.place.file.name);
        let room = fetching.room.clone();
        let key = fetching.sources.get(&ask.link).map(|source| source.key);
        if !fault::on(Fault::OffenderKept) {
            fetching.offenders.extend(key);
            self.source_gone(root, ask.link);
        }
        self.out.push(Outcome::Accuse(ask.link, room, what));
    }

    /// Looks for what stands still, and for who may be asked again.
    pub(super) fn tick(&mut self, now: u64) {
        if now < self.next_tick {
            return;
        }
        let active: Vec<Root> = self.fetching.iter().filter(|(_, f)| f.active).map(|(root, _)| *root).collect();
        let mut next = u64::MAX;
        for root in active {
            self.stop_stalled(root, now);
            self.ask_void(root, now);
            self.see_halt(root, now);
            self.wake_all(root);
            let sources = self.fetching.get(&root).is_some_and(|fetching| !fetching.sources.is_empty());
            next = next.min(now + if sources { TICK } else { SLOW_TICK });
        }
        self.next_tick = next;
    }

    fn stop_stalled(&mut self, root: Root, now: u64) {
        let Some(fetching) = self.fetching.get_mut(&root) else { return };
        let stands = |ask: &Ask| match ask.begun {
            Some(_) => now >= ask.last_came + STALLED,
            None => now >= ask.at + UNANSWERED,
        };
        let stalled = fetching.asks.iter().filter(|(_, ask)| stands(ask) && !fault::on(Fault::StallIgnored));
        let stalled: Vec<FetchId> = stalled.map(|(id, _)| *id).collect();
        for id in stalled {
            let Some(ask) = self.fetching.get_mut(&root).and_then(|fetching| fetching.ended(id)) else { continue };
            self.stop_asks(vec![id]);
            self.pause_source(root, ask.link, FIRST_PAUSE, false, now);
        }
    }

    /// Those who did not have what they had said are asked anew what they have.
    fn ask_void(&mut self, root: Root, now: u64) {
        let Some(fetching) = self.fetching.get_mut(&root) else { return };
        let room = fetching.room.clone();
        let void = fetching.sources.iter().filter(|(_, source)| source.void && now >= source.paused_until);
        let void: Vec<LinkId> = void.map(|(link, _)| *link).collect();
        for link in void {
            let Some(fetching) = self.fetching.get_mut(&root) else { return };
            let Some(source) = fetching.sources.get(&link) else { continue };
            let key = source.key;
            let all = self.links.get(&link).is_some_and(|far| far.holds(&room, &root) == Much::All);
            fetching.source(link, key, if all { Map::All } else { Map::Some(Pieces::none()) });
            if !all {
                self.out.push(Outcome::Tell(link, Watch { room: room.clone(), root, on: true }.into()));
            }
        }
    }

    /// Tells the user once when there is nobody to fetch from, and when there is again.
    fn see_halt(&mut self, root: Root, now: u64) {
        let Some(fetching) = self.fetching.get_mut(&root) else { return };
        let id = fetching.id;
        if fetching.has_source() {
            fetching.alone_since = None;
            if std::mem::take(&mut fetching.halted) {
                self.out.push(Outcome::Show(id));
            }
        } else {
            let since = *fetching.alone_since.get_or_insert(now);
            if now >= since + ALONE && !std::mem::replace(&mut fetching.halted, true) {
                self.out.push(Outcome::Show(id));
            }
        }
    }
}
