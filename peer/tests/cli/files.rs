//! Files, shared and fetched.

use std::fs;

use serde_json::{Value, json};

use super::{ended, home, peer, result, run, session};

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
    let arguments = ["get", "lobby", "cat.jpg", "-o", "/downloads/cat.jpg", "--limit", "2M/s", "--overwrite"];
    let (code, out, err) = run(home.path(), &arguments);
    assert_eq!((code, out.as_str()), (0, "cat\\u{1b}.jpg (1.0 KiB) is here: /downloads/cat.jpg\n"));
    assert!(err.contains("is being fetched from lobby") && err.lines().count() == 1, "{err}");
    let get =
        json!({"room": "lobby", "file": "cat.jpg", "to": "/downloads/cat.jpg", "overwrite": true, "limit": 2 << 20});
    assert_eq!(asked.0.recv().unwrap(), ("get".into(), get));
    assert_eq!(asked.0.recv().unwrap(), ("transfer".into(), json!({"id": 1})));
}

#[test]
fn a_file_that_is_here_in_another_place_is_copied_to_the_one_that_is_named() {
    let home = home();
    let here = home.path().join("cat.jpg");
    fs::write(&here, "meow").unwrap();
    let root = blake3::hash(b"meow").to_hex().to_string();
    let done = json!({"path": here, "root": root, "size": 4, "name": "cat.jpg"});
    let _alice = session(home.path(), "alice", move |_, _| result(transfer(1, "done", 4, done.clone())));
    let to = home.path().join("copy.jpg");
    let get =
        |more: &[&str]| run(home.path(), &[&["get", "lobby", "cat.jpg", "-o", to.to_str().unwrap()], more].concat());
    let (code, out, err) = get(&[]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let (to, here) = (to.display(), here.display());
    assert_eq!(out, format!("cat.jpg (4 bytes) is here: {to}\nit was here already, and is copied from {here}\n"));
    assert_eq!(fs::read_to_string(to.to_string()).unwrap(), "meow");
    let (code, out, err) = get(&[]);
    assert!(
        code == 1 && out.is_empty() && err.contains("is there already") && err.contains("--overwrite"),
        "{out}{err}"
    );
    assert_eq!(get(&["--overwrite"]).0, 0);
}

#[test]
fn a_file_that_is_on_its_way_to_another_place_is_not_said_to_come_to_the_one_that_is_named() {
    let home = home();
    let _alice = session(home.path(), "alice", |_, _| result(transfer(1, "fetching", 0, json!({}))));
    let (code, out, err) = run(home.path(), &["get", "lobby", "cat.jpg", "-o", "/tmp/other.jpg"]);
    assert!(code == 1 && out.is_empty() && err.contains("to /downloads/cat.jpg already"), "{out}{err}");
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
        // The name that is shared could do harm; this is what it is here.
        _ => {
            result(transfer(1, "done", 1_024, json!({"path": format!("{}/cat_.jpg", params["to"].as_str().unwrap())})))
        }
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
