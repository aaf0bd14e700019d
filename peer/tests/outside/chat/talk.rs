//! What is said, and what is done to it.

use serde_json::json;

use super::{Row, Stage, after, row};
use crate::town::{Town, until};

/// Alice and bob are in the lobby; she types there.
pub const ROWS: &[Row] = &[
    row("/me waves", |stage| {
        let said = stage.bob.last("lobby");
        said["kind"] == "action" && said["text"] == "waves"
    }),
    after(
        |stage| {
            stage.bob.says("lobby", "lunch?");
            until("she sees it", || stage.chat.borrow().all().contains("lunch?"));
        },
        "/reply so do I",
        |stage| {
            let said = stage.bob.last("lobby");
            said["text"] == "so do I" && said["quote"] == json!({"from": "bob", "text": "lunch?"})
        },
    ),
    row("/edit so do we", |stage| {
        stage.bob.found("lobby", "so do we")["edited"] == true && stage.bob.found("lobby", "so do I").is_null()
    }),
    row("/react 👍", |stage| stage.bob.found("lobby", "lunch?")["reactions"] == json!({"👍": ["alice"]})),
    row("/delete", |stage| {
        let taken_back = |message: &serde_json::Value| message["deleted"] == true && message["from"] == "alice";
        stage.bob.found("lobby", "so do we").is_null() && stage.bob.history("lobby").iter().any(taken_back)
    }),
    row("/search lunch?", |stage| stage.shows("bob") && stage.shows("lunch?")),
    row("/goto 1h", |stage| stage.shows("bob") && stage.shows("lunch?")),
    row("/search dinner", |stage| stage.shows("nothing in lobby")),
    after(
        |stage| {
            assert_eq!(stage.alice.one("chats", json!({}), "room", "lobby")["unread"], 1, "what bob has said");
        },
        "/read lobby",
        |stage| stage.alice.one("chats", json!({}), "room", "lobby")["unread"] == 0,
    ),
    row("/msg bob psst", |stage| stage.bob.last("@alice")["text"] == "psst"),
    row("and what is typed now goes there", |stage| {
        stage.bob.last("@alice")["text"] == "and what is typed now goes there"
    }),
    row("/query bob twice", |stage| stage.bob.last("@alice")["text"] == "twice"),
    row("/dm bob thrice", |stage| stage.bob.last("@alice")["text"] == "thrice"),
    row("/chats", |stage| stage.shows("@bob") && stage.shows("lobby")),
];

#[tokio::test(flavor = "multi_thread")]
async fn talking() {
    let town = Town::of(&["alice", "bob"]).await;
    town.gather("lobby", &[&town.alice, &town.bob]);
    Stage::new(town).plays(ROWS);
}
