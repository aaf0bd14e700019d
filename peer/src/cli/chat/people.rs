//! The chat's commands about people, and what their answers look like.

use common::wire::control::people::{AnswerPeople, AskPeople, Away, Named};

use super::{
    action::{Action, Outcome},
    commands::Command,
    talk::Talk,
    words::{self, Bad},
};
use crate::cli::{book, contacts, identity, table::Table};

/// What can be typed about people.
pub const COMMANDS: &[Command] = &[
    Command::new("contacts", "", "", "your contacts, and who asks to be one", |_, rest| {
        words::none(rest, Action::People(AskPeople::Contacts {}))
    }),
    Command::new("add", "NAME", "bob", "ask somebody to be a contact", |_, rest| about(rest, AskPeople::Add)),
    Command::new("remove", "NAME", "bob", "be no contact of theirs any more", |_, rest| about(rest, AskPeople::Remove)),
    Command::new("block", "NAME", "bob", "hear nothing more from them", |_, rest| about(rest, AskPeople::Block)),
    Command::new("unblock", "NAME", "bob", "lift that", |_, rest| about(rest, AskPeople::Unblock)),
    Command::new(
        "verify",
        "NAME [--done]",
        "bob",
        "the safety number to compare; --done when it was the same",
        |_, rest| Ok(Action::Verify(words::as_command::<identity::Verify>(rest)?)),
    ),
    Command::new("trust", "NAME", "bob", "take the other key that they have now for theirs", |_, rest| {
        about(rest, AskPeople::Trust)
    }),
    Command::new("book", "", "", "the address book", |_, rest| words::none(rest, Action::People(AskPeople::Book {}))),
    Command::new("save", "NAME [--note TEXT]", "bob --note \"from the lab\"", "put somebody into it", |_, rest| {
        Ok(Action::People(AskPeople::Save(words::as_command::<book::Save>(rest)?.params())))
    }),
    Command::new("forget", "NAME", "bob", "take somebody out of it", |_, rest| about(rest, AskPeople::Forget)),
    Command::new(
        "connect",
        "HOST:PORT|NAME",
        "192.168.1.5:27656",
        "a chat with whoever listens there, or was last there",
        |_, rest| Ok(Action::Connect(words::one(rest)?)),
    ),
    Command::new("listen", "", "", "let in who is not known, until /quit", |_, rest| words::none(rest, Action::Listen)),
];

/// `NAME [TEXT]`: says it to them, and goes on with them.
pub fn tell(_: &Talk, rest: &str) -> Result<Action, Bad> {
    let (name, text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    if name.is_empty() {
        return Err(Bad::Usage);
    }
    let room = format!("@{}", name.trim_start_matches('@')).parse()?;
    Ok(match text.trim() {
        "" => Action::Turn(room),
        text => Action::Tell(room, text.to_string()),
    })
}

/// Nothing: all conversations.
pub fn chats(_: &Talk, rest: &str) -> Result<Action, Bad> {
    words::none(rest, Action::People(AskPeople::Chats {}))
}

/// To be shown as away, or as there.
pub fn away(away: bool) -> Action {
    Action::People(AskPeople::Away(Away { away }))
}

/// What is shown of an answer.
pub fn outcome(ask: &AskPeople, answer: &AnswerPeople) -> Outcome {
    match answer {
        AnswerPeople::Contacts(list) if !list.is_empty() => {
            Outcome::Table(Table::new(list, &contacts::CONTACTS, contacts::contact))
        }
        AnswerPeople::Chats(list) if !list.is_empty() => {
            Outcome::Table(Table::new(list, &contacts::CHATS, contacts::chat))
        }
        AnswerPeople::Book(list) if !list.is_empty() => Outcome::Table(Table::new(list, &book::BOOK, book::entry)),
        answer => Outcome::Shown(told(ask, answer)),
    }
}

fn told(ask: &AskPeople, answer: &AnswerPeople) -> String {
    match (ask, answer) {
        (_, AnswerPeople::Contacts(_)) => "you have no contact yet; ask somebody: /add NAME".into(),
        (_, AnswerPeople::Chats(_)) => "you have no conversation yet: /join ROOM, or /msg NAME TEXT".into(),
        (_, AnswerPeople::Book(_)) => "nobody is in the address book yet; put somebody there: /save NAME".into(),
        (_, AnswerPeople::Entry(entry)) => book::saved(entry),
        (_, AnswerPeople::Identity(identity)) => identity::trusted(identity),
        (AskPeople::Forget(Named { name }), _) => book::forgotten(name),
        (AskPeople::Away(Away { away }), _) => contacts::shown(*away).into(),
        (ask, _) => ask.wish().map(|(name, wish)| contacts::wished(name, wish)).unwrap_or_default(),
    }
}

fn about(rest: &str, ask: fn(Named) -> AskPeople) -> Result<Action, Bad> {
    // As conversations are shown, so may people be called.
    let name = words::one::<String>(rest)?;
    Ok(Action::People(ask(Named { name: name.trim_start_matches('@').parse()? })))
}
