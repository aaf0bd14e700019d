use std::sync::Arc;

use common::{
    AccountName, Identity, Key, MessageId, RoomName, Slot, Version,
    frame::{Frame, HEADER},
    message::{Batch, Head, Message},
    table::{History, Member, Role, Settings},
    wire::{
        control::{Event, MemberChange, MemberEvent},
        peer::PeerFrame,
    },
};

use super::{events::cursor_of, *};
use crate::core::{Row, Segment};

pub(super) fn lobby() -> RoomName {
    "lobby".parse().unwrap()
}

pub(super) fn me() -> Identity {
    Identity::from_seed([1; 32])
}

fn name() -> AccountName {
    "alice".parse().unwrap()
}

/// A batch of `author` after `head`, stored from `cursor` on.
pub(super) fn segment(author: &Identity, head: Head, cursor: u64, texts: &[&str]) -> (Segment, Head) {
    let stamp = Version { epoch: 1, number: 2 };
    let messages: Vec<Message> = texts.iter().map(|text| Message::new(5, text.to_string())).collect();
    let (batch, end) = Batch::sign(author, &lobby(), stamp, head, &messages);
    let segment = Segment {
        cursor,
        room: lobby(),
        author: author.key(),
        name: name(),
        first: batch.first,
        last: batch.last(),
        mark: None,
        stamp,
        end: end.hash,
        received: 6,
        path: "self".into(),
        frame: PeerFrame::from(batch).encode(),
    };
    (segment, end)
}

pub(super) fn room_rows() -> Vec<Row> {
    let member = Member { slot: Slot(0), key: me().key(), name: name(), role: Role::Member, since: 1 };
    let version = Version { epoch: 1, number: 2 };
    let settings = Settings::default();
    vec![Row::Put(lobby(), member), Row::Room { room: lobby(), version, joined: true, settings }]
}

pub(super) fn texts(events: &[Event]) -> Vec<&str> {
    events.iter().filter_map(|e| if let Event::Message(m) = e { Some(m.text.as_str()) } else { None }).collect()
}

#[tokio::test]
async fn what_was_said_and_receipted_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let (first, end) = segment(&me(), Head::empty(&lobby(), &me().key()), 1, &["one", "two"]);
    let (second, end) = segment(&me(), end, 3, &["three"]);
    {
        let (store, saved) = Store::open(&path, &me().key()).unwrap();
        assert!(saved.rooms.is_empty());
        let receipt =
            Row::Receipt { room: lobby(), member: Key([2; 32]), first: 1, last: 2, at: 9, path: "direct".into() };
        let rows = [room_rows(), vec![Row::Segment(first), Row::Segment(second), receipt]].concat();
        store.commit(Arc::new(rows)).await.unwrap();
    }
    let (store, saved) = Store::open(&path, &me().key()).unwrap();
    let room = &saved.rooms[&lobby()];
    assert_eq!((room.own.head, saved.cursor), (end, 3));
    assert_eq!(room.own.stamp(3), Some(Version { epoch: 1, number: 2 }));
    assert!(room.own.acked(&Key([2; 32])).has(2) && !room.own.acked(&Key([2; 32])).has(3));
    assert_eq!(room.table.len(), 1);
    let again = store.own_batches(lobby(), me().key(), 2).await.unwrap();
    assert_eq!(again.iter().map(|sealed| (sealed.first, sealed.last)).collect::<Vec<_>>(), [(1, 2), (3, 3)]);
    let id = MessageId { room: lobby(), author: me().key().short(), number: 2 };
    assert_eq!(store.receipts(id).await.unwrap()[&Key([2; 32])], (9, "direct".to_string()));
}

/// As it was before receipts and own messages were kept in runs.
#[tokio::test]
async fn a_history_of_an_earlier_format_is_brought_up_to_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let (first, end) = segment(&me(), Head::empty(&lobby(), &me().key()), 1, &["one tea", "two"]);
    let (second, end) = segment(&me(), end, 3, &["three"]);
    let receipt =
        |first, last| Row::Receipt { room: lobby(), member: Key([2; 32]), first, last, at: 9, path: "direct".into() };
    let rows = vec![Row::Segment(first), Row::Segment(second), receipt(3, 3), receipt(1, 1)];
    {
        let (store, _) = Store::open(&path, &me().key()).unwrap();
        store.commit(Arc::new([room_rows(), rows].concat())).await.unwrap();
    }
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch("DROP TABLE acked; DROP TABLE runs; DROP TABLE read; PRAGMA user_version = 4").unwrap();
    drop(old);
    let (store, saved) = Store::open(&path, &me().key()).unwrap();
    let own = &saved.rooms[&lobby()].own;
    assert_eq!((own.head, own.stamp(2)), (end, Some(Version { epoch: 1, number: 2 })));
    assert_eq!([1, 2, 3].map(|number| own.acked(&Key([2; 32])).has(number)), [true, false, true]);
    assert_eq!(texts(&store.search(lobby(), "tea".into(), None, 9).await.unwrap()), ["one tea"]);
}

#[tokio::test]
async fn a_room_stays_open_after_a_restart_and_so_does_the_name_of_a_stranger() {
    let (store, _) = Store::in_memory(&me().key()).unwrap();
    let stranger = Identity::from_seed([3; 32]);
    let (mut one, _) = segment(&stranger, Head::empty(&lobby(), &stranger.key()), 1, &["a"]);
    one.name = name().with_key(&stranger.key());
    let (version, settings) = (Version { epoch: 1, number: 2 }, Settings::with_history(History::All));
    let room = Row::Room { room: lobby(), version, joined: true, settings };
    let open = [Row::Open(lobby(), 1), room, Row::Segment(one.clone())];
    store.commit(Arc::new([room_rows(), open.to_vec()].concat())).await.unwrap();
    let (_, saved) = store.reopen(&me().key()).unwrap();
    assert_eq!(saved.rooms[&lobby()].table.history(), History::All);
    assert!(saved.rooms[&lobby()].is_open(Version { epoch: 1, number: 1 }));
    let events = store.past(None, Some(0), 10).await.unwrap();
    assert!(matches!(&events[..], [Event::Message(message)] if message.from == one.name), "{events:?}");
}

fn event(cursor: u64, change: MemberChange) -> Row {
    Row::Event(MemberEvent {
        cursor,
        room: lobby(),
        name: name(),
        change,
        version: String::new(),
        by: None,
        at: None,
        detail: None,
    })
}

#[tokio::test]
async fn who_was_online_when_is_forgotten_in_time_and_who_joined_is_not() {
    let (store, _) = Store::in_memory(&me().key()).unwrap();
    let online = [2, 3, 4, 5].map(|cursor| event(cursor, MemberChange::Online));
    store.commit(Arc::new([vec![event(1, MemberChange::Joined)], online.to_vec()].concat())).await.unwrap();
    schema::forget(&lock(&store.files.writer), 2).unwrap();
    let kept: Vec<u64> = store.past(None, Some(0), 10).await.unwrap().iter().map(cursor_of).collect();
    assert_eq!(kept, [1, 4, 5]);
}

#[tokio::test]
async fn somebody_who_comes_and_goes_for_ever_fills_no_disk_of_a_session_that_never_ends() {
    let (store, _) = Store::in_memory(&me().key()).unwrap();
    for first in (1..=130_000).step_by(1_000) {
        let rows = (first..first + 1_000).map(|cursor| event(cursor, MemberChange::Online)).collect();
        store.commit(Arc::new(rows)).await.unwrap();
    }
    let count = "SELECT count(*), max(cursor) FROM events";
    let kept: (i64, i64) =
        lock(&store.files.writer).query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert!((100_000..=110_000).contains(&kept.0) && kept.1 == 130_000, "{kept:?}");
}

#[tokio::test]
async fn what_is_cancelled_stays_so_after_a_restart() {
    let (store, _) = Store::in_memory(&me().key()).unwrap();
    let (one, _) = segment(&me(), Head::empty(&lobby(), &me().key()), 1, &["a", "b"]);
    let cancelled = Row::Cancelled { room: lobby(), number: 2, had: vec![Key([2; 32]), Key([3; 32])] };
    store.commit(Arc::new([room_rows(), vec![Row::Segment(one), cancelled]].concat())).await.unwrap();
    let (_, saved) = store.reopen(&me().key()).unwrap();
    let withheld = |n: u8, number| saved.rooms[&lobby()].own.cancelled.withholds(&Key([n; 32]), number);
    assert_eq!([withheld(2, 2), withheld(3, 2), withheld(4, 2), withheld(4, 1)], [false, false, true, false]);
}

#[tokio::test]
async fn a_message_withheld_is_in_no_event_and_is_not_found() {
    let (store, _) = Store::in_memory(&me().key()).unwrap();
    let (mut one, _) = segment(&me(), Head::empty(&lobby(), &me().key()), 1, &["cake", "pie", "cake"]);
    let Ok(Some(PeerFrame::Batch(batch))) = PeerFrame::decode(&one.frame[HEADER..]) else { panic!("no batch") };
    one.frame = PeerFrame::from(batch.withhold(|number| number < 3)).encode();
    store.commit(Arc::new(vec![Row::Segment(one)])).await.unwrap();
    let events = store.past(None, Some(0), 10).await.unwrap();
    assert_eq!((texts(&events), cursor_of(&events[0])), (vec!["cake"], 3));
    assert_eq!(texts(&store.search(lobby(), "cake".into(), None, 10).await.unwrap()), ["cake"]);
    let ids = [1, 3].map(|number| MessageId { room: lobby(), author: me().key().short(), number });
    assert_eq!(store.said(me().key(), ids.into()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_history_is_read_page_by_page_from_its_end_also_from_the_middle_of_a_batch() {
    let (store, _) = Store::in_memory(&me().key()).unwrap();
    let (one, end) = segment(&me(), Head::empty(&lobby(), &me().key()), 1, &["a", "b", "c"]);
    let (two, _) = segment(&me(), end, 4, &["d", "e"]);
    store.commit(Arc::new(vec![Row::Segment(one), Row::Segment(two)])).await.unwrap();
    let mut before = None;
    for page in [["d", "e"].as_slice(), &["b", "c"], &["a"], &[]] {
        let events = store.messages(lobby(), before, 2).await.unwrap();
        assert_eq!(texts(&events), page);
        before = events.first().map(cursor_of).or(before);
    }
    let found = store.search(lobby(), "d".into(), Some(4), 10).await.unwrap();
    assert_eq!(texts(&found), Vec::<&str>::new());
    assert_eq!(store.messages(lobby(), Some(u64::MAX), 9).await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_cursor_in_the_middle_of_a_batch_goes_on_with_the_next_message() {
    let (store, _) = Store::in_memory(&me().key()).unwrap();
    let (one, end) = segment(&me(), Head::empty(&lobby(), &me().key()), 1, &["a", "b", "c"]);
    let (two, _) = segment(&me(), end, 4, &["d"]);
    store.commit(Arc::new(vec![Row::Segment(one), Row::Segment(two)])).await.unwrap();
    assert_eq!(texts(&store.past(None, Some(2), 10).await.unwrap()), ["c", "d"]);
    assert_eq!(texts(&store.past(None, Some(1), 2).await.unwrap()), ["b", "c"]);
    assert_eq!(texts(&store.past(Some(lobby()), None, 2).await.unwrap()), ["c", "d"]);
    assert_eq!(texts(&store.past(Some("other".parse().unwrap()), None, 2).await.unwrap()), [""; 0]);
}

#[tokio::test]
async fn a_commit_that_fails_keeps_nothing_of_it() {
    let (store, _) = Store::in_memory(&me().key()).unwrap();
    let (one, _) = segment(&me(), Head::empty(&lobby(), &me().key()), 1, &["a"]);
    let rows = vec![Row::Segment(one.clone()), Row::Segment(one)];
    assert!(store.commit(Arc::new(rows)).await.is_err());
    assert!(store.past(None, Some(0), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn words_are_searched_as_they_stand() {
    let (store, _) = Store::in_memory(&me().key()).unwrap();
    let said = [
        "the NEAR \"quoted\" thing",
        "nothing here",
        "Übergrößen AND more*",
        "don't use foo-bar, foo bar is better",
        "日本語のテスト、です",
        "party 🎉🎈 at 5:30",
        "cafe\u{301} olé",
        "สวัสดีครับ",
        "हिन्दी में",
        "-5 * (2 + 3)",
        "👩‍👩‍👧 came",
        "a\u{e000}2d b",
    ];
    let (one, _) = segment(&me(), Head::empty(&lobby(), &me().key()), 1, &said);
    store.commit(Arc::new(vec![Row::Segment(one)])).await.unwrap();
    let cases: &[(&str, &[usize])] = &[
        ("near", &[0]),
        ("\"quoted\"", &[0]),
        ("\"quoted", &[0]),
        ("\"thing\"", &[]),
        ("übergrößen", &[2]),
        ("and more", &[2]),
        ("more*", &[2]),
        ("mor*", &[]),
        ("near* OR", &[]),
        ("NOT nothing", &[]),
        ("foo-bar", &[3]),
        ("bar-foo", &[]),
        ("foo bar", &[3]),
        ("don't", &[3]),
        ("don\"t", &[]),
        ("text:more", &[]),
        ("日本", &[4]),
        ("テスト", &[4]),
        ("本日", &[]),
        ("🎉", &[5]),
        ("🎈🎉", &[]),
        ("5:30", &[5]),
        ("café", &[6]),
        ("cafe ole\u{301}", &[6]),
        ("สวัสดี", &[7]),
        ("हिन्दी", &[8]),
        ("(2 +", &[9]),
        ("*", &[2, 9]),
        ("👩‍👩‍👧", &[10]),
        ("-", &[3, 9]),
        ("", &[]),
        (" \t ", &[]),
    ];
    for (words, found) in cases {
        let found: Vec<&str> = found.iter().map(|index| said[*index]).collect();
        assert_eq!(texts(&store.search(lobby(), words.to_string(), None, 10).await.unwrap()), found, "{words}");
    }
}

#[test]
fn the_history_of_another_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    drop(Store::open(&path, &me().key()).unwrap());
    assert!(matches!(Store::open(&path, &Key([2; 32])), Err(StoreError::Foreign(_))));
}

#[test]
fn a_history_of_a_newer_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    drop(Store::open(&path, &me().key()).unwrap());
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    assert!(matches!(Store::open(&path, &me().key()), Err(StoreError::Newer { found: 99, .. })));
}

#[tokio::test]
async fn what_a_room_is_like_and_who_may_do_what_in_it_is_there_after_a_restart() {
    let (store, _) = Store::in_memory(&me().key()).unwrap();
    let settings = Settings { history: History::All, approval: true, private: true, topic: "tea".into() };
    let member = Member { slot: Slot(0), key: me().key(), name: name(), role: Role::Owner, since: 1 };
    let room =
        Row::Room { room: lobby(), version: Version { epoch: 1, number: 2 }, joined: true, settings: settings.clone() };
    store.commit(Arc::new(vec![Row::Put(lobby(), member.clone()), room])).await.unwrap();
    let (_, saved) = store.reopen(&me().key()).unwrap();
    let table = &saved.rooms[&lobby()].table;
    assert_eq!((table.settings(), table.member(&me().key())), (&settings, Some(&member)));
}
