//! `peer doctor` is shown each fault that it knows, and calls it by its name.

mod other;

use std::{
    fs,
    net::{Ipv4Addr, UdpSocket},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    thread,
    time::Duration,
};

use common::wire::tracker::ALPN;
use other::{Manner, Other};
use serde::Deserialize;
use tests::lab::{Lab, Output, Peer, Tracker, Wire, eventually};

use crate::crowd::{Crowd, ROOM, SOON};

const FINE: i32 = 0;
const REFUSED: i32 = 1;
const UNREACHABLE: i32 = 3;
const IDENTITY: i32 = 4;

const TRACKER_PORT: u16 = 27655;
/// It says that it takes ten seconds; here, several work at once.
const DEADLINE: Duration = Duration::from_secs(40);
const WAIT: Duration = Duration::from_secs(10);
/// Links die sooner than usual, and are tried again sooner.
const SETTINGS: &str = "keep_alive_s = 1\ndead_after_s = 3\nmember_retry_s = 2\n";
/// Fits ARP and small datagrams, and not QUIC's first ones.
const NARROW: Wire = Wire { longest: Some(1_000), ..BARE };
const BARE: Wire = Wire { loss: 0.0, delay: Duration::ZERO, jitter: Duration::ZERO, reorder: 0.0, longest: None };
/// Room for an account, and for little else.
const SMALL_DISK: usize = 32 * 1024 * 1024;

#[derive(Deserialize, Debug)]
struct Found {
    fault: String,
    severity: String,
    cause: String,
    remedy: String,
}

pub fn nothing_is_wrong_where_all_is_well() {
    let crowd = Crowd::gather(&["alice", "bob"], Wire::default());
    let alice = &crowd.peers[0];
    assert!(finds(alice, FINE, &[]).is_empty());
    let told = alice.cmd_within(DEADLINE, &["doctor"]).expect(FINE);
    assert_eq!(told.stdout, ["nothing is wrong"]);
    alice.cmd(&["logout"]).expect(FINE);
    finds(alice, FINE, &[]);
}

pub fn without_an_account_it_says_how_to_begin() {
    let lab = Lab::new();
    let _tracker = lab.host("server").tracker(&[]);
    let alice = lab.host("alice").peer("alice");
    let found = finds_first(&alice, FINE, &["no-account"]);
    assert!(found[0].remedy.contains("peer login"), "{found:?}");
}

pub fn no_mdns_at_all() {
    let lab = Lab::new();
    // It is there, and its announcements are not.
    let _tracker = lab.host("server").tracker(&["--no-mdns"]);
    finds_first(&lab.host("alice").peer("alice"), UNREACHABLE, &["no-account", "mdns-silent"]);
}

pub fn mdns_and_no_tracker() {
    let lab = Lab::new();
    let printer = lab.host("printer");
    let socket = printer.enter(|| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 5_353))).expect("a socket");
    let ip = match printer.ip() {
        std::net::IpAddr::V4(ip) => ip,
        std::net::IpAddr::V6(_) => unreachable!("a host's first address is IPv4"),
    };
    socket.join_multicast_v4(&Ipv4Addr::new(224, 0, 0, 251), &ip).expect("the group is joined");
    answer_everybody(socket);
    finds_first(&lab.host("alice").peer("alice"), UNREACHABLE, &["no-account", "no-tracker"]);
}

pub fn no_multicast() {
    let lab = Lab::new();
    let host = lab.host("alice");
    host.forbid_multicast();
    finds_first(&host.peer("alice"), UNREACHABLE, &["no-account", "no-multicast"]);
}

pub fn several_trackers() {
    let lab = Lab::new();
    let _trackers = ["one", "other"].map(|name| lab.host(name).tracker(&["--domain", name]));
    finds_first(&lab.host("alice").peer("alice"), REFUSED, &["no-account", "several-trackers"]);
}

pub fn no_network() {
    let (_lab, _tracker, alice) = account();
    alice.host().unplug();
    finds(&alice, UNREACHABLE, &["no-network"]);
}

pub fn a_tracker_that_cannot_be_looked_up() {
    let lab = Lab::new();
    let alice = lab.host("alice").peer("alice");
    alice.configure("tracker = \"nowhere.invalid\"\n");
    finds(&alice, UNREACHABLE, &["no-account", "tracker-unknown"]);
}

pub fn a_tracker_in_a_network_without_a_way_there() {
    let lab = Lab::new();
    let alice = lab.host("alice").peer("alice");
    alice.configure("tracker = \"192.0.2.1\"\n");
    let found = finds(&alice, UNREACHABLE, &["no-account", "tracker-unroutable"]);
    assert!(found[1].cause.contains("another subnet"), "{found:?}");
}

pub fn a_tracker_with_another_key() {
    let (_lab, mut tracker, alice) = account();
    tracker.process().terminate();
    tracker.process().wait(WAIT);
    fs::remove_dir_all(tracker.data()).expect("the data folder goes");
    tracker.start_again();
    let found = finds(&alice, IDENTITY, &["tracker-key"]);
    assert!(found[0].remedy.contains("--tracker-key"), "{found:?}");
}

pub fn a_tracker_whose_port_is_walled_off() {
    let (lab, tracker, alice) = account();
    lab.wall(tracker.host(), TRACKER_PORT);
    let found = finds(&alice, UNREACHABLE, &["tracker-blocked"]);
    assert!(found[0].cause.contains("the machine is there"), "{found:?}");
    assert!(found[0].remedy.contains("27655"), "{found:?}");
}

pub fn a_port_where_no_tracker_listens() {
    let (_lab, tracker, alice) = account();
    tracker.process().kill();
    finds(&alice, UNREACHABLE, &["tracker-refused"]);
}

pub fn a_session_whose_tracker_is_down() {
    let (_lab, tracker, alice) = session();
    tracker.process().terminate();
    tracker.process().wait(WAIT);
    eventually(SOON, "the session knows", || alice.status().tracker_state, |state| state != "up");
    let found = finds(&alice, UNREACHABLE, &["tracker-refused", "tracker-down"]);
    assert!(found[1].cause.contains("shutting down"), "{found:?}");
}

pub fn a_tracker_that_has_moved() {
    let (lab, tracker, alice) = session_with(&[]);
    tracker.process().terminate();
    tracker.process().wait(WAIT);
    eventually(SOON, "the session knows", || alice.status().tracker_state, |state| state != "up");
    let elsewhere = lab.host("elsewhere");
    copy(&tracker.data(), &elsewhere.folder().join("tracker"));
    let moved = elsewhere.tracker(&[]);
    let found = finds(&alice, UNREACHABLE, &["tracker-moved", "tracker-down"]);
    assert!(found[0].cause.contains(&moved.address().to_string()), "{found:?}");
}

pub fn another_program_at_the_tracker_s_port() {
    let (_lab, tracker, alice) = account();
    tracker.process().kill();
    let socket = tracker.host().enter(|| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, TRACKER_PORT))).expect("a socket");
    answer_everybody(socket);
    finds(&alice, UNREACHABLE, &["not-a-tracker"]);
}

pub fn a_tracker_of_another_protocol() {
    let (_lab, tracker, alice) = account();
    let _other = Other::in_place_of(&tracker, b"rollcall-tracker/2", Manner::OtherVersion);
    finds(&alice, REFUSED, &["other-version"]);
}

pub fn a_tracker_that_refuses_the_version() {
    let (_lab, tracker, alice) = session();
    let _other = Other::in_place_of(&tracker, ALPN, Manner::OtherVersion);
    eventually(SOON, "the session is refused", || alice.status().other_version, |refused| *refused);
    let found = finds(&alice, REFUSED, &["other-version"]);
    assert!(found[0].cause.contains("version 9"), "{found:?}");
}

pub fn a_tracker_that_takes_nobody_just_now() {
    let (_lab, tracker, alice) = account();
    let _other = Other::in_place_of(&tracker, ALPN, Manner::Busy);
    finds(&alice, UNREACHABLE, &["tracker-busy"]);
}

pub fn a_clock_that_differs_from_the_tracker_s() {
    let (_lab, tracker, alice) = session();
    let _other = Other::in_place_of(&tracker, ALPN, Manner::ClockBehind(Duration::from_secs(3 * 3_600)));
    eventually(SOON, "the session is back", || alice.status().clock_ahead_s, |ahead| ahead.is_some_and(|s| s > 60));
    let found = finds(&alice, FINE, &["clock-off"]);
    assert!(found[0].cause.contains("3 h 0 min ahead of"), "{found:?}");
}

pub fn a_way_too_narrow_for_quic() {
    let (lab, tracker, alice) = account();
    lab.set_wire(alice.host(), tracker.host(), NARROW);
    lab.set_wire(tracker.host(), alice.host(), NARROW);
    finds(&alice, UNREACHABLE, &["mtu"]);
}

pub fn a_port_that_another_program_has() {
    let (_lab, _tracker, alice) = account();
    let port = kept_port(&alice);
    let _taken = alice.host().enter(move || UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))).expect("a socket");
    let found = finds(&alice, REFUSED, &["port-taken"]);
    assert!(found[0].cause.contains(&format!("process {}", std::process::id())), "{found:?}");
}

pub fn an_address_that_the_machine_does_not_have() {
    let (_lab, _tracker, alice) = account();
    alice.configure("listen = \"192.0.2.1:0\"\n");
    finds(&alice, REFUSED, &["cannot-listen"]);
}

pub fn all_members_out_of_reach() {
    let crowd = Crowd::gather_with(&["alice", "bob", "carol"], Wire::default(), SETTINGS);
    let [alice, bob, carol] = crowd.peers.as_slice() else { unreachable!("three were gathered") };
    crowd.lab.cut(alice.host(), bob.host());
    crowd.lab.cut(alice.host(), carol.host());
    is_unreached(alice, &[bob, carol]);
    let found = finds(alice, UNREACHABLE, &["members-unreachable"]);
    assert!(found[0].cause.contains("bob, carol"), "{found:?}");
}

pub fn one_member_out_of_reach() {
    let crowd = Crowd::gather_with(&["alice", "bob", "carol"], Wire::default(), SETTINGS);
    let [alice, bob, _] = crowd.peers.as_slice() else { unreachable!("three were gathered") };
    crowd.lab.cut(alice.host(), bob.host());
    let path = || alice.members(ROOM).into_iter().find(|member| member.name.as_str() == "bob").map(|bob| bob.path);
    eventually(SOON, "there is a way around", path, |path| path.as_deref() == Some("via carol"));
    let found = finds(alice, UNREACHABLE, &["member-unreachable"]);
    assert!(found[0].cause.contains("bob") && found[0].cause.contains("carol"), "{found:?}");
}

pub fn a_full_disk() {
    let lab = Lab::new();
    let (server, host) = (lab.host("server"), lab.host("alice"));
    let disk = host.small_disk(SMALL_DISK);
    let tracker = server.tracker(&["--no-mdns"]);
    let mut alice = host.peer("alice");
    alice.login(&["--tracker", &tracker.address().to_string()]);
    finds(&alice, FINE, &["disk-nearly-full"]);
    disk.fill();
    finds(&alice, REFUSED, &["disk-full"]);
}

pub fn a_session_that_has_no_room_for_what_waits() {
    let mut crowd = Crowd::gather(&["bob"], Wire::default());
    let host = crowd.lab.host("alice");
    let disk = host.small_disk(SMALL_DISK);
    crowd.add_on(&host, "alice");
    let [bob, alice] = crowd.peers.as_slice() else { unreachable!("two were gathered") };
    disk.fill();
    let refuses = || {
        bob.say(ROOM, &"x".repeat(16 * 1024));
        faults(alice).contains(&"session-refuses".to_string())
    };
    eventually(DEADLINE, "what is left in its files is used up", refuses, |refuses| *refuses);
    let found = finds(alice, REFUSED, &["disk-full", "session-refuses"]);
    assert!(found[1].cause.contains("Make room"), "{found:?}");
    disk.clear();
    eventually(
        DEADLINE,
        "it goes on by itself",
        || faults(alice),
        |faults| !faults.iter().any(|it| it == "session-refuses"),
    );
}

/// There is a file in its place: that stops the superuser too, whom a mode would not.
pub fn a_folder_that_cannot_be_written() {
    let (_lab, _tracker, alice) = account();
    let folder = alice.home().join("alice");
    fs::rename(&folder, alice.home().join("aside")).expect("it is moved");
    fs::write(&folder, "").expect("a file");
    let found = doctor(&alice, &["--as", "alice"]).json::<Found>();
    assert!(found.iter().any(|found| found.fault == "folder-unwritable"), "{found:?}");
}

pub fn a_key_that_others_can_read() {
    let (_lab, _tracker, alice) = account();
    fs::set_permissions(key(&alice), fs::Permissions::from_mode(0o644)).expect("the mode is changed");
    finds(&alice, REFUSED, &["key-exposed"]);
}

pub fn a_key_that_is_gone_or_damaged() {
    let (_lab, _tracker, alice) = account();
    fs::write(key(&alice), "not a key").expect("it is written");
    finds(&alice, IDENTITY, &["key-unusable"]);
    fs::remove_file(key(&alice)).expect("it goes");
    finds(&alice, IDENTITY, &["key-missing"]);
    assert!(!key(&alice).exists(), "a look makes no key");
}

pub fn settings_that_cannot_be_used() {
    let (_lab, _tracker, alice) = account();
    alice.configure("trakcer = \"10.77.0.1\"\n");
    let found = finds(&alice, REFUSED, &["config"]);
    assert!(found[0].cause.contains("trakcer"), "{found:?}");
}

pub fn a_damaged_profile() {
    let (_lab, tracker, alice) = account();
    alice.configure(&format!("tracker = \"{}\"\n", tracker.address()));
    fs::write(alice.home().join("alice/profile.toml"), "port = ?").expect("it is written");
    finds(&alice, REFUSED, &["profile-damaged"]);
}

pub fn a_profile_that_is_gone() {
    let (_lab, tracker, mut alice) = account();
    let key = common::Identity::load_or_create(&tracker.data().join("key")).expect("its key").key().to_string();
    let address = tracker.address();
    alice.configure(&format!("tracker = \"{address}\"\n"));
    fs::remove_file(alice.home().join("alice/profile.toml")).expect("it goes");
    finds(&alice, IDENTITY, &["profile-gone"]);
    let refused = alice.try_login(&[]).expect(IDENTITY);
    assert!(refused.complains_of("--tracker-key"), "{refused:?}");
    alice.login(&["--tracker-key", &key]);
    alice.cmd(&["logout"]).expect(FINE);
    finds(&alice, FINE, &[]);
}

pub fn a_history_that_cannot_be_used() {
    let (_lab, _tracker, alice) = account();
    let [history, kept, aside] = ["alice/history.db", "alice/key", "aside"].map(|name| alice.home().join(name));
    fs::rename(&kept, &aside).expect("it is moved");
    common::Identity::load_or_create(&kept).expect("another key");
    finds(&alice, IDENTITY, &["history-foreign"]);
    fs::rename(&aside, &kept).expect("it is moved back");
    fs::rename(&history, &aside).expect("it is moved");
    fs::create_dir(&history).expect("a folder in its place");
    finds(&alice, REFUSED, &["history-unusable"]);
    fs::remove_dir(&history).expect("it goes");
    let mut newer = fs::read(&aside).expect("it is read");
    // Where SQLite keeps the number that says the format (its file format, 1.3).
    newer[60..64].copy_from_slice(&999u32.to_be_bytes());
    fs::write(&history, newer).expect("it is written");
    finds(&alice, REFUSED, &["history-newer"]);
}

pub fn an_address_book_that_cannot_be_read() {
    let (_lab, _tracker, alice) = account();
    fs::write(alice.home().join("alice/book.toml"), "[[person]]\nname = 5\n").expect("it is written");
    let found = finds(&alice, REFUSED, &["book-damaged"]);
    assert!(found[0].cause.contains("line 2"), "{found:?}");
}

/// The lock goes with the process that has it; what a killed session leaves is its socket.
pub fn a_socket_that_a_killed_session_has_left() {
    let (_lab, _tracker, mut alice) = session();
    alice.session().kill();
    finds(&alice, FINE, &["stale-socket"]);
    alice.login(&[]);
    finds(&alice, FINE, &[]);
}

pub fn a_session_that_does_not_answer() {
    let (_lab, _tracker, alice) = session();
    let id = alice.session().id();
    alice.session().stop();
    let found = finds(&alice, UNREACHABLE, &["session-silent"]);
    assert!(found[0].cause.contains(&format!("process {id}")), "{found:?}");
    // Found by the lock that it holds.
    alice.session().resume();
    fs::remove_file(alice.home().join("alice.sock")).expect("the socket's file goes");
    let found = finds(&alice, UNREACHABLE, &["session-silent"]);
    assert!(found[0].remedy.contains(&id.to_string()), "{found:?}");
}

/// It calls the faults of alice's account by these names, and ends with this code.
#[track_caller]
fn finds(alice: &Peer, code: i32, faults: &[&str]) -> Vec<Found> {
    finds_in(doctor(alice, &["--as", alice.name()]), code, faults)
}

/// The same before the first login.
#[track_caller]
fn finds_first(alice: &Peer, code: i32, faults: &[&str]) -> Vec<Found> {
    finds_in(doctor(alice, &[]), code, faults)
}

#[track_caller]
fn finds_in(output: Output, code: i32, faults: &[&str]) -> Vec<Found> {
    let found: Vec<Found> = output.json();
    let names: Vec<&str> = found.iter().map(|found| found.fault.as_str()).collect();
    assert_eq!(names, faults, "{output:?}");
    for found in &found {
        assert!(["hint", "fault"].contains(&found.severity.as_str()), "{found:?}");
        assert!(!found.cause.contains('{') && !found.remedy.contains('{'), "a word is missing: {found:?}");
    }
    output.expect(code);
    found
}

fn faults(alice: &Peer) -> Vec<String> {
    let found: Vec<Found> = doctor(alice, &["--as", alice.name()]).json();
    found.into_iter().map(|found| found.fault).collect()
}

#[track_caller]
fn doctor(alice: &Peer, options: &[&str]) -> Output {
    alice.cmd_within(DEADLINE, &[&["doctor", "--json"], options].concat())
}

/// A tracker, and alice, who has been logged in there and is not any more.
fn account() -> (Lab, Tracker, Peer) {
    let (lab, tracker, alice) = session();
    alice.cmd(&["logout"]).expect(FINE);
    (lab, tracker, alice)
}

/// A tracker, and alice, who is logged in.
fn session() -> (Lab, Tracker, Peer) {
    session_with(&["--no-mdns"])
}

fn session_with(options: &[&str]) -> (Lab, Tracker, Peer) {
    let lab = Lab::new();
    let tracker = lab.host("server").tracker(options);
    let mut alice = lab.host("alice").peer("alice");
    alice.login(&["--tracker", &tracker.address().to_string()]);
    (lab, tracker, alice)
}

#[track_caller]
fn is_unreached(peer: &Peer, others: &[&Peer]) {
    let direct = || peer.members(ROOM).into_iter().filter(|member| member.path == "direct").collect::<Vec<_>>();
    let is_gone = |name: &str, direct: &[_]| {
        !direct.iter().any(|member: &common::wire::control::Member| member.name.as_str() == name)
    };
    eventually(SOON, "the wall is noticed", direct, |direct| others.iter().all(|other| is_gone(other.name(), direct)));
}

fn key(alice: &Peer) -> PathBuf {
    alice.home().join("alice/key")
}

fn kept_port(alice: &Peer) -> u16 {
    let kept = fs::read_to_string(alice.home().join("alice/profile.toml")).expect("it is read");
    let kept: toml::Table = kept.parse().expect("it is TOML");
    kept["port"].as_integer().and_then(|port| u16::try_from(port).ok()).expect("a port")
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
        }
    }
}

/// Answers every datagram with something, until the test process ends.
fn answer_everybody(socket: UdpSocket) {
    thread::spawn(move || {
        while let Ok((_, from)) = socket.recv_from(&mut [0; 2_048]) {
            let _ = socket.send_to(b"hello", from);
        }
    });
}
