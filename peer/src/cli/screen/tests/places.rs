//! The conversations at the left, and going from one to another.

use super::*;

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
