//! A tracker inside a peer, which is how the README begins.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use tests::lab::{Lab, eventually};

use crate::crowd::{ROOM, SOON, everybody_is_linked};

const TRACKER_PORT: u16 = 27655;
const WAIT: Duration = Duration::from_secs(10);

pub fn who_hosts_the_tracker_is_found_talked_with_and_missed() {
    let lab = Lab::new();
    let mut alice = lab.host("alice").peer("alice");
    assert_eq!(alice.login(&["--host"]).tracker, SocketAddr::new(Ipv4Addr::LOCALHOST.into(), TRACKER_PORT));
    let mut bob = lab.host("bob").peer("bob");
    let found = bob.login(&[]).tracker;
    assert_eq!(found, SocketAddr::new(alice.host().ip(), TRACKER_PORT), "nobody has named it");
    let peers = [alice, bob];
    peers.iter().for_each(|peer| peer.join(ROOM));
    everybody_is_linked(&peers);
    for (peer, other) in [(&peers[0], "bob"), (&peers[1], "alice")] {
        let said = peer.say_to_all(ROOM, "hello", WAIT);
        assert_eq!(said.delivered.iter().map(|name| name.as_str()).collect::<Vec<_>>(), [other]);
    }

    let [alice, bob] = &peers;
    alice.cmd(&["logout"]).expect(0);
    assert!(alice.session().wait(WAIT).success());
    eventually(SOON, "bob knows that the tracker is gone", || bob.status().tracker_state, |state| state == "down");
}

pub fn one_that_is_not_announced_is_named() {
    let lab = Lab::new();
    let host = lab.host("alice");
    let mut alice = host.peer("alice");
    alice.login(&["--host", "--no-mdns"]);
    let bob = lab.host("bob").peer("bob");
    let refused = bob.try_login(&[]).expect(3);
    assert!(refused.complains_of("--tracker"), "{refused:?}");
    // On the same machine, as on another.
    for (mut peer, place) in [(host.peer("carol"), IpAddr::from(Ipv4Addr::LOCALHOST)), (bob, host.ip())] {
        assert_eq!(peer.login(&["--tracker", &place.to_string()]).tracker, SocketAddr::new(place, TRACKER_PORT));
        peer.join(ROOM);
    }
}

pub fn a_port_that_is_taken_is_told_of() {
    let lab = Lab::new();
    let host = lab.host("alice");
    let _taken = host.enter(|| UdpSocket::bind(("0.0.0.0", TRACKER_PORT))).expect("a socket");
    let refused = host.peer("alice").try_login(&["--host"]).expect(1);
    assert!(refused.complains_of("27655") && refused.complains_of("--host"), "{refused:?}");
}
