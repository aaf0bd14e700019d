//! What is said, what is done to it, and how far it gets.

use serde_json::{Value, json};

use super::{Row, Stage, row};
use crate::town::{Town, until};

fn id(stage: &Stage, text: &str) -> Value {
    stage.alice.found("lobby", text)["id"].clone()
}

fn cursor(stage: &Stage, text: &str) -> Value {
    stage.alice.found("lobby", text)["cursor"].clone()
}

fn unread(stage: &Stage) -> Value {
    stage.alice.one("chats", json!({}), "room", "lobby")["unread"].clone()
}

/// Alice and bob are in the lobby, and carol, who is not logged in, in the attic with alice.
pub const ROWS: &[Row] = &[
    row(
        "say",
        "room text wait",
        |_| json!({"room": "lobby", "text": "lunch?", "wait": 20}),
        |stage, said| said["delivered"] == json!(["bob"]) && stage.bob.last("lobby")["text"] == "lunch?",
    ),
    row(
        "receipts",
        "id",
        |stage| json!({"id": id(stage, "lunch?")}),
        |_, told| told[0]["name"] == "bob" && told[0]["delivered"] == true && told[0]["path"] == "direct",
    ),
    row(
        "say",
        "room text me",
        |_| json!({"room": "lobby", "text": "waves", "me": true}),
        |stage, _| stage.bob.last("lobby")["kind"] == "action",
    ),
    row(
        "say",
        "room text reply",
        |stage| json!({"room": "lobby", "text": "it is one", "reply": id(stage, "lunch?")}),
        |stage, _| stage.bob.last("lobby")["quote"] == json!({"from": "alice", "text": "lunch?"}),
    ),
    row(
        "edit",
        "id text",
        |stage| json!({"id": id(stage, "lunch?"), "text": "tea?"}),
        |stage, _| stage.bob.found("lobby", "tea?")["edited"] == true,
    ),
    row(
        "react",
        "id text",
        |stage| json!({"id": id(stage, "tea?"), "text": "👍"}),
        |stage, _| stage.bob.found("lobby", "tea?")["reactions"] == json!({"👍": ["alice"]}),
    ),
    row(
        "react",
        "id",
        |stage| json!({"id": id(stage, "tea?")}),
        |stage, _| stage.bob.found("lobby", "tea?")["reactions"]["👍"].is_null(),
    ),
    row(
        "delete",
        "id",
        |stage| json!({"id": id(stage, "it is one")}),
        |stage, _| {
            let taken_back = |message: &Value| message["deleted"] == true && message["from"] == "alice";
            stage.bob.history("lobby").iter().any(taken_back)
        },
    ),
    row(
        "typing",
        "room",
        |stage| {
            stage.follows(&stage.bob);
            json!({"room": "lobby"})
        },
        |stage, _| {
            // That bob looks may not have got here when it was said first.
            stage.alice.ask("typing", json!({"room": "lobby"}));
            stage.seen(|event| *event == json!({"event": "typing", "room": "lobby", "name": "alice"}))
        },
    ),
    row(
        "history",
        "room limit",
        |_| json!({"room": "lobby", "limit": 1}),
        |_, told| told.as_array().unwrap().len() == 1,
    ),
    row(
        "history",
        "room search",
        |stage| {
            stage.bob.says("lobby", "apples and pears");
            json!({"room": "lobby", "search": "pears apples"})
        },
        |_, told| told.as_array().unwrap().len() == 1 && told[0]["text"] == "apples and pears",
    ),
    row(
        "history",
        "room before changes",
        |stage| json!({"room": "lobby", "before": cursor(stage, "waves"), "changes": true}),
        |_, told| {
            let has = |field: &str, is: &str| told.as_array().unwrap().iter().any(|event| event[field] == is);
            has("text", "tea?") && !has("text", "waves") && has("change", "joined")
        },
    ),
    row(
        "mark_read",
        "room cursor",
        |stage| {
            stage.bob.says("lobby", "and plums");
            assert_eq!(unread(stage), 2);
            json!({"room": "lobby", "cursor": cursor(stage, "apples and pears")})
        },
        |stage, read| read["room"] == "lobby" && unread(stage) == 1,
    ),
    row("mark_read", "room", |_| json!({"room": "lobby"}), |stage, _| unread(stage) == 0),
    row(
        "tail",
        "room since latest",
        |stage| json!({"room": "lobby", "since": cursor(stage, "waves"), "latest": true}),
        |stage, _| stage.told(|event| event["text"] == "and plums") && !stage.told(|event| event["text"] == "waves"),
    ),
    row(
        "tail",
        "follow typing receipts",
        |_| json!({"follow": true, "typing": true, "receipts": true}),
        |stage, _| {
            stage.bob.ask("typing", json!({"room": "lobby"}));
            stage.alice.says("lobby", "who has it?");
            stage.told(|event| event["event"] == "typing" && event["name"] == "bob")
                && stage.told(|event| event["event"] == "receipt" && event["name"] == "bob")
                && stage.told(|event| event["text"] == "who has it?")
        },
    ),
    row(
        "outbox",
        "",
        |stage| {
            stage.alice.ask("say", json!({"room": "attic", "text": "too late"}));
            json!({})
        },
        |_, told| told["waiting"][0]["text"] == "too late" && told["waiting"][0]["pending"] == json!(["carol"]),
    ),
    row(
        "cancel",
        "id",
        |stage| json!({"id": stage.alice.last("attic")["id"]}),
        |stage, told| {
            told["cancelled"] == json!(["carol"]) && stage.alice.ask("outbox", json!({}))["waiting"] == json!([])
        },
    ),
    row(
        "chats",
        "",
        |_| json!({}),
        |_, told| {
            told.as_array().unwrap().iter().any(|chat| chat["room"] == "attic" && chat["last"]["text"] == "too late")
        },
    ),
    row(
        "paths",
        "",
        |_| json!({}),
        |_, told| told.as_array().unwrap().iter().any(|path| path["name"] == "bob" && path["path"] == "direct"),
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn talking() {
    let town = Town::of(&["alice", "bob", "carol"]).await;
    town.gather("attic", &[&town.alice, &town.carol]);
    town.carol.ask("logout", json!({}));
    until("carol has gone", || town.alice.member("attic", "carol")["online"] == false);
    town.gather("lobby", &[&town.alice, &town.bob]);
    Stage::new(town).plays(ROWS);
}
