//! The cores of a tracker and its peers, with no runtime: a queue of what will happen to whom and when, and a model
//! beside them that knows what must hold.
//!
//! What happens is data, a [`History`] made from a seed. Chance within a run is drawn by step and by pair, so that a
//! history that fails still fails, mostly, when steps that do not matter are taken out of it: [`search`] does that
//! and prints what is left.
//!
//! The stores are the real ones, in memory. A commit takes time, and what comes meanwhile is taken together
//! afterwards, as the drivers do it. A crash may come just before a commit ends, when its rows and all that would have
//! followed are lost, or just after, when the rows are there and nothing else has happened.

mod chance;
mod model;
mod order;
mod peers;
mod play;
mod search;
mod shrink;
mod step;
mod tracker;
mod wires;
mod world;

pub use play::{Tally, play};
pub use search::{caught, search};
pub use step::{History, Step, What, Who};
