//! What lies on disk is looked at, and put in its place, without taking anything for granted.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use common::file::{GROUP, Pieces};

use super::{
    pair::{End, bytes, pair, shared},
    place::beside,
};
use crate::core::files::{FetchEnd, FileInput, FileOutput, Found, Place};

/// Seventeen pieces, the last of them short.
const SIZE: usize = 16 * 64 * 1024 + 5;

/// An end that has fetched these pieces of a file.
async fn fetched(pieces: (u32, u32)) -> (End, Place, End) {
    let (mut holder, mut fetcher) = pair().await;
    let path = holder.write("cat.bin", &bytes(SIZE));
    let hashed = holder.hash(&path).await.unwrap();
    let place = Place { file: hashed.file.clone(), path: fetcher.path("got.bin"), whole: false };
    let done = fetcher.fetch(&mut holder, &place, &shared(&hashed), pieces).await;
    assert_eq!(done.end, FetchEnd::Done);
    (fetcher, place, holder)
}

fn runs(runs: &[(u32, u32)]) -> Found {
    Found::Pieces(Pieces::of_runs(runs, 17))
}

#[tokio::test]
async fn a_check_finds_exactly_the_pieces_that_are_good() {
    let (mut end, place, _holder) = fetched((2, 9)).await;
    assert_eq!(end.check(&place, None).await, runs(&[(2, 9)]));
    let mut there = fs::read(beside(&place)).unwrap();
    there[5 * 64 * 1024] ^= 1;
    fs::write(beside(&place), &there).unwrap();
    assert_eq!(end.check(&place, None).await, runs(&[(2, 4), (6, 9)]));
    fs::write(beside(&place), &there[..8 * 64 * 1024 + 1]).unwrap();
    assert_eq!(end.check(&place, None).await, runs(&[(2, 4), (6, 7)]));
    fs::remove_file(beside(&place)).unwrap();
    assert_eq!(end.check(&place, None).await, runs(&[]));
}

#[tokio::test]
async fn damaged_hashes_prove_nothing_and_are_fetched_again() {
    let (mut end, place, mut holder) = fetched((0, 16)).await;
    let hashes = end.path("shelf").join(format!("{}.bao", place.file.root));
    let length = fs::metadata(&hashes).unwrap().len();
    fs::write(&hashes, vec![7; length as usize]).unwrap();
    assert_eq!(end.check(&place, None).await, runs(&[]));
    let served = Place { path: holder.path("cat.bin"), whole: true, ..place.clone() };
    end.fetch(&mut holder, &place, &served, (0, 16)).await;
    assert_eq!(end.check(&place, None).await, runs(&[(0, 16)]));
}

#[tokio::test]
async fn a_shared_file_that_was_changed_is_noticed_by_its_mark() {
    let (mut end, _) = pair().await;
    let path = end.write("cat.bin", &bytes(SIZE));
    let hashed = end.hash(&path).await.unwrap();
    assert_eq!(end.check(&shared(&hashed), Some(hashed.mark)).await, Found::Whole);
    end.write("cat.bin", &bytes(SIZE + 1));
    assert!(matches!(end.check(&shared(&hashed), Some(hashed.mark)).await, Found::Changed(_)));
    fs::remove_file(path).unwrap();
    assert!(matches!(end.check(&shared(&hashed), Some(hashed.mark)).await, Found::Changed(_)));
}

#[tokio::test]
async fn a_name_that_was_taken_meanwhile_stays_whose_it_is() {
    let (mut end, place, _holder) = fetched((0, 16)).await;
    end.write("got.bin", b"mine");
    let why = end.finish(&place, false).await.unwrap_err();
    assert!(why.contains("is there already"), "{why}");
    assert_eq!(fs::read(&place.path).unwrap(), b"mine");
    assert_eq!(end.check(&place, None).await, runs(&[(0, 16)]), "nothing that came is lost");
    end.finish(&place, true).await.unwrap();
    assert_eq!(fs::read(&place.path).unwrap(), bytes(SIZE));
}

#[tokio::test]
async fn a_link_at_the_target_is_not_followed() {
    let (mut end, place, _holder) = fetched((0, 16)).await;
    let precious = end.write("precious", b"mine");
    symlink(&precious, &place.path).unwrap();
    end.finish(&place, false).await.unwrap_err();
    end.finish(&place, true).await.unwrap();
    assert_eq!(fs::read(precious).unwrap(), b"mine");
    assert!(place.path.symlink_metadata().unwrap().is_file());
}

#[tokio::test]
async fn a_link_in_the_place_of_what_comes_is_not_followed() {
    let (mut holder, mut end) = pair().await;
    let path = holder.write("cat.bin", &bytes(SIZE));
    let hashed = holder.hash(&path).await.unwrap();
    let place = Place { file: hashed.file.clone(), path: end.path("got.bin"), whole: false };
    let precious = end.write("precious", b"mine");
    symlink(&precious, beside(&place)).unwrap();
    end.begin(1, &place, (0, 0), None);
    let served = shared(&hashed);
    loop {
        tokio::select! {
            input = holder.next() => if let FileInput::Asked(id, ..) = input {
                holder.files.carry_out(FileOutput::Serve(id, served.clone()));
            },
            input = end.next() => if let FileInput::FetchEnded(_, ended) = input {
                break assert!(matches!(ended, FetchEnd::Disk(_)), "{ended:?}");
            },
        }
    }
    assert_eq!(fs::read(precious).unwrap(), b"mine");
}

#[tokio::test]
async fn a_peer_that_ended_just_after_it_named_a_file_finds_it() {
    let (mut end, place, _holder) = fetched((0, 16)).await;
    let (_, mark) = end.finish(&place, false).await.unwrap();
    assert_eq!(end.check(&place, None).await, runs(&[(0, 16)]));
    assert_eq!(end.finish(&place, false).await, Ok((place.path, mark)));
}

#[tokio::test]
async fn another_file_of_the_name_is_not_taken_for_what_came() {
    let (mut end, place, _holder) = fetched((0, 16)).await;
    fs::remove_file(beside(&place)).unwrap();
    let mut other = bytes(SIZE);
    other[SIZE - 1] ^= 1;
    end.write("got.bin", &other);
    assert_eq!(end.check(&place, None).await, runs(&[]));
}

#[tokio::test]
async fn nothing_is_left_of_what_is_discarded() {
    let (mut end, place, _holder) = fetched((0, 3)).await;
    end.files.carry_out(FileOutput::Discard(place.clone()));
    assert_eq!(end.check(&place, None).await, runs(&[]));
    assert!(!beside(&place).exists());
    assert_eq!(fs::read_dir(end.path("shelf")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_file_without_bytes_a_missing_one_and_a_folder_of_links_are_refused() {
    let (mut end, _) = pair().await;
    let empty = end.write("empty", b"");
    assert!(end.hash(&empty).await.unwrap_err().contains("nothing in it"));
    let missing = end.path("missing");
    let told = end.hash(&missing).await.unwrap_err();
    assert_eq!(told, format!("there is no file {}; check the path", missing.display()));
    fs::create_dir(end.path("links")).unwrap();
    symlink(&empty, end.path("links/one")).unwrap();
    let links = end.path("links");
    assert!(end.hash(&links).await.unwrap_err().contains("not shared"));
}

#[tokio::test]
async fn a_picture_is_known_by_its_bytes() {
    let (mut end, _) = pair().await;
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    png.extend([0, 0, 2, 128, 0, 0, 1, 224, 8, 2, 0, 0, 0, 1, 2, 3, 4]);
    let path = end.write("cat\n.txt", &png);
    let file = end.hash(&path).await.unwrap().file;
    assert_eq!((file.media.as_str(), file.pixels, file.name.as_str()), ("image/png", Some((640, 480)), "cat_.txt"));
}

/// What is in a folder: ways, bytes, and whether it runs.
fn tree(folder: &Path) -> Vec<(String, Option<Vec<u8>>, bool)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(path) = folders.pop() {
        for entry in fs::read_dir(path).unwrap().map(Result::unwrap) {
            let way = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_string();
            let metadata = entry.path().symlink_metadata().unwrap();
            if metadata.is_dir() {
                found.push((way, None, false));
                folders.push(entry.path());
            } else {
                let runs = metadata.permissions().mode() & 0o100 != 0;
                found.push((way, Some(fs::read(entry.path()).unwrap()), runs));
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_folder_comes_over_as_the_tree_it_is() {
    let (mut holder, mut fetcher) = pair().await;
    holder.write("box/a", b"");
    holder.write("box/b/long", &bytes(300_000));
    let runs = holder.write("box/b/c/runs.sh", b"#!/bin/sh\n");
    fs::set_permissions(runs, fs::Permissions::from_mode(0o755)).unwrap();
    holder.write("box/b.txt", &bytes(GROUP as usize));
    holder.write("box/zoë", b"last");
    fs::create_dir_all(holder.path("box/empty/deep")).unwrap();
    let path = holder.path("box");
    let hashed = holder.hash(&path).await.unwrap();
    assert_eq!((hashed.file.head, hashed.file.name.as_str()), (GROUP, "box"));
    assert_eq!(holder.check(&shared(&hashed), Some(hashed.mark)).await, Found::Whole);

    let place = Place { file: hashed.file.clone(), path: fetcher.path("got"), whole: false };
    let last = place.file.grid().count() - 1;
    let fetched = fetcher.fetch(&mut holder, &place, &shared(&hashed), (2, last)).await;
    assert!(matches!(fetched.end, FetchEnd::Broken(_)), "its list comes first: {fetched:?}");
    for pieces in [(0, 0), (3, last), (1, 2)] {
        let fetched = fetcher.fetch(&mut holder, &place, &shared(&hashed), pieces).await;
        assert_eq!(fetched.end, FetchEnd::Done);
    }
    let (path, mark) = fetcher.finish(&place, false).await.unwrap();
    assert_eq!(tree(&path), tree(&holder.path("box")));

    let whole = Place { whole: true, ..place };
    assert_eq!(fetcher.check(&whole, Some(mark)).await, Found::Whole);
    let again = Place { path: holder.path("again"), whole: false, ..whole.clone() };
    let fetched = holder.fetch(&mut fetcher, &again, &whole, (0, last)).await;
    assert_eq!(fetched.end, FetchEnd::Done, "who has fetched it serves it");
    fetcher.write("got/zoë", b"lost");
    assert!(matches!(fetcher.check(&whole, Some(mark)).await, Found::Changed(_)));
}

#[tokio::test]
async fn a_folder_is_resumed_piece_by_piece() {
    let (mut holder, mut fetcher) = pair().await;
    holder.write("box/one", &bytes(200_000));
    holder.write("box/two", &bytes(100_000));
    let path = holder.path("box");
    let hashed = holder.hash(&path).await.unwrap();
    let place = Place { file: hashed.file.clone(), path: fetcher.path("got"), whole: false };
    fetcher.fetch(&mut holder, &place, &shared(&hashed), (0, 2)).await;
    assert_eq!(fetcher.check(&place, None).await, Found::Pieces(Pieces::of_runs(&[(0, 2)], 6)));
    let mut one = fs::read(beside(&place).join("one")).unwrap();
    one[70_000] ^= 1;
    fs::write(beside(&place).join("one"), one).unwrap();
    assert_eq!(fetcher.check(&place, None).await, Found::Pieces(Pieces::of_runs(&[(0, 1)], 6)));
}
