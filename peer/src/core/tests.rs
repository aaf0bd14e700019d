//! Links, and messages straight from their authors.

use common::{
    Identity, Key, RoomName, Version,
    frame::{Frame, HEADER},
    message::{Batch, Head, Message},
    table::PresenceVersion,
    wire::{
        control::MemberChange,
        peer::{Have, Hello, PROTOCOL, PeerFrame, Reach, RefuseCode, Skip},
        tracker::ToTracker,
    },
};

use super::{
    alone::{Alone, address, dials, lobby, sent},
    command::Ask,
    *,
};

#[test]
fn the_smaller_key_dials_at_once_and_the_larger_a_moment_later() {
    let mut smaller = Alone::in_the_lobby(0, 1);
    assert!(smaller.core.people.get(&smaller.others[0].key()).unwrap().dialling);
    let mut larger = Alone::in_the_lobby(1, 1);
    assert_eq!(dials(&larger.later(100)), 0);
    assert_eq!(dials(&larger.later(400)), 1);
    assert_eq!(dials(&smaller.later(400)), 0);
}

#[test]
fn who_leaves_before_being_dialled_is_not_dialled() {
    let mut alone = Alone::in_the_lobby(1, 1);
    alone.leaves(0);
    assert_eq!(dials(&alone.later(1_000)), 0);
}

#[test]
fn of_two_links_the_one_that_the_smaller_key_dialled_stays() {
    for (me, stays) in [(0, LinkId(1)), (1, LinkId(2))] {
        for order in [[1, 2], [2, 1]] {
            let mut alone = Alone::in_the_lobby(me, 1);
            for id in order {
                alone.link(id, 0, id == 1);
            }
            assert_eq!(alone.core.people.get(&alone.others[0].key()).unwrap().link, Some(stays));
        }
    }
}

#[test]
fn who_has_started_again_is_not_kept_out_by_the_link_it_had_before() {
    for me in [0, 1] {
        let mut alone = Alone::in_the_lobby(me, 1);
        let key = alone.others[0].key();
        // Dialled so that it would stay if it were one of two of the same life.
        alone.link(1, 0, me == 0);
        alone.tell(Input::LinkUp { link: LinkId(2), key, dialled: me == 1, address: address(1) });
        let hello = Hello { protocol: PROTOCOL, name: "m1".parse().unwrap(), life: 2 };
        alone.tell(Input::LinkSays(LinkId(2), hello.into()));
        assert_eq!(alone.core.people.get(&key).unwrap().link, Some(LinkId(2)));
    }
}

#[test]
fn a_link_from_a_stranger_is_kept_for_a_moment_since_the_table_may_be_under_way() {
    let mut alone = Alone::in_the_lobby(0, 1);
    let stranger = Identity::from_seed([77; 32]);
    let up = Input::LinkUp { link: LinkId(5), key: stranger.key(), dialled: false, address: address(5) };
    assert!(alone.tell(up).is_empty(), "nothing is said to a stranger");
    let hello = Hello { protocol: PROTOCOL, name: "m2".parse().unwrap(), life: 1 };
    alone.tell(Input::LinkSays(LinkId(5), hello.clone().into()));
    let outputs = alone.joins(&stranger, 3);
    assert!(matches!(sent(&outputs)[..], [PeerFrame::Hello(_), PeerFrame::Have(_)]));

    let other = Identity::from_seed([78; 32]);
    alone.tell(Input::LinkUp { link: LinkId(6), key: other.key(), dialled: false, address: address(6) });
    let closed = alone.later(3_000);
    assert!(closed.iter().any(|output| matches!(output, Output::Close(LinkId(6), _))));
}

#[test]
fn a_link_whose_other_side_leaves_before_its_hello_is_closed() {
    let mut alone = Alone::in_the_lobby(0, 1);
    let key = alone.others[0].key();
    alone.tell(Input::LinkUp { link: LinkId(1), key, dialled: false, address: address(1) });
    alone.leaves(0);
    let hello = Hello { protocol: PROTOCOL, name: "m1".parse().unwrap(), life: 1 };
    let outputs = alone.tell(Input::LinkSays(LinkId(1), hello.into()));
    assert!(outputs.iter().any(|output| matches!(output, Output::Close(LinkId(1), _))));
}

#[test]
fn who_was_lost_while_the_tracker_was_away_is_asked_of_it_anew() {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.link(1, 0, true);
    alone.tell(Input::TrackerDown("gone".into()));
    alone.tell(Input::LinkDown(LinkId(1), "gone".into()));
    alone.later(60_000);
    let outputs = alone.tell(Input::TrackerUp(Key([9; 32])));
    let held = outputs.iter().find_map(|output| match output {
        Output::TellTracker(frame) => match ToTracker::decode(&frame[HEADER..]) {
            Ok(Some(ToTracker::Holding(holding))) => Some(holding.rooms),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(held.unwrap()[0].presence, PresenceVersion::default());
}

#[test]
fn a_message_is_kept_before_it_is_receipted() {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.link(1, 0, true);
    let empty = Head::empty(&lobby(), &alone.others[0].key());
    let (batch, _) = alone.batch(0, empty, 2, "hello");
    let outputs = alone.tell(Input::LinkSays(LinkId(1), batch.into()));
    let kept = outputs.iter().position(|o| matches!(o, Output::Keep(Row::Segment(_)))).unwrap();
    let receipted = outputs.iter().position(|o| matches!(o, Output::Send(..))).unwrap();
    assert!(kept < receipted);
    assert_eq!(sent(&outputs), [Have { logs: vec![Reach { room: lobby(), first: 1, last: 1 }] }.into()]);
}

#[test]
fn a_message_that_comes_twice_is_kept_once_and_receipted_again() {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.link(1, 0, true);
    let empty = Head::empty(&lobby(), &alone.others[0].key());
    let (batch, _) = alone.batch(0, empty, 2, "hello");
    alone.tell(Input::LinkSays(LinkId(1), batch.clone().into()));
    let again = alone.tell(Input::LinkSays(LinkId(1), batch.into()));
    assert!(!again.iter().any(|o| matches!(o, Output::Keep(_))));
    assert_eq!(sent(&again).len(), 1);
}

#[test]
fn what_a_member_has_receipted_and_lost_since_is_sent_to_it_again() {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.link(1, 0, true);
    let have = |last| Have { logs: vec![Reach { room: lobby(), first: 1, last }] };
    alone.tell(Input::LinkSays(LinkId(1), have(0).into()));
    alone.tell(Input::Ask(AskId(1), Ask::Say { room: lobby(), content: "hello".into() }));
    alone.tell(Input::LinkSays(LinkId(1), have(1).into()));
    alone.tell(Input::LinkDown(LinkId(1), "gone".into()));
    alone.link(2, 0, true);
    let outputs = alone.tell(Input::LinkSays(LinkId(2), have(0).into()));
    assert!(matches!(&sent(&outputs)[..], [PeerFrame::Batch(batch)] if batch.first == 1));
}

#[test]
fn what_does_not_follow_is_taken_only_if_the_author_says_what_it_leaves_out() {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.link(1, 0, true);
    let (_, first) = alone.batch(0, Head::empty(&lobby(), &alone.others[0].key()), 2, "not for you");
    let (second, _) = alone.batch(0, first, 2, "for you");
    let unasked = alone.tell(Input::LinkSays(LinkId(1), second.clone().into()));
    assert!(unasked.is_empty());
    alone.tell(Input::LinkSays(LinkId(1), Skip { room: lobby(), author: None, next: 2, hash: None }.into()));
    let taken = alone.tell(Input::LinkSays(LinkId(1), second.into()));
    assert_eq!(sent(&taken), [Have { logs: vec![Reach { room: lobby(), first: 2, last: 2 }] }.into()]);
}

#[test]
fn two_messages_with_one_number_are_a_fork_and_the_second_is_refused() {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.link(1, 0, true);
    let empty = Head::empty(&lobby(), &alone.others[0].key());
    let (one, _) = alone.batch(0, empty, 2, "one");
    let (_, other) = alone.batch(0, empty, 2, "another");
    let (after_other, _) = alone.batch(0, other, 2, "after another");
    alone.tell(Input::LinkSays(LinkId(1), one.into()));
    let outputs = alone.tell(Input::LinkSays(LinkId(1), after_other.into()));
    assert!(matches!(&sent(&outputs)[..], [PeerFrame::Refuse(refuse)] if refuse.code == RefuseCode::Fork));
}

#[test]
fn a_message_under_a_stamp_without_its_author_is_refused() {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.others.push(Identity::from_seed([77; 32]));
    alone.joins(&alone.others[1].clone(), 3);
    alone.link(1, 1, true);
    let empty = Head::empty(&lobby(), &alone.others[1].key());
    let (batch, _) = alone.batch(1, empty, 2, "too early");
    let outputs = alone.tell(Input::LinkSays(LinkId(1), batch.into()));
    assert!(matches!(&sent(&outputs)[..], [PeerFrame::Refuse(refuse)] if refuse.code == RefuseCode::NotMember));
    assert!(!outputs.iter().any(|o| matches!(o, Output::Keep(_))));
}

#[test]
fn what_was_said_between_joining_and_being_told_is_taken() {
    // A member since version 1 and told version 3: who is dated 3 may have been a member before, left and come back.
    let mut alone = Alone::in_the_lobby(0, 2);
    alone.link(1, 1, true);
    let empty = Head::empty(&lobby(), &alone.others[1].key());
    let (batch, _) = alone.batch(1, empty, 2, "welcome");
    let outputs = alone.tell(Input::LinkSays(LinkId(1), batch.into()));
    assert!(outputs.iter().any(|o| matches!(o, Output::Keep(Row::Segment(_)))));
}

#[test]
fn a_forged_message_closes_the_link() {
    let mut alone = Alone::in_the_lobby(0, 2);
    alone.link(1, 0, true);
    let empty = Head::empty(&lobby(), &alone.others[0].key());
    let message = Message::new(0, "I am m1".into());
    let stamp = Version { epoch: 1, number: 3 };
    let (forged, _) = Batch::sign(&alone.others[1], &lobby(), stamp, empty, &[message]);
    let outputs = alone.tell(Input::LinkSays(LinkId(1), forged.into()));
    assert!(outputs.iter().any(|output| matches!(output, Output::Close(LinkId(1), _))));
    let is_who_it_was = |row: &Row| matches!(row, Row::Event(event) if event.change == MemberChange::Offends);
    assert!(outputs.iter().all(|o| !matches!(o, Output::Keep(row) if !is_who_it_was(row))));
}

#[test]
fn a_side_that_reads_no_answers_loses_its_link() {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.core.config.link_buffer_bytes = 1_000;
    alone.link(1, 0, true);
    let stranger_room: RoomName = "x".repeat(64).parse().unwrap();
    let (batch, _) = Batch::sign(
        &alone.others[0],
        &stranger_room,
        Version { epoch: 1, number: 1 },
        Head::empty(&stranger_room, &alone.others[0].key()),
        &[Message::new(0, "x".into())],
    );
    let closed = (0..100_000).any(|_| {
        let outputs = alone.tell(Input::LinkSays(LinkId(1), batch.clone().into()));
        outputs.iter().any(|output| matches!(output, Output::Close(..)))
    });
    assert!(closed);
}

#[test]
fn many_texts_at_once_are_one_batch_with_one_signature() {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.link(1, 0, true);
    let have = Have { logs: vec![Reach { room: lobby(), first: 1, last: 0 }] };
    alone.tell(Input::LinkSays(LinkId(1), have.into()));
    for n in 0..100 {
        alone.core.handle(Input::Ask(AskId(n), Ask::Say { room: lobby(), content: format!("{n}").into() }), alone.now);
    }
    let outputs = alone.core.flush(alone.now);
    assert!(matches!(&sent(&outputs)[..], [PeerFrame::Batch(batch)] if batch.last() == 100));
}

#[test]
fn rooms_are_joined_again_at_a_tracker_that_has_lost_its_tables() {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.tracker_loses_its_tables();
    let outputs = alone.tracker(common::wire::tracker::NotMember { room: lobby() });
    let asked = outputs.iter().find_map(|output| match output {
        Output::TellTracker(frame) => ToTracker::decode(&frame[HEADER..]).unwrap(),
        _ => None,
    });
    assert!(matches!(asked, Some(ToTracker::Join(join)) if join.room == lobby()));
    assert!(alone.core.room(&lobby()).unwrap().joined);
}
