//! Messages and receipts through third members, and what waits for its order.

use common::{
    Identity, Version, frame,
    frame::{Frame, HEADER},
    message::{Answered, Batch, Hash, Head, Message},
    receipt::Receipt,
    wire::{
        control::Mark,
        peer::{Followed, Frontier, Heads, LogHead, Near, Passed, PeerFrame, Skip},
    },
};
use serde_bytes::{ByteArray, ByteBuf};

use super::{
    alone::{Alone, lobby, sent},
    command::{Answer, Ask},
    *,
};

const STAMP: Version = Version { epoch: 1, number: 3 };
const CAROL: LinkId = LinkId(2);

/// In the lobby with bob, who has no link, and carol, who has.
fn with_carol() -> Alone {
    let mut alone = Alone::in_the_lobby(0, 2);
    alone.link(CAROL.0, 1, true);
    alone
}

/// Bob's first message, or what comes after it.
fn bobs(alone: &Alone, after: Option<Head>, text: &str) -> (Batch, Head) {
    let empty = Head::empty(&lobby(), &alone.others[0].key());
    Batch::sign(&alone.others[0], &lobby(), STAMP, after.unwrap_or(empty), &[Message::new(0, text.into())])
}

fn passed(author: &Identity, batch: Batch) -> PeerFrame {
    let frame = PeerFrame::from(batch).encode();
    let batch = ByteBuf::from(&frame[HEADER + 1..]);
    Passed { author: author.key(), name: "m1".parse().unwrap(), batch }.into()
}

/// Carol tells where a log ends for her.
fn told(author: Key, last: u64, hash: Hash) -> PeerFrame {
    let logs = vec![LogHead { author, last, hash: ByteArray::new(hash) }];
    let heads = vec![Heads { prefix: ByteBuf::new(), logs, answer: false }];
    Frontier { room: lobby(), table: None, digests: Vec::new(), heads }.into()
}

fn carol_says(alone: &mut Alone, frame: PeerFrame) -> Vec<Output> {
    alone.tell(Input::LinkSays(CAROL, frame))
}

fn follows(outputs: &[Output]) -> Vec<Followed> {
    let frames = sent(outputs).into_iter();
    frames.filter_map(|f| if let PeerFrame::Follow(follow) = f { Some(follow.logs) } else { None }).flatten().collect()
}

fn kept(outputs: &[Output]) -> Vec<(u64, String, Option<Mark>)> {
    let segment = |output: &Output| match output {
        Output::Keep(Row::Segment(segment)) => Some((segment.first, segment.path.clone(), segment.mark)),
        _ => None,
    };
    outputs.iter().filter_map(segment).collect()
}

fn say(alone: &mut Alone, ask: u64) -> Vec<Output> {
    alone.tell(Input::Ask(AskId(ask), Ask::Say { room: lobby(), content: "hello".into() }))
}

#[test]
fn what_a_member_has_of_somebody_without_a_link_is_followed_there_and_receipted_through_it() {
    let mut alone = with_carol();
    let (batch, head) = bobs(&alone, None, "hello");
    let bob = alone.others[0].clone();
    assert!(follows(&carol_says(&mut alone, told(bob.key(), 1, head.hash))).is_empty(), "he may come himself");
    let later: Vec<Followed> = (0..3).flat_map(|_| follows(&alone.later(1_000))).collect();
    assert_eq!(later, [Followed { author: bob.key(), after: 0, until: None }]);
    let outputs = carol_says(&mut alone, passed(&bob, batch));
    assert_eq!(kept(&outputs), [(1, "via m2".into(), None)]);
    let [PeerFrame::Receipt(receipt)] = &sent(&outputs)[..] else { panic!("{outputs:?}") };
    assert!(receipt.verify());
    assert_eq!((receipt.author, receipt.ranges.clone()), (bob.key(), vec![(1, 1)]));
}

#[test]
fn a_message_passed_on_is_taken_only_if_its_author_has_signed_it() {
    let mut alone = with_carol();
    let (carol, bob) = (alone.others[1].clone(), alone.others[0].clone());
    let empty = Head::empty(&lobby(), &bob.key());
    let (forged, _) = Batch::sign(&carol, &lobby(), STAMP, empty, &[Message::new(0, "I am bob".into())]);
    let outputs = carol_says(&mut alone, passed(&bob, forged));
    assert!(kept(&outputs).is_empty());
    assert!(outputs.iter().any(|output| matches!(output, Output::Close(CAROL, _))));
}

#[test]
fn a_receipt_through_another_counts_only_with_its_members_signature() {
    let mut alone = with_carol();
    say(&mut alone, 1);
    let (bob, carol, me) = (alone.others[0].clone(), alone.others[1].clone(), alone.core.me);
    let mut forged = Receipt::sign(&carol, &lobby(), me, vec![(1, 1)]);
    forged.member = bob.key();
    let shown = |outputs: &[Output]| outputs.iter().any(|o| matches!(o, Output::Show(Shown::Receipt(_))));
    assert!(!shown(&carol_says(&mut alone, forged.into())));
    let outputs = carol_says(&mut alone, Receipt::sign(&bob, &lobby(), me, vec![(1, 1)]).into());
    assert!(shown(&outputs));
    assert!(outputs.iter().any(|o| matches!(o, Output::Keep(Row::Receipt { path, .. }) if path == "via m2")));
}

#[test]
fn who_may_be_there_and_has_no_link_is_looked_for_at_a_member_and_shown_as_reached_through_it() {
    let mut alone = with_carol();
    let bob = alone.others[0].key();
    let asked: Vec<Followed> = (0..3).flat_map(|_| follows(&alone.later(1_000))).collect();
    assert_eq!(asked, [Followed { author: bob, after: 0, until: None }]);
    let near = Near { room: lobby(), author: bob, linked: true };
    carol_says(&mut alone, near.into());
    let outputs = alone.tell(Input::Ask(AskId(1), Ask::Paths));
    let Some(Output::Reply(_, Ok(Answer::Paths(paths)))) = outputs.last() else { panic!("{outputs:?}") };
    let words: Vec<&str> = paths.iter().map(|path| path.line.path.as_str()).collect();
    assert_eq!(words, ["via m2", "direct"]);
    let ended = follows(&alone.link(1, 0, true));
    assert_eq!(ended, [Followed { author: bob, after: 0, until: Some(0) }], "he is here himself");
}

#[test]
fn when_the_one_in_the_middle_is_gone_another_is_asked_at_once() {
    let mut alone = Alone::in_the_lobby(0, 3);
    alone.link(2, 1, true);
    alone.link(3, 2, true);
    let bob = alone.others[0].key();
    let asked = |alone: &mut Alone| -> Vec<LinkId> {
        let outputs: Vec<Output> = (0..4).flat_map(|_| alone.later(1_000)).collect();
        let asks = |output: &Output| match output {
            Output::Send(link, frame) => match PeerFrame::decode(&frame[HEADER..]) {
                Ok(Some(PeerFrame::Follow(follow)))
                    if follow.logs[0].author == bob && follow.logs[0].until.is_none() =>
                {
                    Some(*link)
                }
                _ => None,
            },
            _ => None,
        };
        outputs.iter().filter_map(asks).collect()
    };
    // Both are asked, and then there is a pause; the second turns out to be near.
    let [_, second] = asked(&mut alone)[..] else { panic!("two are asked") };
    alone.tell(Input::LinkSays(second, Near { room: lobby(), author: bob, linked: true }.into()));
    assert!(asked(&mut alone).is_empty());
    alone.tell(Input::LinkDown(second, "gone".into()));
    assert!(!asked(&mut alone).is_empty());
}

#[test]
fn an_answer_waits_for_what_it_answers() {
    let alone = with_carol();
    let (bob, carol) = (alone.others[0].clone(), alone.others[1].clone());
    let (question, _) = bobs(&alone, None, "well?");
    let answered = Answered { author: ByteArray::new(bob.key().short().0), number: 1, stamp: None };
    let answer = Message { answers: vec![answered], ..Message::new(0, "well".into()) };
    let (answer, _) = Batch::sign(&carol, &lobby(), STAMP, Head::empty(&lobby(), &carol.key()), &[answer]);

    let mut in_order = alone;
    assert!(kept(&carol_says(&mut in_order, answer.clone().into())).is_empty());
    let outputs = carol_says(&mut in_order, passed(&bob, question));
    let paths: Vec<String> = kept(&outputs).into_iter().map(|(_, path, mark)| format!("{path} {mark:?}")).collect();
    assert_eq!(paths, ["via m2 None", "direct None"]);

    let mut alone = with_carol();
    carol_says(&mut alone, answer.into());
    let outputs: Vec<Output> = (0..4).flat_map(|_| alone.later(1_000)).collect();
    assert_eq!(kept(&outputs), [(1, "direct".into(), Some(Mark::Early))], "after a time it is shown all the same");
}

#[test]
fn an_answer_to_what_fills_a_hole_is_shown_with_it() {
    let mut alone = with_carol();
    let (bob, carol) = (alone.others[0].clone(), alone.others[1].clone());
    let (question, head) = bobs(&alone, None, "well?");
    let (remark, _) = bobs(&alone, Some(head), "never mind");
    let answered = Answered { author: ByteArray::new(bob.key().short().0), number: 1, stamp: None };
    let answer = Message { answers: vec![answered], ..Message::new(0, "well".into()) };
    let (answer, _) = Batch::sign(&carol, &lobby(), STAMP, Head::empty(&lobby(), &carol.key()), &[answer]);

    carol_says(&mut alone, Skip { room: lobby(), author: Some(bob.key()), next: 2, hash: None }.into());
    assert_eq!(kept(&carol_says(&mut alone, passed(&bob, remark))), [(2, "via m2".into(), None)]);
    assert!(kept(&carol_says(&mut alone, answer.into())).is_empty());
    let outputs = carol_says(&mut alone, passed(&bob, question));
    assert_eq!(kept(&outputs), [(1, "via m2".into(), Some(Mark::Late)), (1, "direct".into(), None)]);
}

#[test]
fn what_has_waited_is_receipted_over_the_link_that_there_is_then() {
    let mut alone = with_carol();
    let (bob, carol) = (alone.others[0].clone(), alone.others[1].clone());
    let answered = Answered { author: ByteArray::new(bob.key().short().0), number: 1, stamp: None };
    let answer = Message { answers: vec![answered], ..Message::new(0, "well".into()) };
    let (answer, _) = Batch::sign(&carol, &lobby(), STAMP, Head::empty(&lobby(), &carol.key()), &[answer]);
    carol_says(&mut alone, answer.into());
    alone.tell(Input::LinkDown(CAROL, "gone".into()));
    alone.link(9, 1, true);
    let outputs: Vec<Output> = (0..4).flat_map(|_| alone.later(1_000)).collect();
    let to: Vec<LinkId> = outputs
        .iter()
        .filter_map(|output| match output {
            Output::Send(link, frame) => match PeerFrame::decode(&frame[HEADER..]) {
                Ok(Some(PeerFrame::Have(_))) => Some(*link),
                _ => None,
            },
            _ => None,
        })
        .collect();
    assert_eq!(to, [LinkId(9)]);
}

#[test]
fn what_one_has_lost_of_ones_own_log_is_fetched_back_before_more_is_said() {
    let mut alone = with_carol();
    let me = alone.core.identity.clone();
    let empty = Head::empty(&lobby(), &me.key());
    let (lost, head) = Batch::sign(&me, &lobby(), STAMP, empty, &[Message::new(0, "before".into())]);
    let asked = follows(&carol_says(&mut alone, told(me.key(), 1, head.hash)));
    assert_eq!(asked, [Followed { author: me.key(), after: 0, until: Some(1) }]);
    assert!(kept(&say(&mut alone, 1)).is_empty(), "nothing is said yet");
    let outputs = carol_says(&mut alone, passed(&me, lost));
    let numbers: Vec<u64> = kept(&outputs).into_iter().map(|(first, ..)| first).collect();
    assert_eq!(numbers, [1, 2], "what was lost, and then what is said");
    let paths = kept(&outputs).into_iter().map(|(_, path, _)| path);
    assert!(paths.clone().all(|path| path == "self"), "{:?}", paths.collect::<Vec<_>>());
}

#[test]
fn what_nobody_brings_back_leaves_its_numbers_unused() {
    let mut alone = with_carol();
    alone.now.wall = 1_700_000_000_000;
    let me = alone.core.me;
    carol_says(&mut alone, told(me, 5, [7; 32]));
    say(&mut alone, 1);
    let outputs = alone.later(10_000);
    assert_eq!(kept(&outputs)[0].0, 1_700_000_000_000_000);
}

#[test]
fn a_log_that_is_followed_is_passed_on_from_the_store_and_as_it_grows() {
    let mut alone = with_carol();
    alone.link(1, 0, true);
    let bob = alone.others[0].clone();
    let follow = |after| {
        let logs = vec![Followed { author: bob.key(), after, until: None }];
        common::wire::peer::Follow { room: lobby(), logs }
    };
    let outputs = carol_says(&mut alone, follow(0).into());
    assert!(sent(&outputs).contains(&Near { room: lobby(), author: bob.key(), linked: true }.into()));
    let feeds = |outputs: &[Output]| outputs.iter().filter(|o| matches!(o, Output::Feed { link: CAROL, .. })).count();
    assert_eq!(feeds(&outputs), 1);
    let nothing = Input::Fed { link: CAROL, room: lobby(), segments: Vec::new(), position: 0, more: false };
    alone.tell(nothing);
    let (batch, _) = bobs(&alone, None, "hello");
    let outputs = alone.tell(Input::LinkSays(LinkId(1), batch.clone().into()));
    assert_eq!(feeds(&outputs), 1);
    let segments: Vec<Segment> = outputs
        .iter()
        .filter_map(|o| if let Output::Keep(Row::Segment(s)) = o { Some(s.clone()) } else { None })
        .collect();
    let fed = alone.tell(Input::Fed { link: CAROL, room: lobby(), segments, position: 1, more: false });
    let [PeerFrame::Passed(passed)] = &sent(&fed)[..] else { panic!("{fed:?}") };
    assert_eq!(frame::unpack::<Batch>(&passed.batch).unwrap(), batch);
}

#[test]
fn a_fork_that_comes_through_another_is_shown_and_neither_version_is_lost() {
    let mut alone = with_carol();
    let bob = alone.others[0].clone();
    let (one, _) = bobs(&alone, None, "one");
    let (other, _) = bobs(&alone, None, "another");
    carol_says(&mut alone, passed(&bob, one));
    let outputs = carol_says(&mut alone, passed(&bob, other));
    assert!(outputs.iter().any(|o| matches!(o, Output::Keep(Row::Fork { .. }))));
    let forked = common::wire::control::MemberChange::Forked;
    assert!(outputs.iter().any(|o| matches!(o, Output::Show(Shown::Member(event)) if event.change == forked)));
    assert!(kept(&outputs).is_empty(), "what came first stays");
}
