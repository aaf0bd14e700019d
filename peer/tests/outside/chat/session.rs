//! Oneself and the chat.

use super::{Row, Stage, row};
use crate::town::Town;

fn ends(stage: &Stage, session: bool) -> bool {
    stage.chat.borrow().code() == Some(0) && stage.alice.is_logged_in() == session
}

/// Alice and bob are in the lobby.
pub const ROWS: &[Row] = &[
    row("/help", |stage| stage.shows("/create") && stage.shows("/quit")),
    row("/help rooms", |stage| stage.shows("/leave") && stage.shows("--private")),
    row("/away", |stage| stage.bob.member("lobby", "alice")["away"] == true),
    row("/back", |stage| stage.bob.member("lobby", "alice")["away"] == false),
    row("/rename alicia", |stage| stage.bob.member("lobby", "alicia")["online"] == true),
    row("/nick alys", |stage| stage.bob.member("lobby", "alys")["online"] == true),
    row("/quit", |stage| ends(stage, true)),
    row("/exit", |stage| ends(stage, true)),
    row("/q", |stage| ends(stage, true)),
    row("/logout", |stage| ends(stage, false)),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_session() {
    let town = Town::of(&["alice", "bob"]).await;
    town.gather("lobby", &[&town.alice, &town.bob]);
    Stage::new(town).plays(ROWS);
}
