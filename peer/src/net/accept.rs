//! Links that other peers dial.

use std::time::Duration;

use common::net::tls;
use quinn::{Endpoint, Incoming};
use tokio::time::timeout;

use super::{driver::Inputs, peer_link, pool::Pool};
use crate::core::Input;

/// How long a handshake, and then the first stream, may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Accepts until the endpoint is closed. How many handshakes may be under way is bounded by the endpoint's config.
pub async fn run(endpoint: Endpoint, pool: Pool, inputs: Inputs) {
    while let Some(incoming) = endpoint.accept().await {
        tokio::spawn(accept(incoming, pool.clone(), inputs.clone()));
    }
}

async fn accept(incoming: Incoming, pool: Pool, inputs: Inputs) {
    let address = incoming.remote_address();
    let shaken = async {
        let connection = incoming.await?;
        let streams = connection.accept_bi().await?;
        Ok::<_, quinn::ConnectionError>((connection, streams))
    };
    let (connection, streams) = match timeout(PATIENCE, shaken).await {
        Ok(Ok(link)) => link,
        Ok(Err(error)) => return tracing::debug!(%address, "no link: {error}"),
        Err(_) => return tracing::debug!(%address, "no link: nothing came for 10 seconds"),
    };
    let Some(key) = tls::key_of(&connection) else { return };
    let address = common::address::canonical(connection.remote_address());
    let (link, frames) = pool.add(connection.clone());
    let up = Input::LinkUp { link, key, dialled: false, address };
    if inputs.send(up).await.is_ok() {
        peer_link::serve(link, connection, streams, frames, pool, inputs).await;
    }
}
