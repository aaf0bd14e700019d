//! The command line as a user of the shell sees it, against a control socket whose answers are written down here.

mod files;
mod line;
mod login;
mod past;
mod talk;

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixListener,
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
