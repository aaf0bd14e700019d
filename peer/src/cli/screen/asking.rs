//! What is asked of the session and when: with each tick what has changed, and of each kind one thing at a time.

use std::{
    collections::{HashMap, hash_map},
    mem::{Discriminant, discriminant},
    time::Instant,
};

use super::{
    ask::Ask,
    state::{Output, State},
};

/// Messages asked about at once, how far they have got.
const PROGRESS: usize = 32;
/// Ticks between two looks at how the session and its transfers are, and at the paths to members.
const SECOND: u64 = 5;
const MEMBERS: u64 = 5 * SECOND;

/// What is asked, and what is to be.
pub(super) struct Asking {
    /// What is asked, and what of the same kind is to be asked then.
    under_way: HashMap<Discriminant<Ask>, (Ask, Option<Ask>)>,
    /// What is to be asked again.
    pub stale: Stale,
    ticks: u64,
}

impl Default for Asking {
    fn default() -> Asking {
        let stale = Stale { chats: true, members: true, topic: true, waiting: true, progress: false };
        Asking { under_way: HashMap::new(), stale, ticks: 0 }
    }
}

/// What is to be asked again.
#[derive(Default)]
pub(super) struct Stale {
    /// The conversations.
    pub chats: bool,
    /// Who is in the one in the middle.
    pub members: bool,
    /// What it is about.
    pub topic: bool,
    /// What of one's own waits for whom.
    pub waiting: bool,
    /// What is being asked of how far messages have got: somebody has more of them by now.
    pub progress: bool,
}

impl State {
    /// Asks the session, unless the same is asked already. Of one kind there is one question at a time: another one waits
    /// for its answer, and takes the place of one that waits.
    pub fn ask(&mut self, ask: Ask, out: &mut Vec<Output>) {
        match self.asking.under_way.entry(discriminant(&ask)) {
            hash_map::Entry::Vacant(entry) => {
                entry.insert((ask.clone(), None));
                out.push(Output::Ask(ask));
            }
            hash_map::Entry::Occupied(mut entry) => {
                let (asked, next) = entry.get_mut();
                *next = (*asked != ask).then_some(ask);
            }
        }
    }

    /// The answer has come: what waited for it is asked.
    pub(super) fn asked(&mut self, ask: &Ask, out: &mut Vec<Output>) {
        if let Some((_, Some(next))) = self.asking.under_way.remove(&discriminant(ask)) {
            self.ask(next, out);
        }
    }

    /// Whether something of the kind is asked.
    pub(super) fn is_asking(&self, ask: &Ask) -> bool {
        self.asking.under_way.contains_key(&discriminant(ask))
    }

    pub(super) fn tick(&mut self, now: Instant, out: &mut Vec<Output>) {
        self.asking.ticks += 1;
        let before = self.typing.len();
        self.typing.retain(|_, until| *until > now);
        self.changed |= before != self.typing.len();
        if self.asking.ticks.is_multiple_of(SECOND) {
            self.ask(Ask::Status, out);
            if !self.transfers.is_empty() {
                self.ask(Ask::Transfers, out);
            }
        }
        if self.asking.ticks.is_multiple_of(MEMBERS) {
            self.asking.stale.members = true;
            let told = self.unreached.look(&self.members, self.talk.me());
            self.changed |= !told.is_empty();
            told.into_iter().for_each(|told| self.notice(told));
        }
        self.refresh(out);
    }

    /// Asks again for what has changed: with each tick, however much happens.
    pub(super) fn refresh(&mut self, out: &mut Vec<Output>) {
        // An answer to what is being asked may be of before.
        if self.asking.stale.chats && !self.is_asking(&Ask::Chats) {
            self.asking.stale.chats = false;
            self.ask(Ask::Chats, out);
        }
        let is_any = self.status.as_ref().is_some_and(|status| status.undelivered > 0);
        if self.asking.stale.waiting && is_any && !self.is_asking(&Ask::Waiting) {
            self.asking.stale.waiting = false;
            self.ask(Ask::Waiting, out);
        }
        let pane = self.pane();
        let Some(room) = self.room().cloned() else { return };
        let visible = self.conversation.visible(pane.height.into(), &self.lines());
        let unknown: Vec<String> = self.conversation.unknown(visible).into_iter().rev().take(PROGRESS).collect();
        if !unknown.is_empty() && !self.is_asking(&Ask::Progress(Vec::new())) {
            self.asking.stale.progress = false;
            self.ask(Ask::Progress(unknown), out);
        }
        let members = Ask::Members(room.clone());
        if self.asking.stale.members
            && !self.asking.under_way.get(&discriminant(&members)).is_some_and(|(asked, _)| *asked == members)
        {
            self.asking.stale.members = false;
            self.ask(members, out);
        }
        if self.asking.stale.topic && room.is_plain() {
            self.asking.stale.topic = false;
            self.ask(Ask::Topic(room), out);
        }
    }
}
