//! Real peers and a tracker on loopback, as the benchmarks have them, and one who talks.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc};

use common::{
    AccountName, Identity, RoomName,
    address::Addresses,
    net::{endpoint, tls::Certificate},
    wire::{
        control::{Event, ReceiptEvent},
        peer::ALPN,
    },
};
use peer::{Config, Handle, Host, Setup, Store};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    task::JoinSet,
};
use tracker::{Parts, Running};

use crate::measure::Deliveries;

/// Messages that wait to be said at once, at the most.
const SAYING: u64 = 2_048;

/// Starts a tracker with its tables in memory.
///
/// # Panics
/// Like everything here, if something does not do what it should.
pub fn start_tracker() -> Running {
    let certificate = Certificate::new(&Identity::from_seed([255; 32])).expect("a certificate");
    let config = tracker::Config::default();
    let server = tracker::server_config(&certificate, &config).expect("a TLS config");
    let store = tracker::store::Store::in_memory(1).expect("a store");
    let parts = Parts { config, endpoint: bound(server), store, clock: tracker::system_clock(), run: 1 };
    Running::start(parts).expect("the tracker starts")
}

/// What the member with this number is called.
pub fn name(number: usize) -> AccountName {
    format!("member-{number}").parse().expect("a name")
}

/// Starts the member with this number, from the history at `store`, or with one in memory.
pub fn start_peer(number: usize, store: Option<&Path>, tracker: SocketAddr, config: Config) -> Handle {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    let identity = Identity::from_seed(seed);
    let certificate = Certificate::new(&identity).expect("a certificate");
    let server = endpoint::server_config(&certificate, ALPN, &config.link_limits()).expect("a TLS config");
    let (kept, saved) = match store {
        Some(path) => Store::open(path, &identity.key()),
        None => Store::in_memory(&identity.key()),
    }
    .expect("a store");
    let setup = Setup {
        config,
        name: name(number),
        identity,
        endpoint: bound(server),
        certificate,
        tracker: Some(tracker),
        tracker_key: None,
        invite: None,
        store: store.unwrap_or(Path::new("in memory")).into(),
        files: store.unwrap_or(Path::new("in memory")).with_file_name("files"),
        used: false,
    };
    let loopback = |port| Addresses::new([SocketAddr::from(([127, 0, 0, 1], port))]);
    let host = Host { interfaces: Arc::new(loopback), seed: number as u64, ..Host::system() };
    peer::spawn_on(setup, host, kept, saved)
}

/// Says so many messages, as fast as they are taken.
pub async fn say_all(author: &Handle, room: &RoomName, messages: u64, text: impl Fn(u64) -> String) {
    let mut saying = JoinSet::new();
    for share in 0..SAYING.min(messages) {
        let texts: Vec<String> = (share..messages).step_by(SAYING as usize).map(&text).collect();
        let (author, room) = (author.clone(), room.clone());
        saying.spawn(async move {
            for text in texts {
                author.say(room.clone(), text).await.expect("said");
            }
        });
    }
    saying.join_all().await;
}

/// Counts receipts of some members for messages after number `said`, until the author's peer ends.
pub async fn count_receipts(
    mut events: Receiver<Event>,
    said: u64,
    of: impl Fn(&AccountName) -> bool,
    deliveries: Arc<Deliveries>,
) {
    let mut held: BTreeMap<AccountName, u64> = BTreeMap::new();
    loop {
        match events.recv().await {
            Ok(Event::Receipt(ReceiptEvent { name, last, .. })) if of(&name) => {
                // Of those that were said before nothing is counted.
                let before = held.get(&name).copied().unwrap_or(said);
                if last > before {
                    deliveries.arrived(before - said..last - said);
                    held.insert(name, last);
                }
            }
            // A receipt says everything that the ones before it said.
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

fn bound(server: quinn::ServerConfig) -> quinn::Endpoint {
    let socket = endpoint::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a socket");
    endpoint::endpoint(socket, server).expect("an endpoint")
}

/// Looks again and again until something is so.
///
/// # Panics
/// If it is not within two minutes.
pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !so().await {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let deadline = std::time::Duration::from_secs(120);
    tokio::time::timeout(deadline, looking).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}
