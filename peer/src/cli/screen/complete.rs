//! Going on with what is typed: commands, rooms, people, files and paths.

use std::collections::BTreeSet;

use super::{
    ask::Ask,
    state::{Output, State},
};
use crate::cli::chat::commands;

/// Commands whose words are rooms.
const OF_ROOMS: [&str; 9] = ["/read", "/join", "/leave", "/who", "/members", "/files", "/requests", "/bans", "/accept"];

/// What may stand where something is typed, and which of it stands there.
pub struct Completing {
    start: usize,
    words: Vec<String>,
    at: usize,
}

impl State {
    /// Puts the next word that begins so in place of what is typed, or the one before.
    pub(super) fn complete(&mut self, forward: bool, out: &mut Vec<Output>) {
        if let Some(completing) = &mut self.completing {
            let count = completing.words.len();
            completing.at = if forward { completing.at + 1 } else { completing.at + count - 1 } % count;
            self.put();
            return;
        }
        let before = self.editor.before();
        let line = &before[before.rfind('\n').map_or(0, |newline| newline + 1)..];
        let start = word_start(before);
        let word = bare(&before[start..]).to_string();
        let command = line.split_whitespace().next().unwrap_or_default();
        let is_first = start == before.len() - line.len();
        if !is_first && command == "/share" {
            self.ask(Ask::Paths(word), out);
            return;
        }
        if !is_first && matches!(command, "/get" | "/unshare") {
            if let Some(room) = self.room().cloned() {
                self.ask(Ask::Files(room), out);
            }
            return;
        }
        let words: Vec<String> = if is_first && word.starts_with('/') {
            commands::names().map(|name| format!("/{name}")).collect()
        } else if !is_first && OF_ROOMS.contains(&command) {
            let rooms = self.rooms.iter().map(|room| room.room.to_string());
            let all: BTreeSet<String> =
                rooms.chain(self.places.all().iter().map(|place| place.room.to_string())).collect();
            all.into_iter().collect()
        } else {
            self.names(word.starts_with('@'))
        };
        self.offered(words);
    }

    /// These may stand where something is typed.
    pub(super) fn offered(&mut self, words: Vec<String>) {
        let start = word_start(self.editor.before());
        let word = bare(&self.editor.before()[start..]).to_lowercase();
        let fits = |other: &String| bare(other).to_lowercase().starts_with(&word);
        let words: Vec<String> = words.into_iter().filter(fits).collect();
        if !words.is_empty() {
            self.completing = Some(Completing { start, words, at: 0 });
            self.put();
        }
    }

    fn put(&mut self) {
        let Some(Completing { start, words, at }) = &self.completing else { return };
        let is_folder = words[*at].ends_with('/');
        let space = if words.len() == 1 && !is_folder { " " } else { "" };
        let (start, word) = (*start, format!("{}{space}", words[*at]));
        let is_only = words.len() == 1;
        self.editor.replace(start, &word);
        if is_only {
            // What follows is another word, or what is in that folder.
            self.completing = None;
        }
    }

    /// People here, and those of conversations of two.
    fn names(&self, mention: bool) -> Vec<String> {
        let at = if mention { "@" } else { "" };
        let here = self.members.iter().map(|member| member.name.clone());
        let others = self.places.all().iter().filter_map(|place| place.room.as_person());
        let names: BTreeSet<_> = here.chain(others).filter(|name| self.talk.me() != Some(name)).collect();
        names.into_iter().map(|name| format!("{at}{name}")).collect()
    }
}

/// Where the word before the cursor begins; of a command, with the quote that holds it together.
fn word_start(before: &str) -> usize {
    let line = before.rfind('\n').map_or(0, |newline| newline + 1);
    let last_space = || before.char_indices().rfind(|(_, c)| c.is_whitespace());
    if !before[line..].starts_with('/') {
        return last_space().map_or(0, |(at, space)| at + space.len_utf8());
    }
    let (mut start, mut quote, mut is_within) = (line, None, false);
    for (at, c) in before.char_indices().skip_while(|(at, _)| *at < line) {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c.is_whitespace() => (start, is_within) = (at + c.len_utf8(), false),
            None if !is_within && matches!(c, '\'' | '"') => (quote, is_within) = (Some(c), true),
            None => is_within = true,
        }
    }
    start
}

/// A word without the quote before it.
fn bare(word: &str) -> &str {
    word.strip_prefix(['\'', '"']).unwrap_or(word)
}
