//! How things are said, and how they are read again.

use std::{
    fs,
    io::{BufRead, BufReader},
};

use serde_json::Value;

use super::texts;
use crate::town::{Town, User, until};

/// Alice and bob are in the lobby.
async fn lobby() -> Town {
    let town = Town::of(&["alice", "bob"]).await;
    town.gather("lobby", &[&town.alice, &town.bob]);
    town
}

fn said(user: &User, arguments: &[&str]) -> String {
    let said: Value = serde_json::from_str(&user.done(&[arguments, &["--wait", "20", "--json"]].concat())).unwrap();
    said["id"].as_str().unwrap().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_does_is_told_as_such_in_rooms_and_to_one_person() {
    let Town { alice, bob, .. } = &lobby().await;
    said(alice, &["say", "lobby", "--me", "waves"]);
    assert!(bob.does("history lobby").contains("* alice waves"));
    said(alice, &["msg", "bob", "--me", "winks"]);
    assert!(bob.does("history @alice").contains("* alice winks"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_one_person_quotes_what_it_answers() {
    let Town { alice, bob, .. } = &lobby().await;
    let id = said(alice, &["msg", "bob", "lunch?"]);
    let here = bob.objects("history @alice")[0]["id"].as_str().unwrap().to_string();
    said(bob, &["msg", "alice", "--reply", &here, "at one"]);
    let answer = alice.objects("history @bob").pop().unwrap();
    assert_eq!((&answer["text"], &answer["about"]), (&"at one".into(), &id.into()), "{answer}");
    assert!(alice.does("history @bob").contains("↳ alice: lunch?"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_is_taken_back() {
    let Town { alice, bob, .. } = &lobby().await;
    let id = said(alice, &["say", "lobby", "lunch?"]);
    bob.done(&["react", &id, "👍"]);
    until("it comes", || alice.objects("history lobby")[0]["reactions"]["👍"][0] == "bob");
    bob.done(&["react", &id, "--undo"]);
    until("it is gone", || alice.objects("history lobby")[0]["reactions"]["👍"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_read_by_pages_from_a_cursor_and_by_words() {
    let Town { alice, bob, .. } = &lobby().await;
    for n in 1..=6 {
        said(alice, &["say", "lobby", &format!("number {n}")]);
    }
    let history = |options: &str| bob.objects(&format!("history lobby {options}"));
    let cursor = history("--limit 4")[0]["cursor"].to_string();
    let cursor = cursor.as_str();
    assert_eq!(texts(&history(&format!("--before {cursor}")), "text"), ["number 1", "number 2"]);
    assert_eq!(texts(&history(&format!("--before {cursor} --limit 1")), "text"), ["number 2"]);
    assert_eq!(texts(&history(&format!("--since {cursor}")), "text"), ["number 4", "number 5", "number 6"]);
    assert_eq!(texts(&history(&format!("--since {cursor} --limit 2")), "text"), ["number 4", "number 5"]);
    let found = bob.done(&["history", "lobby", "--search", "5 number"]);
    assert!(found.contains("alice: number 5") && found.lines().count() == 1, "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_text_as_it_stands_or_json_as_it_happened() {
    let Town { alice, bob, .. } = &lobby().await;
    let id = said(alice, &["say", "lobby", "lunch at noon"]);
    alice.done(&["edit", &id, "lunch at one"]);
    until("it comes", || bob.does("export lobby").contains("alice (edited): lunch at one"));
    assert!(!bob.does("export lobby").contains("noon"));
    let events: Vec<Value> = bob.does("export lobby --format json").lines().map(|l| l.parse().unwrap()).collect();
    assert_eq!(bob.objects("export lobby"), events, "the same as --json");
    let said: Vec<&Value> = events.iter().filter(|event| event["event"] == "message").collect();
    assert_eq!((&said[0]["text"], &said[1]["text"]), (&"lunch at noon".into(), &"lunch at one".into()));
    assert!(events.iter().any(|event| event["change"] == "joined" && event["name"] == "bob"), "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_of_one_conversation_or_of_all_and_of_a_time() {
    let Town { alice, bob, .. } = &lobby().await;
    said(alice, &["say", "lobby", "to all"]);
    said(alice, &["msg", "bob", "to one"]);
    assert!(!bob.does("export lobby").contains("to one"));
    let all = bob.does("export --all");
    assert!(all.contains("lobby alice: to all") && all.contains("@alice alice: to one"), "{all}");
    assert!(bob.does("export lobby --since 1h").contains("to all"));
    assert!(!bob.does("export lobby --until 1h").contains("to all"));
    assert!(!bob.does("export lobby --since 2100-01-01").contains("to all"));
    assert!(bob.does("export lobby --until 2100-01-01").contains("to all"));
    assert_eq!(bob.run(&["export"]).0, 2, "of which?");
}

#[tokio::test(flavor = "multi_thread")]
async fn tail_shows_the_ids_that_other_commands_take() {
    let Town { alice, bob, .. } = &lobby().await;
    let id = said(alice, &["say", "lobby", "lunch?"]);
    assert!(!bob.does("tail lobby").contains(&id));
    assert!(bob.does("tail lobby --ids").contains(&format!("{id} alice: lunch?")));
}

#[tokio::test(flavor = "multi_thread")]
async fn tail_tells_who_is_typing_to_who_wants_to_know() {
    let Town { alice, bob, .. } = &lobby().await;
    let mut tail = bob.command(&["tail", "lobby", "--follow", "--typing"]).spawn().unwrap();
    let path = bob.home().join("tail");
    let (told, mut file) = (BufReader::new(tail.stdout.take().unwrap()).lines(), fs::File::create(&path).unwrap());
    let reading = std::thread::spawn(move || {
        told.map_while(Result::ok).for_each(|line| std::io::Write::write_all(&mut file, line.as_bytes()).unwrap());
    });
    until("it is told", || {
        // Whether bob looks may not have got here before.
        alice.ask("typing", serde_json::json!({"room": "lobby"}));
        fs::read_to_string(&path).unwrap().contains("alice is typing in lobby")
    });
    tail.kill().unwrap();
    tail.wait().unwrap();
    reading.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_cancelled_for_who_is_away() {
    let town = lobby().await;
    let Town { alice, bob, .. } = &town;
    bob.does("logout");
    let said = alice.objects("say lobby nevermind").remove(0);
    let id = said["id"].as_str().unwrap();
    assert_eq!(alice.objects("outbox")[0]["id"], id);
    assert_eq!(alice.objects(&format!("cancel {id}"))[0]["cancelled"][0], "bob");
    assert_eq!(alice.objects("outbox"), [] as [Value; 0]);
    bob.logs_in(town.tracker(), &[]);
    alice.says("lobby", "hello again");
    assert!(!bob.does("history lobby").contains("nevermind"));
}
