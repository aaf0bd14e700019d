//! What the test layers share: simulators, the lab, and the decoders' properties.

#![deny(unsafe_code)]

/// Real QUIC endpoints on a simulated network and virtual time.
pub mod sim;
