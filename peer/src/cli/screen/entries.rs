//! What a conversation is made of.

use std::{cell::Cell, collections::VecDeque};

use common::{
    AccountName,
    wire::control::{Event, MemberChange, MessageEvent},
};

use super::{conversation::PAGE, told::Notice};
use crate::cli::time;

/// People named of those who came and went, at the most.
const NOISE: usize = 50;

/// One thing in a conversation.
#[derive(Debug)]
pub enum Entry {
    /// A message as it stands now, and how far it has got if it is one's own.
    Message(Box<MessageEvent>, Progress),
    /// A day begins.
    Day(String),
    /// What comes after it was not read when the conversation was opened.
    New,
    /// Something that is told to the user.
    Notice(String),
    /// Who came and went, and the cursor of the last of that.
    Noise(Vec<(AccountName, MemberChange)>, u64),
}

/// One thing that is held, with what is known of how it is shown.
#[derive(Debug)]
pub struct Held {
    entry: Entry,
    /// Whether all of it is shown, however long it is.
    is_whole: bool,
    /// Columns, and how many lines it takes in so many: breaking a long text into lines takes its time.
    height: Cell<Option<(usize, usize)>>,
}

impl From<Entry> for Held {
    fn from(entry: Entry) -> Held {
        Held { entry, is_whole: false, height: Cell::new(None) }
    }
}

impl Held {
    /// What it is.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The same, to be changed.
    pub fn entry_mut(&mut self) -> &mut Entry {
        self.height.set(None);
        &mut self.entry
    }

    /// The message that it is, if it is one.
    pub fn message(&self) -> Option<(&MessageEvent, Progress)> {
        match &self.entry {
            Entry::Message(message, progress) => Some((message, *progress)),
            _ => None,
        }
    }

    /// Whether all of it is shown, however long it is.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Shows all of it, or no more than its beginning.
    pub fn unfold(&mut self) {
        self.is_whole = !self.is_whole;
        self.height.set(None);
    }

    /// How many lines it takes in so many columns, which are counted once.
    pub fn height(&self, width: usize, count: impl FnOnce(&Held) -> usize) -> usize {
        match self.height.get() {
            Some((of, height)) if of == width => height,
            _ => {
                let height = count(self);
                self.height.set(Some((width, height)));
                height
            }
        }
    }
}

/// How far a message of one's own has got.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Progress {
    /// Not known, or not any more.
    Unknown,
    /// So many have it, of so many who were meant to, and so many are still waited for.
    Known { delivered: usize, all: usize, pending: usize },
}

/// The cursor of a message.
pub fn cursor(held: &Held) -> Option<u64> {
    held.message().map(|(message, _)| message.cursor)
}

/// The same, and that of who came and went.
pub fn place(held: &Held) -> Option<u64> {
    match &held.entry {
        Entry::Noise(_, last) => Some(*last),
        _ => cursor(held),
    }
}

/// Whether a page of messages has as many as were asked for: then there may be more before it.
pub fn is_full(events: &[Event]) -> bool {
    events.iter().filter(|event| matches!(event, Event::Message(_))).count() >= PAGE as usize
}

/// Adds one to those who came and went. Who does so again and again is there once.
pub fn fold(people: &mut Vec<(AccountName, MemberChange)>, name: AccountName, change: MemberChange) {
    people.retain(|(other, before)| (other, is_presence(*before)) != (&name, is_presence(change)));
    if people.len() < NOISE {
        people.push((name, change));
    }
}

fn day(held: &Held) -> Option<String> {
    held.message().map(|(message, _)| time::day(message.sent))
}

/// Adds an entry, behind a line for its day where that is another.
pub fn append(entries: &mut VecDeque<Held>, held: Held) {
    let begins = day(&held).filter(|day_now| entries.iter().rev().find_map(day).as_ref() != Some(day_now));
    entries.extend(begins.map(|day| Held::from(Entry::Day(day))));
    entries.push_back(held);
}

/// Adds what comes later.
pub fn join(entries: &mut VecDeque<Held>, later: VecDeque<Held>) {
    for held in later.into_iter().filter(|held| !matches!(held.entry, Entry::Day(_))) {
        append(entries, held);
    }
}

/// Puts what was told among a page of messages, each behind what there was before it.
pub fn weave<'a>(entries: &mut VecDeque<Held>, told: impl Iterator<Item = &'a Notice>) {
    for Notice { after, text } in told {
        let is_before =
            |held: &Held| place(held).is_some_and(|place| place <= *after) || matches!(held.entry, Entry::Notice(_));
        let at = entries.iter().rposition(is_before).map_or(0, |last| last + 1);
        entries.insert(at, Entry::Notice(text.clone()).into());
    }
}

fn is_presence(change: MemberChange) -> bool {
    matches!(change, MemberChange::Online | MemberChange::Offline | MemberChange::Away)
}

/// Events of the past as entries.
pub fn entries_of(events: Vec<Event>, me: Option<&AccountName>) -> VecDeque<Held> {
    use MemberChange::{Banned, Joined, Left, Removed};
    let mut entries: VecDeque<Held> = VecDeque::new();
    for event in events {
        match event {
            Event::Message(message) => {
                append(&mut entries, Entry::Message(Box::new(message), Progress::Unknown).into());
            }
            Event::Member(event) => {
                if !matches!(entries.back().map(Held::entry), Some(Entry::Noise(..))) {
                    entries.push_back(Entry::Noise(Vec::new(), event.cursor).into());
                }
                // Who was online when is no news, but the place up to which it is known is.
                if let Some(Entry::Noise(people, last)) = entries.back_mut().map(Held::entry_mut) {
                    *last = event.cursor;
                    if matches!(event.change, Joined | Left | Removed | Banned) && me != Some(&event.name) {
                        fold(people, event.name, event.change);
                    }
                }
            }
            _ => {}
        }
    }
    entries
}
