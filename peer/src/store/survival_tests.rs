//! Files cut, lost and damaged: what is left opens, and holds what can be held.

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use common::{Identity, Key, message::Head};
use tempfile::TempDir;

use super::{
    Store,
    salvage::beside,
    tests::{lobby, me, room_rows, segment, texts},
};
use crate::core::{Row, Saved, log::Piece};

/// Messages of a batch.
const BATCH: u64 = 3;
/// What SQLite puts before a page in its log of newest changes, and before all of them.
const FRAME: usize = 24 + 4_096;
const HEADER: usize = 32;

/// A store in use, and the head of what it holds.
struct Used {
    folder: TempDir,
    store: Store,
    head: Head,
}

impl Used {
    fn new() -> Used {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(&folder.path().join("history.db"), &me().key()).unwrap();
        Used { folder, store, head: Head::empty(&lobby(), &me().key()) }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    /// Commits one batch, with a receipt for the one before.
    async fn commit(&mut self, length: usize) {
        let first = self.head.number + 1;
        let said: Vec<String> = (first..first + BATCH).map(|number| text(number, length)).collect();
        let said: Vec<&str> = said.iter().map(String::as_str).collect();
        let (segment, end) = segment(&me(), self.head, first, &said);
        let path = "direct".into();
        let receipt =
            Row::Receipt { room: lobby(), member: Key([2; 32]), first: 1, last: self.head.number, at: 9, path };
        let mut rows = vec![Row::Segment(segment), receipt];
        if first == 1 {
            rows.extend(room_rows());
        }
        self.store.commit(Arc::new(rows)).await.unwrap();
        self.head = end;
    }

    /// The files as they are on disk now.
    fn files(&self) -> (Vec<u8>, Vec<u8>) {
        (fs::read(self.path()).unwrap(), fs::read(beside(&self.path(), "-wal")).unwrap())
    }

    /// A store that has ended with all of it in one file, of so many batches.
    async fn ended(batches: usize, length: usize) -> (TempDir, PathBuf) {
        let mut used = Used::new();
        for _ in 0..batches {
            used.commit(length).await;
        }
        let path = used.path();
        let Used { folder, store, .. } = used;
        drop(store);
        assert!(!beside(&path, "-wal").exists());
        (folder, path)
    }
}

fn text(number: u64, length: usize) -> String {
    format!("message {number} {}", "x".repeat(length))
}

/// Opens files, and returns how many messages are left, which must be a beginning of all, and receipted as such.
async fn left_of(files: (&[u8], &[u8]), length: usize) -> (u64, Saved) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    fs::write(&path, files.0).unwrap();
    fs::write(beside(&path, "-wal"), files.1).unwrap();
    let (store, saved) = Store::open(&path, &me().key()).unwrap();
    let events = store.past(None, Some(0), u32::MAX).await.unwrap();
    let left = events.len() as u64;
    let expected: Vec<String> = (1..=left).map(|number| text(number, length)).collect();
    assert_eq!(texts(&events), expected);
    if let Some(room) = saved.rooms.get(&lobby()) {
        assert_eq!(room.own.head.number, left);
        assert!(!room.own.acked(&Key([2; 32])).has(left + 1));
    }
    (left, saved)
}

/// The messages that the store still shows.
async fn held(store: &Store) -> Vec<String> {
    let events = store.past(None, Some(0), u32::MAX).await.unwrap();
    texts(&events).into_iter().map(String::from).collect()
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

/// Numbers that are always the same and look like none in particular.
fn random(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    }
}

#[tokio::test]
async fn after_a_cut_at_any_commit_all_up_to_it_is_there() {
    let mut used = Used::new();
    for number in 1..=40 {
        used.commit(number * 7).await;
        let (file, wal) = used.files();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        fs::write(&path, file).unwrap();
        fs::write(beside(&path, "-wal"), wal).unwrap();
        let (store, saved) = Store::open(&path, &me().key()).unwrap();
        assert_eq!((saved.rooms[&lobby()].own.head, saved.numbers_from), (used.head, 0));
        assert_eq!(held(&store).await.len() as u64, used.head.number);
    }
}

#[tokio::test]
async fn a_cut_anywhere_in_what_was_written_last_leaves_whole_commits_only() {
    let mut used = Used::new();
    for _ in 0..24 {
        used.commit(700).await;
    }
    let (file, wal) = used.files();
    let seed = std::env::var("ROLLCALL_SEED").map_or(3, |seed| seed.parse().unwrap());
    println!("ROLLCALL_SEED={seed}");
    let mut random = random(seed);
    let frames = (wal.len() - HEADER) / FRAME;
    assert!(frames > 48, "{frames}");
    let boundaries = (0..=frames).map(|frame| HEADER + frame * FRAME);
    let cuts: Vec<usize> = boundaries.chain([0, 1, HEADER - 1]).chain((0..60).map(|_| random(wal.len()))).collect();
    let mut most = 0;
    for cut in cuts {
        let (left, saved) = left_of((&file, &wal[..cut]), 700).await;
        assert_eq!((left % BATCH, saved.numbers_from), (0, 0), "cut at {cut}");
        let garbage: Vec<u8> = (0..random(3 * FRAME)).map(|_| random(256) as u8).collect();
        let (again, _) = left_of((&file, &[&wal[..cut], &garbage].concat()), 700).await;
        assert_eq!(again, left, "cut at {cut}, with garbage behind");
        most = most.max(left);
    }
    assert_eq!(most, 24 * BATCH, "the last boundary is the end");
}

#[tokio::test]
async fn a_destroyed_header_costs_no_message() {
    let (_folder, path) = Used::ended(40, 500).await;
    overwrite(&path, 0, &[0xee; 4_096]);
    let damaged = fs::read(&path).unwrap();
    let (store, saved) = Store::open(&path, &me().key()).unwrap();
    let salvaged = saved.salvaged.unwrap();
    assert_eq!((salvaged.messages, held(&store).await.len()), (120, 120));
    assert!(saved.numbers_from > 1_700_000_000_000_000);
    assert_eq!(saved.rooms[&lobby()].own.head.number, 120);
    assert_eq!(saved.rooms[&lobby()].table.len(), 1);
    assert_eq!(fs::read(salvaged.kept.clone().unwrap()).unwrap(), damaged);
    assert!(salvaged.to_string().contains("history.db.damaged-1"), "{salvaged}");
    drop(store);
    let (_, saved) = Store::open(&path, &me().key()).unwrap();
    assert!(saved.salvaged.is_none() && saved.numbers_from > 0, "told once, and remembered");
}

#[tokio::test]
async fn what_is_overwritten_in_the_middle_costs_that_and_no_more() {
    for seed in 0..12 {
        let mut used = Used::new();
        for _ in 0..60 {
            used.commit(600).await;
        }
        // An unclean end, with all of it in the file.
        used.store.files.writer.lock().unwrap().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        let (file, wal) = used.files();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        fs::write(&path, &file).unwrap();
        fs::write(beside(&path, "-wal"), wal).unwrap();
        let mut random = random(seed);
        // Of the 30 pages or more: one in the middle, and some bytes of it or all.
        let place = 4_096 * (10 + random(file.len() / 4_096 - 20)) + random(2_000);
        let garbage: Vec<u8> = (0..200 + random(2_000)).map(|_| random(256) as u8).collect();
        overwrite(&path, place as u64, &garbage);
        let (store, saved) = Store::open(&path, &me().key()).unwrap();
        let held = held(&store).await;
        let all: Vec<String> = (1..=180).map(|number| text(number, 600)).collect();
        assert!(held.iter().all(|text| all.contains(text)), "seed {seed}: nothing that was not said");
        assert!(held.len() >= 150, "seed {seed}: {} of 180", held.len());
        if held.len() < 180 {
            assert!(saved.salvaged.is_some() && saved.numbers_from > 0, "seed {seed}");
        }
    }
}

#[tokio::test]
async fn a_file_cut_short_keeps_what_it_still_has() {
    let (_folder, path) = Used::ended(100, 900).await;
    let length = fs::metadata(&path).unwrap().len();
    File::options().write(true).open(&path).unwrap().set_len(length / 2).unwrap();
    let (store, saved) = Store::open(&path, &me().key()).unwrap();
    let held = held(&store).await;
    assert!(held.len() >= 90, "{} of 300", held.len());
    assert_eq!(held[0], text(1, 900));
    assert!(saved.salvaged.is_some_and(|salvaged| salvaged.messages == held.len() as u64));
    assert!(saved.numbers_from > 0);
}

#[tokio::test]
async fn an_empty_file_and_a_lost_log_are_noticed() {
    let (_folder, path) = Used::ended(2, 10).await;
    fs::write(&path, "").unwrap();
    let (_, saved) = Store::open(&path, &me().key()).unwrap();
    assert!(saved.salvaged.is_some() && saved.numbers_from > 0);

    fs::remove_file(&path).unwrap();
    let (_, saved) = Store::open_again(&path, &me().key()).unwrap();
    assert!(saved.salvaged.is_some() && saved.numbers_from > 0, "of an account that has been used");

    let mut used = Used::new();
    used.commit(10).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    fs::write(&path, used.files().0).unwrap();
    let (_, saved) = Store::open(&path, &me().key()).unwrap();
    assert!(saved.salvaged.unwrap().to_string().contains("history.db-wal"));
    assert!(saved.numbers_from > 0);
}

#[tokio::test]
async fn what_is_no_history_is_kept_aside_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    for number in 1..=2 {
        fs::write(&path, "not a database, but something that somebody needs").unwrap();
        let (_, saved) = Store::open(&path, &me().key()).unwrap();
        let kept = saved.salvaged.unwrap().kept.unwrap();
        assert!(kept.ends_with(format!("history.db.damaged-{number}")));
        assert_eq!(fs::read(&kept).unwrap(), b"not a database, but something that somebody needs");
    }
}

#[tokio::test]
async fn a_repair_that_was_interrupted_is_finished() {
    let (_folder, path) = Used::ended(3, 10).await;
    let (_other, whole) = Used::ended(5, 10).await;
    overwrite(&path, 0, &[0; 100]);
    fs::write(beside(&path, "-wal"), "of the damaged one").unwrap();
    fs::copy(whole, beside(&path, ".repaired")).unwrap();
    fs::write(beside(&path, ".repairing"), "an earlier one, which is not whole").unwrap();
    let (store, _) = Store::open(&path, &me().key()).unwrap();
    assert_eq!(held(&store).await.len(), 15);
}

#[tokio::test]
async fn damage_that_is_met_is_repaired_at_the_next_start() {
    let (_folder, path) = Used::ended(20, 300).await;
    let file = fs::read(&path).unwrap();
    // SQLite leaves old copies about: it is damaged wherever it stands.
    for place in (8..file.len() - 10).filter(|at| file[*at..].starts_with(b"message 7 ")) {
        overwrite(&path, place as u64 - 8, &[0xc1; 8]);
    }
    let (store, saved) = Store::open(&path, &me().key()).unwrap();
    assert!(saved.salvaged.is_none(), "it was closed well, so nobody looked");
    let met = store.past(None, Some(0), u32::MAX).await.err();
    assert!(met.is_some_and(|error| error.is_damage()));
    drop(store);
    let (store, saved) = Store::open(&path, &me().key()).unwrap();
    assert_eq!((saved.salvaged.unwrap().messages, held(&store).await.len()), (57, 57));
}

/// Looking at a million signatures takes a minute, and would at every login after a power cut.
#[tokio::test]
async fn after_an_unclean_end_what_an_earlier_session_left_well_is_not_looked_at_until_it_is_read() {
    let (_folder, path) = Used::ended(20, 300).await;
    let file = fs::read(&path).unwrap();
    // Once without an end: the second session is killed.
    let (store, saved) = Store::open(&path, &me().key()).unwrap();
    assert!(saved.salvaged.is_none());
    let in_use = (fs::read(&path).unwrap(), fs::read(beside(&path, "-wal")).unwrap());
    drop(store);
    fs::write(&path, in_use.0).unwrap();
    fs::write(beside(&path, "-wal"), in_use.1).unwrap();
    for place in (8..file.len() - 10).filter(|at| file[*at..].starts_with(b"message 7 ")) {
        overwrite(&path, place as u64 - 8, &[0xc1; 8]);
    }
    let (store, saved) = Store::open(&path, &me().key()).unwrap();
    assert!(saved.salvaged.is_none(), "it had been left well");
    assert!(store.past(None, Some(0), u32::MAX).await.err().is_some_and(|error| error.is_damage()));
    // Killed again: that damage was met is in the file.
    let in_use = (fs::read(&path).unwrap(), fs::read(beside(&path, "-wal")).unwrap());
    drop(store);
    fs::write(&path, in_use.0).unwrap();
    fs::write(beside(&path, "-wal"), in_use.1).unwrap();
    let (store, saved) = Store::open(&path, &me().key()).unwrap();
    assert_eq!((saved.salvaged.unwrap().messages, held(&store).await.len()), (57, 57));
}

#[tokio::test]
async fn cursors_go_on_behind_all_that_were_given_out_before_something_was_lost() {
    let (_folder, path) = Used::ended(20, 300).await;
    fs::write(&path, b"").unwrap();
    let (_, saved) = Store::open(&path, &me().key()).unwrap();
    assert!(saved.salvaged.is_some() && saved.cursor > 60);
}

#[tokio::test]
async fn what_is_lost_of_another_s_log_is_a_hole_to_be_filled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let bob = Identity::from_seed([2; 32]);
    let empty = Head::empty(&lobby(), &bob.key());
    let (mut rows, mut head) = (room_rows(), empty);
    for first in [1, 4, 7] {
        let (segment, end) = segment(&bob, head, first, &["a", "b", "c"]);
        rows.push(Row::Segment(segment));
        head = end;
    }
    let piece = Piece { first: 1, last: 9, start: empty.hash, end: head.hash, open: false };
    rows.push(Row::Piece { room: lobby(), author: bob.key(), piece, swallowed: Vec::new() });
    let (store, _) = Store::open(&path, &me().key()).unwrap();
    store.commit(Arc::new(rows)).await.unwrap();
    {
        let connection = store.files.writer.lock().unwrap();
        connection.execute("UPDATE segments SET frame = x'00' WHERE first = 4", []).unwrap();
    }
    assert!(store.past(None, Some(0), 10).await.unwrap_err().is_damage());
    drop(store);
    let (store, saved) = Store::open(&path, &me().key()).unwrap();
    assert_eq!(held(&store).await.len(), 6);
    let pieces = saved.rooms[&lobby()].logs[&bob.key()].pieces();
    assert_eq!(pieces.iter().map(|p| (p.first, p.last, p.open)).collect::<Vec<_>>(), [(1, 3, false), (7, 9, true)]);
    assert_eq!((pieces[0].start, pieces[1].end), (empty.hash, head.hash));
}
