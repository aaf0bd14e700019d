//! `peer login --host`: a tracker inside the peer.

use std::{net::SocketAddr, path::Path};

use common::wire::control::{Exit, Refusal};
#[cfg(feature = "host")]
use tracker::{Config, Host, host::HostError};

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
    let tracker = Host::start(config, data).await.map_err(|error| {
        let reason = match error {
            HostError::PortInUse(port) => {
                format!("a tracker, or another program, has UDP port {port} on this host: log in without --host")
            }
            error => error.to_string(),
        };
        Refusal::new(Exit::Refused, reason)
    })?;
    Ok(Running { tracker })
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
