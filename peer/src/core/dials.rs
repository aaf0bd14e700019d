//! Dials to other peers: who is to be dialled when, and how many at once.
//!
//! Of two people, the one with the smaller key dials first; the other does so a moment later if no link has come.

use std::collections::BTreeSet;

use common::{Key, RoomName};

use super::{Core, Now, Output, hosts::Hosts, people::Person};

/// How long the larger key waits for the smaller to dial, in milliseconds.
const HEAD_START: u64 = 400;
/// The first pause after a dial that failed, in milliseconds.
const FIRST_PAUSE: u64 = 500;

/// Who is to be dialled when.
#[derive(Debug)]
pub struct Dials {
    due: BTreeSet<(u64, Key)>,
    /// Dials that may be begun now, times a thousand; filled up as time goes by.
    allowance: u64,
    allowed_at: u64,
    per_second: u64,
    /// The hosts that people are dialled at.
    pub hosts: Hosts,
}

impl Dials {
    /// Nobody yet; `per_second` are begun at the most, and as many at once.
    pub fn new(per_second: u32) -> Dials {
        let per_second = u64::from(per_second.max(1));
        Dials {
            due: BTreeSet::new(),
            allowance: per_second * 1_000,
            allowed_at: 0,
            per_second,
            hosts: Hosts::default(),
        }
    }

    /// When somebody is due.
    pub fn deadline(&self) -> u64 {
        self.due.first().map_or(u64::MAX, |(at, _)| *at)
    }

    /// Takes one dial from the allowance, or says when there will be one.
    fn allow(&mut self, now: u64) -> Result<(), u64> {
        let gained = now.saturating_sub(self.allowed_at).saturating_mul(self.per_second);
        self.allowance = self.allowance.saturating_add(gained).min(self.per_second * 1_000);
        self.allowed_at = now;
        if self.allowance < 1_000 {
            return Err(now + (1_000 - self.allowance).div_ceil(self.per_second));
        }
        self.allowance -= 1_000;
        Ok(())
    }
}

impl Core {
    /// Dials soon whoever has no link: at once if it is for this side to dial first.
    pub(super) fn schedule_first(&mut self, key: Key, now: Now) {
        let wait = if self.me < key { 0 } else { HEAD_START };
        self.schedule(key, now.at + wait);
    }

    pub(super) fn schedule_everybody(&mut self, now: Now) {
        let keys: Vec<Key> = self.people.iter().filter(|(_, p)| p.link.is_none()).map(|(key, _)| *key).collect();
        for key in keys {
            let wait = self.jitter.below(1_000);
            self.schedule(key, now.at + wait);
        }
    }

    /// Dials somebody without a link at once, as if for the first time.
    pub(super) fn dial_afresh(&mut self, key: Key, now: Now) {
        if let Some(person) = self.people.get_mut(&key) {
            person.backoff.reset();
            self.schedule(key, now.at);
        }
    }

    pub(super) fn schedule(&mut self, key: Key, at: u64) {
        let Some(person) = self.people.get_mut(&key) else { return };
        let at = at.max(person.shunned_until);
        if person.link.is_some() || person.dialling || person.due.is_some_and(|due| due <= at) {
            return;
        }
        if let Some(due) = person.due.replace(at) {
            self.dials.due.remove(&(due, key));
        }
        self.dials.due.insert((at, key));
    }

    pub(super) fn unschedule(&mut self, key: &Key) {
        if let Some(due) = self.people.get_mut(key).and_then(|person| person.due.take()) {
            self.dials.due.remove(&(due, *key));
        }
    }

    pub(super) fn dial_failed(&mut self, key: Key, now: Now) {
        let most = self.config.member_retry_s.saturating_mul(1_000);
        let Some(person) = self.people.get_mut(&key) else { return };
        person.dialling = false;
        let pause = person.backoff.pause(FIRST_PAUSE, most, &mut self.jitter);
        self.schedule(key, now.at + pause);
        self.not_reached(&key);
    }

    /// Dials whoever is due.
    pub(super) fn dials_due(&mut self, now: Now) {
        while let Some((at, key)) = self.dials.due.first().copied().filter(|(at, _)| *at <= now.at) {
            self.dials.due.pop_first();
            // Whoever has gone since, or is due at another time, is not meant.
            let Some(person) = self.people.get_mut(&key).filter(|person| person.due == Some(at)) else { continue };
            person.due = None;
            if !self.wants_link(&key) {
                continue;
            }
            let Some(person) = self.people.get_mut(&key) else { continue };
            let addresses = person.addresses.clone();
            let allowed = match self.dials.hosts.allowed(&addresses, now.at) {
                Ok(allowed) => allowed,
                Err(at) => {
                    person.held = true;
                    self.schedule(key, at);
                    continue;
                }
            };
            if let Err(at) = self.dials.allow(now.at) {
                self.schedule(key, at);
                break;
            }
            let most = self.config.member_retry_s.saturating_mul(1_000);
            self.dials.hosts.dialled(&allowed, now.at, most, &mut self.jitter);
            if let Some(person) = self.people.get_mut(&key) {
                person.dialling = true;
                person.held = false;
                self.out.push(Output::Dial(key, allowed));
            }
        }
    }

    /// Whether the tracker tells when somebody is there.
    pub(super) fn is_told_of(&self, key: &Key, person: &Person) -> bool {
        self.contacts.is_contact(key) || person.rooms.iter().any(RoomName::is_plain)
    }

    /// Whether somebody without a link should be dialled: they can be there, and a room is small enough to keep links
    /// in it, or something waits for them.
    fn wants_link(&self, key: &Key) -> bool {
        let Some(person) = self.people.get(key) else { return false };
        if person.link.is_some() || person.dialling || person.addresses.is_empty() || self.trust.doubts(key) {
            return false;
        }
        if self.tracker.is_up() && !person.online && self.is_told_of(key, person) {
            return false;
        }
        person.rooms.iter().filter_map(|name| self.rooms.get(name)).any(|room| {
            room.table.len() <= self.config.mesh_members || room.next_for(key, 0, room.own.acked(key)).is_some()
        })
    }
}
