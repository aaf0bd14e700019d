//! The tables outlive the tracker: while it is dead a room goes on talking, and when it is back nobody needs to do
//! anything.

use std::time::Duration;

use tests::lab::{Peer, Wire, eventually};

use crate::crowd::{Crowd, ROOM, SOON, everybody_is_linked};

const WAIT: Duration = Duration::from_secs(10);

pub fn the_room_goes_on_and_nobody_needs_to_do_anything() {
    let mut crowd = Crowd::gather(&["alice", "bob", "carol"], Wire::default());
    crowd.tracker.process().kill();
    for peer in &crowd.peers {
        eventually(SOON, "the peer knows", || peer.status().tracker_state, |state| state != "up");
    }
    for peer in &crowd.peers {
        let said = peer.say_to_all(ROOM, "is it gone?", WAIT);
        assert_eq!((said.delivered.len(), said.pending.len()), (2, 0), "{said:?}");
        assert_eq!(peer.members(ROOM).len(), 3);
    }

    crowd.tracker.start_again();
    for peer in &crowd.peers {
        eventually(SOON, "the peer is back", || peer.status().tracker_state, |state| state == "up");
    }
    let dave = crowd.add("dave");
    eventually(SOON, "dave has the members", || dave.members(ROOM).len(), |members| *members == 4);
    everybody_is_linked(&crowd.peers);
    for peer in &crowd.peers {
        let said = peer.say_to_all(ROOM, "it is back", WAIT);
        assert_eq!((said.delivered.len(), said.pending.len()), (3, 0), "{said:?}");
    }

    let [alice, bob, ..] = crowd.peers.as_slice() else { unreachable!("four were gathered") };
    bob.cmd(&["logout"]).expect(0);
    eventually(SOON, "alice sees bob offline", || is_online(alice, "bob"), |online| *online == Some(false));
}

fn is_online(peer: &Peer, name: &str) -> Option<bool> {
    peer.members(ROOM).into_iter().find(|member| member.name.as_str() == name).map(|member| member.online)
}
