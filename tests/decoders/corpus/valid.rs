//! One good input for each frame kind and each type.

use common::{
    Key, MessageId, Slot, Version,
    address::Addresses,
    content::{Content, Kind},
    file::{FileInfo, GROUP, Offer, Root},
    frame::Frame,
    message::{Batch, Head, Message},
    table::{Departure, Member, Presence, PresenceVersion, Role, Settings, Shared, Step},
    wire::{
        peer::{self, Much, PeerFrame, PeerHint, RangeAnswer, RangeAsk},
        tracker::{self, Code, Refused, ToPeer, ToTracker},
    },
};
use serde_bytes::ByteArray;
use tests::fuzz;

use crate::Input;

const VERSION: Version = Version { epoch: 1_700_000_000_000, number: 3 };
const PRESENCE: PresenceVersion = PresenceVersion { run: 5, number: 9 };

pub fn inputs() -> Vec<Input> {
    let mut inputs = Vec::new();
    inputs.extend(stream("to_tracker", to_tracker()));
    inputs.extend(stream("to_peer", to_peer()));
    inputs.extend(stream("peer_frame", to_another_peer()));
    inputs.extend(ranges());
    let batch = PeerFrame::from(batch()).encode();
    inputs.push(("batch", "signed".into(), batch[5..].to_vec()));
    let withheld = PeerFrame::from(self::batch().withhold(|number| number == 2)).encode();
    inputs.push(("batch", "withheld".into(), withheld[5..].to_vec()));
    inputs.push(("batch", "altered".into(), b"\x40\x01hello, everybody".to_vec()));
    inputs.push(("batch", "long".into(), [&b"\xf0\x80"[..], &"long. ".repeat(400).into_bytes()].concat()));
    let deeds = PeerFrame::from(deeds()).encode();
    inputs.push(("batch", "deeds".into(), deeds[5..].to_vec()));
    inputs.push(("batch", "deeds-altered".into(), b"\x60\x02\xf0\x9f\x91\x8d".to_vec()));
    let hint = PeerHint::from(peer::Typing { room: "lobby".parse().expect("a good name") }).encode();
    inputs.push(("peer_hint", "typing".into(), hint[4..].to_vec()));
    inputs.push(("addresses", "both".into(), addresses().to_bytes()));
    inputs.push(("addresses", "mapped".into(), [&b"\x06"[..], &[0; 10], &[255, 255, 10, 0, 0, 1, 0, 5]].concat()));
    inputs.extend(texts("text", &TEXTS));
    inputs.extend(texts("settings", &SETTINGS));
    inputs.extend(texts("control", &CONTROL));
    inputs
}

/// Each frame alone, and all of them as one stream.
fn stream<F: Frame>(target: &'static str, frames: Vec<F>) -> Vec<Input> {
    let encoded: Vec<Vec<u8>> = frames.iter().map(|frame| frame.encode().to_vec()).collect();
    let mut inputs = vec![(target, "stream".to_string(), encoded.concat())];
    inputs.extend(encoded.into_iter().map(|bytes| (target, format!("kind-{}", bytes[4]), bytes)));
    inputs
}

fn texts(target: &'static str, texts: &[(&str, &str)]) -> Vec<Input> {
    texts.iter().map(|(name, text)| (target, name.to_string(), text.as_bytes().to_vec())).collect()
}

fn addresses() -> Addresses {
    Addresses::new(["10.0.0.1:27656".parse().expect("an address"), "[fd00::1]:27656".parse().expect("an address")])
}

fn member(slot: u32, name: &str, since: u64) -> Member {
    let name = name.parse().expect("a good name");
    Member { slot: Slot(slot), key: Key([slot as u8 + 1; 32]), name, role: Role::Member, since }
}

fn refused() -> Refused {
    Refused { code: Code::NameTaken, reason: "alice belongs to another key".into() }
}

fn file() -> FileInfo {
    let (name, media) = ("cat.jpg".into(), "image/jpeg".into());
    FileInfo { root: Root([7; 32]), name, size: 300_000, head: 0, media, pixels: Some((640, 480)) }
}

fn folder() -> FileInfo {
    let name = "pictures".into();
    FileInfo { root: Root([8; 32]), name, size: 300_000, head: GROUP, media: String::new(), pixels: None }
}

fn offer(file: FileInfo) -> Offer {
    Offer::sign(&fuzz::author(), &"lobby".parse().expect("a good name"), file, 1_700_000_000)
}

/// A wish for a range, and both answers to one.
fn ranges() -> Vec<Input> {
    let room = "lobby".parse().expect("a good name");
    let ask = RangeAsk::from(peer::Fetch { room, root: file().root, offset: 4 * GROUP, length: 4 * GROUP }).encode();
    let served = RangeAnswer::from(peer::Serve { refused: None }).encode();
    let refused = RangeAnswer::from(peer::Serve { refused: Some(peer::ServeCode::NotShared) }).encode();
    let named = [("ask", ask), ("served", served), ("refused", refused)];
    named.map(|(name, frame)| ("range", name.to_string(), frame.to_vec())).into()
}

fn batch() -> Batch {
    let (author, room) = (fuzz::author(), "lobby".parse().expect("a good name"));
    let message = |text: &str| Message::new(1_700_000_000_123, text.into());
    let head = Head::empty(&room, &author.key());
    Batch::sign(&author, &room, VERSION, head, &[message("hello"), message("Zoë, how are you?")]).0
}

/// A message of each kind, and one from the future.
fn deeds() -> Batch {
    let (author, room) = (fuzz::author(), "lobby".parse().expect("a good name"));
    let id = MessageId { room, author: author.key().short(), number: 1 };
    let about = Some((&id).into());
    let contents = [
        Content { kind: Kind::Action, ..Content::from("waves") },
        Content { about, ..Content::from("so do I") },
        Content::edit(&id, "waves both hands".into()),
        Content::reaction(&id, "👍".into()),
        Content::delete(&id),
        Content::file(file()),
        Content::file(folder()),
        Content { kind: Kind::Other(200), about, text: "a poll".into(), file: None },
    ];
    let messages = contents.map(|content| Message::of(1_700_000_000_123, content));
    let head = Head::empty(&id.room, &author.key());
    Batch::sign(&author, &id.room, VERSION, head, &messages).0
}

fn to_tracker() -> Vec<ToTracker> {
    let room = || "lobby".parse().expect("a good name");
    let held = tracker::Held { room: room(), version: VERSION, digest: ByteArray::new([4; 32]), presence: PRESENCE };
    vec![
        tracker::Hello::new("alice".parse().expect("a good name"), addresses()).into(),
        tracker::Holding { rooms: vec![held.clone(), held], last: true }.into(),
        tracker::Moved { addresses: addresses() }.into(),
        tracker::Logout {}.into(),
        tracker::Join { id: 1, room: room(), history: None }.into(),
        tracker::Leave { id: 2, room: room() }.into(),
        tracker::ListRooms { id: 3, after: Some(room()) }.into(),
        tracker::Share { id: 4, room: room(), offer: offer(file()) }.into(),
        tracker::Unshare { id: 5, room: room(), root: file().root }.into(),
    ]
}

fn to_peer() -> Vec<ToPeer> {
    let room = || "lobby".parse().expect("a good name");
    let presence = vec![
        Presence { slot: Slot(0), online: Some(addresses()), away: false },
        Presence { slot: Slot(1), online: None, away: false },
    ];
    let gone = Step::Gone { slot: Slot(0), why: Departure::Left }.at(0);
    let shared = Step::Share(Shared { slot: Slot(2), offer: offer(file()) });
    let unshared = Step::Unshare { slot: Slot(1), root: file().root };
    let entry = tracker::RoomEntry { room: room(), members: 3, settings: Settings::default() };
    let snapshot = tracker::Snapshot {
        files: vec![Shared { slot: Slot(1), offer: offer(file()) }, Shared { slot: Slot(0), offer: offer(folder()) }],
        room: room(),
        version: VERSION,
        settings: Settings::default(),
        presence_version: PRESENCE,
        members: vec![member(0, "alice", 1), member(1, "bob", 3)],
        presence: presence.clone(),
        more: false,
    };
    let update = tracker::Update {
        room: room(),
        from: VERSION,
        changes: vec![Step::Put(member(2, "carol", 4)).at(0), shared.at(0), unshared.at(0), gone],
        presence,
        presence_version: PRESENCE,
    };
    let welcome = tracker::Welcome {
        protocol: 1,
        domain: "lan".parse().expect("a good name"),
        tables: 77,
        name: "alice".parse().expect("a good name"),
        seen: addresses(),
        clock: Some(1_700_000_000_000),
    };
    vec![
        welcome.into(),
        refused().into(),
        snapshot.into(),
        update.into(),
        tracker::NotMember { room: room() }.into(),
        tracker::Bye { code: Code::ShuttingDown, reason: "the tracker is going down".into() }.into(),
        tracker::Answer { id: 1, refused: Some(refused()) }.into(),
        tracker::RoomList { id: 3, rooms: vec![entry.clone(), entry], more: true }.into(),
    ]
}

fn to_another_peer() -> Vec<PeerFrame> {
    let room = || "lobby".parse().expect("a good name");
    let held = |much| peer::Held { root: file().root, much };
    vec![
        peer::Hello { protocol: 1, name: "alice".parse().expect("a good name"), life: 7 }.into(),
        peer::Have { logs: vec![peer::Reach { room: room(), first: 3, last: 17 }] }.into(),
        batch().into(),
        deeds().into(),
        peer::Looks { looks: true }.into(),
        peer::Holds { room: room(), files: vec![held(Much::All), held(Much::Some), held(Much::Nothing)] }.into(),
        peer::Watch { room: room(), root: file().root, on: true }.into(),
        peer::Has { room: room(), root: file().root, runs: vec![(0, 0), (3, 66), (70, 8_191)], afresh: true }.into(),
        peer::Skip { room: room(), author: None, next: 18, hash: None }.into(),
        peer::Refuse { room: room(), last: 1, code: peer::RefuseCode::NotMember, version: VERSION }.into(),
        peer::Bye { reason: "logged out".into(), stranger: true }.into(),
    ]
}

const TEXTS: [(&str, &str); 10] = [
    ("caron", "J\u{30c}an"),
    ("unseen", "alice\u{fe0f}\u{3164}"),
    ("name", "alice-b_c.7"),
    ("marks", "e\u{301}Zoë"),
    ("script", "日本олег"),
    ("bidi", "\u{202e}ecila"),
    ("dotted", "İstanbul"),
    ("id", "lobby/9f86d081884c7d65/17"),
    ("version", "1700000000000.18446744073709551615"),
    ("key", "9f86d081884c7d659f86d081884c7d659f86d081884c7d659f86d081884c7d65"),
];

const SETTINGS: [(&str, &str); 4] = [
    ("all", "listen = '[::]:27655'\ndomain = \"lan\"\nkeep_alive_s = 5\nhandshakes = 64\nmdns = false\n"),
    ("misspelt", "# a comment\nkeepalive_s = 3\n"),
    ("table", "[domain]\nname = 'lan'\n[[x]]\ny = 1979-05-27T07:32:00Z\n"),
    ("numbers", "dials_per_second = -1\nhandshakes = 0x7fffffffffffffff\nkeep_alive_s = 1e400\n"),
];

const CONTROL: [(&str, &str); 16] = [
    ("refusal", r#"{"code":3,"message":"the tracker does not answer"}"#),
    ("say", r#"{"room":"lobby","text":"hello \ud83d\ude00","wait":1.5}"#),
    ("say-answer", r#"{"room":"lobby","text":"so do I","reply":"lobby/9f86d081884c7d65/17","me":true}"#),
    ("edit", r#"{"id":"lobby/9f86d081884c7d65/17","text":"better"}"#),
    ("react", r#"{"id":"lobby/9f86d081884c7d65/17","text":"\ud83d\udc4d"}"#),
    ("event-typing", r#"{"event":"typing","room":"lobby","name":"bob"}"#),
    (
        "event-deed",
        concat!(
            r#"{"event":"message","cursor":1,"id":"lobby/9f86d081884c7d65/1","room":"lobby","from":"bob","seq":1,"#,
            r#""stamp":"1.2","sent":1,"received":2,"path":"self","text":"hi","kind":"edit","edited":true,"#,
            r#""about":"lobby/9f86d081884c7d65/1","quote":{"from":"eve","text":"?"},"reactions":{"+1":["bob"]}}"#
        ),
    ),
    ("history", r#"{"room":"lobby","limit":4294967295,"search":"two words"}"#),
    ("history-page", r#"{"room":"lobby","limit":50,"before":18446744073709551615}"#),
    ("tail", r#"{"room":"lobby","since":18446744073709551615,"follow":true}"#),
    ("member", r#"{"name":"bob","slot":1,"online":true,"address":"[fd00::1]:5","path":"direct","role":"member"}"#),
    ("path", r#"{"name":"bob","address":null,"path":"none","rtt_ms":0.1,"bytes_out":1,"bytes_in":2,"packets_lost":3}"#),
    (
        "said",
        r#"{"id":"lobby/9f86d081884c7d65/17","room":"lobby","seq":17,"stamp":"1.2","delivered":["bob"],"pending":[]}"#,
    ),
    (
        "event-message",
        concat!(
            r#"{"event":"message","cursor":1,"id":"lobby/9f86d081884c7d65/1","room":"lobby","from":"bob","seq":1,"#,
            r#""stamp":"1.2","sent":1,"received":2,"path":"via carol","text":"hi"}"#
        ),
    ),
    (
        "event-member",
        r#"{"event":"member","cursor":2,"room":"lobby","name":"bob","change":"left","version":"1.3","by":null}"#,
    ),
    ("event-receipt", r#"{"event":"receipt","room":"lobby","name":"bob","seq":17,"at":1700000000000}"#),
];
