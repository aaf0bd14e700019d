//! Somebody breaks the rules: the link is closed, the user is told who it was, and for a while no link to it is taken.

use common::wire::control::{MemberChange, MemberEvent};

use super::{Core, LinkId, Output, Row, Shown};

/// How long somebody who has broken the rules gets no link, in milliseconds.
const SHUNNED: u64 = 30_000;
/// How often the user is told of one person, in milliseconds.
const TOLD: u64 = 3_600_000;

impl Core {
    /// Closes a link whose other side has broken the rules, as `what` says.
    pub(super) fn breach(&mut self, id: LinkId, what: &str) {
        let key = self.links.get(id).map(|link| link.key);
        self.accuse(id, what);
        self.close(id, what);
        if let Some(key) = key {
            self.schedule(key, self.clock.at);
        }
    }

    /// Notes what the other side of a link has done.
    pub(super) fn accuse(&mut self, id: LinkId, what: &str) {
        let now = self.clock.at;
        let Some(key) = self.links.get(id).map(|link| link.key) else { return };
        let Some(person) = self.people.get_mut(&key) else { return };
        person.shunned_until = now + SHUNNED;
        if person.accused_at.is_some_and(|at| now < at + TOLD) {
            return;
        }
        person.accused_at = Some(now);
        let Some(room) = person.rooms.first().cloned() else { return };
        let name = person.name.clone();
        let event = MemberEvent {
            cursor: self.cursors(1),
            version: self.rooms.get(&room).map(|room| room.table.version()).unwrap_or_default().to_string(),
            room,
            name,
            change: MemberChange::Offends,
            by: None,
            at: Some(self.clock.wall),
            detail: Some(common::wire::printable(what)),
        };
        self.out.push(Output::Keep(Row::Event(event.clone())));
        self.out.push(Output::Show(Shown::Member(event)));
    }
}
