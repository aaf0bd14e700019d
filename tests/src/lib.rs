//! What the tests of Rollcall stand on.

#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod channel;
pub mod lab;
