//! What the test layers share: simulators, the lab, and the decoders' properties.

#![deny(unsafe_code)]

pub mod fuzz;
pub mod sim;
