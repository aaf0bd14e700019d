//! Ranges on their way: an uplink sends a part of each in turn, a downlink takes what comes one after the other.

use common::wire::peer::Fetch;
use peer::core::{
    LinkId,
    files::{FetchEnd, FetchId, FileInput, ServeEnd, ServeId},
};

use super::{
    Town,
    host::{Coming, Flow, Nature},
    town::{Event, room},
};

/// What is sent in one part, in bytes.
const PART: u64 = 16 * 1024;
/// What may be under way of one range, in bytes.
const WINDOW: u64 = 64 * 1024;

/// How long so many bytes take at a rate, in microseconds.
fn takes(bytes: u64, rate: u64) -> u64 {
    (bytes * 1_000_000).checked_div(rate).unwrap_or(0)
}

impl Town {
    pub(super) fn ask_range(&mut self, host: usize, fetch: FetchId, link: LinkId, pieces: (u32, u32)) {
        let Some((there, theirs)) = self.hosts[host].links.get(&link).copied() else {
            self.wrong = Some(format!("host {host} asks over a link that is gone"));
            return;
        };
        let range = self.grid.range(pieces.0).start..self.grid.range(pieces.1).end;
        let wish = Fetch { room: room(), root: self.file.root, offset: range.start, length: range.end - range.start };
        self.hosts[host].coming.insert(fetch, Coming { from: (there, link), pieces, came: 0, kept: 0 });
        self.later(self.latency, Event::Ask(there, theirs, (host, fetch), wish));
    }

    pub(super) fn stop_range(&mut self, host: usize, fetch: FetchId) {
        if let Some(coming) = self.hosts[host].coming.remove(&fetch) {
            let to = &mut self.hosts[host];
            let elsewhere = |piece: u32| {
                to.disk.has(piece) || to.coming.values().any(|c| (c.pieces.0..=c.pieces.1).contains(&piece))
            };
            if (coming.pieces.0..=coming.pieces.1).all(elsewhere) {
                to.ledger.needless += coming.came - coming.kept;
                to.stopped.insert(fetch);
            } else {
                // The transfer is stopped, or whoever sends it is not asked any more.
                to.ledger.lost += coming.came - coming.kept;
            }
            self.later(self.latency, Event::Cancel(coming.from.0, (host, fetch)));
        }
    }

    /// All that is coming to a host breaks off.
    pub(super) fn break_off(&mut self, host: usize) {
        for (fetch, from) in
            self.hosts[host].coming.iter().map(|(fetch, coming)| (*fetch, coming.from.0)).collect::<Vec<_>>()
        {
            self.later(self.latency, Event::Cancel(from, (host, fetch)));
            self.fetch_ends(host, fetch, FetchEnd::Broken("the stream is reset".into()));
        }
    }

    pub(super) fn begin_flow(&mut self, host: usize, serve: ServeId) {
        let Some(to) = self.hosts[host].asked.remove(&serve) else { return };
        let Some(coming) = self.hosts[to.0].coming.get(&to.1) else {
            // It was stopped, and the word of that is under way.
            self.hosts[host].flows.insert(serve, Flow { to, length: 0, sent: 0, out: 0 });
            return;
        };
        let length = self.grid.range(coming.pieces.1).end - self.grid.range(coming.pieces.0).start;
        let staller = self.hosts[host].nature == Nature::Staller && self.random.chance(0.5);
        let sent = if staller { PART } else { 0 };
        self.hosts[host].flows.insert(serve, Flow { to, length, sent, out: 0 });
        self.send_soon(host);
    }

    fn send_soon(&mut self, host: usize) {
        if !std::mem::replace(&mut self.hosts[host].sending, true) {
            let wait = self.hosts[host].up_busy.saturating_sub(self.now);
            self.later(wait, Event::Send(host));
        }
    }

    pub(super) fn traffic(&mut self, event: Event) {
        let now = self.ms();
        match event {
            Event::Ask(host, link, from, wish) => {
                if !self.hosts[host].links.contains_key(&link) {
                    return;
                }
                self.last_serve += 1;
                let serve = ServeId(self.last_serve);
                self.hosts[host].asked.insert(serve, from);
                self.hosts[host].tell(FileInput::Asked(serve, link, wish), now);
                self.settle(host);
            }
            Event::Refused(host, fetch, code) => self.fetch_ends(host, fetch, FetchEnd::Refused(code)),
            Event::Send(host) => self.send_part(host),
            Event::Arrive(host, fetch, from, bytes, right) => {
                let to = &mut self.hosts[host];
                to.down_busy = to.down_busy.max(self.now) + takes(bytes, to.rates.down);
                let wait = to.down_busy - self.now;
                self.later(wait, Event::Take(host, fetch, from, bytes, right));
            }
            Event::Take(host, fetch, from, bytes, right) => {
                self.later(self.latency, Event::Taken(from.0, from.1, bytes));
                self.take_part(host, fetch, bytes, right);
            }
            Event::Taken(host, serve, bytes) => {
                if let Some(flow) = self.hosts[host].flows.get_mut(&serve) {
                    flow.out -= bytes;
                    self.hosts[host].tell(FileInput::Sent(serve, bytes), now);
                    let flow = &self.hosts[host].flows[&serve];
                    if flow.sent >= flow.length && flow.out == 0 {
                        self.serve_ends(host, serve, ServeEnd::Done);
                    }
                    self.send_soon(host);
                }
            }
            Event::Cancel(host, from) => {
                let flows = self.hosts[host].flows.iter().filter(|(_, flow)| flow.to == from).map(|(id, _)| *id);
                let asked = self.hosts[host].asked.iter().filter(|(_, asker)| **asker == from).map(|(id, _)| *id);
                let serves: Vec<ServeId> = flows.chain(asked).collect();
                serves.into_iter().for_each(|serve| self.serve_ends(host, serve, ServeEnd::Broken));
            }
            _ => {}
        }
    }

    fn send_part(&mut self, host: usize) {
        self.hosts[host].sending = false;
        if self.hosts[host].files.is_none() {
            return;
        }
        let staller = self.hosts[host].nature == Nature::Staller;
        let Some(serve) = self.hosts[host].next_flow(WINDOW, staller) else { return };
        let right = self.hosts[host].nature != Nature::Liar;
        let from = &mut self.hosts[host];
        from.last_flow = serve;
        let Some(flow) = from.flows.get_mut(&serve) else { return };
        let bytes = PART.min(flow.length - flow.sent);
        flow.sent += bytes;
        flow.out += bytes;
        let to = flow.to;
        from.ledger.sent += bytes;
        let wait = takes(bytes, from.rates.up);
        from.up_busy = self.now + wait;
        self.later(wait + self.latency, Event::Arrive(to.0, to.1, (host, serve), bytes, right));
        self.send_soon(host);
    }

    fn take_part(&mut self, host: usize, fetch: FetchId, bytes: u64, right: bool) {
        let now = self.ms();
        if !self.hosts[host].coming.contains_key(&fetch) {
            if self.hosts[host].stopped.contains(&fetch) {
                self.hosts[host].ledger.stray += bytes;
            }
            return;
        }
        if !right {
            return self.fetch_ends(host, fetch, FetchEnd::Wrong("the hash is another".into()));
        }
        if self.hosts[host].disk_full {
            return self.fetch_ends(host, fetch, FetchEnd::Disk("the disk is full".into()));
        }
        self.hosts[host].tell(FileInput::Came(fetch, bytes), now);
        let grid = self.grid;
        let to = &mut self.hosts[host];
        let Some(coming) = to.coming.get_mut(&fetch) else { return };
        coming.came += bytes;
        to.ledger.came += bytes;
        let start = grid.range(coming.pieces.0).start;
        let mut got = Vec::new();
        for piece in coming.pieces.0..=coming.pieces.1 {
            let range = grid.range(piece);
            let length = range.end - range.start;
            if range.end - start <= coming.came && range.end - start > coming.came - bytes {
                coming.kept += length;
                if !to.disk.add(piece) {
                    to.ledger.needless += length;
                }
                got.push(piece);
            }
        }
        let done = coming.came == grid.range(coming.pieces.1).end - start;
        for piece in got {
            self.hosts[host].tell(FileInput::Got(fetch, piece), now);
        }
        self.settle(host);
        if done {
            self.fetch_ends(host, fetch, FetchEnd::Done);
        }
    }
}
