//! What must hold of every decoder of something from outside, whatever bytes it gets: each function panics if it does
//! not. They are the bodies of the fuzz targets, and the ordinary tests run them over the stored corpus.
//!
//! This file needs the crate `common` alone, so that the fuzz targets need not build more than that.

use std::{
    fmt::{Debug, Display},
    net::SocketAddr,
    path::Path,
    str::FromStr,
};

use common::{
    AccountName, Domain, Identity, Key, MessageId, RoomName, Version,
    address::Addresses,
    config::{self, Settings},
    content::{Content, Kind},
    file::{FileInfo, PIECES, Pieces},
    frame::{self, Frame, HEADER},
    limits,
    message::{Batch, Head, Message},
    table::{Delta, Table},
    wire::{
        control,
        peer::{PeerFrame, PeerHint, RangeAnswer, RangeAsk},
        tracker::{ToPeer, ToTracker},
    },
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A decoder's name, which is that of its fuzz target and corpus folder, and what must hold of it.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 10] = [
    ("to_tracker", to_tracker),
    ("to_peer", to_peer),
    ("peer_frame", peer_frame),
    ("range", range),
    ("peer_hint", peer_hint),
    ("batch", batch),
    ("addresses", addresses),
    ("text", text),
    ("settings", settings),
    ("control", control),
];

/// A stream of a peer's frames, as its tracker reads it.
pub fn to_tracker(bytes: &[u8]) {
    frames::<ToTracker>(bytes);
}

/// A stream of a tracker's frames, as a peer reads it and keeps the table of a room by it.
pub fn to_peer(bytes: &[u8]) {
    let mut table = Table::default();
    for frame in frames::<ToPeer>(bytes) {
        match frame {
            ToPeer::Snapshot(snapshot) => {
                let held = Table::from_snapshot(snapshot.version, snapshot.members);
                if let Ok(held) = held.and_then(|held| held.with_files(snapshot.files)) {
                    table = held;
                }
            }
            ToPeer::Update(update) => {
                let delta = Delta { from: update.from, changes: update.changes };
                let mut next = table.clone();
                if next.apply_delta(&delta).is_ok() {
                    assert_eq!(next.version(), delta.to());
                    table = next;
                }
            }
            _ => {}
        }
        assert_eq!(table.members().count(), table.len());
        assert!(table.at(table.free_slot()).is_none());
        assert!(table.members().all(|member| table.member(&member.key) == Some(member)));
        assert!(table.file_count() <= limits::FILES && table.files().count() == table.file_count());
        assert!(table.files().all(|(member, offer)| table.offer(member.slot, &offer.file.root) == Some(offer)));
        assert!(table.files().all(|(_, offer)| offer.file.check().is_ok() && has_pieces(&offer.file)));
    }
}

/// A stream of another peer's frames.
pub fn peer_frame(bytes: &[u8]) {
    for frame in frames::<PeerFrame>(bytes) {
        match frame {
            PeerFrame::Batch(batch) => checked(&batch),
            PeerFrame::Has(has) => {
                let pieces = Pieces::of_runs(&has.runs, 1_000);
                assert!(pieces.iter().all(|piece| piece < 1_000));
                assert_eq!(Pieces::of_runs(&pieces.runs(), 1_000), pieces);
            }
            _ => {}
        }
    }
}

/// A stream on which a range of a file is asked for, and one on which that is answered.
pub fn range(bytes: &[u8]) {
    frames::<RangeAsk>(bytes);
    frames::<RangeAnswer>(bytes);
}

/// Whether a file is cut into pieces that have a bound, and cover it to its end.
fn has_pieces(file: &FileInfo) -> bool {
    let (grid, count) = (file.grid(), file.grid().count());
    u64::from(count) <= PIECES + 1 && grid.range(count - 1).end == file.size && grid.range(count).is_empty()
}

/// A datagram of another peer, after the check of its length.
pub fn peer_hint(bytes: &[u8]) {
    if bytes.len() > PeerHint::LIMIT {
        return;
    }
    if let Ok(Some(hint)) = PeerHint::decode(bytes) {
        let again = hint.encode();
        assert!(again.len() - HEADER <= PeerHint::LIMIT);
        assert_eq!(PeerHint::decode(&again[HEADER..]), Ok(Some(hint)));
    }
}

/// A batch that says anything at all, and one that was signed and then altered: the first byte says where, the second
/// how, and the rest is said.
pub fn batch(bytes: &[u8]) {
    if let Ok(batch) = frame::decode::<Batch>(0, bytes) {
        checked(&batch);
    }
    let [place, flip, said @ ..] = bytes else { return };
    let author = author();
    let room: RoomName = "lobby".parse().expect("a good name");
    let said = said.chunks(1_000).take(16).map(|text| String::from_utf8_lossy(text).into_owned());
    let content = |text: String, number: u64| match number % 3 {
        0 => Content::from(text),
        _ => {
            let id = MessageId { room: room.clone(), author: author.key().short(), number: number / 2 };
            let kind = if text.len() > limits::REACTION_BYTES { *flip % 4 } else { *flip };
            Content { text, kind: kind.into(), about: Some((&id).into()), file: None }
        }
    };
    let messages: Vec<Message> =
        said.zip(1..).map(|(text, number)| Message::of(number, content(text, number))).collect();
    if messages.is_empty() {
        return;
    }
    let stamp = Version { epoch: 7, number: 3 };
    let (good, end) = Batch::sign(&author, &room, stamp, Head::empty(&room, &author.key()), &messages);
    assert_eq!(good.verify(&author.key()), Ok(end));
    let read: Vec<Message> =
        good.messages().map(|message| message.expect("signed").expect("nothing is withheld")).collect();
    assert_eq!(read, messages);
    let some = good.withhold(|number| (number + u64::from(*flip)) % 3 == 0);
    assert_eq!(some.verify(&author.key()), Ok(end));

    let mut encoded = PeerFrame::from(good.clone()).encode()[HEADER..].to_vec();
    let place = usize::from(*place) * encoded.len() / 256;
    encoded[place] ^= flip;
    if let Ok(Some(PeerFrame::Batch(altered))) = PeerFrame::decode(&encoded) {
        assert_eq!(altered.verify(&author.key()).is_ok(), altered == good, "{altered:?}");
    }
}

/// A list of addresses.
pub fn addresses(bytes: &[u8]) {
    let Some(addresses) = Addresses::from_bytes(bytes) else { return };
    assert!(addresses.as_slice().len() <= limits::ADDRESSES);
    assert!(addresses.as_slice().iter().all(|address| address.port() != 0));
    assert_eq!(Addresses::from_bytes(&addresses.to_bytes()), Some(addresses));
}

/// A name, an id or a version, as a person or another program writes it.
pub fn text(bytes: &[u8]) {
    let text = &String::from_utf8_lossy(bytes);
    if let Some(name) = written::<AccountName>(text) {
        named(name.as_str(), &name.fold(), limits::NAME_CHARS);
    }
    if let Some(name) = written::<RoomName>(text) {
        named(name.as_str(), &name.fold(), limits::ROOM_CHARS);
    }
    if let Some(name) = written::<Domain>(text) {
        named(name.as_str(), &name.fold(), limits::DOMAIN_CHARS);
    }
    written::<Key>(text);
    written::<MessageId>(text);
    written::<Version>(text);
}

/// A config file.
pub fn settings(bytes: &[u8]) {
    let text = &String::from_utf8_lossy(bytes);
    if let Ok(settings) = config::parse::<Values>(Path::new("x.toml"), text) {
        let again = toml::to_string(&settings).expect("settings are flat");
        assert_eq!(config::parse::<Values>(Path::new("x.toml"), &again).ok(), Some(settings), "{again}");
    }
}

/// A line of the control socket, taken for each of its types.
pub fn control(bytes: &[u8]) {
    line::<control::Refusal>(bytes);
    line::<control::InRoom>(bytes);
    line::<control::Receipts>(bytes);
    line::<control::History>(bytes);
    line::<control::Tail>(bytes);
    line::<control::Status>(bytes);
    line::<control::Room>(bytes);
    line::<control::Joining>(bytes);
    line::<control::Create>(bytes);
    line::<control::Ordered>(bytes);
    line::<control::Since>(bytes);
    line::<control::Changes>(bytes);
    line::<control::Door>(bytes);
    line::<control::TableLine>(bytes);
    line::<control::Rename>(bytes);
    line::<control::Member>(bytes);
    line::<control::Said>(bytes);
    line::<control::Receipt>(bytes);
    line::<control::Event>(bytes);
    line::<control::Say>(bytes);
    line::<control::Edit>(bytes);
    line::<control::Delete>(bytes);
    line::<control::React>(bytes);
    line::<control::Path>(bytes);
}

/// Who signs the batches here and in the corpus.
pub fn author() -> Identity {
    Identity::from_seed([7; 32])
}

/// The frames of a stream up to its end or its first fault, read as a link reads them.
fn frames<F: Frame + Clone + PartialEq + Debug>(mut bytes: &[u8]) -> Vec<F> {
    let mut frames = Vec::new();
    while let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() {
        let Ok(length) = frame::announced::<F>(*header) else { break };
        assert!((1..=F::LIMIT).contains(&length));
        let Some((body, rest)) = rest.split_at_checked(length) else { break };
        let Ok(frame) = F::decode(body) else { break };
        if let Some(frame) = frame {
            let again = frame.encode();
            assert_eq!(F::decode(&again[HEADER..]), Ok(Some(frame.clone())));
            frames.push(frame);
        }
        bytes = rest;
    }
    frames
}

/// A batch that passes its checks has the head that its numbers say, and keeps its limits.
fn checked(batch: &Batch) {
    if let Ok(head) = batch.verify(&author().key()) {
        assert_eq!((head, head.number), (batch.end(), batch.last()));
        for (message, number) in batch.messages().zip(batch.first..) {
            let Some(message) = message.expect("it was checked") else { continue };
            assert!(message.text.len() <= limits::TEXT_BYTES);
            let does = message.does(&author().key(), number);
            assert!(does != Kind::Reaction || message.text.len() <= limits::REACTION_BYTES);
            assert!(!does.changes_another() || message.about.is_some());
        }
        assert_eq!(batch.withhold(|_| true).verify(&author().key()), Ok(head));
    }
}

/// What can be read can be written, and is then read as the same.
fn written<T: FromStr + Display + PartialEq + Debug>(text: &str) -> Option<T> {
    let value: T = text.parse().ok()?;
    assert_eq!(value.to_string().parse().ok().as_ref(), Some(&value), "{text:?}");
    Some(value)
}

/// A name is within its limit, and so written that nothing but its case can make it look like another.
fn named(name: &str, fold: &str, limit: usize) {
    assert!(!name.is_empty() && name.chars().count() <= limit);
    assert!(!name.chars().any(|c| c.is_control() || c.is_whitespace()));
    // Of two spellings that differ in case alone, either may fold first.
    if let Ok(folded) = fold.parse::<RoomName>() {
        assert_eq!((folded.as_str(), folded.fold().as_str()), (fold, fold));
    }
}

/// What can be read from JSON is read as the same again. It is compared as it is written, and from the second writing
/// on: reading may cut a fraction's last digit.
fn line<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<T>(bytes) else { return };
    let again = |text: &str| serde_json::to_string(&serde_json::from_str::<T>(text).expect(text)).expect(text);
    let second = again(&serde_json::to_string(&value).expect("control types always encode"));
    assert_eq!(again(&second), second);
}

/// A config with a setting of each kind that the programs have.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Values {
    listen: SocketAddr,
    domain: String,
    keep_alive_s: u64,
    handshakes: usize,
    dials_per_second: u32,
    mdns: bool,
}

impl Default for Values {
    fn default() -> Self {
        Values {
            listen: SocketAddr::from(([0, 0, 0, 0], 27655)),
            domain: "lan".into(),
            keep_alive_s: 5,
            handshakes: 64,
            dials_per_second: 32,
            mdns: true,
        }
    }
}

impl Settings for Values {
    const PREFIX: &str = "ROLLCALL_";
    const OTHER_VARIABLES: &[&str] = &[];

    fn takes(_: &str) -> Option<&'static str> {
        None
    }
}
