//! What the program says, and where it stands.

use super::*;
use crate::cli::chat::action::Outcome;

fn changed(cursor: u64, at: &str, name: &str, change: MemberChange) -> Event {
    Event::Member(MemberEvent {
        cursor,
        room: room(at),
        name: name.parse().unwrap(),
        change,
        version: "1.3".into(),
        by: None,
        at: None,
        detail: None,
    })
}

fn shows(screen: &Screen, text: &str) -> bool {
    screen.shown().contains(text)
}

#[test]
fn who_asks_at_the_door_is_told_of_in_that_room_and_counted_beside_it_until_it_is_seen() {
    let mut screen = Screen::new(80, 24);
    screen.input(Input::Event(changed(5, "den", "carol", MemberChange::Asks)));
    assert!(!shows(&screen, "carol asks") && shows(&screen, "den          @1"), "{}", screen.shown());
    // Counting anew takes nothing of it away.
    screen.answer(Ask::Chats, Answer::Chats(vec![chat("lobby"), chat("den")]));
    assert!(shows(&screen, "den          @1"));
    screen.0.go(room("den"));
    screen.input(Input::Tick);
    screen.answer(Ask::Page(room("den"), None), Answer::Messages(Vec::new()));
    assert!(shows(&screen, "carol asks to join den: /accept den carol") && !shows(&screen, "@1"));
    screen.0.go(room("lobby"));
    screen.input(Input::Tick);
    assert!(!shows(&screen, "carol asks"));
}

#[test]
fn what_was_told_is_there_again_when_its_room_is_and_stands_where_it_was_told() {
    let mut screen = Screen::new(80, 24);
    let page = screen.page(1..=3);
    screen.answer(Ask::Page(room("lobby"), None), page);
    screen.said(message(4, "bob", "number 4"));
    screen.input(Input::Outcome(Outcome::Shown("the answer".into())));
    screen.said(message(5, "bob", "number 5"));
    screen.0.go(room("den"));
    screen.input(Input::Tick);
    assert!(!shows(&screen, "the answer"));
    screen.0.go(room("lobby"));
    screen.input(Input::Tick);
    let page = screen.page(1..=5);
    screen.answer(Ask::Page(room("lobby"), None), page);
    let shown = screen.shown();
    let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("{text}: {shown}"));
    assert!(at("number 4") < at("the answer") && at("the answer") < at("number 5"), "{shown}");
    assert_eq!(shown.matches("the answer").count(), 1);
}

#[test]
fn of_what_was_told_only_what_belongs_to_the_page_comes_with_it_and_none_comes_twice() {
    let mut screen = Screen::new(80, 24);
    let last = 3 * u64::from(PAGE);
    let page = screen.page(1..=10);
    screen.answer(Ask::Page(room("lobby"), None), page);
    screen.said(message(50, "bob", "hello"));
    screen.input(Input::Outcome(Outcome::Shown("the answer".into())));
    screen.said(message(last, "bob", "much later"));
    screen.0.go(room("den"));
    screen.input(Input::Tick);
    screen.0.go(room("lobby"));
    screen.input(Input::Tick);
    let told = |screen: &Screen| {
        let is_it = |held: &&super::super::entries::Held| format!("{:?}", held.entry()).contains("the answer");
        screen.0.conversation.entries.iter().filter(is_it).count()
    };
    let page = screen.page(last - u64::from(PAGE) + 1..=last);
    screen.answer(Ask::Page(room("lobby"), None), page);
    assert_eq!(told(&screen), 0);
    let page = screen.page(last - 2 * u64::from(PAGE) + 1..=last - u64::from(PAGE));
    screen.answer(Ask::Page(room("lobby"), Some(last - u64::from(PAGE) + 1)), page);
    assert_eq!(told(&screen), 0);
    let page = screen.page(1..=u64::from(PAGE));
    screen.answer(Ask::Page(room("lobby"), Some(u64::from(PAGE) + 1)), page);
    assert_eq!(told(&screen), 1);
    let around = (screen.page(1..=49), screen.page(50..=149));
    let (Answer::Messages(before), Answer::Messages(after)) = around else { unreachable!() };
    screen.answer(Ask::Around(room("lobby"), 50), Answer::Around(before, after));
    assert_eq!(told(&screen), 1);
}

#[test]
fn what_is_about_no_room_has_a_place_of_its_own_with_a_mark_until_it_is_seen() {
    let mut screen = Screen::new(80, 24);
    assert!(!shows(&screen, "*rollcall"));
    screen.input(Input::Notice("the disk is full".into()));
    screen.input(Input::Event(changed(5, "@carol", "carol", MemberChange::Asks)));
    assert!(shows(&screen, "*rollcall     @2") && !shows(&screen, "the disk is full"), "{}", screen.shown());
    // It is behind the last conversation, and beside them.
    screen.key(KeyCode::Char('n'), KeyModifiers::CONTROL);
    screen.key(KeyCode::Char('n'), KeyModifiers::CONTROL);
    assert!(shows(&screen, "! the disk is full") && shows(&screen, "carol asks to be your contact: /accept carol"));
    assert!(!shows(&screen, "@2"), "{}", screen.shown());
    // Nobody is sent elsewhere while they read it.
    screen.answer(Ask::Chats, Answer::Chats(vec![chat("lobby"), chat("den")]));
    assert_eq!(screen.0.room(), None);
    screen.key(KeyCode::Char('n'), KeyModifiers::CONTROL);
    assert_eq!(screen.0.room(), Some(&room("den")));
    screen.key(KeyCode::Char('k'), KeyModifiers::CONTROL);
    screen.types("*");
    screen.press(KeyCode::Enter);
    assert_eq!(screen.0.room(), None);
    screen.input(Input::Click(Position::new(3, 1)));
    assert_eq!(screen.0.room(), Some(&room("den")));
    screen.input(Input::Click(Position::new(3, 20)));
    assert_eq!(screen.0.room(), None);
}

#[test]
fn who_is_put_out_of_the_room_that_is_shown_sees_it_and_stays_to_read_it() {
    let mut screen = Screen::new(80, 24);
    screen.types("a line");
    screen.input(Input::Event(changed(5, "lobby", "alice", MemberChange::Removed)));
    assert!(shows(&screen, "you are no longer a member of lobby"), "{}", screen.shown());
    screen.answer(Ask::Chats, Answer::Chats(vec![chat("den")]));
    assert_eq!(screen.0.room(), None);
}

#[test]
fn of_each_place_the_last_fifty_are_kept() {
    let mut screen = Screen::new(80, 24);
    for number in 0..1_000 {
        screen.input(Input::Notice(format!("notice {number}.")));
    }
    screen.0.go(None);
    screen.input(Input::Tick);
    assert_eq!(screen.0.conversation.entries.len(), 50);
    assert!(shows(&screen, "notice 999.") && !shows(&screen, "notice 949."));
}

#[test]
fn where_there_is_no_room_for_the_conversations_what_calls_is_counted_above_the_line_and_in_the_list() {
    let mut screen = Screen::new(50, 20);
    screen.input(Input::Event(changed(5, "den", "carol", MemberChange::Asks)));
    screen.input(Input::Notice("the disk is full".into()));
    assert!(shows(&screen, "── @2: ctrl-K ──"), "{}", screen.shown());
    screen.key(KeyCode::Char('k'), KeyModifiers::CONTROL);
    assert!(shows(&screen, "den  @1") && shows(&screen, "*rollcall  @1  (what the program "));
}
