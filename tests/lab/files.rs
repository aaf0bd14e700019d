//! Files between real programs: fetched from everybody who has them, on narrow and bad networks, and whatever dies, is
//! damaged or fills up meanwhile.

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use common::wire::control::files::{FileLine, Here, Transfer, TransferState};
use serde_json::json;
use tests::lab::{Peer, Rate, Wire, eventually};

use crate::crowd::{Crowd, ROOM, SOON};

const NAME: &str = "film.mkv";
const MIB: u64 = 1024 * 1024;
/// What is fetched where it is to be a long way: 256 MiB.
const LARGE: u64 = 256 * MIB;
/// What is fetched where something happens on the way.
const SMALL: u64 = 24 * MIB;
/// Time for a large file on a busy machine.
const LONG: Duration = Duration::from_secs(180);

/// A narrow line, as of Wi-Fi or of a long way.
fn narrow(megabytes: u64) -> Rate {
    Rate { bytes_per_second: megabytes * MIB, queue_bytes: 128 * 1024 }
}

pub fn one_to_one_at_one_percent_loss() {
    let crowd = Crowd::gather(&["alice", "bob"], Wire::losing(0.01));
    let [alice, bob] = crowd.peers.as_slice() else { unreachable!("two were gathered") };
    let source = share(alice, LARGE);
    let carried = crowd.lab.counters(&crowd.server).sent.bytes;
    get(bob, LONG);
    same(&source, &copy(bob));
    let carried = crowd.lab.counters(&crowd.server).sent.bytes - carried;
    assert!(carried < MIB, "the tracker's interface carried {carried} bytes");
}

pub fn three_to_one_each_holder_gives_its_share() {
    let crowd = Crowd::gather(&["alice", "bob", "carol", "dave"], Wire::default());
    let [alice, bob, carol, dave] = crowd.peers.as_slice() else { unreachable!("four were gathered") };
    let source = share(alice, LARGE);
    get(bob, LONG);
    get(carol, LONG);
    let holders = [alice, bob, carol];
    holders.iter().for_each(|holder| crowd.lab.set_rate(holder.host(), Some(narrow(16)), None));
    crowd.lab.reset_counters();
    get(dave, LONG);
    same(&source, &copy(dave));
    let given = holders.map(|holder| crowd.lab.counters(holder.host()).sent.bytes as f64 / LARGE as f64);
    assert!(given.iter().all(|share| (0.2..0.5).contains(share)), "shares of the file: {given:?}");
    let in_all: f64 = given.iter().sum();
    assert!(in_all < 1.15, "{in_all:.2} times the file was sent for one copy");
}

pub fn one_to_three_who_fetch_serve_each_other() {
    let crowd = Crowd::gather(&["alice", "bob", "carol", "dave"], Wire::default());
    let [alice, fetchers @ ..] = crowd.peers.as_slice() else { unreachable!("four were gathered") };
    let source = share(alice, LARGE);
    crowd.peers.iter().for_each(|peer| crowd.lab.set_rate(peer.host(), Some(narrow(16)), None));
    crowd.lab.reset_counters();
    let begun: Vec<u64> = fetchers.iter().map(begin).collect();
    for (fetcher, id) in fetchers.iter().zip(begun) {
        done(fetcher, id, LONG);
        same(&source, &copy(fetcher));
    }
    let given = crowd.lab.counters(alice.host()).sent.bytes as f64 / LARGE as f64;
    assert!(given < 1.6, "who shares it has sent {given:.2} times the file for three copies");
}

pub fn a_holder_that_dies_is_done_without() {
    let crowd = Crowd::gather(&["alice", "bob", "carol"], Wire::default());
    let [alice, bob, carol] = crowd.peers.as_slice() else { unreachable!("three were gathered") };
    let source = share(alice, SMALL);
    get(bob, LONG);
    [alice, bob].iter().for_each(|holder| crowd.lab.set_rate(holder.host(), Some(narrow(4)), None));
    let id = begin(carol);
    some_of_it_has_come(carol, id);
    alice.session().kill();
    done(carol, id, LONG);
    same(&source, &copy(carol));
}

pub fn who_is_killed_while_fetching_goes_on_without_starting_over() {
    let mut crowd = Crowd::gather(&["alice", "bob"], Wire::default());
    let [alice, bob] = crowd.peers.as_mut_slice() else { unreachable!("two were gathered") };
    let source = share(alice, SMALL);
    crowd.lab.set_rate(alice.host(), Some(narrow(4)), None);
    let id = begin(bob);
    let had = eventually(SOON, "half of it is here", || transfer(bob, id).done, |done| *done > SMALL / 2);
    bob.session().kill();
    assert!(!copy(bob).exists(), "it is under its name only when it is whole");
    crowd.lab.reset_counters();
    bob.login(&["--tracker", &crowd.tracker.address().to_string()]);
    done(bob, id, LONG);
    same(&source, &copy(bob));
    let came = crowd.lab.counters(bob.host()).received.bytes;
    // Ranges under way when it died come again.
    let most = (SMALL - had) * 11 / 10 + 2 * MIB;
    assert!(came < most, "{came} bytes came for the {} that were missing", SMALL - had);
}

pub fn a_file_that_is_damaged_where_it_lies_is_not_passed_on() {
    let mut crowd = Crowd::gather(&["alice", "bob", "carol"], Wire::default());
    let [alice, bob, carol] = crowd.peers.as_mut_slice() else { unreachable!("three were gathered") };
    let source = share(alice, SMALL);
    get(bob, LONG);
    damage(&copy(bob), SMALL / 2);
    alice.session().kill();
    // All that is good comes from bob, and the rest once alice is back.
    let id = begin(carol);
    let here = || files(bob)[0].here;
    eventually(SOON, "bob knows that his is another one", here, |here| *here == Here::Changed);
    assert!(transfer(carol, id).state != TransferState::Done && !copy(carol).exists());
    alice.login(&["--tracker", &crowd.tracker.address().to_string()]);
    done(carol, id, LONG);
    same(&source, &copy(carol));
}

pub fn a_disk_that_fills_up_is_said_and_it_goes_on_once_there_is_room() {
    let mut crowd = Crowd::gather(&["alice"], Wire::default());
    let host = crowd.lab.host("bob");
    let disk = host.small_disk((SMALL + 16 * MIB) as usize);
    crowd.add_on(&host, "bob");
    let [alice, bob] = crowd.peers.as_slice() else { unreachable!("two were gathered") };
    let source = share(alice, SMALL);
    crowd.lab.set_rate(alice.host(), Some(narrow(4)), None);
    let id = begin(bob);
    some_of_it_has_come(bob, id);
    disk.fill();
    let failed = eventually(SOON, "it fails", || transfer(bob, id), |transfer| transfer.state == TransferState::Failed);
    let trouble = failed.trouble.clone().unwrap_or_default();
    assert!(trouble.contains("room") && trouble.contains("peer resume"), "{trouble}");
    disk.clear();
    bob.cmd(&["resume", &id.to_string()]).expect(0);
    done(bob, id, LONG);
    same(&source, &copy(bob));
}

pub fn a_folder_arrives_as_a_tree() {
    let crowd = Crowd::gather(&["alice", "bob"], Wire::losing(0.02));
    let [alice, bob] = crowd.peers.as_slice() else { unreachable!("two were gathered") };
    let folder = alice.host().folder().join("photos");
    for (path, bytes) in [("a.jpg", 200_000), ("2024/b.jpg", 1), ("2024/summer/c.jpg", 3_000_000), ("empty.txt", 0)] {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        write(&path, bytes);
    }
    alice.cmd(&["share", ROOM, path(&folder)]).expect(0);
    let to = bob.host().folder().to_owned();
    eventually(SOON, "it is on the list", || files(bob).len(), |files| *files == 1);
    bob.cmd_within(LONG, &["get", ROOM, "photos", "-o", path(&to)]).expect(0);
    let got = Command::new("diff").args(["-r", path(&folder), path(&to.join("photos"))]).output().expect("diff runs");
    assert!(got.status.success(), "{}", String::from_utf8_lossy(&got.stdout));
}

/// Makes a file of bytes by chance, and shares it.
#[track_caller]
fn share(peer: &Peer, bytes: u64) -> PathBuf {
    let source = peer.host().folder().join(NAME);
    write(&source, bytes);
    peer.cmd_within(LONG, &["share", ROOM, path(&source)]).expect(0);
    source
}

fn write(path: &Path, bytes: u64) {
    let random = fs::File::open("/dev/urandom").expect("random bytes");
    let mut file = fs::File::create(path).expect("a new file");
    std::io::copy(&mut std::io::Read::take(random, bytes), &mut file).expect("the bytes are written");
}

#[track_caller]
fn begin(peer: &Peer) -> u64 {
    eventually(SOON, "it is on the list", || files(peer).len(), |files| *files == 1);
    let to = peer.host().folder();
    let begun: Transfer = peer.control().call("get", json!({"room": ROOM, "file": NAME, "to": to})).expect("it begins");
    begun.id
}

#[track_caller]
fn get(peer: &Peer, within: Duration) {
    let id = begin(peer);
    done(peer, id, within);
}

#[track_caller]
fn done(peer: &Peer, id: u64, within: Duration) {
    let what = format!("{} has the file", peer.name());
    eventually(within, &what, || transfer(peer, id), |transfer| transfer.state == TransferState::Done);
}

#[track_caller]
fn some_of_it_has_come(peer: &Peer, id: u64) {
    eventually(SOON, "some of it has come", || transfer(peer, id).done, |done| *done > 4 * MIB);
}

#[track_caller]
fn transfer(peer: &Peer, id: u64) -> Transfer {
    peer.control().call("transfer", json!({"id": id})).expect("a transfer")
}

#[track_caller]
fn files(peer: &Peer) -> Vec<FileLine> {
    peer.control().call("files", json!({"room": ROOM})).expect("a list")
}

fn copy(peer: &Peer) -> PathBuf {
    peer.host().folder().join(NAME)
}

fn path(path: &Path) -> &str {
    path.to_str().expect("the lab's paths are plain")
}

#[track_caller]
fn same(source: &Path, copy: &Path) {
    let sum = |path: &Path| {
        let output = Command::new("sha256sum").arg(path).output().expect("sha256sum runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout[..64].to_vec()
    };
    assert_eq!(sum(source), sum(copy), "{} is another file", copy.display());
}

/// Changes one byte, and lets the file look as if nothing had happened to it.
fn damage(path: &Path, at: u64) {
    let mut file = fs::OpenOptions::new().read(true).write(true).open(path).expect("the file opens");
    let modified = file.metadata().and_then(|file| file.modified()).expect("a time");
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).expect("within the file");
    std::io::Read::read_exact(&mut file, &mut byte).expect("a byte");
    file.seek(SeekFrom::Start(at)).expect("within the file");
    file.write_all(&[!byte[0]]).expect("the byte is written");
    file.set_modified(modified).expect("the time is put back");
}
