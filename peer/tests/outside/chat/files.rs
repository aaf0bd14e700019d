//! Files, and what is on its way.

use serde_json::{Value, json};

use super::{Row, Stage, after, row};
use crate::town::{Town, until};

fn transfer(stage: &Stage) -> Value {
    stage.alice.ask("transfers", json!({})).as_array().unwrap().last().cloned().unwrap_or_default()
}

/// Bob shares a file of his own.
fn bob_shares(stage: &Stage, name: &str, text: &str) {
    stage.file(name, text);
    stage.bob.ask("share", json!({"room": "lobby", "paths": [stage.folder.path().join(name)]}));
    until("she sees it", || stage.alice.file("lobby", name)["whole"] == 1);
}

/// Alice and bob are in the lobby, and carol, who is not logged in, in the attic with alice.
pub const ROWS: &[Row] = &[
    after(
        |stage| stage.file("my cat.txt", "miaow"),
        "/share '{folder}/my cat.txt'",
        |stage| stage.bob.file("lobby", "my cat.txt")["from"] == json!(["alice"]),
    ),
    row("/files", |stage| stage.shows("my cat.txt")),
    row("/unshare 'my cat.txt'", |stage| stage.bob.file("lobby", "my cat.txt").is_null()),
    row("/limit --up 1M/s --down 8K/s", |stage| {
        stage.alice.ask("limit", json!({})) == json!({"up": 1 << 20, "down": 8 << 10})
    }),
    row("/limit", |stage| stage.shows("8")),
    after(
        |stage| bob_shares(stage, "big.txt", &"b".repeat(1 << 20)),
        "/get big.txt -o {folder}/got.txt",
        |stage| transfer(stage)["state"] == "fetching",
    ),
    row("/transfers", |stage| stage.shows("big.txt")),
    row("/pause 1", |stage| transfer(stage)["state"] == "paused"),
    row("/resume 1", |stage| transfer(stage)["state"] == "fetching"),
    row("/cancel 1", |stage| transfer(stage)["state"] == "cancelled"),
    row("/limit --down off", |stage| stage.alice.ask("limit", json!({}))["down"] == 0),
    after(
        |stage| {
            stage.file("old.txt", "old");
            bob_shares(stage, "new.txt", "new");
        },
        "/get lobby new.txt -o {folder}/old.txt --overwrite --limit 1M/s",
        |stage| stage.read("old.txt") == "new",
    ),
    after(
        |stage| drop(stage.alice.ask("say", json!({"room": "attic", "text": "too late"}))),
        "/cancel {id}",
        |stage| stage.alice.ask("outbox", json!({}))["waiting"] == json!([]),
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn files() {
    let town = Town::of(&["alice", "bob", "carol"]).await;
    town.gather("attic", &[&town.alice, &town.carol]);
    town.carol.ask("logout", json!({}));
    town.gather("lobby", &[&town.alice, &town.bob]);
    let stage = Stage::new(town);
    stage.chat.borrow().types("/join lobby");
    stage.plays(ROWS);
}
