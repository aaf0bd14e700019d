//! What the program says, kept with the conversation that it is about: it is there again whenever that is gone to. What is
//! about none of them has a place of its own.

use std::collections::BTreeMap;

use common::RoomName;

use super::state::State;

/// Kept of each place, at the most: the last.
const KEPT: usize = 50;

/// Something that the program has said.
#[derive(Clone, PartialEq, Debug)]
pub struct Notice {
    /// The cursor of the last event that there was before it.
    pub after: u64,
    /// What.
    pub text: String,
}

/// All of it, by the conversation; what is about none of them is under `None`.
#[derive(Default)]
pub struct Told(BTreeMap<Option<RoomName>, Kept>);

#[derive(Default)]
struct Kept {
    notices: Vec<Notice>,
    /// Those to be looked at that were not in view yet.
    unseen: usize,
}

impl Told {
    /// What was said there, the oldest first.
    pub fn of(&self, place: Option<&RoomName>) -> &[Notice] {
        self.0.get(&place.cloned()).map_or(&[], |kept| &kept.notices)
    }

    /// How much of it calls the user, and was not in view.
    pub fn unseen(&self, place: Option<&RoomName>) -> usize {
        self.0.get(&place.cloned()).map_or(0, |kept| kept.unseen)
    }

    /// The same of all places.
    pub fn all_unseen(&self) -> usize {
        self.0.values().map(|kept| kept.unseen).sum()
    }

    /// It is in view.
    pub fn seen(&mut self, place: Option<&RoomName>) {
        if let Some(kept) = self.0.get_mut(&place.cloned()) {
            kept.unseen = 0;
        }
    }

    /// Forgets what is about other conversations than these.
    pub fn keep(&mut self, is_there: impl Fn(&RoomName) -> bool) {
        self.0.retain(|place, _| place.as_ref().is_none_or(&is_there));
    }

    fn tell(&mut self, place: Option<RoomName>, notice: Notice, is_unseen: bool) {
        let kept = self.0.entry(place).or_default();
        if kept.notices.len() == KEPT {
            kept.notices.remove(0);
        }
        kept.notices.push(notice);
        kept.unseen = (kept.unseen + usize::from(is_unseen)).min(kept.notices.len());
    }
}

impl State {
    /// Says something where the user is looking.
    pub fn notice(&mut self, text: String) {
        self.tell(self.room().cloned(), text, false);
    }

    /// Says something about a conversation, or about none. What `calls` the user is counted until it is in view.
    pub fn tell(&mut self, place: Option<RoomName>, text: String, calls: bool) {
        let is_here = self.room() == place.as_ref();
        let is_seen = is_here && self.conversation.is_at_end();
        let notice = Notice { after: self.latest, text };
        if is_here {
            self.conversation.notice(notice.text.clone());
        }
        self.told.tell(place, notice, calls && !is_seen);
    }

    /// Whether the place of what is about no conversation is shown beside them.
    pub fn shows_own(&self) -> bool {
        self.room().is_none() || !self.told.of(None).is_empty()
    }
}
