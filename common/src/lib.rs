//! What tracker and peer share: names and keys, the versioned table, the message log, the wire.
//!
//! Everything outside [`net`] is pure: it reads no clock, socket or random source. The exceptions are
//! [`identity`], which keeps a key in a file, and [`config`], which reads one.
//!
//! Architecture invariant: the tracker's protocol ([`wire::tracker`]) has no frame that could carry a message.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod address;
pub mod config;
pub mod content;
pub mod digits;
pub mod fault;
pub mod file;
pub mod frame;
pub mod id;
pub mod identity;
pub mod limits;
pub mod mention;
pub mod message;
pub mod name;
#[cfg(feature = "net")]
pub mod net;
pub mod reasons;
pub mod receipt;
pub mod safety;
pub mod table;
pub mod wire;

pub use id::{Key, MessageId, Slot, Version};
pub use identity::Identity;
pub use name::{AccountName, Domain, RoomName};
pub use reasons::{reasons, why};
