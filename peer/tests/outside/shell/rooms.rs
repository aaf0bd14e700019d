//! Roles, topics, doors and what a room shows.

use serde_json::Value;

use crate::town::{Town, User, until};

/// Alice owns the den, in which bob and carol are.
async fn den() -> Town {
    let town = Town::of(&["alice", "bob", "carol"]).await;
    town.alice.does("create den");
    town.gather("den", &[&town.alice, &town.bob, &town.carol]);
    town
}

fn role(seen_by: &User, name: &str) -> Value {
    let members = seen_by.objects("members den");
    members.into_iter().find(|member| member["name"] == name).unwrap()["role"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moderator_is_made_and_is_none_again() {
    let Town { alice, bob, carol, .. } = &den().await;
    assert_eq!(bob.run(&["kick", "den", "carol"]).0, 1, "not yet");
    alice.does("promote den bob");
    until("all see it", || role(carol, "bob") == "moderator");
    alice.does("promote den bob --demote");
    until("all see it", || role(carol, "bob") == "member");
    assert_eq!(bob.run(&["kick", "den", "carol"]).0, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hands_a_room_over_is_a_moderator_of_it_and_cannot_take_it_back() {
    let Town { alice, bob, carol, .. } = &den().await;
    alice.does("hand-over den bob");
    until("all see it", || role(carol, "bob") == "owner" && role(carol, "alice") == "moderator");
    let (code, _, err) = alice.run(&["hand-over", "den", "alice"]);
    assert!(code == 1 && role(bob, "bob") == "owner", "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_set_for_all_and_taken_away() {
    let Town { alice, bob, .. } = &den().await;
    assert!(alice.done(&["topic", "den", "tea and cake"]).contains("tea and cake"));
    until("bob sees it", || bob.does("topic den").contains("tea and cake"));
    assert!(bob.does("rooms").contains("tea and cake"));
    alice.done(&["topic", "den", ""]);
    until("bob sees it", || bob.objects("topic den")[0]["topic"] == "");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_banned_may_join_again_once_that_is_lifted() {
    let Town { alice, bob, .. } = &den().await;
    alice.does("ban den bob");
    assert_eq!(bob.run(&["join", "den"]).0, 1);
    assert_eq!(alice.objects("bans den")[0]["name"], "bob");
    alice.does("unban den bob");
    assert_eq!(alice.objects("bans den"), [] as [Value; 0]);
    bob.does("join den");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_room_is_in_the_list_of_its_members_only_and_can_be_joined_by_its_name() {
    let Town { alice, bob, .. } = &Town::of(&["alice", "bob"]).await;
    alice.does("create plans --private");
    assert!(alice.does("rooms").contains("plans"));
    assert!(!bob.does("rooms").contains("plans"));
    bob.does("join plans");
    assert!(bob.does("rooms").contains("plans"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joins_a_room_with_all_its_history_is_told_so_and_shown_what_was_said_before() {
    let Town { alice, bob, .. } = &Town::of(&["alice", "bob"]).await;
    alice.does("create library --history all");
    alice.does("say library hello");
    assert!(bob.does("join library").contains("all that was said"));
    until("it comes", || bob.does("history library").contains("alice: hello"));
    let (code, _, err) = bob.run(&["join", "library", "--history", "joined"]);
    assert!(code == 1 && err.contains("library"), "{err}");
}
