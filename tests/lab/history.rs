//! What those who join later are shown: in an open room everything, by whoever is there; in another nothing.

use std::time::Duration;

use common::{table::History, wire::control::MessageEvent};
use tests::lab::{Lab, eventually};

use crate::crowd::{ROOM, SOON};

const OPEN: &str = "library";
const WAIT: Duration = Duration::from_secs(20);
const TURNS: usize = 20;

pub fn who_joins_an_open_room_sees_what_those_who_left_have_said_in_it() {
    let lab = Lab::new();
    let tracker = lab.host("server").tracker(&["--no-mdns"]);
    let address = tracker.address().to_string();
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| {
        let mut peer = lab.host(name).peer(name);
        peer.login(&["--tracker", &address]);
        peer
    });
    alice.cmd(&["join", OPEN, "--history", "all"]).expect(0);
    let refused = bob.cmd(&["join", OPEN, "--history", "joined"]).expect(1);
    assert!(refused.stderr.concat().contains("peer join library"), "it says how to join: {:?}", refused.stderr);
    bob.join(OPEN);
    alice.join(ROOM);
    bob.join(ROOM);
    let rooms = alice.rooms();
    let history = |name: &str| rooms.iter().find(|room| room.room.as_str() == name).map(|room| room.history);
    assert_eq!((history(OPEN), history(ROOM)), (Some(History::All), Some(History::Joined)));

    // Each waits for the other's word, so that the order is the same for everybody.
    for turn in 0..TURNS {
        for room in [OPEN, ROOM] {
            alice.say_to_all(room, &format!("alice {turn}"), WAIT);
            bob.say_to_all(room, &format!("bob {turn}"), WAIT);
        }
    }
    let said = told(&bob.messages(OPEN));
    assert_eq!(said.len(), 2 * TURNS);
    [OPEN, ROOM].into_iter().for_each(|room| alice.leave(room));
    carol.join(OPEN);
    carol.join(ROOM);
    let shown = || carol.messages(OPEN);
    let shown = eventually(SOON, "carol is shown all of it", shown, |shown| shown.len() >= said.len());
    assert_eq!(told(&shown), said, "once each, in order, by their authors' names");
    assert!(shown.iter().all(|message| message.mark.is_none()), "{shown:?}");

    bob.say_to_all(OPEN, "hello carol", WAIT);
    bob.say_to_all(ROOM, "hello carol", WAIT);
    assert_eq!(carol.messages(OPEN).len(), said.len() + 1, "nothing came twice");
    assert_eq!(told(&carol.messages(ROOM)), [("bob".to_string(), "hello carol".to_string())]);
}

fn told(messages: &[MessageEvent]) -> Vec<(String, String)> {
    messages.iter().map(|message| (message.from.to_string(), message.text.clone())).collect()
}
