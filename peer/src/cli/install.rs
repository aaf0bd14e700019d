//! What the system's own places want of this program: completions for a shell, and pages for `man`.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::Result;
use clap::{Args, Command};
use clap_complete::Shell;
use common::why;

/// Print what makes a shell complete the commands and options of `peer` with the Tab key.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  peer completions bash > ~/.local/share/bash-completion/completions/peer\n  peer completions zsh > ~/.zfunc/_peer\n  peer completions fish > ~/.config/fish/completions/peer.fish"
)]
pub struct Completions {
    /// For which shell.
    shell: Shell,
}

/// Write the pages for `man` into a folder, one a command; without a folder, print the first one.
#[derive(Args)]
#[command(after_help = "Examples:\n  peer man ~/.local/share/man/man1\n  peer man | man -l -")]
pub struct Man {
    /// The folder, which is made if need be.
    dir: Option<PathBuf>,
}

impl Completions {
    /// Prints them for that command line.
    pub fn run(self, mut line: Command) -> Result<()> {
        let name = line.get_name().to_string();
        // Not to stdout at once: it does not take it well when nobody reads on.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut line, name, &mut script);
        Ok(io::stdout().write_all(&script)?)
    }
}

impl Man {
    /// Writes them for that command line.
    pub fn run(self, line: Command) -> Result<()> {
        let Some(dir) = self.dir else {
            return Ok(clap_mangen::Man::new(line).render(&mut io::stdout())?);
        };
        let write = || {
            fs::create_dir_all(&dir)?;
            clap_mangen::generate_to(line, &dir)
        };
        write().map_err(|error| {
            let (dir, why) = (dir.display(), why(&error));
            anyhow::anyhow!("cannot write to {dir}: {why}; name a folder of your own: peer man DIR")
        })
    }
}
