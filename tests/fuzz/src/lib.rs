//! The decoders' properties, shared with the ordinary tests by path: so a fuzz build needs no crate but `common`.

#[path = "../../src/fuzz.rs"]
mod properties;

pub use properties::*;
