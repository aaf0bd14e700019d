//! At home on the system: first steps, completions, pages for `man`, units of systemd, metrics and notices.

#![cfg(feature = "host")]

mod person;

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::{fs::PermissionsExt, net::UnixDatagram},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use person::{Person, tracker, until};

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("there is no {program} here: what needs it is not tried");
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_alone_says_what_to_do_next_and_the_first_login_what_it_has_made() {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(ANY_PORT, data.path()).await;
    let alice = Person::new();
    let (code, out, err) = alice.run(&[]);
    assert_eq!((code, out.lines().count(), err.as_str()), (0, 4, ""), "{out}");
    assert!(out.contains("peer login alice --host"), "{out}");

    let tracker = host.address().to_string();
    let login = ["login", "alice", "--detach", "--tracker", &tracker];
    let (code, out, _) = alice.run(&login);
    let key = alice.0.path().join("alice/key");
    assert!(code == 0 && out.contains(key.to_str().unwrap()), "{out}");
    assert!(alice.does("join lobby").contains("joined"));
    assert!(alice.run(&[]).1.starts_with("alice is logged in."));
    alice.does("logout");
    assert!(alice.run(&[]).1.contains("Accounts here: alice"));
    assert!(!alice.run(&login).1.contains("key"), "the key is told of once");
}

#[test]
fn completions_load_in_the_shells_that_are_here() {
    let person = Person::new();
    for (shell, check) in [
        (
            "bash",
            vec![
                "-c",
                ". \"$0\"; COMP_WORDS=(peer jo) COMP_CWORD=1; _peer peer jo peer; test \"${COMPREPLY[*]}\" = join",
            ],
        ),
        ("zsh", vec!["-c", "autoload -Uz compinit && compinit -u && source \"$0\""]),
        ("fish", vec!["-c", "source $argv[1]; complete -C 'peer lo' | string match -q 'login*'"]),
    ] {
        let script = person.0.path().join(shell);
        fs::write(&script, person.does(&format!("completions {shell}"))).unwrap();
        if has(shell) {
            let output = Command::new(shell).args(check).arg(&script).output().unwrap();
            assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

#[test]
fn every_command_has_a_page_that_man_shows_without_warnings() {
    let person = Person::new();
    let dir = person.0.path().join("man1");
    person.does(&format!("man {}", dir.display()));
    let pages: Vec<PathBuf> = fs::read_dir(&dir).unwrap().map(|page| page.unwrap().path()).collect();
    assert!(dir.join("peer.1").exists() && dir.join("peer-say.1").exists());
    assert!(person.run(&["man"]).1.contains(".TH peer"));
    if has("man") {
        for page in pages {
            let output = Command::new("man").args(["--warnings", "-l"]).arg(&page).output().unwrap();
            let warned = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && warned.is_empty(), "{}: {warned}", page.display());
        }
    }
}

#[test]
fn the_units_are_sound_and_the_tracker_s_leaves_little_open() {
    if !has("systemd-analyze") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let analyze = |arguments: &[&str], unit: &Path| {
        let mut analyze = Command::new("systemd-analyze");
        analyze.args(arguments).arg(unit).env("XDG_RUNTIME_DIR", dir.path());
        let output = analyze.output().unwrap();
        let told = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&told).into_owned())
    };
    let installed = |name: &str| {
        let shown = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/systemd").join(name);
        // The programs need not be installed where this is built.
        let text = fs::read_to_string(shown).unwrap();
        let text = text.replace("/usr/bin/tracker", "/bin/true").replace("/usr/bin/peer", "/bin/true");
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let (tracker, peer) = (installed("rollcall-tracker.service"), installed("rollcall-peer@.service"));
    for (arguments, unit) in [
        (&["verify"][..], &tracker),
        (&["--user", "verify"], &peer),
        // Ten times the exposure that it tells, at the most.
        (&["security", "--offline=true", "--threshold=20"], &tracker),
    ] {
        let (sound, told) = analyze(arguments, unit);
        assert!(sound, "{arguments:?}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_is_told_when_a_session_is_ready_and_when_it_stops() {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(ANY_PORT, data.path()).await;
    let alice = Person::new();
    let path = alice.0.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let told = || {
        let mut told = [0; 64];
        let length = socket.recv(&mut told).unwrap();
        String::from_utf8_lossy(&told[..length]).trim().to_string()
    };
    let mut session = Command::new(env!("CARGO_BIN_EXE_peer"))
        .args(["login", "alice", "--headless", "--tracker", &host.address().to_string()])
        .env_clear()
        .env("ROLLCALL_HOME", alice.0.path())
        .env("NOTIFY_SOCKET", &path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert_eq!(told(), "READY=1");
    assert!(alice.does("status").contains("up"));
    alice.does("logout");
    assert_eq!(told(), "STOPPING=1");
    assert!(session.wait().unwrap().success());
}

fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_what_is_said_and_heard_and_are_off_unless_they_are_wanted() {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(ANY_PORT, data.path()).await;
    let free = TcpListener::bind(ANY_PORT).unwrap().local_addr().unwrap();
    let (alice, bob) = (Person::new(), Person::new());
    assert_eq!(alice.log_in(host.address(), &["--metrics", &free.to_string()]).0, 0);
    assert_eq!(bob.log_in_as("bob", host.address(), &[]).0, 0);
    alice.does("join lobby");
    bob.does("join lobby");
    alice.does("say lobby one --wait 20");
    bob.does("say lobby two --wait 20");
    bob.does("say lobby three --wait 20");
    let page = until("all is counted", || {
        Some(get(free, "/metrics")).filter(|page| page.contains("_messages_received_total 2\n"))
    });
    for line in ["messages_sent_total 1", "tracker_up 1", "links 1", "rooms 1", "store_errors_total 0", "transfers 0"] {
        assert!(page.contains(&format!("\nrollcall_peer_{line}\n")), "{line}: {page}");
    }
    assert!(!page.contains("bob") && !page.contains("lobby"), "{page}");
    assert!(get(free, "/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
    let (code, err) = Person::new().log_in(host.address(), &["--metrics", &free.to_string()]);
    assert!(code == 1 && err.contains("another address"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notify_command_is_run_for_mentions_and_direct_messages_with_the_text_as_it_is() {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(ANY_PORT, data.path()).await;
    let (alice, bob) = (Person::new(), Person::new());
    let (script, told) = (alice.0.path().join("notify.sh"), alice.0.path().join("told"));
    let line = "#!/bin/sh\nprintf '%s|%s|%s\\n' \"$ROLLCALL_FROM\" \"$ROLLCALL_ROOM\" \"$ROLLCALL_TEXT\" >> \"$1\"\n";
    fs::write(&script, line).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    fs::create_dir(alice.0.path().join("config")).unwrap();
    let config = format!("notify_command = [{script:?}, {told:?}]\n");
    fs::write(alice.0.path().join("config/peer.toml"), config).unwrap();
    assert_eq!(alice.log_in(host.address(), &[]).0, 0);
    assert_eq!(bob.log_in_as("bob", host.address(), &[]).0, 0);
    alice.does("join lobby");
    bob.does("join lobby");
    assert_eq!(bob.run(&["say", "lobby", "nobody is called", "--wait", "20"]).0, 0);
    assert_eq!(bob.run(&["say", "lobby", "@alice $(id) `id` \"; id", "--wait", "20"]).0, 0);
    let text = until("the first", || fs::read_to_string(&told).ok().filter(|told| told.contains('\n')));
    assert_eq!(text, "bob|lobby|@alice $(id) `id` \"; id\n");
    assert_eq!(bob.run(&["msg", "alice", "and you alone", "--wait", "20"]).0, 0);
    let text = until("the second", || fs::read_to_string(&told).ok().filter(|told| told.lines().count() == 2));
    assert!(text.ends_with("bob|@bob|and you alone\n"), "{text}");
}
