//! The list of files in a table.

use super::{tests::member, *};
use crate::{file::FileInfo, identity::Identity};

fn file(number: u32) -> FileInfo {
    let mut root = [0; 32];
    root[..4].copy_from_slice(&number.to_be_bytes());
    FileInfo { root: Root(root), name: "cat.jpg".into(), size: 5, head: 0, media: String::new(), pixels: None }
}

fn offer(number: u32, name: &str) -> Offer {
    // Whose word it is does not matter here, and to sign takes its time.
    thread_local!(static ANYBODY: Offer = signed(1, file(0)));
    let mut offer = ANYBODY.with(Offer::clone);
    offer.file = FileInfo { name: name.into(), ..file(number) };
    offer
}

fn signed(seed: u8, file: FileInfo) -> Offer {
    Offer::sign(&Identity::from_seed([seed; 32]), &"lobby".parse().unwrap(), file, 7)
}

fn share(slot: u32, offer: Offer) -> Change {
    Step::Share(Shared { slot: Slot(slot), offer }).at(0)
}

/// A table of so many members.
fn table(members: u32) -> Table {
    Table::from_snapshot(Version { epoch: 1, number: 9_999 }, (0..members).map(|slot| member(slot, 1))).unwrap()
}

#[test]
fn a_file_goes_with_whoever_shares_it() {
    let mut table = table(2);
    for slot in [0, 1] {
        table.apply(&share(slot, offer(7, "cat.jpg"))).unwrap();
    }
    table.apply(&Step::Gone { slot: Slot(0), why: Departure::Left }.at(0)).unwrap();
    assert_eq!(table.files().map(|(of, _)| of.slot.0).collect::<Vec<_>>(), [1]);
    table.apply(&Step::Put(member(0, table.version().number + 1)).at(0)).unwrap();
    assert_eq!(table.file_count(), 1, "who comes into the slot shares nothing yet");
}

#[test]
fn a_file_of_nobody_or_that_no_file_can_be_is_not_taken() {
    let mut table = table(1);
    let before = table.clone();
    let unshare = Step::Unshare { slot: Slot(0), root: Root([7; 32]) }.at(0);
    let bad = [
        (share(1, offer(7, "cat.jpg")), Misfit::File(Slot(1))),
        (share(0, offer(7, "../cat.jpg")), Misfit::Offer(Slot(0))),
        (unshare, Misfit::File(Slot(0))),
    ];
    for (change, misfit) in bad {
        assert_eq!(table.apply(&change), Err(misfit));
        assert_eq!(table, before);
    }
}

#[test]
fn a_list_has_space_for_so_many_files_and_for_another_word_on_one_of_them() {
    let most = limits::FILES_PER_MEMBER as u32;
    let all = |members: u32| (0..members).flat_map(move |slot| (0..most).map(move |n| (slot, offer(n, "x"))));
    let shared = |(slot, offer)| Shared { slot: Slot(slot), offer };
    let mut full = table(6).with_files(all(5).map(shared)).unwrap();
    assert_eq!(full.file_count(), limits::FILES);
    assert_eq!(full.apply(&share(5, offer(0, "x"))), Err(Misfit::Full(Slot(5))));
    full.apply(&share(4, offer(0, "y"))).unwrap();
    let mut own = table(2).with_files(all(1).map(shared)).unwrap();
    assert_eq!(own.apply(&share(0, offer(most, "x"))), Err(Misfit::Full(Slot(0))));
    own.apply(&share(1, offer(most, "x"))).unwrap();
}

#[test]
fn tables_with_other_files_have_other_digests() {
    let with = |files: Vec<(u32, Offer)>| {
        let files = files.into_iter().map(|(slot, offer)| Shared { slot: Slot(slot), offer });
        table(2).with_files(files).unwrap().digest()
    };
    let signed_again = signed(2, file(7));
    let digests = [
        with(vec![]),
        with(vec![(0, offer(7, "cat.jpg"))]),
        with(vec![(1, offer(7, "cat.jpg"))]),
        with(vec![(0, offer(7, "dog.jpg"))]),
        with(vec![(0, offer(8, "cat.jpg"))]),
        with(vec![(0, signed_again)]),
        with(vec![(0, offer(7, "cat.jpg")), (1, offer(7, "cat.jpg"))]),
    ];
    for (index, digest) in digests.iter().enumerate() {
        assert!(!digests[..index].contains(digest), "{index}");
    }
}
