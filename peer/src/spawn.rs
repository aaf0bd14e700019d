//! Starting a peer.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::SystemTime};

use common::{
    AccountName, Identity, Key,
    address::Addresses,
    net::tls::Certificate,
    wire::control::{Exit, Refusal},
};
use quinn::Endpoint;
use tokio::sync::{broadcast, mpsc, watch};

use crate::{
    Config, Handle, book,
    core::{Core, Saved, Start},
    net::driver::{Driver, Tells, WAITING},
    store::Store,
};

/// Events that a slow subscriber may be behind before it is told that it has missed some.
const EVENTS: usize = 8_192;

/// Hints of who is typing that a slow subscriber may be behind; it misses the older ones.
const TYPING: usize = 64;

/// What a peer is made of.
pub struct Setup {
    /// The settings.
    pub config: Config,
    /// What the user is called.
    pub name: AccountName,
    /// Who the user is.
    pub identity: Identity,
    /// The socket, which accepts links of [`common::wire::peer::ALPN`].
    pub endpoint: Endpoint,
    /// For dialling.
    pub certificate: Certificate,
    /// Where the tracker is; `None` for a session without one.
    pub tracker: Option<SocketAddr>,
    /// The tracker's key, if it is known already.
    pub tracker_key: Option<Key>,
    /// What lets a new account in, or gives a new key an old account, for the first login at a tracker that asks for it.
    pub invite: Option<String>,
    /// The file of the store.
    pub store: PathBuf,
    /// The folder for what proves the files that are shared or fetched; made when it is needed.
    pub files: PathBuf,
    /// Whether the account has been used here: then there must be a store.
    pub used: bool,
}

/// What a peer asks of its host. A simulation gives its own answers.
#[derive(Clone)]
pub struct Host {
    /// The time, in milliseconds since 1970.
    pub clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// The addresses at which others may reach a socket on this port.
    pub interfaces: Arc<dyn Fn(u16) -> Addresses + Send + Sync>,
    /// For jitter.
    pub seed: u64,
}

impl Host {
    /// This host.
    pub fn system() -> Host {
        let mut seed = [0; 8];
        // Without randomness the jitter is the same for all; nothing else depends on it.
        let _ = getrandom::fill(&mut seed);
        Host { clock: Arc::new(wall), interfaces: Arc::new(interfaces), seed: u64::from_le_bytes(seed) }
    }
}

/// Starts a peer on this host. It returns at once; the tracker is reached in the background.
pub async fn spawn(setup: Setup) -> Result<Handle, Refusal> {
    let open = if setup.used { Store::open_again } else { Store::open };
    let (store, saved) =
        open(&setup.store, &setup.identity.key()).map_err(|error| Refusal::new(Exit::Refused, error.to_string()))?;
    let book = setup.store.with_file_name("book.toml");
    let entries = book::read(&book).map_err(|error| Refusal::new(Exit::Refused, format!("{error:#}")))?;
    Ok(start(setup, Host::system(), store, Saved { book: entries, ..saved }, Some(book)))
}

/// Starts a peer on a host and a store of the caller's.
pub fn spawn_on(setup: Setup, host: Host, store: Store, saved: Saved) -> Handle {
    start(setup, host, store, saved, None)
}

fn start(setup: Setup, host: Host, store: Store, saved: Saved, book: Option<PathBuf>) -> Handle {
    let (asks_in, asks) = mpsc::channel(WAITING);
    let (events, _) = broadcast::channel(EVENTS);
    let (typing, _) = broadcast::channel(TYPING);
    let (name_in, name) = watch::channel(setup.name.clone());
    let (welcomed_in, welcomed) = watch::channel(None);
    let (ended_in, ended) = watch::channel(None);
    let me = setup.identity.key();
    let salvaged = saved.salvaged.clone();
    let core = Core::new(Start {
        name: setup.name,
        identity: setup.identity,
        config: setup.config.clone(),
        tracker_key: setup.tracker_key,
        invite: setup.invite,
        tracker: setup.tracker,
        address: setup.endpoint.local_addr().unwrap_or(setup.config.listen),
        saved,
        seed: host.seed,
    });
    let driver = Driver {
        core,
        me,
        config: setup.config,
        endpoint: setup.endpoint,
        certificate: setup.certificate,
        tracker: setup.tracker,
        store: store.clone(),
        book,
        files: setup.files,
        host,
        asks,
        tells: Tells { events: events.clone(), typing: typing.clone(), name: name_in, welcomed: welcomed_in },
        ended: ended_in,
    };
    tokio::spawn(driver.run());
    Handle { asks: asks_in, events, typing, name, welcomed, ended, store, salvaged, called: None }
}

fn wall() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

fn interfaces(port: u16) -> Addresses {
    let all = if_addrs::get_if_addrs().unwrap_or_default();
    // Link-local IPv6 needs an interface's name to be dialled, which means nothing to another host.
    let useful = all.iter().map(|i| i.ip()).filter(|ip| !ip.is_loopback()).filter(|ip| match ip {
        std::net::IpAddr::V4(_) => true,
        std::net::IpAddr::V6(ip) => !ip.is_unicast_link_local(),
    });
    Addresses::new(useful.map(|ip| SocketAddr::new(ip, port)))
}
