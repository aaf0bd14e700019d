//! Contacts, keys, the address book, and chats without a tracker.

use std::{
    fs,
    io::{BufRead, BufReader},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::town::{Town, User, until};

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_to_be_a_contact_is_declined() {
    let Town { alice, bob, .. } = &Town::of(&["alice", "bob"]).await;
    bob.does("add alice");
    until("alice is asked", || alice.contact("bob")["state"] == "asks");
    alice.does("decline bob");
    assert_eq!(alice.objects("contacts"), [] as [Value; 0]);
    bob.does("add alice");
    until("alice may be asked again", || alice.contact("bob")["state"] == "asks");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_removes_a_contact_is_none_of_theirs_either() {
    let town = Town::of(&["alice", "bob"]).await;
    town.befriend(&town.alice, &town.bob);
    town.alice.does("remove bob");
    assert_eq!(town.alice.objects("contacts"), [] as [Value; 0]);
    until("bob sees it", || town.bob.objects("contacts").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hides_it_is_not_told_when_they_were_last_seen() {
    let town = Town::of(&["bob"]).await;
    let Town { alice, bob, carol, .. } = &town;
    alice.logs_in(town.tracker(), &["--hide-seen"]);
    carol.logs_in(town.tracker(), &[]);
    for other in [alice, carol] {
        town.befriend(bob, other);
        other.does("logout");
        until("bob sees them go", || bob.contact(other.name)["online"] == false);
    }
    assert!(bob.contact("carol")["seen"].is_number());
    assert!(bob.contact("alice")["seen"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_safety_number_is_shown_with_its_code_and_is_the_same_on_both_sides() {
    let town = Town::of(&["alice", "bob"]).await;
    town.befriend(&town.alice, &town.bob);
    let shown = town.alice.does("verify bob");
    let digits = |text: &str| {
        let lines = text.lines().skip_while(|line| *line != "safety number").skip(1).take(3);
        lines.flat_map(str::split_whitespace).collect::<String>()
    };
    let number = digits(&shown);
    assert!(number.len() == 60 && number.bytes().all(|digit| digit.is_ascii_digit()), "{shown}");
    assert_eq!(digits(&town.bob.does("verify alice")), number);
    let code = |text: &str| text.lines().filter(|line| line.contains(['█', '▀', '▄'])).count();
    assert!(code(&shown) > 10, "{shown}");
    assert_eq!(code(&town.alice.does("verify bob --no-qr")), 0);
    assert!(town.alice.does("verify bob --done").contains("bob is verified"));
    assert!(town.alice.does("verify bob").contains("is verified"));
}

fn names(user: &User) -> Vec<String> {
    user.objects("book").iter().map(|entry| entry["name"].as_str().unwrap().to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_book_is_written_to_a_file_emptied_and_read_from_it() {
    let town = Town::of(&["alice", "bob"]).await;
    let Town { alice, bob, carol, .. } = &town;
    town.befriend(alice, bob);
    alice.done(&["save", "bob", "--note", "from the lab"]);
    let file = alice.home().join("friends.toml");
    let file = file.to_str().unwrap();
    alice.done(&["book", "--export", file]);
    assert!(fs::read_to_string(file).unwrap().contains("from the lab"));
    alice.does("forget bob");
    assert_eq!(names(alice), [] as [&str; 0]);
    alice.done(&["book", "--import", file]);
    assert_eq!(names(alice), ["bob"]);
    carol.logs_in(town.tracker(), &[]);
    assert_eq!(carol.objects(&format!("book --import {file}"))[0]["taken"][0], "bob");
    assert!(carol.does("book").contains("from the lab"));
    let (code, _, err) = alice.run(&["book", "--import", "/nowhere/friends.toml"]);
    assert!(code == 1 && err.contains("/nowhere/friends.toml"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_known_with_another_key_is_not_imported() {
    let town = Town::of(&["alice", "bob", "carol"]).await;
    let Town { alice, bob, carol, .. } = &town;
    town.befriend(alice, bob);
    let key = &carol.objects("status")[0]["key"];
    let file = alice.home().join("wrong.toml");
    alice.does("save bob");
    alice.done(&["book", "--export", file.to_str().unwrap()]);
    let right = alice.objects("book").remove(0)["key"].as_str().unwrap().to_string();
    let wrong = fs::read_to_string(&file).unwrap().replace(&right, key.as_str().unwrap());
    fs::write(&file, wrong).unwrap();
    let (code, _, err) = alice.run(&["book", "--import", file.to_str().unwrap()]);
    assert!(code == 4 && err.contains("bob"), "{code} {err}");
    assert_eq!(alice.objects("book")[0]["key"], right.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_known_is_connected_to_by_name() {
    let town = Town::of(&["alice", "bob"]).await;
    town.befriend(&town.alice, &town.bob);
    let connected = town.alice.objects("connect bob").remove(0);
    assert_eq!((&connected["room"], &connected["name"]), (&"@bob".into(), &"bob".into()), "{connected}");
    assert!(town.alice.does("msg bob hello --wait 20").contains("delivered to bob"));
    let (code, _, err) = town.alice.run(&["connect", "zoe"]);
    assert!(code == 1 && err.contains("zoe"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_linked_by_a_room_is_connected_to_by_address() {
    let town = Town::of(&["alice", "bob"]).await;
    town.gather("lobby", &[&town.alice, &town.bob]);
    // Of two links, that which the smaller key has dialled stays: so it is tried from both sides.
    for (one, other) in [(&town.alice, &town.bob), (&town.bob, &town.alice)] {
        let connected = one.objects(&format!("connect 127.0.0.1:{}", other.port())).remove(0);
        assert_eq!(connected["name"], other.name, "{connected}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_known_is_let_in_for_as_long_as_listen_runs() {
    let Town { alice, bob, carol, .. } = &Town::of(&["alice", "bob", "carol"]).await;
    let at = format!("127.0.0.1:{}", alice.port());
    let mut listen = alice.command(&["listen", "--json"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(listen.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let told: Value = line.parse().unwrap();
    assert_eq!((&told["name"], &told["port"]), (&"alice".into(), &alice.port().into()), "{told}");
    assert!(bob.done(&["connect", &at]).contains("alice"));
    kill(Pid::from_raw(i32::try_from(listen.id()).unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(listen.wait().unwrap().code(), Some(0));
    let (code, _, err) = carol.run(&["connect", &at]);
    assert!(code == 3 && err.contains("peer listen"), "{err}");
    assert!(bob.does("msg alice hello --wait 20").contains("delivered to alice"), "who was let in stays");
}
