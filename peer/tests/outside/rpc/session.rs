//! The session itself.

use serde_json::json;

use super::{Row, Stage, row};
use crate::town::Town;

/// Alice and bob are in the lobby.
pub const ROWS: &[Row] = &[
    row(
        "status",
        "",
        |_| json!({}),
        |stage, told| {
            let is = |field: &str, value: &str| told[field] == value;
            is("name", "alice")
                && is("domain", "lan")
                && is("tracker_state", "up")
                && is("tracker", &stage.tracker().to_string())
                && told["rooms"] == 1
        },
    ),
    row(
        "rename",
        "name",
        |_| json!({"name": "alicia"}),
        |stage, _| stage.bob.member("lobby", "alicia")["online"] == true,
    ),
    row(
        "logout",
        "",
        |_| json!({}),
        |stage, _| !stage.alice.is_logged_in() && stage.bob.member("lobby", "alicia")["online"] == false,
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_session() {
    let town = Town::of(&["alice", "bob"]).await;
    town.gather("lobby", &[&town.alice, &town.bob]);
    Stage::new(town).plays(ROWS);
}
