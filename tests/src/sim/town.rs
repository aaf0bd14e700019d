//! A tracker and people with peers, all real, on the simulated network: only the sockets, the clock and the disks are
//! not.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use common::{
    AccountName, Identity, Key, RoomName,
    address::Addresses,
    net::{endpoint, tls::Certificate},
    wire::{
        control::{Event, MessageEvent},
        peer::ALPN,
    },
};
use peer::{Config, Handle, Host as PeerHost, Setup, Store, core::Saved};
use tempfile::TempDir;
use tokio::time::{Instant, timeout};
use tracker::{Parts, Running};

use super::{Host, Net};

/// How long anything may take before a scenario has failed, in virtual time.
const PATIENCE: Duration = Duration::from_secs(120);
/// 2026 or so, in milliseconds since 1970.
const EPOCH: u64 = 1_790_000_000_000;

/// The tracker, and what it takes to start others.
pub struct Town {
    net: Net,
    start: Instant,
    tracker_store: tracker::store::Store,
    tracker: Option<Running>,
    runs: u64,
    /// Files are on the real disk: each person has a folder in it.
    folder: TempDir,
}

/// A person whose peer is running.
pub struct Person {
    /// What it is called.
    pub name: AccountName,
    /// Its peer.
    pub handle: Handle,
    /// Where it is.
    pub host: Host,
    /// Its own folder.
    pub folder: PathBuf,
    number: u16,
    store: Store,
    slept: Arc<AtomicU64>,
}

/// A person whose peer was killed: what is left of it is its disk.
pub struct Killed {
    /// What it is called.
    pub name: AccountName,
    number: u16,
    store: Store,
}

impl Town {
    /// A town with a tracker in it.
    ///
    /// # Panics
    /// Like everything here, if the tracker or a peer does not do what it should.
    pub fn new(net: &Net) -> Town {
        let tracker_store = tracker::store::Store::in_memory(1).expect("a store in memory");
        let folder = tempfile::Builder::new().prefix("town").tempdir().expect("a folder");
        let mut town = Town { net: net.clone(), start: Instant::now(), tracker_store, tracker: None, runs: 0, folder };
        town.start_tracker();
        town
    }

    /// Where the tracker is.
    pub fn tracker_host() -> Host {
        Host::from(([10, 0, 0, 1], 27655))
    }

    /// Who the tracker is.
    pub fn tracker_identity() -> Identity {
        Identity::from_seed([255; 32])
    }

    /// Where the peer of the `number`th in town listens.
    pub fn peer_host(number: u16) -> Host {
        let [high, low] = number.to_be_bytes();
        Host::from(([10, 1, high, low], 4_000))
    }

    /// Who the `number`th in town is.
    pub fn peer_identity(number: u16) -> Identity {
        identity(number)
    }

    /// The key of the `number`th in town.
    pub fn peer_key(number: u16) -> Key {
        identity(number).key()
    }

    /// Starts the tracker from its tables.
    pub fn start_tracker(&mut self) {
        let certificate = Certificate::new(&Town::tracker_identity()).expect("a certificate");
        let config = tracker::Config::default();
        let server = tracker::server_config(&certificate, &config).expect("a TLS config");
        self.runs += 1;
        let start = self.start;
        let parts = Parts {
            config,
            endpoint: self.net.endpoint(Town::tracker_host(), server),
            store: self.tracker_store.clone(),
            clock: Arc::new(move || EPOCH + start.elapsed().as_millis() as u64),
            run: self.runs,
        };
        self.tracker = Some(Running::start(parts).expect("the tracker starts"));
    }

    /// Kills the tracker: nobody is told.
    pub fn kill_tracker(&mut self) {
        self.net.down(Town::tracker_host());
        self.tracker = None;
        self.net.up(Town::tracker_host());
    }

    /// What the tracker holds and has carried.
    pub async fn tracker_status(&self) -> tracker::status::Status {
        let tracker = self.tracker.as_ref().expect("the tracker is running");
        tracker.asker().status().await.expect("the tracker answers")
    }

    /// Logs somebody in, who is the `number`th in town, and waits for the tracker's welcome.
    pub async fn login(&self, number: u16, name: &str) -> Person {
        let person = self.start_peer(number, name, &Config::default());
        timeout(PATIENCE, person.handle.welcomed()).await.expect("in time").expect("a welcome");
        person
    }

    /// Starts somebody's peer.
    pub fn start_peer(&self, number: u16, name: &str, config: &Config) -> Person {
        let name = name.parse().expect("a name");
        let disk = Store::in_memory(&identity(number).key()).expect("a store in memory");
        self.start_on(number, name, config, disk)
    }

    /// Kills somebody's peer: nobody is told. Every other handle of it must be gone.
    pub fn kill(&self, person: Person) -> Killed {
        // For good: whoever starts it again takes the place of its socket.
        self.net.down(person.host);
        let Person { name, number, store, .. } = person;
        Killed { name, number, store }
    }

    /// Starts the peer again, with the history that it left.
    pub fn start_again(&self, killed: Killed, config: &Config) -> Person {
        let disk = killed.store.reopen(&identity(killed.number).key()).expect("the store reads");
        let person = self.start_on(killed.number, killed.name, config, disk);
        self.net.up(person.host);
        person
    }

    fn start_on(&self, number: u16, name: AccountName, config: &Config, disk: (Store, Saved)) -> Person {
        let identity = identity(number);
        let host = Town::peer_host(number);
        let certificate = Certificate::new(&identity).expect("a certificate");
        let server = endpoint::server_config(&certificate, ALPN, &config.link_limits()).expect("a TLS config");
        let (store, saved) = disk;
        let folder = self.folder.path().join(number.to_string());
        std::fs::create_dir_all(&folder).expect("a folder");
        let setup = Setup {
            config: config.clone(),
            name: name.clone(),
            identity,
            endpoint: self.net.endpoint(host, server),
            certificate,
            tracker: Some(Town::tracker_host()),
            tracker_key: None,
            invite: None,
            store: "in memory".into(),
            files: folder.join(".proofs"),
            used: false,
        };
        let (start, net) = (self.start, self.net.clone());
        let slept = Arc::new(AtomicU64::new(0));
        let ahead = slept.clone();
        let peer_host = PeerHost {
            clock: Arc::new(move || EPOCH + start.elapsed().as_millis() as u64 + ahead.load(Ordering::Relaxed)),
            // As a laptop on another network, which knows its address: a NAT's would be known to the tracker alone.
            interfaces: Arc::new(move |_| Addresses::new([net.address(host)])),
            seed: self.net.seed() ^ u64::from(number),
        };
        let handle = peer::spawn_on(setup, peer_host, store.clone(), saved);
        Person { name, handle, host, folder, number, store, slept }
    }
}

fn identity(number: u16) -> Identity {
    let mut seed = [7; 32];
    seed[..2].copy_from_slice(&number.to_be_bytes());
    Identity::from_seed(seed)
}

impl Killed {
    /// All messages that it left on its disk, in the order in which it got them.
    pub async fn messages(&self) -> Vec<MessageEvent> {
        messages(self.store.past(None, Some(0), u32::MAX).await.expect("the store reads"))
    }
}

impl Person {
    /// Its clock goes on by so much at once, as it does while a host sleeps: its timers have stood still.
    pub fn sleep(&self, span: Duration) {
        self.slept.fetch_add(span.as_millis() as u64, Ordering::Relaxed);
    }

    /// Joins a room.
    pub async fn join(&self, room: &RoomName) {
        timeout(PATIENCE, self.handle.join(room.clone())).await.expect("in time").expect("joined");
    }

    /// Leaves a room.
    pub async fn leave(&self, room: &RoomName) {
        timeout(PATIENCE, self.handle.leave(room.clone())).await.expect("in time").expect("left");
    }

    /// All messages it holds, its own included, in the order in which it got them.
    pub async fn messages(&self) -> Vec<MessageEvent> {
        messages(self.handle.past(None, Some(0), u32::MAX).await.expect("the store reads"))
    }

    /// Waits until nothing that it said waits for anybody.
    pub async fn delivered(&self) {
        eventually("everything said is delivered", async || {
            self.handle.status().await.expect("a status").undelivered == 0
        })
        .await;
    }
}

fn messages(events: Vec<Event>) -> Vec<MessageEvent> {
    let message = |event| match event {
        Event::Message(message) => Some(message),
        Event::Member(_) | Event::Receipt(_) | Event::Read(_) | Event::Typing(_) | Event::Transfer(_) => None,
    };
    events.into_iter().filter_map(message).collect()
}

/// Looks again and again, in virtual time, until something is so.
///
/// # Panics
/// If it does not become so.
pub async fn eventually(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so().await {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
