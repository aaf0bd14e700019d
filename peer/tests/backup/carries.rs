//! A person goes to another machine, and what was said goes with them.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_carries_a_person_to_another_machine() {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(ANY_PORT, data.path()).await;
    let (alice, bob, stick) = (Person::new(), Person::new(), Stick::new());
    fs::create_dir(alice.0.path().join("config")).unwrap();
    fs::write(alice.0.path().join("config/peer.toml"), "bell = false\n").unwrap();
    assert_eq!(alice.log_in(host.address(), &[]).0, 0);
    assert_eq!(bob.log_in_as("bob", host.address(), &[]).0, 0);
    bob.does("join lobby");
    alice.does("join lobby");
    bob.does("say lobby welcome --wait 20");
    alice.does("say lobby thanks --wait 20");
    alice.does("verify bob --done");
    alice.does("save bob --note friend");
    let key = field(&alice.does("status --json"), "key");

    stick.back_up(&alice);
    alice.does("logout");
    let elsewhere = stick.restored();
    assert_eq!(names(&elsewhere.0.path().join("alice")), ["book.toml", "history.db", "key", "profile.toml"]);
    assert_eq!(fs::read_to_string(elsewhere.0.path().join("config/peer.toml")).unwrap(), "bell = false\n");
    // The tracker is known by its address and key: nobody has to name it again.
    let (code, out, err) = elsewhere.run(&["login", "alice", "--detach"]);
    assert!(code == 0 && err.is_empty() && !out.contains("key"), "{out}{err}");
    assert_eq!(said(&elsewhere.does("history lobby")), ["welcome", "thanks"]);
    assert_eq!(field(&elsewhere.does("status --json"), "key"), key);
    assert!(elsewhere.does("verify bob --no-qr").contains("bob is verified"));
    assert!(elsewhere.does("book").contains("friend"));
    elsewhere.does("say lobby back --wait 30");
    assert_eq!(said(&bob.does("history lobby")), ["welcome", "thanks", "back"]);
    bob.does("say lobby good --wait 30");
    assert_eq!(said(&elsewhere.does("history lobby")), ["welcome", "thanks", "back", "good"]);
    let seen = bob.does("tail lobby --json");
    assert!(!seen.contains("another_key") && !seen.contains("forked"), "{seen}");
    assert!(field(&bob.does("verify alice --json"), "key") == key);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_said_more_after_the_backup_gets_it_back_and_nobody_is_called_a_forger() {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(ANY_PORT, data.path()).await;
    let (alice, bob, carol, stick) = (Person::new(), Person::new(), Person::new(), Stick::new());
    assert_eq!(alice.log_in(host.address(), &[]).0, 0);
    assert_eq!(bob.log_in_as("bob", host.address(), &[]).0, 0);
    assert_eq!(carol.log_in_as("carol", host.address(), &[]).0, 0);
    for person in [&alice, &bob, &carol] {
        person.does("join lobby");
    }
    alice.until("all are there", "members lobby", |members| members.contains("carol"));
    for text in ["one", "two", "three"] {
        alice.does(&format!("say lobby {text} --wait 30"));
    }
    stick.back_up(&alice);
    for text in ["four", "five"] {
        alice.does(&format!("say lobby {text} --wait 30"));
    }
    alice.does("logout");
    // What nobody has but the machine that is gone.
    bob.does("logout");
    carol.does("logout");
    assert_eq!(alice.log_in(host.address(), &[]).0, 0);
    alice.does("say lobby lost");
    alice.does("logout");

    let elsewhere = stick.restored();
    // Before she has met anybody: her numbers must be new ones all the same.
    assert_eq!(elsewhere.log_in(host.address(), &[]).0, 0);
    elsewhere.does("say lobby six");
    assert_eq!(bob.log_in_as("bob", host.address(), &[]).0, 0);
    assert_eq!(carol.log_in_as("carol", host.address(), &[]).0, 0);
    for person in [&bob, &carol] {
        let history = person.until("six is there", "history lobby", |history| history.contains("six"));
        assert_eq!(said(&history), ["one", "two", "three", "four", "five", "six"]);
    }
    bob.does("say lobby seven --wait 30");
    elsewhere.does("say lobby eight --wait 30");
    for person in [&elsewhere, &bob, &carol] {
        let history = person.until("eight is there", "history lobby", |history| history.contains("eight"));
        assert!(history.contains("seven"), "{history}");
        let seen = person.does("tail lobby --json");
        assert!(!seen.contains("forked") && !seen.contains("another_key"), "{seen}");
    }

    // The machine that was gone is found: it learns what was said since, and its own last word is no forgery either.
    elsewhere.does("logout");
    assert_eq!(alice.log_in(host.address(), &[]).0, 0);
    alice.does("say lobby nine --wait 30");
    for person in [&bob, &carol] {
        person.until("nine is there", "history lobby", |history| history.contains("nine"));
        let seen = person.does("tail lobby --json");
        assert!(!seen.contains("forked") && !seen.contains("another_key"), "{seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_after_the_backup_comes_back_from_those_who_have_it() {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(ANY_PORT, data.path()).await;
    let (alice, bob, stick) = (Person::new(), Person::new(), Stick::new());
    assert_eq!(alice.log_in(host.address(), &[]).0, 0);
    assert_eq!(bob.log_in_as("bob", host.address(), &[]).0, 0);
    bob.does("join lobby");
    alice.does("join lobby");
    alice.does("say lobby one --wait 30");
    stick.back_up(&alice);
    alice.does("say lobby two --wait 30");
    bob.does("say lobby three --wait 30");
    alice.does("logout");
    let elsewhere = stick.restored();
    assert_eq!(elsewhere.log_in(host.address(), &[]).0, 0);
    elsewhere.until("all is there", "history lobby", |history| {
        // What came back last is shown last.
        let mut said = said(history);
        said.sort();
        said == ["one", "three", "two"]
    });
    elsewhere.does("say lobby four --wait 30");
    assert_eq!(said(&bob.does("history lobby")), ["one", "two", "three", "four"]);
}
