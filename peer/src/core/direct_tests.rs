use common::{
    Identity,
    frame::Frame,
    message::{Batch, Head, Message},
    table::Step,
    wire::peer::{Have, PeerFrame, Reach},
};

use super::*;
use crate::core::{
    AskId, Input, LinkId, Shown,
    alone::{Alone, lobby, sent, told},
};

fn person() -> RoomName {
    "@m1".parse().unwrap()
}

fn direct(alone: &Alone) -> RoomName {
    RoomName::direct(&alone.core.me, &alone.others[0].key())
}

fn say(alone: &mut Alone, room: RoomName) -> Vec<Output> {
    alone.tell(Input::Ask(AskId(1), Ask::Say { room, content: "hello".into() }))
}

fn replies(outputs: &[Output]) -> Vec<Result<Answer, Refusal>> {
    let reply = |output: &Output| match output {
        Output::Reply(_, reply) => Some(reply.clone()),
        _ => None,
    };
    outputs.iter().filter_map(reply).collect()
}

fn batches(outputs: &[Output]) -> Vec<Batch> {
    let batch = |frame: PeerFrame| match frame {
        PeerFrame::Batch(batch) => Some(batch),
        _ => None,
    };
    sent(outputs).into_iter().filter_map(batch).collect()
}

/// What the first of the others says to this peer alone.
fn said_to_me(alone: &Alone, by: &Identity) -> Batch {
    let room = RoomName::direct(&alone.core.me, &by.key());
    let head = Head::empty(&room, &by.key());
    Batch::sign(by, &room, VERSION, head, &[Message::new(1, "psst".into())]).0
}

#[test]
fn what_is_said_to_a_person_goes_to_that_person_alone_and_shows_their_name() {
    let mut alone = Alone::in_the_lobby(0, 2);
    alone.link(1, 0, true);
    alone.link(2, 1, true);
    let outputs = say(&mut alone, person());
    let [Ok(Answer::Said(said))] = &replies(&outputs)[..] else { panic!("not said") };
    assert_eq!((said.room.clone(), said.pending.len()), (person(), 1));
    assert!(said.id.starts_with("@m1/"), "{}", said.id);
    let [batch] = &batches(&outputs)[..] else { panic!("not one batch") };
    assert_eq!((batch.room.clone(), batch.stamp), (direct(&alone), VERSION));
    let to = outputs.iter().find_map(|o| match o {
        Output::Send(link, frame)
            if matches!(PeerFrame::decode(&frame[common::frame::HEADER..]), Ok(Some(PeerFrame::Batch(_)))) =>
        {
            Some(*link)
        }
        _ => None,
    });
    assert_eq!(to, Some(LinkId(1)));
}

#[test]
fn the_receipt_of_the_other_is_told_under_its_name() {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.link(1, 0, true);
    say(&mut alone, person());
    let have = Have { logs: vec![Reach { room: direct(&alone), first: 1, last: 1 }] };
    alone.tell(Input::LinkSays(LinkId(1), have.into()));
    let id = MessageId { room: person(), author: alone.core.me.short(), number: 1 };
    let outputs = alone.tell(Input::Ask(AskId(2), Ask::Said(id)));
    let [Ok(Answer::Said(said))] = &replies(&outputs)[..] else { panic!("not there") };
    assert_eq!((said.delivered.len(), said.pending.len()), (1, 0));
}

#[test]
fn a_conversation_begins_with_what_the_other_says_and_is_receipted() {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.link(1, 0, true);
    let batch = said_to_me(&alone, &alone.others[0]);
    let outputs = alone.tell(Input::LinkSays(LinkId(1), batch.into()));
    assert!(outputs.iter().any(|o| matches!(o, Output::Show(Shown::Batch(segment)) if segment.room == direct(&alone))));
    let have: PeerFrame = Have { logs: vec![Reach { room: direct(&alone), first: 1, last: 1 }] }.into();
    assert!(sent(&outputs).contains(&have));
    assert_eq!(alone.core.title(&direct(&alone)), person());
}

#[test]
fn nobody_says_anything_in_a_conversation_of_two_others() {
    let mut alone = Alone::in_the_lobby(0, 2);
    alone.link(1, 0, true);
    let room = RoomName::direct(&alone.others[0].key(), &alone.others[1].key());
    let head = Head::empty(&room, &alone.others[0].key());
    let (batch, _) = Batch::sign(&alone.others[0], &room, VERSION, head, &[Message::new(1, "psst".into())]);
    let outputs = alone.tell(Input::LinkSays(LinkId(1), batch.into()));
    assert!(alone.core.room(&room).is_none());
    assert!(matches!(sent(&outputs)[..], [PeerFrame::Refuse(_)]));
}

#[test]
fn a_conversation_that_has_begun_outlasts_the_last_room_shared() {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.link(1, 0, true);
    say(&mut alone, person());
    alone.leaves(0);
    let key = alone.others[0].key();
    assert_eq!(alone.core.people.get(&key).unwrap().link, Some(LinkId(1)));
    assert_eq!(batches(&say(&mut alone, person())).len(), 1);
    let outputs = alone.tell(Input::LinkDown(LinkId(1), "gone".into()));
    assert_eq!(crate::core::alone::dials(&outputs), 1, "no tracker tells whether it is there: it is tried");
    assert!(!alone.core.people.get(&key).unwrap().is_online());
}

#[test]
fn a_conversation_is_nothing_to_the_tracker() {
    let mut alone = Alone::in_the_lobby(0, 1);
    say(&mut alone, person());
    let room = direct(&alone);
    alone.tracker(common::wire::tracker::NotMember { room: room.clone() });
    assert!(alone.core.room(&room).unwrap().joined);
    alone.tell(Input::TrackerDown("gone".into()));
    alone.later(60_000);
    let outputs = alone.tell(Input::TrackerUp(Key([9; 32])));
    for output in outputs {
        if let Output::TellTracker(frame) = output {
            let told = common::wire::tracker::ToTracker::decode(&frame[common::frame::HEADER..]);
            if let Ok(Some(common::wire::tracker::ToTracker::Holding(holding))) = told {
                assert_eq!(holding.rooms.iter().map(|held| held.room.clone()).collect::<Vec<_>>(), [lobby()]);
            }
        }
    }
}

#[test]
fn who_is_not_known_cannot_be_written_to() {
    let mut alone = Alone::in_the_lobby(0, 1);
    for (room, word) in [("@nobody", "nobody called"), ("@m0", "is you")] {
        let outputs = say(&mut alone, room.parse().unwrap());
        let [Err(refusal)] = &replies(&outputs)[..] else { panic!("said") };
        assert!(refusal.message.contains(word), "{refusal}");
    }
}

#[test]
fn with_another_key_under_a_known_name_nothing_is_exchanged_until_the_user_decides() {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.link(1, 0, true);
    // The table shows another key under the name m1.
    let ghost = Identity::from_seed([77; 32]);
    alone.leaves(0);
    let mut outputs = alone.puts(2, &ghost, "m1", 4);
    outputs.retain(|o| matches!(o, Output::Show(Shown::Member(e)) if e.change == MemberChange::Identity));
    assert_eq!(outputs.len(), 1);
    let up =
        Input::LinkUp { link: LinkId(7), key: ghost.key(), dialled: false, address: crate::core::alone::address(7) };
    assert!(alone.tell(up).iter().any(|o| matches!(o, Output::Close(LinkId(7), _))));
    let [Err(refusal)] = &replies(&say(&mut alone, person()))[..] else { panic!("said") };
    assert_eq!(refusal.code, Exit::Identity);
    assert!(refusal.message.contains("peer trust m1"), "{refusal}");
}

#[test]
fn another_name_of_somebody_is_told_in_the_conversation_with_them() {
    let mut alone = Alone::in_the_lobby(0, 1);
    say(&mut alone, person());
    let key = alone.others[0].key();
    let member = Member { name: "zoe".parse().unwrap(), ..alone.at(1) };
    let events = told(&alone.changes(vec![Step::Put(member).at(77)]));
    let place = RoomName::direct(&alone.core.me, &key);
    let here = events.iter().filter(|event| event.room == place && event.change == MemberChange::Renamed);
    let names: Vec<_> = here.map(|event| (event.name.to_string(), event.detail.clone())).collect();
    assert_eq!(names, [("zoe".to_string(), Some("m1".to_string()))]);
}
