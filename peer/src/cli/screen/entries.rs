//! What a conversation is made of.

use std::collections::VecDeque;

use common::{
    AccountName,
    wire::control::{Event, MemberChange, MessageEvent},
};

use super::conversation::PAGE;
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

/// How far a message of one's own has got.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Progress {
    /// Not known, or not any more.
    Unknown,
    /// So many have it, of so many who were meant to, and so many are still waited for.
    Known { delivered: usize, all: usize, pending: usize },
}

/// The cursor of a message.
pub fn cursor(entry: &Entry) -> Option<u64> {
    match entry {
        Entry::Message(message, _) => Some(message.cursor),
        Entry::Day(_) | Entry::New | Entry::Notice(_) | Entry::Noise(..) => None,
    }
}

/// The same, and that of who came and went.
pub fn place(entry: &Entry) -> Option<u64> {
    match entry {
        Entry::Noise(_, last) => Some(*last),
        entry => cursor(entry),
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

fn day(entry: &Entry) -> Option<String> {
    match entry {
        Entry::Message(message, _) => Some(time::day(message.sent)),
        Entry::Day(_) | Entry::New | Entry::Notice(_) | Entry::Noise(..) => None,
    }
}

/// Adds an entry, behind a line for its day where that is another; says how many entries were added.
pub fn append(entries: &mut VecDeque<Entry>, entry: Entry) -> usize {
    let begins = day(&entry).filter(|day_now| entries.iter().rev().find_map(day).as_ref() != Some(day_now));
    let added = 1 + usize::from(begins.is_some());
    entries.extend(begins.map(Entry::Day));
    entries.push_back(entry);
    added
}

pub fn join(entries: &mut VecDeque<Entry>, later: VecDeque<Entry>) {
    for entry in later.into_iter().filter(|entry| !matches!(entry, Entry::Day(_))) {
        append(entries, entry);
    }
}

fn is_presence(change: MemberChange) -> bool {
    matches!(change, MemberChange::Online | MemberChange::Offline | MemberChange::Away)
}

/// Events of the past as entries.
pub fn entries_of(events: Vec<Event>, me: Option<&AccountName>) -> VecDeque<Entry> {
    use MemberChange::{Banned, Joined, Left, Removed};
    let mut entries = VecDeque::new();
    for event in events {
        match event {
            Event::Message(message) => {
                append(&mut entries, Entry::Message(Box::new(message), Progress::Unknown));
            }
            Event::Member(event) => {
                if !matches!(entries.back(), Some(Entry::Noise(..))) {
                    entries.push_back(Entry::Noise(Vec::new(), event.cursor));
                }
                // Who was online when is no news, but the place up to which it is known is.
                if let Some(Entry::Noise(people, last)) = entries.back_mut() {
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
