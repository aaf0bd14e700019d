//! The part of a conversation that is held: a window of its history, and where in it the view is.

use std::collections::VecDeque;

use common::{
    AccountName, RoomName,
    wire::control::{Event, MemberEvent, MessageEvent, MessageKind, ReceiptEvent, Said},
};

use super::entries::{Entry, Progress, append, cursor, entries_of, fold, is_full, join, place};

/// Messages asked for at once.
pub const PAGE: u32 = 100;
/// Entries held, at the most.
const WINDOW: usize = 600;
/// Lines from the end of the window at which more is asked for.
const NEAR: usize = 50;

/// The window.
pub struct Conversation {
    /// Of which room; without one it is only what is told to the user.
    pub room: Option<RoomName>,
    /// The oldest first.
    pub entries: VecDeque<Entry>,
    /// Lines between the end of the view and that of the window.
    pub offset: usize,
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
    /// One of which nothing is known yet.
    pub fn new(room: Option<RoomName>) -> Conversation {
        let (entries, is_open, more_before) = (VecDeque::new(), room.is_none(), room.is_some());
        Conversation { room, entries, offset: 0, is_open, more_before, more_after: false, marked: None, me: None }
    }

    /// Whether it is that of a room.
    pub fn is_of(&self, room: &RoomName) -> bool {
        self.room.as_ref().is_some_and(|here| here.fold() == room.fold())
    }

    /// Its newest page has come, of which all up to the cursor `read` was read before, if anything was. What happened while
    /// it was asked for stays behind it.
    pub fn open(&mut self, events: Vec<Event>, read: u64) {
        self.is_open = true;
        self.more_before = is_full(&events);
        self.more_after = false;
        let mut page = entries_of(events, self.me.as_ref());
        let is_new = |entry: &Entry| matches!(entry, Entry::Message(m, _) if m.cursor > read && m.path != "self");
        if let Some(first) =
            page.iter().position(is_new).filter(|first| page.iter().take(*first).any(|e| cursor(e).is_some()))
        {
            page.insert(first, Entry::New);
        }
        let last = page.iter().rev().find_map(place);
        self.entries.retain(|entry| place(entry).is_none_or(|place| last.is_none_or(|last| place > last)));
        let later = std::mem::replace(&mut self.entries, page);
        join(&mut self.entries, later);
        self.offset = 0;
        self.marked = None;
    }

    /// Both sides of a message have come, which is to be seen in the middle of `height` lines.
    pub fn around(
        &mut self,
        at: u64,
        before: Vec<Event>,
        after: Vec<Event>,
        height: usize,
        lines: &impl Fn(&Entry) -> usize,
    ) {
        self.is_open = true;
        self.more_before = is_full(&before);
        self.more_after = after.len() >= PAGE as usize;
        self.entries = entries_of(before, self.me.as_ref());
        let after = entries_of(after, self.me.as_ref());
        join(&mut self.entries, after);
        self.marked = Some(at);
        let below = self.entries.iter().rev().take_while(|entry| cursor(entry).is_none_or(|cursor| cursor > at));
        let below = below.map(lines).sum::<usize>();
        let own = self.entries.iter().find(|entry| cursor(entry) == Some(at)).map_or(0, lines);
        // One that is long is seen from its beginning.
        self.offset =
            if own > height / 2 { (below + own).saturating_sub(height) } else { below.saturating_sub(height / 2) };
        self.clamp(height, lines);
    }

    /// Older messages have come.
    pub fn before(&mut self, events: Vec<Event>, lines: &impl Fn(&Entry) -> usize) {
        self.more_before = is_full(&events);
        let earlier = entries_of(events, self.me.as_ref());
        let later = std::mem::replace(&mut self.entries, earlier);
        join(&mut self.entries, later);
        while self.entries.len() > WINDOW
            && let Some(last) = self.entries.pop_back()
        {
            self.offset = self.offset.saturating_sub(lines(&last));
            self.more_after = true;
        }
    }

    /// Newer messages have come.
    pub fn after(&mut self, events: Vec<Event>, lines: &impl Fn(&Entry) -> usize) {
        self.more_after = events.len() >= PAGE as usize;
        let last = self.entries.iter().rev().find_map(place);
        for entry in entries_of(events, self.me.as_ref())
            .into_iter()
            .filter(|entry| place(entry).is_some_and(|at| Some(at) > last))
        {
            let added = append(&mut self.entries, entry);
            self.offset += self.entries.range(self.entries.len() - added..).map(lines).sum::<usize>();
        }
        self.trim();
    }

    /// A message has come, or something was done to one.
    pub fn said(&mut self, message: MessageEvent, lines: &impl Fn(&Entry) -> usize) {
        match message.deed.kind {
            None | Some(MessageKind::Action | MessageKind::File) => {
                if self.last().is_none_or(|last| message.cursor > last) {
                    self.push(Entry::Message(Box::new(message), Progress::Unknown), lines);
                }
            }
            Some(MessageKind::Edit | MessageKind::Delete | MessageKind::Reaction) => self.done_to(message),
        }
    }

    /// Something is told.
    pub fn notice(&mut self, text: String, lines: &impl Fn(&Entry) -> usize) {
        self.push(Entry::Notice(text), lines);
    }

    /// Somebody came or went.
    pub fn noise(&mut self, event: MemberEvent, lines: &impl Fn(&Entry) -> usize) {
        if let Some(Entry::Noise(people, last)) = self.entries.back_mut().filter(|_| !self.more_after) {
            fold(people, event.name, event.change);
            *last = event.cursor;
            return;
        }
        self.push(Entry::Noise(vec![(event.name, event.change)], event.cursor), lines);
    }

    /// Somebody has more of one's own messages: of how many must be asked anew.
    pub fn receipt(&mut self, receipt: &ReceiptEvent) {
        for entry in &mut self.entries {
            if let Entry::Message(message, progress) = entry
                && message.path == "self"
                && (receipt.first..=receipt.last).contains(&message.seq)
                && !matches!(progress, Progress::Known { pending: 0, .. })
            {
                *progress = Progress::Unknown;
            }
        }
    }

    /// The table has changed, and with it who is waited for.
    pub fn doubt(&mut self) {
        for entry in &mut self.entries {
            if let Entry::Message(_, progress @ Progress::Known { pending: 1.., .. }) = entry {
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
        for entry in self.entries.iter_mut().rev() {
            if let Entry::Message(message, progress) = entry
                && message.id == said.id
            {
                *progress = known;
                return;
            }
        }
    }

    /// The ids of own messages of which it is not known how far they have got, among the entries at these places.
    pub fn unknown(&self, places: std::ops::Range<usize>) -> Vec<String> {
        let own = self.entries.range(places).filter_map(|entry| match entry {
            Entry::Message(message, Progress::Unknown) if message.path == "self" && !message.deed.deleted => {
                Some(message.id.clone())
            }
            _ => None,
        });
        own.collect()
    }

    /// Own messages, the newest first.
    pub fn own(&self) -> impl Iterator<Item = &MessageEvent> {
        self.entries.iter().rev().filter_map(|entry| match entry {
            Entry::Message(message, _) if message.path == "self" => Some(&**message),
            _ => None,
        })
    }

    /// The places of the entries that are in a view of `height` lines.
    pub fn visible(&self, height: usize, lines: &impl Fn(&Entry) -> usize) -> std::ops::Range<usize> {
        let (mut below, mut end, mut start) = (0, self.entries.len(), self.entries.len());
        while start > 0 && below < self.offset + height {
            start -= 1;
            below += lines(&self.entries[start]);
            if below <= self.offset {
                end = start;
            }
        }
        start..end
    }

    /// Moves the view by so many lines, up where that is more than none; says what is missing then.
    pub fn scroll(&mut self, up: isize, height: usize, lines: &impl Fn(&Entry) -> usize) -> Option<Missing> {
        self.offset = self.offset.saturating_add_signed(up);
        let all = self.clamp(height, lines);
        if up > 0 && self.more_before && self.offset + height + NEAR >= all {
            return self.begins().map(Missing::Before);
        }
        if up < 0 && self.more_after && self.offset < NEAR {
            return self.ends().map(Missing::After);
        }
        None
    }

    /// Whether the newest is in view.
    pub fn is_at_end(&self) -> bool {
        self.offset == 0 && !self.more_after
    }

    fn clamp(&mut self, height: usize, lines: &impl Fn(&Entry) -> usize) -> usize {
        let all = self.entries.iter().map(lines).sum::<usize>();
        self.offset = self.offset.min(all.saturating_sub(height));
        all
    }

    fn push(&mut self, entry: Entry, lines: &impl Fn(&Entry) -> usize) {
        if self.more_after && place(&entry).is_some() {
            // It comes with the page that it is on.
            return;
        }
        if self.offset > 0 && self.entries.len() >= WINDOW && place(&entry).is_some() {
            self.more_after = true;
            return;
        }
        let added = append(&mut self.entries, entry);
        if self.offset > 0 {
            // What is read stays where it is.
            self.offset += self.entries.range(self.entries.len() - added..).map(lines).sum::<usize>();
        }
        self.trim();
    }

    fn trim(&mut self) {
        while self.entries.len() > WINDOW {
            self.entries.pop_front();
            self.more_before = true;
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

    /// What newer ones are asked for by.
    pub fn ends(&self) -> Option<u64> {
        self.entries.iter().rev().find_map(place)
    }

    fn done_to(&mut self, message: MessageEvent) {
        let found = self.entries.iter_mut().rev().find_map(|entry| match entry {
            Entry::Message(earlier, _) if Some(&earlier.id) == message.deed.about.as_ref() => Some(earlier),
            _ => None,
        });
        let Some(earlier) = found else { return };
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
