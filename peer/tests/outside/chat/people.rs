//! Contacts, who they really are, and chats without a tracker.

use serde_json::{Value, json};

use super::{Row, Stage, after, row};
use crate::town::{Town, until};

fn book(stage: &Stage) -> Value {
    stage.alice.ask("book", json!({}))
}

fn identity(stage: &Stage) -> Value {
    stage.alice.ask("verify", json!({"name": "bob"}))
}

/// Alice is in no room, and dave is nobody whom she knows.
pub const ROWS: &[Row] = &[
    row("/add bob", |stage| stage.bob.contact("alice")["state"] == "asks"),
    after(
        |stage| drop(stage.bob.ask("accept_contact", json!({"name": "alice"}))),
        "/contacts",
        |stage| stage.shows("bob"),
    ),
    after(
        |stage| drop(stage.carol.ask("add", json!({"name": "alice"}))),
        "/accept carol",
        |stage| stage.carol.contact("alice")["state"] == "contact",
    ),
    row("/remove carol", |stage| stage.carol.contact("alice").is_null()),
    after(
        |stage| drop(stage.carol.ask("add", json!({"name": "alice"}))),
        "/decline carol",
        |stage| stage.alice.contact("carol").is_null(),
    ),
    row("/verify bob", |stage| {
        let number = identity(stage)["safety_number"].as_str().unwrap().to_string();
        number.split(' ').all(|group| stage.shows(group)) && identity(stage)["verified"] == false
    }),
    row("/verify bob --done", |stage| identity(stage)["verified"] == true),
    row("/save bob --note \"from the lab\"", |stage| book(stage)[0]["note"] == "from the lab"),
    row("/book", |stage| stage.shows("from the lab")),
    row("/forget bob", |stage| book(stage) == json!([])),
    row("/listen", |stage| {
        let at = format!("127.0.0.1:{}", stage.alice.port());
        stage.shows("connect") && stage.dave.line().ask("connect", json!({"addresses": [at]})).is_ok()
    }),
    row("/connect 127.0.0.1:{port}", |stage| stage.shows("dave")),
    row("hello dave", |stage| stage.dave.last("@alice")["text"] == "hello dave"),
    row("/connect bob", |stage| stage.shows("bob")),
    row("hello bob", |stage| stage.bob.last("@alice")["text"] == "hello bob"),
    after(
        |stage| {
            stage.bob_comes_with_another_key();
            until("she is told", || stage.alice.contact("bob")["state"] == "identity");
        },
        "/trust bob",
        |stage| {
            let said = stage.alice.line().ask("say", json!({"room": "@bob", "text": "is it you?", "wait": 20}));
            said.is_ok_and(|said| said["pending"] == json!([])) && identity(stage)["verified"] == false
        },
    ),
    row("/block bob", |stage| stage.alice.contact("bob")["state"] == "blocked"),
    row("/unblock bob", |stage| stage.alice.contact("bob")["state"] != "blocked"),
];

#[tokio::test(flavor = "multi_thread")]
async fn people() {
    let town = Town::of(&["alice", "bob", "carol", "dave"]).await;
    Stage::new(town).plays(ROWS);
}
