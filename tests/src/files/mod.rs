//! The cores that move files, many against each other, with no runtime: a queue of what will happen to whom and when,
//! links with a latency, hosts with an uplink and a downlink, and a model of each disk that knows which bytes are right.
//!
//! [`search`] plays random swarms: holders come and go, lie, stall and are slow, fetchers are killed and go on. [`Town`]
//! is the swarm by itself, for measuring.

mod host;
mod play;
mod town;
mod traffic;

pub use host::{Nature, Rates};
pub use play::{FAULTS, caught, search};
pub use town::Town;
