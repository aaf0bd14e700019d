//! The core against a model of it: random histories, after which every mirror equals the tracker's table.

mod mirror;
mod random;
mod scenes;
mod world;
