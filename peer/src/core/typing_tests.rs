use common::{content::Content, frame::HEADER, message::Head};

use super::{
    super::{
        AskId, Input,
        alone::{Alone, lobby},
        command::Ask,
    },
    *,
};

fn hints(outputs: &[Output]) -> Vec<LinkId> {
    outputs.iter().filter_map(|o| if let Output::Hint(link, _) = o { Some(*link) } else { None }).collect()
}

fn shown(outputs: &[Output]) -> Vec<String> {
    let name = |o: &Output| if let Output::Show(Shown::Typing(t)) = o { Some(t.name.to_string()) } else { None };
    outputs.iter().filter_map(name).collect()
}

fn types(alone: &mut Alone) -> Vec<LinkId> {
    hints(&alone.tell(Input::Ask(AskId(1), Ask::Typing(lobby()))))
}

fn hint() -> PeerHint {
    TypingHint { room: lobby() }.into()
}

#[test]
fn only_who_looks_is_sent_that_somebody_types_and_not_too_often() {
    let mut alone = Alone::in_the_lobby(0, 2);
    alone.link(1, 0, true);
    alone.link(2, 1, true);
    assert_eq!(types(&mut alone), []);
    alone.tell(Input::LinkSays(LinkId(2), Looks { looks: true }.into()));
    assert_eq!(types(&mut alone), [LinkId(2)]);
    assert_eq!(types(&mut alone), []);
    alone.now.at += PAUSE;
    assert_eq!(types(&mut alone), [LinkId(2)]);
    alone.now.at += PAUSE;
    alone.tell(Input::LinkSays(LinkId(2), Looks { looks: false }.into()));
    assert_eq!(types(&mut alone), []);
}

#[test]
fn who_looks_says_so_on_every_link_and_then_is_shown_who_types() {
    let mut alone = Alone::in_the_lobby(0, 2);
    alone.link(1, 0, true);
    assert!(shown(&alone.tell(Input::LinkHints(LinkId(1), hint()))).is_empty(), "nobody looks");
    let looks = PeerFrame::from(Looks { looks: true }).encode();
    let told = |outputs: &[Output], link| {
        outputs.iter().any(|o| matches!(o, Output::Send(to, frame) if *to == LinkId(link) && *frame == looks))
    };
    assert!(told(&alone.tell(Input::Looks(true)), 1));
    assert!(!told(&alone.tell(Input::Looks(true)), 1), "it is told once");
    assert!(told(&alone.link(2, 1, true), 2));
    assert_eq!(shown(&alone.tell(Input::LinkHints(LinkId(1), hint()))), ["m1"]);
    assert!(shown(&alone.tell(Input::LinkHints(LinkId(1), hint()))).is_empty(), "too soon");
    alone.now.at += SHOWN;
    assert_eq!(shown(&alone.tell(Input::LinkHints(LinkId(1), hint()))), ["m1"]);
    let elsewhere = PeerHint::from(TypingHint { room: "den".parse().unwrap() });
    alone.now.at += SHOWN;
    assert!(shown(&alone.tell(Input::LinkHints(LinkId(1), elsewhere))).is_empty());
}

#[test]
fn what_is_about_a_message_is_refused_where_that_is_not_here_or_not_ones_own() {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.link(1, 0, true);
    let bob = alone.others[0].key();
    let (batch, _) = alone.batch(0, Head::empty(&lobby(), &bob), 2, "hello");
    alone.tell(Input::LinkSays(LinkId(1), batch.into()));
    let mut say = |content: Content| {
        let outputs = alone.tell(Input::Ask(AskId(1), Ask::Say { room: lobby(), content }));
        let reply = outputs.into_iter().find_map(|o| if let Output::Reply(_, reply) = o { Some(reply) } else { None });
        reply.unwrap().map(drop).map_err(|refusal| refusal.message)
    };
    let id = |number| common::MessageId { room: lobby(), author: bob.short(), number };
    assert_eq!(say(Content::reaction(&id(1), "👍".into())), Ok(()));
    assert!(say(Content::reaction(&id(2), "👍".into())).unwrap_err().contains("there is no message"));
    assert!(say(Content::edit(&id(1), "mine".into())).unwrap_err().contains("only its author"));
    assert!(say(Content::delete(&id(1))).unwrap_err().contains("only its author"));
    assert!(say(Content::reaction(&id(1), "far too long for a reaction, this".into())).is_err());
}

#[test]
fn a_hint_is_a_datagram_within_its_limit() {
    let room = "\u{20000}".repeat(common::limits::ROOM_CHARS).parse().unwrap();
    let encoded = PeerHint::from(TypingHint { room }).encode();
    assert!(encoded.len() - HEADER <= PeerHint::LIMIT);
}
