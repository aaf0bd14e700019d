//! Starting a peer.

use std::{net::SocketAddr, path::PathBuf};

use common::{
    AccountName, Domain, Identity, Key,
    net::tls::Certificate,
    wire::control::{Exit, Refusal},
};

use crate::{Config, Handle};

/// What a peer is started with.
pub struct Setup {
    /// The settings.
    pub config: Config,
    /// What the account is called.
    pub name: AccountName,
    /// Who it is.
    pub identity: Identity,
    /// The one UDP socket, for the tracker link and all peers.
    pub endpoint: quinn::Endpoint,
    /// The certificate of `identity`.
    pub certificate: Certificate,
    /// Where the tracker is.
    pub tracker: SocketAddr,
    /// The key that the tracker must have, if it is known already.
    pub tracker_key: Option<Key>,
    /// The history file.
    pub store: PathBuf,
}

/// What the tracker's first welcome said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Welcomed {
    /// What the tracker calls its accounts.
    pub domain: Domain,
    /// Its key.
    pub tracker_key: Key,
    /// The address it sees this peer at.
    pub seen: Option<SocketAddr>,
}

/// Starts a peer. Returns at once; the tracker link comes up in the background.
pub async fn spawn(setup: Setup) -> Result<Handle, Refusal> {
    drop(setup);
    Err(Refusal::new(Exit::Refused, "this build has no delivery"))
}

impl Handle {
    /// Waits for the tracker's first welcome, or its refusal. A tracker that is not reached is waited for without end.
    pub async fn welcomed(&self) -> Result<Welcomed, Refusal> {
        Err(self.ended().await)
    }
}
