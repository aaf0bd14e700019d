//! Running a room.

use serde_json::{Value, json};

use super::{Row, Stage, after, row};
use crate::town::{Town, User, until};

fn asks(stage: &Stage, user: &User) {
    assert_eq!(user.ask("join", json!({"room": "den"}))["asked"], true);
    until("she is told", || !waiting(stage).is_empty());
}

fn waiting(stage: &Stage) -> Vec<Value> {
    stage.alice.ask("door", json!({"room": "den"}))["waiting"].as_array().unwrap().clone()
}

fn banned(stage: &Stage) -> Value {
    stage.alice.ask("door", json!({"room": "den"}))["banned"].clone()
}

fn role(stage: &Stage, name: &str) -> Value {
    stage.carol.member("den", name)["role"].clone()
}

/// Alice owns the den, which has a door, and is alone in it.
pub const ROWS: &[Row] = &[
    after(|stage| asks(stage, &stage.bob), "/requests", |stage| stage.shows("bob")),
    row("/accept bob", |stage| stage.bob.room("den")["joined"] == true),
    after(
        |stage| asks(stage, &stage.carol),
        "/decline carol",
        |stage| {
            let events = stage.carol.line();
            events.ask("tail", json!({"since": 0})).unwrap();
            events.heard(|event| event["change"] == "declined" && event["room"] == "den")
        },
    ),
    after(|stage| asks(stage, &stage.carol), "/accept den carol", |stage| role(stage, "carol") == "member"),
    row("/promote bob", |stage| role(stage, "bob") == "moderator"),
    row("/promote den bob --demote", |stage| role(stage, "bob") == "member"),
    row("/hand-over bob", |stage| role(stage, "bob") == "owner" && role(stage, "alice") == "moderator"),
    after(
        |stage| {
            let order = json!({"room": "den", "order": "role", "name": "alice", "role": "owner"});
            stage.bob.ask("order", order);
        },
        "/handover den bob",
        |stage| role(stage, "bob") == "owner" && role(stage, "alice") == "moderator",
    ),
    row("/kick carol", |stage| stage.bob.member("den", "carol").is_null()),
    row("/ban carol", |stage| banned(stage)[0]["name"] == "carol"),
    row("/bans", |stage| stage.shows("carol")),
    row("/unban carol", |stage| banned(stage) == json!([])),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_door() {
    let town = Town::of(&["alice", "bob", "carol"]).await;
    town.alice.ask("create", json!({"room": "den", "approval": true}));
    Stage::new(town).plays(ROWS);
}
