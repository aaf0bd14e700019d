//! Every command of the chat, typed line by line into a pipe, and what each did. A command that `/help` lists and that has no
//! row here fails the last test.

mod door;
mod files;
mod people;
mod pipe;
mod rooms;
mod session;
mod talk;

use std::{cell::RefCell, collections::BTreeSet, fs, ops::Deref};

use serde_json::json;
use tempfile::TempDir;

pub use pipe::Chat;

use crate::town::{Town, until, until_or};

/// What people call commands that have another name in `/help`.
const ALIASES: [&str; 9] = ["members", "names", "handover", "exit", "q", "part", "nick", "query", "dm"];

const ALL: [&[Row]; 6] = [talk::ROWS, rooms::ROWS, door::ROWS, files::ROWS, people::ROWS, session::ROWS];

/// A line that alice types, after what happens first, and what is so some time later. `{folder}`, `{port}` and `{id}` in it
/// stand for a folder of hers, dave's port, and the first message in her outbox.
struct Row {
    first: fn(&Stage),
    typed: &'static str,
    so: fn(&Stage) -> bool,
}

const fn row(typed: &'static str, so: fn(&Stage) -> bool) -> Row {
    Row { first: |_| {}, typed, so }
}

const fn after(first: fn(&Stage), typed: &'static str, so: fn(&Stage) -> bool) -> Row {
    Row { first, typed, so }
}

impl Row {
    /// The command, unless it is something that is said.
    fn command(&self) -> Option<&'static str> {
        self.typed.split(' ').next()?.strip_prefix('/')
    }
}

/// The town, and alice's chat in it.
struct Stage {
    town: Town,
    chat: RefCell<Chat>,
    folder: TempDir,
}

impl Deref for Stage {
    type Target = Town;

    fn deref(&self) -> &Town {
        &self.town
    }
}

impl Stage {
    fn new(town: Town) -> Stage {
        let chat = RefCell::new(Chat::on(&town.alice));
        Stage { town, chat, folder: tempfile::tempdir().unwrap() }
    }

    /// Whether the chat has shown that since the line was typed.
    fn shows(&self, text: &str) -> bool {
        self.chat.borrow().shown().contains(text)
    }

    /// Puts a file into the folder.
    fn file(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// What such a file holds; nothing if there is none.
    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    fn line(&self, typed: &str) -> String {
        let mut line = typed.replace("{folder}", self.folder.path().to_str().unwrap());
        if line.contains("{port}") {
            line = line.replace("{port}", &self.dave.port().to_string());
        }
        if line.contains("{id}") {
            line = line.replace("{id}", self.alice.ask("outbox", json!({}))["waiting"][0]["id"].as_str().unwrap());
        }
        line
    }

    fn plays(&self, rows: &[Row]) {
        for row in rows {
            (row.first)(self);
            if self.chat.borrow().has_ended() {
                self.chat.replace(Chat::on(&self.alice));
            }
            // So that nothing of the line before is taken for an answer to this one.
            self.chat.borrow().is_over_with_the_last();
            self.chat.borrow().types(&self.line(row.typed));
            let how = || format!("{}, after which is shown:\n{}", row.typed, self.chat.borrow().shown());
            until_or(how, || (row.so)(self));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_begins_with_no_slash_is_said_and_two_say_one() {
    let town = Town::of(&["alice", "bob"]).await;
    town.gather("lobby", &[&town.alice, &town.bob]);
    let chat = Chat::on(&town.alice);
    for (typed, said) in [("hello all", "hello all"), ("//etc is a folder", "/etc is a folder")] {
        chat.types(typed);
        until(typed, || town.bob.last("lobby")["text"] == said);
    }
    chat.types("/dance");
    until("it is refused", || chat.shown().contains("/dance"));
    assert_eq!(town.bob.history("lobby").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_that_help_lists_and_every_alias_has_a_row() {
    let town = Town::of(&["alice"]).await;
    let chat = Chat::on(&town.alice);
    chat.types("/help");
    until("it is over", || chat.shown().contains("/quit"));
    chat.is_over_with_the_last();
    let help = chat.all();
    // The lines of the groups stand further in.
    let lines = help.lines().filter(|line| line.starts_with("  "));
    let listed: BTreeSet<&str> =
        lines.flat_map(str::split_whitespace).filter_map(|word| word.strip_prefix('/')).collect();
    assert!(listed.len() > 40, "{help}");
    let rows: BTreeSet<&str> = ALL.iter().flat_map(|rows| rows.iter().filter_map(Row::command)).collect();
    let expected: BTreeSet<&str> = listed.iter().copied().chain(ALIASES).collect();
    assert_eq!(rows.difference(&expected).collect::<Vec<_>>(), [] as [&&str; 0], "not in /help, and no alias");
    assert_eq!(expected.difference(&rows).collect::<Vec<_>>(), [] as [&&str; 0], "nothing types these");
}
