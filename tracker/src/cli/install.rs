//! What the system's own places want of this program: completions for a shell, and pages for `man`.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use anyhow::Result;
use clap::Command;
use clap_complete::Shell;
use common::why;

/// Prints completions for that command line.
pub fn completions(shell: Shell, mut line: Command) -> Result<()> {
    let name = line.get_name().to_string();
    // Not to stdout at once: it does not take it well when nobody reads on.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut line, name, &mut script);
    print(&script)
}

/// Writes the pages into a folder, or prints the first.
pub fn man(dir: Option<&Path>, line: Command) -> Result<()> {
    let Some(dir) = dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(line).render(&mut page)?;
        return print(&page);
    };
    let write = || {
        fs::create_dir_all(dir)?;
        clap_mangen::generate_to(line, dir)
    };
    write().map_err(|error| {
        let (dir, why) = (dir.display(), why(&error));
        anyhow::anyhow!("cannot write to {dir}: {why}; name a folder of your own: tracker man DIR")
    })
}

fn print(text: &[u8]) -> Result<()> {
    match io::stdout().write_all(text) {
        // Whoever read it has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
