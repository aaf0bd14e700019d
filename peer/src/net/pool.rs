//! The connections to other peers, looked up by the driver and by whoever asks which way messages go.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use common::{frame::Encoded, wire::control::Path};
use dashmap::DashMap;
use quinn::Connection;
use tokio::sync::mpsc;

use crate::{core::LinkId, files::Serving};

/// What a link's writer is told. The queue has no bound of its own: the core counts the bytes in it and holds back.
pub enum ToWriter {
    /// Write this.
    Frame(Encoded),
    /// Write what came before, then close for this reason.
    Close(String),
}

/// All connections to other peers, and what serves files on them.
#[derive(Clone)]
pub struct Pool {
    serving: Serving,
    links: Arc<DashMap<LinkId, (Connection, mpsc::UnboundedSender<ToWriter>)>>,
    last: Arc<AtomicU64>,
}

impl Pool {
    /// No connections yet.
    pub fn new(serving: Serving) -> Pool {
        Pool { serving, links: Arc::default(), last: Arc::default() }
    }

    /// What serves files.
    pub fn serving(&self) -> &Serving {
        &self.serving
    }

    /// Adds a connection, and gives it an id.
    pub fn add(&self, connection: Connection) -> (LinkId, mpsc::UnboundedReceiver<ToWriter>) {
        let id = LinkId(self.last.fetch_add(1, Ordering::Relaxed) + 1);
        let (writer, frames) = mpsc::unbounded_channel();
        self.links.insert(id, (connection, writer));
        (id, frames)
    }

    /// Tells a link's writer something; nothing happens if the link is gone.
    pub fn tell(&self, id: LinkId, what: ToWriter) {
        if let Some(link) = self.links.get(&id) {
            // A writer that has ended is about to be taken out.
            let _ = link.1.send(what);
        }
    }

    /// Sends a datagram; nothing happens if the link is gone, or the other side takes none.
    pub fn hint(&self, id: LinkId, hint: Encoded) {
        if let Some(link) = self.links.get(&id) {
            // What cannot be sent now is lost, as it may be on the way.
            let _ = link.0.send_datagram(hint);
        }
    }

    /// The connection of a link, unless it is gone.
    pub fn connection(&self, id: LinkId) -> Option<Connection> {
        self.links.get(&id).map(|link| link.0.clone())
    }

    /// Takes a connection out.
    pub fn remove(&self, id: LinkId) {
        self.links.remove(&id);
    }

    /// Adds to a line of paths what its link has measured.
    pub fn measure(&self, id: LinkId, line: &mut Path) {
        let Some(stats) = self.links.get(&id).map(|link| link.0.stats()) else { return };
        line.rtt_ms = Some(stats.path.rtt.as_secs_f64() * 1_000.0);
        line.bytes_out = stats.udp_tx.bytes;
        line.bytes_in = stats.udp_rx.bytes;
        line.packets_lost = stats.path.lost_packets;
    }
}
