//! How a session begins: by hand or in the background, with which secret, settings, folder and log.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use peer::control::socket;
use serde_json::json;
use tracker::{
    Config, Host,
    config::Registration,
    core::{
        accounts::{Outcome, Wanted},
        invitations::hash_of,
    },
};

use crate::{
    chat::Chat,
    town::{ANY_PORT, Town, User, until},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_login_chats_on_a_pipe_and_logs_out_at_its_end() {
    let town = Town::of(&["bob"]).await;
    town.bob.ask("join", json!({"room": "lobby"}));
    let tracker = town.tracker().to_string();
    // Without a terminal it is so in any case.
    for plain in [&["--plain"][..], &[]] {
        let login = [&["login", "alice", "--tracker", &tracker], plain].concat();
        let chat = Chat::begin(town.alice.command(&login));
        chat.types("/join lobby");
        chat.types("hello");
        until("bob has it", || town.bob.last("lobby")["text"] == "hello");
        chat.types("/quit");
        until("it ends", || chat.code() == Some(0));
        assert!(!town.alice.is_logged_in());
    }
}

/// A tracker that lets in one who has this token.
async fn by_invitation(token: &str) -> (Host, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let settings =
        Config { listen: ANY_PORT, mdns: false, registration: Registration::Invitation, ..Config::default() };
    let host = Host::start(settings, data.path()).await.unwrap();
    let wanted = Wanted::Invite { hash: hash_of(token).unwrap(), uses: 1, days: 1 };
    assert_eq!(host.asker().operate(wanted).await, Some(Outcome::Done));
    (host, data)
}

/// The arguments of the process behind somebody's session.
fn arguments_of(user: &User) -> String {
    let process = socket::process(&user.home().join("alice.sock")).unwrap();
    fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_comes_from_stdin_or_a_variable_and_is_in_no_list_of_processes() {
    let token = "00112233445566778899aabbccddeeff";
    for from_stdin in [true, false] {
        let (host, _data) = by_invitation(token).await;
        let alice = User::new("alice");
        let tracker = host.address().to_string();
        let login = ["login", "alice", "--detach", "--tracker", &tracker];
        let refused = alice.run(&login);
        assert!(refused.0 == 1 && refused.2.contains("--invite"), "{refused:?}");
        let mut peer = alice.command(&login);
        let mut peer = if from_stdin {
            peer.args(["--invite", "-"]).stdin(Stdio::piped()).spawn().unwrap()
        } else {
            peer.env("ROLLCALL_INVITE", token).spawn().unwrap()
        };
        if let Some(mut stdin) = peer.stdin.take() {
            writeln!(stdin, "{token}").unwrap();
        }
        let ended = peer.wait_with_output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        let arguments = arguments_of(&alice);
        assert!(arguments.contains("login") && !arguments.contains(token), "{arguments}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_come_from_the_file_that_is_named_and_an_option_goes_before_them() {
    let town = Town::of(&[]).await;
    let Town { alice, bob, carol, .. } = &town;
    let file = alice.home().join("my.toml");
    fs::write(&file, "upload_limit = \"1M/s\"\n").unwrap();
    let file = file.to_str().unwrap();
    let up = |user: &User| user.ask("limit", json!({}))["up"].clone();
    alice.logs_in(town.tracker(), &["--config", file]);
    assert_eq!(up(alice), 1 << 20);
    carol.logs_in(town.tracker(), &["--config", file, "--upload-limit", "2M/s"]);
    assert_eq!(up(carol), 2 << 20);
    let login = ["login", "bob", "--detach", "--tracker", &town.tracker().to_string()];
    let ended = bob.command(&login).env("ROLLCALL_CONFIG", file).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(up(bob), 1 << 20);
    let (code, _, err) = alice.run(&["--config", "/nowhere/my.toml", "login", "alice"]);
    assert!(code == 1 && err.contains("/nowhere/my.toml"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_named_holds_everything() {
    let town = Town::of(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("here");
    let peer = |arguments: &[&str]| {
        let mut peer = Command::new(env!("CARGO_BIN_EXE_peer"));
        // One that is not to be used.
        peer.args(["--home", home.to_str().unwrap()]).args(arguments).env_clear().env("ROLLCALL_HOME", "/nowhere");
        let ended = peer.stdin(Stdio::null()).output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        String::from_utf8(ended.stdout).unwrap()
    };
    peer(&["login", "alice", "--detach", "--tracker", &town.tracker().to_string()]);
    assert!(home.join("alice/key").exists() && home.join("alice.sock").exists());
    assert!(peer(&["status"]).contains("alice@lan"));
    peer(&["logout"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_much_is_logged_as_is_asked_for() {
    let town = Town::of(&["bob"]).await;
    town.alice.logs_in(town.tracker(), &["--log", "debug"]);
    let log = |user: &User| fs::read_to_string(user.home().join(user.name).with_extension("log")).unwrap();
    until("it is logged", || log(&town.alice).contains("DEBUG"));
    assert!(!log(&town.bob).contains("DEBUG"));
    let (code, _, err) = town.alice.run(&["status", "--log", "loud=very"]);
    assert!(code != 0 && err.contains("loud=very"), "{code} {err}");
}

#[test]
fn every_shell_has_completions() {
    let nobody = User::new("alice");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = nobody.does(&format!("completions {shell}"));
        assert!(script.contains("hand-over") && script.contains("login"), "{shell}");
    }
    assert_eq!(nobody.run(&["completions", "cmd"]).0, 2);
}
