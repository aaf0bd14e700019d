//! The file: whose it is, what reads it, and what is none.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_its_owner_s_and_replaces_no_other_unless_that_is_wanted() {
    let (stick, alice, _host, _data) = alone().await;
    stick.back_up(&alice);
    assert_eq!(fs::metadata(stick.file()).unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read(stick.file()).unwrap();
    let (code, _, err) = stick.run(&alice, "backup", &[]);
    assert!(code == 1 && err.contains("--overwrite"), "{err}");
    assert_eq!(fs::read(stick.file()).unwrap(), before);
    assert_eq!(stick.run(&alice, "backup", &["--overwrite"]).0, 0);
    assert_ne!(fs::read(stick.file()).unwrap(), before);
    for (to, why) in [(stick.0.path().to_owned(), "is a folder"), (stick.file().join("x"), "cannot write")] {
        let (code, _, err) = alice.run(&["backup", to.to_str().unwrap()]);
        assert!(code == 1 && err.contains(why), "{err}");
    }
    assert_eq!(names(stick.0.path()), ["backup.age", "secret"]);
    let own = names(&alice.0.path().join("alice"));
    assert!(!own.iter().any(|name| name.contains("copy")), "{own:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_program_that_knows_age_and_tar_reads_it() {
    let (stick, alice, _host, _data) = alone().await;
    stick.back_up(&alice);
    stick.change(|folder| {
        assert_eq!(names(folder), ["backup.toml", "history.db", "key", "profile.toml"]);
        assert_eq!(fs::read(folder.join("key")).unwrap(), fs::read(alice.0.path().join("alice/key")).unwrap());
        let history = rusqlite::Connection::open(folder.join("history.db")).unwrap();
        let rooms: i64 = history.query_row("SELECT count(*) FROM segments", [], |row| row.get(0)).unwrap();
        assert_eq!(rooms, 1);
    });
    // And what such programs have written is restored.
    stick.restored();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_passphrase_may_come_on_stdin_and_is_no_short_one() {
    let (stick, alice, _host, _data) = alone().await;
    let back_up = |passphrase: &str| {
        let mut peer = Command::new(env!("CARGO_BIN_EXE_peer"))
            .args(["backup", "--overwrite", stick.file().to_str().unwrap()])
            .env_clear()
            .env("ROLLCALL_HOME", alice.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It need not be read where it is refused before.
        let _ = peer.stdin.take().unwrap().write_all(passphrase.as_bytes());
        let output = peer.wait_with_output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, err) = back_up("secret\n");
    assert!(code == 1 && err.contains("8 characters"), "{err}");
    let (code, err) = back_up("");
    assert!(code == 1 && err.contains("there is no passphrase"), "{err}");
    assert_eq!(back_up(&format!("{SECRET}\nanother line\n")), (0, String::new()));
    stick.restored();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_cut_or_under_another_passphrase_restores_nothing() {
    let (stick, alice, _host, _data) = alone().await;
    stick.back_up(&alice);
    let whole = fs::read(stick.file()).unwrap();
    fs::write(stick.0.path().join("secret"), "another passphrase\n").unwrap();
    let err = stick.refused();
    assert!(err.contains("the passphrase does not open"), "{err}");
    fs::write(stick.0.path().join("secret"), SECRET).unwrap();
    for length in [whole.len() - 1, whole.len() / 2, 200, 20, 0] {
        fs::write(stick.file(), &whole[..length]).unwrap();
        let err = stick.refused();
        assert!(err.contains("is damaged or not all of it is here") || err.contains("is no backup"), "{length}: {err}");
    }
    for place in [25, 120, 400, whole.len() / 2, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        fs::write(stick.file(), changed).unwrap();
        stick.refused();
    }
    fs::write(stick.file(), whole).unwrap();
    stick.restored();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_opens_but_is_no_backup_of_ours_restores_nothing() {
    let (stick, alice, _host, _data) = alone().await;
    stick.back_up(&alice);
    let made = fs::read(stick.file()).unwrap();
    let refused = |change: &dyn Fn(&Path)| {
        fs::write(stick.file(), &made).unwrap();
        stick.change(change);
        stick.refused()
    };
    let about = |from: &str, to: &str| {
        let (from, to) = (from.to_string(), to.to_string());
        move |folder: &Path| {
            let path = folder.join("backup.toml");
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(&from), "{text}");
            fs::write(&path, text.replace(&from, &to)).unwrap();
        }
    };
    let sql = |sql: &'static str| {
        move |folder: &Path| {
            rusqlite::Connection::open(folder.join("history.db")).unwrap().execute_batch(sql).unwrap();
        }
    };
    let err = refused(&about("format = 1", "format = 2\nmore = true"));
    assert!(err.contains("which is newer (format 2, this one knows 1)"), "{err}");
    let err = refused(&about("alice", "../alice"));
    assert!(err.contains("is damaged"), "{err}");
    let err = refused(&|folder| fs::write(folder.join("key"), [1; 32]).unwrap());
    assert!(err.contains("not the one that it names"), "{err}");
    let err = refused(&|folder| fs::remove_file(folder.join("key")).unwrap());
    assert!(err.contains("key is missing"), "{err}");
    let err = refused(&|folder| fs::write(folder.join("lock"), "").unwrap());
    assert!(err.contains("does not belong in a backup"), "{err}");
    let err = refused(&|folder| fs::write(folder.join("history.db"), "no history").unwrap());
    assert!(err.contains("is damaged"), "{err}");
    let err = refused(&sql("PRAGMA user_version = 99"));
    assert!(err.contains("format 99"), "{err}");
    let err = refused(&sql("CREATE TRIGGER t AFTER INSERT ON segments BEGIN DELETE FROM segments; END"));
    assert!(err.contains("something else than tables in it"), "{err}");
    let err = refused(&sql("UPDATE segments SET frame = zeroblob(90)"));
    assert!(err.contains("is damaged"), "{err}");
}

#[test]
fn a_file_that_asks_for_endless_work_is_refused_at_once() {
    let stick = Stick::new();
    let begun = Instant::now();
    let header = "age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 40\n\
                  AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
    fs::write(stick.file(), [header.as_bytes(), &[0; 64]].concat()).unwrap();
    let err = stick.refused();
    assert!(err.contains("more work than a backup") && err.contains("2^40"), "{err}");
    // A beginning without an end.
    fs::write(stick.file(), [b"age-encryption.org/v1\n-> x ".as_slice(), &[b'a'; 8 << 20]].concat()).unwrap();
    let err = stick.refused();
    assert!(err.contains("is no backup"), "{err}");
    fs::write(stick.file(), "hello").unwrap();
    assert!(stick.refused().contains("peer backup FILE"));
    assert!(begun.elapsed() < Duration::from_secs(60));
}
