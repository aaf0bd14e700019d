//! Files: which are here, which are fetched from whom, and who is served.

pub mod io;

pub use io::{FetchEnd, FetchId, FileInput, FileOutput, Found, Hashed, Kept, Mark, Place, ServeEnd, ServeId, Stage};
