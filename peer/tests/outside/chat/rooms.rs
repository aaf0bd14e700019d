//! Going to rooms and making them.

use serde_json::{Value, json};

use super::{Row, Stage, after, row};
use crate::town::{Town, until};

fn topic(stage: &Stage) -> Value {
    stage.alice.ask("table", json!({"room": "club"}))["topic"].clone()
}

/// Alice is in no room yet.
pub const ROWS: &[Row] = &[
    row("/join den", |stage| stage.bob.room("den")["members"] == 1 && stage.alice.room("den")["joined"] == true),
    row("what is typed goes there", |stage| stage.alice.last("den")["text"] == "what is typed goes there"),
    row("/rooms", |stage| stage.shows("den")),
    after(
        |stage| {
            stage.bob.ask("join", json!({"room": "den"}));
            until("she knows", || stage.alice.member("den", "bob")["online"] == true);
        },
        "/who",
        |stage| stage.shows("alice") && stage.shows("bob"),
    ),
    row("/members den", |stage| stage.shows("alice") && stage.shows("bob")),
    row("/names", |stage| stage.shows("alice") && stage.shows("bob")),
    row("/create club --approval --private --history all --topic \"tea and cake\"", |stage| {
        let table = stage.alice.room("club");
        let is = |field: &str, value: Value| table[field] == value;
        is("approval", true.into())
            && is("private", true.into())
            && is("history", "all".into())
            && is("joined", true.into())
    }),
    row("/topic", |stage| stage.shows("tea and cake")),
    row("/topic coffee or tea", |stage| topic(stage) == "coffee or tea"),
    row("/topic \"\"", |stage| topic(stage) == ""),
    row("/leave", |stage| stage.alice.room("club")["joined"] != true),
    row("/leave den", |stage| stage.bob.member("den", "alice").is_null()),
    row("/join den", |stage| stage.bob.member("den", "alice")["online"] == true),
    row("/part", |stage| stage.bob.member("den", "alice").is_null()),
];

#[tokio::test(flavor = "multi_thread")]
async fn rooms() {
    let town = Town::of(&["alice", "bob"]).await;
    Stage::new(town).plays(ROWS);
}
