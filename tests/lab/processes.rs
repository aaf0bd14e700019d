//! Programs run on hosts, are heard, and end when they should.

use std::{
    net::{TcpListener, TcpStream},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use tests::lab::{Lab, Process, eventually};

const SOON: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(60);

pub fn what_a_program_says_is_heard() {
    let lab = Lab::new();
    let output = lab.host("alice").run(shell(r#"echo '{"v":1,"n":7}'; echo oh dear >&2; exit 3"#), SOON).expect(3);
    assert_eq!(output.json::<serde_json::Value>()[0]["n"], 7);
    assert!(output.complains_of("dear"));

    let waits = lab.host("bob").spawn(shell("echo one; echo two; exec sleep 60"));
    let line = waits.wait_for_line(SOON, "two", |line| (line == "two").then(|| line.to_owned()));
    assert_eq!(line, "two");
    waits.terminate();
    assert_eq!(waits.wait(SOON).code(), None, "a signal ended it");
}

pub fn a_program_that_ends_without_the_line_is_not_waited_for() {
    let lab = Lab::new();
    let ends = lab.host("alice").spawn(shell("echo why it ends >&2"));
    let start = Instant::now();
    let panic = catch_unwind(AssertUnwindSafe(|| ends.wait_for_line(LONG, "ready", |_| None::<()>))).unwrap_err();
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains("why it ends"), "{message}");
    assert!(start.elapsed() < LONG);
}

pub fn a_program_can_be_held_and_let_go_on() {
    let lab = Lab::new();
    let counts = lab.host("alice").spawn(shell("n=0; while :; do n=$((n+1)); echo $n; sleep 0.01; done"));
    counts.wait_for_line(SOON, "it counts", |line| (line == "3").then_some(()));
    counts.stop();
    eventually(SOON, "it is held", || state(&counts), |state| *state == 'T');
    counts.resume();
    eventually(SOON, "it goes on", || state(&counts), |state| *state != 'T');
    counts.kill();
    assert!(!counts.is_running());
}

pub fn a_dropped_program_is_gone() {
    let lab = Lab::new();
    let sleeps = lab.host("alice").spawn(shell("exec sleep 60"));
    let folder = format!("/proc/{}", sleeps.id());
    assert!(Path::new(&folder).exists());
    drop(sleeps);
    assert!(!Path::new(&folder).exists());
}

pub fn each_host_has_its_own_network() {
    let lab = Lab::new();
    let (alice, bob) = (lab.host("alice"), lab.host("bob"));
    let [at_alice, _at_bob] =
        [&alice, &bob].map(|host| host.enter(|| TcpListener::bind("127.0.0.1:8080")).expect("free"));
    drop(at_alice);
    assert!(alice.enter(|| TcpStream::connect("127.0.0.1:8080")).is_err(), "what listens on bob is not on alice");
    assert!(bob.enter(|| TcpStream::connect("127.0.0.1:8080")).is_ok());
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

/// The letter that the system gives a process's state: `T` is stopped.
fn state(process: &Process) -> char {
    let text = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).expect("a running process");
    text.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).expect("a state")
}
