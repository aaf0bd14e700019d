//! What a program sends in one burst reaches the switch as the frames that a real wire would carry.

use std::time::Duration;

use tests::lab::{Lab, eventually};

use crate::quic::{endpoints, receive, transfer};

/// An Ethernet header and the MTU.
const LONGEST: usize = 14 + 1_500;

pub fn a_burst_is_many_frames() {
    let lab = Lab::new();
    let (alice, bob) = (lab.host("alice"), lab.host("bob"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _runs = runtime.enter();
    let (client, server) = endpoints(&alice, &bob);
    let bytes = vec![7; 1024 * 1024];
    let received = runtime.block_on(async { tokio::join!(transfer(&client, &server, &bytes), receive(&server)).1 });
    assert!(received == bytes);
    let sent = eventually(
        Duration::from_secs(5),
        "the transfer is counted",
        || lab.counters(&alice).sent,
        |sent| sent.bytes > bytes.len() as u64,
    );
    assert!(sent.longest <= LONGEST, "a frame of {} bytes", sent.longest);
    let datagrams: u64 = sent.udp.values().map(|datagrams| datagrams.count).sum();
    assert!(datagrams >= bytes.len() as u64 / LONGEST as u64, "{datagrams} datagrams");
}
