//! What a program sends in one burst reaches the switch as the frames that a real wire would carry.

use std::{
    net::{Ipv4Addr, UdpSocket},
    time::Duration,
};

use nix::sys::socket::{setsockopt, sockopt::UdpGsoSegment};
use tests::lab::{Lab, eventually};

use crate::quic::{endpoints, receive, transfer};

/// An Ethernet header and the MTU.
const LONGEST: usize = 14 + 1_500;
const SOON: Duration = Duration::from_secs(5);

pub fn a_burst_is_many_frames() {
    const PORT: u16 = 4_000;
    let lab = Lab::new();
    let (alice, bob) = (lab.host("alice"), lab.host("bob"));
    let [from, to] =
        [&alice, &bob].map(|host| host.enter(|| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT))).expect("free"));
    to.set_read_timeout(Some(SOON)).expect("a timeout");
    setsockopt(&from, UdpGsoSegment, &1_000).expect("the system splits bursts");
    from.send_to(&[7; 10_000], (bob.ip(), PORT)).expect("a burst is sent");
    for _ in 0..10 {
        assert_eq!(to.recv(&mut [0; 20_000]).expect("all of it arrives"), 1_000);
    }
    let received = lab.counters(&bob).received.port(PORT);
    assert_eq!((received.count, received.bytes), (10, 10_000));
}

pub fn quic_sends_frames_of_the_mtu() {
    let lab = Lab::new();
    let (alice, bob) = (lab.host("alice"), lab.host("bob"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _runs = runtime.enter();
    let (client, server) = endpoints(&alice, &bob);
    let bytes = vec![7; 1024 * 1024];
    let received = runtime.block_on(async { tokio::join!(transfer(&client, &server, &bytes), receive(&server)).1 });
    assert!(received == bytes);
    let look = || lab.counters(&alice).sent;
    let sent = eventually(SOON, "the transfer is counted", look, |sent| sent.bytes > bytes.len() as u64);
    assert!(sent.longest <= LONGEST, "a frame of {} bytes", sent.longest);
}
