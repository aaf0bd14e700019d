//! Real QUIC endpoints on the simulated network.

mod faults;
mod files;
mod hosts;
mod liar;
mod mallory;
mod real_channel;
mod replay;
mod storm;
mod talk;
mod trust;
