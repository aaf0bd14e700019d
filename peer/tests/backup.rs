//! Backups, from the outside: a person goes to another machine, and files that are no backup do no harm.

#![cfg(feature = "host")]

mod person;

use std::{
    fs,
    io::{Read, Write},
    iter,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use age::{Decryptor, Encryptor, scrypt, secrecy::SecretString};
use person::{Person, tracker};
use tempfile::TempDir;

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const SECRET: &str = "correct horse battery";

/// A folder with a file for backups and one with the passphrase.
struct Stick(TempDir);

impl Stick {
    fn new() -> Stick {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret"), format!("{SECRET}\n")).unwrap();
        Stick(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("backup.age")
    }

    fn run(&self, person: &Person, command: &str, more: &[&str]) -> (i32, String, String) {
        let (file, secret) = (self.file(), self.0.path().join("secret"));
        let with = [command, file.to_str().unwrap(), "--passphrase-file", secret.to_str().unwrap()];
        person.run(&[&with[..], more].concat())
    }

    /// Makes a backup.
    fn back_up(&self, person: &Person) {
        let (code, out, err) = self.run(person, "backup", &[]);
        assert!(code == 0 && err.is_empty() && out.contains("alice is in"), "{out}{err}");
    }

    /// Somebody in a home of their own who is in the backup.
    fn restored(&self) -> Person {
        let person = Person::new();
        let (code, out, err) = self.run(&person, "restore", &[]);
        assert!(code == 0 && err.is_empty() && out.contains("peer login alice"), "{out}{err}");
        person
    }

    /// What is refused when it is restored, and that it has left nothing behind.
    fn refused(&self) -> String {
        let person = Person::new();
        let (code, out, err) = self.run(&person, "restore", &[]);
        assert!(code == 1 && out.is_empty(), "{out}{err}");
        assert_eq!(names(person.0.path()), Vec::<String>::new());
        err
    }

    /// The archive in the file, as any program could get at it that knows `age`.
    fn archive(&self) -> Vec<u8> {
        let decryptor = Decryptor::new_buffered(std::io::BufReader::new(fs::File::open(self.file()).unwrap())).unwrap();
        let identity = scrypt::Identity::new(SecretString::from(SECRET.to_string()));
        let mut archive = Vec::new();
        let mut content = decryptor.decrypt(iter::once(&identity as &dyn age::Identity)).unwrap();
        content.read_to_end(&mut archive).unwrap();
        archive
    }

    /// Puts an archive into the file.
    fn seal(&self, archive: &[u8]) {
        let mut recipient = scrypt::Recipient::new(SecretString::from(SECRET.to_string()));
        recipient.set_work_factor(10);
        let encryptor = Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient)).unwrap();
        let mut file = encryptor.wrap_output(fs::File::create(self.file()).unwrap()).unwrap();
        file.write_all(archive).unwrap();
        file.finish().unwrap();
    }

    /// Changes what is in the backup, with programs that every system has.
    fn change(&self, change: impl FnOnce(&Path)) {
        let folder = tempfile::tempdir().unwrap();
        let tar = folder.path().join("archive.tar");
        fs::write(&tar, self.archive()).unwrap();
        run(Command::new("tar").arg("-xf").arg(&tar).current_dir(folder.path()));
        change(&folder.path().join("rollcall"));
        run(Command::new("tar").arg("-cf").arg(&tar).arg("rollcall").current_dir(folder.path()));
        self.seal(&fs::read(&tar).unwrap());
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Asks again until there is what is looked for.
fn until(what: &str, person: &Person, line: &str, wanted: impl Fn(&str) -> bool) -> String {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let told = person.does(line);
        if wanted(&told) {
            return told;
        }
        assert!(Instant::now() < end, "{what}: not in time: {told}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The texts of a conversation, in order.
fn said(history: &str) -> Vec<&str> {
    history.lines().filter_map(|line| line.rsplit(": ").next()).collect()
}

fn field(json: &str, name: &str) -> String {
    let object: serde_json::Value = serde_json::from_str(json).unwrap();
    object[name].as_str().unwrap().to_string()
}

/// Alice, who has never met anybody: her history is there, and little is in it.
async fn alone() -> (Stick, Person, tracker::Host, TempDir) {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(ANY_PORT, data.path()).await;
    let alice = Person::new();
    assert_eq!(alice.log_in(host.address(), &[]).0, 0);
    alice.does("join lobby");
    alice.does("say lobby hello");
    (Stick::new(), alice, host, data)
}

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
    until("all are there", &alice, "members lobby", |members| members.contains("carol"));
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
        let history = until("six is there", person, "history lobby", |history| history.contains("six"));
        assert_eq!(said(&history), ["one", "two", "three", "four", "five", "six"]);
    }
    bob.does("say lobby seven --wait 30");
    elsewhere.does("say lobby eight --wait 30");
    for person in [&elsewhere, &bob, &carol] {
        let history = until("eight is there", person, "history lobby", |history| history.contains("eight"));
        assert!(history.contains("seven"), "{history}");
        let seen = person.does("tail lobby --json");
        assert!(!seen.contains("forked") && !seen.contains("another_key"), "{seen}");
    }

    // The machine that was gone is found: it learns what was said since, and its own last word is no forgery either.
    elsewhere.does("logout");
    assert_eq!(alice.log_in(host.address(), &[]).0, 0);
    alice.does("say lobby nine --wait 30");
    for person in [&bob, &carol] {
        until("nine is there", person, "history lobby", |history| history.contains("nine"));
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
    until("all is there", &elsewhere, "history lobby", |history| {
        // What came back last is shown last.
        let mut said = said(history);
        said.sort();
        said == ["one", "three", "two"]
    });
    elsewhere.does("say lobby four --wait 30");
    assert_eq!(said(&bob.does("history lobby")), ["one", "two", "three", "four"]);
}

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
    assert!(err.contains("tables are not those of a history"), "{err}");
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
