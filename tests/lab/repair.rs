//! What was said while a member was away comes from whoever has it, its author long gone; and the author's tick comes
//! when the author is back.

use std::time::Duration;

use tests::lab::{Wire, eventually};

use crate::crowd::{Crowd, ROOM, SOON};

const WAIT: Duration = Duration::from_secs(20);
const MESSAGES: usize = 50;

pub fn a_third_member_has_it_and_the_tick_comes_when_the_author_is_back() {
    let mut crowd = Crowd::gather(&["alice", "bob", "carol"], Wire::default());
    let [alice, bob, carol] = crowd.peers.as_mut_slice() else { unreachable!("three were gathered") };
    carol.session().kill();
    let texts: Vec<String> = (0..MESSAGES).map(|number| format!("while carol was away {number}")).collect();
    let said: Vec<_> = texts.iter().map(|text| alice.say(ROOM, text)).collect();
    let count = || bob.messages(ROOM).len();
    eventually(WAIT, "bob has it all", count, |count| *count == MESSAGES);
    alice.session().kill();

    carol.login(&[]);
    let shown = || carol.messages(ROOM);
    let shown = eventually(SOON, "carol has it from bob", shown, |shown| shown.len() >= MESSAGES);
    assert!(shown.iter().map(|message| &message.text).eq(&texts), "once each, and in order: {shown:?}");
    assert!(shown.iter().all(|message| message.path == "via bob"), "{shown:?}");

    alice.login(&[]);
    let last = said.last().expect("there are messages");
    let receipts = || alice.receipts(&last.id);
    let all = eventually(SOON, "alice is told", receipts, |receipts| receipts.iter().all(|receipt| receipt.delivered));
    assert_eq!(all.len(), 2, "{all:?}");
    eventually(SOON, "nothing waits", || alice.status().undelivered, |undelivered| *undelivered == 0);
    assert_eq!(carol.messages(ROOM).len(), MESSAGES, "nothing came twice");
}
