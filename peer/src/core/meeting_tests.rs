use common::{
    Identity,
    wire::{
        control::people::{AskPeople, Listen, Named},
        peer::{Hello, PROTOCOL, PeerFrame},
    },
};

use super::*;
use crate::{
    Config,
    core::{
        Input, Saved, Start,
        alone::{address, sent},
        command::Ask,
    },
};

struct Trackerless {
    core: Core,
    now: Now,
}

fn me() -> Identity {
    Identity::from_seed([1; 32])
}

fn other() -> Identity {
    Identity::from_seed([2; 32])
}

fn trackerless(saved: Saved) -> Trackerless {
    let core = Core::new(Start {
        name: "alice".parse().unwrap(),
        identity: me(),
        config: Config::default(),
        tracker_key: None,
        invite: None,
        tracker: None,
        address: address(0),
        saved,
        seed: 1,
    });
    let mut trackerless = Trackerless { core, now: Now::default() };
    trackerless.tell(Input::Tick);
    trackerless
}

impl Trackerless {
    fn tell(&mut self, input: Input) -> Vec<Output> {
        self.core.handle(input, self.now);
        self.core.flush(self.now)
    }

    fn ask(&mut self, ask: AskPeople) -> Vec<Output> {
        self.tell(Input::Ask(AskId(1), Ask::People(ask)))
    }

    fn listens(&mut self) {
        self.ask(AskPeople::Listen(Listen { seconds: 60 }));
    }

    /// Somebody dials in and says who they are.
    fn comes(&mut self, who: &Identity, name: &str, link: u64) -> Vec<Output> {
        let (link, key) = (LinkId(link), who.key());
        let mut outputs = self.tell(Input::LinkUp { link, key, dialled: false, address: address(7) });
        outputs.extend(self.says_hello(name, link));
        outputs
    }

    fn says_hello(&mut self, name: &str, link: LinkId) -> Vec<Output> {
        let hello = Hello { protocol: PROTOCOL, name: name.parse().unwrap(), life: 1 };
        self.tell(Input::LinkSays(link, hello.into()))
    }

    fn calls(&mut self) -> CallId {
        let connect = Connect { addresses: vec![address(7)], name: None };
        let outputs = self.ask(AskPeople::Connect(connect));
        let [Output::Call(call, _)] = outputs[..] else { panic!("nobody is called") };
        call
    }
}

fn replies(outputs: &[Output]) -> Vec<Result<Answer, Refusal>> {
    let reply = |output: &Output| match output {
        Output::Reply(_, reply) => Some(reply.clone()),
        _ => None,
    };
    outputs.iter().filter_map(reply).collect()
}

fn closed(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| matches!(output, Output::Close(..)))
}

#[test]
fn without_a_tracker_none_is_dialled_and_status_says_so() {
    let mut alice = trackerless(Saved::default());
    assert!(alice.tell(Input::Tick).is_empty());
    let outputs = alice.tell(Input::Ask(AskId(1), Ask::Status));
    let [Ok(Answer::Status(status))] = &replies(&outputs)[..] else { panic!("no status") };
    assert_eq!((status.tracker, status.tracker_state.as_str()), (None, "none"));
    let outputs = alice.tell(Input::Ask(AskId(2), Ask::Join("lobby".parse().unwrap())));
    assert!(matches!(&replies(&outputs)[..], [Err(refusal)] if refusal.message.contains("no tracker")));
}

#[test]
fn a_stranger_is_let_in_only_while_this_peer_listens() {
    let mut alice = trackerless(Saved::default());
    alice.comes(&other(), "bob", 1);
    alice.now.at += 5_000;
    assert!(closed(&alice.tell(Input::Tick)), "nobody listens");
    alice.listens();
    let outputs = alice.comes(&other(), "bob", 2);
    assert!(matches!(sent(&outputs)[..], [PeerFrame::Hello(_), PeerFrame::Have(_), ..]));
    let key = other().key();
    assert_eq!(alice.core.people.get(&key).unwrap().link, Some(LinkId(2)));
    assert_eq!(alice.core.title(&RoomName::direct(&me().key(), &key)).as_str(), "@bob");
}

#[test]
fn at_most_so_many_strangers_are_let_in() {
    let mut alice = trackerless(Saved::default());
    alice.listens();
    for n in 0..80u8 {
        alice.comes(&Identity::from_seed([n + 100; 32]), &format!("s{n}"), u64::from(n) + 1);
    }
    assert_eq!(alice.core.people.iter().count(), LET_IN);
}

#[test]
fn whoever_is_called_is_greeted_and_told_with_key_and_number() {
    let mut alice = trackerless(Saved::default());
    let call = alice.calls();
    let up = Input::CallUp { call, link: LinkId(1), key: other().key(), address: address(7) };
    assert!(matches!(sent(&alice.tell(up))[..], [PeerFrame::Hello(_)]));
    let outputs = alice.says_hello("bob", LinkId(1));
    let [Ok(Answer::People(AnswerPeople::Connected(connected)))] = &replies(&outputs)[..] else { panic!("not there") };
    assert_eq!((connected.room.as_str(), connected.identity.key.clone()), ("@bob", other().key().to_string()));
    assert!(!connected.identity.verified);
}

#[test]
fn who_is_linked_already_is_reached_though_the_call_s_own_link_is_given_up_for_that() {
    // Of two links, that which the smaller key has dialled stays.
    let smaller = (2..).map(|seed| Identity::from_seed([seed; 32])).find(|other| other.key() < me().key()).unwrap();
    let mut alice = trackerless(Saved::default());
    alice.listens();
    alice.comes(&smaller, "bob", 1);
    let call = alice.calls();
    alice.tell(Input::CallUp { call, link: LinkId(2), key: smaller.key(), address: address(7) });
    let outputs = alice.says_hello("bob", LinkId(2));
    let [Ok(Answer::People(AnswerPeople::Connected(connected)))] = &replies(&outputs)[..] else {
        panic!("{outputs:?}")
    };
    assert_eq!(connected.room.as_str(), "@bob");
    assert!(closed(&outputs) && alice.core.people.get(&smaller.key()).unwrap().link == Some(LinkId(1)));
}

#[test]
fn a_known_name_that_answers_with_another_key_ends_the_call_with_the_code_for_it() {
    let mut alice = trackerless(Saved::default());
    alice.listens();
    alice.comes(&other(), "bob", 1);
    let call = alice.calls();
    let ghost = Identity::from_seed([9; 32]);
    alice.tell(Input::CallUp { call, link: LinkId(2), key: ghost.key(), address: address(7) });
    let outputs = alice.says_hello("bob", LinkId(2));
    assert!(matches!(&replies(&outputs)[..], [Err(refusal)] if refusal.code == Exit::Identity));
    assert!(closed(&outputs));
    // Until the user decides otherwise.
    let outputs = alice.ask(AskPeople::Trust(Named { name: "bob".parse().unwrap() }));
    assert!(matches!(&replies(&outputs)[..], [Ok(_)]));
    assert!(closed(&outputs), "the one before is cut off");
    alice.comes(&ghost, "bob", 3);
    assert_eq!(alice.core.people.get(&ghost.key()).unwrap().link, Some(LinkId(3)));
}

#[test]
fn a_call_that_nobody_takes_ends_with_the_reason() {
    let mut alice = trackerless(Saved::default());
    let call = alice.calls();
    let outputs = alice.tell(Input::CallFailed(call, "nobody answers there".into()));
    assert!(matches!(&replies(&outputs)[..], [Err(refusal)] if refusal.code == Exit::Unreachable));
    alice.calls();
    alice.now.at += PATIENCE;
    assert!(matches!(&replies(&alice.tell(Input::Tick))[..], [Err(_)]), "it does not wait for ever");
}

#[test]
fn after_a_restart_whoever_was_met_is_dialled_where_they_were() {
    let (store, _) = crate::Store::in_memory(&me().key()).unwrap();
    let mut alice = trackerless(Saved::default());
    alice.ask(AskPeople::Listen(Listen { seconds: 60 }));
    let outputs = alice.comes(&other(), "bob", 1);
    let rows = outputs.into_iter().filter_map(|output| match output {
        Output::Keep(row) => Some(row),
        _ => None,
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.commit(std::sync::Arc::new(rows.collect()))).unwrap();
    let (_, saved) = store.reopen(&me().key()).unwrap();
    let mut again = trackerless(saved);
    again.tell(Input::Ask(AskId(1), Ask::Say { room: "@bob".parse().unwrap(), content: "hello again".into() }));
    again.now.at += 2_000;
    let dialled = again.tell(Input::Tick);
    let is_there = |output: &Output| matches!(output, Output::Dial(key, at) if *key == other().key() && at.as_slice().contains(&address(7)));
    assert!(dialled.iter().any(is_there));
}

#[test]
fn whoever_is_in_the_address_book_may_dial_in() {
    let entry = common::wire::control::people::BookEntry {
        name: "bob".parse().unwrap(),
        key: other().key().to_string(),
        addresses: vec![address(7)],
        verified: true,
        note: String::new(),
    };
    let mut alice = trackerless(Saved { book: vec![entry], ..Saved::default() });
    alice.comes(&other(), "bob", 1);
    assert!(alice.core.people.get(&other().key()).is_some());
    assert!(!alice.core.trust.is_verified(&other().key()), "a file is nobody's word for that");
    let outputs = alice.ask(AskPeople::Connect(Connect { addresses: Vec::new(), name: Some("bob".parse().unwrap()) }));
    assert!(matches!(&replies(&outputs)[..], [Ok(Answer::People(AnswerPeople::Connected(_)))]));
}
