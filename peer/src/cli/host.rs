//! `peer login --host`: a tracker inside the peer.

use std::{net::SocketAddr, path::Path};

#[cfg(feature = "host")]
use common::why;
use common::wire::control::{Exit, Refusal};
#[cfg(feature = "host")]
use tracker::{Config, Host, host::HostError, status::SocketError, store::StoreError};

/// A tracker that runs inside this process.
pub struct Running {
    #[cfg(feature = "host")]
    tracker: Host,
}

/// Starts a tracker on `listen` that keeps its tables in `data`, calls its accounts `lan`, and announces itself by
/// mDNS if `announce`.
#[cfg(feature = "host")]
pub async fn start(data: &Path, listen: SocketAddr, announce: bool) -> Result<Running, Refusal> {
    let config = Config { listen, mdns: announce, ..Config::default() };
    let tracker = Host::start(config, data).await.map_err(|error| Refusal::new(Exit::Refused, told(&error, data)))?;
    Ok(Running { tracker })
}

/// What is wrong with it, for who runs a peer, which has not the options of a tracker.
#[cfg(feature = "host")]
fn told(error: &HostError, data: &Path) -> String {
    let unusable = |why: String| {
        let folder = data.display();
        format!(
            "the tracker inside cannot use {folder}: {why}; move it away, name another folder for everything (--home \
             DIR), or log in without --host"
        )
    };
    match error {
        HostError::PortInUse(port) => {
            format!("a tracker, or another program, has UDP port {port} on this host: log in without --host")
        }
        HostError::Folder { source, .. } | HostError::Socket(SocketError::Io { source, .. }) => unusable(why(source)),
        HostError::Socket(_) | HostError::Store { cause: StoreError::InUse, .. } => {
            "another tracker runs in that folder already: log in without --host, which finds it".into()
        }
        HostError::Listen { address, source } => {
            format!("the tracker inside cannot listen on UDP {address}: {}; log in without --host", why(source))
        }
        error => format!("the tracker inside: {error}"),
    }
}

/// Says that there is no tracker in this build.
#[cfg(not(feature = "host"))]
pub async fn start(_data: &Path, _listen: SocketAddr, _announce: bool) -> Result<Running, Refusal> {
    Err(Refusal::new(Exit::Refused, "this build has no tracker inside; run one beside it: tracker"))
}

impl Running {
    /// Tells everybody goodbye and ends.
    pub async fn stop(self) {
        #[cfg(feature = "host")]
        if let Err(error) = self.tracker.stop().await {
            tracing::error!("the tracker inside: {error}");
        }
    }
}
