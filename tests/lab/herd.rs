//! Everybody comes back at once: a tracker that was killed, or has said goodbye, is not knocked over by those who miss
//! it. Nobody is turned away for good, nobody does anything, and the tables are what they were.

use std::{cell::RefCell, collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc, time::Instant};

use common::{
    Identity, RoomName,
    address::Addresses,
    net::{endpoint, tls::Certificate},
    wire::peer::ALPN,
};
use peer::{Config, Handle, Setup, Store};
use tests::{
    lab::{Host, Lab, Tracker, eventually},
    measure,
};
use tokio::{runtime::Runtime, task::JoinSet};

use crate::crowd::{ROOM, SOON};

const PEERS: usize = 400;

/// Its peers notice at their next keep-alive, when it is back and knows them no more.
pub fn after_it_was_killed() {
    everybody_is_back(|tracker| tracker.process().kill());
}

/// Its peers are told, all in the same moment.
pub fn after_it_said_goodbye() {
    everybody_is_back(|tracker| {
        tracker.process().terminate();
        assert!(tracker.process().wait(SOON).success());
    });
}

fn everybody_is_back(ends: fn(&Tracker)) {
    let lab = Lab::new();
    let (server, office) = (lab.host("server"), lab.host("office"));
    let mut tracker = server.tracker(&["--no-mdns"]);
    let runtime = Runtime::new().expect("a runtime");
    let room: RoomName = ROOM.parse().expect("a name");
    let herd = gather(&runtime, &office, tracker.address(), &room);
    everybody_knows_all(&runtime, &herd, &room);
    let members = tracker.counts().members;
    let full = measure::resident_kib(tracker.process().id());

    ends(&tracker);
    tracker.start_again();
    let began = Instant::now();
    let lost = RefCell::new(BTreeMap::new());
    let sessions = || {
        note_why_it_was_lost(&runtime, &herd, &mut lost.borrow_mut());
        tracker.counts().sessions
    };
    let back = |share: f64| {
        let wanted = (PEERS as f64 * share).ceil() as u64;
        eventually(SOON, "they are back", sessions, |sessions| *sessions >= wanted);
        began.elapsed().as_secs_f64()
    };
    let [first, half, most, all] = [1.0 / PEERS as f64, 0.5, 0.9, 1.0].map(back);
    println!(
        "{PEERS} peers: the first is back after {first:.1} s, half {half:.1}, nine tenths {most:.1}, all {all:.1}"
    );
    let memory = measure::resident_kib(tracker.process().id());
    let silent: Vec<_> = lost.take().into_iter().filter(|(_, why)| why.contains("not heard")).collect();
    assert!(silent.is_empty(), "they were not told, and found out by silence: {silent:?}");
    println!("memory of the tracker: {full} KiB before, {memory} KiB after");

    everybody_knows_all(&runtime, &herd, &room);
    let counts = tracker.counts();
    assert_eq!((counts.sessions, counts.members), (PEERS as u64, members));
    for line in tracker.process().stderr() {
        assert!(!line.contains("ERROR") && !line.contains("panicked"), "{line}");
    }
}

/// The first reason each peer gives for being without the tracker: what it meets when it dials again is another matter.
fn note_why_it_was_lost(runtime: &Runtime, herd: &[Handle], lost: &mut BTreeMap<usize, String>) {
    for (number, peer) in herd.iter().enumerate() {
        let status = runtime.block_on(peer.status()).expect("the peer has not ended");
        if let Some(why) = status.trouble {
            lost.entry(number).or_insert(why);
        }
    }
}

/// So many real peers on one host, all members of one room.
fn gather(runtime: &Runtime, host: &Host, tracker: SocketAddr, room: &RoomName) -> Vec<Handle> {
    let peers: Vec<Handle> = (0..PEERS).map(|number| start(runtime, host, tracker, number)).collect();
    runtime.block_on(async {
        let mut joining = JoinSet::new();
        for (peer, room) in peers.iter().cloned().zip(std::iter::repeat(room.clone())) {
            joining.spawn(async move {
                peer.welcomed().await.expect("a welcome");
                peer.join(room).await.expect("joined");
            });
        }
        joining.join_all().await;
    });
    peers
}

/// A peer with its store in memory. The room is larger than any that keeps links: only the tracker has work.
fn start(runtime: &Runtime, host: &Host, tracker: SocketAddr, number: usize) -> Handle {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    let identity = Identity::from_seed(seed);
    let config = Config::default();
    let certificate = Certificate::new(&identity).expect("a certificate");
    let server = endpoint::server_config(&certificate, ALPN, &config.link_limits()).expect("a TLS config");
    let any = SocketAddr::new(host.ip(), 0);
    let socket = host.enter(move || endpoint::bind(any)).expect("a socket");
    let address = socket.local_addr().expect("an address");
    let _runs = runtime.enter();
    let (store, saved) = Store::in_memory(&identity.key()).expect("a store");
    let setup = Setup {
        config,
        name: format!("member-{number}").parse().expect("a name"),
        identity,
        endpoint: endpoint::endpoint(socket, server).expect("an endpoint"),
        certificate,
        tracker: Some(tracker),
        tracker_key: None,
        invite: None,
        store: Path::new("in memory").into(),
        files: Path::new("in memory").into(),
        used: false,
    };
    let interfaces = Arc::new(move |_| Addresses::new([address]));
    peer::spawn_on(setup, peer::Host { interfaces, ..peer::Host::system() }, store, saved)
}

/// Waits until every peer sees all members online.
fn everybody_knows_all(runtime: &Runtime, herd: &[Handle], room: &RoomName) {
    for peer in herd {
        let look = || runtime.block_on(peer.members(room.clone())).expect("the peer has not ended");
        eventually(
            SOON,
            "all are online",
            || look().iter().filter(|member| member.online).count(),
            |online| *online == PEERS,
        );
        assert_eq!(runtime.block_on(peer.status()).expect("a status").tracker_state, "up");
    }
}
