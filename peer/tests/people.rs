//! Contacts, conversations of two, and keys, by the program.

#![cfg(feature = "host")]

mod person;

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use person::{Person, tracker, until};
use tracker::{
    Host,
    core::{
        accounts::{Outcome, Wanted},
        invitations::hash_of,
    },
};

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Two who are logged in, and contacts.
async fn befriended(data: &Path) -> (Host, Person, Person) {
    let host = tracker(ANY_PORT, data).await;
    let (alice, bob) = (Person::new(), Person::new());
    assert_eq!(alice.log_in(host.address(), &[]), (0, String::new()));
    assert_eq!(bob.log_in_as("bob", host.address(), &[]), (0, String::new()));
    alice.does("add bob");
    assert!(bob.does("contacts").contains("asks"));
    bob.does("accept alice");
    (host, alice, bob)
}

fn shows(person: &Person, command: &str, text: &str) -> bool {
    person.does(command).contains(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_see_each_other_and_what_one_says_to_the_other_is_delivered() {
    let data = tempfile::tempdir().unwrap();
    let (_host, alice, bob) = befriended(data.path()).await;
    until("alice sees bob", || shows(&alice, "contacts --json", r#""state":"contact","online":true"#).then_some(()));
    assert!(alice.does("add bob").contains("already"));
    assert!(alice.does("msg bob hello --wait 20").contains("delivered to bob"));
    assert!(bob.does("history @alice").contains("alice: hello"));
    assert!(bob.does("chats").contains("alice: hello"));
    let (code, _, err) = alice.run(&["remove", "carol"]);
    assert!(code == 1 && err.contains("carol"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_a_conversation_of_two_comes_with_what_it_answers_as_it_happens() {
    let data = tempfile::tempdir().unwrap();
    let (_host, alice, bob) = befriended(data.path()).await;
    alice.does("msg bob tea? --wait 20");
    let asked: serde_json::Value = serde_json::from_str(bob.does("history @alice --json").trim()).unwrap();
    let mut follow = Command::new(env!("CARGO_BIN_EXE_peer"));
    follow.args(["tail", "@bob", "--follow", "--json"]).env_clear().env("ROLLCALL_HOME", alice.0.path());
    let mut following = Session(follow.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(following.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("tea?")), "the past is over");
    bob.does(&format!("say @alice yes --reply {} --wait 20", asked["id"].as_str().unwrap()));
    let answer = lines.find(|line| line.contains(r#""text":"yes""#)).unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((&answer["quote"]["from"], &answer["quote"]["text"]), (&"alice".into(), &"tea?".into()), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_blocked_person_says_comes_once_the_block_is_lifted() {
    let data = tempfile::tempdir().unwrap();
    let (_host, alice, bob) = befriended(data.path()).await;
    assert!(alice.does("msg bob one --wait 20").contains("delivered to bob"));
    bob.does("block alice");
    let (code, ..) = alice.run(&["msg", "bob", "two", "--wait", "1"]);
    assert_eq!(code, 5);
    assert!(!bob.does("history @alice").contains("two"));
    bob.does("unblock alice");
    until("it comes", || shows(&bob, "history @alice", "alice: two").then_some(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_made_while_the_tracker_is_away_holds_when_it_is_back() {
    let data = tempfile::tempdir().unwrap();
    let (host, alice, bob) = befriended(data.path()).await;
    let address = host.address();
    host.stop().await.unwrap();
    until("bob knows", || shows(&bob, "status", " down").then_some(()));
    bob.does("block alice");
    let _host = tracker(address, data.path()).await;
    until("bob is offline to alice", || shows(&alice, "contacts --json", r#""online":false"#).then_some(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_under_a_known_name_stops_the_exchange_until_it_is_trusted() {
    let data = tempfile::tempdir().unwrap();
    let (host, alice, bob) = befriended(data.path()).await;
    alice.does("verify bob --done");
    assert!(alice.does("contacts --json").contains(r#""verified":true"#));
    let token = "0123456789abcdef0123456789abcdef";
    let wanted = Wanted::ResetKey { name: "bob".parse().unwrap(), hash: hash_of(token).unwrap() };
    assert_eq!(host.asker().operate(wanted).await, Some(Outcome::Done));
    let again = Person::new();
    assert_eq!(again.log_in_as("bob", host.address(), &["--invite", token]), (0, String::new()));
    until("the session of the lost key ends", || (bob.run(&["status"]).0 == 3).then_some(()));
    until("alice is told", || shows(&alice, "contacts --json", r#""state":"identity""#).then_some(()));
    let (code, _, err) = alice.run(&["msg", "bob", "hello"]);
    assert!(code == 4 && err.contains("peer trust bob"), "{err}");
    assert!(alice.does("trust bob").contains("safety number"));
    assert!(alice.does("msg bob hello --wait 20").contains("delivered to bob"));
    assert!(alice.does("contacts --json").contains(r#""verified":false"#));
    let (code, _, err) = alice.run(&["trust", "bob"]);
    assert!(code == 1 && err.contains("nothing to decide"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_account_is_removed_ends() {
    let data = tempfile::tempdir().unwrap();
    let (host, alice, bob) = befriended(data.path()).await;
    let wanted = Wanted::RemoveAccount { name: "bob".parse().unwrap() };
    assert_eq!(host.asker().operate(wanted).await, Some(Outcome::Done));
    until("bob's session ends", || (bob.run(&["status"]).0 == 3).then_some(()));
    assert_eq!(alice.does("contacts --json"), "");
}

/// A session without a tracker; it ends with this.
struct Session(Child);

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_without_a_tracker_talk_once_one_listens_and_the_other_connects() {
    let (alice, bob) = (Person::new(), Person::new());
    let start = |person: &Person, arguments: &[&str]| {
        let mut peer = Command::new(env!("CARGO_BIN_EXE_peer"));
        peer.args(arguments).env_clear().env("ROLLCALL_HOME", person.0.path());
        let mut child = peer.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        (Session(child), first, lines)
    };
    let (_listens, first, _lines) = start(&alice, &["listen", "--as", "alice", "--headless", "--json"]);
    let status: serde_json::Value = serde_json::from_str(alice.does("status --json").trim()).unwrap();
    let port = status["address"].as_str().unwrap().rsplit(':').next().unwrap().to_string();
    assert!(first.contains("\"v\":1"), "{first}");
    let to = format!("127.0.0.1:{port}");
    let (_connects, first, _lines) = start(&bob, &["connect", &to, "--as", "bob", "--headless", "--json"]);
    assert!(first.contains("\"v\":1"), "{first}");
    until("bob knows alice", || (bob.run(&["msg", "alice", "hello"]).0 == 0).then_some(()));
    until("it is delivered", || shows(&alice, "history @bob", "bob: hello").then_some(()));
    until("its receipt is back", || bob.does("outbox --json").is_empty().then_some(()));
}
