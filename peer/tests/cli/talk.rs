//! Rooms, and what is said in them.

use std::{io::Write, process::Stdio};

use serde_json::{Value, json};

use super::{ended, home, peer, result, run, said, session};

#[test]
fn say_with_wait_ends_with_5_when_somebody_does_not_have_it() {
    let home = home();
    let asked = session(home.path(), "alice", |_, params| match params["wait"].is_null() {
        true => said(json!([]), json!(["bob"])),
        false => said(json!(["carol"]), json!(["bob"])),
    });
    let (code, out, err) = run(home.path(), &["say", "lobby", "hi", "--wait", "0.5", "--json"]);
    assert_eq!(code, 5);
    let out: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&out["v"], &out["delivered"], &out["pending"]), (&json!(1), &json!(["carol"]), &json!(["bob"])));
    assert!(err.contains("bob"), "{err}");
    assert_eq!(asked.0.recv().unwrap(), ("say".into(), json!({"room": "lobby", "text": "hi", "wait": 0.5})));
    assert_eq!(run(home.path(), &["say", "lobby", "hi"]).0, 0);
}

#[test]
fn receipts_end_with_how_far_it_is() {
    let home = home();
    let _alice = session(home.path(), "alice", |_, _| {
        result(json!([
            {"name": "bob", "delivered": true, "at": 0, "path": "direct"},
            {"name": "carol", "delivered": false, "at": null, "path": "none"},
            {"name": "dave", "delivered": false, "at": null, "path": "left"},
        ]))
    });
    let (code, out, _) = run(home.path(), &["receipts", "lobby/abababababababab/1"]);
    assert_eq!(code, 0);
    let last = "1 of 2, waiting for carol; dave is a member no more and not waited for";
    assert_eq!(out.lines().last(), Some(last), "{out}");
    let (_, out, _) = run(home.path(), &["receipts", "lobby/abababababababab/1", "--json"]);
    assert_eq!(out.lines().count(), 3);
}

#[test]
fn the_outbox_is_listed_and_what_waits_can_be_cancelled() {
    let home = home();
    let asked = session(home.path(), "alice", |method, _| match method {
        "outbox" => result(json!({"more": 5, "waiting": [
            {"id": "lobby/abababababababab/1", "room": "lobby", "seq": 1, "sent": 0, "text": "hi\u{1b}[2J",
             "pending": ["bob"]},
        ]})),
        _ => result(json!({"id": "lobby/abababababababab/1", "delivered": ["carol"], "cancelled": ["bob"]})),
    });
    let (code, out, err) = run(home.path(), &["outbox"]);
    assert_eq!(code, 0);
    assert!(out.ends_with("lobby/abababababababab/1  1970-01-01 00:00:00  bob        hi\\u{1b}[2J\n"), "{out}");
    assert!(err.contains("5 more"), "{err}");
    let (_, out, _) = run(home.path(), &["outbox", "--json"]);
    assert!(out.starts_with(r#"{"v":1,"id":"lobby/abababababababab/1","room":"lobby","seq":1,"#), "{out}");

    let (code, out, _) = run(home.path(), &["outbox", "--cancel", "lobby/abababababababab/1"]);
    assert_eq!(code, 0);
    assert!(out.contains("not sent to bob any more") && out.contains("carol already had it"), "{out}");
    let cancel = asked.0.iter().find(|(method, _)| method == "cancel").unwrap();
    assert_eq!(cancel.1, json!({"id": "lobby/abababababababab/1"}));
}

#[test]
fn what_is_said_may_come_from_stdin_and_has_a_limit() {
    let home = home();
    let asked = session(home.path(), "alice", |_, _| said(json!([]), json!([])));
    let say = |text: &str| {
        let mut child =
            peer(home.path()).args(["say", "lobby", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        ended(child.wait_with_output().unwrap())
    };
    assert_eq!(say("two\nlines\n").0, 0);
    assert_eq!(asked.0.recv().unwrap().1["text"], json!("two\nlines"));
    assert_eq!(say(&"é".repeat(8192)).0, 0);
    let (code, _, err) = say(&"é".repeat(8193));
    assert_eq!(code, 1);
    assert!(err.contains("16384 bytes"), "{err}");
}

#[test]
fn what_was_said_can_be_answered_edited_deleted_and_reacted_to() {
    const ID: &str = "lobby/9f86d081884c7d65/17";
    let home = home();
    let asked = session(home.path(), "alice", |_, _| said(json!(["bob"]), json!([])));
    let params = |arguments: &[&str]| {
        let (code, out, err) = run(home.path(), arguments);
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
        assert!(out.contains("delivered to bob"), "{out}");
        asked.0.recv().unwrap()
    };
    let (method, answer) = params(&["say", "lobby", "so do I", "--reply", ID]);
    assert_eq!((method.as_str(), answer), ("say", json!({"room": "lobby", "text": "so do I", "reply": ID})));
    assert_eq!(params(&["say", "lobby", "--me", "waves"]).1, json!({"room": "lobby", "text": "waves", "me": true}));
    assert_eq!(params(&["edit", ID, "better"]), ("edit".into(), json!({"id": ID, "text": "better"})));
    assert_eq!(params(&["delete", ID]), ("delete".into(), json!({"id": ID})));
    assert_eq!(params(&["react", ID, "👍"]), ("react".into(), json!({"id": ID, "text": "👍"})));
    assert_eq!(params(&["react", ID, "--undo"]), ("react".into(), json!({"id": ID, "text": ""})));
    assert_eq!(run(home.path(), &["react", ID]).0, 2);
}

#[test]
fn who_asks_to_join_is_told_so_and_the_command_has_done_what_it_should() {
    let home = home();
    let _alice = session(home.path(), "alice", |_, _| result(json!({"room": "den", "asked": true})));
    let (code, out, _) = run(home.path(), &["join", "den", "--json"]);
    assert_eq!((code, out.as_str()), (0, "{\"v\":1,\"room\":\"den\",\"asked\":true}\n"));
    let (code, out, _) = run(home.path(), &["join", "den"]);
    assert!(code == 0 && out.contains("asked") && out.contains("owner"), "{out}");
}

#[test]
fn each_command_about_a_room_asks_for_what_it_says() {
    let home = home();
    let asked = session(home.path(), "alice", |_, _| result(json!({"room": "den", "members": 1, "slot": 0})));
    let asks = |line: &str, method: &str, params: Value| {
        let (code, out, err) = run(home.path(), &line.split(' ').collect::<Vec<_>>());
        assert_eq!(code, 0, "{line}: {out}{err}");
        assert_eq!(asked.0.recv().unwrap(), (method.to_string(), params), "{line}");
    };
    let settings = json!({"room": "den", "history": "all", "approval": true, "private": true, "topic": "tea"});
    asks("create den --approval --private --history all --topic tea", "create", settings);
    let order = |more: Value| {
        let mut params = json!({"room": "den"});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        params
    };
    for (line, params) in [
        ("accept den bob", json!({"order": "decide", "name": "bob", "accept": true})),
        ("decline den bob", json!({"order": "decide", "name": "bob", "accept": false})),
        ("kick den bob", json!({"order": "remove", "name": "bob", "ban": false})),
        ("ban den bob", json!({"order": "remove", "name": "bob", "ban": true})),
        ("unban den bob", json!({"order": "unban", "name": "bob"})),
        ("promote den bob", json!({"order": "role", "name": "bob", "role": "moderator"})),
        ("promote den bob --demote", json!({"order": "role", "name": "bob", "role": "member"})),
        ("hand-over den bob", json!({"order": "role", "name": "bob", "role": "owner"})),
        ("topic den tea", json!({"order": "topic", "topic": "tea"})),
    ] {
        asks(line, "order", order(params));
    }
}

#[test]
fn what_has_changed_since_a_version_is_told_with_who_and_when() {
    let home = home();
    let asked = session(home.path(), "alice", |_, _| {
        result(json!({"since": "7.2", "version": "7.9", "unseen": [["7.3", "7.9"]], "changes": [
            {"cursor": 4, "room": "den", "name": "bob", "change": "removed", "version": "7.3", "by": "carol",
             "at": 1_000},
        ]}))
    });
    let (code, out, err) = run(home.path(), &["members", "den", "--since", "2"]);
    assert_eq!(asked.0.recv().unwrap(), ("changes".into(), json!({"room": "den", "since": "2"})));
    assert!(code == 0 && out.contains("1970-01-01 00:00:01") && out.contains("by carol"), "{out}");
    assert!(err.contains("7.3") && err.contains("not seen"), "{err}");
    let (_, out, _) = run(home.path(), &["members", "den", "--since", "2", "--json"]);
    assert!(out.starts_with("{\"v\":1,\"event\":\"member\""), "{out}");
}
