//! Two members who cannot reach each other and share a third: what they say goes through it, and so do the receipts.

use std::time::{Duration, Instant};

use tests::lab::{Peer, Wire, eventually};

use crate::crowd::{Crowd, ROOM, SOON, everybody_is_linked};

/// Links die sooner than usual, and are tried again sooner.
const SETTINGS: &str = "keep_alive_s = 1\ndead_after_s = 3\nmember_retry_s = 2\n";
const WAIT: Duration = Duration::from_secs(20);
/// How long a silent link is taken for alive, and until a keep-alive notices that it is silent, where it is not set
/// otherwise.
const DEAD: Duration = Duration::from_secs(15 + 5);
/// Until somebody else brings what comes no more straight.
const SECONDS: Duration = Duration::from_secs(5);

pub fn a_message_goes_around_it_and_straight_once_it_has_fallen() {
    let crowd = Crowd::gather_with(&["alice", "bob", "carol"], Wire::default(), SETTINGS);
    let [alice, bob, carol] = crowd.peers.as_slice() else { unreachable!("three were gathered") };
    build_wall(&crowd, alice, bob);
    arrives(alice, "over the wall", bob, &format!("via {}", carol.name()));
    arrives(bob, "and back", alice, &format!("via {}", carol.name()));

    crowd.lab.heal();
    everybody_is_linked(&crowd.peers);
    arrives(alice, "it has fallen", bob, "direct");
}

/// Nothing tells a peer that a wall has been raised but the silence of its link, which counts from the first keep-alive
/// that goes unanswered.
pub fn it_is_got_around_within_seconds_of_being_noticed() {
    let crowd = Crowd::gather(&["alice", "bob", "carol"], Wire::default());
    let [alice, bob, carol] = crowd.peers.as_slice() else { unreachable!("three were gathered") };
    crowd.lab.cut(alice.host(), bob.host());
    let raised = Instant::now();
    let said = alice.say(ROOM, "is there a wall?");
    let shown = || bob.messages(ROOM).into_iter().find(|message| message.id == said.id);
    let shown = eventually(SOON, "bob has it", shown, Option::is_some);
    assert!(raised.elapsed() < DEAD + SECONDS, "{:?}", raised.elapsed());
    assert_eq!(shown.map(|message| message.path), Some(format!("via {}", carol.name())));
}

pub fn another_takes_over_from_the_one_in_the_middle_that_dies() {
    let crowd = Crowd::gather_with(&["alice", "bob", "carol", "dave"], Wire::default(), SETTINGS);
    let [alice, bob, carol, dave] = crowd.peers.as_slice() else { unreachable!("four were gathered") };
    build_wall(&crowd, alice, bob);
    // So that it is carol who passes it on.
    crowd.lab.cut(alice.host(), dave.host());
    arrives(alice, "through carol", bob, &format!("via {}", carol.name()));
    carol.session().kill();
    crowd.lab.mend(alice.host(), dave.host());
    arrives(alice, "through dave", bob, &format!("via {}", dave.name()));
}

/// Cuts two off from each other, and waits until both have noticed.
fn build_wall(crowd: &Crowd, one: &Peer, other: &Peer) {
    crowd.lab.cut(one.host(), other.host());
    for (peer, other) in [(one, other), (other, one)] {
        let path = || peer.members(ROOM).into_iter().find(|m| m.name.as_str() == other.name()).map(|m| m.path);
        eventually(SOON, "the wall is noticed", path, |path| path.as_deref() != Some("direct"));
    }
}

/// What one says, the other gets on this path, and the receipt comes back on it.
#[track_caller]
fn arrives(from: &Peer, text: &str, to: &Peer, path: &str) {
    let said = from.say(ROOM, text);
    let shown = || to.messages(ROOM).into_iter().filter(|message| message.id == said.id).collect::<Vec<_>>();
    let shown = eventually(WAIT, &format!("{} has it", to.name()), shown, |messages| !messages.is_empty());
    assert_eq!(shown.len(), 1, "it is shown once: {shown:?}");
    assert_eq!((shown[0].text.as_str(), shown[0].path.as_str()), (text, path));
    let receipt = || from.receipts(&said.id).into_iter().find(|receipt| receipt.name.as_str() == to.name());
    let receipt =
        eventually(WAIT, "the receipt is back", receipt, |receipt| receipt.as_ref().is_some_and(|r| r.delivered));
    assert_eq!(receipt.map(|receipt| receipt.path).as_deref(), Some(path));
}
