//! What the test layers share: simulators, the lab, and the decoders' properties.

#![deny(unsafe_code)]

pub mod fuzz;
pub mod sim;
/// The cores of a tracker and its peers, under random faults, against a model.
pub mod swarm;
