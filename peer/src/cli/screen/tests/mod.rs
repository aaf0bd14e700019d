//! The screen without a terminal: what comes in, what is to be done, and what is drawn.

mod drawn;
mod history;
mod picked;
mod places;
mod progress;
mod told;
mod typed;

use std::{collections::BTreeMap, time::Instant};

use common::{
    RoomName,
    wire::control::{
        Deed, Event, Member, MemberChange, MemberEvent, MessageEvent, MessageKind, Quote, Read, ReceiptEvent, Said,
        Status, files::TransferState, people::Chat,
    },
};
use ratatui::{
    Terminal,
    backend::TestBackend,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    layout::{Position, Size},
};

use super::{
    ask::{Answer, Ask},
    bindings::Bindings,
    conversation::PAGE,
    state::{Input, Output, State},
    view::{self, Look},
};
use crate::cli::{chat::action::Action, file::tests::picture, time, transfers::tests::half};

pub const ALICE: &str = "abababababababab";
const BOB: &str = "cdcdcdcdcdcdcdcd";

pub fn room(name: &str) -> RoomName {
    name.parse().unwrap()
}

/// A moment that is shown the same in every time zone.
pub fn at(clock: &str) -> u64 {
    time::moment(&format!("2026-05-01 {clock}"), 0).unwrap()
}

pub fn message(cursor: u64, from: &str, text: &str) -> MessageEvent {
    let key = if from == "alice" { ALICE } else { BOB };
    MessageEvent {
        cursor,
        id: format!("lobby/{key}/{cursor}"),
        room: room("lobby"),
        from: from.parse().unwrap(),
        seq: cursor,
        stamp: "1.2".into(),
        sent: at("12:03"),
        received: 0,
        path: if from == "alice" { "self" } else { "direct" }.into(),
        text: text.into(),
        mark: None,
        deed: Deed::default(),
    }
}

pub fn chat(name: &str) -> Chat {
    Chat {
        room: room(name),
        members: 3,
        undelivered: 0,
        online: true,
        last: None,
        read: 0,
        unread: 0,
        mentions: 0,
        counted: 0,
    }
}

pub fn member(name: &str, online: bool, path: &str) -> Member {
    Member {
        name: name.parse().unwrap(),
        slot: common::Slot(0),
        online,
        address: None,
        path: path.into(),
        role: "member".into(),
        away: false,
        verified: false,
    }
}

pub struct Screen(pub State);

impl Screen {
    /// Alice is in the lobby, in which nothing was said yet.
    pub fn new(width: u16, height: u16) -> Screen {
        let mut state = State::new(Size { width, height }, Some(room("lobby")), false, Bindings::default());
        let status = Status {
            name: "alice".parse().unwrap(),
            domain: Some("lan".parse().unwrap()),
            key: String::new(),
            address: "[::]:4000".parse().unwrap(),
            seen: Some("10.0.0.7:4000".parse().unwrap()),
            tracker: Some("10.0.0.1:27655".parse().unwrap()),
            tracker_state: "up".into(),
            trouble: None,
            rooms: 1,
            links: 1,
            undelivered: 0,
            uptime_s: 1,
            tracker_down_s: None,
            other_version: false,
            clock_ahead_s: None,
        };
        state.begin(status, Vec::new(), 0);
        let mut screen = Screen(state);
        screen.answer(Ask::Chats, Answer::Chats(vec![chat("lobby"), chat("den"), chat("@bob")]));
        screen.answer(Ask::Page(room("lobby"), None), Answer::Messages(Vec::new()));
        screen
    }

    pub fn input(&mut self, input: Input) -> Vec<Output> {
        self.0.handle(input, Instant::now())
    }

    pub fn answer(&mut self, ask: Ask, answer: Answer) -> Vec<Output> {
        self.input(Input::Answer(ask, Ok(answer)))
    }

    pub fn said(&mut self, message: MessageEvent) -> Vec<Output> {
        self.input(Input::Event(Event::Message(message)))
    }

    pub fn key(&mut self, code: KeyCode, modifiers: KeyModifiers) -> Vec<Output> {
        self.input(Input::Key(KeyEvent::new(code, modifiers)))
    }

    pub fn press(&mut self, code: KeyCode) -> Vec<Output> {
        self.key(code, KeyModifiers::NONE)
    }

    pub fn types(&mut self, text: &str) {
        text.chars().for_each(|c| drop(self.press(KeyCode::Char(c))));
    }

    pub fn shown(&self) -> String {
        let Size { width, height } = self.0.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| view::draw(&self.0, Look::Plain, frame)).unwrap();
        terminal.backend().to_string()
    }

    /// Pages of what bob said: 1, 2, 3, …
    pub fn page(&self, numbers: std::ops::RangeInclusive<u64>) -> Answer {
        let said = |n: u64| Event::Message(message(n, "bob", &format!("number {n}")));
        Answer::Messages(numbers.map(said).collect())
    }
}

pub fn asks(outputs: &[Output]) -> Vec<&Ask> {
    outputs.iter().filter_map(|output| if let Output::Ask(ask) = output { Some(ask) } else { None }).collect()
}
