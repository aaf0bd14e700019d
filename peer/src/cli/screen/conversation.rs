//! The part of a conversation that is held: a window of its history, and where in it the view is.

use std::collections::VecDeque;

use common::{
    AccountName, RoomName,
    wire::control::{Event, MemberEvent, MessageEvent, MessageKind, ReceiptEvent, Said},
};

use super::{
    entries::{Entry, Held, Progress, append, cursor, entries_of, fold, is_full, join, place, weave},
    told::Notice,
    window::Anchor,
};

/// Messages asked for at once.
pub const PAGE: u32 = 100;
/// Entries held, at the most.
const WINDOW: usize = 600;

/// The window.
pub struct Conversation {
    /// Of which room; without one it is what is told to the user and is about none.
    pub room: Option<RoomName>,
    /// The oldest first.
    pub entries: VecDeque<Held>,
    /// Where the view ends, if not at the end of the window.
    pub anchor: Option<Anchor>,
    /// Whether its first page has come.
    pub is_open: bool,
    /// Whether there is more before the window.
    pub more_before: bool,
    /// Whether there is more after it.
    pub more_after: bool,
    /// The message that was searched for.
    pub marked: Option<u64>,
    /// Whose own coming and going is no news.
    pub me: Option<AccountName>,
}

/// What is missing at an end of the window.
#[derive(PartialEq, Debug)]
pub enum Missing {
    /// What came before this cursor.
    Before(u64),
    /// What came after this one.
    After(u64),
}

impl Conversation {
    /// One of which nothing is known yet but what was told there.
    pub fn new(room: Option<RoomName>, told: &[Notice]) -> Conversation {
        let (is_open, more_before) = (room.is_none(), room.is_some());
        let mut entries = VecDeque::new();
        weave(&mut entries, told.iter());
        Conversation { room, entries, anchor: None, is_open, more_before, more_after: false, marked: None, me: None }
    }

    /// Whether it is that of a room.
    pub fn is_of(&self, room: &RoomName) -> bool {
        self.room.as_ref().is_some_and(|here| here.fold() == room.fold())
    }

    /// Its newest page has come, of which all up to the cursor `read` was read before, if anything was. What happened while
    /// it was asked for stays behind it, and what was told in the time of all that stands among it.
    pub fn open(&mut self, events: Vec<Event>, read: u64, told: &[Notice]) {
        self.is_open = true;
        self.more_before = is_full(&events);
        self.more_after = false;
        let mut page = entries_of(events, self.me.as_ref());
        let is_new = |held: &Held| held.message().is_some_and(|(m, _)| m.cursor > read && m.path != "self");
        if let Some(first) =
            page.iter().position(is_new).filter(|first| page.iter().take(*first).any(|e| cursor(e).is_some()))
        {
            page.insert(first, Entry::New.into());
        }
        let last = page.iter().rev().find_map(place);
        let is_later = |held: &Held| place(held).is_some_and(|place| last.is_none_or(|last| place > last));
        self.entries.retain(is_later);
        let later = std::mem::replace(&mut self.entries, page);
        join(&mut self.entries, later);
        let from = if self.more_before { self.entries.iter().find_map(place) } else { None };
        weave(&mut self.entries, told.iter().filter(|notice| from.is_none_or(|from| notice.after >= from)));
        (self.anchor, self.marked) = (None, None);
    }

    /// Both sides of a message have come, which is to be seen in the middle of `height` lines; of one that is not there, what
    /// comes after it begins the view.
    pub fn around(
        &mut self,
        at: u64,
        (before, after): (Vec<Event>, Vec<Event>),
        told: &[Notice],
        height: usize,
        lines: &impl Fn(&Held) -> usize,
    ) {
        self.is_open = true;
        self.more_before = is_full(&before);
        self.more_after = after.len() >= PAGE as usize;
        self.entries = entries_of(before, self.me.as_ref());
        let after = entries_of(after, self.me.as_ref());
        join(&mut self.entries, after);
        let from = if self.more_before { self.begins_at() } else { None };
        let to = if self.more_after { self.ends() } else { None };
        let is_of_then =
            |notice: &&Notice| from.is_none_or(|from| notice.after >= from) && to.is_none_or(|to| notice.after <= to);
        weave(&mut self.entries, told.iter().filter(is_of_then));
        (self.anchor, self.marked) = (None, Some(at));
        if let Some(found) = self.entries.iter().position(|held| cursor(held) == Some(at)) {
            self.centre(found, height, lines);
        } else if let Some(next) = self.entries.iter().position(|held| place(held).is_some_and(|place| place > at)) {
            // With the line of its day.
            self.begin_with(next.saturating_sub(1), height, lines);
        }
    }

    /// Older messages have come.
    pub fn before(&mut self, events: Vec<Event>, told: &[Notice]) {
        self.more_before = is_full(&events);
        let mut earlier = entries_of(events, self.me.as_ref());
        let (from, to) = (earlier.iter().find_map(place).filter(|_| self.more_before), self.begins_at());
        let is_of_then =
            |notice: &&Notice| from.is_none_or(|from| notice.after >= from) && to.is_some_and(|to| notice.after < to);
        weave(&mut earlier, told.iter().filter(is_of_then));
        let from_end = self.anchor.map(|anchor| self.entries.len().saturating_sub(anchor.entry));
        let later = std::mem::replace(&mut self.entries, earlier);
        join(&mut self.entries, later);
        if let (Some(anchor), Some(from_end)) = (&mut self.anchor, from_end) {
            anchor.entry = self.entries.len().saturating_sub(from_end);
        }
        self.more_after |= self.entries.len() > WINDOW;
        self.entries.truncate(WINDOW);
    }

    /// Newer messages have come.
    pub fn after(&mut self, events: Vec<Event>, told: &[Notice]) {
        self.more_after = events.len() >= PAGE as usize;
        let last = self.ends();
        let mut later = entries_of(events, self.me.as_ref());
        later.retain(|held| place(held).is_some_and(|at| Some(at) > last));
        let to = later.iter().rev().find_map(place).filter(|_| self.more_after);
        let is_of_then = |notice: &&Notice| Some(notice.after) > last && to.is_none_or(|to| notice.after <= to);
        weave(&mut later, told.iter().filter(is_of_then));
        self.stay();
        join(&mut self.entries, later);
        self.trim();
    }

    /// A message has come, or something was done to one.
    pub fn said(&mut self, message: MessageEvent) {
        match message.deed.kind {
            None | Some(MessageKind::Action | MessageKind::File) => {
                if self.last().is_none_or(|last| message.cursor > last) {
                    self.push(Entry::Message(Box::new(message), Progress::Unknown));
                }
            }
            Some(MessageKind::Edit | MessageKind::Delete | MessageKind::Reaction) => self.done_to(message),
        }
    }

    /// Something is told.
    pub fn notice(&mut self, text: String) {
        self.push(Entry::Notice(text));
    }

    /// Somebody came or went.
    pub fn noise(&mut self, event: MemberEvent) {
        let last = self.entries.back_mut().filter(|held| !self.more_after && matches!(held.entry(), Entry::Noise(..)));
        if let Some(Entry::Noise(people, last)) = last.map(Held::entry_mut) {
            fold(people, event.name, event.change);
            *last = event.cursor;
            return;
        }
        self.push(Entry::Noise(vec![(event.name, event.change)], event.cursor));
    }

    /// Somebody has more of one's own messages: of how many must be asked anew.
    pub fn receipt(&mut self, receipt: &ReceiptEvent) {
        let lacks = |(message, progress): (&MessageEvent, Progress)| {
            message.path == "self"
                && (receipt.first..=receipt.last).contains(&message.seq)
                && !matches!(progress, Progress::Known { pending: 0, .. })
        };
        self.forget(lacks);
    }

    /// The table has changed, and with it who is waited for.
    pub fn doubt(&mut self) {
        self.forget(|(_, progress)| matches!(progress, Progress::Known { pending: 1.., .. }));
    }

    /// It is not known any more how far these have got.
    fn forget(&mut self, these: impl Fn((&MessageEvent, Progress)) -> bool) {
        for held in self.entries.iter_mut().filter(|held| held.message().is_some_and(&these)) {
            if let Entry::Message(_, progress) = held.entry_mut() {
                *progress = Progress::Unknown;
            }
        }
    }

    /// How far a message has got.
    pub fn progress(&mut self, said: &Said) {
        let known = Progress::Known {
            delivered: said.delivered.len(),
            all: said.delivered.len() + said.pending.len() + said.cancelled.len() + said.gone.len(),
            pending: said.pending.len(),
        };
        let is_it = |held: &&mut Held| held.message().is_some_and(|(message, _)| message.id == said.id);
        if let Some(Entry::Message(_, progress)) = self.entries.iter_mut().rev().find(is_it).map(Held::entry_mut) {
            *progress = known;
        }
    }

    /// The ids of own messages of which it is not known how far they have got, among the entries at these places.
    pub fn unknown(&self, places: std::ops::Range<usize>) -> Vec<String> {
        let is_asked = |message: &MessageEvent, progress: Progress| {
            progress == Progress::Unknown && message.path == "self" && !message.deed.deleted
        };
        let own = self.entries.range(places).filter_map(Held::message);
        own.filter(|(message, progress)| is_asked(message, *progress)).map(|(message, _)| message.id.clone()).collect()
    }

    /// Own messages, the newest first.
    pub fn own(&self) -> impl Iterator<Item = &MessageEvent> {
        self.entries.iter().rev().filter_map(Held::message).map(|(message, _)| message).filter(|m| m.path == "self")
    }

    /// Whether the newest is in view.
    pub fn is_at_end(&self) -> bool {
        self.anchor.is_none() && !self.more_after
    }

    fn push(&mut self, entry: Entry) {
        let held = Held::from(entry);
        if self.more_after {
            // It comes with the page that it is on.
            return;
        }
        if self.anchor.is_some() && self.entries.len() >= WINDOW {
            self.more_after = true;
            return;
        }
        append(&mut self.entries, held);
        self.trim();
    }

    /// What is in view stays there when something is added behind it.
    fn stay(&mut self) {
        let end = self.entries.len().checked_sub(1).map(|entry| Anchor { entry, below: 0 });
        self.anchor = self.anchor.or(end);
    }

    fn trim(&mut self) {
        while self.entries.len() > WINDOW {
            self.entries.pop_front();
            self.more_before = true;
            if let Some(anchor) = &mut self.anchor {
                anchor.entry = anchor.entry.saturating_sub(1);
            }
        }
    }

    /// The cursor of the newest message that is held.
    pub fn last(&self) -> Option<u64> {
        self.entries.iter().rev().find_map(cursor)
    }

    /// What older messages are asked for by.
    pub fn begins(&self) -> Option<u64> {
        self.entries.iter().find_map(cursor)
    }

    /// The place of the first that is held.
    fn begins_at(&self) -> Option<u64> {
        self.entries.iter().find_map(place)
    }

    /// What newer ones are asked for by.
    pub fn ends(&self) -> Option<u64> {
        self.entries.iter().rev().find_map(place)
    }

    fn done_to(&mut self, message: MessageEvent) {
        let is_it = |held: &&mut Held| held.message().is_some_and(|(m, _)| Some(&m.id) == message.deed.about.as_ref());
        let found = self.entries.iter_mut().rev().find(is_it).map(Held::entry_mut);
        let Some(Entry::Message(earlier, _)) = found else { return };
        let by_author = earlier.id.rsplit_once('/').map(|(author, _)| author) == author(&message);
        let deed = &mut earlier.deed;
        match message.deed.kind {
            Some(MessageKind::Edit) if by_author && !deed.deleted => {
                (earlier.text, deed.edited, deed.mentions_me) = (message.text, true, message.deed.mentions_me);
            }
            Some(MessageKind::Delete) if by_author => {
                earlier.text.clear();
                let kind = deed.kind;
                *deed = common::wire::control::Deed { kind, deleted: true, ..Default::default() };
            }
            Some(MessageKind::Reaction) if !deed.deleted => {
                deed.reactions.values_mut().for_each(|names| names.retain(|name| name != &message.from));
                if !message.text.is_empty() {
                    deed.reactions.entry(message.text).or_default().push(message.from);
                }
                deed.reactions.retain(|_, names| !names.is_empty());
            }
            _ => {}
        }
    }
}

/// Room and author, as they stand before the number in an id.
fn author(message: &MessageEvent) -> Option<&str> {
    message.id.rsplit_once('/').map(|(author, _)| author)
}

#[cfg(test)]
#[path = "conversation_tests.rs"]
mod tests;
