//! The tracker: it keeps who is logged in, which rooms there are and who is a member of each, and pushes every change
//! to the peers it concerns. No message passes through it.
//!
//! [`core`] decides, [`store`] keeps what must survive a restart, `net` speaks QUIC. [`Running`] puts them together.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod config;
pub mod core;
mod net;
mod running;
pub mod status;
pub mod store;

pub use config::Config;
pub use running::{Asker, Clock, Error, Parts, Running, run, server_config, system_clock};
