//! `peer login --host`: a tracker inside the peer.

use std::{net::SocketAddr, path::Path};

use common::wire::control::{Exit, Refusal};

/// A tracker that runs until this is dropped.
pub struct Running {}

/// Starts a tracker on `listen` that keeps its tables in `data`, calls its accounts `lan`, and announces itself by
/// mDNS if `announce`.
pub async fn start(data: &Path, listen: SocketAddr, announce: bool) -> Result<Running, Refusal> {
    // Expected of the crate `tracker`, under the feature `host`:
    //   tracker::Tracker::start(Config { listen, data, domain: "lan", mdns: announce, .. }).await
    //       -> Result<Tracker, StartError>
    // which ends when it is dropped, with an error that tells an address in use (see `in_use`) from others.
    let _ = (data, announce);
    let _ = in_use(listen);
    Err(Refusal::new(Exit::Refused, "this build has no tracker inside; run one beside it: tracker"))
}

fn in_use(listen: SocketAddr) -> Refusal {
    let reason = format!(
        "a tracker, or another program, already has UDP port {} on this host: log in without --host",
        listen.port()
    );
    Refusal::new(Exit::Refused, reason)
}
