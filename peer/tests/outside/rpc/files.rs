//! Files, and what is on its way.

use std::fs;

use serde_json::{Value, json};

use super::{Row, Stage, row};
use crate::town::{Town, until};

/// Bob shares a file of his own.
fn bob_shares(stage: &Stage, name: &str, text: &str) {
    fs::write(stage.path(name), text).unwrap();
    stage.bob.ask("share", json!({"room": "lobby", "paths": [stage.path(name)]}));
    until("she sees it", || stage.alice.file("lobby", name)["whole"] == 1);
}

fn state(stage: &Stage) -> Value {
    stage.alice.ask("transfer", json!({"id": 1}))["state"].clone()
}

/// Alice and bob are in the lobby.
pub const ROWS: &[Row] = &[
    row(
        "share",
        "room paths",
        |stage| {
            fs::write(stage.path("cat.txt"), "miaow").unwrap();
            json!({"room": "lobby", "paths": [stage.path("cat.txt")]})
        },
        |stage, told| told[0]["name"] == "cat.txt" && stage.bob.file("lobby", "cat.txt")["from"] == json!(["alice"]),
    ),
    row(
        "files",
        "room",
        |_| json!({"room": "lobby"}),
        |stage, told| {
            told[0]["size"] == 5 && told[0]["here"] == "whole" && told[0]["path"] == json!(stage.path("cat.txt"))
        },
    ),
    row(
        "unshare",
        "room file",
        |_| json!({"room": "lobby", "file": "cat.txt"}),
        |stage, _| stage.bob.file("lobby", "cat.txt").is_null(),
    ),
    row(
        "limit",
        "up down",
        |_| json!({"up": 1 << 20, "down": 8 << 10}),
        |stage, told| *told == json!({"up": 1 << 20, "down": 8 << 10}) && *told == stage.alice.ask("limit", json!({})),
    ),
    row(
        "get",
        "room file to",
        |stage| {
            bob_shares(stage, "big.txt", &"b".repeat(1 << 20));
            json!({"room": "lobby", "file": "big.txt", "to": stage.path("got.txt")})
        },
        |stage, told| told["id"] == 1 && state(stage) == "fetching",
    ),
    row("transfers", "", |_| json!({}), |_, told| told[0]["name"] == "big.txt" && told[0]["total"] == 1 << 20),
    row("transfer", "id", |_| json!({"id": 1}), |_, told| told["name"] == "big.txt" && told["room"] == "lobby"),
    row("pause", "id", |_| json!({"id": 1}), |stage, _| state(stage) == "paused"),
    row("resume", "id", |_| json!({"id": 1}), |stage, _| state(stage) == "fetching"),
    row(
        "cancel_transfer",
        "id",
        |_| json!({"id": 1}),
        |stage, _| state(stage) == "cancelled" && !stage.path("got.txt").exists(),
    ),
    row("limit", "down", |_| json!({"down": 0}), |_, told| told["up"] == 1 << 20 && told["down"] == 0),
    row(
        "get",
        "room file to overwrite limit",
        |stage| {
            bob_shares(stage, "new.txt", "new");
            fs::write(stage.path("old.txt"), "old").unwrap();
            let to = stage.path("old.txt");
            json!({"room": "lobby", "file": "new.txt", "to": to, "overwrite": true, "limit": 1 << 20})
        },
        |stage, _| fs::read_to_string(stage.path("old.txt")).unwrap() == "new",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn files() {
    let town = Town::of(&["alice", "bob"]).await;
    town.gather("lobby", &[&town.alice, &town.bob]);
    Stage::new(town).plays(ROWS);
}
