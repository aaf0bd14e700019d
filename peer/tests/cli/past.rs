//! What was said: following, reading back, writing it out.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use serde_json::json;

use super::{event, home, peer, result, run, session};

#[test]
fn a_tail_ends_with_the_past_unless_it_follows() {
    let home = home();
    let asked =
        session(home.path(), "alice", |_, _| vec![event(7, "one\u{1b}[2J"), json!({"result": {}}), event(8, "live")]);
    let (code, out, _) = run(home.path(), &["tail", "lobby", "--since", "6"]);
    assert_eq!((code, out.as_str()), (0, "1970-01-01 00:00:00 lobby bob: one\\u{1b}[2J\n"));
    assert_eq!(asked.0.recv().unwrap().1, json!({"room": "lobby", "since": 6, "follow": false}));

    let mut child = peer(home.path()).args(["tail", "-f", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.starts_with(r#"{"v":1,"event":"message","cursor":7,"#), "{first}");
    assert!(lines.next().unwrap().unwrap().contains(r#""cursor":8"#));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_history_is_read_page_by_page_and_from_a_cursor_on() {
    let home = home();
    let asked = session(home.path(), "alice", |method, _| match method {
        "history" => result(json!([event(5, "five")["params"]])),
        _ => {
            let joined = json!({"method": "event", "params": {
                "event": "member", "cursor": 7, "room": "lobby", "name": "bob", "change": "joined", "version": "1.2",
            }});
            vec![joined, event(8, "eight"), event(9, "nine"), json!({"result": {}})]
        }
    });
    let (code, out, _) = run(home.path(), &["history", "lobby", "--before", "6", "--limit", "1"]);
    assert_eq!((code, out.as_str()), (0, "1970-01-01 00:00:00 lobby bob: five\n"));
    let params = json!({"room": "lobby", "before": 6, "limit": 1});
    assert_eq!(asked.0.recv().unwrap(), ("history".to_string(), params));

    let (code, out, _) = run(home.path(), &["history", "lobby", "--since", "6", "--limit", "1"]);
    assert_eq!((code, out.as_str()), (0, "1970-01-01 00:00:00 lobby bob: eight\n"));
    let params = json!({"room": "lobby", "since": 6, "follow": false, "latest": true});
    assert_eq!(asked.0.recv().unwrap(), ("tail".to_string(), params));
    assert_eq!(run(home.path(), &["history", "lobby", "--since", "6", "--search", "x"]).0, 2);
}

#[test]
fn an_export_is_all_that_happened_as_text_or_json() {
    let home = home();
    let asked = session(home.path(), "alice", |_, _| {
        let joined = json!({"method": "event", "params": {
            "event": "member", "cursor": 1, "room": "lobby", "name": "bob", "change": "joined", "version": "1.2",
            "by": null,
        }});
        vec![joined, event(2, "one\n2026-01-01 eve: two"), json!({"result": {}})]
    });
    let (code, out, err) = run(home.path(), &["export", "lobby"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, "* bob joined lobby\n1970-01-01 00:00:00 bob: one\n    2026-01-01 eve: two\n");
    assert_eq!(asked.0.recv().unwrap().1, json!({"room": "lobby", "since": 0, "follow": false, "latest": true}));
    let (_, tail, _) = run(home.path(), &["tail", "lobby", "--since", "0", "--json"]);
    for arguments in [&["export", "lobby", "--json"][..], &["export", "lobby", "--format", "json"]] {
        assert_eq!(run(home.path(), arguments).1, tail);
    }
    assert_eq!(run(home.path(), &["export", "lobby", "--format", "xml"]).0, 2);
}

#[test]
fn an_export_of_all_names_the_rooms_and_keeps_to_the_time_asked_for() {
    let home = home();
    let asked = session(home.path(), "alice", |_, _| vec![event(2, "one"), json!({"result": {}})]);
    let (code, out, _) = run(home.path(), &["export", "--all", "--until", "1970-01-02T00:00:00Z"]);
    assert_eq!((code, out.as_str()), (0, "1970-01-01 00:00:00 lobby bob: one\n"));
    assert_eq!(asked.0.recv().unwrap().1, json!({"since": 0, "follow": false, "latest": true}));
    assert_eq!(run(home.path(), &["export", "--all", "--since", "2d"]).1, "");
    for wrong in [&["export"][..], &["export", "lobby", "--all"], &["export", "--all", "--since", "yesterday"]] {
        assert_eq!(run(home.path(), wrong).0, 2, "{wrong:?}");
    }
}

#[test]
fn who_follows_is_told_how_the_session_has_ended() {
    for (told, expected, words) in [(0, 3, "it was logged out by peer logout"), (4, 4, "the tracker has another key")] {
        let home = home();
        let _alice = session(home.path(), "alice", move |_, _| {
            vec![json!({"result": {}}), json!({"method": "ended", "params": {"code": told, "message": words}})]
        });
        let (code, out, err) = run(home.path(), &["tail", "--follow"]);
        assert_eq!((code, out.as_str()), (expected, ""), "{err}");
        assert!(err.contains(words), "{err}");
    }
}
