//! A history of 1,000,000 messages beside one of 1,000: how long it takes to log in with it, to open its room, to page back
//! in the middle of it and to search it. Half of the messages are the user's own, receipted by nine others one by one; each
//! message is a batch of its own, as in a room where people type.
//! `cargo bench -p tests --bench history`.

use std::{path::Path, sync::Arc, time::Instant};

use common::{
    Identity, Key, RoomName, Slot, Version,
    frame::Frame,
    message::{Batch, Head, Message},
    table::{Member, Role, Settings},
    wire::peer::PeerFrame,
};
use peer::{
    core::{Row, Segment, log::Piece},
    store::Store,
};
use tests::measure::{self, quantile};

const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;
const OTHERS: u8 = 9;
/// Messages of a transaction while the history is made.
const AT_ONCE: u64 = 10_000;
/// What a screen asks for at a time.
const PAGE: u32 = 200;
/// The median of as many counts; the two histories take turns.
const ROUNDS: usize = 9;
/// A word that this share of the messages has.
const RARE: u64 = 997;

fn main() {
    println!("{}", measure::machine());
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let paths = [FEW, MANY].map(|count| folder.path().join(format!("{count}.db")));
    for (path, count) in paths.iter().zip([FEW, MANY]) {
        runtime.block_on(write(path, count));
        println!("{count} messages: {} bytes each on disk", path.metadata().expect("a file").len() / count);
    }
    let mut times = vec![[Vec::new(), Vec::new()]; STEPS.len()];
    for _ in 0..ROUNDS {
        for (which, path) in paths.iter().enumerate() {
            for (step, time) in runtime.block_on(look(path, [FEW, MANY][which])).into_iter().enumerate() {
                times[step][which].push(time);
            }
        }
    }
    let rows: Vec<Vec<String>> = STEPS
        .iter()
        .zip(&mut times)
        .map(|(step, [few, many])| {
            let (few, many) = (quantile(few, 0.5), quantile(many, 0.5));
            vec![step.to_string(), format!("{:.2}", many / few), format!("{few:.2}"), format!("{many:.2}")]
        })
        .collect();
    let title = format!("A history of {MANY} messages beside one of {FEW}:");
    measure::table(&title, &["", "ratio", "absolute, few, ms", "absolute, many, ms"], &rows);
}

const STEPS: [&str; 5] = ["log in", "open the room", "page back in the middle", "search a rare word", "log out"];

/// How long each of the steps took, in milliseconds.
async fn look(path: &Path, count: u64) -> [f64; STEPS.len()] {
    let mut began = Instant::now();
    let mut took = || {
        let took = began.elapsed().as_secs_f64() * 1e3;
        began = Instant::now();
        took
    };
    let (store, saved) = Store::open(path, &me().key()).expect("the history opens");
    let opened = took();
    assert_eq!(saved.cursor, count);
    drop(saved);
    took();
    let page = store.messages(lobby(), None, PAGE).await.expect("a page");
    let last = took();
    assert_eq!(page.len(), PAGE as usize);
    took();
    store.messages(lobby(), Some(count / 2), PAGE).await.expect("a page");
    let middle = took();
    let found = store.search(lobby(), "heron".into(), None, 20).await.expect("a search");
    let searched = took();
    assert_eq!(found.len() as u64, (count / RARE).min(20));
    took();
    drop(store);
    [opened, last, middle, searched, took()]
}

fn me() -> Identity {
    Identity::from_seed([1; 32])
}

fn lobby() -> RoomName {
    "lobby".parse().expect("a room")
}

/// Makes a history of so many messages, with its search index.
async fn write(path: &Path, count: u64) {
    let me = me();
    let stamp = Version { epoch: 1, number: 10 };
    let people: Vec<Identity> = (1..=OTHERS + 1).map(|n| Identity::from_seed([n; 32])).collect();
    let mut heads: Vec<Head> = people.iter().map(|person| Head::empty(&lobby(), &person.key())).collect();
    let starts = heads.clone();
    let (store, _) = Store::open(path, &me.key()).expect("a history");
    let room = Row::Room { room: lobby(), version: stamp, joined: true, settings: Settings::default() };
    let mut rows: Vec<Row> = std::iter::once(room)
        .chain(people.iter().enumerate().map(|(slot, person)| Row::Put(lobby(), member(slot, person.key()))))
        .collect();
    for cursor in 1..=count {
        let author = if cursor % 2 == 0 { 0 } else { 1 + (cursor / 2 % u64::from(OTHERS)) as usize };
        let word = if cursor % RARE == 0 { " heron" } else { "" };
        let text = format!("message {cursor}, which says about as much as people do in a line{word}");
        let message = Message::new(cursor, text);
        let (batch, end) = Batch::sign(&people[author], &lobby(), stamp, heads[author], &[message]);
        let number = batch.first;
        rows.push(Row::Segment(Segment {
            cursor,
            room: lobby(),
            author: people[author].key(),
            name: name(author),
            first: number,
            last: number,
            mark: None,
            stamp,
            end: end.hash,
            received: cursor,
            path: if author == 0 { "self" } else { "direct" }.into(),
            frame: PeerFrame::from(batch).encode(),
        }));
        heads[author] = end;
        if author == 0 {
            rows.extend(people[1..].iter().map(|person| Row::Receipt {
                room: lobby(),
                member: person.key(),
                first: number,
                last: number,
                at: cursor,
                path: "direct".into(),
            }));
        }
        if cursor % AT_ONCE == 0 || cursor == count {
            for (author, person) in people.iter().enumerate().skip(1).filter(|(author, _)| heads[*author].number > 0) {
                let (start, end) = (starts[author], heads[author]);
                let piece = Piece { first: 1, last: end.number, start: start.hash, end: end.hash, open: false };
                rows.push(Row::Piece { room: lobby(), author: person.key(), piece, swallowed: Vec::new() });
            }
            store.commit(Arc::new(std::mem::take(&mut rows))).await.expect("space");
            while store.index_some().await.expect("space") {}
        }
    }
}

fn name(author: usize) -> common::AccountName {
    format!("person{author}").parse().expect("a name")
}

fn member(slot: usize, key: Key) -> Member {
    Member { slot: Slot(slot as u32), key, name: name(slot), role: Role::Member, since: 1 }
}
