//! What is typed, and with which keys.

use super::*;

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
fn what_is_too_long_to_be_said_is_in_the_line_again_with_how_long_it_is_and_may_be() {
    let mut screen = Screen::new(80, 24);
    let long = "x".repeat(17_003);
    screen.input(Input::Paste(long.clone()));
    assert!(screen.press(KeyCode::Enter).is_empty());
    assert_eq!(screen.0.editor.text(), long);
    let told = screen.0.told.of(Some(&room("lobby"))).last().unwrap().text.clone();
    assert!(told.contains("17003 bytes; the limit is 16384") && told.ends_with("in the line again"), "{told}");
    // What it was to do to a message, it still is.
    screen.key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    screen.said(message(1, "bob", "lunch?"));
    screen.key(KeyCode::Up, KeyModifiers::CONTROL);
    screen.press(KeyCode::Char('r'));
    screen.input(Input::Paste(long.clone()));
    screen.press(KeyCode::Enter);
    assert!(screen.0.aim.is_some() && screen.0.editor.text() == long);
}

#[test]
fn a_paste_for_which_there_is_no_room_is_not_taken_in_silence() {
    let mut screen = Screen::new(80, 24);
    screen.types("mine");
    screen.input(Input::Paste("x".repeat(70_000)));
    assert!(screen.0.editor.text() == "mine" && screen.shown().contains("70000 bytes, and a line 65536"));
}
