//! What members tell each other of their tables, and when that is told to the user.

use common::{
    Slot, Version,
    file::{FileInfo, Offer, Root},
    frame::{Frame, HEADER},
    table::{Settings, Shared, Step},
    wire::{
        control::MemberChange,
        peer::{Bye, Frontier, PeerFrame, Told},
    },
};
use serde_bytes::ByteArray;

use super::{
    alone::{Alone, lobby, sent},
    *,
};

const BOB: LinkId = LinkId(2);

/// In the lobby, at version 2, with bob, who has a link.
fn with_bob() -> Alone {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.link(BOB.0, 0, true);
    alone
}

fn digest(alone: &Alone) -> [u8; 32] {
    alone.core.room(&lobby()).unwrap().table.digest()
}

fn word(epoch: u64, number: u64, digest: [u8; 32], up: bool) -> Told {
    Told { version: Version { epoch, number }, digest: ByteArray::new(digest), up, answer: false }
}

fn bob_tells(alone: &mut Alone, told: Told) -> Vec<Output> {
    let frame = Frontier { room: lobby(), table: Some(told), digests: Vec::new(), heads: Vec::new() };
    alone.tell(Input::LinkSays(BOB, frame.into()))
}

/// How often the user is told that the tracker says different things.
fn splits(outputs: &[Output]) -> usize {
    let is_split = |output: &&Output| match output {
        Output::Show(Shown::Member(event)) => event.change == MemberChange::Split,
        _ => false,
    };
    outputs.iter().filter(is_split).count()
}

#[test]
fn two_tables_of_one_version_are_told_at_once_and_once() {
    let mut alone = with_bob();
    let true_one = digest(&alone);
    assert_eq!(splits(&bob_tells(&mut alone, word(1, 2, true_one, true))), 0);
    assert_eq!(splits(&bob_tells(&mut alone, word(1, 2, [9; 32], true))), 1);
    assert_eq!(splits(&bob_tells(&mut alone, word(1, 2, [9; 32], true))), 0);
    assert_eq!(splits(&bob_tells(&mut alone, word(1, 2, true_one, true))), 0);
    assert_eq!(splits(&bob_tells(&mut alone, word(1, 2, [9; 32], true))), 1, "they had agreed in between");
}

#[test]
fn a_table_that_stays_another_is_told_once_it_should_have_come() {
    let mut alone = with_bob();
    assert_eq!(splits(&bob_tells(&mut alone, word(1, 3, [9; 32], true))), 0);
    let asked = (0..61).flat_map(|_| alone.later(1_000)).collect::<Vec<_>>();
    let opened = sent(&asked).into_iter().filter(|f| matches!(f, PeerFrame::Frontier(Frontier { table: Some(_), .. })));
    assert!(opened.count() > 0, "he is asked again");
    assert_eq!(splits(&bob_tells(&mut alone, word(1, 3, [9; 32], true))), 1);
}

#[test]
fn a_member_whose_tracker_is_down_or_who_comes_on_is_only_behind() {
    let mut alone = with_bob();
    bob_tells(&mut alone, word(1, 1, [9; 32], false));
    alone.later(100_000);
    assert_eq!(splits(&bob_tells(&mut alone, word(1, 1, [9; 32], true))), 0);
    alone.later(100_000);
    assert_eq!(splits(&bob_tells(&mut alone, word(1, 0, [8; 32], true))), 0, "it has moved");
}

#[test]
fn a_table_that_was_ahead_is_compared_when_this_one_gets_there() {
    let mut alone = with_bob();
    let carol = Identity::from_seed([99; 32]);
    bob_tells(&mut alone, word(1, 3, [9; 32], true));
    assert_eq!(splits(&alone.joins(&carol, 3)), 1);
    let mut alone = with_bob();
    let mut ahead = alone.core.room(&lobby()).unwrap().table.clone();
    let mut other = with_bob();
    other.joins(&carol, 3);
    ahead.clone_from(&other.core.room(&lobby()).unwrap().table);
    bob_tells(&mut alone, word(1, 3, ahead.digest(), true));
    assert_eq!(splits(&alone.joins(&carol, 3)), 0);
}

#[test]
fn a_tracker_that_hides_a_file_from_one_member_is_found_out() {
    let lists = |alone: &mut Alone, file: FileInfo| {
        let offer = Offer::sign(&alone.others[0], &lobby(), file, 7);
        alone.changes(vec![Step::Share(Shared { slot: Slot(1), offer }).at(0)])
    };
    let file = |name: &str| FileInfo {
        root: Root([7; 32]),
        name: name.into(),
        size: 5,
        head: 0,
        media: String::new(),
        pixels: None,
    };
    let (mut alone, mut bob) = (with_bob(), with_bob());
    lists(&mut alone, file("cat.jpg"));
    lists(&mut bob, file("cat.jpg"));
    assert_eq!(splits(&bob_tells(&mut alone, word(1, 3, digest(&bob), true))), 0);
    // Another change in its place brings it to the same version.
    let mut hidden = with_bob();
    hidden.changes(vec![Step::Set(Settings::default()).at(0)]);
    assert_eq!(splits(&bob_tells(&mut alone, word(1, 3, digest(&hidden), true))), 1);
    let (mut alone, mut other) = (with_bob(), with_bob());
    lists(&mut alone, file("cat.jpg"));
    lists(&mut other, file("dog.jpg"));
    assert_eq!(splits(&bob_tells(&mut alone, word(1, 3, digest(&other), true))), 1);
}

#[test]
fn who_asks_is_told_where_this_table_stands_unless_it_is_the_same() {
    let mut alone = with_bob();
    let same = Told { answer: true, ..word(1, 2, digest(&alone), true) };
    assert!(sent(&bob_tells(&mut alone, same)).is_empty());
    let other = Told { answer: true, ..word(1, 1, [9; 32], true) };
    let told = sent(&bob_tells(&mut alone, other));
    let [PeerFrame::Frontier(Frontier { table: Some(told), .. })] = &told[..] else { panic!("{told:?}") };
    assert_eq!((told.version.number, *told.digest, told.answer), (2, digest(&alone), false));
}

#[test]
fn a_member_that_goes_on_not_knowing_this_peer_is_told() {
    let mut alone = Alone::in_the_lobby(0, 1);
    let refused = |alone: &mut Alone, link: u64| {
        let (key, address) = (alone.others[0].key(), super::alone::address(0));
        let mut outputs = alone.tell(Input::LinkUp { link: LinkId(link), key, dialled: true, address });
        let bye = Bye { reason: "no room is shared".into(), stranger: true };
        outputs.extend(alone.tell(Input::LinkSays(LinkId(link), bye.into())));
        outputs.extend(alone.tell(Input::LinkDown(LinkId(link), "closed".into())));
        splits(&outputs)
    };
    assert_eq!(refused(&mut alone, 1), 0, "its table may be under way");
    alone.later(61_000);
    assert_eq!(refused(&mut alone, 2), 1);
    assert_eq!(refused(&mut alone, 3), 0);
}

#[test]
fn somebody_in_no_table_is_told_that_it_is_a_stranger() {
    let mut alone = with_bob();
    let key = Identity::from_seed([99; 32]).key();
    let address = super::alone::address(7);
    alone.tell(Input::LinkUp { link: LinkId(9), key, dialled: false, address });
    let outputs = alone.later(4_000);
    let bye = outputs.iter().find_map(|output| match output {
        Output::Send(LinkId(9), frame) => PeerFrame::decode(&frame[HEADER..]).unwrap(),
        _ => None,
    });
    assert!(matches!(bye, Some(PeerFrame::Bye(Bye { stranger: true, .. }))), "{bye:?}");
}
