//! Files: shared, fetched, held up and given up.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::town::{Town, User, until};

/// Alice and bob are in the lobby, and bob shares files from a folder; alice puts hers into another.
struct Library {
    town: Town,
    bobs: TempDir,
    alices: TempDir,
}

impl Library {
    async fn new() -> Library {
        let town = Town::of(&["alice", "bob"]).await;
        town.gather("lobby", &[&town.alice, &town.bob]);
        Library { town, bobs: tempfile::tempdir().unwrap(), alices: tempfile::tempdir().unwrap() }
    }

    fn alice(&self) -> &User {
        &self.town.alice
    }

    /// Bob shares such a file.
    fn shares(&self, name: &str, text: &str) {
        let path = self.bobs.path().join(name);
        fs::write(&path, text).unwrap();
        self.town.bob.done(&["share", "lobby", path.to_str().unwrap()]);
        until("alice sees it", || self.alice().file("lobby", name)["whole"] == 1);
    }

    /// Where alice puts it.
    fn path(&self, name: &str) -> PathBuf {
        self.alices.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// `peer get` by alice, into her folder.
    fn gets(&self, name: &str, more: &[&str]) -> (i32, String, String) {
        let folder = self.alices.path().to_str().unwrap();
        self.alice().run(&[&["get", "lobby", name, "-o", folder], more].concat())
    }

    fn transfer(&self) -> Value {
        self.alice().objects("transfers").pop().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_unshared_is_not_in_the_list_and_who_has_it_keeps_it() {
    let library = Library::new().await;
    library.shares("cat.txt", "miaow");
    assert_eq!(library.gets("cat.txt", &[]).0, 0);
    library.town.bob.does("unshare lobby cat.txt");
    until("it is gone", || library.alice().objects("files lobby").is_empty());
    assert_eq!(library.read("cat.txt"), "miaow");
    let (code, _, err) = library.gets("cat.txt", &["--overwrite"]);
    assert!(code == 1 && err.contains("cat.txt"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_sent_to_one_person_and_fetched_by_that_one() {
    let library = Library::new().await;
    let path = library.bobs.path().join("cat.txt");
    fs::write(&path, "miaow").unwrap();
    library.town.bob.done(&["send", "alice", path.to_str().unwrap()]);
    until("she sees it", || library.alice().file("@bob", "cat.txt")["from"][0] == "bob");
    assert_eq!(library.alice().objects("files lobby"), [] as [Value; 0]);
    library.alice().done(&["get", "@bob", "cat.txt", "-o", library.path("mine.txt").to_str().unwrap()]);
    assert_eq!(library.read("mine.txt"), "miaow");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_replaced_only_when_that_is_said() {
    let library = Library::new().await;
    library.shares("cat.txt", "miaow");
    fs::write(library.path("cat.txt"), "mine").unwrap();
    let (code, _, err) = library.gets("cat.txt", &[]);
    assert!(code == 1 && err.contains("--overwrite"), "{err}");
    assert_eq!(library.read("cat.txt"), "mine");
    assert_eq!(library.gets("cat.txt", &["--overwrite"]).0, 0);
    assert_eq!(library.read("cat.txt"), "miaow");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_is_held_back_and_paused_and_goes_on_and_is_given_up() {
    let library = Library::new().await;
    library.shares("big.txt", &"b".repeat(1 << 20));
    let (code, out, err) = library.gets("big.txt", &["--detach", "--limit", "8K/s", "--json"]);
    let begun: Value = out.parse().unwrap();
    assert_eq!((code, &begun["id"], &begun["name"]), (0, &1.into(), &"big.txt".into()), "{out}{err}");
    until("it is under way", || library.transfer()["state"] == "fetching");
    assert!(library.alice().does("transfers").contains("big.txt"));
    assert_eq!(library.alice().objects("pause 1")[0]["state"], "paused");
    library.alice().does("resume 1");
    until("it goes on", || library.transfer()["state"] == "fetching");
    assert_eq!(library.alice().objects("cancel 1")[0]["state"], "cancelled");
    assert_eq!(fs::read_dir(library.alices.path()).unwrap().count(), 0, "what has come is deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_only_so_long_is_told_with_code_3_and_it_goes_on() {
    let library = Library::new().await;
    library.shares("cat.txt", "miaow");
    library.town.bob.does("logout");
    let (code, _, err) = library.gets("cat.txt", &["--wait", "0.5"]);
    assert!(code == 3 && err.contains("peer transfers"), "{code} {err}");
    library.town.bob.logs_in(library.town.tracker(), &[]);
    until("it comes", || library.read("cat.txt") == "miaow");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_opened_once_it_is_here() {
    let library = Library::new().await;
    library.shares("cat.txt", "miaow");
    let programs = tempfile::tempdir().unwrap();
    let opener = programs.path().join("xdg-open");
    fs::write(&opener, "#!/bin/sh\nprintf %s \"$1\" > \"${0%/*}/opened\"\n").unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o700)).unwrap();
    let to = library.path("cat.txt");
    let arguments = ["get", "lobby", "cat.txt", "--open", "-o", to.to_str().unwrap()];
    let got = library.alice().command(&arguments).env("PATH", programs.path()).output().unwrap();
    assert!(got.status.success(), "{got:?}");
    let opened = || fs::read_to_string(programs.path().join("opened")).unwrap_or_default();
    until("it is opened", || opened() == to.to_str().unwrap());
    assert_eq!(library.read("cat.txt"), "miaow");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_shown_and_hold_until_the_session_ends() {
    let town = Town::of(&[]).await;
    town.alice.logs_in(town.tracker(), &["--upload-limit", "1M/s", "--download-limit", "500K"]);
    let limits = || {
        let told = town.alice.objects("limit").remove(0);
        (told["up"].as_u64().unwrap_or_default(), told["down"].as_u64().unwrap_or_default())
    };
    assert_eq!(limits(), (1 << 20, 500 << 10));
    town.alice.does("limit --up 2M/s");
    assert_eq!(limits(), (2 << 20, 500 << 10));
    town.alice.does("limit --down off");
    assert_eq!(limits(), (2 << 20, 0));
    assert!(town.alice.does("limit").contains("2.0 MiB/s") || town.alice.does("limit").contains("2 MiB/s"));
    town.alice.does("logout");
    town.alice.logs_in(town.tracker(), &[]);
    assert_eq!(limits(), (0, 0));
}
