//! Open rooms: what is judged, and what a newcomer takes and is sent.

use common::{
    Identity, RoomName, Slot,
    frame::{Frame, HEADER},
    message::{Answered, Batch, Head, Message},
    table::{Member, PresenceVersion, Role, Settings, Step, Table},
    wire::{
        control::Mark,
        peer::{Followed, Frontier, Have, Heads, LogHead, Passed, PeerFrame, Reach},
        tracker::{Answer, Code, Join, NotMember, Refused, ToTracker, Update},
    },
};
use serde_bytes::{ByteArray, ByteBuf};

use super::{
    super::{
        alone::{Alone, sent},
        command::Ask,
        log::Log,
        room::{Gap, Span},
        *,
    },
    *,
};

fn key(n: u8) -> Key {
    Key([n; 32])
}

fn version(epoch: u64, number: u64) -> Version {
    Version { epoch, number }
}

/// A room of epoch 2 as its member 1 holds it, who joined last, with version 5. Member 2 is there since version 3.
fn room(history: History) -> Room {
    let member = |n: u8, since| Member {
        slot: Slot(n.into()),
        key: key(n),
        name: format!("m{n}").parse().unwrap(),
        role: Role::Member,
        since,
    };
    let mut room = Room::new(&"lobby".parse().unwrap(), &key(1));
    room.table = Table::from_snapshot(version(2, 5), [member(1, 5), member(2, 3)])
        .unwrap()
        .with_settings(Settings::with_history(history));
    if history == History::All {
        room.note_open(2);
    }
    room
}

#[test]
fn who_joins_may_have_what_was_said_before_only_if_the_room_is_open() {
    let (open, usual) = (room(History::All), room(History::Joined));
    for (stamp, is_for) in [(version(2, 4), false), (version(2, 5), true)] {
        assert_eq!((open.may_have(&key(1), stamp), usual.may_have(&key(1), stamp)), (true, is_for));
        assert_eq!((open.is_for(&key(1), stamp), usual.is_for(&key(1), stamp)), (is_for, is_for), "who is meant");
    }
    assert!(!open.may_have(&key(9), version(2, 4)), "who is out is out");
}

#[test]
fn an_open_room_opens_nothing_of_one_before_it_that_was_not() {
    let mut room = room(History::All);
    assert!(room.is_open(version(1, 1)), "of what was not seen here, who saw it brings what is open");
    room.skipped(Gap { after: version(1, 9), until: version(2, 5) });
    assert!(!room.is_open(version(1, 1)) && room.is_open(version(2, 1)));
    room.open.insert(1);
    assert!(room.is_open(version(1, 1)));
}

#[test]
fn who_has_said_what_is_vouched_for_only_where_it_was_not_seen() {
    let (open, usual) = (room(History::All), room(History::Joined));
    let before = version(2, 1);
    for author in [2, 9] {
        assert!(open.is_vouched(&key(author), before, &key(1)));
        assert!(!usual.is_vouched(&key(author), before, &key(1)));
    }
    assert!(!open.is_vouched(&key(9), version(2, 5), &key(1)), "the table of that version is held");
}

#[test]
fn logs_of_strangers_are_bounded() {
    let mut room = room(History::All);
    assert!(room.takes_log(&key(9)));
    let numbered = |n: usize| Key([n.to_be_bytes(); 4].concat().try_into().unwrap());
    let log = Log::new(&"lobby".parse().unwrap(), &key(9));
    room.logs = (0..limits::FOLLOWED).map(numbered).map(|author| (author, log.clone())).collect();
    assert!(!room.takes_log(&key(9)) && room.takes_log(&key(2)));
}

#[test]
fn the_name_of_somebody_here_is_not_given_to_a_stranger() {
    let mut room = room(History::All);
    let ended =
        Span { key: key(3), name: "gone".parse().unwrap(), from: version(2, 1), until: version(2, 2), why: None };
    room.ended(ended);
    let name = |called: &str| room.name_for(&key(9), &AccountName::try_from(called.to_string()).unwrap()).to_string();
    assert_eq!(name("stranger"), "stranger");
    assert_eq!([name("M2"), name("Gone"), name("m2~aaaaaaaa")], ["M2~09090909", "Gone~09090909", "m2~09090909"]);
    assert_eq!(room.name_for(&key(3), &"other".parse().unwrap()).as_str(), "gone", "who is known keeps its name");
}

const BOB: LinkId = LinkId(1);

/// In a room of this history, which bob, who has a link, has been in for long; alice has left it before.
fn joined_last(history: History) -> (Alone, RoomName, Identity) {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.link(BOB.0, 0, true);
    let library = alone.joins_another(history);
    (alone, library, Identity::from_seed([99; 32]))
}

/// The first message of an author, under a stamp from before this peer joined.
fn first(author: &Identity, room: &RoomName, answers: Vec<Answered>) -> (Batch, Head) {
    let message = Message { answers, ..Message::new(0, "from before".into()) };
    Batch::sign(author, room, version(5, 4), Head::empty(room, &author.key()), &[message])
}

fn passed(author: &Identity, called: &str, batch: &Batch) -> PeerFrame {
    let frame = PeerFrame::from(batch.clone()).encode();
    Passed { author: author.key(), name: called.parse().unwrap(), batch: ByteBuf::from(&frame[HEADER + 1..]) }.into()
}

fn kept(outputs: &[Output]) -> Vec<(Key, String, Option<Mark>)> {
    let segment = |output: &Output| match output {
        Output::Keep(Row::Segment(segment)) => Some((segment.author, segment.name.to_string(), segment.mark)),
        _ => None,
    };
    outputs.iter().filter_map(segment).collect()
}

fn bob_says(alone: &mut Alone, frame: impl Into<PeerFrame>) -> Vec<Output> {
    alone.tell(Input::LinkSays(BOB, frame.into()))
}

#[test]
fn a_newcomer_to_an_open_room_asks_for_the_logs_of_who_has_left_and_takes_them() {
    for history in [History::All, History::Joined] {
        let (mut alone, library, alice) = joined_last(history);
        let (batch, head) = first(&alice, &library, Vec::new());
        let logs = vec![LogHead { author: alice.key(), last: 1, hash: ByteArray::new(head.hash) }];
        let heads = vec![Heads { prefix: ByteBuf::new(), logs, answer: false }];
        let told = bob_says(&mut alone, Frontier { room: library, table: None, digests: Vec::new(), heads });
        let wanted: Vec<Followed> = sent(&told)
            .into_iter()
            .filter_map(|frame| if let PeerFrame::Follow(follow) = frame { Some(follow.logs) } else { None })
            .flatten()
            .collect();
        let taken = bob_says(&mut alone, passed(&alice, "alice", &batch));
        match history {
            History::All => {
                assert_eq!(wanted, [Followed { author: alice.key(), after: 0, until: None }]);
                assert_eq!(kept(&taken), [(alice.key(), "alice".into(), None)]);
                assert!(sent(&taken).is_empty(), "nobody waits for a receipt");
                assert!(kept(&bob_says(&mut alone, passed(&alice, "alice", &batch))).is_empty(), "once");
            }
            History::Joined => assert!(wanted.is_empty() && kept(&taken).is_empty()),
        }
    }
}

#[test]
fn a_stranger_is_not_shown_by_the_name_of_a_member() {
    let (mut alone, library, alice) = joined_last(History::All);
    let (batch, _) = first(&alice, &library, Vec::new());
    let taken = bob_says(&mut alone, passed(&alice, "M1", &batch));
    let shown = format!("M1~{}", &alice.key().to_string()[..8]);
    assert_eq!(kept(&taken), [(alice.key(), shown, None)]);
}

#[test]
fn an_answer_from_before_waits_for_what_it_answers_though_its_author_is_not_known_yet() {
    let (mut alone, library, alice) = joined_last(History::All);
    let bob = alone.others[0].clone();
    let (question, _) = first(&alice, &library, Vec::new());
    let answered = Answered { author: ByteArray::new(alice.key().short().0), number: 1, stamp: None };
    let (answer, _) = first(&bob, &library, vec![answered]);
    assert!(kept(&bob_says(&mut alone, answer)).is_empty());
    let taken = bob_says(&mut alone, passed(&alice, "alice", &question));
    assert_eq!(kept(&taken), [(alice.key(), "alice".into(), None), (bob.key(), "m1".into(), None)]);
}

#[test]
fn an_author_sends_its_whole_log_to_who_joins_an_open_room_and_waits_for_who_was_meant() {
    for history in [History::All, History::Joined] {
        let (mut alone, library, carol) = joined_last(history);
        alone.tell(Input::Ask(AskId(1), Ask::Say { room: library.clone(), content: "hello".into() }));
        let put =
            Member { slot: Slot(2), key: carol.key(), name: "carol".parse().unwrap(), role: Role::Member, since: 10 };
        alone.tracker(Update {
            room: library.clone(),
            from: version(5, 9),
            changes: vec![Step::Put(put).at(0)],
            presence: Vec::new(),
            presence_version: PresenceVersion { run: 1, number: 2 },
        });
        alone.others.push(carol.clone());
        alone.link(3, 1, true);
        let nothing = vec![Reach { room: library.clone(), first: 1, last: 0 }];
        let outputs = alone.tell(Input::LinkSays(LinkId(3), Have { logs: nothing }.into()));
        let batches = sent(&outputs).iter().filter(|frame| matches!(frame, PeerFrame::Batch(_))).count();
        assert_eq!(batches, usize::from(history == History::All));
        let meant = alone.core.room(&library).unwrap().members_at(version(5, 9));
        assert!(!meant.iter().any(|meant| meant.key == carol.key()), "she is not waited for");
    }
}

#[test]
fn a_tracker_that_has_lost_its_tables_is_told_what_the_room_shows() {
    let (mut alone, library, _) = joined_last(History::All);
    let joins = |outputs: &[Output]| -> Vec<Join> {
        let join = |output: &Output| match output {
            Output::TellTracker(frame) => match ToTracker::decode(&frame[HEADER..]) {
                Ok(Some(ToTracker::Join(join))) => Some(join),
                _ => None,
            },
            _ => None,
        };
        outputs.iter().filter_map(join).collect()
    };
    alone.tracker_loses_its_tables();
    let asked = joins(&alone.tracker(NotMember { room: library.clone() }));
    let [Join { id, history: Some(History::All), .. }] = asked[..] else { panic!("{asked:?}") };
    let refused = Refused { code: Code::OtherHistory, reason: "it is there".into() };
    let again = joins(&alone.tracker(Answer { id, refused: Some(refused) }));
    assert!(matches!(&again[..], [Join { room, history: None, .. }] if *room == library), "{again:?}");
}
