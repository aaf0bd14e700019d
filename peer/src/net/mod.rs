//! The shell around the core: sockets, clocks and the store.

mod accept;
mod dial;
pub(crate) mod driver;
mod peer_link;
pub(crate) mod pool;
mod sleep;
mod tracker_link;
