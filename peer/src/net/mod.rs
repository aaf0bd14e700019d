//! The shell around the core: sockets, clocks and the store.

mod accept;
mod dial;
pub(crate) mod driver;
mod peer_link;
mod pool;
mod sleep;
mod tracker_link;
