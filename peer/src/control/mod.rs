//! The control socket: how a command line, a chat or a bot on this machine uses a running peer. The methods and their
//! JSON are in [`common::wire::control`].
//!
//! ```text
//! client -> socket -> server -> connection -> call -> Session (the running peer)
//!                                    ^ follow: past events, then live ones
//! ```

mod call;
pub mod client;
mod connection;
pub mod follow;
pub mod line;
pub mod server;
pub mod session;
pub mod socket;

#[cfg(test)]
pub(crate) mod fake;

pub use client::Client;
pub use follow::Follow;
pub use server::Server;
pub use session::Session;
pub use socket::Socket;
