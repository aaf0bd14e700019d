//! The line itself: what is wrong with it, which session is meant, what goes where.

use std::{
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    process::Stdio,
};

use serde_json::{Value, json};

use super::{ended, event, home, peer, result, run, session};

#[test]
fn a_command_line_that_is_wrong_ends_with_2_and_says_so_on_stderr() {
    let home = home();
    for arguments in [
        &["dance"][..],
        &["say", "lobby"],
        &["join", "a b"],
        &["say", "lobby", "x", "--wait", "-1"],
        &["login", "alice", "--headless", "--detach"],
        &["login", "alice", "--upload-limit", "fast"],
        &["share", "lobby"],
        &["get", "lobby"],
        &["get", "lobby", "x", "--limit", "2X"],
        &["get", "lobby", "x", "--open", "--detach"],
        &["pause", "cat.jpg"],
        &["cancel", "cat.jpg"],
        &["limit", "--up", "-1"],
    ] {
        let (code, out, err) = run(home.path(), arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(!err.is_empty() && !err.contains("Usage") && !err.contains("tip:") && !err.contains('<'), "{err}");
    }
}

#[test]
fn without_a_session_it_ends_with_3_and_says_how_to_log_in() {
    let home = home();
    // A socket left by a crash is no session.
    drop(UnixListener::bind(home.path().join("alice.sock")).unwrap());
    for arguments in [&["status"][..], &["status", "--as", "bob"]] {
        let (code, out, err) = run(home.path(), arguments);
        assert_eq!((code, out.as_str()), (3, ""));
        assert!(err.contains("peer login "), "{err}");
    }
}

#[test]
fn of_several_sessions_one_is_to_be_named() {
    let home = home();
    let answer = |members: u64| {
        move |_: &str, _: &Value| {
            result(json!([{"room": "lobby", "members": members, "joined": true, "approval": false}]))
        }
    };
    let _alice = session(home.path(), "alice", answer(1));
    let _bob = session(home.path(), "bob", answer(2));
    let (code, _, err) = run(home.path(), &["rooms"]);
    assert_eq!(code, 1);
    assert!(err.contains("alice, bob") && err.contains("--as alice"), "{err}");
    let (code, out, _) = run(home.path(), &["rooms", "--as", "Bob", "--json"]);
    assert_eq!((code, out.contains("\"members\":2")), (0, true), "{out}");
    let (_, out, _) = ended(peer(home.path()).args(["rooms", "--json"]).env("ROLLCALL_AS", "alice").output().unwrap());
    assert!(out.contains("\"members\":1"), "{out}");
}

#[test]
fn json_is_one_object_a_line_each_with_the_version() {
    let home = home();
    let _alice = session(home.path(), "alice", |_, _| {
        result(json!([
            {"room": "lobby", "members": 2, "joined": true, "approval": false},
            {"room": "den", "members": 1, "joined": false, "approval": true, "history": "all", "topic": "a\u{1b}b"},
        ]))
    });
    let (code, out, err) = run(home.path(), &["rooms", "--json"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(
        lines,
        [
            r#"{"v":1,"room":"lobby","members":2,"joined":true,"approval":false,"history":"joined","private":false,"topic":""}"#,
            r#"{"v":1,"room":"den","members":1,"joined":false,"approval":true,"history":"all","private":false,"topic":"a\u001bb"}"#,
        ]
    );
    let (_, out, _) = run(home.path(), &["rooms"]);
    let table = "ROOM   MEMBERS  JOINED  APPROVAL  HISTORY  TOPIC\n\
                 lobby  2        yes     no        joined\n\
                 den    1        no      yes       all      a\\u{1b}b\n";
    assert_eq!(out, table);
}

#[test]
fn a_refusal_goes_to_stderr_and_its_code_is_the_exit_code() {
    let home = home();
    let _alice =
        session(home.path(), "alice", |_, _| vec![json!({"error": {"code": 4, "message": "another key\u{7}"}})]);
    let (code, out, err) = run(home.path(), &["join", "lobby", "--json"]);
    assert_eq!((code, out.as_str(), err.as_str()), (4, "", "peer: another key\\u{7}\n"));
}

#[test]
fn who_reads_the_output_may_stop_reading() {
    let home = home();
    let _alice = session(home.path(), "alice", |_, _| {
        let mut lines: Vec<Value> = (0..5_000).map(|cursor| event(cursor, "so much to read")).collect();
        lines.push(json!({"result": {}}));
        lines
    });
    let mut child = peer(home.path()).arg("tail").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut some = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    let (code, _, err) = ended(child.wait_with_output().unwrap());
    assert_eq!((code, err.as_str()), (0, ""));
}

#[test]
fn rpc_ends_with_3_when_the_session_ends_before_all_is_answered() {
    let request = r#"{"jsonrpc":"2.0","id":1,"method":"status"}"#;
    let bridge = |serve: fn(UnixStream)| {
        let home = home();
        let listener = UnixListener::bind(home.path().join("alice.sock")).unwrap();
        let mut child = peer(home.path())
            .args(["rpc", "--as", "alice"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stream, _) = listener.accept().unwrap();
        writeln!(child.stdin.take().unwrap(), "{request}").unwrap();
        serve(stream);
        ended(child.wait_with_output().unwrap())
    };
    let (code, out, _) = bridge(|mut stream| {
        stream.read_to_string(&mut String::new()).unwrap();
        writeln!(stream, r#"{{"jsonrpc":"2.0","method":"event","params":{{}}}}"#).unwrap();
    });
    assert_eq!((code, out.lines().count()), (3, 1), "an event is no answer");
    let (code, ..) = bridge(|mut stream| {
        stream.read_to_string(&mut String::new()).unwrap();
        writeln!(stream, r#"{{"jsonrpc":"2.0","id":1,"result":{{}}}}"#).unwrap();
    });
    assert_eq!(code, 0);
}
