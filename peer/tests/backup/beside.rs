//! What is here already, or goes wrong meanwhile.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_here_is_never_touched_logged_in_or_not() {
    let (stick, alice, _host, _data) = alone().await;
    stick.back_up(&alice);
    let key = fs::read(alice.0.path().join("alice/key")).unwrap();
    for _ in 0..2 {
        let before = names(&alice.0.path().join("alice"));
        let (code, _, err) = stick.run(&alice, "restore", &[]);
        assert!(
            code == 1 && err.contains("an account alice here already") && err.contains("move that folder"),
            "{err}"
        );
        assert_eq!(names(&alice.0.path().join("alice")), before);
        assert_eq!(fs::read(alice.0.path().join("alice/key")).unwrap(), key);
        assert!(!names(alice.0.path()).contains(&".restoring".to_string()));
        // It does nothing the second time.
        alice.run(&["logout"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_first_login_that_came_to_nothing_has_left_is_not_in_the_way() {
    let (stick, alice, _host, _data) = alone().await;
    stick.back_up(&alice);
    alice.run(&["logout"]);
    let account = alice.0.path().join("alice");
    fs::remove_dir_all(&account).unwrap();
    fs::create_dir(&account).unwrap();
    fs::write(account.join("lock"), "").unwrap();
    let (code, _, err) = stick.run(&alice, "restore", &[]);
    assert!(code == 0 && account.join("key").exists(), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_are_here_stay_and_those_of_the_backup_lie_beside_the_account() {
    let (stick, alice, _host, _data) = alone().await;
    fs::create_dir(alice.0.path().join("config")).unwrap();
    fs::write(alice.0.path().join("config/peer.toml"), "bell = false\n").unwrap();
    stick.back_up(&alice);
    let person = Person::new();
    let here = person.0.path().join("config/peer.toml");
    fs::create_dir(person.0.path().join("config")).unwrap();
    fs::write(&here, "bell = true\n").unwrap();
    let (code, out, _) = stick.run(&person, "restore", &[]);
    assert!(code == 0 && out.contains("those here stay"), "{out}");
    assert_eq!(fs::read_to_string(here).unwrap(), "bell = true\n");
    assert_eq!(fs::read_to_string(person.0.path().join("alice/peer.toml")).unwrap(), "bell = false\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_after_a_crash_leaves_the_history_as_it_was_and_several_accounts_are_told_apart() {
    let (stick, alice, host, _data) = alone().await;
    alice.does("say lobby last");
    let process = fs::read_to_string(format!("/proc/{}/stat", pid(&alice))).unwrap();
    run(Command::new("kill").args(["-9", process.split(' ').next().unwrap()]));
    assert!(alice.0.path().join("alice/history.db-wal").exists());
    stick.back_up(&alice);
    let (code, err) = alice.log_in(host.address(), &[]);
    assert!(code == 0 && !err.contains("damaged"), "{err}");
    assert!(alice.does("history lobby").contains("last"));
    alice.does("logout");
    assert_eq!(alice.log_in_as("zoe", host.address(), &[]).0, 0);
    let (code, _, err) = stick.run(&alice, "backup", &["--overwrite"]);
    assert!(code == 1 && err.contains("alice, zoe") && err.contains("--as alice"), "{err}");
    assert_eq!(stick.run(&alice, "backup", &["--overwrite", "--as", "zoe"]).0, 0);
    let (code, _, err) = stick.run(&alice, "backup", &["--overwrite", "--as", "bob"]);
    assert!(code == 1 && err.contains("no account bob here"), "{err}");
}

/// The process of a session.
fn pid(person: &Person) -> u32 {
    let (_, _, err) = person.run(&["login", "alice", "--headless", "--tracker", "127.0.0.1:1"]);
    let digits: String = err.split("process ").nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_leaves_nothing_half_done() {
    let (stick, alice, _host, _data) = alone().await;
    stick.back_up(&alice);
    let on_a_small_disk = |at: &Path, command: &str, file: &Path| {
        let (small, secret) = (at.display(), stick.0.path().join("secret"));
        let script = format!(
            "mount -t tmpfs -o size=32k small {small} && {} {command} {} --passphrase-file {}; code=$?; ls -A {small}; \
             exit $code",
            env!("CARGO_BIN_EXE_peer"),
            file.display(),
            secret.display()
        );
        let mut shell = Command::new("unshare");
        shell
            .args(["-Urm", "sh", "-c", &script])
            .env("ROLLCALL_HOME", if command == "backup" { alice.0.path() } else { at });
        let output = shell.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let small = tempfile::tempdir().unwrap();
    let (code, left, err) = on_a_small_disk(small.path(), "backup", &small.path().join("alice.age"));
    assert!(code == 1 && left.is_empty() && err.contains("the disk has room"), "{left}{err}");
    let (code, left, err) = on_a_small_disk(small.path(), "restore", &stick.file());
    assert!(code == 1 && left.is_empty() && err.contains("the disk has room"), "{left}{err}");
}
