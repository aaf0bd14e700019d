//! A day of a family of five, each on a host of its own: who may register, contacts, direct messages, a room with a door,
//! other names, a tracker that is off for a while, and a chat that needs none.

use std::time::Duration;

use common::wire::control::{Event, MemberChange, MemberEvent, Said};
use serde_json::Value;
use tests::lab::{Lab, Peer, Tracker, eventually};

use crate::crowd::SOON;

const ROOM: &str = "kitchen";
const WAIT: Duration = Duration::from_secs(20);

pub fn a_day() {
    let lab = Lab::new();
    let server = lab.host("server");
    let mut tracker = server.tracker(&["--no-mdns", "--registration", "invitation"]);
    let names = ["mum", "dad", "ann", "ben", "gran"];
    let mut family = names.map(|name| lab.host(name).peer(name));

    they_register_by_invitation(&tracker, &mut family);
    let [mum, dad, ann, ben, gran] = &family;
    they_befriend_each_other_and_talk(mum, gran);
    mum_opens_a_room_with_a_door(mum, dad, ann, ben, gran);
    ben_is_put_out_and_hears_no_more(mum, dad, ann, ben);
    ann_takes_another_name(dad, ann);

    tracker.process().kill();
    talk_goes_on(mum, dad, "mum", "the tracker is off");
    tracker.start_again();
    back_online(&family);
    talk_goes_on(dad, mum, "dad", "and on again");

    a_chat_without_a_tracker(&lab);
}

fn they_register_by_invitation(tracker: &Tracker, family: &mut [Peer; 5]) {
    let address = tracker.address().to_string();
    let refused = family[0].try_login(&["--tracker", &address]);
    let refused = refused.expect(1);
    assert!(refused.stderr.concat().contains("--invite"), "it says what to do: {:?}", refused.stderr);
    let invited: Value = tracker.cmd(&["invite", "--uses", "5", "--json"]).expect(0).json().pop().expect("a line");
    let token = invited["token"].as_str().expect("a token");
    for peer in family.iter_mut() {
        peer.login(&["--tracker", &address, "--invite", token]);
    }
    assert_eq!(tracker.counts().accounts, 5);
    let sixth = family[0].host().peer("cousin").try_login(&["--tracker", &address, "--invite", token]);
    sixth.expect(1);
}

fn they_befriend_each_other_and_talk(mum: &Peer, gran: &Peer) {
    let stranger = gran.cmd(&["msg", "mum", "hello?"]);
    assert_ne!(stranger.code, Some(0), "they share nothing yet");
    gran.cmd(&["add", "mum"]).expect(0);
    eventually(SOON, "mum is asked", || contact(mum, "gran"), |line| line["state"] == "asks");
    mum.cmd(&["accept", "gran"]).expect(0);
    let online = |line: &Value| line["state"] == "contact" && line["online"] == true;
    eventually(SOON, "gran sees her", || contact(gran, "mum"), online);
    eventually(SOON, "mum sees gran", || contact(mum, "gran"), online);

    let seconds = WAIT.as_secs().to_string();
    let sent = gran.cmd_within(2 * WAIT, &["msg", "mum", "hello dear", "--wait", &seconds, "--json"]).expect(0);
    let said: Said = sent.json().pop().expect("a line");
    assert_eq!((said.room.as_str(), said.delivered.len()), ("@mum", 1));
    let messages = mum.messages("@gran");
    assert_eq!(messages.iter().map(|message| message.text.as_str()).collect::<Vec<_>>(), ["hello dear"]);
    let digits = |peer: &Peer, of: &str| -> String {
        let line: Value = peer.cmd(&["verify", of, "--json"]).expect(0).json().pop().expect("a line");
        line["safety_number"].as_str().expect("digits").chars().filter(char::is_ascii_digit).collect()
    };
    assert_eq!(digits(mum, "gran"), digits(gran, "mum"), "both read out the same");
    assert_eq!(digits(mum, "gran").len(), 60);

    mum.cmd(&["away"]).expect(0);
    eventually(SOON, "gran sees that mum is away", || contact(gran, "mum"), |line| line["away"] == true);
    mum.cmd(&["back"]).expect(0);
}

fn mum_opens_a_room_with_a_door(mum: &Peer, dad: &Peer, ann: &Peer, ben: &Peer, gran: &Peer) {
    mum.cmd(&["create", ROOM, "--approval", "--topic", "what is for dinner"]).expect(0);
    mum.cmd(&["create", ROOM]).expect(1);
    for peer in [dad, ann, ben, gran] {
        peer.cmd(&["join", ROOM]).expect(0);
        assert!(peer.cmd(&["members", ROOM]).code != Some(0), "{} is not in yet", peer.name());
    }
    let waiting = || mum.cmd(&["requests", ROOM, "--json"]).expect(0).json::<Value>();
    eventually(SOON, "four are at the door", waiting, |waiting| waiting.len() == 4);
    dad.cmd(&["accept", ROOM, "ann"]).expect(1);
    for name in ["dad", "ann", "ben"] {
        mum.cmd(&["accept", ROOM, name]).expect(0);
    }
    mum.cmd(&["decline", ROOM, "gran"]).expect(0);
    is_told(gran, MemberChange::Declined, "gran");
    for peer in [mum, dad, ann, ben] {
        let members = || peer.members(ROOM);
        eventually(SOON, "all four are in", members, |members| members.len() == 4 && members.iter().all(|m| m.online));
    }
    mum.cmd(&["promote", ROOM, "dad"]).expect(0);
    is_told(dad, MemberChange::Role, "dad");
    assert_eq!(dad.say_to_all(ROOM, "fish", WAIT).delivered.len(), 3);
}

fn ben_is_put_out_and_hears_no_more(mum: &Peer, dad: &Peer, ann: &Peer, ben: &Peer) {
    dad.cmd(&["kick", ROOM, "mum"]).expect(1);
    dad.cmd(&["kick", ROOM, "ben"]).expect(0);
    for peer in [mum, ann, ben] {
        let event = is_told(peer, MemberChange::Removed, "ben");
        assert_eq!(event.by.map(|by| by.to_string()).as_deref(), Some("dad"), "{} is told by whom", peer.name());
    }
    assert_eq!(ann.say_to_all(ROOM, "he does not like fish", WAIT).delivered.len(), 2);
    let refused = ben.cmd(&["say", ROOM, "I do"]).expect(1);
    assert!(refused.stderr.concat().contains(ROOM), "{:?}", refused.stderr);
    assert!(ben.messages(ROOM).iter().all(|message| !message.text.contains("does not like")), "out is out");
}

fn ann_takes_another_name(dad: &Peer, ann: &Peer) {
    let before = ann.say_to_all(ROOM, "call me anna", WAIT);
    ann.cmd(&["rename", "anna"]).expect(0);
    let event = is_told(dad, MemberChange::Renamed, "anna");
    assert_eq!(event.detail.as_deref(), Some("ann"));
    let members = || dad.members(ROOM);
    eventually(SOON, "she is listed as anna", members, |all| all.iter().any(|m| m.name.as_str() == "anna"));
    assert_eq!(ann.say_to_all(ROOM, "thank you", WAIT).seq, before.seq + 1, "it is the same log");
    let by: Vec<String> = dad.messages(ROOM).iter().rev().take(2).map(|message| message.from.to_string()).collect();
    assert_eq!(by, ["anna", "ann"], "what she said before was said under her name then");
}

fn talk_goes_on(from: &Peer, to: &Peer, called: &str, text: &str) {
    let said = from.say_to_all(ROOM, text, WAIT);
    assert!(said.pending.is_empty(), "{said:?}");
    let messages = to.messages(ROOM);
    assert!(messages.iter().any(|message| message.text == text && message.from.as_str() == called), "{messages:?}");
}

fn back_online(family: &[Peer]) {
    for peer in family {
        let what = format!("{} has its tracker again", peer.name());
        eventually(SOON, &what, || peer.status().tracker_state, |state| state == "up");
    }
}

/// Two more people, who have never had a tracker.
fn a_chat_without_a_tracker(lab: &Lab) {
    let (uncle, aunt) = (lab.host("uncle").peer("uncle"), lab.host("aunt").peer("aunt"));
    let waits = uncle.session_of(&["listen", "--as", "uncle", "--port", "40123", "--headless"]);
    let address = format!("{}:40123", uncle.host().ip());
    let calls = aunt.session_of(&["connect", &address, "--as", "aunt", "--headless"]);
    let seconds = WAIT.as_secs().to_string();
    let hello = || aunt.cmd_within(2 * WAIT, &["msg", "uncle", "it is me", "--wait", &seconds, "--json"]);
    let said = eventually(SOON, "she reaches him", hello, |said| said.code == Some(0));
    let said: Said = said.json().pop().expect("a line");
    assert_eq!(said.delivered.iter().map(ToString::to_string).collect::<Vec<_>>(), ["uncle"]);
    assert!(uncle.messages("@aunt").iter().any(|message| message.text == "it is me"));
    let outbox: Vec<Value> = aunt.cmd(&["outbox", "--json"]).expect(0).json();
    assert!(outbox.is_empty(), "{outbox:?}");
    drop((waits, calls));
}

/// A line of `peer contacts`; null while there is none.
fn contact(peer: &Peer, name: &str) -> Value {
    let lines: Vec<Value> = peer.cmd(&["contacts", "--json"]).expect(0).json();
    lines.into_iter().find(|line| line["name"] == name).unwrap_or_default()
}

/// Waits until somebody is told of a change of the room.
fn is_told(peer: &Peer, change: MemberChange, of: &str) -> MemberEvent {
    let find = || {
        happened(peer).into_iter().rev().find_map(|event| match event {
            Event::Member(event) if event.change == change && event.name.as_str() == of => Some(event),
            _ => None,
        })
    };
    let what = format!("{} is told that {of} {}", peer.name(), change.as_str());
    eventually(SOON, &what, find, Option::is_some).expect("it was just there")
}

/// All that has happened, in rooms that one is not in as well.
fn happened(peer: &Peer) -> Vec<Event> {
    let events: Vec<Event> = peer.cmd_within(2 * WAIT, &["tail", "--since", "0", "--json"]).expect(0).json();
    events.into_iter().filter(|event| matches!(event, Event::Member(event) if event.room.as_str() == ROOM)).collect()
}
