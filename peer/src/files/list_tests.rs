use std::path::{Path, PathBuf};

use common::{
    file::{FileInfo, GROUP, Root},
    limits,
};

use super::{
    layout::Layout,
    list::{BadList, ENTRIES, Entry, decode, encode},
    shelf::Shelf,
};

fn entry(way: &[&str], length: u64) -> Entry {
    Entry { way: way.iter().map(|part| part.to_string()).collect(), length: Some(length), runs: false }
}

/// What is made of a list with these entries, whose files have `there` bytes.
fn read(entries: &[Entry], there: u64) -> Result<Vec<Entry>, BadList> {
    decode(&encode(entries).unwrap(), there)
}

#[test]
fn a_list_reads_back_as_it_was_written() {
    let empty = Entry { way: vec!["c".into(), "d".into()], length: None, runs: false };
    let entries = [entry(&["a"], 5), Entry { runs: true, ..entry(&["b", "x"], 7) }, empty];
    let head = encode(&entries).unwrap();
    assert_eq!(head.len() as u64, GROUP);
    assert_eq!(decode(&head, 12).unwrap(), entries);
}

#[test]
fn a_list_that_leads_out_of_its_folder_is_refused() {
    for way in [&[".."][..], &["a", "..", "b"], &["/etc/passwd"], &["a/b"], &["."], &[""], &["a\0"], &[], &["a"; 65]] {
        assert_eq!(read(&[entry(way, 1)], 1), Err(BadList::Outside), "{way:?}");
    }
}

#[test]
fn a_list_with_two_things_in_one_place_is_refused() {
    for (one, other) in [(&["a"][..], &["a"][..]), (&["b"], &["a"]), (&["a"], &["a", "b"])] {
        assert_eq!(read(&[entry(one, 1), entry(other, 1)], 2), Err(BadList::Order), "{one:?} {other:?}");
    }
}

#[test]
fn a_list_whose_lengths_are_not_those_of_the_bytes_is_refused() {
    assert_eq!(read(&[entry(&["a"], 5)], 6), Err(BadList::Length { listed: 5, there: 6 }));
    let huge = [entry(&["a"], u64::MAX), entry(&["b"], 2)];
    assert_eq!(read(&huge, 1), Err(BadList::Length { listed: u64::MAX, there: 1 }));
}

#[test]
fn a_list_of_more_than_there_may_be_is_neither_made_nor_read() {
    let many: Vec<_> = (0..=ENTRIES).map(|n| entry(&[&format!("{n:06}")], 0)).collect();
    assert!(encode(&many).unwrap_err().contains("too much"));
    let longest = "x".repeat(limits::FOLDER_LIST as usize);
    assert!(encode(&[entry(&[&longest], 0)]).unwrap_err().contains("too much"));
    let bytes = rmp_serde::to_vec(&many).unwrap();
    assert!(matches!(decode(&bytes, 0), Err(BadList::Malformed(_))));
    assert!(matches!(decode(&[0xc1; 100], 0), Err(BadList::Malformed(_))));
}

/// The ways of a folder that was fetched with this list.
fn ways(entries: &[Entry]) -> Vec<PathBuf> {
    let disk = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(disk.path().into());
    let head = encode(entries).unwrap();
    let size = head.len() as u64 + entries.iter().map(|entry| entry.length.unwrap_or(0)).sum::<u64>();
    let (name, media) = ("box".into(), String::new());
    let file = FileInfo { root: Root([1; 32]), name, size, head: head.len() as u64, media, pixels: None };
    std::fs::write(shelf.head(&file.root), head).unwrap();
    let layout = Layout::read(&shelf, &file).unwrap();
    layout.parts.iter().map(|part| part.way.clone()).collect()
}

#[test]
fn every_part_of_a_way_is_made_harmless() {
    let list = [entry(&["..\\..\\x"], 1), entry(&[".ssh", "authorized_keys"], 1), entry(&["CON", "a\u{202e}b"], 1)];
    assert_eq!(ways(&list), ["_.._.._x", "_.ssh/authorized_keys", "_CON/a_b"].map(PathBuf::from));
}

#[test]
fn what_becomes_the_same_is_told_apart_and_what_belongs_together_stays_together() {
    let list =
        [entry(&["a*", "1"], 1), entry(&["a*", "2"], 1), entry(&["a:", "1"], 1), entry(&["a?"], 1), entry(&["a_"], 1)];
    assert_eq!(ways(&list), ["a_/1", "a_/2", "a_ (2)/1", "a_ (3)", "a_ (4)"].map(PathBuf::from));
}

#[test]
fn each_byte_has_its_file_and_files_without_bytes_have_none() {
    let list = [entry(&["a"], 10), entry(&["b"], 0), entry(&["c"], 5)];
    let layout = Layout::as_listed(&list, GROUP);
    let at = |offset: u64| layout.at(offset).map(|part| layout.parts[part].way.as_path());
    assert_eq!(at(GROUP), Some(Path::new("a")));
    assert_eq!(at(GROUP + 9), Some(Path::new("a")));
    assert_eq!(at(GROUP + 10), Some(Path::new("c")));
    assert_eq!((at(GROUP + 15), at(GROUP - 1)), (None, None));
}
