//! A simulated network for real QUIC endpoints on virtual time: with one seed, a run replays to the datagram.
//!
//! A panic in any task fails the run, and the seed is printed.
//!
//! ```
//! use tests::sim::{Conditions, Net, seeds};
//!
//! seeds("an example", 0..2, |seed| async move {
//!     let net = Net::new(seed);
//!     net.set_usual(Conditions { loss: 0.02, ..Conditions::default() });
//!     // let endpoint = net.endpoint("10.0.0.1:27655".parse().unwrap(), server_config);
//! });
//! ```
//!
//! What a simulation must keep to, so that it replays: no thread of its own (`spawn_blocking` is safe), no real
//! socket or disk, no `std::time` in what it decides by, no order taken from a `HashMap`, `biased;` in every
//! `select!`, and endpoints from [`Net::endpoint`] with certificates of Ed25519 keys (others vary in length). Timers
//! of tokio go off in whole milliseconds.

pub mod liar;
mod net;
mod random;
mod run;
mod socket;
mod switch;
mod town;

pub use net::Net;
pub use random::Random;
pub use run::{run, seeds};
pub use switch::{Conditions, Host, Traffic};
pub use town::{Killed, Person, Town, eventually};
