//! What the test layers share: simulators, the lab, and the decoders' properties.

#![deny(unsafe_code)]

/// What must hold of every decoder, whatever bytes it gets.
pub mod fuzz;
/// Real QUIC endpoints on a simulated network and virtual time.
pub mod sim;
