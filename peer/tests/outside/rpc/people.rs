//! Contacts, who they really are, and chats without a tracker.

use serde_json::{Value, json};

use super::{Row, Stage, row};
use crate::town::{Town, User, until};

fn named(name: &str) -> Value {
    json!({"name": name})
}

fn book(stage: &Stage) -> Value {
    stage.alice.ask("book", json!({}))
}

fn at(user: &User) -> Value {
    json!([format!("127.0.0.1:{}", user.port())])
}

/// Nobody is in a room or a contact of anybody.
pub const ROWS: &[Row] = &[
    row("add", "name", |_| named("bob"), |stage, _| stage.bob.contact("alice")["state"] == "asks"),
    row("contacts", "", |_| json!({}), |_, told| told[0]["name"] == "bob" && told[0]["state"] == "asked"),
    row(
        "accept_contact",
        "name",
        |stage| {
            stage.carol.ask("add", named("alice"));
            until("she is asked", || stage.alice.contact("carol")["state"] == "asks");
            named("carol")
        },
        |stage, _| stage.carol.contact("alice")["state"] == "contact",
    ),
    row(
        "decline_contact",
        "name",
        |stage| {
            stage.dave.ask("add", named("alice"));
            until("she is asked", || stage.alice.contact("dave")["state"] == "asks");
            named("dave")
        },
        |stage, _| stage.alice.contact("dave").is_null(),
    ),
    row(
        "away",
        "away",
        |_| json!({"away": true}),
        |stage, _| stage.carol.contact("alice")["away"] == true && stage.carol.contact("alice")["online"] == true,
    ),
    row("away", "away", |_| json!({"away": false}), |stage, _| stage.carol.contact("alice")["away"] == false),
    row(
        "verify",
        "name",
        |_| named("carol"),
        |stage, told| {
            told["verified"] == false
                && told["safety_number"] == stage.carol.ask("verify", named("alice"))["safety_number"]
        },
    ),
    row(
        "verify",
        "name done",
        |_| json!({"name": "carol", "done": true}),
        |stage, told| told["verified"] == true && stage.alice.contact("carol")["verified"] == true,
    ),
    row(
        "listen",
        "seconds",
        |_| json!({"seconds": 60}),
        |stage, told| {
            let reached = stage.dave.line().ask("connect", json!({"addresses": at(&stage.alice)}));
            told["port"] == stage.alice.port() && reached.is_ok_and(|reached| reached["name"] == "alice")
        },
    ),
    row(
        "connect",
        "addresses",
        |stage| {
            stage.dave.ask("listen", json!({"seconds": 60}));
            json!({"addresses": at(&stage.dave)})
        },
        |stage, told| told["room"] == "@dave" && !stage.alice.says("@dave", "hello").is_empty(),
    ),
    row("connect", "name", |_| named("dave"), |_, told| told["room"] == "@dave" && told["name"] == "dave"),
    row(
        "save",
        "name note",
        |_| json!({"name": "dave", "note": "from the lab"}),
        |stage, _| book(stage)[0]["note"] == "from the lab",
    ),
    row("book", "", |_| json!({}), |stage, told| told[0]["key"] == stage.dave.ask("status", json!({}))["key"]),
    row("forget", "name", |_| named("dave"), |stage, _| book(stage) == json!([])),
    row(
        "import",
        "entries",
        |stage| {
            let entry = |user: &User, name: &str| json!({"name": name, "key": user.ask("status", json!({}))["key"]});
            json!({"entries": [entry(&stage.dave, "dave"), entry(&stage.dave, "carol")]})
        },
        |stage, told| {
            told["taken"] == json!(["dave"]) && told["refused"] == json!(["carol"]) && book(stage)[0]["name"] == "dave"
        },
    ),
    row("remove", "name", |_| named("carol"), |stage, _| stage.carol.contact("alice").is_null()),
    row(
        "trust",
        "name",
        |stage| {
            stage.bob.ask("accept_contact", named("alice"));
            until("they are contacts", || stage.alice.contact("bob")["online"] == true);
            stage.bob_comes_with_another_key();
            until("she is told", || stage.alice.contact("bob")["state"] == "identity");
            named("bob")
        },
        |stage, told| told["verified"] == false && !stage.alice.says("@bob", "is it you?").is_empty(),
    ),
    row("block", "name", |_| named("bob"), |stage, _| stage.alice.contact("bob")["state"] == "blocked"),
    row("unblock", "name", |_| named("bob"), |stage, _| stage.alice.contact("bob")["state"] != "blocked"),
];

#[tokio::test(flavor = "multi_thread")]
async fn people() {
    let town = Town::of(&["alice", "bob", "carol", "dave"]).await;
    Stage::new(town).plays(ROWS);
}
