//! Files over real links: what comes is what was shared, or nothing.

use std::fs;

use bao_tree::io::{outboard::PostOrderMemOutboard, sync::encode_ranges};
use common::{
    file::{FileInfo, Pieces, Root},
    frame::Frame,
    wire::peer::{RangeAnswer, Serve, ServeCode},
};

use super::{
    pair::{End, bytes, pair, pair_with_liar, shared},
    proof::{chunks, tree},
};
use crate::core::files::{FetchEnd, FetchId, FileInput, FileOutput, Found, Place, ServeEnd};

/// Seventeen pieces, the last of them short.
const SIZE: usize = 16 * 64 * 1024 + 5;

/// A file that one end shares, and where the other is to put it.
async fn offered(holder: &mut End, fetcher: &End, size: usize) -> (Place, Place) {
    let path = holder.write("cat.bin", &bytes(size));
    let hashed = holder.hash(&path).await.unwrap();
    let place = Place { file: hashed.file.clone(), path: fetcher.path("got.bin"), whole: false };
    (shared(&hashed), place)
}

#[tokio::test]
async fn a_file_that_is_fetched_whole_is_the_one_that_was_shared() {
    for size in [1, 1_024, 16 * 1024, 16 * 1024 + 1, 100_000, SIZE] {
        let (mut holder, mut fetcher) = pair().await;
        let (served, place) = offered(&mut holder, &fetcher, size).await;
        let last = place.file.grid().count() - 1;
        let fetched = fetcher.fetch(&mut holder, &place, &served, (0, last)).await;
        assert_eq!((fetched.end, fetched.served), (FetchEnd::Done, Some(ServeEnd::Done)));
        assert_eq!(fetched.got, (0..=last).collect::<Vec<_>>());
        assert_eq!((fetched.came, fetched.sent), (size as u64, size as u64));
        assert!(!place.path.exists(), "under its name only when whole");
        let (path, mark) = fetcher.finish(&place, false).await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes(size));
        assert_eq!(fetcher.check(&Place { whole: true, ..place }, Some(mark)).await, Found::Whole);
    }
}

#[tokio::test]
async fn ranges_come_in_any_order_and_make_a_file() {
    let (mut holder, mut fetcher) = pair().await;
    let (served, place) = offered(&mut holder, &fetcher, SIZE).await;
    for pieces in [(9, 16), (3, 3), (4, 8), (0, 2)] {
        let fetched = fetcher.fetch(&mut holder, &place, &served, pieces).await;
        assert_eq!(fetched.end, FetchEnd::Done);
        assert_eq!(fetched.got, (pieces.0..=pieces.1).collect::<Vec<_>>());
    }
    let (path, _) = fetcher.finish(&place, false).await.unwrap();
    assert_eq!(fs::read(path).unwrap(), bytes(SIZE));
}

#[tokio::test]
async fn what_has_been_fetched_is_served_before_it_is_whole() {
    let (mut holder, mut fetcher) = pair().await;
    let (served, place) = offered(&mut holder, &fetcher, SIZE).await;
    fetcher.fetch(&mut holder, &place, &served, (3, 8)).await;
    let third = Place { path: holder.path("again.bin"), ..place.clone() };
    let fetched = holder.fetch(&mut fetcher, &third, &place, (4, 6)).await;
    assert_eq!((fetched.end, fetched.got), (FetchEnd::Done, vec![4, 5, 6]));
}

#[tokio::test]
async fn what_has_become_another_file_is_refused() {
    let (mut holder, mut fetcher) = pair().await;
    let (served, place) = offered(&mut holder, &fetcher, SIZE).await;
    holder.write("cat.bin", &bytes(SIZE + 1)[1..]);
    let fetched = fetcher.fetch(&mut holder, &place, &served, (0, 16)).await;
    assert_eq!(fetched.end, FetchEnd::Refused(ServeCode::NotHere));
    assert!(matches!(fetched.served, Some(ServeEnd::Changed(_))), "{fetched:?}");
    assert_eq!(fetched.sent, 0);
}

#[tokio::test]
async fn of_a_file_that_is_damaged_only_what_is_good_is_sent() {
    let (mut holder, mut fetcher) = pair().await;
    let (served, place) = offered(&mut holder, &fetcher, SIZE).await;
    let mut damaged = bytes(SIZE);
    damaged[10 * 64 * 1024 + 40_000] ^= 1;
    holder.write("cat.bin", &damaged);
    let fetched = fetcher.fetch(&mut holder, &place, &served, (0, 16)).await;
    assert!(matches!(fetched.end, FetchEnd::Broken(_)), "{fetched:?}");
    assert!(matches!(fetched.served, Some(ServeEnd::Changed(_))), "{fetched:?}");
    assert!(fetched.got.len() < 11, "{fetched:?}");
    assert_eq!(
        fetcher.check(&place, None).await,
        Found::Pieces(Pieces::of_runs(&[(0, fetched.got.len() as u32 - 1)], 17))
    );
}

#[tokio::test]
async fn what_is_not_a_range_of_the_file_is_refused() {
    let (mut holder, mut fetcher) = pair().await;
    let (served, mut place) = offered(&mut holder, &fetcher, SIZE).await;
    place.file.size += 64 * 1024;
    let fetched = fetcher.fetch(&mut holder, &place, &served, (17, 17)).await;
    assert_eq!(fetched.end, FetchEnd::Refused(ServeCode::NotHere));
}

/// A file that a liar shares, with what it would send if it were honest.
fn honest(fetcher: &End) -> (Place, Vec<u8>) {
    let all = bytes(SIZE);
    let outboard = PostOrderMemOutboard::create(&all, tree(0).block_size());
    let mut encoded = RangeAnswer::from(Serve { refused: None }).encode().to_vec();
    encode_ranges(&all[..], &outboard, &chunks(0..SIZE as u64, SIZE as u64), &mut encoded).unwrap();
    let (name, media) = ("cat.bin".into(), String::new());
    let file = FileInfo { root: Root(outboard.root.into()), name, size: SIZE as u64, head: 0, media, pixels: None };
    (Place { file, path: fetcher.path("got.bin"), whole: false }, encoded)
}

/// How fetching all of the file ends when the holder answers like this, and which pieces are there then.
async fn lied(alter: impl FnOnce(&mut Vec<u8>)) -> (FetchEnd, Pieces) {
    let (liar, mut fetcher) = pair_with_liar().await;
    let (place, mut answer) = honest(&fetcher);
    alter(&mut answer);
    fetcher.begin(1, &place, (0, 16), None);
    let mut got = Pieces::none();
    let fetching = async {
        loop {
            match fetcher.next().await {
                FileInput::FetchEnded(_, end) => break end,
                FileInput::Got(_, piece) => assert!(got.add(piece)),
                FileInput::Came(..) => {}
                other => panic!("{other:?}"),
            }
        }
    };
    let (end, ()) = tokio::join!(fetching, liar.answer(&answer));
    assert_eq!(fetcher.check(&place, None).await, Found::Pieces(got.clone()), "told is what there is");
    (end, got)
}

#[tokio::test]
async fn an_honest_answer_is_taken_whole() {
    let (end, got) = lied(|_| {}).await;
    assert_eq!((end, got.len()), (FetchEnd::Done, 17));
}

#[tokio::test]
async fn forged_bytes_are_noticed_and_not_kept() {
    let (end, got) = lied(|answer| answer[12 * 64 * 1024] ^= 1).await;
    assert!(matches!(end, FetchEnd::Wrong(_)), "{end:?}");
    assert_eq!(got.runs(), [(0, 10)]);
}

#[tokio::test]
async fn forged_hashes_are_noticed() {
    let (end, got) = lied(|answer| answer[40] ^= 1).await;
    assert!(matches!(end, FetchEnd::Wrong(_)), "{end:?}");
    assert!(got.is_empty());
}

#[tokio::test]
async fn more_than_was_asked_for_is_noticed() {
    let (end, got) = lied(|answer| answer.push(0)).await;
    assert!(matches!(end, FetchEnd::Wrong(_)), "{end:?}");
    assert_eq!(got.len(), 17);
}

#[tokio::test]
async fn a_stream_that_ends_early_is_broken_and_what_came_is_kept() {
    let (end, got) = lied(|answer| answer.truncate(5 * 64 * 1024)).await;
    assert!(matches!(end, FetchEnd::Broken(_)), "{end:?}");
    assert_eq!(got.runs(), [(0, 3)]);
}

#[tokio::test]
async fn an_answer_of_another_protocol_is_wrong() {
    let (end, _) = lied(|answer| answer[..4].fill(0xff)).await;
    assert!(matches!(end, FetchEnd::Wrong(_)), "{end:?}");
}

#[tokio::test]
async fn a_fetch_that_is_stopped_ends_its_stream_at_once() {
    let (mut holder, mut fetcher) = pair().await;
    let (served, place) = offered(&mut holder, &fetcher, 64 * SIZE).await;
    fetcher.begin(7, &place, (0, place.file.grid().count() - 1), Some(64 * 1024));
    loop {
        match holder.next().await {
            FileInput::Asked(id, ..) => holder.files.carry_out(FileOutput::Serve(id, served.clone())),
            FileInput::Sent(..) => fetcher.files.carry_out(FileOutput::Stop(FetchId(7))),
            FileInput::ServeEnded(_, end) => break assert_eq!(end, ServeEnd::Broken),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn of_what_is_refused_while_it_is_sent_no_more_leaves() {
    let (mut holder, mut fetcher) = pair().await;
    let size = 8 * 1024 * 1024;
    let (served, place) = offered(&mut holder, &fetcher, size).await;
    // Slow enough for the word to come in between.
    fetcher.begin(7, &place, (0, place.file.grid().count() - 1), Some(1024 * 1024));
    let mut sent = 0;
    loop {
        match holder.next().await {
            FileInput::Asked(id, ..) => holder.files.carry_out(FileOutput::Serve(id, served.clone())),
            FileInput::Sent(id, bytes) => {
                sent += bytes;
                holder.files.carry_out(FileOutput::Refuse(id, ServeCode::NotShared));
            }
            FileInput::ServeEnded(_, end) => break assert_eq!(end, ServeEnd::Broken),
            other => panic!("{other:?}"),
        }
    }
    assert!(sent < size as u64 / 2, "{sent} bytes");
    loop {
        if let FileInput::FetchEnded(_, end) = fetcher.next().await {
            break assert!(matches!(end, FetchEnd::Broken(_)), "{end:?}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_written_is_the_fault_of_the_disk() {
    let (mut holder, mut fetcher) = pair().await;
    let (_, mut place) = offered(&mut holder, &fetcher, SIZE).await;
    place.path = fetcher.write("plain", b"not a folder").join("got.bin");
    fetcher.begin(1, &place, (0, 16), None);
    loop {
        tokio::select! {
            input = holder.next() => if let FileInput::Asked(id, ..) = input {
                let path = holder.path("cat.bin");
                holder.files.carry_out(FileOutput::Serve(id, Place { path, whole: true, ..place.clone() }));
            },
            input = fetcher.next() => if let FileInput::FetchEnded(_, end) = input {
                break assert!(matches!(end, FetchEnd::Disk(_)), "{end:?}");
            },
        }
    }
}
