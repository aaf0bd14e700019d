//! A member that is held, or whose disk is full, costs nobody else anything.

use std::time::Duration;

use tests::lab::{Wire, eventually};

use crate::crowd::{Crowd, ROOM, SOON, Saying, everybody_has, everybody_is_linked, everything_is_delivered};

const WAIT: Duration = Duration::from_secs(10);
const MESSAGES: usize = 200;
/// Room for an empty history and what belongs to it, in bytes.
const DISK: usize = 4 * 1024 * 1024;
/// Length of a text that soon uses up what is left in files that are there already.
const TEXT: usize = 8 * 1024;

pub fn the_others_talk_on_while_it_is_held_and_it_gets_everything() {
    let crowd = Crowd::gather(&["alice", "bob", "carol"], Wire::default());
    let [alice, bob, carol] = crowd.peers.as_slice() else { unreachable!("three were gathered") };
    carol.session().stop();
    let mut said = Saying::new();
    let mut control = alice.control();
    for number in 0..MESSAGES {
        let text = format!("carol sleeps {number}");
        let answer = control.say(ROOM, &text).expect("it is said");
        assert!(answer.delivered.iter().all(|name| name.as_str() != carol.name()), "{answer:?}");
        said.entry(alice.name().into()).or_default().push(text);
    }
    eventually(WAIT, "bob has it all", || bob.messages(ROOM).len(), |count| *count == MESSAGES);
    let pending = || alice.status().undelivered;
    eventually(SOON, "only carol lacks it", pending, |undelivered| *undelivered == MESSAGES as u64);

    carol.session().resume();
    everything_is_delivered(&crowd.peers);
    everybody_has(&crowd.peers, &said, |_| true);
}

pub fn the_others_talk_on_while_its_disk_is_full_and_it_gets_everything_once_there_is_room() {
    let mut crowd = Crowd::gather(&["alice", "bob"], Wire::default());
    let host = crowd.lab.host("carol");
    let disk = host.small_disk(DISK);
    crowd.add_on(&host, "carol");
    everybody_is_linked(&crowd.peers);
    let [alice, bob, carol] = crowd.peers.as_slice() else { unreachable!("three were gathered") };
    disk.fill();
    // Until what was left in its files is used up.
    let text = "x".repeat(TEXT);
    let mut said = Saying::new();
    let texts = said.entry(alice.name().into()).or_default();
    let mut control = alice.control();
    for number in 0..MESSAGES {
        texts.push(format!("carol has no room {number} {text}"));
        control.say(ROOM, &texts[number]).expect("it is said");
    }
    eventually(WAIT, "bob has it all", || bob.messages(ROOM).len(), |count| *count == MESSAGES);
    let last = control.say(ROOM, "it is over").expect("it is said");
    texts.push("it is over".into());
    let ticked = || {
        let receipts = alice.receipts(&last.id).into_iter().filter(|receipt| receipt.delivered);
        receipts.map(|receipt| receipt.name.to_string()).collect::<Vec<_>>()
    };
    eventually(WAIT, "bob alone is ticked", ticked, |ticked| ticked == &["bob"]);
    let refused = carol.cmd(&["say", ROOM, "and me?"]).expect(3);
    assert!(refused.complains_of("Make room"), "{refused:?}");

    disk.clear();
    everything_is_delivered(&crowd.peers);
    everybody_has(&crowd.peers, &said, |text| text != "and me?");
    for peer in &crowd.peers {
        // It is said by itself, or not at all.
        assert!(peer.messages(ROOM).iter().filter(|message| message.text == "and me?").count() <= 1);
    }
}

pub fn a_session_whose_disk_is_full_can_be_ended_and_says_what_it_could_not_keep() {
    let mut crowd = Crowd::gather(&["alice"], Wire::default());
    let host = crowd.lab.host("carol");
    let disk = host.small_disk(DISK);
    crowd.add_on(&host, "carol");
    let carol = &crowd.peers[1];
    disk.fill();
    let text = "x".repeat(TEXT);
    let say = || carol.cmd(&["say", ROOM, &text]);
    let refused =
        eventually(WAIT, "what was left in its files is used up", say, |said| said.complains_of("not kept yet"));
    let refused = refused.expect(3);
    assert!(refused.complains_of("goes out by itself"), "{refused:?}");
    let refused = carol.cmd(&["status"]).expect(3);
    assert!(refused.complains_of("to end the session instead: peer logout"), "{refused:?}");
    let ended = carol.cmd(&["logout"]).expect(1);
    assert!(ended.complains_of("1 message of yours that could not be kept went to nobody"), "{ended:?}");
    eventually(WAIT, "it has ended", || carol.session().is_running(), |runs| !runs);
    disk.clear();
    crowd.peers[1].login(&[]);
}
