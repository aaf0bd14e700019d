//! Takes links in, as many at once as may be on their way to become sessions.

use std::sync::Arc;

use quinn::{Endpoint, Incoming};
use tokio::{sync::OwnedSemaphorePermit, task::JoinSet};

use super::{Shared, session};
use crate::core::SessionId;

/// Accepts until the endpoint is closed. Dropping this drops all links.
pub(crate) async fn accept(endpoint: Endpoint, shared: Arc<Shared>) {
    let mut links = JoinSet::new();
    let mut next = 1;
    loop {
        tokio::select! {
            biased;
            Some(_) = links.join_next() => {}
            accepted = accept_one(&endpoint, &shared) => {
                let Some((permit, incoming)) = accepted else { break };
                // When half the space is taken, an address has to prove itself before it gets any of the rest.
                let crowded = 2 * shared.handshakes.available_permits() < shared.config.handshakes;
                if crowded && !incoming.remote_address_validated() && incoming.may_retry() {
                    // It cannot fail: whether a retry is allowed has just been asked.
                    let _ = incoming.retry();
                    continue;
                }
                links.spawn(session::serve(incoming, SessionId(next), permit, shared.clone()));
                next += 1;
            }
        }
    }
    while links.join_next().await.is_some() {}
}

/// The next link, once there is space for it. As many again may wait; QUIC refuses those beyond. Cancel-safe.
async fn accept_one(endpoint: &Endpoint, shared: &Shared) -> Option<(OwnedSemaphorePermit, Incoming)> {
    let permit = shared.handshakes.clone().acquire_owned().await.ok()?;
    Some((permit, endpoint.accept().await?))
}
