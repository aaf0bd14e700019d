use super::*;
use common::wire::control::{Deed, MemberChange};

fn message(cursor: u64, author: &str, text: &str, deed: Deed) -> MessageEvent {
    MessageEvent {
        cursor,
        id: format!("lobby/{author}/{cursor}"),
        room: "lobby".parse().unwrap(),
        from: author.parse().unwrap(),
        seq: cursor,
        stamp: "1.2".into(),
        sent: 0,
        received: 0,
        path: "direct".into(),
        text: text.into(),
        mark: None,
        deed,
    }
}

fn member(cursor: u64, name: &str, change: MemberChange) -> MemberEvent {
    let (room, name) = ("lobby".parse().unwrap(), name.parse().unwrap());
    MemberEvent { cursor, room, name, change, version: "1.2".into(), by: None, at: None, detail: None }
}

fn about(kind: MessageKind, id: &str) -> Deed {
    Deed { kind: Some(kind), about: Some(id.into()), ..Deed::default() }
}

fn first(conversation: &Conversation) -> &MessageEvent {
    conversation.entries.iter().find_map(Held::message).unwrap().0
}

#[test]
fn what_is_done_to_a_message_shows_at_it_and_others_cannot_edit_it() {
    let mut lobby = Conversation::new("lobby".parse().ok(), &[]);
    lobby.said(message(1, "bob", "one", Deed::default()));
    lobby.said(message(2, "eve", "not mine", about(MessageKind::Edit, "lobby/bob/1")));
    assert_eq!(first(&lobby).text, "one");
    lobby.said(message(3, "bob", "better", about(MessageKind::Edit, "lobby/bob/1")));
    lobby.said(message(4, "eve", "a", about(MessageKind::Reaction, "lobby/bob/1")));
    lobby.said(message(5, "eve", "b", about(MessageKind::Reaction, "lobby/bob/1")));
    let said = first(&lobby);
    assert_eq!((said.text.as_str(), said.deed.edited), ("better", true));
    assert_eq!(said.deed.reactions.keys().collect::<Vec<_>>(), ["b"]);
    lobby.said(message(6, "bob", "", about(MessageKind::Delete, "lobby/bob/1")));
    assert!(first(&lobby).deed.deleted && first(&lobby).text.is_empty());
    assert_eq!(lobby.entries.len(), 2, "one message and its day");
}

#[test]
fn who_comes_and_goes_is_one_line_until_something_is_said() {
    let mut lobby = Conversation::new("lobby".parse().ok(), &[]);
    for (cursor, name) in [(1, "bob"), (2, "eve"), (3, "bob")] {
        lobby.noise(member(cursor, name, MemberChange::Online));
    }
    assert_eq!(lobby.entries.len(), 1);
    assert!(matches!(lobby.entries[0].entry(), Entry::Noise(people, 3) if people.len() == 2));
}

#[test]
fn who_joined_and_left_is_in_the_past_too_and_once() {
    let mut lobby = Conversation::new("lobby".parse().ok(), &[]);
    let said = |cursor| Event::Message(message(cursor, "bob", "hello", Deed::default()));
    // The last of it happened while the page was asked for.
    lobby.noise(member(5, "eve", MemberChange::Joined));
    let past = [(2, "bob", MemberChange::Joined), (3, "eve", MemberChange::Offline)];
    let past = past.map(|(cursor, name, change)| Event::Member(member(cursor, name, change)));
    let joined = Event::Member(member(5, "eve", MemberChange::Joined));
    lobby.open([vec![said(1)], past.to_vec(), vec![said(4), joined]].concat(), 0, &[]);
    let shown: Vec<String> = lobby
        .entries
        .iter()
        .filter_map(|held| match held.entry() {
            Entry::Noise(people, _) => Some(people.iter().map(|(name, _)| name.to_string()).collect()),
            _ => None,
        })
        .collect();
    assert_eq!(shown, ["bob", "eve"]);
}
