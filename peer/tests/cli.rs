//! The command line as a user of the shell sees it, against a control socket whose answers are written down here.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::UdpSocket,
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    process::{Command, Output, Stdio},
    sync::mpsc,
    thread,
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Answers every request of a session with `answer`: lines of results, notifications or errors.
fn session(home: &Path, name: &str, answer: impl Fn(&str, &Value) -> Vec<Value> + Send + 'static) -> Asked {
    let listener = UnixListener::bind(home.join(format!("{name}.sock"))).unwrap();
    let (asked, requests) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok) {
                let request: Value = serde_json::from_str(&line).unwrap();
                let method = request["method"].as_str().unwrap();
                let _ = asked.send((method.to_string(), request["params"].clone()));
                for mut line in answer(method, &request["params"]) {
                    line["jsonrpc"] = json!("2.0");
                    if line.get("method").is_none() {
                        line["id"] = request["id"].clone();
                    }
                    // The client may have seen enough.
                    let _ = writeln!(stream, "{line}");
                }
            }
        }
    });
    Asked(requests)
}

struct Asked(mpsc::Receiver<(String, Value)>);

fn result(result: Value) -> Vec<Value> {
    vec![json!({"result": result})]
}

fn event(cursor: u64, text: &str) -> Value {
    json!({"method": "event", "params": {
        "event": "message", "cursor": cursor, "id": "lobby/abababababababab/1", "room": "lobby", "from": "bob",
        "seq": 1, "stamp": "1.2", "sent": 0, "received": 0, "path": "direct", "text": text,
    }})
}

fn said(delivered: Value, pending: Value) -> Vec<Value> {
    result(json!({
        "id": "lobby/abababababababab/1", "room": "lobby", "seq": 1, "stamp": "1.2",
        "delivered": delivered, "pending": pending,
    }))
}

fn peer(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peer"));
    command.env_clear().env("ROLLCALL_HOME", home).env("TZ", "UTC").stdin(Stdio::null());
    command
}

fn run(home: &Path, arguments: &[&str]) -> (i32, String, String) {
    ended(peer(home).args(arguments).output().unwrap())
}

fn ended(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

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
        assert!(!err.is_empty());
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

#[test]
fn a_refusal_goes_to_stderr_and_its_code_is_the_exit_code() {
    let home = home();
    let _alice =
        session(home.path(), "alice", |_, _| vec![json!({"error": {"code": 4, "message": "another key\u{7}"}})]);
    let (code, out, err) = run(home.path(), &["join", "lobby", "--json"]);
    assert_eq!((code, out.as_str(), err.as_str()), (4, "", "peer: another key\\u{7}\n"));
}

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

fn transfer(id: u64, state: &str, done: u64, more: Value) -> Value {
    let mut transfer = json!({
        "id": id, "room": "lobby", "name": "cat\u{1b}.jpg", "root": "ab".repeat(32), "size": 1_024, "state": state,
        "path": "/downloads/cat.jpg", "done": done, "total": 1_024, "rate": 512, "left_s": 1,
        "sources": [{"name": "bob", "bytes": done}],
    });
    transfer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    transfer
}

#[test]
fn paths_that_are_shared_are_told_to_the_peer_from_the_root() {
    let home = home();
    let asked = session(home.path(), "alice", |_, params| {
        result(json!([{
            "room": params["room"], "name": "cat\u{1b}.jpg", "root": "ab".repeat(32), "size": 1_024, "from": ["alice"],
            "at": 0, "whole": 1, "part": 0, "here": "whole", "path": "/tmp/cat.jpg",
        }]))
    });
    let share = |arguments: &[&str]| {
        let (code, out, err) = ended(peer(home.path()).args(arguments).current_dir("/tmp").output().unwrap());
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
        assert!(out.contains("shared cat\\u{1b}.jpg (1.0 KiB) in"), "{out}");
        asked.0.recv().unwrap()
    };
    let paths = json!({"room": "lobby", "paths": ["/tmp/cat.jpg", "/etc/notes"]});
    assert_eq!(share(&["share", "lobby", "cat.jpg", "/etc/notes"]), ("share".into(), paths));
    assert_eq!(share(&["send", "bob", "./cat.jpg"]).1, json!({"room": "@bob", "paths": ["/tmp/cat.jpg"]}));
    let (_, out, _) = run(home.path(), &["files", "lobby"]);
    let table = "NAME           SIZE     TYPE  FROM   WHOLE  PART  HERE  ROOT      SHARED\n\
                 cat\\u{1b}.jpg  1.0 KiB  -     alice  1      0     yes   abababab  1970-01-01 00:00:00\n";
    assert_eq!(out, table);
}

#[test]
fn a_file_is_waited_for_until_it_is_here() {
    let home = home();
    let seen = std::sync::atomic::AtomicU64::new(0);
    let asked = session(home.path(), "alice", move |method, _| match method {
        "get" => result(transfer(1, "fetching", 0, json!({}))),
        _ => match seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => result(transfer(1, "fetching", 512, json!({}))),
            _ => result(transfer(1, "done", 1_024, json!({"rate": 0}))),
        },
    });
    let arguments = ["get", "lobby", "cat.jpg", "-o", "/tmp", "--limit", "2M/s", "--overwrite"];
    let (code, out, err) = run(home.path(), &arguments);
    assert_eq!((code, out.as_str()), (0, "cat\\u{1b}.jpg (1.0 KiB) is here: /downloads/cat.jpg\n"));
    assert!(err.contains("is being fetched from lobby") && err.lines().count() == 1, "{err}");
    let get = json!({"room": "lobby", "file": "cat.jpg", "to": "/tmp", "overwrite": true, "limit": 2 << 20});
    assert_eq!(asked.0.recv().unwrap(), ("get".into(), get));
    assert_eq!(asked.0.recv().unwrap(), ("transfer".into(), json!({"id": 1})));
}

#[test]
fn as_json_each_change_of_a_transfer_is_an_event() {
    let home = home();
    let seen = std::sync::atomic::AtomicU64::new(0);
    let _alice = session(home.path(), "alice", move |method, _| match method {
        "get" => result(transfer(1, "checking", 0, json!({}))),
        _ => match seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => result(transfer(1, "fetching", 512, json!({}))),
            _ => result(transfer(1, "done", 1_024, json!({}))),
        },
    });
    let (code, out, err) = run(home.path(), &["get", "lobby", "cat.jpg", "--json"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let states: Vec<Value> =
        out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["state"].clone()).collect();
    assert_eq!(states, ["checking", "fetching", "done"]);
    assert!(out.starts_with(r#"{"v":1,"event":"transfer","id":1,"#), "{out}");
    let (_, out, _) = run(home.path(), &["get", "lobby", "cat.jpg", "--detach", "--json"]);
    assert!(out.starts_with(r#"{"v":1,"id":1,"#) && out.lines().count() == 1, "{out}");
}

#[test]
fn a_file_that_cannot_be_fetched_ends_with_1_and_one_that_does_not_come_with_3() {
    let home = home();
    let _alice = session(home.path(), "alice", |method, params| match (method, params["file"].as_str()) {
        ("get", Some("full")) => result(transfer(
            2,
            "failed",
            0,
            json!({"trouble": "the disk is full; when that is put right: peer resume 2"}),
        )),
        ("get", Some("gone")) => vec![json!({"error": {"code": 1, "message": "there is no file gone in lobby"}})],
        _ => result(transfer(1, "fetching", 0, json!({"trouble": "nobody who has it is here", "sources": []}))),
    });
    let (code, out, err) = run(home.path(), &["get", "lobby", "full"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("the disk is full") && err.contains("peer resume 2"), "{err}");
    let (code, _, err) = run(home.path(), &["get", "lobby", "gone"]);
    assert_eq!((code, err.as_str()), (1, "peer: there is no file gone in lobby\n"));
    let (code, _, err) = run(home.path(), &["get", "lobby", "cat.jpg", "--wait", "0.1"]);
    assert_eq!(code, 3);
    assert!(err.contains("nobody who has it is here") && err.contains("peer cancel 1"), "{err}");
}

#[test]
fn of_several_files_those_that_can_be_fetched_are_and_the_rest_is_told() {
    let home = home();
    let _alice = session(home.path(), "alice", |_, params| match params["file"].as_str() {
        Some("gone") => vec![json!({"error": {"code": 1, "message": "there is no file gone"}})],
        _ => result(transfer(1, "done", 1_024, json!({}))),
    });
    let folder = home.path().to_str().unwrap();
    let (code, out, err) = run(home.path(), &["get", "lobby", "a", "gone", "b", "-o", folder]);
    assert_eq!((code, out.lines().count()), (1, 2), "{out}{err}");
    assert!(err.contains("gone: there is no file gone"), "{err}");
    let (code, _, err) = run(home.path(), &["get", "lobby", "a", "b", "-o", &format!("{folder}/new")]);
    assert!(code == 1 && err.contains("mkdir"), "{err}");
    assert_eq!(run(home.path(), &["get", "lobby", "a", "b", "--open"]).0, 1);
}

#[test]
fn transfers_are_listed_stopped_and_limited() {
    let home = home();
    let asked = session(home.path(), "alice", |method, _| match method {
        "transfers" => result(json!([transfer(1, "fetching", 512, json!({}))])),
        "limit" => result(json!({"up": 2 << 20, "down": 0})),
        _ => result(transfer(1, "paused", 512, json!({}))),
    });
    let asks = |line: &str| {
        let (code, out, err) = run(home.path(), &line.split(' ').collect::<Vec<_>>());
        assert_eq!((code, err.as_str()), (0, ""), "{line}");
        let (method, params) = asked.0.recv().unwrap();
        (format!("{method} {params}"), out)
    };
    let (_, out) = asks("transfers");
    assert!(out.lines().nth(1).unwrap().ends_with("lobby  fetching  50 %  1.0 KiB  512 bytes/s  1 s   bob"), "{out}");
    assert_eq!(asks("pause 1").0, r#"pause {"id":1}"#);
    assert_eq!(asks("resume 1").0, r#"resume {"id":1}"#);
    assert_eq!(asks("cancel 1").0, r#"cancel_transfer {"id":1}"#);
    let (limit, out) = asks("limit --up 2M/s --down off");
    assert_eq!(limit, r#"limit {"down":0,"up":2097152}"#);
    assert_eq!(out, "files go out at: 2.0 MiB/s\nfiles come in at: no limit\n");
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
fn a_second_login_on_a_living_session_is_refused_with_its_process() {
    let home = home();
    let _alice = session(home.path(), "alice", |_, _| Vec::new());
    let (code, _, err) = run(home.path(), &["login", "alice", "--headless", "--tracker", "127.0.0.1:9"]);
    assert_eq!(code, 1);
    assert!(err.contains(&format!("already logged in here (process {})", std::process::id())), "{err}");
    assert!(err.contains("peer logout --as alice"), "{err}");
    let (code, _, err) = run(home.path(), &["login", "alice", "--detach", "--tracker", "127.0.0.1:9"]);
    assert_eq!((code, err.contains("peer: alice is already logged in")), (1, true), "{err}");
}

#[test]
fn a_port_that_is_taken_is_told_with_what_to_do() {
    let home = home();
    let taken = UdpSocket::bind("[::]:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let login = ["login", "alice", "--headless", "--tracker", "127.0.0.1:9"];
    let (code, _, err) = run(home.path(), &[&login[..], &["--port", &port]].concat());
    assert_eq!(code, 1);
    assert!(err.contains(&port) && err.contains("--port"), "{err}");
    fs::write(home.path().join("alice/profile.toml"), format!("port = {port}\n")).unwrap();
    let (code, _, err) = run(home.path(), &login);
    assert_eq!(code, 1);
    assert!(err.contains("peer login alice --port 0"), "{err}");
}

#[test]
fn a_config_with_an_unknown_setting_is_refused_with_the_nearest() {
    let home = home();
    fs::create_dir(home.path().join("config")).unwrap();
    fs::write(home.path().join("config/peer.toml"), "traker = 'x'\n").unwrap();
    let (code, _, err) = run(home.path(), &["login", "alice", "--headless"]);
    assert_eq!(code, 1);
    assert!(err.contains("did you mean \"tracker\"?"), "{err}");
}

#[test]
fn a_tracker_that_is_no_address_is_refused_before_anything_is_sent() {
    let home = home();
    let (code, _, err) = run(home.path(), &["login", "alice", "--headless", "--tracker", "box:nine"]);
    assert_eq!(code, 1);
    assert!(err.contains("box:nine") && err.contains("HOST:PORT"), "{err}");
    assert!(!home.path().join("alice.sock").exists());
}
