use common::{
    Slot, Version,
    frame::{Frame, HEADER},
    table::{Departure, History, Member, PresenceVersion, Step},
    wire::tracker::{Answer as TrackerAnswer, AtTheDoor, Code, Refused, Snapshot, ToTracker},
};

use super::*;
use crate::core::{
    Input, Output,
    alone::{Alone, lobby, told},
};

fn den() -> RoomName {
    "den".parse().unwrap()
}

fn ask(alone: &mut Alone, ask: Ask) -> Vec<Output> {
    alone.tell(Input::Ask(AskId(7), ask))
}

fn reply(outputs: &[Output]) -> Result<Answer, Refusal> {
    let reply = |output: &Output| match output {
        Output::Reply(_, reply) => Some(reply.clone()),
        _ => None,
    };
    outputs.iter().find_map(reply).expect("a reply")
}

/// The request that goes to the tracker, and its id.
fn request(outputs: &[Output]) -> ToTracker {
    let frame = |output: &Output| match output {
        Output::TellTracker(frame) => ToTracker::decode(&frame[HEADER..]).unwrap(),
        _ => None,
    };
    outputs.iter().find_map(frame).expect("a request")
}

fn answer(alone: &mut Alone, id: u32, code: Option<Code>) -> Vec<Output> {
    let refused = code.map(|code| Refused { code, reason: "as it is".into() });
    alone.tracker(TrackerAnswer { id, refused })
}

fn let_in(alone: &mut Alone) -> Vec<Output> {
    let members =
        vec![Member { slot: Slot(1), since: 9, ..alone.at(0) }, Member { slot: Slot(0), since: 1, ..alone.at(1) }];
    alone.tracker(Snapshot {
        files: Vec::new(),
        room: den(),
        version: Version { epoch: 5, number: 9 },
        settings: Settings { approval: true, ..Settings::default() },
        presence_version: PresenceVersion { run: 1, number: 1 },
        members,
        presence: Vec::new(),
        more: false,
    })
}

fn asks(at: u64) -> Asks {
    Asks { room: lobby(), who: AtTheDoor { name: "zoe".parse().unwrap(), key: Key([9; 32]), at } }
}

#[test]
fn who_asks_to_join_is_told_that_somebody_decides_and_later_that_it_is_in() {
    let mut alone = Alone::in_the_lobby(0, 1);
    let ToTracker::Join(join) = request(&ask(&mut alone, Ask::Join(den()))) else { panic!("no join") };
    assert_eq!(reply(&answer(&mut alone, join.id, Some(Code::Asked))), Ok(Answer::Asked(den())));
    let events = told(&let_in(&mut alone));
    assert_eq!((events[0].change, events[0].detail.as_deref()), (MemberChange::Joined, Some("let in")));
}

#[test]
fn who_joins_at_once_is_not_told_that_it_was_let_in() {
    let mut alone = Alone::in_the_lobby(0, 1);
    ask(&mut alone, Ask::Join(den()));
    assert_eq!(told(&let_in(&mut alone))[0].detail, None);
}

#[test]
fn a_request_to_be_let_in_is_told_once_however_often_the_tracker_tells_it() {
    let mut alone = Alone::in_the_lobby(0, 1);
    let events = told(&alone.tracker(asks(5)));
    assert_eq!((events[0].name.as_str(), events[0].change, events[0].at), ("zoe", MemberChange::Asks, Some(5_000)));
    assert!(told(&alone.tracker(asks(5))).is_empty());
    assert_eq!(told(&alone.tracker(asks(6))).len(), 1, "asking again is news");
}

#[test]
fn who_is_not_let_in_is_told_by_whom() {
    let mut alone = Alone::in_the_lobby(0, 1);
    let by = Some("m1".parse().unwrap());
    let events = told(&alone.tracker(Declined { room: den(), by: by.clone() }));
    assert_eq!((events[0].room.clone(), events[0].change, &events[0].by), (den(), MemberChange::Declined, &by));
}

#[test]
fn a_room_that_is_made_has_the_settings_asked_for() {
    let mut alone = Alone::in_the_lobby(0, 1);
    let settings = Settings { history: History::All, approval: true, private: true, topic: "tea".into() };
    let ToTracker::Make(make) = request(&ask(&mut alone, Ask::Make(den(), settings.clone()))) else {
        panic!("no make")
    };
    assert_eq!((&make.room, &make.settings), (&den(), &settings));
    let refused = reply(&answer(&mut alone, make.id, Some(Code::Exists)));
    assert_eq!(refused, Err(Refusal::new(Exit::Refused, "as it is")));
}

#[test]
fn what_only_some_may_do_goes_to_the_tracker_and_its_reason_comes_back() {
    let mut alone = Alone::in_the_lobby(0, 1);
    let order = Order::Remove { name: "m1".parse().unwrap(), ban: true };
    let ToTracker::Remove(remove) = request(&ask(&mut alone, Ask::Order(lobby(), order.clone()))) else {
        panic!("no removal")
    };
    assert!(remove.ban && remove.room == lobby());
    assert_eq!(reply(&answer(&mut alone, remove.id, Some(Code::Role))).unwrap_err().message, "as it is");
    assert!(
        reply(&ask(&mut alone, Ask::Order(den(), order)))
            .unwrap_err()
            .message
            .contains("you are not a member of den; join it: peer join den")
    );
}

#[test]
fn a_topic_that_is_too_long_or_no_line_is_refused_before_anybody_is_asked() {
    let mut alone = Alone::in_the_lobby(0, 1);
    for topic in ["x".repeat(201), "a\nb".into()] {
        let outputs = ask(&mut alone, Ask::Order(lobby(), Order::Topic { topic }));
        assert_eq!(reply(&outputs).unwrap_err().code, Exit::Refused);
    }
}

#[test]
fn two_members_who_are_told_the_same_see_the_same_digits() {
    let digits = |alone: &Alone| match alone.core.table_line(&lobby()) {
        Ok(Answer::Table(line)) => (line.version, line.digest),
        other => panic!("no table: {other:?}"),
    };
    let (mut one, other) = (Alone::in_the_lobby(0, 2), Alone::in_the_lobby(0, 2));
    assert_eq!(digits(&one), digits(&other));
    let version = one.core.room(&lobby()).unwrap().table.version();
    one.changes(vec![Step::Gone { slot: Slot(2), why: Departure::Left }.at(0)]);
    assert_ne!(digits(&one).1, digits(&other).1);
    assert_eq!(one.core.room(&lobby()).unwrap().table.version(), version.next());
}

#[test]
fn which_changes_are_known_is_told_and_why_others_are_not() {
    let mut alone = Alone::in_the_lobby(0, 1);
    let mut since = |epoch, number| reply(&ask(&mut alone, Ask::Since { room: lobby(), epoch, number }));
    let version = Version { epoch: 1, number: 2 };
    let answer = Answer::Since { room: lobby(), since: version, version, unseen: Vec::new() };
    assert_eq!(since(None, 2), Ok(answer));
    for (epoch, number, why) in [(None, 0, "before you joined"), (None, 3, "not come yet"), (Some(9), 1, "made again")]
    {
        let refusal = since(epoch, number).unwrap_err();
        assert!(refusal.message.contains(why), "{}", refusal.message);
    }
}

#[test]
fn versions_that_a_snapshot_has_skipped_are_named() {
    let mut alone = Alone::in_the_lobby(0, 1);
    let version = Version { epoch: 1, number: 9 };
    alone.tracker(Snapshot {
        files: Vec::new(),
        room: lobby(),
        version,
        settings: Settings::default(),
        presence_version: PresenceVersion { run: 1, number: 3 },
        members: vec![alone.at(0)],
        presence: Vec::new(),
        more: false,
    });
    let answer = reply(&ask(&mut alone, Ask::Since { room: lobby(), epoch: None, number: 2 }));
    let Ok(Answer::Since { unseen, .. }) = answer else { panic!("{answer:?}") };
    assert_eq!(unseen.iter().map(|gap| (gap.after.number, gap.until.number)).collect::<Vec<_>>(), [(2, 9)]);
}

#[test]
fn who_is_called_something_else_is_so_from_the_answer_on() {
    let mut alone = Alone::in_the_lobby(0, 1);
    let name: common::AccountName = "zoe".parse().unwrap();
    let ToTracker::Rename(rename) = request(&ask(&mut alone, Ask::Rename(name.clone()))) else { panic!("no rename") };
    assert_eq!(reply(&answer(&mut alone, rename.id, None)), Ok(Answer::Done));
    let Ok(Answer::Status(status)) = reply(&ask(&mut alone, Ask::Status)) else { panic!("no status") };
    assert_eq!(status.name, name);
}

#[test]
fn who_has_asked_to_be_let_in_is_told_so_and_can_take_it_back() {
    let mut alone = Alone::in_the_lobby(0, 1);
    let ToTracker::Join(join) = request(&ask(&mut alone, Ask::Join(den()))) else { panic!("no join") };
    answer(&mut alone, join.id, Some(Code::Asked));
    for question in [Ask::Called(den()), Ask::Members(den()), Ask::Say { room: den(), content: "hello".into() }] {
        let refusal = reply(&ask(&mut alone, question)).unwrap_err();
        assert!(refusal.message.contains("you have asked"), "{refusal}");
    }
    let ToTracker::Leave(leave) = request(&ask(&mut alone, Ask::Leave(den()))) else { panic!("not taken back") };
    assert_eq!(reply(&answer(&mut alone, leave.id, None)), Ok(Answer::Done));
    assert!(reply(&ask(&mut alone, Ask::Members(den()))).unwrap_err().message.contains("peer join den"));
}
