//! The life of a session: what it outlives, and how it ends.

use common::{
    Identity,
    address::Addresses,
    wire::{
        control::Exit,
        tracker::{Bye, Code, Refused, ToPeer, Welcome},
    },
};

use super::{
    AskId, Core, Input, Now, Output, Saved, Start,
    command::{Answer, Ask},
};
use crate::Config;

const TRACKER: u8 = 9;

fn alice() -> Core {
    let address = ([127, 0, 0, 1], 1).into();
    Core::new(Start {
        name: "alice".parse().unwrap(),
        identity: Identity::from_seed([1; 32]),
        config: Config::default(),
        tracker_key: Some(Identity::from_seed([TRACKER; 32]).key()),
        invite: None,
        tracker: Some(address),
        address,
        saved: Saved::default(),
        seed: 0,
    })
}

fn welcomed() -> Core {
    let mut core = alice();
    take(&mut core, tracker_up(TRACKER));
    let welcome = Welcome {
        protocol: 1,
        domain: "lan".parse().unwrap(),
        tables: 1,
        name: "alice".parse().unwrap(),
        seen: Addresses::default(),
        clock: None,
    };
    take(&mut core, Input::TrackerSays(welcome.into()));
    core
}

fn tracker_up(seed: u8) -> Input {
    Input::TrackerUp(Identity::from_seed([seed; 32]).key())
}

/// The connection is lost, and then dialled again.
fn lose(core: &mut Core) {
    take(core, Input::TrackerDown("lost".into()));
    dial_again(core);
}

fn dial_again(core: &mut Core) {
    let later = Now { at: 3_600_000, wall: 0 };
    assert!(core.flush(later).iter().any(|output| matches!(output, Output::DialTracker)));
}

fn take(core: &mut Core, input: Input) -> Vec<Output> {
    core.handle(input, Now::default());
    core.flush(Now::default())
}

fn trouble(core: &mut Core) -> String {
    let outputs = take(core, Input::Ask(AskId(1), Ask::Status));
    let status = outputs.into_iter().find_map(|output| match output {
        Output::Reply(_, Ok(Answer::Status(status))) => Some(status),
        _ => None,
    });
    status.unwrap().trouble.unwrap()
}

fn end(outputs: &[Output]) -> Option<Exit> {
    outputs.iter().find_map(|output| match output {
        Output::End(why) => Some(why.code),
        _ => None,
    })
}

#[test]
fn whoever_asks_to_log_out_is_answered_before_the_end() {
    let outputs = take(&mut welcomed(), Input::Ask(AskId(1), Ask::Logout));
    let at = |is: fn(&Output) -> bool| outputs.iter().position(is).unwrap();
    let answered = at(|output| matches!(output, Output::Reply(AskId(1), Ok(_))));
    assert!(answered < at(|output| matches!(output, Output::End(_))));
}

#[test]
fn a_tracker_with_another_key_ends_a_login_and_not_a_session() {
    assert_eq!(end(&take(&mut alice(), tracker_up(7))), Some(Exit::Identity));

    let mut core = welcomed();
    lose(&mut core);
    let outputs = take(&mut core, tracker_up(7));
    assert_eq!(end(&outputs), None);
    assert!(outputs.iter().any(|output| matches!(output, Output::DropTracker)));
    assert!(!outputs.iter().any(|output| matches!(output, Output::TellTracker(_))), "it is told nothing");
    assert!(trouble(&mut core).contains("--tracker-key"));
}

#[test]
fn a_refusal_ends_a_login_and_not_a_session() {
    let refused = || ToPeer::from(Refused { code: Code::NameTaken, reason: "taken".into() });
    let mut core = alice();
    take(&mut core, tracker_up(TRACKER));
    assert_eq!(end(&take(&mut core, Input::TrackerSays(refused()))), Some(Exit::Identity));

    let mut core = welcomed();
    lose(&mut core);
    take(&mut core, tracker_up(TRACKER));
    assert_eq!(end(&take(&mut core, Input::TrackerSays(refused()))), None);
    assert_eq!(trouble(&mut core), "taken");
}

#[test]
fn a_session_ends_with_its_account() {
    let bye = ToPeer::from(Bye { code: Code::Removed, reason: "removed".into() });
    assert_eq!(end(&take(&mut welcomed(), Input::TrackerSays(bye))), Some(Exit::Refused));

    let mut core = welcomed();
    lose(&mut core);
    take(&mut core, tracker_up(TRACKER));
    let refused = ToPeer::from(Refused { code: Code::Removed, reason: "removed".into() });
    assert_eq!(end(&take(&mut core, Input::TrackerSays(refused))), Some(Exit::Refused));
}

#[test]
fn what_a_tracker_says_when_it_goes_is_told_until_it_is_back() {
    let mut core = welcomed();
    take(&mut core, Input::TrackerSays(Bye { code: Code::ShuttingDown, reason: "going".into() }.into()));
    assert_eq!(trouble(&mut core), "going");
    dial_again(&mut core);
    take(&mut core, Input::TrackerDown("no answer".into()));
    assert_eq!(trouble(&mut core), "going; and now: no answer");
}

#[test]
fn what_the_tracker_does_not_answer_may_be_done_so_the_link_is_begun_again() {
    let mut core = welcomed();
    take(&mut core, Input::Ask(AskId(1), Ask::Join("lobby".parse().unwrap())));
    let outputs = core.flush(Now { at: 10_000, wall: 0 });
    assert!(outputs.iter().any(|output| matches!(output, Output::Reply(AskId(1), Err(_)))));
    assert!(outputs.iter().any(|output| matches!(output, Output::DropTracker)));
    dial_again(&mut core);
}

#[test]
fn who_wakes_dials_the_tracker_at_once() {
    let outputs = take(&mut welcomed(), Input::Woke);
    let at = |is: fn(&Output) -> bool| outputs.iter().position(is).unwrap();
    assert!(at(|output| matches!(output, Output::DropTracker)) < at(|output| matches!(output, Output::DialTracker)));

    let mut core = welcomed();
    for _ in 0..9 {
        lose(&mut core);
    }
    take(&mut core, Input::TrackerDown("no answer".into()));
    let outputs = take(&mut core, Input::Woke);
    assert!(outputs.iter().any(|output| matches!(output, Output::DialTracker)), "whatever the pause was");
}
