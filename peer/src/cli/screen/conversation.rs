//! The part of a conversation that is held: a window of its history, and where in it the view is.

use std::collections::VecDeque;

use crate::cli::time;
use common::{
    AccountName, RoomName,
    wire::control::{Event, MemberChange, MessageEvent, MessageKind, ReceiptEvent, Said},
};

/// Messages asked for at once.
pub const PAGE: u32 = 100;
/// Entries held, at the most.
const WINDOW: usize = 600;
/// People named of those who came and went, at the most.
const NOISE: usize = 50;
/// Lines from the end of the window at which more is asked for.
const NEAR: usize = 50;

/// One thing in a conversation.
#[derive(Debug)]
pub enum Entry {
    /// A message as it stands now, and how far it has got if it is one's own.
    Message(Box<MessageEvent>, Progress),
    /// A day begins.
    Day(String),
    /// Something that is told to the user.
    Notice(String),
    /// Who came and went.
    Noise(Vec<(AccountName, MemberChange)>),
}

/// How far a message of one's own has got.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Progress {
    /// Not known, or not any more.
    Unknown,
    /// So many have it, of so many who were meant to, and so many are still waited for.
    Known { delivered: usize, all: usize, pending: usize },
}

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
        Conversation { room, entries, offset: 0, is_open, more_before, more_after: false, marked: None }
    }

    /// Whether it is that of a room.
    pub fn is_of(&self, room: &RoomName) -> bool {
        self.room.as_ref().is_some_and(|here| here.fold() == room.fold())
    }

    /// Its newest page has come. What happened while it was asked for stays behind it.
    pub fn open(&mut self, events: Vec<Event>) {
        self.is_open = true;
        self.more_before = events.len() >= PAGE as usize;
        self.more_after = false;
        let page = messages(events);
        let last = page.back().and_then(cursor);
        self.entries.retain(|entry| cursor(entry).is_none_or(|cursor| last.is_none_or(|last| cursor > last)));
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
        self.more_before = before.len() >= PAGE as usize;
        self.more_after = after.len() >= PAGE as usize;
        self.entries = messages(before);
        join(&mut self.entries, messages(after));
        self.marked = Some(at);
        let below = self.entries.iter().rev().take_while(|entry| cursor(entry).is_none_or(|cursor| cursor > at));
        self.offset = below.map(lines).sum::<usize>().saturating_sub(height / 2);
        self.clamp(height, lines);
    }

    /// Older messages have come.
    pub fn before(&mut self, events: Vec<Event>, lines: &impl Fn(&Entry) -> usize) {
        self.more_before = events.len() >= PAGE as usize;
        let later = std::mem::replace(&mut self.entries, messages(events));
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
        let last = self.last();
        for entry in messages(events).into_iter().filter(|entry| cursor(entry).is_some_and(|at| Some(at) > last)) {
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
    pub fn noise(&mut self, name: AccountName, change: MemberChange, lines: &impl Fn(&Entry) -> usize) {
        if let Some(Entry::Noise(people)) = self.entries.back_mut().filter(|_| !self.more_after) {
            // Who comes and goes again and again is there once.
            people.retain(|(other, before)| (other, is_presence(*before)) != (&name, is_presence(change)));
            if people.len() < NOISE {
                people.push((name, change));
            }
            return;
        }
        self.push(Entry::Noise(vec![(name, change)]), lines);
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
            return self.entries.iter().find_map(cursor).map(Missing::Before);
        }
        if up < 0 && self.more_after && self.offset < NEAR {
            return self.last().map(Missing::After);
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
        if self.more_after && cursor(&entry).is_some() {
            // It comes with the page that it is on.
            return;
        }
        if self.offset > 0 && self.entries.len() >= WINDOW && cursor(&entry).is_some() {
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

    fn last(&self) -> Option<u64> {
        self.entries.iter().rev().find_map(cursor)
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

/// The cursor of a message.
pub fn cursor(entry: &Entry) -> Option<u64> {
    match entry {
        Entry::Message(message, _) => Some(message.cursor),
        Entry::Day(_) | Entry::Notice(_) | Entry::Noise(_) => None,
    }
}

fn day(entry: &Entry) -> Option<String> {
    match entry {
        Entry::Message(message, _) => Some(time::day(message.sent)),
        Entry::Day(_) | Entry::Notice(_) | Entry::Noise(_) => None,
    }
}

/// Adds an entry, behind a line for its day where that is another; says how many entries were added.
fn append(entries: &mut VecDeque<Entry>, entry: Entry) -> usize {
    let begins = day(&entry).filter(|day_now| entries.iter().rev().find_map(day).as_ref() != Some(day_now));
    let added = 1 + usize::from(begins.is_some());
    entries.extend(begins.map(Entry::Day));
    entries.push_back(entry);
    added
}

fn join(entries: &mut VecDeque<Entry>, later: VecDeque<Entry>) {
    for entry in later.into_iter().filter(|entry| !matches!(entry, Entry::Day(_))) {
        append(entries, entry);
    }
}

/// Room and author, as they stand before the number in an id.
fn author(message: &MessageEvent) -> Option<&str> {
    message.id.rsplit_once('/').map(|(author, _)| author)
}

fn is_presence(change: MemberChange) -> bool {
    matches!(change, MemberChange::Online | MemberChange::Offline | MemberChange::Away)
}

fn messages(events: Vec<Event>) -> VecDeque<Entry> {
    let mut entries = VecDeque::new();
    for event in events {
        if let Event::Message(message) = event {
            append(&mut entries, Entry::Message(Box::new(message), Progress::Unknown));
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::wire::control::Deed;

    fn message(cursor: u64, author: &str, text: &str, deed: Deed) -> MessageEvent {
        MessageEvent {
            cursor,
            id: format!("lobby/{author}/{cursor}"),
            room: "lobby".parse().unwrap(),
            from: author.parse().unwrap(),
            seq: cursor,
            stamp: "1.2".into(),
            sent: 0,
            received: 0,
            path: "direct".into(),
            text: text.into(),
            mark: None,
            deed,
        }
    }

    fn about(kind: MessageKind, id: &str) -> Deed {
        Deed { kind: Some(kind), about: Some(id.into()), ..Deed::default() }
    }

    fn first(conversation: &Conversation) -> &MessageEvent {
        let found = conversation.entries.iter().find_map(|entry| match entry {
            Entry::Message(message, _) => Some(&**message),
            _ => None,
        });
        found.unwrap()
    }

    #[test]
    fn what_is_done_to_a_message_shows_at_it_and_others_cannot_edit_it() {
        let mut lobby = Conversation::new("lobby".parse().ok());
        let lines = |_: &Entry| 1;
        lobby.said(message(1, "bob", "one", Deed::default()), &lines);
        lobby.said(message(2, "eve", "not mine", about(MessageKind::Edit, "lobby/bob/1")), &lines);
        assert_eq!(first(&lobby).text, "one");
        lobby.said(message(3, "bob", "better", about(MessageKind::Edit, "lobby/bob/1")), &lines);
        lobby.said(message(4, "eve", "a", about(MessageKind::Reaction, "lobby/bob/1")), &lines);
        lobby.said(message(5, "eve", "b", about(MessageKind::Reaction, "lobby/bob/1")), &lines);
        let said = first(&lobby);
        assert_eq!((said.text.as_str(), said.deed.edited), ("better", true));
        assert_eq!(said.deed.reactions.keys().collect::<Vec<_>>(), ["b"]);
        lobby.said(message(6, "bob", "", about(MessageKind::Delete, "lobby/bob/1")), &lines);
        assert!(first(&lobby).deed.deleted && first(&lobby).text.is_empty());
        assert_eq!(lobby.entries.len(), 2, "one message and its day");
    }

    #[test]
    fn who_comes_and_goes_is_one_line_until_something_is_said() {
        let mut lobby = Conversation::new("lobby".parse().ok());
        let lines = |_: &Entry| 1;
        for name in ["bob", "eve", "bob"] {
            lobby.noise(name.parse().unwrap(), MemberChange::Online, &lines);
        }
        assert!(matches!(lobby.entries.iter().collect::<Vec<_>>()[..], [Entry::Noise(people)] if people.len() == 2));
    }
}
