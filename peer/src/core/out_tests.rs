//! Out is out: what becomes of messages from and for somebody who has been removed.

use common::{
    RoomName, Version,
    frame::Frame,
    message::{Batch, Head, Message},
    table::{History, Member},
    wire::{
        control::MemberChange,
        peer::{Follow, Followed, Have, Passed, PeerFrame, Reach, Refuse, RefuseCode, Tell},
    },
};
use serde_bytes::ByteBuf;

use super::{
    alone::{Alone, lobby, sent, told},
    command::Ask,
    *,
};

/// The peers of m0 and m1, who share the library too, so that their link outlives the lobby, and of m2. All are linked.
fn three() -> Alone {
    let mut alone = Alone::in_the_lobby(0, 2);
    alone.joins_another(History::Joined);
    for other in 0..2 {
        alone.link(other as u64 + 1, other, true);
        let have = Have { logs: vec![Reach { room: lobby(), first: 1, last: 0 }] };
        alone.tell(Input::LinkSays(LinkId(other as u64 + 1), have.into()));
    }
    alone
}

fn say(alone: &mut Alone) -> Vec<Output> {
    alone.tell(Input::Ask(AskId(1), Ask::Say { room: lobby(), content: "hello".into() }))
}

/// What goes over a link about the lobby.
fn of_the_lobby(outputs: &[Output], link: u64) -> Vec<PeerFrame> {
    let over = |output: &&Output| matches!(output, Output::Send(id, _) if *id == LinkId(link));
    let outputs: Vec<Output> = outputs.iter().filter(over).cloned().collect();
    let room = |frame: &PeerFrame| -> Vec<RoomName> {
        match frame {
            PeerFrame::Batch(batch) => vec![batch.room.clone()],
            PeerFrame::Have(have) => have.logs.iter().map(|reach| reach.room.clone()).collect(),
            PeerFrame::Skip(skip) => vec![skip.room.clone()],
            PeerFrame::Receipt(receipt) => vec![receipt.room.clone()],
            PeerFrame::Passed(_) | PeerFrame::Frontier(_) | PeerFrame::Near(_) | PeerFrame::Refuse(_) => vec![lobby()],
            _ => Vec::new(),
        }
    };
    sent(&outputs).into_iter().filter(|frame| room(frame).contains(&lobby())).collect()
}

fn taken(outputs: &[Output]) -> usize {
    outputs.iter().filter(|output| matches!(output, Output::Keep(Row::Segment(_)))).count()
}

fn first(alone: &Alone, other: usize) -> (Batch, Head) {
    alone.batch(other, Head::empty(&lobby(), &alone.others[other].key()), 3, "hello")
}

#[test]
fn who_is_removed_is_sent_nothing_that_is_said_then_though_the_link_stays() {
    let mut alone = three();
    assert_eq!(of_the_lobby(&say(&mut alone), 1).len(), 1);
    let outputs = alone.removed(1, 2);
    assert!(!outputs.iter().any(|output| matches!(output, Output::Close(LinkId(1), _))));
    let mut later = say(&mut alone);
    let have = Have { logs: vec![Reach { room: lobby(), first: 1, last: 1 }] };
    later.extend(alone.tell(Input::LinkSays(LinkId(1), have.into())));
    later.extend(alone.tell(Input::LinkSent(LinkId(1), 10_000)));
    later.extend(alone.later(60_000));
    assert_eq!(of_the_lobby(&later, 1), []);
    assert_eq!(of_the_lobby(&later, 2).iter().filter(|frame| matches!(frame, PeerFrame::Batch(_))).count(), 1);
}

#[test]
fn what_was_about_to_leave_when_somebody_is_removed_does_not() {
    let mut alone = Alone::in_the_lobby(0, 2);
    alone.joins_another(History::Joined);
    say(&mut alone);
    alone.link(1, 0, true);
    let have = Have { logs: vec![Reach { room: lobby(), first: 1, last: 0 }] };
    alone.core.handle(Input::LinkSays(LinkId(1), PeerFrame::from(have)), alone.now);
    assert!(alone.core.out.iter().any(|output| matches!(output, Output::Send(LinkId(1), _))));
    assert_eq!(of_the_lobby(&alone.removed(1, 2), 1), []);
}

#[test]
fn who_is_removed_is_passed_on_nothing_and_given_no_receipts() {
    let mut alone = three();
    let (batch, _) = first(&alone, 1);
    alone.tell(Input::LinkSays(LinkId(2), batch.into()));
    let author = alone.others[1].key();
    alone.removed(1, 2);
    let follow = Follow { room: lobby(), logs: vec![Followed { author, after: 0, until: None }] };
    let mut outputs = alone.tell(Input::LinkSays(LinkId(1), follow.into()));
    assert!(!outputs.iter().any(|output| matches!(output, Output::Feed { .. })));
    outputs.extend(alone.tell(Input::LinkSays(LinkId(1), Tell { room: lobby(), author }.into())));
    assert_eq!(of_the_lobby(&outputs, 1), []);
}

#[test]
fn what_comes_late_from_who_is_removed_is_refused_with_the_version_that_says_so() {
    let mut alone = three();
    let (batch, _) = first(&alone, 0);
    alone.removed(1, 2);
    let outputs = alone.tell(Input::LinkSays(LinkId(1), batch.into()));
    let version = Version { epoch: 1, number: 4 };
    let refuse = Refuse { room: lobby(), last: 1, code: RefuseCode::NotMember, version };
    assert_eq!((taken(&outputs), of_the_lobby(&outputs, 1)), (0, vec![refuse.into()]));
}

/// A message of m1 that answers one of m2, which is the other.
fn answer_and_what_it_answers(alone: &Alone) -> (Batch, Batch) {
    let (asked, _) = first(alone, 1);
    let message = asked.messages().next().unwrap().unwrap().unwrap();
    assert!(message.answers.is_empty());
    let answers = vec![common::message::Answered {
        author: serde_bytes::ByteArray::new(alone.others[1].key().short().0),
        number: 1,
        stamp: None,
    }];
    let answer = Message { answers, ..Message::new(0, "an answer".into()) };
    let head = Head::empty(&lobby(), &alone.others[0].key());
    (Batch::sign(&alone.others[0], &lobby(), asked.stamp, head, &[answer]).0, asked)
}

#[test]
fn what_waited_for_something_when_its_author_was_removed_is_not_taken() {
    let mut alone = three();
    let (answer, asked) = answer_and_what_it_answers(&alone);
    assert_eq!(taken(&alone.tell(Input::LinkSays(LinkId(1), answer.into()))), 0, "it waits");
    alone.removed(1, 2);
    assert_eq!(taken(&alone.later(60_000)), 0);
    assert_eq!(taken(&alone.tell(Input::LinkSays(LinkId(2), asked.into()))), 1);
}

/// It takes what it has sent for sent, and would not send it again by itself.
#[test]
fn who_leaves_and_comes_back_is_told_to_send_again_what_it_has_sent() {
    let mut alone = three();
    let (answer, _) = answer_and_what_it_answers(&alone);
    let member = alone.at(1);
    alone.tell(Input::LinkSays(LinkId(1), answer.into()));
    let gone = common::table::Step::Gone { slot: member.slot, why: common::table::Departure::Left };
    let back = common::table::Step::Put(Member { since: 5, ..member });
    let outputs = alone.changes(vec![gone.at(0), back.at(0)]);
    let refuse = Refuse { room: lobby(), last: 0, code: RefuseCode::Anew, version: Version { epoch: 1, number: 5 } };
    let have = Have { logs: vec![Reach { room: lobby(), first: 1, last: 0 }] };
    let frames = of_the_lobby(&outputs, 1);
    let place = |frame: PeerFrame| frames.iter().position(|sent| *sent == frame);
    let (refused, had) = (place(refuse.into()), place(have.into()));
    assert!(refused.is_some() && refused < had, "{frames:?}");
}

#[test]
fn what_another_member_had_taken_before_is_taken_from_it() {
    let mut alone = three();
    let (batch, _) = first(&alone, 0);
    let author = alone.others[0].key();
    alone.removed(1, 2);
    let frame = PeerFrame::from(batch).encode();
    let batch = ByteBuf::from(&frame[common::frame::HEADER + 1..]);
    let passed = Passed { author, name: "m1".parse().unwrap(), batch };
    assert_eq!(taken(&alone.tell(Input::LinkSays(LinkId(2), passed.clone().into()))), 1);
    let mut other = three();
    other.removed(2, 1);
    assert_eq!(taken(&other.tell(Input::LinkSays(LinkId(2), passed.into()))), 0, "nothing from who is out");
}

#[test]
fn who_is_refused_by_a_newer_table_is_told_so_once() {
    let mut alone = three();
    say(&mut alone);
    let refuse = |code| Refuse { room: lobby(), last: 1, code, version: Version { epoch: 1, number: 9 } };
    let outputs = alone.tell(Input::LinkSays(LinkId(2), refuse(RefuseCode::NotMember).into()));
    let events = told(&outputs);
    let [event] = &events[..] else { panic!("{events:?}") };
    let detail = event.detail.as_deref();
    assert_eq!((event.name.as_str(), event.change, detail), ("m2", MemberChange::Refuses, Some("1.9")));
    for link in [1, 2] {
        assert_eq!(told(&alone.tell(Input::LinkSays(LinkId(link), refuse(RefuseCode::NotMember).into()))), []);
    }
}

#[test]
fn who_was_refused_for_an_older_table_sends_again_once_the_tables_have_met() {
    let mut alone = three();
    say(&mut alone);
    let version = Version { epoch: 1, number: 2 };
    let refuse = Refuse { room: lobby(), last: 1, code: RefuseCode::NotMember, version };
    alone.tell(Input::LinkSays(LinkId(2), refuse.into()));
    assert_eq!(of_the_lobby(&alone.later(1_000), 2), []);
    let have = Have { logs: vec![Reach { room: lobby(), first: 1, last: 0 }] };
    let outputs = alone.tell(Input::LinkSays(LinkId(2), have.into()));
    assert!(matches!(&of_the_lobby(&outputs, 2)[..], [PeerFrame::Batch(batch)] if batch.last() == 1));
}

#[test]
fn who_is_removed_and_comes_back_gets_what_is_said_from_then_on() {
    let mut alone = three();
    let member = alone.at(1);
    alone.removed(1, 2);
    say(&mut alone);
    alone.changes(vec![common::table::Step::Put(Member { since: 5, ..member }).at(0)]);
    let have = Have { logs: vec![Reach { room: lobby(), first: 1, last: 0 }] };
    let mut outputs = alone.tell(Input::LinkSays(LinkId(1), have.into()));
    outputs.extend(say(&mut alone));
    let frames = of_the_lobby(&outputs, 1);
    let batches = frames.iter().filter_map(|frame| match frame {
        PeerFrame::Batch(batch) => Some(batch.first),
        _ => None,
    });
    assert_eq!(batches.collect::<Vec<_>>(), [2]);
}

#[test]
fn what_waited_to_be_said_when_one_is_removed_is_refused_with_the_reason() {
    let mut alone = three();
    alone.core.handle(Input::Ask(AskId(5), Ask::Say { room: lobby(), content: "hello".into() }), alone.now);
    let outputs = alone.removed(0, 1);
    let refused = outputs.iter().find_map(|output| match output {
        Output::Reply(AskId(5), Err(refusal)) => Some(refusal.message.clone()),
        _ => None,
    });
    assert!(refused.unwrap().contains("not a member of lobby any more, so this was not said"));
}
