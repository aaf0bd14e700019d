//! Reading what was said, and finding something in it.

use super::*;

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
fn what_is_read_is_in_view_at_every_width_and_with_or_without_the_members() {
    let mut screen = Screen::new(100, 24);
    let long = |n: u64| Event::Message(message(n, "bob", &format!("number {n}. {}", "a word or two ".repeat(20))));
    screen.answer(Ask::Page(room("lobby"), None), Answer::Messages((1..=90).map(long).collect()));
    (0..12).for_each(|_| drop(screen.press(KeyCode::PageUp)));
    let last_in_view = |screen: &Screen| {
        let (conversation, height) = (&screen.0.conversation, usize::from(screen.0.pane().height));
        let shown = conversation.in_view(height, &screen.0.lines());
        assert_eq!(shown.iter().map(|(_, rows)| rows.len()).sum::<usize>(), height, "{}", screen.shown());
        conversation.entries[shown.last().unwrap().0].message().unwrap().0.cursor
    };
    let before = last_in_view(&screen);
    for (width, height) in [(40, 24), (200, 24), (20, 5), (100, 60), (60, 24), (100, 24)] {
        screen.input(Input::Resize(Size { width, height }));
        assert_eq!(last_in_view(&screen), before, "{width}x{height}");
    }
    screen.press(KeyCode::F(2));
    assert_eq!(last_in_view(&screen), before);
    screen.press(KeyCode::F(2));
    assert_eq!(last_in_view(&screen), before);
}

#[test]
fn a_view_that_is_at_the_end_again_goes_on_with_what_is_said() {
    let mut screen = Screen::new(80, 24);
    let page = screen.page(1..=30);
    screen.answer(Ask::Page(room("lobby"), None), page);
    screen.input(Input::Wheel(true));
    assert!(!screen.0.conversation.is_at_end());
    // All of it is in view on a higher terminal.
    screen.input(Input::Resize(Size { width: 80, height: 60 }));
    assert!(screen.0.conversation.is_at_end());
    screen.input(Input::Resize(Size { width: 80, height: 24 }));
    screen.input(Input::Wheel(true));
    screen.input(Input::Wheel(false));
    screen.said(message(31, "bob", "a new one"));
    assert!(screen.shown().contains("a new one"));
}

#[test]
fn of_a_long_message_the_beginning_is_shown_until_all_of_it_is_asked_for() {
    let mut screen = Screen::new(80, 40);
    let text: Vec<String> = (1..=8_192).map(|n| format!("{n}.")).collect();
    screen.said(message(1, "bob", &text.join("\n")));
    screen.said(message(2, "bob", "behind it"));
    let shown = screen.shown();
    assert!(shown.contains("20.") && !shown.contains("21.") && shown.contains("behind it"), "{shown}");
    assert!(shown.contains("… 8,172 more lines: pick it, and Enter shows all"), "{shown}");
    screen.key(KeyCode::Up, KeyModifiers::CONTROL);
    screen.press(KeyCode::Up);
    assert!(screen.shown().contains("Enter show all"), "{}", screen.shown());
    screen.press(KeyCode::Enter);
    assert!(screen.shown().contains("bob: 1.") && screen.shown().contains("30."), "{}", screen.shown());
    screen.press(KeyCode::PageDown);
    assert!(screen.shown().contains("60.") && screen.shown().contains("Enter fold"), "{}", screen.shown());
    screen.press(KeyCode::Enter);
    assert!(screen.shown().contains("8,172 more lines") && screen.shown().contains("behind it"), "{}", screen.shown());
}

#[test]
fn a_tick_stands_beside_a_long_message_too() {
    let mut screen = Screen::new(80, 40);
    screen.said(message(1, "alice", &"line\n".repeat(100)));
    let said = Said {
        id: format!("lobby/{ALICE}/1"),
        room: room("lobby"),
        seq: 1,
        stamp: String::new(),
        delivered: vec!["bob".parse().unwrap()],
        pending: Vec::new(),
        cancelled: Vec::new(),
        gone: Vec::new(),
    };
    screen.answer(Ask::Progress(Vec::new()), Answer::Progress(vec![said]));
    assert!(screen.shown().contains("Enter shows all  ✓"), "{}", screen.shown());
}

#[test]
fn the_beginning_and_the_end_are_a_key_away() {
    let mut screen = Screen::new(80, 24);
    let last = 5_000;
    let page = screen.page(last + 1 - u64::from(PAGE)..=last);
    screen.answer(Ask::Page(room("lobby"), None), page);
    let outputs = screen.key(KeyCode::Home, KeyModifiers::CONTROL);
    assert_eq!(asks(&outputs), [&Ask::Around(room("lobby"), 0)]);
    let Answer::Messages(first) = screen.page(1..=u64::from(PAGE)) else { unreachable!() };
    screen.answer(Ask::Around(room("lobby"), 0), Answer::Around(Vec::new(), first));
    assert!(screen.shown().contains("number 1 ") && screen.shown().contains("── 2026-05-01"), "{}", screen.shown());
    let outputs = screen.key(KeyCode::End, KeyModifiers::CONTROL);
    assert_eq!(asks(&outputs)[0], &Ask::Page(room("lobby"), None));
    let page = screen.page(1..=50);
    screen.answer(Ask::Page(room("lobby"), None), page);
    // All of it is held now.
    assert!(asks(&screen.key(KeyCode::Home, KeyModifiers::CONTROL)).is_empty());
    assert!(screen.shown().contains("number 1 "), "{}", screen.shown());
}

#[test]
fn a_time_is_gone_to_and_where_nothing_was_said_since_that_is_told() {
    let mut screen = Screen::new(80, 24);
    screen.types("/goto 2026-05-01");
    let outputs = screen.press(KeyCode::Enter);
    let [Ask::Goto(at, then)] = asks(&outputs)[..] else { panic!("{outputs:?}") };
    let then = *then;
    assert_eq!((at, then), (&room("lobby"), time::moment("2026-05-01", 0).unwrap()));
    let outputs = screen.answer(Ask::Goto(room("lobby"), then), Answer::At(Some(50)));
    assert_eq!(asks(&outputs), [&Ask::Around(room("lobby"), 50)]);
    let (Answer::Messages(before), Answer::Messages(after)) = (screen.page(1..=50), screen.page(51..=150)) else {
        unreachable!()
    };
    screen.answer(Ask::Around(room("lobby"), 50), Answer::Around(before, after));
    assert!(screen.shown().contains("number 50 "), "{}", screen.shown());
    screen.press(KeyCode::Esc);
    screen.answer(Ask::Goto(room("lobby"), then), Answer::At(None));
    screen.types("/goto yesterday");
    screen.press(KeyCode::Enter);
    let told: Vec<&str> = screen.0.told.of(Some(&room("lobby"))).iter().map(|told| told.text.as_str()).collect();
    assert!(told.iter().any(|told| told.contains("nothing was said in lobby since 2026-05-01")), "{told:?}");
    assert!(told.last().unwrap().contains("2026-05-01 12:30"), "{told:?}");
}

#[test]
fn a_history_of_long_messages_is_broken_into_lines_once_for_a_width() {
    let mut screen = Screen::new(80, 24);
    let long = |n: u64| Event::Message(message(n, "bob", &"a word or two ".repeat(1_000)));
    screen.answer(Ask::Page(room("lobby"), None), Answer::Messages((1..=90).map(long).collect()));
    let counted = std::cell::Cell::new(0);
    let lines = |held: &super::super::entries::Held| {
        held.height(62, |_| {
            counted.set(counted.get() + 1);
            20
        })
    };
    for _ in 0..100 {
        screen.0.conversation.scroll(3, 20, &lines);
    }
    // Those that were in view, and as many above them as are near.
    assert!((1..=25).contains(&counted.get()), "{}", counted.get());
}
