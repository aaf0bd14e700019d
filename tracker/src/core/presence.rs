//! Who shows as online where, and who has not been seen for too long.

use std::net::SocketAddr;

use common::{
    Key,
    address::{Addresses, canonical},
    table::Departure,
};

use super::{Output, Row, Timer, Tracker, room::Online, rows::Seen};

const HOUR: u64 = 3_600_000;
pub const DAY: u64 = 24 * HOUR;

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
    /// Shows an account as online or offline in all its rooms, and to its contacts.
    pub(super) fn show(&mut self, key: &Key, online: Option<Online>, now: u64) {
        let seen = self.seen_at(now);
        let Some(account) = self.logins.get_mut(key) else { return };
        if account.online.is_some() || online.is_some() {
            account.seen = seen;
        }
        if account.online == online {
            return;
        }
        account.online = online.clone();
        if online.is_none() {
            account.stored = seen;
            self.outputs.push(Output::Store(Row::Seen { key: *key, seen }));
        }
        for id in self.rooms.of(key) {
            if let Some(room) = self.rooms.get_mut(id)
                && let Some(slot) = room.table().member(key).map(|member| member.slot)
            {
                room.show(slot, online.clone());
                self.changed(id, now);
            }
        }
        self.mark_for_contacts(key);
    }

    /// Whether an account's contacts are not told when it was last seen.
    pub(super) fn hide_seen(&mut self, key: &Key, hide: bool) {
        if let Some(account) = self.logins.get_mut(key).filter(|account| account.hide_seen != hide) {
            account.hide_seen = hide;
            self.outputs.push(Output::Store(Row::HideSeen { key: *key, hide }));
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
        self.settled = true;
        self.tell_contacts_left_out();
    }

    /// Every hour: removes members that have not been seen for too long, and stores what is needed to know that.
    pub(super) fn sweep(&mut self, now: u64) {
        self.timers.insert((now + HOUR, Timer::Sweep));
        let seen = self.seen_at(now);
        self.outputs.push(Output::Store(Row::Lived(seen.lived)));
        self.store_seen(seen);
        self.forget_old(now);
        let oldest = seen.lived.saturating_sub(self.config.member_expiry_days * DAY);
        let expired = self.logins.iter().filter(|(_, account)| account.online.is_none() && account.seen.lived < oldest);
        for key in expired.map(|(key, _)| *key).collect::<Vec<_>>() {
            for id in self.rooms.of(&key) {
                self.remove(id, &key, Departure::Expired, None, now);
            }
            for id in self.rooms.waits_of(&key) {
                self.end_wait(id, &key);
            }
        }
    }

    /// Stores when accounts were seen, those that are there being seen now.
    pub(super) fn store_seen(&mut self, now: Seen) {
        for (key, account) in self.logins.iter_mut() {
            if account.online.is_some() {
                account.seen = now;
            }
            if account.seen != account.stored {
                account.stored = account.seen;
                self.outputs.push(Output::Store(Row::Seen { key: *key, seen: account.seen }));
            }
        }
    }

    /// Who is there is seen at this time.
    pub(super) fn seen_at(&self, now: u64) -> Seen {
        Seen { lived: self.lived(now), at: now / 1_000 }
    }
}
