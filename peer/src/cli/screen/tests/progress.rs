//! How far messages have got, and what is asked to know it.

use super::*;

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
fn what_waits_for_who_is_offline_is_not_said_to_be_on_the_way() {
    let mut screen = Screen::new(80, 24);
    let status = |screen: &Screen, undelivered| Status { undelivered, ..screen.0.status.clone().unwrap() };
    let four = Box::new(status(&screen, 4));
    screen.answer(Ask::Status, Answer::Status(four.clone()));
    assert!(asks(&screen.input(Input::Tick)).contains(&&Ask::Waiting));
    screen.answer(Ask::Waiting, Answer::Waiting(1, 3));
    assert!(screen.shown().contains("1 on the way, 3 for who is offline"), "{}", screen.shown());
    screen.answer(Ask::Waiting, Answer::Waiting(0, 4));
    assert!(screen.shown().contains("4 waiting for who is offline"), "{}", screen.shown());
    // Nothing has changed by which it could be otherwise.
    screen.answer(Ask::Status, Answer::Status(four));
    assert!(!asks(&screen.input(Input::Tick)).contains(&&Ask::Waiting));
    let none = Box::new(status(&screen, 0));
    screen.answer(Ask::Status, Answer::Status(none));
    assert!(!screen.shown().contains("on the way") && !screen.shown().contains("waiting for"), "{}", screen.shown());
}
