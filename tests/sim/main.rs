//! Real QUIC endpoints on the simulated network.

mod faults;
mod hosts;
mod replay;
mod trust;
