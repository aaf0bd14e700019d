//! Bots: over `peer rpc`, and the examples, restarted in the middle.

#![cfg(feature = "host")]

mod person;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use person::{Person, tracker};
use serde_json::{Value, json};

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A program that ends with the test, and with it all that it has started.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Running {
        Running(command.process_group(0).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let group = Pid::from_raw(i32::try_from(self.0.id()).unwrap());
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.0.wait();
    }
}

fn peer(home: &Path) -> Command {
    let mut peer = Command::new(env!("CARGO_BIN_EXE_peer"));
    peer.env_clear().env("ROLLCALL_HOME", home);
    peer
}

/// A bot that has `peer rpc` in between.
struct Bot(Running);

impl Bot {
    fn start(home: &Path) -> Bot {
        Bot(Running::start(peer(home).arg("rpc").stdin(Stdio::piped()).stdout(Stdio::piped())))
    }

    fn ask(&mut self, method: &str, params: Value) {
        let request = json!({"jsonrpc": "2.0", "id": method, "method": method, "params": params});
        writeln!(self.0.0.stdin.as_mut().unwrap(), "{request}").unwrap();
    }

    /// The cursors of the next events, and then it is killed without a word.
    fn take(mut self, since: u64, count: usize) -> Vec<u64> {
        self.ask("tail", json!({"since": since, "follow": true}));
        let lines = BufReader::new(self.0.0.stdout.take().unwrap()).lines();
        lines
            .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
            .filter_map(|told| told["params"]["cursor"].as_u64())
            .take(count)
            .collect()
    }
}

fn cursors(person: &Person) -> Vec<u64> {
    let all = person.does("tail --since 0 --json");
    all.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["cursor"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_keeps_its_cursor_sees_each_event_once_whoever_is_restarted() {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(ANY_PORT, data.path()).await;
    let alice = Person::new();
    assert_eq!(alice.log_in(host.address(), &[]).0, 0);
    alice.does("join lobby");
    (0..10).for_each(|n| drop(alice.does(&format!("say lobby a{n}"))));

    let mut seen = Bot::start(alice.0.path()).take(0, 6);
    // While it is away.
    (0..5).for_each(|n| drop(alice.does(&format!("say lobby b{n}"))));
    seen.extend(Bot::start(alice.0.path()).take(*seen.last().unwrap(), 7));
    alice.does("logout");
    assert_eq!(alice.log_in(host.address(), &[]).0, 0);
    alice.does("say lobby last");

    let all = cursors(&alice);
    let rest = all.len() - seen.len();
    seen.extend(Bot::start(alice.0.path()).take(*seen.last().unwrap(), rest));
    assert_eq!(seen, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn rpc_ends_with_its_input_once_all_is_answered_and_with_3_when_the_session_ends_first() {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(ANY_PORT, data.path()).await;
    let alice = Person::new();
    assert_eq!(alice.log_in(host.address(), &[]).0, 0);
    alice.does("join lobby");
    let mut rpc = peer(alice.0.path()).arg("rpc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut requests = String::new();
    for id in 0..50 {
        let params = json!({"room": "lobby", "text": id.to_string()});
        requests += &format!("{}\n", json!({"jsonrpc": "2.0", "id": id, "method": "say", "params": params}));
    }
    rpc.stdin.take().unwrap().write_all(requests.as_bytes()).unwrap();
    let output = rpc.wait_with_output().unwrap();
    let ids: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone())
        .collect();
    assert_eq!((output.status.code(), ids), (Some(0), (0..50).map(|id| json!(id)).collect()));

    let mut bot = Bot::start(alice.0.path());
    bot.ask("status", json!({}));
    let mut line = String::new();
    BufReader::new(bot.0.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    alice.does("logout");
    assert_eq!(bot.0.0.wait().unwrap().code(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bot_marks_as_read_is_counted_no_more_and_others_are_told() {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(ANY_PORT, data.path()).await;
    let (alice, bob) = (Person::new(), Person::new());
    assert_eq!(alice.log_in(host.address(), &[]).0, 0);
    assert_eq!(bob.log_in_as("bob", host.address(), &[]).0, 0);
    alice.does("join lobby");
    bob.does("join lobby");
    bob.does("say lobby one --wait 20");
    bob.does("say lobby @alice --wait 20");
    let chat = || serde_json::from_str::<Value>(alice.does("chats --json").trim()).unwrap();
    let counts = |chat: &Value| [&chat["unread"], &chat["mentions"]].map(|count| count.as_u64().unwrap());
    let before = chat();
    assert_eq!(counts(&before), [2, 1]);

    let mut other = Bot::start(alice.0.path());
    let since = before["counted"].clone();
    other.ask("tail", json!({"room": "lobby", "since": since, "follow": true, "receipts": true}));
    let mut lines = BufReader::new(other.0.0.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("result"));

    let mut bot = Bot::start(alice.0.path());
    bot.ask("mark_read", json!({"room": "Lobby"}));
    let mut line = String::new();
    BufReader::new(bot.0.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let answer: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(answer["result"], json!({"room": "lobby", "cursor": since}));
    let told: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(told["params"], json!({"event": "read", "room": "lobby", "cursor": since}));
    assert_eq!(counts(&chat()), [0, 0]);
}

#[test]
fn what_the_socket_offers_is_told_without_a_session_and_with_a_version() {
    let home = tempfile::tempdir().unwrap();
    let output = peer(home.path()).args(["rpc", "--describe"]).output().unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &told["v"]), (Some(0), &json!(1)));
    let methods = told["methods"].as_array().unwrap();
    let say = methods.iter().find(|method| method["method"] == "say").unwrap();
    assert_eq!((&say["params"]["room"], &say["result"]), (&json!("room"), &json!("Said")));
    assert_eq!(told["objects"]["Message"]["mentions_me"], json!("bool?"));
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/examples").join(name)
}

/// Waits until bob's bot has dealt with all that happened so far, and this afterwards; it has answered so many pings.
fn answered(bob: &Person, kept: &Path, times: usize) {
    bob.does("say lobby over");
    let last = cursors(bob).last().copied();
    let end = Instant::now() + Duration::from_secs(30);
    while fs::read_to_string(kept).ok().and_then(|kept| kept.trim().parse().ok()) < last {
        assert!(Instant::now() < end, "it has not dealt with everything in time");
        std::thread::sleep(Duration::from_millis(20));
    }
    let history = bob.does("history lobby --limit 100 --json");
    assert_eq!(history.matches("\"text\":\"pong, alice\"").count(), times, "{history}");
}

/// Alice pings, the bot of bob's session answers; both it and his session are restarted.
async fn plays(bot: impl Fn(&Person, &Path) -> Command) {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(ANY_PORT, data.path()).await;
    let (alice, bob) = (Person::new(), Person::new());
    assert_eq!(alice.log_in(host.address(), &[]).0, 0);
    assert_eq!(bob.log_in_as("bob", host.address(), &[]).0, 0);
    alice.does("join lobby");
    bob.does("join lobby");
    let kept = bob.0.path().join("cursor");
    let start = || Running::start(bot(&bob, &kept).stdin(Stdio::null()).stdout(Stdio::null()));
    let ping = || drop(alice.does("say lobby !ping --wait 20"));
    let running = start();
    ping();
    answered(&bob, &kept, 1);
    drop(running);
    ping();
    let _running = start();
    answered(&bob, &kept, 2);
    bob.does("logout");
    alice.does("say lobby !ping");
    assert_eq!(bob.log_in_as("bob", host.address(), &[]).0, 0);
    alice.does("say lobby !ping --wait 20");
    answered(&bob, &kept, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_in_python_answers_each_ping_once_whoever_is_restarted() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("there is no python3 here: its bot is not tried");
        return;
    }
    plays(|bob, kept| {
        let mut bot = Command::new("python3");
        bot.arg(example("ping.py")).arg(bob.0.path().join("bob.sock")).arg(kept);
        bot
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_of_the_shell_answers_each_ping_once_whoever_is_restarted() {
    plays(|bob, kept| {
        let here = Path::new(env!("CARGO_BIN_EXE_peer")).parent().unwrap();
        let path = format!("{}:{}", here.display(), std::env::var("PATH").unwrap_or_default());
        let mut bot = Command::new("sh");
        bot.arg(example("ping.sh")).arg(kept).env("PATH", path).env("ROLLCALL_HOME", bob.0.path());
        bot
    })
    .await;
}
