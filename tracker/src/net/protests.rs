//! Links that break the protocol are logged, but cannot fill the log.

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use common::address::canonical;
use tokio::time::Instant;
use tracing::{debug, info};

const WINDOW: Duration = Duration::from_secs(10);
const PER_WINDOW: u32 = 10;

#[derive(Default)]
pub(crate) struct Protests {
    window: Mutex<Option<(Instant, u32)>>,
}

impl Protests {
    /// Logs why a link was closed; the first few in a while at `info`, the others at `debug`.
    pub fn note(&self, from: SocketAddr, reason: &str) {
        // As a person knows it, also where the socket takes both IPv4 and IPv6.
        let from = canonical(from);
        if self.is_news() {
            info!(%from, reason, "a link was closed");
        } else {
            debug!(%from, reason, "a link was closed");
        }
    }

    fn is_news(&self) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, count) = match &mut *window {
            Some(current) if current.0.elapsed() < WINDOW => current,
            expired => expired.insert((Instant::now(), 0)),
        };
        *count += 1;
        *count <= PER_WINDOW
    }
}
