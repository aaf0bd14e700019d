//! Files over real links: what comes is what was shared, or nothing.

use std::fs;

use super::pair::{End, bytes, lobby, pair, shared};
use crate::core::files::{FetchEnd, Found, Place, ServeEnd};

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
    let _ = lobby();
}
