//! What is drawn, at every size.

use super::*;

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
    let told = super::super::keys::told(&Bindings::default());
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
fn the_line_that_is_typed_stays_on_a_very_small_terminal() {
    for (width, height) in [(20, 5), (30, 4), (20, 3), (20, 2), (20, 1)] {
        let mut screen = Screen::new(width, height);
        screen.types("hello");
        assert!(screen.shown().contains("hello"), "{}", screen.shown());
    }
}

#[test]
fn the_window_is_called_after_the_room_with_what_calls_the_user_and_nothing_that_steers() {
    let mut screen = Screen::new(80, 24);
    assert_eq!(screen.0.title(), "Rollcall: lobby");
    let deed = Deed { mentions_me: true, ..Deed::default() };
    screen.said(MessageEvent { room: room("den"), deed, ..message(1, "bob", "@alice?") });
    screen.input(Input::Notice("the disk is full".into()));
    assert_eq!(screen.0.title(), "(2) Rollcall: lobby");
    screen.0.go(room("@bob"));
    screen.input(Input::Tick);
    assert_eq!(screen.0.title(), "(2) Rollcall: @bob");
}

#[test]
fn the_keys_are_all_to_be_seen_on_a_low_terminal_which_says_how() {
    for height in [5, 12] {
        let mut screen = Screen::new(80, height);
        screen.press(KeyCode::F(1));
        assert!(screen.shown().contains("Up, Down"), "{}", screen.shown());
        let told = super::super::keys::told(&Bindings::default());
        let mut missing: Vec<&str> = told.iter().map(|(_, what)| *what).collect();
        for _ in 0..told.len() {
            missing.retain(|what| !screen.shown().contains(what));
            screen.press(KeyCode::Down);
        }
        assert!(missing.is_empty(), "{missing:?}");
        // No further than to the last.
        assert!(screen.shown().contains("/quit"), "{}", screen.shown());
        screen.press(KeyCode::Char('x'));
        assert!(!screen.shown().contains("Up, Down"));
    }
}
