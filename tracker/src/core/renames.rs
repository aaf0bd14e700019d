//! Taking another name.

use common::{
    Key,
    table::Member,
    wire::tracker::{Code, Refused, Rename},
};

use super::{Output, Row, Tracker, presence::DAY, rows::StoredHold};

/// How often one account may take another name on one day.
const RENAMES_A_DAY: u32 = 10;

impl Tracker {
    /// Gives an account another name, in all its rooms and for all its contacts. The old one is held for it.
    pub(super) fn rename(&mut self, key: Key, request: &Rename, now: u64) -> Result<(), Refused> {
        let name = &request.name;
        let old = self.logins.name_of(&key).filter(|old| old != name);
        let Some(old) = old else { return Ok(()) };
        self.may_be_called(&key, name, now)?;
        let today = now / DAY;
        let Some(account) = self.logins.get_mut(&key) else { return Ok(()) };
        if account.renames.0 != today {
            account.renames = (today, 0);
        }
        if account.renames.1 >= RENAMES_A_DAY {
            let reason =
                format!("you took another name {RENAMES_A_DAY} times today, as often as one may: try tomorrow");
            return Err(Refused { code: Code::Full, reason });
        }
        account.renames.1 += 1;
        account.name = name.clone();
        self.logins.names.take(&old);
        self.give_name(name.clone(), key);
        self.outputs.push(Output::Store(Row::Renamed { key, name: name.clone() }));
        if old.fold() != name.fold() {
            self.hold(StoredHold { name: old, key: Some(key), until: now + self.config.name_hold_days * DAY });
        }
        for id in self.rooms.of(&key) {
            let member = self.rooms.get(id).and_then(|room| room.table().member(&key)).cloned();
            if let Some(member) = member {
                self.put(id, Member { name: name.clone(), ..member }, None, now);
            }
        }
        self.mark_for_those_who_may_know(&key);
        Ok(())
    }

    /// Keeps a name from others.
    pub(super) fn hold(&mut self, hold: StoredHold) {
        self.logins.names.hold(hold.clone());
        self.outputs.push(Output::Store(Row::Hold(hold)));
    }

    /// Forgets what was kept for long enough: names, and tokens.
    pub(super) fn forget_old(&mut self, now: u64) {
        for name in self.logins.names.lapsed(now) {
            self.logins.names.release(&name);
            self.outputs.push(Output::Store(Row::Release { name }));
        }
        let (invitations, resets) = self.invitations.forget_old(now);
        self.outputs.extend(invitations.into_iter().map(|hash| Output::Store(Row::InvitationGone { hash })));
        self.outputs.extend(resets.into_iter().map(|key| Output::Store(Row::ResetGone { key })));
    }
}
