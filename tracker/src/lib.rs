//! The tracker: it keeps who is logged in, which rooms there are and who is a member of each, and pushes every change
//! to the peers it concerns. No message passes through it.
//!
//! [`core`] decides, [`store`] keeps what must survive a restart, `net` speaks QUIC. [`Running`] puts them together, and
//! [`Host`] adds what belongs to a tracker on a machine.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod announce;
pub mod config;
pub mod core;
pub mod folders;
pub mod host;
mod metrics;
mod net;
mod reset;
mod running;
pub mod status;
pub mod store;
mod task;

pub use config::Config;
pub use host::Host;
pub use reset::endpoint_config;
pub use running::{Asker, Clock, Error, Parts, Running, run, server_config, system_clock};
