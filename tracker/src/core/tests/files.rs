//! What is on a room's list of files, who may put it there, and who is told.

use common::{
    file::{FileInfo, Offer, Root},
    limits,
    wire::tracker::{Code, Rename, Share},
};

use super::{
    super::{
        accounts::{Outcome, Wanted},
        invitations::hash_of,
    },
    world::{World, file, identity, key, room},
};
use crate::config::Config;

/// Peers 1 to 3 are in the den, which 1 owns; 4 is outside.
fn den() -> World {
    let mut world = World::new(Config::default());
    (1..=4).for_each(|peer| world.login(peer));
    world.make(1, "den", false);
    (2..=3).for_each(|peer| world.join(peer, "den"));
    world.pass(100);
    world
}

/// What is on the list as a peer sees it: who shares which file.
fn list(world: &World, seen_by: u8) -> Vec<(u32, u8)> {
    let table = &world.peers[&seen_by].mirror.rooms[&room("den")].table;
    table.files().map(|(of, offer)| (of.slot.0, offer.file.root.0[0])).collect()
}

#[test]
fn what_a_member_shares_is_on_everybodys_list_until_it_shares_it_no_more() {
    let mut world = den();
    assert_eq!(world.share(2, "den", file(7, "cat.jpg")), None);
    assert_eq!(world.share(3, "den", file(7, "tom.jpg")), None);
    assert_eq!(world.share(3, "den", file(8, "dog.jpg")), None);
    world.login(5);
    world.join(5, "den");
    world.pass(100);
    for peer in [1, 2, 3, 5] {
        world.assert_mirrored(peer);
        assert_eq!(list(&world, peer), [(1, 7), (2, 7), (2, 8)]);
    }
    assert_eq!(world.unshare(3, "den", 7), None);
    assert_eq!(world.unshare(3, "den", 7), None, "again changes nothing");
    assert_eq!(list(&world, 1), [(1, 7), (2, 8)]);
}

#[test]
fn to_share_it_again_changes_nothing_unless_it_is_called_something_else() {
    let mut world = den();
    let offer = world.offer(2, "den", file(7, "cat.jpg"));
    let share = Share { id: 1, room: room("den"), offer };
    assert_eq!(world.code(2, share.clone()), None);
    let changes = world.tracker.counts().changes;
    assert_eq!(world.code(2, share), None);
    assert_eq!(world.tracker.counts().changes, changes);
    assert_eq!(world.share(2, "den", file(7, "tom.jpg")), None);
    assert_eq!(list(&world, 1), [(1, 7)]);
    let table = &world.peers[&1].mirror.rooms[&room("den")].table;
    assert_eq!(table.files().next().unwrap().1.file.name, "tom.jpg");
}

#[test]
fn who_is_no_member_shares_nothing_there() {
    let mut world = den();
    assert_eq!(world.share(4, "den", file(7, "cat.jpg")), Some(Code::NotMember));
    assert_eq!(world.unshare(4, "den", 7), Some(Code::NotMember));
    assert_eq!(world.share(4, "none", file(7, "cat.jpg")), Some(Code::NoRoom));
}

#[test]
fn what_is_not_the_word_of_the_member_or_no_file_is_refused() {
    let mut world = den();
    let share = |offer| Share { id: 1, room: room("den"), offer };
    let others = world.offer(3, "den", file(7, "cat.jpg"));
    assert_eq!(world.code(2, share(others)), Some(Code::BadFile));
    let elsewhere = Offer::sign(identity(2), &room("hall"), file(7, "cat.jpg"), 1);
    assert_eq!(world.code(2, share(elsewhere)), Some(Code::BadFile));
    for bad in [file(7, "../cat.jpg"), FileInfo { size: u64::MAX, ..file(7, "x") }, file(7, &"x".repeat(4_000))] {
        assert_eq!(world.share(2, "den", bad), Some(Code::BadFile));
    }
    assert_eq!(list(&world, 1), []);
}

#[test]
fn what_a_member_shared_goes_with_it_also_over_a_restart() {
    let mut world = den();
    world.share(2, "den", file(7, "cat.jpg"));
    world.share(3, "den", file(8, "dog.jpg"));
    world.remove(1, "den", 3, false);
    world.join(3, "den");
    world.pass(100);
    world.restart();
    (1..=3).for_each(|peer| world.login(peer));
    world.pass(100);
    for peer in 1..=3 {
        world.assert_mirrored(peer);
        assert_eq!(list(&world, peer), [(1, 7)]);
    }
}

#[test]
fn another_name_leaves_what_is_shared_and_another_key_does_not() {
    let mut world = den();
    world.share(2, "den", file(7, "cat.jpg"));
    let rename = Rename { id: 1, name: "other".parse().unwrap() };
    assert_eq!(world.code(2, rename), None);
    assert_eq!(list(&world, 1), [(1, 7)]);
    let hash = hash_of("secret").unwrap();
    assert_eq!(world.operate(Wanted::ResetKey { name: "other".parse().unwrap(), hash }), Outcome::Done);
    world.login_with(9, key(9), "other", Some("secret"));
    world.pass(100);
    world.assert_mirrored(1);
    let table = &world.peers[&1].mirror.rooms[&room("den")].table;
    assert!(table.member(&key(9)).is_some());
    assert_eq!(list(&world, 1), [], "the word was that of the key that is lost");
}

#[test]
fn a_list_that_is_full_says_so_and_what_is_on_it_can_still_be_changed() {
    let mut world = den();
    let numbered = |number: usize, name: &str| {
        let mut root = [0; 32];
        root[..8].copy_from_slice(&number.to_be_bytes());
        FileInfo { root: Root(root), ..file(0, name) }
    };
    for number in 0..limits::FILES_PER_MEMBER {
        assert_eq!(world.share(2, "den", numbered(number, "x")), None);
    }
    assert_eq!(world.share(2, "den", numbered(999, "x")), Some(Code::Full));
    assert_eq!(world.share(2, "den", numbered(1, "y")), None);
    // Long enough that the list needs more than one piece.
    let long = "x".repeat(limits::FILE_NAME_BYTES);
    (5..=8).for_each(|peer| {
        world.login(peer);
        world.join(peer, "den");
        (0..limits::FILES_PER_MEMBER)
            .for_each(|number| assert_eq!(world.share(peer, "den", numbered(number, &long)), None));
    });
    assert_eq!(world.share(3, "den", numbered(0, "x")), Some(Code::Full));
    world.login(9);
    world.join(9, "den");
    world.pass(100);
    world.assert_mirrored(9);
    assert_eq!(list(&world, 9).len(), limits::FILES);
}
