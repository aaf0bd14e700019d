//! The list of files of each room: who shares what. The tracker has none of the bytes, and no say in what is shared.

use common::{
    Key, limits,
    table::{Shared, Step},
    wire::tracker::{Code, Refused, Share, Unshare},
};

use super::{Output, Row, Tracker, requests::After};

impl Tracker {
    /// Puts a file on a room's list.
    pub(super) fn share(&mut self, me: Key, request: Share, now: u64) -> Result<After, Refused> {
        let Share { room: name, offer, .. } = request;
        let actor = self.actor(&me, &name)?;
        let refused = |code, reason| Err(Refused { code, reason });
        if let Err(bad) = offer.file.check() {
            return refused(Code::BadFile, format!("this cannot be shared: {bad}"));
        }
        let Some(room) = self.rooms.get_mut(actor.id) else { return Ok(None) };
        let (table, slot, root) = (room.table(), actor.slot, offer.file.root);
        // What has been verified before is not verified again.
        if table.offer(slot, &root) == Some(&offer) {
            return Ok(self.pushed(actor.id));
        }
        // The name may be written in another case than the room's: what is signed is the room's own.
        if !offer.verify(&me, room.name()) {
            let reason =
                format!("the word for this file is not that of {} in {}: share it again", actor.name, room.name());
            return refused(Code::BadFile, reason);
        }
        if !table.has_space(slot, &root) {
            let (most, own) = (limits::FILES, limits::FILES_PER_MEMBER);
            let reason = match table.files_of(slot).count() >= own {
                true => format!(
                    "you share {own} files in {name}, as many as one may; take one back first: peer unshare {name} FILE"
                ),
                false => format!("{most} files are shared in {name}, as many as may be: somebody has to unshare one"),
            };
            return refused(Code::Full, reason);
        }
        let shared = Shared { slot, offer };
        if room.step(Step::Share(shared.clone()), now / 1_000).is_ok() {
            let version = room.table().version();
            self.outputs.push(Output::Store(Row::Share { version, shared }));
            self.changed(actor.id, now);
        }
        Ok(self.pushed(actor.id))
    }

    /// Takes a file from a room's list.
    pub(super) fn unshare(&mut self, me: Key, request: &Unshare, now: u64) -> Result<After, Refused> {
        let actor = self.actor(&me, &request.room)?;
        let Some(room) = self.rooms.get_mut(actor.id) else { return Ok(None) };
        let (slot, root) = (actor.slot, request.root);
        if room.table().offer(slot, &root).is_some() && room.step(Step::Unshare { slot, root }, now / 1_000).is_ok() {
            let version = room.table().version();
            self.outputs.push(Output::Store(Row::Unshare { version, slot, root }));
            self.changed(actor.id, now);
        }
        Ok(self.pushed(actor.id))
    }
}
