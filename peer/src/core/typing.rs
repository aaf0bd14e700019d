//! Who is typing: a hint, sent as a datagram, never kept and never sent again.
//!
//! It costs nothing where nobody looks: a peer whose user watches for it says so on its links, and only they are sent
//! any. Too many are dropped on either side.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    RoomName,
    frame::Frame,
    wire::{
        control::{Refusal, TypingEvent},
        peer::{Looks, PeerFrame, PeerHint, Typing as TypingHint},
    },
};

use super::{Core, LinkId, Now, Output, Shown, answers::not_in, command::Answer};

/// How long after a hint no other is sent in the same room, in milliseconds.
const PAUSE: u64 = 3_000;
/// How long after a hint from somebody no other is shown, in milliseconds.
const SHOWN: u64 = 1_000;

/// Who looks, and what was sent and shown last.
#[derive(Default, Debug)]
pub struct Typing {
    /// Whether somebody looks here.
    looks: bool,
    /// By room of this peer, when the last hint was sent.
    sent: BTreeMap<RoomName, u64>,
    /// Links whose other side looks.
    lookers: BTreeSet<LinkId>,
    /// By link, when the last hint was shown.
    shown: BTreeMap<LinkId, u64>,
}

impl Typing {
    /// A link is gone.
    pub fn forget(&mut self, link: LinkId) {
        self.lookers.remove(&link);
        self.shown.remove(&link);
    }
}

impl Core {
    /// Somebody looks here, or nobody does any more: those who are linked are told.
    pub(super) fn looks(&mut self, looks: bool) {
        if std::mem::replace(&mut self.typing.looks, looks) == looks {
            return;
        }
        let links: Vec<LinkId> = self.people.iter().filter_map(|(_, person)| person.link).collect();
        links.into_iter().for_each(|link| self.tell_looks(link, looks));
    }

    /// A link counts from now on.
    pub(super) fn typing_linked(&mut self, link: LinkId) {
        if self.typing.looks {
            self.tell_looks(link, true);
        }
    }

    fn tell_looks(&mut self, link: LinkId, looks: bool) {
        self.send(link, PeerFrame::from(Looks { looks }).encode());
    }

    pub(super) fn told_looks(&mut self, link: LinkId, looks: bool) {
        if looks && self.links.get(link).is_some() {
            self.typing.lookers.insert(link);
        } else {
            self.typing.lookers.remove(&link);
        }
    }

    /// The user is typing: the members that look are told, now and then.
    pub(super) fn types(&mut self, room: &RoomName, now: Now) -> Result<Answer, Refusal> {
        let Some((name, room)) = self.joined(room) else {
            return Err(not_in(room));
        };
        let name = name.clone();
        if self.typing.sent.get(&name).is_some_and(|sent| now.at < sent + PAUSE) {
            return Ok(Answer::Done);
        }
        let linked = room.table.members().filter_map(|member| self.people.get(&member.key)?.link);
        let lookers: Vec<LinkId> = linked.filter(|link| self.typing.lookers.contains(link)).collect();
        if !lookers.is_empty() {
            let hint = PeerHint::from(TypingHint { room: name.clone() }).encode();
            self.out.extend(lookers.into_iter().map(|link| Output::Hint(link, hint.clone())));
            self.typing.sent.retain(|_, sent| now.at < *sent + PAUSE);
            self.typing.sent.insert(name, now.at);
        }
        Ok(Answer::Done)
    }

    /// A hint has come.
    pub(super) fn link_hints(&mut self, link: LinkId, hint: PeerHint, now: Now) {
        let PeerHint::Typing(TypingHint { room }) = hint;
        let Some(key) = self.links.get(link).map(|link| link.key).filter(|_| self.typing.looks) else { return };
        let Some(room) = self.rooms.get_key_value(&room).filter(|(_, room)| room.joined) else { return };
        let Some(member) = room.1.table.member(&key) else { return };
        if self.typing.shown.get(&link).is_some_and(|shown| now.at < shown + SHOWN) {
            return;
        }
        self.typing.shown.insert(link, now.at);
        let event = TypingEvent { room: room.0.clone(), name: member.name.clone() };
        self.out.push(Output::Show(Shown::Typing(event)));
    }
}

#[cfg(test)]
#[path = "typing_tests.rs"]
mod tests;
