//! The core against a model of it: random histories, after which every mirror equals the tracker's table.

mod accounts;
mod contacts;
mod door;
mod files;
mod mirror;
mod random;
mod renames;
mod roles;
mod scenes;
mod world;
