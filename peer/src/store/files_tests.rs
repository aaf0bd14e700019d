//! What is kept of files, over restarts and damage.

use std::{ffi::OsString, os::unix::ffi::OsStringExt, sync::Arc};

use common::{
    MessageId,
    content::Content,
    file::{FileInfo, Offer, PIECES, Root},
    frame::Frame,
    message::{Batch, Head, Message},
    table::Shared,
    wire::{
        control::{Event, MessageKind},
        peer::PeerFrame,
    },
};

use super::{
    tests::{lobby, me, room_rows, segment},
    *,
};
use crate::core::{
    Offered, Segment,
    files::{Kept, Mark, Place, Stage},
};

fn file(number: u8) -> FileInfo {
    let (name, media) = ("cat.jpg".into(), "image/jpeg".into());
    FileInfo { root: Root([number; 32]), name, size: 5, head: 0, media, pixels: Some((640, 480)) }
}

fn offered(number: u64, file: Option<FileInfo>) -> Offered {
    Offered { room: lobby(), author: me().key(), number, file, at: u64::MAX, cursor: 3 }
}

/// What this peer says in the lobby, in one batch.
fn said(contents: Vec<Content>) -> Segment {
    let head = Head::empty(&lobby(), &me().key());
    let (like, _) = segment(&me(), head, 1, &["x"]);
    let messages: Vec<Message> = contents.into_iter().map(|content| Message::of(5, content)).collect();
    let (batch, end) = Batch::sign(&me(), &lobby(), like.stamp, head, &messages);
    Segment { last: batch.last(), end: end.hash, frame: PeerFrame::from(batch).encode(), ..like }
}

fn id(number: u64) -> MessageId {
    MessageId { room: lobby(), author: me().key().short(), number }
}

#[tokio::test]
async fn files_here_and_under_way_are_there_after_a_restart() {
    let (store, _) = Store::in_memory(&me().key()).unwrap();
    let unicode = OsString::from_vec(b"/tmp/\xff\xfe".to_vec());
    let own = Kept {
        place: Place { file: file(1), path: unicode.into(), whole: true },
        mark: Some(Mark(u64::MAX)),
        stage: Stage::Own,
    };
    let fetch = |paused, limit| Kept {
        place: Place {
            file: FileInfo { size: PIECES << 30, ..file(2) },
            path: "/home/me/cat.jpg".into(),
            whole: false,
        },
        mark: None,
        stage: Stage::Fetch { id: 7, room: lobby(), paused, overwrite: true, limit },
    };
    let gone = Kept { place: Place { file: file(3), ..own.place.clone() }, ..own.clone() };
    let rows = [own.clone(), fetch(false, None), gone, fetch(true, Some(9))].map(Row::File).to_vec();
    let rows = [rows, vec![Row::Unfile(Root([3; 32]))]].concat();
    store.commit(Arc::new(rows)).await.unwrap();
    assert_eq!(store.reopen(&me().key()).unwrap().1.files, [own, fetch(true, Some(9))]);
}

#[tokio::test]
async fn what_is_shared_is_there_after_a_restart() {
    let (store, _) = Store::in_memory(&me().key()).unwrap();
    let kept = [offered(1, Some(file(1))), offered(2, None)];
    let rows = [
        kept.clone().map(Row::Offered).to_vec(),
        vec![Row::Offered(offered(3, Some(file(3)))), Row::Unoffered(lobby(), me().key(), 3)],
    ];
    store.commit(Arc::new(rows.concat())).await.unwrap();
    assert_eq!(store.reopen(&me().key()).unwrap().1.offered, kept);
}

#[tokio::test]
async fn what_can_still_be_read_of_files_is_kept_when_the_rest_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let (store, _) = Store::open(&path, &me().key()).unwrap();
    let whole = |number| {
        let place = Place { file: file(number), path: "/tmp/x".into(), whole: true };
        Row::File(Kept { place, mark: None, stage: Stage::Own })
    };
    let listed = Shared { slot: common::Slot(0), offer: Offer::sign(&me(), &lobby(), file(1), 5) };
    let said = said(vec![Content::file(file(1)), Content::file(file(2)), Content::delete(&id(2))]);
    let rows = vec![
        Row::Segment(said),
        Row::Listed(lobby(), listed),
        Row::Offered(offered(1, Some(file(1)))),
        Row::Offered(offered(9, None)),
        whole(1),
        whole(2),
    ];
    store.commit(Arc::new([room_rows(), rows].concat())).await.unwrap();
    {
        let connection = store.files.writer.lock().unwrap();
        for damage in [
            "UPDATE files SET file = x'c1' WHERE root = (SELECT max(root) FROM files)",
            "UPDATE offered SET file = x'c1' WHERE number = 1",
            "UPDATE listed SET offer = x'c1'",
        ] {
            connection.execute(damage, []).unwrap();
        }
    }
    drop(store);
    let (_store, saved) = Store::open(&path, &me().key()).unwrap();
    assert!(saved.salvaged.is_some());
    assert_eq!(saved.files.iter().map(|kept| kept.place.file.root.0[0]).collect::<Vec<_>>(), [1]);
    let numbers: Vec<_> = saved.offered.iter().map(|offered| (offered.number, offered.file.clone())).collect();
    assert_eq!(numbers, [(1, Some(file(1))), (9, None)], "by the message itself");
    assert_eq!(saved.rooms.get(&lobby()).map_or(0, |room| room.table.file_count()), 0, "the tracker tells it again");
}

#[tokio::test]
async fn a_message_that_shares_a_file_shows_it_until_it_is_taken_back_and_is_found_by_its_name() {
    let (store, _) = Store::in_memory(&me().key()).unwrap();
    let folder = FileInfo { size: 16 * 1024 + 5, head: 16 * 1024, ..file(2) };
    let no_file = Content { file: Some(FileInfo { name: "../x".into(), ..file(3) }), ..Content::file(file(3)) };
    let contents = vec![Content::file(file(1)), Content::file(folder), no_file, Content::delete(&id(2))];
    let edit = Content::edit(&id(1), "something else".into());
    store.commit(Arc::new(vec![Row::Segment(said([contents, vec![edit]].concat()))])).await.unwrap();
    let shown = |events: Vec<Event>| -> Vec<_> {
        let shown = |event| match event {
            Event::Message(message) => {
                (message.seq, message.deed.kind, message.deed.file.map(|file| (file.name, file.size)))
            }
            other => panic!("{other:?}"),
        };
        events.into_iter().map(shown).collect()
    };
    let (kind, cat) = (Some(MessageKind::File), |size| Some(("cat.jpg".to_string(), size)));
    let past = shown(store.past(None, Some(0), 3).await.unwrap());
    assert_eq!(past, [(1, kind, cat(5)), (2, kind, cat(5)), (3, None, None)]);
    let now = store.messages(lobby(), None, 10).await.unwrap();
    let Event::Message(first) = &now[0] else { panic!("{now:?}") };
    assert!(!first.deed.edited && first.text.contains("cat.jpg"), "what is shared is not said anew");
    assert_eq!(shown(now), [(1, kind, cat(5)), (2, kind, None), (3, None, None)]);
    let found = shown(store.search(lobby(), "cat".into(), None, 10).await.unwrap());
    assert_eq!(found, [(1, kind, cat(5)), (3, None, None)]);
}
