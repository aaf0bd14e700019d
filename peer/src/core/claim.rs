//! Somebody has more of this peer's own log than this peer: its store is an older one, or has lost something. What is
//! missing is fetched back before anything more is said, so that no number is used twice.

use common::{RoomName, wire::peer::Followed};

use super::{Core, LinkId, Now, taking::unused};

/// How long nothing is said while one's own log is fetched back, in milliseconds.
const CLAIM: u64 = 10_000;
/// How often that happens in one room, however often a member says that it has more of one's own log.
const CLAIMS: u32 = 8;

/// Somebody has more of this peer's own log than this peer.
#[derive(Debug)]
pub struct Claim {
    number: u64,
    /// Until when nothing is said; 0 once it is settled.
    pub until: u64,
    times: u32,
}

impl Core {
    /// A member says that this peer's own log goes up to `last`.
    pub(super) fn claim(&mut self, id: LinkId, name: &RoomName, last: u64, now: Now) {
        let Some(room) = self.rooms.get(name).filter(|room| last > room.own.head.number) else { return };
        let after = room.own.head.number;
        let claim = self.repair.claims.entry(name.clone()).or_insert(Claim { number: 0, until: 0, times: 0 });
        if claim.until == 0 {
            if claim.times == CLAIMS {
                return;
            }
            claim.times += 1;
            claim.until = now.at + CLAIM;
        }
        claim.number = claim.number.max(last);
        self.follow(id, name, vec![Followed { author: self.me, after, until: Some(last) }]);
    }

    /// Whether nothing is to be said in a room yet.
    pub(super) fn claimed(&mut self, name: &RoomName, now: Now) -> bool {
        let Some(claim) = self.repair.claims.get_mut(name).filter(|claim| claim.until > 0) else { return false };
        if now.at < claim.until {
            return true;
        }
        // Nobody has brought it. Whether it was true or not, these numbers are left alone.
        claim.until = 0;
        let behind = self.rooms.get(name).is_some_and(|room| room.own.head.number < claim.number);
        if behind && self.numbers_from <= claim.number.min(unused(now)) {
            self.numbers_from = unused(now);
        }
        false
    }

    /// Something of this peer's own log has come back.
    pub(super) fn claim_settled(&mut self, name: &RoomName) {
        if let Some(claim) = self.repair.claims.get_mut(name)
            && self.rooms.get(name).is_some_and(|room| room.own.head.number >= claim.number)
        {
            claim.until = 0;
        }
    }
}
