//! A Rollcall peer: it delivers what its user says straight to the other members, over QUIC.
//!
//! Data walks one way: `net` turns datagrams into inputs, [`core`] answers each with outputs, the driver carries
//! them out, what must survive a crash through [`store`] first.
//!
//! A bot uses a running peer through [`control`]; a program that has a peer inside starts with [`spawn()`].

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod backup;
pub mod book;
pub mod called;
pub mod config;
pub mod control;
pub mod core;
pub mod discover;
pub mod downloads;
mod files;
pub mod handle;
pub mod hours;
pub mod metrics;
mod net;
pub mod notices;
pub mod profile;
pub mod reach;
pub mod size;
pub mod spawn;
pub mod store;

pub use files::copy;

pub use config::Config;
pub use core::Welcomed;
pub use handle::Handle;
pub use spawn::{Host, Setup, spawn, spawn_on};
pub use store::Store;
