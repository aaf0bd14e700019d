//! The cores of a tracker and its peers, with no runtime: a queue of what will happen to whom and when, random
//! faults, and a model beside them that knows what must hold.
//!
//! The stores are the real ones, in memory. A crash may come just before a commit, when its rows and all that would
//! have followed are lost, or just after, when the rows are there and nothing else has happened.

mod faults;
mod model;
mod outputs;
mod world;

pub use faults::history;
pub use model::Model;
pub use world::World;
