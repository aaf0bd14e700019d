use common::wire::{
    control::people::{AskPeople, Named},
    tracker::{Answer as TrackerAnswer, ToTracker},
};

use super::*;
use crate::core::{
    Input, LinkId, Shown as Event,
    alone::{Alone, address, dials},
    command::Ask,
};

fn contact(alone: &Alone, state: ContactState) -> Contact {
    let (key, name) = (alone.others[0].key(), "m1".parse().unwrap());
    Contact { key, name, state, online: None, away: false, seen: None }
}

fn told(alone: &mut Alone, contacts: Vec<Contact>, whole: bool) -> Vec<Output> {
    alone.tracker(Told { contacts, whole, more: false })
}

fn events(outputs: &[Output]) -> Vec<MemberChange> {
    let change = |output: &Output| match output {
        Output::Show(Event::Member(event)) => Some(event.change),
        _ => None,
    };
    outputs.iter().filter_map(change).collect()
}

fn lines(alone: &mut Alone) -> Vec<ContactLine> {
    alone.core.contact_lines()
}

/// Alone in the lobby after the other has left it: nothing but what the contact brings is known of them.
fn parted() -> Alone {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.leaves(0);
    alone
}

#[test]
fn a_request_is_told_and_a_consent_brings_presence_and_a_link() {
    let mut alone = parted();
    let asks = contact(&alone, ContactState::Asks);
    assert_eq!(events(&told(&mut alone, vec![asks], false)), [MemberChange::Asks]);
    assert_eq!(dials(&alone.later(1_000)), 0, "before both have agreed nobody is dialled");
    let there = Contact { online: Some(Addresses::new([address(1)])), ..contact(&alone, ContactState::Contact) };
    let outputs = told(&mut alone, vec![there], false);
    assert_eq!(events(&outputs), [MemberChange::Contact]);
    assert_eq!(dials(&outputs), 1);
    let [line] = &lines(&mut alone)[..] else { panic!("no contact") };
    assert_eq!((line.state.as_str(), line.online), ("contact", true));
}

#[test]
fn a_contact_that_goes_away_from_the_keyboard_and_logs_out_is_told_as_such() {
    let mut alone = parted();
    let there = Contact { online: Some(Addresses::new([address(1)])), ..contact(&alone, ContactState::Contact) };
    told(&mut alone, vec![there.clone()], false);
    assert_eq!(events(&told(&mut alone, vec![Contact { away: true, ..there }], false)), [MemberChange::Away]);
    let gone = Contact { seen: Some(77), ..contact(&alone, ContactState::Contact) };
    assert_eq!(events(&told(&mut alone, vec![gone], false)), [MemberChange::Offline]);
    let [line] = &lines(&mut alone)[..] else { panic!("no contact") };
    assert_eq!((line.online, line.seen), (false, Some(77)));
}

#[test]
fn who_is_not_among_all_contacts_is_none_any_more() {
    let mut alone = parted();
    let held = contact(&alone, ContactState::Contact);
    told(&mut alone, vec![held], true);
    assert_eq!(events(&told(&mut alone, Vec::new(), true)), [MemberChange::Parted]);
    assert!(lines(&mut alone).is_empty());
    assert!(alone.core.people.get(&alone.others[0].key()).is_none(), "there is no reason left to know them");
}

#[test]
fn a_block_ends_the_conversation_and_what_comes_is_dropped_without_a_word() {
    let mut alone = Alone::in_the_lobby(0, 1);
    alone.link(1, 0, true);
    let by = &alone.others[0];
    let room = RoomName::direct(&alone.core.me, &by.key());
    let head = common::message::Head::empty(&room, &by.key());
    let message = common::message::Message::new(1, "psst".into());
    let batch = common::message::Batch::sign(by, &room, crate::core::direct::VERSION, head, &[message]).0;
    let blocked = contact(&alone, ContactState::Blocked);
    told(&mut alone, vec![blocked], false);
    assert!(alone.tell(Input::LinkSays(LinkId(1), batch.into())).is_empty());
    let say = Ask::Say { room: "@m1".parse().unwrap(), content: "hello".into() };
    let outputs = alone.tell(Input::Ask(AskId(1), say));
    assert!(matches!(&outputs[..], [Output::Reply(_, Err(refusal))] if refusal.message.contains("unblock")));
}

#[test]
fn a_wish_goes_to_the_tracker_with_the_key_that_is_known() {
    let mut alone = Alone::in_the_lobby(0, 1);
    let ask = AskPeople::Add(Named { name: "M1".parse().unwrap() });
    let outputs = alone.tell(Input::Ask(AskId(1), Ask::People(ask)));
    let [Output::TellTracker(frame)] = &outputs[..] else { panic!("nothing told") };
    let told = common::frame::Frame::decode(&frame[common::frame::HEADER..]).unwrap();
    let Some(ToTracker::SetContact(wish)) = told else { panic!("something else") };
    assert_eq!((wish.key, wish.wish), (Some(alone.others[0].key()), Wish::Add));
    let done = alone.tracker(TrackerAnswer { id: wish.id, refused: None });
    assert!(matches!(done[..], [Output::Reply(AskId(1), Ok(Answer::People(AnswerPeople::Done {})))]));
}

#[test]
fn a_contact_is_found_by_its_last_addresses_when_the_tracker_is_gone() {
    let mut alone = parted();
    let there = Contact { online: Some(Addresses::new([address(1)])), ..contact(&alone, ContactState::Contact) };
    told(&mut alone, vec![there], false);
    alone.tell(Input::DialFailed(alone.others[0].key(), "nobody".into()));
    let gone = contact(&alone, ContactState::Contact);
    told(&mut alone, vec![gone], false);
    assert_eq!(dials(&alone.later(120_000)), 0, "the tracker says that it is offline");
    alone.tell(Input::TrackerDown("gone".into()));
    assert_eq!(dials(&alone.later(2_000)), 1);
}

#[test]
fn a_key_that_was_reset_is_told_and_the_new_one_waits_for_the_user() {
    let mut alone = parted();
    let held = contact(&alone, ContactState::Contact);
    told(&mut alone, vec![held.clone()], true);
    let new = common::Identity::from_seed([77; 32]);
    let reset = Contact { state: ContactState::Rekeyed, ..held.clone() };
    let there = Contact { key: new.key(), online: Some(Addresses::new([address(7)])), ..held };
    let outputs = told(&mut alone, vec![reset, there], false);
    assert_eq!(events(&outputs)[..2], [MemberChange::Rekeyed, MemberChange::Identity]);
    assert_eq!(dials(&alone.later(5_000)), 0);
    let outputs =
        alone.tell(Input::Ask(AskId(1), Ask::People(AskPeople::Trust(Named { name: "m1".parse().unwrap() }))));
    assert!(outputs.iter().any(|o| matches!(o, Output::Reply(_, Ok(Answer::People(AnswerPeople::Identity(_)))))));
    assert_eq!(dials(&outputs), 1);
    let say = Ask::Say { room: "@m1".parse().unwrap(), content: "hello".into() };
    let outputs = alone.tell(Input::Ask(AskId(2), say));
    assert!(!outputs.iter().any(|o| matches!(o, Output::Reply(_, Err(_)))), "the old key is nothing to decide on now");
}

/// What the tracker is asked about contacts.
fn wishes(outputs: &[Output]) -> Vec<Wish> {
    let wish = |output: &Output| match output {
        Output::TellTracker(frame) => match common::frame::Frame::decode(&frame[common::frame::HEADER..]).unwrap() {
            Some(ToTracker::SetContact(wish)) => Some(wish.wish),
            _ => None,
        },
        _ => None,
    };
    outputs.iter().filter_map(wish).collect()
}

/// The tracker has gone, and is back once the user has done something.
fn while_it_is_away(alone: &mut Alone, ask: AskPeople) {
    alone.tell(Input::TrackerDown("gone".into()));
    let done = alone.tell(Input::Ask(AskId(1), Ask::People(ask)));
    assert!(done.iter().any(|o| matches!(o, Output::Reply(_, Ok(_)))));
    alone.later(60_000);
    alone.tell(Input::TrackerUp(Key([9; 32])));
    alone.tracker(common::wire::tracker::Welcome {
        protocol: 1,
        domain: "lan".parse().unwrap(),
        tables: 7,
        name: "m0".parse().unwrap(),
        seen: Addresses::default(),
        clock: None,
    });
}

#[test]
fn a_block_made_and_one_lifted_while_the_tracker_was_away_are_told_to_it_once() {
    let named = || Named { name: "m1".parse().unwrap() };
    for (held, ask, wish) in [
        (ContactState::Contact, AskPeople::Block(named()), Wish::Block),
        (ContactState::Blocked, AskPeople::Unblock(named()), Wish::Unblock),
    ] {
        let mut alone = Alone::in_the_lobby(0, 1);
        let held = contact(&alone, held);
        assert_eq!(wishes(&told(&mut alone, vec![held.clone()], true)), []);
        while_it_is_away(&mut alone, ask);
        assert_eq!(wishes(&told(&mut alone, vec![held.clone()], true)), [wish]);
        assert_eq!(wishes(&told(&mut alone, vec![held], true)), []);
    }
}
