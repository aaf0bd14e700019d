//! What goes on beside a session's chat: its metrics, the notices of what calls the user, and what is told to the
//! system that has started it.

use std::net::SocketAddr;

use common::{
    why,
    wire::control::{Exit, Refusal},
};
use peer::{Config, Handle, metrics};
use sd_notify::NotifyState;
use tokio::{net::TcpListener, sync::mpsc};

use super::notices;

/// Listens for whoever watches over programs, where that is wanted.
pub async fn listen(address: Option<SocketAddr>) -> Result<Option<TcpListener>, Refusal> {
    let Some(address) = address else { return Ok(None) };
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let why =
            format!("cannot serve metrics on TCP {address}: {}; give another address with --metrics", why(&error));
        Refusal::new(Exit::Refused, why)
    })?;
    Ok(Some(listener))
}

/// Begins what goes on until the session ends.
pub fn begin(handle: &Handle, config: &Config, metrics: Option<TcpListener>, notes: &mpsc::Sender<String>) {
    if let Some(listener) = metrics {
        tokio::spawn(metrics::serve(listener, handle.clone()));
    }
    notices::begin(handle, config, notes);
}

/// Tells systemd how it is, if that is what has started this process.
pub fn tell_system(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!("systemd cannot be told how it is: {error}");
    }
}
