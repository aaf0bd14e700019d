//! The screen without a terminal: what comes in, what is to be done, and what is drawn.

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
fn at(clock: &str) -> u64 {
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

fn chat(name: &str) -> Chat {
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

fn member(name: &str, online: bool, path: &str) -> Member {
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
        state.begin(status, Vec::new());
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

fn full(width: u16, height: u16) -> Screen {
    let mut screen = Screen::new(width, height);
    let yesterday = at("12:03") - 86_400_000;
    let deed = |kind| Deed { kind: Some(kind), ..Deed::default() };
    let names = vec!["alice".parse().unwrap(), "carol".parse().unwrap()];
    let said = [
        MessageEvent {
            sent: yesterday,
            ..message(1, "bob", "an old one, and 日本語 wide characters that go on and on until the end")
        },
        message(2, "alice", "lunch?"),
        MessageEvent {
            deed: Deed {
                quote: Some(Quote { from: "alice".parse().unwrap(), text: "lunch?".into() }),
                reactions: BTreeMap::from([("👍".to_string(), names)]),
                edited: true,
                ..Deed::default()
            },
            ..message(3, "bob", "yes\nat one")
        },
        MessageEvent { deed: deed(MessageKind::Action), ..message(4, "bob", "waves") },
        MessageEvent { deed: Deed { deleted: true, ..Deed::default() }, ..message(5, "bob", "") },
        MessageEvent {
            deed: Deed { file: Some(picture("cat.png")), ..deed(MessageKind::File) },
            ..message(6, "bob", "x")
        },
        MessageEvent {
            deed: Deed { mentions_me: true, ..Deed::default() },
            ..message(7, "bob", "hi @alice \u{1b}[2J\u{202e}")
        },
        MessageEvent { path: "via carol".into(), ..message(8, "bob", "around the corner") },
        message(9, "alice", "on my way"),
    ];
    said.into_iter().for_each(|message| drop(screen.said(message)));
    for (name, change) in [("dave", MemberChange::Joined), ("erin", MemberChange::Joined), ("dave", MemberChange::Left)]
    {
        let event = MemberEvent {
            cursor: 10,
            room: room("lobby"),
            name: name.parse().unwrap(),
            change,
            version: "1.3".into(),
            by: None,
            at: None,
            detail: None,
        };
        screen.input(Input::Event(Event::Member(event)));
    }
    let progress = |n: u64, delivered: &[&str], pending: &[&str]| {
        let names = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
        Said {
            id: format!("lobby/{ALICE}/{n}"),
            room: room("lobby"),
            seq: n,
            stamp: "1.2".into(),
            delivered: names(delivered),
            pending: names(pending),
            cancelled: Vec::new(),
            gone: Vec::new(),
        }
    };
    let known = vec![progress(2, &["bob", "carol"], &[]), progress(9, &["bob"], &["carol"])];
    screen.answer(Ask::Progress(Vec::new()), Answer::Progress(known));
    let members = vec![member("carol", false, "none"), member("alice", true, "self"), member("bob", true, "direct")];
    screen.answer(Ask::Members(room("lobby")), Answer::Members(members));
    screen.answer(Ask::Topic(room("lobby")), Answer::Topic("what is for \u{9b}lunch".into()));
    screen.answer(Ask::Transfers, Answer::Transfers(vec![half(TransferState::Fetching)]));
    screen.said(MessageEvent { room: room("den"), ..message(11, "bob", "hello?") });
    screen.said(MessageEvent { room: room("@bob"), ..message(12, "bob", "psst") });
    screen.types("and now");
    screen
}

#[test]
fn a_conversation_on_a_small_terminal() {
    insta::assert_snapshot!(full(80, 24).shown());
}

#[test]
fn a_conversation_on_a_wide_terminal_with_its_members() {
    insta::assert_snapshot!(full(140, 40).shown());
}

#[test]
fn the_keys_fit_on_a_small_terminal() {
    let mut screen = Screen::new(80, 24);
    screen.press(KeyCode::Char('?'));
    let shown = screen.shown();
    let told = super::keys::told(&Bindings::default());
    assert!(told.iter().all(|(key, what)| shown.contains(key) && shown.contains(what)), "{shown}");
}

#[test]
fn every_size_is_drawn() {
    for (width, height) in [(1, 1), (5, 3), (20, 5), (59, 9), (80, 24), (300, 100)] {
        let mut screen = full(width, height);
        screen.shown();
        for key in [KeyCode::Char('k'), KeyCode::Char('f'), KeyCode::Char('r'), KeyCode::Char('p')] {
            screen.key(key, KeyModifiers::CONTROL);
            screen.shown();
        }
    }
}

#[test]
fn nothing_that_others_wrote_steers_the_terminal() {
    let mut screen = Screen::new(140, 40);
    let evil = "\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\u{2066}\u{200f}\u{2028}end";
    let quote = Some(Quote { from: "bob".parse().unwrap(), text: evil.into() });
    let reactions = BTreeMap::from([(evil.to_string(), vec!["bob".parse().unwrap()])]);
    screen.said(MessageEvent {
        path: format!("via {evil}"),
        deed: Deed { quote, reactions, ..Deed::default() },
        ..message(1, "bob", evil)
    });
    let file = Some(picture(evil));
    screen.said(MessageEvent {
        deed: Deed { kind: Some(MessageKind::File), file, ..Deed::default() },
        ..message(2, "bob", evil)
    });
    screen.answer(Ask::Topic(room("lobby")), Answer::Topic(evil.into()));
    screen.input(Input::Paste(evil.into()));
    screen.input(Input::Notice(evil.into()));
    let shown = screen.shown();
    let steers = |c: char| c != '\n' && crate::cli::text::inline(&c.to_string()) != c.to_string();
    assert!(!shown.contains(steers), "{shown:?}");
    assert!(shown.matches("end").count() >= 6, "{shown}");
}

#[test]
fn a_tick_comes_only_with_the_receipt_of_the_last_one() {
    let mut screen = Screen::new(80, 24);
    screen.said(message(1, "alice", "lunch?"));
    assert!(!screen.shown().contains('✓'));
    let outputs = screen.input(Input::Tick);
    let id = format!("lobby/{ALICE}/1");
    assert!(asks(&outputs).contains(&&Ask::Progress(vec![id.clone()])), "{outputs:?}");
    let said = |delivered: &[&str], pending: &[&str]| {
        let names = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
        let (delivered, pending) = (names(delivered), names(pending));
        let (cancelled, gone) = (Vec::new(), Vec::new());
        Said { id: id.clone(), room: room("lobby"), seq: 1, stamp: String::new(), delivered, pending, cancelled, gone }
    };
    screen.answer(Ask::Progress(Vec::new()), Answer::Progress(vec![said(&["bob"], &["carol"])]));
    assert!(screen.shown().contains("lunch?  1/2"), "{}", screen.shown());
    let receipt = ReceiptEvent { room: room("lobby"), name: "carol".parse().unwrap(), first: 1, last: 1, at: 5 };
    screen.input(Input::Event(Event::Receipt(receipt)));
    assert!(!asks(&screen.input(Input::Tick)).is_empty());
    assert!(!screen.shown().contains('✓'));
    screen.answer(Ask::Progress(Vec::new()), Answer::Progress(vec![said(&["bob", "carol"], &[])]));
    assert!(screen.shown().contains("lunch?  ✓"), "{}", screen.shown());
}

/// The answer is of before the receipt.
#[test]
fn a_receipt_that_comes_while_it_is_asked_who_has_a_message_is_not_forgotten() {
    let mut screen = Screen::new(80, 24);
    screen.said(message(1, "alice", "lunch?"));
    screen.input(Input::Tick);
    let receipt = ReceiptEvent { room: room("lobby"), name: "carol".parse().unwrap(), first: 1, last: 1, at: 5 };
    screen.input(Input::Event(Event::Receipt(receipt)));
    let said = Said {
        id: format!("lobby/{ALICE}/1"),
        room: room("lobby"),
        seq: 1,
        stamp: String::new(),
        delivered: vec!["bob".parse().unwrap()],
        pending: vec!["carol".parse().unwrap()],
        cancelled: Vec::new(),
        gone: Vec::new(),
    };
    screen.answer(Ask::Progress(Vec::new()), Answer::Progress(vec![said]));
    assert!(!screen.shown().contains("1/2"), "{}", screen.shown());
    let outputs = screen.input(Input::Tick);
    assert!(matches!(asks(&outputs)[..], [Ask::Progress(_)]), "{outputs:?}");
}

#[test]
fn of_two_questions_of_one_kind_the_later_waits_for_the_answer_to_the_first() {
    let mut screen = Screen::new(80, 24);
    // That of the lobby is under way from the beginning.
    screen.0.go(room("den"));
    let outputs = screen.input(Input::Tick);
    assert!(!asks(&outputs).iter().any(|ask| matches!(ask, Ask::Topic(_))), "{outputs:?}");
    let outputs = screen.answer(Ask::Topic(room("lobby")), Answer::Topic("what is for lunch".into()));
    assert!(asks(&outputs).contains(&&Ask::Topic(room("den"))), "{outputs:?}");
    screen.answer(Ask::Topic(room("den")), Answer::Topic("quiet, please".into()));
    assert_eq!(screen.0.topic, "quiet, please");
}

#[test]
fn a_page_of_a_place_that_is_no_more_in_view_is_not_put_beside_another() {
    let mut screen = Screen::new(80, 24);
    let page = screen.page(901..=1_000);
    screen.answer(Ask::Page(room("lobby"), None), page);
    screen.press(KeyCode::PageUp);
    let (late, around) = (screen.page(801..=900), (screen.page(1..=50), screen.page(51..=100)));
    let (Answer::Messages(before), Answer::Messages(after)) = around else { unreachable!() };
    screen.answer(Ask::Around(room("lobby"), 50), Answer::Around(before, after));
    screen.answer(Ask::Page(room("lobby"), Some(901)), late);
    assert_eq!(screen.0.conversation.begins(), Some(1));
}

#[test]
fn a_long_history_is_read_page_by_page_and_never_held_as_a_whole() {
    let mut screen = Screen::new(80, 24);
    let last = 5_000;
    let first = last + 1 - u64::from(PAGE);
    let page = screen.page(first..=last);
    screen.answer(Ask::Page(room("lobby"), None), page);
    let mut oldest = first;
    while oldest > 1 {
        let outputs = screen.press(KeyCode::PageUp);
        if let [Ask::Page(_, Some(before))] = asks(&outputs)[..] {
            assert_eq!(*before, oldest);
            oldest = before.saturating_sub(u64::from(PAGE)).max(1);
            let page = screen.page(oldest..=before - 1);
            screen.answer(Ask::Page(room("lobby"), Some(*before)), page);
        }
        assert!(screen.0.conversation.entries.len() <= 601);
    }
    for _ in 0..100 {
        screen.press(KeyCode::PageUp);
    }
    screen.answer(Ask::Page(room("lobby"), Some(1)), Answer::Messages(Vec::new()));
    assert!(screen.shown().contains("number 1 "), "{}", screen.shown());
    let outputs = screen.press(KeyCode::End);
    assert_eq!(asks(&outputs)[0], &Ask::Page(room("lobby"), None));
    let page = screen.page(first..=last);
    screen.answer(Ask::Page(room("lobby"), None), page);
    assert!(screen.shown().contains("number 5000"), "{}", screen.shown());
}

#[test]
fn what_is_read_stays_where_it_is_while_more_is_said_and_is_unread() {
    let mut screen = Screen::new(80, 24);
    let page = screen.page(1..=80);
    screen.answer(Ask::Page(room("lobby"), None), page);
    screen.press(KeyCode::PageUp);
    let lines = |shown: String| {
        shown.lines().take(20).map(|line| line.chars().skip(20).collect::<String>()).collect::<Vec<_>>()
    };
    let before = lines(screen.shown());
    screen.said(message(81, "bob", "a new one\nof two lines"));
    assert_eq!(lines(screen.shown())[1..], before[1..]);
    assert!(screen.shown().contains("1 new"), "{}", screen.shown());
    screen.press(KeyCode::End);
    assert!(screen.shown().contains("of two lines") && !screen.shown().contains("1 new"));
}

#[test]
fn typed_lines_are_said_and_commands_are_those_of_the_line_chat() {
    let mut screen = Screen::new(80, 24);
    screen.types("hello");
    let outputs = screen.press(KeyCode::Enter);
    assert!(
        matches!(&outputs[..], [Output::Act(Action::Say(at, content))] if *at == room("lobby") && content.text == "hello")
    );
    screen.types("/nonsense");
    screen.press(KeyCode::Enter);
    assert!(screen.shown().contains("there is no /nonsense"), "{}", screen.shown());
    screen.types("/quit");
    assert!(matches!(screen.press(KeyCode::Enter)[..], [Output::Quit]));
}

#[test]
fn tab_completes_commands_people_rooms_and_paths() {
    let mut screen = Screen::new(80, 24);
    screen.answer(Ask::Members(room("lobby")), Answer::Members(vec![member("berta", true, "direct")]));
    screen.types("/hand");
    screen.press(KeyCode::Tab);
    screen.types("be");
    screen.press(KeyCode::Tab);
    assert_eq!(screen.0.editor.text(), "/hand-over berta ");
    screen.key(KeyCode::Char('u'), KeyModifiers::CONTROL);
    screen.types("hi @b");
    let mut seen = vec![];
    for _ in 0..3 {
        screen.press(KeyCode::Tab);
        seen.push(screen.0.editor.text().to_string());
    }
    assert_eq!(seen, ["hi @berta", "hi @bob", "hi @berta"]);
    screen.key(KeyCode::Char('u'), KeyModifiers::CONTROL);
    screen.types("/share /tm");
    let outputs = screen.press(KeyCode::Tab);
    assert_eq!(asks(&outputs), [&Ask::Paths("/tm".into())]);
    screen.answer(Ask::Paths("/tm".into()), Answer::Words(vec!["/tmp/".into()]));
    assert_eq!(screen.0.editor.text(), "/share /tmp/");
}

#[test]
fn a_path_with_spaces_is_completed_in_quotes() {
    let mut screen = Screen::new(80, 24);
    screen.types("/share 'my d");
    let outputs = screen.press(KeyCode::Tab);
    assert_eq!(asks(&outputs), [&Ask::Paths("my d".into())]);
    screen.answer(Ask::Paths("my d".into()), Answer::Words(vec!["'my docs/".into()]));
    assert_eq!(screen.0.editor.text(), "/share 'my docs/");
    let outputs = screen.press(KeyCode::Tab);
    assert_eq!(asks(&outputs), [&Ask::Paths("my docs/".into())]);
    screen.answer(Ask::Paths("my docs/".into()), Answer::Words(vec!["'my docs/a b.txt'".into()]));
    assert_eq!(screen.0.editor.text(), "/share 'my docs/a b.txt' ");
}

#[test]
fn a_room_is_gone_to_by_key_by_a_part_of_its_name_and_by_a_click() {
    let mut screen = Screen::new(80, 24);
    assert_eq!(screen.0.room(), Some(&room("lobby")));
    screen.key(KeyCode::Char('n'), KeyModifiers::CONTROL);
    assert_eq!(screen.0.room(), Some(&room("@bob")));
    screen.key(KeyCode::Up, KeyModifiers::ALT);
    screen.key(KeyCode::Char('k'), KeyModifiers::CONTROL);
    screen.types("de");
    screen.press(KeyCode::Enter);
    assert_eq!(screen.0.room(), Some(&room("den")));
    screen.input(Input::Click(Position::new(3, 2)));
    assert_eq!(screen.0.room(), Some(&room("lobby")));
}

#[test]
fn what_is_to_the_user_is_counted_until_its_room_is_opened() {
    let mut screen = Screen::new(80, 24);
    let deed = Deed { mentions_me: true, ..Deed::default() };
    screen.said(MessageEvent { room: room("den"), deed, ..message(1, "bob", "@alice?") });
    screen.said(MessageEvent { room: room("den"), ..message(2, "bob", "hello?") });
    assert!(screen.shown().contains("@1/2"), "{}", screen.shown());
    screen.0.go(room("den"));
    screen.input(Input::Tick);
    assert!(!screen.shown().contains("@1/2"));
}

#[test]
fn a_search_goes_from_the_newest_that_is_found_to_the_one_before() {
    let mut screen = Screen::new(80, 24);
    screen.key(KeyCode::Char('f'), KeyModifiers::CONTROL);
    screen.types("number");
    let outputs = screen.press(KeyCode::Enter);
    assert_eq!(asks(&outputs), [&Ask::Search(room("lobby"), "number".into())]);
    let found = screen.page(7..=8);
    let outputs = screen.answer(Ask::Search(room("lobby"), "number".into()), found);
    assert_eq!(asks(&outputs), [&Ask::Around(room("lobby"), 8)]);
    let (Answer::Messages(before), Answer::Messages(after)) = (screen.page(1..=8), screen.page(9..=60)) else {
        panic!()
    };
    screen.answer(Ask::Around(room("lobby"), 8), Answer::Around(before, after));
    assert!(screen.shown().contains("1 of 2") && screen.shown().contains("number 8 "), "{}", screen.shown());
    let outputs = screen.press(KeyCode::Enter);
    assert_eq!(asks(&outputs), [&Ask::Around(room("lobby"), 7)]);
    screen.press(KeyCode::Esc);
    assert!(!screen.shown().contains("search:"));
}

#[test]
fn what_the_session_counts_as_unread_shows_and_what_is_in_view_is_marked_as_read() {
    let mut screen = Screen::new(80, 24);
    let chats = || vec![chat("lobby"), Chat { unread: 7, mentions: 2, counted: 5, ..chat("den") }];
    screen.answer(Ask::Chats, Answer::Chats(chats()));
    assert!(screen.shown().contains("@2/7"), "{}", screen.shown());
    // One that the session has counted is not counted again.
    screen.said(MessageEvent { room: room("den"), ..message(5, "bob", "hello?") });
    screen.said(MessageEvent { room: room("den"), ..message(6, "bob", "hello?") });
    assert!(screen.shown().contains("@2/8"), "{}", screen.shown());
    screen.input(Input::Event(Event::Read(Read { room: room("den"), cursor: 6 })));
    assert!(!screen.shown().contains("@2/8"));
    let outputs = screen.said(message(9, "bob", "hi"));
    assert!(asks(&outputs).contains(&&Ask::MarkRead(room("lobby"), 9)), "{outputs:?}");
    screen.answer(Ask::MarkRead(room("lobby"), 9), Answer::Read(Read { room: room("lobby"), cursor: 9 }));
    assert!(!asks(&screen.input(Input::Tick)).iter().any(|ask| matches!(ask, Ask::MarkRead(..))));
}

#[test]
fn keys_are_those_of_the_config_and_shown_so() {
    let set = [("search".to_string(), "ctrl-s".to_string())].into();
    let mut screen = Screen::new(80, 24);
    screen.0.bindings = Bindings::of_config(&set).unwrap();
    screen.key(KeyCode::Char('f'), KeyModifiers::CONTROL);
    assert!(!screen.shown().contains("search:"));
    screen.key(KeyCode::Char('s'), KeyModifiers::CONTROL);
    assert!(screen.shown().contains("search:"));
    screen.press(KeyCode::Esc);
    screen.press(KeyCode::F(1));
    assert!(screen.shown().contains("ctrl-S"), "{}", screen.shown());
}

#[test]
fn what_is_typed_in_a_room_waits_there() {
    let mut screen = Screen::new(80, 24);
    screen.types("for the lobby");
    screen.key(KeyCode::Char('n'), KeyModifiers::CONTROL);
    assert_eq!((screen.0.room(), screen.0.editor.text()), (Some(&room("@bob")), ""));
    screen.types("for bob");
    screen.key(KeyCode::Up, KeyModifiers::ALT);
    assert_eq!(screen.0.editor.text(), "for the lobby");
    screen.key(KeyCode::Char('n'), KeyModifiers::CONTROL);
    assert_eq!(screen.0.editor.text(), "for bob");
}

#[test]
fn a_line_stands_before_the_first_that_is_new() {
    let mut screen = Screen::new(80, 24);
    screen
        .answer(Ask::Chats, Answer::Chats(vec![Chat { read: 2, unread: 1, counted: 3, ..chat("den") }, chat("lobby")]));
    screen.0.go(room("den"));
    screen.input(Input::Tick);
    let said = |n| Event::Message(MessageEvent { room: room("den"), ..message(n, "bob", &format!("number {n}.")) });
    screen.answer(Ask::Page(room("den"), None), Answer::Messages((1..=3).map(said).collect()));
    let shown = screen.shown();
    let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("{text}: {shown}"));
    assert!(at("number 2.") < at("── new ─") && at("── new ─") < at("number 3."), "{shown}");
}

#[test]
fn the_line_that_is_typed_stays_on_a_very_small_terminal() {
    for (width, height) in [(20, 5), (30, 4), (20, 3)] {
        let mut screen = Screen::new(width, height);
        screen.types("hello");
        assert!(screen.shown().contains("hello"), "{}", screen.shown());
    }
}

#[test]
fn the_key_of_a_search_goes_on_with_one_that_is_open_and_other_words_are_another_search() {
    let mut screen = Screen::new(80, 24);
    screen.key(KeyCode::Char('f'), KeyModifiers::CONTROL);
    screen.types("one");
    let outputs = screen.key(KeyCode::Char('f'), KeyModifiers::CONTROL);
    assert_eq!(asks(&outputs), [&Ask::Search(room("lobby"), "one".into())]);
    let found = screen.page(7..=8);
    screen.answer(Ask::Search(room("lobby"), "one".into()), found);
    assert!(screen.shown().contains("1 of 2"));
    screen.types("two");
    assert!(!screen.shown().contains("1 of 2") && screen.shown().contains("Enter: search"), "{}", screen.shown());
}
