use std::sync::Arc;

use common::{Identity, message::Head};

use super::super::tests::{lobby, me, segment, texts};
use super::*;
use crate::core::Row;

/// A store in which bob has said a, b and c, and d after that.
async fn store() -> Store {
    let (store, _) = Store::in_memory(&me().key()).unwrap();
    let bob = Identity::from_seed([2; 32]);
    let (mut one, end) = segment(&bob, Head::empty(&lobby(), &bob.key()), 1, &["a", "b", "c"]);
    let (mut two, _) = segment(&bob, end, 4, &["d"]);
    (one.path, two.path) = ("direct".into(), "direct".into());
    store.commit(Arc::new(vec![Row::Segment(one), Row::Segment(two)])).await.unwrap();
    store
}

async fn unread(store: &Store) -> Vec<String> {
    let after = store.read_up_to().await.unwrap().get(&lobby()).copied().unwrap_or(0);
    let unread = store.unread(lobby(), after, 10).await.unwrap();
    texts(&unread).into_iter().map(String::from).collect()
}

#[tokio::test]
async fn what_is_read_is_counted_no_more_also_within_a_batch() {
    let store = store().await;
    assert_eq!(unread(&store).await, ["d", "c", "b", "a"]);
    assert_eq!(store.mark_read(lobby(), Some(2)).await.unwrap(), (2, true));
    assert_eq!(unread(&store).await, ["d", "c"]);
    assert_eq!(store.mark_read(lobby(), None).await.unwrap(), (4, true));
    assert!(unread(&store).await.is_empty());
}

#[tokio::test]
async fn a_mark_never_goes_back_nor_beyond_what_was_said() {
    let store = store().await;
    assert_eq!(store.mark_read(lobby(), Some(u64::MAX)).await.unwrap(), (4, true));
    assert_eq!(store.mark_read(lobby(), Some(1)).await.unwrap(), (4, false));
}

#[tokio::test]
async fn what_is_unread_is_counted_to_a_bound_from_the_newest() {
    let store = store().await;
    assert_eq!(texts(&store.unread(lobby(), 0, 2).await.unwrap()), ["d", "c"]);
}

#[tokio::test]
async fn one_s_own_messages_are_never_unread() {
    let store = store().await;
    let (own, _) = segment(&me(), Head::empty(&lobby(), &me().key()), 5, &["mine"]);
    store.commit(Arc::new(vec![Row::Segment(own)])).await.unwrap();
    assert_eq!(unread(&store).await, ["d", "c", "b", "a"]);
}

#[tokio::test]
async fn a_history_of_before_there_were_marks_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let (store, _) = Store::open(&path, &me().key()).unwrap();
    let bob = Identity::from_seed([2; 32]);
    let (mut one, _) = segment(&bob, Head::empty(&lobby(), &bob.key()), 1, &["a", "b"]);
    one.path = "direct".into();
    store.commit(Arc::new(vec![Row::Segment(one)])).await.unwrap();
    drop(store);
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch("DROP TABLE read; DROP TABLE acked; DROP TABLE runs; PRAGMA user_version = 4;").unwrap();
    drop(old);
    let (store, saved) = Store::open(&path, &me().key()).unwrap();
    assert!(saved.salvaged.is_none());
    assert!(unread(&store).await.is_empty());
    assert_eq!(store.read_up_to().await.unwrap()[&lobby()], 2);
}
