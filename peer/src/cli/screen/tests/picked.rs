//! Picking a message on the screen without a terminal.

use common::wire::control::{Deed, MessageEvent, MessageKind, Said, files};
use ratatui::{
    crossterm::event::{KeyCode, KeyModifiers},
    layout::Position,
};

use super::{ALICE, Answer, Ask, Input, Output, Screen, asks, message, room};
use crate::cli::{chat::action::Action, file::tests::picture};

/// Alice and bob have said something, and bob shares a file.
fn talk() -> Screen {
    let mut screen = Screen::new(80, 24);
    let file = Deed { kind: Some(MessageKind::File), file: Some(picture("cat.png")), ..Deed::default() };
    screen.said(message(1, "bob", "lunch?"));
    screen.said(message(2, "alice", "at one"));
    screen.said(MessageEvent { deed: file, ..message(3, "bob", "x") });
    screen
}

fn pick(screen: &mut Screen, steps_up: usize) {
    screen.key(KeyCode::Up, KeyModifiers::CONTROL);
    (0..steps_up).for_each(|_| drop(screen.press(KeyCode::Up)));
}

fn content(outputs: &[Output]) -> &common::content::Content {
    match outputs {
        [Output::Act(Action::Say(_, content) | Action::Do(_, content))] => content,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_can_be_done_to_the_picked_message_is_shown() {
    let mut screen = talk();
    pick(&mut screen, 1);
    insta::assert_snapshot!(screen.shown());
}

#[test]
fn a_picked_message_is_answered_reacted_to_and_copied() {
    use common::content::Kind;
    let mut screen = talk();
    pick(&mut screen, 2);
    screen.press(KeyCode::Char('r'));
    screen.types("yes");
    assert!(screen.shown().contains("bob: lunch? — Esc: back") && screen.shown().contains("reply> yes"));
    let outputs = screen.press(KeyCode::Enter);
    let said = content(&outputs);
    assert_eq!(
        (said.text.as_str(), said.kind, said.about.as_ref().map(|about| about.number)),
        ("yes", Kind::Text, Some(1))
    );
    pick(&mut screen, 2);
    screen.press(KeyCode::Char('a'));
    screen.types("👍");
    assert_eq!(content(&screen.press(KeyCode::Enter)).kind, Kind::Reaction);
    pick(&mut screen, 2);
    screen.press(KeyCode::Char('c'));
    assert_eq!(screen.0.editor.text(), "lunch?");
}

#[test]
fn a_picked_message_of_one_s_own_is_edited_and_deleted_when_that_is_said_twice() {
    use common::content::Kind;
    let mut screen = talk();
    pick(&mut screen, 1);
    screen.press(KeyCode::Char('e'));
    assert_eq!(screen.0.editor.text(), "at one");
    screen.press(KeyCode::Esc);
    assert!(screen.0.editor.is_empty() && screen.0.aim.is_none());
    pick(&mut screen, 1);
    screen.press(KeyCode::Char('e'));
    screen.types(" sharp");
    let outputs = screen.press(KeyCode::Enter);
    assert_eq!((content(&outputs).kind, content(&outputs).text.as_str()), (Kind::Edit, "at one sharp"));
    pick(&mut screen, 1);
    assert!(screen.press(KeyCode::Char('d')).is_empty());
    assert!(screen.shown().contains("d: delete it for everybody"));
    assert_eq!(content(&screen.press(KeyCode::Char('d'))).kind, Kind::Delete);
}

#[test]
fn what_others_said_is_neither_edited_nor_deleted() {
    let mut screen = talk();
    pick(&mut screen, 2);
    for key in ['e', 'd', 'w'] {
        assert!(screen.press(KeyCode::Char(key)).is_empty());
    }
    assert!(screen.shown().contains("only to what you have said yourself"), "{}", screen.shown());
}

#[test]
fn a_file_is_fetched_by_a_key_and_by_a_second_click() {
    let mut screen = talk();
    pick(&mut screen, 0);
    let fetches = |outputs: &[Output]| matches!(outputs, [Output::Act(Action::Files(files::AskFiles::Get(get)))] if get.file == "cat.png");
    assert!(fetches(&screen.press(KeyCode::Char('f'))));
    let row = screen.shown().lines().position(|line| line.contains("shares cat.png")).unwrap() as u16;
    assert!(screen.input(Input::Click(Position::new(30, row))).is_empty());
    assert_eq!(screen.0.picked().map(|(picked, _)| picked.cursor), Some(3));
    assert!(fetches(&screen.input(Input::Click(Position::new(30, row)))));
}

#[test]
fn a_click_on_how_many_have_it_shows_who_and_one_beside_it_picks_the_message() {
    let mut screen = talk();
    let known = Said {
        id: format!("lobby/{ALICE}/2"),
        room: room("lobby"),
        seq: 2,
        stamp: "1.2".into(),
        delivered: vec!["bob".parse().unwrap()],
        pending: vec!["carol".parse().unwrap()],
        cancelled: Vec::new(),
        gone: Vec::new(),
    };
    screen.answer(Ask::Progress(Vec::new()), Answer::Progress(vec![known]));
    let shown = screen.shown();
    let (row, line) = shown.lines().enumerate().find(|(_, line)| line.contains("1/2")).unwrap();
    // The line begins with a quote.
    let column = line[..line.find("1/2").unwrap()].chars().count() as u16 - 1;
    let outputs = screen.input(Input::Click(Position::new(column, row as u16)));
    assert!(matches!(asks(&outputs)[..], [Ask::Receipts(id)] if id.number == 2), "{outputs:?}");
    screen.press(KeyCode::Esc);
    assert!(screen.input(Input::Click(Position::new(25, row as u16))).is_empty());
    assert_eq!(screen.0.picked().map(|(picked, _)| picked.cursor), Some(2));
}
