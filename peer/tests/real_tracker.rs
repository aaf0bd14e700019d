//! The program against a tracker on the loopback interface.

#![cfg(feature = "host")]

mod person;

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use person::{Person, tracker};

#[tokio::test(flavor = "multi_thread")]
async fn a_login_may_follow_a_logout_at_once() {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(SocketAddr::from(([127, 0, 0, 1], 0)), data.path()).await;
    let alice = Person::new();
    for _ in 0..3 {
        assert_eq!(alice.log_in(host.address(), &[]), (0, String::new()));
        assert_eq!(alice.run(&["logout"]), (0, "logged out\n".into(), String::new()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_found_in_any_case_and_an_unknown_one_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(SocketAddr::from(([127, 0, 0, 1], 0)), data.path()).await;
    let alice = Person::new();
    assert_eq!(alice.log_in(host.address(), &[]), (0, String::new()));
    assert_eq!(alice.run(&["join", "lobby"]).0, 0);
    assert_eq!(alice.run(&["say", "Lobby", "hello"]).0, 0);
    let (code, out, _) = alice.run(&["history", "LOBBY"]);
    assert_eq!((code, out.contains("alice: hello")), (0, true), "{out}");
    for command in ["history", "tail", "members", "leave"] {
        let (code, out, err) = alice.run(&[command, "nowhere"]);
        assert_eq!((code, out.as_str()), (1, ""), "{command}");
        assert!(err.contains("peer join nowhere"), "{err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_another_name_is_found_by_it_at_once_and_after_the_next_login() {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(SocketAddr::from(([127, 0, 0, 1], 0)), data.path()).await;
    let alice = Person::new();
    assert_eq!(alice.log_in(host.address(), &[]), (0, String::new()));
    alice.does("join lobby");
    alice.does("say lobby hello");
    assert!(alice.does("rename Zoe").contains("alice is Zoe now"));
    for name in ["alice", "zoe"] {
        assert!(alice.does(&format!("status --as {name}")).contains("Zoe@"), "{name}");
    }
    assert!(alice.does("tail lobby").contains("Zoe is the new name of alice"));
    alice.does("logout");
    for name in ["zoe", "alice"] {
        assert_eq!(alice.log_in_as(name, host.address(), &[]), (0, String::new()));
        assert!(alice.does("status").contains("Zoe@"), "{name}");
        assert!(alice.does("history lobby").contains("alice: hello"), "what was true when it was said");
        alice.does("logout");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_with_a_door_lets_in_whom_its_owner_lets_in_and_keeps_out_whom_it_puts_out() {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(SocketAddr::from(([127, 0, 0, 1], 0)), data.path()).await;
    let (alice, bob) = (Person::new(), Person::new());
    assert_eq!(alice.log_in(host.address(), &[]), (0, String::new()));
    assert_eq!(bob.log_in_as("bob", host.address(), &[]), (0, String::new()));
    alice.does("create den --approval --topic tea");
    assert!(bob.does("rooms --json").contains("\"approval\":true"));
    assert!(bob.does("join den --json").contains("\"asked\":true"));
    assert!(alice.does("requests den").contains("bob"));
    alice.does("accept den bob");
    assert!(alice.does("say den hello --wait 20").contains("delivered to bob"));
    assert_eq!(bob.does("topic den"), "the topic of den: tea\n");
    assert_eq!(alice.does("members den --digest"), bob.does("members den --digest"));
    let (code, _, err) = bob.run(&["kick", "den", "alice"]);
    assert!(code == 1 && err.contains("alice"), "{err}");
    alice.does("ban den bob");
    assert!(alice.does("members den --since 2").contains("bob is banned from den, by alice"));
    assert!(alice.does("bans den").contains("bob"));
    let (code, _, err) = bob.run(&["join", "den"]);
    assert!(code == 1 && err.contains("banned"), "{err}");
    assert!(bob.does("tail").contains("bob is banned from den, by alice"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tracker_in_the_place_of_the_known_one_is_accepted_only_by_its_key() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let host = tracker(SocketAddr::from(([127, 0, 0, 1], 0)), old.path()).await;
    let address = host.address();
    let alice = Person::new();
    assert_eq!(alice.log_in(address, &[]), (0, String::new()));
    assert_eq!(alice.run(&["logout"]).0, 0);
    host.stop().await.unwrap();

    let host = tracker(address, new.path()).await;
    let key = host.key().to_string();
    let (code, err) = alice.log_in(address, &[]);
    assert_eq!(code, 4, "{err}");
    assert!(err.contains(&format!("--tracker-key {key}")), "{err}");
    let (code, err) = alice.log_in(address, &["--tracker-key", &"ab".repeat(32)]);
    assert_eq!(code, 4, "{err}");
    assert_eq!(alice.log_in(address, &["--tracker-key", &key]), (0, String::new()));
    assert_eq!(alice.run(&["logout"]).0, 0);
    assert_eq!(alice.log_in(address, &[]), (0, String::new()), "it is the known one from now on");
}

/// Alice's session in the foreground, once it is logged in.
fn session_of(alice: &Person, tracker: SocketAddr) -> Child {
    let mut peer = Command::new(env!("CARGO_BIN_EXE_peer"));
    peer.args(["login", "alice", "--headless", "--tracker", &tracker.to_string()]);
    peer.env_clear().env("ROLLCALL_HOME", alice.0.path()).env("ROLLCALL_DESKTOP_NOTICES", "false");
    let mut session = peer.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(session.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
    assert!(ready.contains("\"ready\""), "{ready}");
    session
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tracker_that_comes_only_after_the_login_ends_the_session_with_that_reason() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let host = tracker(SocketAddr::from(([127, 0, 0, 1], 0)), old.path()).await;
    let address = host.address();
    let alice = Person::new();
    assert_eq!(alice.log_in(address, &[]), (0, String::new()));
    assert_eq!(alice.run(&["logout"]).0, 0);
    host.stop().await.unwrap();
    let session = session_of(&alice, address);

    let host = tracker(address, new.path()).await;
    let ended = session.wait_with_output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(4), "{told}");
    assert!(told.contains(&format!("--tracker-key {}", host.key())), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_terminal_is_closed_logs_out() {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(SocketAddr::from(([127, 0, 0, 1], 0)), data.path()).await;
    let alice = Person::new();
    let mut session = session_of(&alice, host.address());
    kill(Pid::from_raw(i32::try_from(session.id()).unwrap()), Signal::SIGHUP).unwrap();
    assert_eq!(session.wait().unwrap().code(), Some(0));
    assert!(!alice.0.path().join("alice.sock").exists(), "it was closed in order");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_can_be_edited_reacted_to_and_deleted_and_all_of_it_is_in_the_transcript() {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(SocketAddr::from(([127, 0, 0, 1], 0)), data.path()).await;
    let alice = Person::new();
    let chats = alice.0.path().join("chats");
    assert_eq!(alice.log_in(host.address(), &["--transcript", chats.to_str().unwrap()]), (0, String::new()));
    let done = |arguments: &[&str]| {
        let (code, out, err) = alice.run(arguments);
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
        out
    };
    done(&["join", "lobby"]);
    let said: serde_json::Value = serde_json::from_str(&done(&["say", "lobby", "lunch at noon", "--json"])).unwrap();
    let id = said["id"].as_str().unwrap();
    done(&["edit", id, "lunch at one"]);
    done(&["react", id, "👍"]);
    done(&["say", "lobby", "--reply", id, "so be it"]);
    let history = done(&["history", "lobby", "--ids"]);
    assert!(history.contains(&format!("{id} alice (edited): lunch at one\n  👍 alice\n")), "{history}");
    assert!(history.contains("  ↳ alice: lunch at one\n") && !history.contains("noon"), "{history}");
    let found = done(&["history", "lobby", "--search", "noon"]);
    assert_eq!(found, "", "that is not what it says any more");
    done(&["delete", id]);
    let history = done(&["history", "lobby"]);
    assert!(history.contains("alice (deleted)\n") && !history.contains("lunch"), "{history}");
    let (code, _, err) = alice.run(&["edit", id, "no, at two"]);
    assert!(code == 1 && err.contains("taken back"), "{err}");
    let written = async {
        loop {
            let text = std::fs::read_to_string(chats.join("lobby.txt")).unwrap_or_default();
            if text.contains("alice (deleted number 1)") {
                break text;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let text = tokio::time::timeout(Duration::from_secs(20), written).await.expect("it is written in time");
    let lines: Vec<&str> = text.lines().filter_map(|line| line.split_once("] ").map(|(_, said)| said)).collect();
    let expected = ["* alice joined lobby", "alice: lunch at noon", "alice (edited): lunch at one"];
    assert_eq!(lines[..3], expected, "{text}");
    assert!(text.starts_with("== 20"), "{text}");
}
