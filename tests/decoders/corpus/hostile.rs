//! Inputs made to do harm: lengths that are not there, depth, bloat, and numbers at the end of their range.

use common::{
    Key, Slot, Version,
    file::{FileInfo, Offer, Root},
    frame::Frame,
    limits,
    table::{Member, PresenceVersion, Role, Settings, Shared, Step},
    wire::{
        peer::{Fetch, Has, PeerFrame, RangeAsk},
        tracker::{Snapshot, ToPeer, Update},
    },
};
use tests::fuzz;

use crate::Input;

/// Values that would take more memory or stack than the bytes they come in.
const PAYLOADS: [(&str, &[u8]); 6] = [
    ("array-of-4-gi", b"\xdd\xff\xff\xff\xff"),
    ("map-of-4-gi", b"\xdf\xff\xff\xff\xff"),
    ("string-of-4-gi", b"\xdb\xff\xff\xff\xff"),
    ("bytes-of-4-gi", b"\xc6\xff\xff\xff\xff"),
    ("extension", b"\xc9\xff\xff\xff\xff\x05"),
    ("reserved", b"\xc1"),
];

pub fn inputs() -> Vec<Input> {
    let mut inputs = Vec::new();
    for target in ["to_tracker", "to_peer", "peer_frame"] {
        inputs.push((target, "hostile-length".into(), b"\xff\xff\xff\xff\x01".to_vec()));
        inputs.push((target, "hostile-empty".into(), b"\0\0\0\0".to_vec()));
        inputs.push((target, "hostile-cut".into(), b"\0\0\0\x20\x01\x82\xa8proto".to_vec()));
        inputs.push((target, "hostile-kind-from-the-future".into(), framed(250, b"\xc1")));
        for (name, payload) in PAYLOADS {
            inputs.push((target, format!("hostile-{name}"), framed(1, payload)));
            inputs.push((target, format!("hostile-field-{name}"), framed(3, &field(payload))));
        }
        inputs.push((target, "hostile-depth".into(), framed(1, &field(&[0x91; 5_000]))));
    }
    inputs.push(("to_tracker", "hostile-bloat".into(), bloat(2, "rooms", 8 * 1024)));
    inputs.push(("to_peer", "hostile-bloat".into(), bloat(17, "rooms", 16 * 1024)));
    inputs.push(("peer_frame", "hostile-bloat".into(), bloat(2, "l", 16 * 1024)));
    inputs.push(("to_peer", "hostile-last-version".into(), last_version()));
    inputs.push(("to_peer", "hostile-files".into(), impossible_files()));
    inputs.push(("to_peer", "hostile-list".into(), too_many_files()));
    inputs.push(("peer_frame", "hostile-runs".into(), endless_runs()));
    inputs.push(("range", "hostile-end".into(), beyond_all_ends()));
    inputs.push(("range", "hostile-length".into(), b"\0\0\x04\x01\x01".to_vec()));
    for (name, payload) in PAYLOADS {
        inputs.push(("range", format!("hostile-{name}"), framed(1, payload)));
    }
    inputs.push(("batch", "hostile-numbers".into(), impossible_numbers()));
    inputs.push(("peer_hint", "hostile-empty".into(), Vec::new()));
    inputs.push(("peer_hint", "hostile-long".into(), [&[1], &field(&[0x90; limits::HINT])[..]].concat()));
    for (name, payload) in PAYLOADS {
        inputs.push(("peer_hint", format!("hostile-{name}"), [&[1], payload].concat()));
    }
    inputs.push(("addresses", "hostile-long".into(), vec![4; limits::ADDRESSES * 19 + 1]));
    inputs.push(("addresses", "hostile-cut".into(), b"\x04\x0a\0\0\x01\0".to_vec()));
    inputs.push(("settings", "hostile-depth".into(), [&b"x = "[..], &[b'['; 3_000]].concat()));
    inputs.push(("settings", "hostile-dots".into(), ["a."; 2_000].concat().into_bytes()));
    inputs.push(("control", "hostile-depth".into(), vec![b'['; 3_000]));
    inputs.push((
        "control",
        "hostile-field-depth".into(),
        [&br#"{"event":"message","x":"#[..], &[b'['; 3_000]].concat(),
    ));
    inputs.push(("control", "hostile-number".into(), br#"{"room":"a","text":"","wait":1e999}"#.to_vec()));
    inputs.push(("text", "hostile-marks".into(), format!("a{}", "\u{301}".repeat(500)).into_bytes()));
    inputs.push(("text", "hostile-controls".into(), b"a\x1b[31m\x00\n".to_vec()));
    inputs
}

fn framed(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&(payload.len() as u32 + 1).to_be_bytes()[..], &[kind], payload].concat()
}

/// A map whose one field nobody knows.
fn field(value: &[u8]) -> Vec<u8> {
    [b"\x81\xa6unseen", value].concat()
}

/// A field that is a list of empty arrays, each of which becomes a value many times its size.
fn bloat(kind: u8, name: &str, items: u16) -> Vec<u8> {
    let list = [&b"\xdc"[..], &items.to_be_bytes(), &vec![0x90; usize::from(items)]].concat();
    framed(kind, &[&[0x81, 0xa0 | name.len() as u8], name.as_bytes(), &list].concat())
}

/// A table at the last of all versions, and a change of it.
fn last_version() -> Vec<u8> {
    let room = || "lobby".parse().expect("a good name");
    let version = Version { epoch: 1, number: u64::MAX };
    let presence_version = PresenceVersion { run: u64::MAX, number: u64::MAX };
    let (members, presence) = (Vec::new(), Vec::new());
    let snapshot = Snapshot {
        files: Vec::new(),
        room: room(),
        version,
        settings: Default::default(),
        presence_version,
        members,
        presence,
        more: false,
    };
    let name = "alice".parse().expect("a good name");
    let member = Member { slot: Slot(u32::MAX), key: Key([1; 32]), name, role: Role::Member, since: u64::MAX };
    let changes = vec![Step::Put(member.clone()).at(0), Step::Put(member).at(0)];
    let update = Update { room: room(), from: version, changes, presence: Vec::new(), presence_version };
    [ToPeer::from(snapshot).encode(), ToPeer::from(update).encode()].concat()
}

fn file(name: &str, size: u64, head: u64) -> FileInfo {
    FileInfo { root: Root([7; 32]), name: name.into(), size, head, media: String::new(), pixels: Some((u32::MAX, 0)) }
}

/// A table of one member that lists these files, each as one change.
fn listing(files: Vec<FileInfo>) -> Vec<u8> {
    let room = || "lobby".parse().expect("a good name");
    let (version, presence_version) = (Version { epoch: 1, number: 1 }, PresenceVersion { run: 1, number: 1 });
    let name = "alice".parse().expect("a good name");
    let members = vec![Member { slot: Slot(0), key: fuzz::author().key(), name, role: Role::Member, since: 1 }];
    let any = Offer::sign(&fuzz::author(), &room(), file("x", 1, 0), 1);
    let shared = |file| {
        let mut offer = any.clone();
        offer.file = file;
        Shared { slot: Slot(0), offer }
    };
    let all: Vec<Shared> = files.into_iter().map(shared).collect();
    let settings = Settings::default();
    let snapshot = |files| {
        let (room, settings, members, presence) = (room(), settings.clone(), members.clone(), Vec::new());
        Snapshot { room, version, settings, presence_version, members, presence, files, more: false }
    };
    let one_by_one = all.iter().map(|shared| {
        let (changes, presence) = (vec![Step::Share(shared.clone()).at(0)], Vec::new());
        ToPeer::from(Update { room: room(), from: version, changes, presence, presence_version }).encode()
    });
    let frames = [ToPeer::from(snapshot(Vec::new())).encode()].into_iter().chain(one_by_one);
    frames.chain([ToPeer::from(snapshot(all.clone())).encode()]).flat_map(|frame| frame.to_vec()).collect()
}

/// Files that none can be: names of 4,000 characters and names that lead elsewhere, and sizes at the end of all numbers.
fn impossible_files() -> Vec<u8> {
    let long = "\u{202e}x".repeat(2_000);
    listing(vec![
        file(&long, 5, 0),
        file("../../.ssh/authorized_keys", 5, 0),
        file("a\u{1b}[2J", 5, 0),
        file("x", u64::MAX, 0),
        file("x", u64::MAX, u64::MAX),
        file("x", 0, 0),
        file("x", 5, 16 * 1024),
    ])
}

/// More files than a list has space for.
fn too_many_files() -> Vec<u8> {
    let numbered = |number: u16| {
        let mut root = [0; 32];
        root[..2].copy_from_slice(&number.to_be_bytes());
        FileInfo { root: Root(root), ..file("x", 1, 0) }
    };
    listing((0..=limits::FILES_PER_MEMBER as u16).map(numbered).collect())
}

/// Runs of pieces that would never end, that end before they begin, and that overlap.
fn endless_runs() -> Vec<u8> {
    let (room, root) = ("lobby".parse().expect("a good name"), Root([7; 32]));
    let runs = vec![(0, u32::MAX), (u32::MAX, u32::MAX), (9, 3), (5, u32::MAX - 1)];
    PeerFrame::from(Has { room, root, runs, afresh: false }).encode().to_vec()
}

/// A range that goes past the end of all numbers.
fn beyond_all_ends() -> Vec<u8> {
    let (room, root) = ("lobby".parse().expect("a good name"), Root([7; 32]));
    RangeAsk::from(Fetch { room, root, offset: u64::MAX, length: u64::MAX }).encode().to_vec()
}

/// A batch whose messages are numbered past the end of all numbers.
fn impossible_numbers() -> Vec<u8> {
    let head = b"\x86\xa1r\xa5lobby\xa1v\x82\xa1e\x01\xa1n\x01\xa1f\xcf\xff\xff\xff\xff\xff\xff\xff\xff";
    [&head[..], b"\xa1p\xc4\x20", &[0; 32], b"\xa1m\x92\xc4\0\xc4\0\xa1g\xc4\x40", &[0; 64]].concat()
}
