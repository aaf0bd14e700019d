//! Real peers with a real tracker: what is said is stored, synced and receipted.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc, time::Duration};

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
use tests::measure::Deliveries;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    task::JoinSet,
};
use tracker::{Parts, Running};

use crate::TEXT;

/// Messages that wait to be said at once, at the most.
const SAYING: u64 = 2_048;

/// Where the peers keep what they hold.
pub enum Disk {
    /// In files, synced.
    Real,
    /// In memory.
    None,
}

/// A room, and one member in it who talks.
pub struct Room {
    name: RoomName,
    author: Handle,
    others: Vec<Handle>,
    said: u64,
    _tracker: Running,
    _folder: tempfile::TempDir,
}

impl Room {
    /// A room of the author and `receivers` others, each linked to the author.
    pub async fn new(receivers: usize, disk: Disk) -> Room {
        let folder = tempfile::tempdir().expect("a folder");
        let tracker = start_tracker();
        let name: RoomName = "hall".parse().expect("a name");
        let mut joining = JoinSet::new();
        for number in 0..=receivers {
            let store = match disk {
                Disk::Real => Some(folder.path().join(format!("{number}.sqlite"))),
                Disk::None => None,
            };
            let (handle, name) = (start_peer(number, store.as_deref(), tracker.address()), name.clone());
            joining.spawn(async move {
                handle.welcomed().await.expect("a welcome");
                handle.join(name).await.expect("joined");
                (number, handle)
            });
        }
        let mut peers: BTreeMap<usize, Handle> = joining.join_all().await.into_iter().collect();
        let author = peers.remove(&0).expect("the first");
        while author.members(name.clone()).await.expect("members").len() <= receivers {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let others = peers.into_values().collect();
        let mut room = Room { name, author, others, said: 0, _tracker: tracker, _folder: folder };
        // Links are made for the first message.
        room.flood(1, &Arc::new(Deliveries::new(1, receivers, false))).await;
        room
    }

    /// Says so many messages as fast as they are taken; a delivery counts when its receipt is back.
    pub async fn flood(&mut self, messages: u64, deliveries: &Arc<Deliveries>) {
        let counting = tokio::spawn(count(self.author.events(), self.said, deliveries.clone()));
        let mut saying = JoinSet::new();
        for share in 0..SAYING.min(messages) {
            let (author, name) = (self.author.clone(), self.name.clone());
            saying.spawn(async move {
                for _ in (share..messages).step_by(SAYING as usize) {
                    author.say(name.clone(), "x".repeat(TEXT)).await.expect("said");
                }
            });
        }
        saying.join_all().await;
        deliveries.all().await;
        counting.abort();
        self.said += messages;
    }

    /// From now on, a delivery counts when the receiver has it in its store and shows it.
    pub fn listen(&self, deliveries: &Arc<Deliveries>) {
        for other in &self.others {
            let (mut events, deliveries, said) = (other.events(), deliveries.clone(), self.said);
            tokio::spawn(async move {
                while let Ok(event) = events.recv().await {
                    if let Event::Message(message) = event {
                        let number = message.seq - said - 1;
                        deliveries.arrived(number..number + 1);
                    }
                }
            });
        }
    }

    /// Says one message.
    pub fn say(&self) {
        let (author, name) = (self.author.clone(), self.name.clone());
        tokio::spawn(async move { author.say(name, "x".repeat(TEXT)).await.expect("said") });
    }
}

/// Counts receipts for messages after number `said`.
async fn count(mut events: Receiver<Event>, said: u64, deliveries: Arc<Deliveries>) {
    let mut held: BTreeMap<AccountName, u64> = BTreeMap::new();
    loop {
        match events.recv().await {
            Ok(Event::Receipt(ReceiptEvent { name, last, .. })) => {
                let before = held.insert(name, last).unwrap_or(said);
                deliveries.arrived(before - said..last - said);
            }
            // A receipt says everything that the ones before it said.
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

fn start_tracker() -> Running {
    let certificate = Certificate::new(&Identity::from_seed([255; 32])).expect("a certificate");
    let config = tracker::Config::default();
    let server = tracker::server_config(&certificate, &config).expect("a TLS config");
    let store = tracker::store::Store::in_memory(1).expect("a store");
    let parts = Parts { config, endpoint: bound(server), store, clock: tracker::system_clock(), run: 1 };
    Running::start(parts).expect("the tracker starts")
}

fn start_peer(number: usize, store: Option<&Path>, tracker: SocketAddr) -> Handle {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    let identity = Identity::from_seed(seed);
    // A link is made only when there is something to deliver: the others have nothing for each other.
    let config = Config { mesh_members: 0, dials_per_second: 10_000, ..Config::default() };
    let certificate = Certificate::new(&identity).expect("a certificate");
    let server = endpoint::server_config(&certificate, ALPN, &config.link_limits()).expect("a TLS config");
    let (kept, saved) = match store {
        Some(path) => Store::open(path, &identity.key()),
        None => Store::in_memory(&identity.key()),
    }
    .expect("a store");
    let setup = Setup {
        config,
        name: format!("member-{number}").parse().expect("a name"),
        identity,
        endpoint: bound(server),
        certificate,
        tracker,
        tracker_key: None,
        store: store.unwrap_or(Path::new("in memory")).into(),
    };
    let loopback = |port| Addresses::new([SocketAddr::from(([127, 0, 0, 1], port))]);
    let host = Host { interfaces: Arc::new(loopback), seed: number as u64, ..Host::system() };
    peer::spawn_on(setup, host, kept, saved)
}

fn bound(server: quinn::ServerConfig) -> quinn::Endpoint {
    let socket = endpoint::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a socket");
    endpoint::endpoint(socket, server).expect("an endpoint")
}
