//! The list of files of a room: by messages, by the table, and what the tracker is told of it.

use std::sync::Arc;

use common::{
    Identity, Slot, Version,
    frame::{Frame, HEADER},
    message::Head,
    table::{History, PresenceVersion, Shared, Step},
    wire::{
        peer::PeerFrame,
        tracker::{Answer, Code, NotMember, Refused, Snapshot, ToTracker},
    },
};

use super::*;
use crate::{
    core::{
        Input, LinkId, Start,
        alone::{Alone, lobby},
    },
    store::Store,
};

const LINK: u64 = 2;

fn file(number: u8, name: &str) -> FileInfo {
    FileInfo { root: Root([number; 32]), name: name.into(), size: 5, head: 0, media: String::new(), pixels: None }
}

/// In the lobby with two others, the first of whom has a link.
fn alone() -> Alone {
    let mut alone = Alone::in_the_lobby(0, 2);
    alone.link(LINK, 0, true);
    alone
}

/// What an other says in the lobby, behind that head.
fn batch(alone: &Alone, other: usize, head: Head, contents: Vec<Content>) -> (Batch, Head) {
    let messages: Vec<Message> = contents.into_iter().map(|content| Message::of(1_000, content)).collect();
    let stamp = alone.core.rooms[&lobby()].table.version();
    Batch::sign(&alone.others[other], &lobby(), stamp, head, &messages)
}

fn empty(alone: &Alone, other: usize) -> Head {
    Head::empty(&lobby(), &alone.others[other].key())
}

fn says(alone: &mut Alone, batch: Batch) -> Vec<Output> {
    alone.tell(Input::LinkSays(LinkId(LINK), PeerFrame::from(batch)))
}

/// The list: which file under which name, and the slots of those who share it.
fn list(core: &Core) -> Vec<(u8, String, Vec<u32>)> {
    let slot = |key: &Key| core.rooms[&lobby()].table.member(key).unwrap().slot.0;
    let line = |(root, listed): (Root, Listed)| {
        let mut by: Vec<u32> = listed.by.iter().map(slot).collect();
        by.sort();
        (root.0[0], listed.file.name, by)
    };
    core.list(&lobby()).into_iter().map(line).collect()
}

/// The number of the message by which this peer shares a file in the lobby.
fn own_offer(core: &Core, number: u8) -> Option<u64> {
    let own = core.offers.by(&lobby(), &core.me).filter(|(_, file)| file.root.0[0] == number);
    own.last().map(|(said, _)| said.number)
}

fn line(number: u8, name: &str, by: &[u32]) -> (u8, String, Vec<u32>) {
    (number, name.into(), by.to_vec())
}

/// What the tracker is asked for about lists.
fn asked(outputs: &[Output]) -> Vec<ToTracker> {
    let frame = |output: &Output| match output {
        Output::TellTracker(frame) => ToTracker::decode(&frame[HEADER..]).unwrap(),
        _ => None,
    };
    let frames = outputs.iter().filter_map(frame);
    frames.filter(|frame| matches!(frame, ToTracker::Share(_) | ToTracker::Unshare(_))).collect()
}

/// The same, as the numbers of the files: shared, or no more.
fn asks(outputs: &[Output]) -> Vec<(u8, bool)> {
    let ask = |frame: ToTracker| match frame {
        ToTracker::Share(share) => (share.offer.file.root.0[0], true),
        ToTracker::Unshare(unshare) => (unshare.root.0[0], false),
        other => panic!("{other:?}"),
    };
    asked(outputs).into_iter().map(ask).collect()
}

fn id(frame: &ToTracker) -> u32 {
    match frame {
        ToTracker::Share(share) => share.id,
        ToTracker::Unshare(unshare) => unshare.id,
        other => panic!("{other:?}"),
    }
}

fn offer(alone: &mut Alone, file: FileInfo) -> Vec<Output> {
    alone.core.offer(&lobby(), file, alone.now).unwrap();
    alone.core.flush(alone.now)
}

/// A file as the tracker lists it, shared by the member in a slot of the lobby.
fn shared(alone: &Alone, slot: u32, number: u8, name: &str) -> Shared {
    shared_as(alone, slot, file(number, name))
}

fn shared_as(alone: &Alone, slot: u32, file: FileInfo) -> Shared {
    let by = if slot == 0 { &alone.core.identity } else { &alone.others[slot as usize - 1] };
    Shared { slot: Slot(slot), offer: Offer::sign(by, &lobby(), file, 7) }
}

/// The tracker lists a file of a member of the lobby.
fn lists(alone: &mut Alone, slot: u32, file: FileInfo) -> Vec<Output> {
    let shared = shared_as(alone, slot, file);
    alone.changes(vec![Step::Share(shared).at(0)])
}

/// A start from what the store has kept of these outputs and earlier ones.
struct Kept {
    store: Store,
    me: Key,
}

impl Kept {
    fn new(alone: &Alone) -> Kept {
        Kept { store: Store::in_memory(&alone.core.me).unwrap().0, me: alone.core.me }
    }

    async fn keep(&self, outputs: Vec<Output>) {
        let row = |output| match output {
            Output::Keep(row) => Some(row),
            _ => None,
        };
        self.store.commit(Arc::new(outputs.into_iter().filter_map(row).collect())).await.unwrap();
    }

    fn start(&self, alone: &Alone) -> Core {
        Core::new(Start {
            name: "m0".parse().unwrap(),
            identity: (1..=3).map(|seed| Identity::from_seed([seed; 32])).find(|one| one.key() == self.me).unwrap(),
            config: alone.core.config.clone(),
            tracker_key: None,
            invite: None,
            tracker: None,
            address: alone.core.address,
            saved: self.store.reopen(&self.me).unwrap().1,
            seed: 2,
        })
    }
}

#[test]
fn a_file_is_listed_by_a_message_until_that_is_taken_back() {
    let mut alone = alone();
    let (first, head) = batch(&alone, 0, empty(&alone, 0), vec!["hi".into(), Content::file(file(7, "cat.jpg"))]);
    says(&mut alone, first);
    assert_eq!(list(&alone.core), [line(7, "cat.jpg", &[1])]);
    let id = MessageId { room: lobby(), author: alone.others[0].key().short(), number: 2 };
    let (second, _) = batch(&alone, 0, head, vec![Content::delete(&id)]);
    says(&mut alone, second);
    assert_eq!(list(&alone.core), []);
}

#[test]
fn a_file_is_listed_as_long_as_who_shares_it_is_a_member() {
    let mut alone = alone();
    let (first, _) = batch(&alone, 0, empty(&alone, 0), vec![Content::file(file(7, "cat.jpg"))]);
    says(&mut alone, first);
    lists(&mut alone, 2, file(7, "tom.jpg"));
    lists(&mut alone, 2, file(8, "dog.jpg"));
    assert_eq!(list(&alone.core), [line(7, "cat.jpg", &[1, 2]), line(8, "dog.jpg", &[2])]);
    alone.leaves(1);
    assert_eq!(list(&alone.core), [line(7, "cat.jpg", &[1])]);
    alone.leaves(0);
    assert_eq!(list(&alone.core), []);
}

#[test]
fn what_the_tracker_lists_without_the_word_of_the_member_is_not_listed() {
    let mut alone = alone();
    let offer = Offer::sign(&alone.others[1], &lobby(), file(7, "cat.jpg"), 7);
    let forged = Step::Share(Shared { slot: Slot(1), offer }).at(0);
    let outputs = alone.changes(vec![forged]);
    assert_eq!(list(&alone.core), []);
    assert!(!outputs.iter().any(|output| matches!(output, Output::Keep(Row::Listed(..)))));
    lists(&mut alone, 1, file(7, "cat.jpg"));
    assert_eq!(list(&alone.core), [line(7, "cat.jpg", &[1])], "now it is its word");
}

#[test]
fn of_two_who_say_different_things_of_one_root_the_first_counts_and_oneself_before_others() {
    let mut alone = alone();
    let (first, head) = batch(&alone, 0, empty(&alone, 0), vec![Content::file(file(7, "cat.jpg"))]);
    says(&mut alone, first);
    lists(&mut alone, 2, FileInfo { size: 99, ..file(7, "lie.jpg") });
    assert_eq!(list(&alone.core), [line(7, "cat.jpg", &[1])]);
    let lie = FileInfo { size: 99, ..file(8, "lie.jpg") };
    let (second, _) = batch(&alone, 0, head, vec![Content::file(lie)]);
    says(&mut alone, second);
    offer(&mut alone, file(8, "dog.jpg"));
    assert_eq!(list(&alone.core), [line(7, "cat.jpg", &[1]), line(8, "dog.jpg", &[0])]);
}

#[test]
fn what_is_taken_back_before_it_comes_is_not_listed_when_it_does() {
    let mut alone = Alone::in_the_lobby(0, 2);
    alone.link(LINK, 1, true);
    let (first, head) = batch(&alone, 0, empty(&alone, 0), vec![Content::file(file(7, "cat.jpg"))]);
    let id = MessageId { room: lobby(), author: alone.others[0].key().short(), number: 1 };
    let (second, _) = batch(&alone, 0, head, vec![Content::delete(&id)]);
    // A third member passes the deletion on, which waits, and is shown without what comes before in the end.
    let author = alone.others[0].key();
    let passed = |batch: &Batch| common::wire::peer::Passed {
        author,
        name: "m1".parse().unwrap(),
        batch: serde_bytes::ByteBuf::from(common::frame::pack(batch)),
    };
    let skip = common::wire::peer::Skip { room: lobby(), author: Some(author), next: 2, hash: None };
    alone.tell(Input::LinkSays(LinkId(LINK), skip.into()));
    alone.tell(Input::LinkSays(LinkId(LINK), passed(&second).into()));
    assert!(alone.core.rooms[&lobby()].logs[&author].has(2));
    alone.tell(Input::LinkSays(LinkId(LINK), passed(&first).into()));
    assert!(alone.core.rooms[&lobby()].logs[&author].has(1));
    assert_eq!(list(&alone.core), []);
    assert_eq!(alone.core.offers.of_room(&lobby()).count(), 0, "nothing is left to be remembered");
}

#[test]
fn what_one_shares_is_said_and_put_on_the_table_and_taken_from_both() {
    let mut alone = alone();
    let outputs = offer(&mut alone, file(7, "cat.jpg"));
    assert_eq!(own_offer(&alone.core, 7), Some(1));
    assert_eq!(list(&alone.core), [line(7, "cat.jpg", &[0])]);
    let share = asked(&outputs);
    let [ToTracker::Share(ask)] = &share[..] else { panic!("{share:?}") };
    assert!(ask.offer.verify(&alone.core.me, &lobby()));
    assert_eq!(asks(&lists(&mut alone, 0, file(7, "cat.jpg"))), []);
    alone.tracker(Answer { id: id(&share[0]), refused: None });
    assert_eq!(asks(&offer(&mut alone, file(7, "cat.jpg"))), [], "again changes nothing");
    assert_eq!(alone.core.rooms[&lobby()].own.head.number, 1);
    alone.core.withdraw(&lobby(), &Root([7; 32]), alone.now).unwrap();
    let outputs = alone.core.flush(alone.now);
    assert_eq!(asks(&outputs), [(7, false)]);
    assert_eq!((own_offer(&alone.core, 7), alone.core.rooms[&lobby()].own.head.number), (None, 2));
    assert!(alone.core.withdraw(&lobby(), &Root([7; 32]), alone.now).is_err());
}

#[test]
fn another_name_for_a_file_takes_the_place_of_the_one_before() {
    let mut alone = alone();
    let first = asked(&offer(&mut alone, file(7, "cat.jpg")));
    let outputs = offer(&mut alone, file(7, "tom.jpg"));
    assert_eq!(list(&alone.core), [line(7, "tom.jpg", &[0])]);
    assert_eq!(own_offer(&alone.core, 7), Some(2));
    assert_eq!(asks(&outputs), [], "one request about it is under way");
    let [ToTracker::Share(share)] = &first[..] else { panic!("{first:?}") };
    alone.changes(vec![Step::Share(Shared { slot: Slot(0), offer: share.offer.clone() }).at(0)]);
    let outputs = alone.tracker(Answer { id: share.id, refused: None });
    let second = asked(&outputs);
    let [ToTracker::Share(share)] = &second[..] else { panic!("{second:?}") };
    assert_eq!(share.offer.file.name, "tom.jpg");
}

#[test]
fn a_tracker_that_says_it_has_listed_a_file_and_has_not_is_not_asked_in_a_loop() {
    let mut alone = alone();
    let share = asked(&offer(&mut alone, file(7, "cat.jpg")));
    assert_eq!(asks(&alone.tracker(Answer { id: id(&share[0]), refused: None })), []);
    assert_eq!(asks(&alone.later(60_000)), []);
}

#[test]
fn what_is_shared_while_the_tracker_is_away_is_put_on_the_table_when_it_is_back() {
    let mut alone = alone();
    lists(&mut alone, 0, file(9, "old.jpg"));
    alone.tell(Input::TrackerDown("gone".into()));
    for number in 1..=6 {
        assert_eq!(asks(&offer(&mut alone, file(number, "x"))), []);
    }
    alone.later(60_000);
    alone.tell(Input::TrackerUp(Key([9; 32])));
    let outputs = alone.comes_back(7);
    let all = asked(&outputs);
    assert_eq!(asks(&outputs), [(9, false), (1, true), (2, true), (3, true)], "a few at a time");
    let refused = Some(Refused { code: Code::Full, reason: "full".into() });
    let outputs = alone.tracker(Answer { id: id(&all[1]), refused });
    assert_eq!(asks(&outputs), [(4, true)], "what is refused is not asked for in a loop");
    alone.leaves(1);
    let outputs = alone.tracker(Answer { id: id(&all[2]), refused: None });
    assert_eq!(asks(&outputs), [(1, true)], "now there may be space");
}

#[test]
fn tables_begun_afresh_get_back_what_is_shared_once_the_room_is_there() {
    let mut alone = alone();
    offer(&mut alone, file(7, "cat.jpg"));
    lists(&mut alone, 0, file(7, "cat.jpg"));
    let outputs = alone.tracker_loses_its_tables();
    assert_eq!(asks(&outputs), []);
    alone.tracker(NotMember { room: lobby() });
    let outputs = alone.tracker(Snapshot {
        room: lobby(),
        version: Version { epoch: 9, number: 1 },
        settings: Default::default(),
        presence_version: PresenceVersion { run: 2, number: 1 },
        members: vec![Member { since: 1, ..alone.at(0) }],
        presence: Vec::new(),
        files: Vec::new(),
        more: false,
    });
    assert_eq!(asks(&outputs), [(7, true)]);
}

#[test]
fn a_tracker_that_keeps_no_lists_is_not_asked_to() {
    let mut alone = alone();
    alone.tell(Input::TrackerDown("gone".into()));
    alone.later(60_000);
    alone.tell(Input::TrackerUp(Key([9; 32])));
    alone.welcomed_by(2, 7);
    assert_eq!(asks(&offer(&mut alone, file(7, "cat.jpg"))), []);
    assert_eq!(list(&alone.core), [line(7, "cat.jpg", &[0])]);
}

#[test]
fn more_files_than_one_may_share_are_refused_and_others_make_no_more_count() {
    let mut alone = alone();
    let numbered = |number: usize| {
        let mut root = [0; 32];
        root[..8].copy_from_slice(&number.to_be_bytes());
        FileInfo { root: Root(root), ..file(0, "x") }
    };
    for number in 0..limits::FILES_PER_MEMBER {
        alone.core.offer(&lobby(), numbered(number), alone.now).unwrap();
    }
    assert!(alone.core.offer(&lobby(), numbered(999), alone.now).is_err(), "also before they are said");
    alone.core.flush(alone.now);
    assert!(alone.core.offer(&lobby(), numbered(999), alone.now).is_err());
    assert!(alone.core.offer(&lobby(), file(7, "../x"), alone.now).is_err());
    let said = (0..=limits::FILES_PER_MEMBER).map(|number| Content::file(numbered(1_000 + number))).collect();
    let (first, _) = batch(&alone, 0, empty(&alone, 0), said);
    says(&mut alone, first);
    assert_eq!(list(&alone.core).len(), 2 * limits::FILES_PER_MEMBER);
    assert!(!alone.core.list(&lobby()).contains_key(&numbered(1_000).root), "the oldest makes room");
}

#[test]
fn a_message_that_shares_a_file_cannot_be_edited() {
    let mut alone = alone();
    offer(&mut alone, file(7, "cat.jpg"));
    let id = MessageId { room: lobby(), author: alone.core.me.short(), number: 1 };
    let content = Content::edit(&id, "better".into());
    let ask = crate::core::command::Ask::Say { room: lobby(), content };
    let outputs = alone.tell(Input::Ask(crate::core::AskId(5), ask));
    assert!(matches!(&outputs[..], [Output::Reply(_, Err(_))]), "{outputs:?}");
}

#[test]
fn between_two_a_file_is_shared_by_message_alone() {
    let mut alone = alone();
    let key = alone.others[0].key();
    let room = alone.core.begin_direct(key, alone.now);
    alone.core.offer(&room, file(7, "cat.jpg"), alone.now).unwrap();
    let outputs = alone.core.flush(alone.now);
    assert_eq!(asks(&outputs), []);
    assert_eq!(alone.core.list(&room)[&Root([7; 32])].by, [alone.core.me].into());
    assert_eq!(list(&alone.core), []);
}

#[tokio::test]
async fn a_restart_finds_the_list_as_it_was() {
    let mut alone = Alone::in_the_lobby(0, 2);
    let kept = Kept::new(&alone);
    // The whole table once more, since what came before was not kept.
    let members = (0..3).map(|slot| alone.at(slot)).collect::<Vec<_>>();
    let table = |number, files| Snapshot {
        room: lobby(),
        version: Version { epoch: 1, number },
        settings: common::table::Settings::with_history(History::Joined),
        presence_version: PresenceVersion { run: 1, number: 1 },
        members: members.clone(),
        presence: Vec::new(),
        files,
        more: false,
    };
    let files = vec![shared(&alone, 1, 1, "a"), shared(&alone, 2, 2, "b"), shared(&alone, 2, 3, "c")];
    kept.keep(alone.tracker(table(9, files))).await;
    kept.keep(alone.link(LINK, 0, true)).await;
    let said = ["d", "e"].map(|name| Content::file(file(4, name))).to_vec();
    let (first, head) = batch(&alone, 0, empty(&alone, 0), said);
    kept.keep(says(&mut alone, first)).await;
    let id = MessageId { room: lobby(), author: alone.others[0].key().short(), number: 1 };
    let (second, _) = batch(&alone, 0, head, vec![Content::delete(&id)]);
    kept.keep(says(&mut alone, second)).await;
    kept.keep(offer(&mut alone, file(5, "f"))).await;
    kept.keep(lists(&mut alone, 1, file(6, "g"))).await;
    let unshare = Step::Unshare { slot: Slot(2), root: Root([3; 32]) }.at(0);
    kept.keep(alone.changes(vec![unshare])).await;
    let expected = [line(1, "a", &[1]), line(2, "b", &[2]), line(4, "e", &[1]), line(5, "f", &[0]), line(6, "g", &[1])];
    assert_eq!(list(&alone.core), expected);
    let again = kept.start(&alone);
    assert_eq!(list(&again), expected);
    assert_eq!(again.rooms[&lobby()].table, alone.core.rooms[&lobby()].table);
    assert_eq!(own_offer(&again, 5), Some(1));
    kept.keep(alone.leaves(1)).await;
    assert_eq!(kept.start(&alone).rooms[&lobby()].table, alone.core.rooms[&lobby()].table);
    let files = vec![shared(&alone, 2, 2, "b")];
    kept.keep(alone.tracker(table(20, files))).await;
    assert_eq!(kept.start(&alone).rooms[&lobby()].table, alone.core.rooms[&lobby()].table);
}
