//! What the tests of Rollcall stand on: simulators, the lab, storms, recordings of real talk, and the decoders' properties.

#![deny(unsafe_code)]

pub mod absence;
pub mod channel;
pub mod copy;
pub mod files;
pub mod fuzz;
pub mod lab;
pub mod loopback;
pub mod measure;
pub mod sim;
pub mod storm;
pub mod swarm;
