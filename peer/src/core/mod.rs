//! The decisions of a peer, without any I/O.

pub mod command;
