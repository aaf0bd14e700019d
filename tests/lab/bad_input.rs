//! What is wrong is refused with the exit code of its kind, and with what to do.

use std::{fs, net::UdpSocket, process::Command, time::Duration};

use tests::lab::{Host, Lab, Output, Peer, Tracker};

const REFUSED: i32 = 1;
const UNREACHABLE: i32 = 3;
const IDENTITY: i32 = 4;

pub fn a_port_in_use() {
    let lab = Lab::new();
    let (host, bob) = (lab.host("server"), lab.host("bob"));
    let _tracker = host.tracker(&[]);
    let _taken = bob.enter(|| UdpSocket::bind("0.0.0.0:5000")).expect("a socket");
    let refused = bob.peer("bob").try_login(&["--port", "5000"]);
    refuses(refused, REFUSED, &["5000", "--port"]);
}

pub fn a_port_in_use_by_another_tracker() {
    let lab = Lab::new();
    let host = lab.host("server");
    let _first = host.tracker(&[]);
    let refused = tracker(&host, &["--data", &host.folder().join("second").display().to_string()]);
    refuses(refused, REFUSED, &["27655", "--listen"]);
}

pub fn a_stale_socket() {
    let (_lab, _tracker, mut alice) = one_peer();
    alice.session().kill();
    refuses(alice.cmd(&["status"]), UNREACHABLE, &["peer login alice"]);
    alice.login(&[]);
    alice.cmd(&["status"]).expect(0);
}

pub fn an_unknown_room() {
    let (_lab, _tracker, alice) = one_peer();
    refuses(alice.cmd(&["say", "nowhere", "hello"]), REFUSED, &["nowhere", "peer join nowhere"]);
    refuses(alice.cmd(&["members", "nowhere"]), REFUSED, &["nowhere"]);
    refuses(alice.cmd(&["leave", "nowhere"]), REFUSED, &["nowhere"]);
}

pub fn a_name_that_is_too_long() {
    let (_lab, _tracker, alice) = one_peer();
    let long = "x".repeat(300);
    refuses_name(alice.host().peer(&long).try_login(&[]), &["32", "300"]);
    refuses_name(alice.cmd(&["join", &long]), &["64", "300"]);
}

pub fn control_characters() {
    let (_lab, _tracker, alice) = one_peer();
    let bad = "a\u{1b}[31mb";
    refuses_name(alice.cmd(&["login", bad, "--headless"]), &["letters"]);
    refuses_name(alice.cmd(&["join", bad]), &["letters"]);
    // A text may hold them; what a person's terminal gets may not.
    alice.join("lobby");
    alice.say("lobby", bad);
    let shown = alice.cmd(&["tail", "lobby"]).expect(0);
    assert!(shown.stdout.iter().any(|line| line.contains("[31mb")), "{shown:?}");
    assert!(!shown.stdout.iter().any(|line| line.contains('\u{1b}')), "the terminal would obey\n{shown:?}");
}

pub fn a_text_that_is_too_long() {
    const MOST: usize = 16 * 1024;
    let (_lab, _tracker, alice) = one_peer();
    alice.join("lobby");
    alice.say("lobby", &"x".repeat(MOST));
    let refused = alice.cmd(&["say", "lobby", &"x".repeat(MOST + 1)]);
    assert!(["16 KiB", "16384", "16,384"].iter().any(|limit| refused.complains_of(limit)), "{refused:?}");
    refuses(refused, REFUSED, &[]);
    let lengths: Vec<usize> = alice.messages("lobby").iter().map(|message| message.text.len()).collect();
    assert_eq!(lengths, [MOST]);
}

pub fn no_tracker_to_be_found() {
    let lab = Lab::new();
    refuses(lab.host("alice").peer("alice").try_login(&[]), UNREACHABLE, &["peer login alice --tracker"]);
}

pub fn a_name_that_somebody_else_has() {
    let (lab, _tracker, _alice) = one_peer();
    refuses(lab.host("mallory").peer("alice").try_login(&[]), IDENTITY, &["alice", "key"]);
}

pub fn a_misspelt_setting() {
    let lab = Lab::new();
    let host = lab.host("alice");
    let alice = host.peer("alice");
    alice.configure("trakcer = \"10.77.0.1\"\n");
    refuses(alice.try_login(&[]), REFUSED, &["trakcer", "\"tracker\"", "peer.toml"]);

    let file = host.folder().join("tracker.toml");
    fs::write(&file, "domian = \"home\"\n").expect("a file");
    refuses(tracker(&host, &["--config", &file.display().to_string()]), REFUSED, &["domian", "\"domain\""]);
}

/// There is a file in its place: that stops the superuser too, whom a mode would not.
pub fn a_folder_that_cannot_be_written() {
    let lab = Lab::new();
    let host = lab.host("alice");
    let alice = host.peer("alice");
    fs::write(alice.home(), "").expect("a file");
    refuses(alice.try_login(&[]), REFUSED, &[&alice.home().display().to_string()]);

    let data = host.folder().join("file").display().to_string();
    fs::write(&data, "").expect("a file");
    refuses(tracker(&host, &["--data", &data]), REFUSED, &[&data, "--data"]);
}

/// A tracker, and alice, who is logged in.
fn one_peer() -> (Lab, Tracker, Peer) {
    let lab = Lab::new();
    let tracker = lab.host("server").tracker(&[]);
    let mut alice = lab.host("alice").peer("alice");
    alice.login(&["--tracker", &tracker.address().to_string()]);
    (lab, tracker, alice)
}

fn tracker(host: &Host, options: &[&str]) -> Output {
    let mut command = Command::new(tests::lab::program("tracker"));
    command.args(options).env("ROLLCALL_HOME", host.folder());
    host.run(command, Duration::from_secs(10))
}

#[track_caller]
fn refuses(output: Output, code: i32, says: &[&str]) {
    let output = output.expect(code);
    assert!(output.stdout.is_empty(), "a refusal is no data\n{output:?}");
    assert!(says.iter().all(|text| output.complains_of(text)), "it should say {says:?}\n{output:?}");
    assert!(!output.complains_of("panicked"), "{output:?}");
    assert!(!output.complains_of("\u{1b}"), "the terminal would obey\n{output:?}");
}

/// A name is refused by whoever reads it first: the command line, or the one it is for.
#[track_caller]
fn refuses_name(output: Output, says: &[&str]) {
    const USAGE: i32 = 2;
    let code = output.code.filter(|code| *code == USAGE).unwrap_or(REFUSED);
    refuses(output, code, says);
}
