//! A tracker with all that belongs to one on a machine: its data folder, port, status socket, metrics and
//! announcement. For the binary and for a peer that hosts a tracker.

use std::{
    fs::DirBuilder,
    io,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use common::{
    Identity, Key,
    identity::IdentityError,
    net::{
        endpoint::bind,
        tls::{Certificate, TlsError},
    },
    why,
};
use quinn::{Endpoint, TokioRuntime};
use tracing::{info, warn};

use crate::{
    announce::Announcement,
    config::Config,
    metrics,
    reset::endpoint_config,
    running::{Asker, Error, Parts, Running, server_config, system_clock},
    status::{SocketError, StatusSocket},
    store::{Store, StoreError},
    task::Task,
};

/// Why a tracker cannot be hosted here. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The folder cannot be made.
    #[error("the data folder {} cannot be written: {}; give another with --data", path.display(), why(source))]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The key.
    #[error("{}{}", .0, key_remedy(.0))]
    Identity(#[from] IdentityError),
    /// The status socket, or another tracker's.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The tables.
    #[error("{}", cause.at(path))]
    Store {
        /// Their file.
        path: PathBuf,
        /// What is wrong with them, which the text tells with the path.
        cause: StoreError,
    },
    /// The port is taken.
    #[error("UDP port {0} is in use, probably by another tracker: stop it or use --listen [::]:PORT")]
    PortInUse(u16),
    /// The address cannot be listened on.
    #[error("cannot listen on UDP {address}: {}; give another address with --listen", why(source))]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The metrics address cannot be listened on.
    #[error("cannot serve metrics on TCP {address}: {}; give another address with --metrics", why(source))]
    Metrics {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system has no random numbers.
    #[error("the system gives no random numbers: {}", why(.0))]
    Random(io::Error),
    /// The tracker itself.
    #[error(transparent)]
    Tracker(#[from] Error),
}

/// What to do about a key, beside what the error itself says.
fn key_remedy(error: &IdentityError) -> &'static str {
    match error {
        IdentityError::Malformed { .. } => {
            ". Put your copy of it back, or move it away for a new key; with a new key every peer refuses this tracker \
             until it logs in with --tracker-key"
        }
        IdentityError::Io { .. } | IdentityError::Exposed { .. } => "",
    }
}

/// A tracker hosted on this machine. Dropping it ends it like a crash.
pub struct Host {
    running: Running,
    key: Key,
    tables: PathBuf,
    _socket: StatusSocket,
    _metrics: Option<Task<()>>,
    announcement: Option<Announcement>,
}

impl Host {
    /// Starts a tracker whose key and tables are in the folder `data`, which is made if need be.
    pub async fn start(config: Config, data: &Path) -> Result<Host, HostError> {
        let folder = |source| HostError::Folder { path: data.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(folder)?;
        // First of all: it says best that another tracker is running here.
        let listener = StatusSocket::bind(data)?;
        let identity = Identity::load_or_create(&data.join("key"))?;
        let tables = data.join("tables.sqlite");
        let fail = |cause| HostError::Store { path: tables.clone(), cause };
        let store = Store::open(&tables, random()?).map_err(fail)?;
        let endpoint = listen(&identity, &config)?;
        let metrics = match config.metrics {
            Some(address) => {
                let fail = |source| HostError::Metrics { address, source };
                Some(tokio::net::TcpListener::bind(address).await.map_err(fail)?)
            }
            None => None,
        };
        let key = identity.key();
        let (mdns, domain) = (config.mdns, config.domain.clone());
        let parts = Parts { config, endpoint, store, clock: system_clock(), run: random()? };
        let running = Running::start(parts).map_err(|error| of_tables(error, &tables))?;
        let announcement = mdns.then(|| Announcement::new(running.address(), key, &domain)).and_then(|announced| {
            announced
                .inspect_err(|error| warn!(%error, "the tracker is not announced; people have to be told where it is"))
                .ok()
        });
        info!(address = %running.address(), key = %key, %domain, "listening");
        Ok(Host {
            _socket: listener.serve(running.asker()),
            _metrics: metrics.map(|listener| Task(tokio::spawn(metrics::serve(listener, running.asker())))),
            announcement,
            running,
            key,
            tables,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.running.address()
    }

    /// Its key.
    pub fn key(&self) -> Key {
        self.key
    }

    /// For asking it how it is.
    pub fn asker(&self) -> Asker {
        self.running.asker()
    }

    /// Ready when it has ended without being told to.
    pub async fn ended(&mut self) -> Result<(), HostError> {
        self.running.ended().await.map_err(|error| of_tables(error, &self.tables))
    }

    /// Tells everybody goodbye and ends; takes at most 5 seconds.
    pub async fn stop(self) -> Result<(), HostError> {
        if let Some(announcement) = self.announcement {
            announcement.end().await;
        }
        self.running.stop().await.map_err(|error| of_tables(error, &self.tables))
    }
}

/// The error with the file that it is about, if it is about the tables.
fn of_tables(error: Error, path: &Path) -> HostError {
    let path = path.to_owned();
    match error {
        Error::Store(cause) => HostError::Store { path, cause },
        Error::Tables(misfit) => HostError::Store { path, cause: StoreError::Damaged(misfit.to_string()) },
        error => HostError::Tracker(error),
    }
}

fn listen(identity: &Identity, config: &Config) -> Result<Endpoint, HostError> {
    let address = config.listen;
    let fail = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => HostError::PortInUse(address.port()),
        _ => HostError::Listen { address, source },
    };
    let server = server_config(&Certificate::new(identity)?, config)?;
    let socket = bind(address).map_err(fail)?;
    Endpoint::new(endpoint_config(identity), Some(server), socket, std::sync::Arc::new(TokioRuntime)).map_err(fail)
}

fn random() -> Result<u64, HostError> {
    getrandom::u64().map_err(|error| HostError::Random(io::Error::other(error)))
}
