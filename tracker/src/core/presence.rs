//! Who shows as online where, and who has not been seen for too long.

use std::net::SocketAddr;

use common::{
    Key,
    address::{Addresses, canonical},
    table::Departure,
};

use super::{Output, Row, Timer, Tracker};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

/// Where others can reach a session, the best guess first: where the tracker sees it, unless that is the tracker's own
/// machine, and where it says it listens.
pub fn reachable(seen: SocketAddr, own: &Addresses) -> Addresses {
    let own = own.as_slice().iter().copied();
    match canonical(seen).ip().is_loopback() {
        true => Addresses::new(own.chain([seen])),
        false => Addresses::new([seen].into_iter().chain(own)),
    }
}

impl Tracker {
    /// Shows an account as online at these addresses, or offline, in all its rooms.
    pub(super) fn show(&mut self, key: &Key, online: Option<Addresses>, now: u64) {
        let lived = self.lived(now);
        let Some(account) = self.logins.get_mut(key) else { return };
        account.seen = lived;
        if account.online == online {
            return;
        }
        account.online = online.clone();
        for id in self.rooms.of(key) {
            if let Some(room) = self.rooms.get_mut(id)
                && let Some(slot) = room.table().member(key).map(|member| member.slot)
            {
                room.show(slot, online.clone());
                self.changed(id, now);
            }
        }
    }

    /// A grace time is over, or somebody has logged out.
    pub(super) fn offline(&mut self, key: &Key, now: u64) {
        if let Some(account) = self.logins.get_mut(key) {
            account.grace = None;
        }
        self.show(key, None, now);
    }

    /// Members that have not come back since the tracker started are offline from now on. Before, nothing is said of
    /// them: peers go on showing what they knew, so that a restart of the tracker shows as nothing.
    pub(super) fn settle(&mut self, now: u64) {
        let news: Vec<_> = self.rooms.iter_mut().filter_map(|(id, room)| room.settle().then_some(*id)).collect();
        news.into_iter().for_each(|id| self.changed(id, now));
    }

    /// Every hour: removes members that have not been seen for too long, and stores what is needed to know that.
    pub(super) fn sweep(&mut self, now: u64) {
        self.timers.insert((now + HOUR, Timer::Sweep));
        let lived = self.lived(now);
        self.outputs.push(Output::Store(Row::Lived(lived)));
        let oldest = lived.saturating_sub(self.config.member_expiry_days * DAY);
        let mut expired = Vec::new();
        for (key, account) in self.logins.iter_mut() {
            if account.online.is_some() {
                account.seen = lived;
            }
            // Once a day will do while somebody is there; where it matters is when they have gone.
            let stale = account.seen.saturating_sub(account.stored) >= if account.online.is_some() { DAY } else { 1 };
            if stale {
                account.stored = account.seen;
                self.outputs.push(Output::Store(Row::Seen { key: *key, seen: account.seen }));
            }
            if account.online.is_none() && account.seen < oldest {
                expired.push(*key);
            }
        }
        for key in expired {
            for id in self.rooms.of(&key) {
                self.remove(id, &key, Departure::Expired, now);
            }
        }
    }
}
