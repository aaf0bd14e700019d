use std::sync::Arc;

use common::{
    Identity, MessageId, Version,
    content::Content,
    frame::Frame,
    message::{Batch, Head, Message},
    wire::{
        control::{Event, MessageEvent, MessageKind},
        peer::PeerFrame,
    },
};

use super::super::{
    Store,
    tests::{lobby, me},
};
use crate::core::{Row, Segment};

/// A store to which two people say things, a batch each.
struct Lobby {
    store: Store,
    heads: [Head; 2],
    cursor: u64,
}

const ALICE: usize = 0;
const BOB: usize = 1;

fn who(person: usize) -> Identity {
    if person == ALICE { me() } else { Identity::from_seed([2; 32]) }
}

fn id(person: usize, number: u64) -> MessageId {
    MessageId { room: lobby(), author: who(person).key().short(), number }
}

impl Lobby {
    fn new() -> Lobby {
        let (store, _) = Store::in_memory(&me().key()).unwrap();
        Lobby { store, heads: [ALICE, BOB].map(|person| Head::empty(&lobby(), &who(person).key())), cursor: 1 }
    }

    async fn say(&mut self, person: usize, contents: Vec<Content>) {
        let stamp = Version { epoch: 1, number: 2 };
        let messages: Vec<Message> = contents.into_iter().map(|content| Message::of(5, content)).collect();
        let (batch, end) = Batch::sign(&who(person), &lobby(), stamp, self.heads[person], &messages);
        self.heads[person] = end;
        let segment = Segment {
            cursor: self.cursor,
            room: lobby(),
            author: who(person).key(),
            name: ["alice", "bob"][person].parse().unwrap(),
            first: batch.first,
            last: batch.last(),
            stamp,
            end: end.hash,
            received: 6,
            path: "direct".into(),
            mark: None,
            frame: PeerFrame::from(batch).encode(),
        };
        self.cursor += messages.len() as u64;
        self.store.commit(Arc::new(vec![Row::Segment(segment)])).await.unwrap();
    }

    async fn history(&self) -> Vec<MessageEvent> {
        messages(self.store.messages(lobby(), None, 10).await.unwrap())
    }

    async fn found(&self, words: &str) -> Vec<String> {
        let found = messages(self.store.search(lobby(), words.into(), None, 10).await.unwrap());
        found.into_iter().map(|message| message.text).collect()
    }
}

fn messages(events: Vec<Event>) -> Vec<MessageEvent> {
    events.into_iter().filter_map(|event| if let Event::Message(m) = event { Some(m) } else { None }).collect()
}

#[tokio::test]
async fn pages_of_what_is_found_follow_each_other_also_where_an_old_message_was_edited_late() {
    let mut lobby = Lobby::new();
    let numbered = |number: u64| vec![Content::from(format!("tea {number}"))];
    lobby.say(ALICE, vec!["soup 1".into()]).await;
    for number in 2..=6 {
        lobby.say(ALICE, numbered(number)).await;
    }
    lobby.say(ALICE, vec![Content::edit(&id(ALICE, 1), "tea 1".into())]).await;
    let (mut before, mut pages) = (None, Vec::new());
    loop {
        let page = messages(lobby.store.search(super::super::tests::lobby(), "tea".into(), before, 2).await.unwrap());
        let Some(first) = page.first() else { break };
        before = Some(first.cursor);
        pages.push(page.into_iter().map(|message| message.text).collect::<Vec<_>>());
    }
    assert_eq!(pages, [["tea 5", "tea 6"], ["tea 3", "tea 4"], ["tea 1", "tea 2"]]);
}

#[tokio::test]
async fn an_edited_message_shows_its_latest_text_and_is_found_by_it_alone() {
    let mut lobby = Lobby::new();
    let edit = |text: &str| Content::edit(&id(ALICE, 1), text.into());
    lobby.say(ALICE, vec!["lunch at noon".into(), edit("lunch at one")]).await;
    lobby.say(ALICE, vec![edit("lunch at two")]).await;
    let history = lobby.history().await;
    assert_eq!(history.len(), 1);
    assert_eq!((history[0].text.as_str(), history[0].seq, history[0].deed.edited), ("lunch at two", 1, true));
    assert_eq!(lobby.found("two").await, ["lunch at two"]);
    assert_eq!(lobby.found("lunch").await, ["lunch at two"]);
    assert!(lobby.found("noon").await.is_empty() && lobby.found("one").await.is_empty());
}

#[tokio::test]
async fn a_deleted_message_shows_as_deleted_and_its_text_is_gone() {
    let mut lobby = Lobby::new();
    lobby.say(ALICE, vec!["a secret".into(), Content::edit(&id(ALICE, 1), "still a secret".into())]).await;
    lobby.say(BOB, vec![Content::reaction(&id(ALICE, 1), "😮".into())]).await;
    lobby.say(ALICE, vec![Content::delete(&id(ALICE, 1)), "anyway".into()]).await;
    let history = lobby.history().await;
    assert_eq!(
        history.iter().map(|m| (m.text.as_str(), m.deed.deleted)).collect::<Vec<_>>(),
        [("", true), ("anyway", false)]
    );
    assert!(history[0].deed.reactions.is_empty());
    assert!(lobby.found("secret").await.is_empty());
    assert!(lobby.store.standing(id(ALICE, 1)).await.unwrap().unwrap().deleted);
}

#[tokio::test]
async fn reactions_are_gathered_on_the_message_and_the_last_of_each_counts() {
    let mut lobby = Lobby::new();
    let react = |text: &str| Content::reaction(&id(ALICE, 1), text.into());
    lobby.say(ALICE, vec!["cake!".into(), react("👍")]).await;
    lobby.say(BOB, vec![react("😮"), react("👍")]).await;
    let history = lobby.history().await;
    assert_eq!(history.len(), 1);
    let names = ["alice", "bob"].map(|name| name.parse().unwrap()).to_vec();
    assert_eq!(history[0].deed.reactions, [("👍".to_string(), names)].into());
    lobby.say(BOB, vec![react("")]).await;
    assert_eq!(lobby.history().await[0].deed.reactions["👍"].len(), 1);
    assert!(lobby.found("👍").await.is_empty());
}

#[tokio::test]
async fn nobody_edits_or_deletes_what_another_said() {
    let mut lobby = Lobby::new();
    lobby.say(ALICE, vec!["mine".into()]).await;
    lobby.say(BOB, vec![Content::edit(&id(ALICE, 1), "not yours".into()), Content::delete(&id(ALICE, 1))]).await;
    let shown: Vec<(String, Option<MessageKind>)> =
        lobby.history().await.into_iter().map(|m| (m.text, m.deed.kind)).collect();
    assert_eq!(shown, [("mine".into(), None), ("not yours".into(), None), (String::new(), None)]);
}

#[tokio::test]
async fn an_edit_that_came_first_counts_once_its_message_is_there() {
    let mut lobby = Lobby::new();
    let start = lobby.heads[BOB];
    lobby.say(BOB, vec!["first".into()]).await;
    let late = lobby.store.past(None, Some(0), 10).await.unwrap();
    assert_eq!(messages(late).len(), 1);
    // Another store gets the second batch before the first.
    let mut other = Lobby::new();
    other.heads[BOB] = lobby.heads[BOB];
    other.say(BOB, vec![Content::edit(&id(BOB, 1), "better".into())]).await;
    assert_eq!(other.history().await[0].deed.kind, Some(MessageKind::Edit), "its message is not here");
    other.heads[BOB] = start;
    other.say(BOB, vec!["first".into()]).await;
    let history = other.history().await;
    assert_eq!(history.len(), 1);
    assert_eq!((history[0].text.as_str(), history[0].deed.edited), ("better", true));
}

#[tokio::test]
async fn events_show_each_deed_as_it_happened_and_an_answer_with_its_question() {
    let mut lobby = Lobby::new();
    lobby.say(ALICE, vec![format!("lunch?\n{}", "x".repeat(100)).as_str().into()]).await;
    let answer = Content { about: Some((&id(ALICE, 1)).into()), ..Content::from("yes") };
    lobby.say(BOB, vec![answer, Content::reaction(&id(ALICE, 1), "👍".into())]).await;
    let past = messages(lobby.store.past(None, Some(0), 10).await.unwrap());
    assert_eq!(past.iter().map(|m| m.deed.kind).collect::<Vec<_>>(), [None, None, Some(MessageKind::Reaction)]);
    for message in &past[1..] {
        let quote = message.deed.quote.as_ref().unwrap();
        assert_eq!((quote.from.as_str(), quote.text.as_str()), ("alice", "lunch?"));
        assert_eq!(message.deed.about, Some(id(ALICE, 1).to_string()));
    }
}

#[tokio::test]
async fn a_page_of_what_stands_is_filled_past_what_is_no_line() {
    let mut lobby = Lobby::new();
    lobby.say(ALICE, vec!["one".into()]).await;
    for _ in 0..20 {
        lobby.say(BOB, vec![Content::reaction(&id(ALICE, 1), "👍".into())]).await;
    }
    lobby.say(ALICE, vec!["two".into()]).await;
    let texts = |events| messages(events).into_iter().map(|m| m.text).collect::<Vec<_>>();
    assert_eq!(texts(lobby.store.latest(None, Some(0), 2).await.unwrap()), ["one", "two"]);
    assert_eq!(texts(lobby.store.messages(super::super::tests::lobby(), None, 2).await.unwrap()), ["one", "two"]);
}
