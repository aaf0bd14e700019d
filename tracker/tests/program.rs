//! The program as a person or a script sees it.

mod peer;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    path::Path,
    process::{Child, ChildStderr, Command, Output, Stdio},
};

use common::wire::tracker::{Code, Join, ToPeer};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use peer::Peer;
use tracker::status::{Account, Status};

fn tracker(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracker"));
    command.env_clear().arg("--home").arg(home).stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

struct Program {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

impl Program {
    fn start(home: &Path, listen: &str, more: &[&str]) -> Program {
        let mut command = tracker(home);
        command.args(["--no-mdns", "--listen", listen]).args(more).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("log in with") {
            assert!(stderr.read_line(&mut said).unwrap() > 0, "it ended: {said}");
        }
        Program { child, stderr, said }
    }

    fn address(&self) -> SocketAddr {
        let line = self.said.lines().find_map(|line| line.strip_prefix("listening on UDP ")).unwrap();
        line.parse().unwrap()
    }

    fn end(mut self, signal: Signal) -> (Option<i32>, String) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
        self.stderr.read_to_string(&mut self.said).unwrap();
        (self.child.wait().unwrap().code(), std::mem::take(&mut self.said))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const ANY: &str = "127.0.0.1:0";

#[test]
fn it_says_where_it_is_answers_status_and_ends_cleanly() {
    let home = tempfile::tempdir().unwrap();
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let program = Program::start(home.path(), ANY, &["--domain", "home"]);
        let port = program.address().port();
        assert!(program.said.contains(&format!("peer login NAME --tracker 127.0.0.1:{port}")), "{}", program.said);
        let (code, stdout, _) = run(tracker(home.path()).args(["status", "--json"]));
        assert_eq!(code, 0);
        let status: Status = serde_json::from_str(&stdout).unwrap();
        assert_eq!((status.v, status.domain.as_str(), status.sessions), (1, "home", 0));
        assert_eq!(program.end(signal).0, Some(0));
        assert!(!home.path().join("tracker/tracker.sock").exists());
    }
}

#[test]
fn status_of_no_tracker_is_not_reachable() {
    let home = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = run(tracker(home.path()).arg("status"));
    assert_eq!((code, stdout.as_str()), (3, ""));
    assert!(stderr.contains("no tracker is running on"), "{stderr}");
}

#[test]
fn a_second_tracker_on_the_same_data_or_port_is_told_so() {
    let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let _first = Program::start(home.path(), ANY, &[]);
    let (code, _, stderr) = run(tracker(home.path()).args(["--no-mdns", "--listen", ANY]));
    assert_eq!(code, 1);
    assert!(stderr.contains("another tracker is running on"), "{stderr}");
    let taken = UdpSocket::bind(ANY).unwrap().local_addr().unwrap();
    let _taken = UdpSocket::bind(taken).unwrap();
    let (code, _, stderr) = run(tracker(other.path()).args(["--no-mdns", "--listen", &taken.to_string()]));
    assert_eq!(code, 1);
    assert!(stderr.contains(&format!("UDP port {} is in use", taken.port())), "{stderr}");
}

#[test]
fn wrong_settings_are_refused_with_what_is_right() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("config")).unwrap();
    std::fs::write(home.path().join("config/tracker.toml"), "domian = 'x'").unwrap();
    let (code, _, stderr) = run(&mut tracker(home.path()));
    assert_eq!(code, 1);
    assert!(stderr.contains("did you mean \"domain\""), "{stderr}");
    assert_eq!(run(tracker(home.path()).args(["--listen", "here"])).0, 2);
    std::fs::write(home.path().join("config/tracker.toml"), "").unwrap();
    let (code, _, stderr) = run(tracker(home.path()).env("ROLLCALL_TRACKER_ROOMS", "many"));
    assert_eq!(code, 1);
    assert!(stderr.contains("ROLLCALL_TRACKER_ROOMS"), "{stderr}");
}

#[test]
fn a_data_folder_that_cannot_be_made_is_named() {
    let (code, _, stderr) = run(tracker(Path::new("/proc/nowhere")).args(["--no-mdns", "--listen", ANY]));
    assert_eq!(code, 1);
    assert!(stderr.contains("the data folder /proc/nowhere/tracker cannot be written"), "{stderr}");
}

#[test]
fn metrics_are_served_and_logs_are_json() {
    let home = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind(ANY).unwrap().local_addr().unwrap().to_string();
    let program = Program::start(home.path(), ANY, &["--metrics", &free, "--log-json"]);
    let get = |path: &str| {
        let mut stream = TcpStream::connect(&free).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let page = get("/metrics");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(page.contains("\nrollcall_tracker_sessions 0\n") && page.contains("_sent_bytes_total "), "{page}");
    assert!(get("/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(get("/").starts_with("HTTP/1.1 404 "));
    let (_, said) = program.end(Signal::SIGTERM);
    let logged = said.lines().find(|line| line.starts_with('{')).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(logged).unwrap()["level"], "INFO");
}

#[test]
fn systemd_is_told_when_it_is_ready_and_when_it_stops() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
    let told = || {
        let mut told = [0; 64];
        let length = socket.recv(&mut told).unwrap();
        String::from_utf8_lossy(&told[..length]).trim().to_string()
    };
    let mut command = tracker(home.path());
    command.args(["--no-mdns", "--listen", ANY]).env("NOTIFY_SOCKET", &path).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    assert_eq!(told(), "READY=1");
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).unwrap();
    assert_eq!(told(), "STOPPING=1");
    assert!(child.wait().unwrap().success());
}

#[test]
fn completions_and_pages_for_man_are_made_without_a_tracker() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (code, script, _) = run(tracker(home.path()).args(["completions", shell]));
        assert!(code == 0 && script.contains("remove-account"), "{shell}: {script}");
    }
    let dir = home.path().join("man1");
    assert_eq!(run(tracker(home.path()).arg("man").arg(&dir)).0, 0);
    assert!(dir.join("tracker.1").exists() && dir.join("tracker-status.1").exists());
    assert!(run(tracker(home.path()).arg("man")).1.contains(".TH tracker"));
}

#[tokio::test]
async fn a_killed_tracker_comes_back_with_its_tables_and_its_peers_learn_so_at_once() {
    let home = tempfile::tempdir().unwrap();
    let program = Program::start(home.path(), ANY, &[]);
    let address = program.address();
    let mut alice = Peer::login(address, 1, "alice").await;
    alice.next().await;
    alice.say(Join { id: 1, room: "lobby".parse().unwrap(), history: None }).await;
    let ToPeer::Snapshot(before) = alice.next().await else { panic!("no snapshot") };
    assert!(matches!(alice.next().await, ToPeer::Answer(_)));
    assert_eq!(program.end(Signal::SIGKILL).0, None);
    assert!(home.path().join("tracker/tracker.sock").exists(), "left by the crash");

    let _program = Program::start(home.path(), &address.to_string(), &[]);
    alice.say(Join { id: 2, room: "lobby".parse().unwrap(), history: None }).await;
    assert!(alice.was_reset().await);
    let mut stranger = Peer::login(address, 2, "alice").await;
    assert!(matches!(stranger.next().await, ToPeer::Refused(refused) if refused.code == Code::NameTaken));
    let mut alice = Peer::login(address, 1, "alice").await;
    alice.next().await;
    let ToPeer::Snapshot(after) = alice.next().await else { panic!("no snapshot") };
    assert_eq!((after.version, after.members), (before.version, before.members));
}

fn refusal(frame: ToPeer) -> (Code, String) {
    match frame {
        ToPeer::Refused(refused) => (refused.code, refused.reason),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn an_invitation_that_was_printed_lets_one_in_also_after_a_crash() {
    let home = tempfile::tempdir().unwrap();
    let by_invitation = ["--registration", "invitation"];
    let program = Program::start(home.path(), ANY, &by_invitation);
    let (code, token, stderr) = run(tracker(home.path()).arg("invite"));
    assert_eq!(code, 0);
    assert!(stderr.contains(&format!("peer login NAME --invite {}", token.trim())), "{stderr}");
    program.end(Signal::SIGKILL);

    let program = Program::start(home.path(), ANY, &by_invitation);
    let address = program.address();
    let mut alice = Peer::login(address, 1, "alice").await;
    assert_eq!(refusal(alice.next().await).0, Code::Invitation);
    let mut alice = Peer::login_with(address, 1, "alice", Some(token.trim())).await;
    assert!(matches!(alice.next().await, ToPeer::Welcome(_)));
    let mut bob = Peer::login_with(address, 2, "bob", Some(token.trim())).await;
    assert!(refusal(bob.next().await).1.contains("used up"));
}

#[tokio::test]
async fn accounts_are_listed_given_a_new_key_and_removed() {
    let home = tempfile::tempdir().unwrap();
    let program = Program::start(home.path(), ANY, &[]);
    let address = program.address();
    let mut alice = Peer::login(address, 1, "alice").await;
    alice.next().await;
    let listed = || -> Vec<Account> {
        let (code, stdout, _) = run(tracker(home.path()).args(["accounts", "--json"]));
        assert_eq!(code, 0);
        stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let [before] = &listed()[..] else { panic!("not one account") };
    assert_eq!((before.name.as_str(), before.online, before.key.len()), ("alice", true, 64));
    let (_, table, _) = run(tracker(home.path()).arg("accounts"));
    assert!(table.contains("alice") && table.contains("online") && table.contains(&before.key[..16]), "{table}");

    let (code, token, _) = run(tracker(home.path()).args(["reset-key", "alice"]));
    assert_eq!(code, 0);
    let mut again = Peer::login_with(address, 2, "alice", Some(token.trim())).await;
    assert!(matches!(again.next().await, ToPeer::Welcome(_)));
    assert_eq!(alice.closed().await.0, Code::Removed);
    assert_ne!(listed()[0].key, before.key);

    let (code, _, _) = run(tracker(home.path()).args(["remove-account", "alice"]));
    assert_eq!(code, 0);
    assert_eq!(again.closed().await.0, Code::Removed);
    assert_eq!(listed(), []);
    let (code, _, stderr) = run(tracker(home.path()).args(["remove-account", "alice"]));
    assert_eq!(code, 1);
    assert!(stderr.contains("there is no account alice"), "{stderr}");
}

#[tokio::test]
async fn where_registration_is_closed_only_who_is_registered_comes_in_and_the_flag_goes_before_the_file() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("config")).unwrap();
    std::fs::write(home.path().join("config/tracker.toml"), "registration = \"closed\"").unwrap();
    let program = Program::start(home.path(), ANY, &["--registration", "open"]);
    let mut alice = Peer::login(program.address(), 1, "alice").await;
    assert!(matches!(alice.next().await, ToPeer::Welcome(_)));
    program.end(Signal::SIGTERM);

    for more in [&["--registration", "closed"][..], &[]] {
        let program = Program::start(home.path(), ANY, more);
        let mut bob = Peer::login(program.address(), 2, "bob").await;
        assert_eq!(refusal(bob.next().await).0, Code::Closed);
        let mut alice = Peer::login(program.address(), 1, "alice").await;
        assert!(matches!(alice.next().await, ToPeer::Welcome(_)));
    }
}

#[test]
fn an_invitation_holds_for_as_many_days_and_accounts_as_are_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let _program = Program::start(home.path(), ANY, &["--registration", "invitation"]);
    let (code, token, stderr) = run(tracker(home.path()).args(["invite", "--days", "3", "--uses", "20"]));
    assert!(
        code == 0 && stderr.contains("20") && stderr.contains("3 days") && stderr.contains(token.trim()),
        "{stderr}"
    );
    let (_, stdout, _) = run(tracker(home.path()).args(["invite", "--days", "3", "--json"]));
    let told: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&told["uses"], &told["days"]), (&1.into(), &3.into()));
    for days in ["0", "4000", "soon"] {
        assert_eq!(run(tracker(home.path()).args(["invite", "--days", days])).0, 2, "{days}");
    }
}

#[tokio::test]
async fn status_is_a_table_for_a_person() {
    let home = tempfile::tempdir().unwrap();
    let program = Program::start(home.path(), ANY, &["--domain", "home"]);
    let mut alice = Peer::login(program.address(), 1, "alice").await;
    alice.next().await;
    alice.say(Join { id: 1, room: "lobby".parse().unwrap(), history: None }).await;
    alice.next().await;
    let (code, table, stderr) = run(tracker(home.path()).arg("status"));
    assert_eq!((code, stderr.as_str()), (0, ""));
    let line =
        |name: &str| table.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_string();
    assert_eq!(line("domain"), "home");
    assert!(line("accounts").starts_with("1,") && line("accounts").contains("1 logged in"), "{table}");
    assert!(line("rooms").starts_with("1,") && line("rooms").contains("1 member"), "{table}");
    for name in ["changes", "carried", "up for"] {
        assert!(line(name).contains(|digit: char| digit.is_ascii_digit()), "{name}: {table}");
    }
}

#[tokio::test]
async fn as_much_is_logged_as_is_asked_for() {
    let home = tempfile::tempdir().unwrap();
    for (level, has, has_not) in
        [("error", "log in with", "INFO"), ("info", "INFO", "DEBUG"), ("debug", "DEBUG", "TRACE")]
    {
        let program = Program::start(home.path(), ANY, &["--log", level]);
        Peer::login(program.address(), 1, "alice").await.next().await;
        let (_, said) = program.end(Signal::SIGTERM);
        assert!(said.contains(has) && !said.contains(has_not), "{level}: {said}");
    }
    let (code, _, stderr) = run(tracker(home.path()).args(["--log", "loud"]));
    assert!(code != 0 && stderr.contains("loud"), "{code} {stderr}");
}

#[test]
fn what_only_a_running_tracker_can_do_is_not_reachable_without_one() {
    let home = tempfile::tempdir().unwrap();
    for command in [&["invite"][..], &["accounts"], &["remove-account", "alice"], &["reset-key", "alice"]] {
        let (code, stdout, stderr) = run(tracker(home.path()).args(command));
        assert_eq!((code, stdout.as_str()), (3, ""), "{command:?}");
        assert!(stderr.contains("no tracker is running on"), "{stderr}");
    }
}

#[test]
fn each_command_explains_itself_with_an_example() {
    let home = tempfile::tempdir().unwrap();
    for command in ["status", "invite", "accounts", "remove-account", "reset-key"] {
        let (code, stdout, _) = run(tracker(home.path()).args([command, "--help"]));
        assert_eq!(code, 0);
        assert!(stdout.contains(&format!("Example: tracker {command}")), "{stdout}");
    }
    assert!(run(tracker(home.path()).arg("--help")).1.contains("Example: tracker"));
}

#[test]
fn a_question_that_is_none_is_answered_with_why() {
    let home = tempfile::tempdir().unwrap();
    let _program = Program::start(home.path(), ANY, &[]);
    let mut socket = std::os::unix::net::UnixStream::connect(home.path().join("tracker/tracker.sock")).unwrap();
    socket.write_all(b"{\"ask\":\"dance\"}\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert!(answer["error"].as_str().unwrap().contains("dance"), "{answer}");
}
