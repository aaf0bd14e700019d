//! Writes the corpus: `cargo run -p tests --example corpus`. Run it when the wire has changed; old inputs may stay
//! under other names, since an old writer is met too. What a fuzz target finds is added to its folder by hand.

mod hostile;
mod valid;

use std::{fs, io, path::Path};

/// An input: the target it is for, what it is, and its bytes.
type Input = (&'static str, String, Vec<u8>);

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (target, name, bytes) in valid::inputs().into_iter().chain(hostile::inputs()) {
        fs::create_dir_all(corpus.join(target))?;
        fs::write(corpus.join(target).join(name), bytes)?;
    }
    Ok(())
}
