//! QUIC on the one side, [`crate::core`]'s inputs and outputs on the other. `accept` takes links in, `session` is one
//! link, `driver` is the one task that owns the core.

mod accept;
mod driver;
mod protests;
mod session;
#[cfg(test)]
mod tests;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use common::frame::Encoded;
use common::wire::tracker::Code;
use tokio::sync::{Semaphore, mpsc};

use crate::{
    config::Config,
    core::{Input, SessionId},
};
pub(crate) use accept::accept;
pub(crate) use driver::{Driver, Question};
use protests::Protests;

/// What links tell the driver.
pub(crate) enum Event {
    /// A link wants to be a session; `input` is its hello.
    Opened { session: SessionId, link: Link, input: Input },
    /// Something else happened.
    Input(Input),
}

/// A session's link as the driver sees it.
pub(crate) struct Link {
    pub connection: quinn::Connection,
    /// Holds one write under way and the last one, which is all that the core asks for at a time.
    pub writes: mpsc::Sender<Write>,
    /// One permit for each further request that may be read.
    pub requests: Arc<Semaphore>,
}

/// What a session's link is to write.
pub(crate) enum Write {
    Frames(Vec<Encoded>),
    Last { frame: Encoded, code: Code, reason: String },
}

/// What all links share.
pub(crate) struct Shared {
    pub config: Config,
    pub events: mpsc::Sender<Event>,
    pub traffic: Traffic,
    pub protests: Protests,
    pub handshakes: Arc<Semaphore>,
}

impl Shared {
    pub fn new(config: Config, events: mpsc::Sender<Event>) -> Shared {
        let handshakes = Arc::new(Semaphore::new(config.handshakes));
        Shared { config, events, traffic: Traffic::default(), protests: Protests::default(), handshakes }
    }
}

/// UDP payload of links that are gone, in bytes.
#[derive(Default)]
pub(crate) struct Traffic {
    received: AtomicU64,
    sent: AtomicU64,
}

impl Traffic {
    pub fn add(&self, connection: &quinn::Connection) {
        let stats = connection.stats();
        self.received.fetch_add(stats.udp_rx.bytes, Ordering::Relaxed);
        self.sent.fetch_add(stats.udp_tx.bytes, Ordering::Relaxed);
    }

    /// Received and sent.
    pub fn total(&self) -> (u64, u64) {
        (self.received.load(Ordering::Relaxed), self.sent.load(Ordering::Relaxed))
    }
}

/// A code as QUIC's application close code.
pub(crate) fn close_code(code: Code) -> quinn::VarInt {
    quinn::VarInt::from_u32(u32::from(u16::from(code)))
}
