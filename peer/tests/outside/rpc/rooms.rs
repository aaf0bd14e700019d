//! Rooms, who is in them, and running them.

use serde_json::{Value, json};

use super::{Row, Stage, row};
use crate::town::{Town, until};

fn table(stage: &Stage) -> Value {
    stage.alice.ask("table", json!({"room": "den"}))
}

fn door(stage: &Stage, side: &str) -> Value {
    stage.alice.ask("door", json!({"room": "den"}))[side].clone()
}

fn role(stage: &Stage, name: &str) -> Value {
    stage.bob.member("den", name)["role"].clone()
}

/// Nobody is in a room yet.
pub const ROWS: &[Row] = &[
    row(
        "join",
        "room",
        |_| json!({"room": "lobby"}),
        |stage, joined| joined["members"] == 1 && stage.bob.room("lobby")["members"] == 1,
    ),
    row(
        "join",
        "room history",
        |_| json!({"room": "library", "history": "all"}),
        |stage, joined| joined["history"] == "all" && stage.bob.room("library")["history"] == "all",
    ),
    row(
        "rooms",
        "",
        |_| json!({}),
        |_, told| {
            let is = |room: &Value| room["room"] == "library" && room["joined"] == true;
            told.as_array().unwrap().iter().any(is)
        },
    ),
    row("leave", "room", |_| json!({"room": "library"}), |stage, _| stage.bob.room("library").is_null()),
    row(
        "create",
        "room history approval private topic",
        |_| json!({"room": "den", "history": "all", "approval": true, "private": true, "topic": "tea"}),
        |stage, _| {
            let is = table(stage);
            let wanted = json!({"history": "all", "approval": true, "private": true, "topic": "tea", "owner": "alice"});
            wanted.as_object().unwrap().iter().all(|(field, value)| is[field] == *value)
                && stage.bob.room("den").is_null()
        },
    ),
    row(
        "door",
        "room",
        |stage| {
            assert_eq!(stage.bob.ask("join", json!({"room": "den"}))["asked"], true);
            json!({"room": "den"})
        },
        |_, told| told["waiting"][0]["name"] == "bob" && told["banned"] == json!([]),
    ),
    row(
        "order",
        "room order name accept",
        |_| json!({"room": "den", "order": "decide", "name": "bob", "accept": true}),
        |stage, _| stage.bob.room("den")["joined"] == true,
    ),
    row(
        "members",
        "room",
        |_| json!({"room": "den"}),
        |_, told| {
            let told = told.as_array().unwrap();
            told.len() == 2 && told[0]["role"] == "owner" && told[1]["name"] == "bob" && told[1]["role"] == "member"
        },
    ),
    row(
        "table",
        "room",
        |_| json!({"room": "den"}),
        |stage, told| *told == stage.bob.ask("table", json!({"room": "den"})) && told["digest"].is_string(),
    ),
    row(
        "changes",
        "room since",
        |_| json!({"room": "den", "since": "1"}),
        |_, told| {
            let is =
                |change: &Value| change["name"] == "bob" && change["change"] == "joined" && change["by"] == "alice";
            told["changes"].as_array().unwrap().iter().any(is)
        },
    ),
    row(
        "order",
        "room order name role",
        |_| json!({"room": "den", "order": "role", "name": "bob", "role": "moderator"}),
        |stage, _| role(stage, "bob") == "moderator",
    ),
    row(
        "order",
        "room order name role",
        |_| json!({"room": "den", "order": "role", "name": "bob", "role": "member"}),
        |stage, _| role(stage, "bob") == "member",
    ),
    row(
        "order",
        "room order topic",
        |_| json!({"room": "den", "order": "topic", "topic": "cake"}),
        |stage, _| stage.bob.ask("table", json!({"room": "den"}))["topic"] == "cake",
    ),
    row(
        "order",
        "room order name accept",
        |stage| {
            stage.carol.ask("join", json!({"room": "den"}));
            json!({"room": "den", "order": "decide", "name": "carol", "accept": false})
        },
        |stage, _| door(stage, "waiting") == json!([]) && stage.alice.member("den", "carol").is_null(),
    ),
    row(
        "order",
        "room order name ban",
        |_| json!({"room": "den", "order": "remove", "name": "carol", "ban": true}),
        |stage, _| {
            let refused = stage.carol.line().ask("join", json!({"room": "den"}));
            door(stage, "banned")[0]["name"] == "carol" && refused.is_err_and(|error| error["code"] == 1)
        },
    ),
    row(
        "order",
        "room order name",
        |_| json!({"room": "den", "order": "unban", "name": "carol"}),
        |stage, _| door(stage, "banned") == json!([]) && stage.carol.line().ask("join", json!({"room": "den"})).is_ok(),
    ),
    row(
        "order",
        "room order name role",
        |_| json!({"room": "den", "order": "role", "name": "bob", "role": "owner"}),
        |stage, _| role(stage, "bob") == "owner" && role(stage, "alice") == "moderator",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn rooms() {
    let town = Town::of(&["alice", "bob", "carol"]).await;
    until("all is up", || town.alice.ask("status", json!({}))["tracker_state"] == "up");
    Stage::new(town).plays(ROWS);
}
