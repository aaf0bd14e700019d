//! Dialling a peer at the addresses it may have.

use std::{net::SocketAddr, time::Duration};

use common::{
    Key,
    address::{Addresses, canonical},
    net::{
        endpoint::{LinkLimits, client_config},
        tls::{self, Certificate, SERVER_NAME},
    },
    wire::peer,
};
use quinn::{Connection, Endpoint};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{driver::Inputs, peer_link, pool::Pool};
use crate::core::{CallId, Input};

/// How long all addresses together may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The head start that an address has over the next one.
const STAGGER: Duration = Duration::from_millis(150);

/// Dials, and serves the link if there is one.
pub async fn dial(
    endpoint: Endpoint,
    certificate: Certificate,
    limits: LinkLimits,
    key: Key,
    addresses: Addresses,
    pool: Pool,
    inputs: Inputs,
) {
    let linked = async {
        let connection = first(&endpoint, &certificate, &limits, Some(key), &addresses).await?;
        let streams = connection.open_bi().await.map_err(|error| error.to_string())?;
        Ok::<_, String>((connection, streams))
    };
    let result = timeout(PATIENCE, linked).await.unwrap_or_else(|_| Err("nobody answers there".into()));
    let (connection, streams) = match result {
        Ok(link) => link,
        Err(reason) => {
            tracing::debug!(key = %key.short(), "not reached: {reason}");
            let _ = inputs.send(Input::DialFailed(key, reason)).await;
            return;
        }
    };
    let address = canonical(connection.remote_address());
    let (link, frames) = pool.add(connection.clone());
    if inputs.send(Input::LinkUp { link, key, dialled: true, address }).await.is_ok() {
        peer_link::serve(link, connection, streams, frames, pool, inputs).await;
    }
}

/// Dials whoever is at one of these addresses, and serves the link if there is one.
pub async fn call(
    endpoint: Endpoint,
    certificate: Certificate,
    limits: LinkLimits,
    call: CallId,
    addresses: Addresses,
    pool: Pool,
    inputs: Inputs,
) {
    let linked = async {
        let connection = first(&endpoint, &certificate, &limits, None, &addresses).await?;
        let key = tls::key_of(&connection).ok_or("it has shown no key")?;
        let streams = connection.open_bi().await.map_err(|error| error.to_string())?;
        Ok::<_, String>((connection, key, streams))
    };
    match timeout(PATIENCE, linked).await.unwrap_or_else(|_| Err("nobody answers there".into())) {
        Ok((connection, key, streams)) => {
            let address = canonical(connection.remote_address());
            let (link, frames) = pool.add(connection.clone());
            if inputs.send(Input::CallUp { call, link, key, address }).await.is_ok() {
                peer_link::serve(link, connection, streams, frames, pool, inputs).await;
            }
        }
        Err(reason) => {
            let _ = inputs.send(Input::CallFailed(call, reason)).await;
        }
    }
}

/// The first connection that stands, to any of the addresses. With a key the handshake proves that it is the right
/// peer, so an address that somebody else has now does no harm.
async fn first(
    endpoint: &Endpoint,
    certificate: &Certificate,
    limits: &LinkLimits,
    key: Option<Key>,
    addresses: &Addresses,
) -> Result<Connection, String> {
    let config = client_config(certificate, peer::ALPN, key, limits).map_err(|error| error.to_string())?;
    let mut attempts = JoinSet::new();
    for (index, address) in addresses.as_slice().iter().copied().enumerate() {
        let (endpoint, config) = (endpoint.clone(), config.clone());
        attempts.spawn(async move {
            sleep(STAGGER * index as u32).await;
            connect(&endpoint, config, address).await
        });
    }
    let mut reason = "no address is known".to_string();
    while let Some(result) = attempts.join_next().await {
        match result {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(why)) => reason = why,
            Err(_) => {}
        }
    }
    Err(reason)
}

async fn connect(endpoint: &Endpoint, config: quinn::ClientConfig, address: SocketAddr) -> Result<Connection, String> {
    let connecting = endpoint.connect_with(config, address, SERVER_NAME).map_err(|error| error.to_string())?;
    connecting.await.map_err(|error| format!("{address}: {error}"))
}
