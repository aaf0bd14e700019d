//! Asking for a passphrase: on the terminal without showing it, in a file, or on stdin; never on the command line, which
//! other users of the machine can see.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal, Read, Write},
    path::PathBuf,
};

use anyhow::{Context, Result};
use clap::Args;
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use peer::backup::SecretString;

use super::refused;

/// The most bytes of a passphrase. A longer one is refused: cut, it would be another one than its owner knows.
const MOST: usize = 1_024;

/// Where the passphrase comes from.
#[derive(Args)]
pub struct From {
    /// The passphrase is the first line of this file. Without it, it is asked for on the terminal, or read from stdin.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// How often it is asked for on the terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// Once.
    Once,
    /// Twice, so that a slip does not lock its owner out.
    Twice,
}

impl From {
    /// Gets it.
    pub fn ask(self, times: Times) -> Result<SecretString> {
        let passphrase = match self.passphrase_file {
            Some(path) => {
                let file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
                first_line(BufReader::new(file)).with_context(|| format!("cannot read {}", path.display()))?
            }
            None if io::stdin().is_terminal() => typed(times)?,
            None => first_line(io::stdin().lock()).context("cannot read stdin")?,
        };
        if passphrase.is_empty() {
            let reason = "there is no passphrase; type it on the terminal, or give it as the first line of stdin or of \
                          --passphrase-file FILE";
            return Err(refused(reason).into());
        }
        Ok(SecretString::from(passphrase))
    }
}

fn first_line(from: impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    // With the longest end of a line, and one byte more to tell that it is too long.
    from.take(MOST as u64 + 3).read_until(b'\n', &mut line)?;
    while line.pop_if(|last| matches!(last, b'\r' | b'\n')).is_some() {}
    checked(line)
}

fn checked(line: Vec<u8>) -> io::Result<String> {
    if line.len() > MOST {
        let why = format!("the passphrase has more than {MOST} bytes, which is the limit; take a shorter one");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    String::from_utf8(line).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

fn typed(times: Times) -> Result<String> {
    let _silent = Silent::begin().context("cannot use the terminal")?;
    let mut keys = io::stdin().lock().bytes();
    let first = prompt("Passphrase: ", &mut keys)?;
    if times == Times::Twice && !first.is_empty() && prompt("The same again: ", &mut keys)? != first {
        return Err(refused("the two are not the same; nothing was done, so try again").into());
    }
    Ok(first)
}

fn prompt(text: &str, keys: &mut impl Iterator<Item = io::Result<u8>>) -> Result<String> {
    let mut screen = io::stderr();
    screen.write_all(text.as_bytes())?;
    let line = line(keys);
    screen.write_all(b"\n")?;
    line?.ok_or_else(|| refused("interrupted; nothing was done").into())
}

/// A line of keys as a terminal without its own editing gives them; `None` if it is interrupted.
fn line(keys: &mut impl Iterator<Item = io::Result<u8>>) -> io::Result<Option<String>> {
    const INTERRUPT: u8 = 0x03;
    const END: u8 = 0x04;
    const BACKSPACE: [u8; 2] = [0x08, 0x7f];
    const ALL: u8 = 0x15;
    let mut line = Vec::new();
    loop {
        match keys.next().transpose()? {
            None | Some(b'\n' | b'\r' | END) => break,
            Some(INTERRUPT) => return Ok(None),
            Some(ALL) => line.clear(),
            Some(key) if BACKSPACE.contains(&key) => {
                // The rest of the character goes with its last byte.
                while line.pop().is_some_and(|byte: u8| byte & 0xc0 == 0x80) {}
            }
            // One more than the most tells that it is too long.
            Some(key) if line.len() <= MOST => line.push(key),
            Some(_) => {}
        }
    }
    checked(line).map(Some)
}

/// A terminal that shows nothing of what is typed; as it was when this goes.
struct Silent(Termios);

impl Silent {
    fn begin() -> io::Result<Silent> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        // Interrupts come as keys, so that the terminal is put back before the process ends.
        silent.local_flags.remove(LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG | LocalFlags::IEXTEN);
        tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &silent)?;
        Ok(Silent(before))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(keys: &str) -> Option<String> {
        line(&mut keys.bytes().map(Ok)).unwrap()
    }

    #[test]
    fn a_line_of_keys_can_be_put_right_ended_and_interrupted() {
        assert_eq!(of("secret\n").as_deref(), Some("secret"));
        assert_eq!(of("secröx\u{7f}\u{7f}et\r").as_deref(), Some("secret"));
        assert_eq!(of("wrong\u{15}right\u{4}more").as_deref(), Some("right"));
        assert_eq!(of("\u{7f}\n").as_deref(), Some(""));
        assert_eq!(of("secret\u{3}"), None);
    }

    #[test]
    fn the_first_line_is_without_its_end() {
        assert_eq!(first_line(&b"secret words\r\nmore"[..]).unwrap(), "secret words");
        assert_eq!(first_line(&b""[..]).unwrap(), "");
    }

    #[test]
    fn one_that_is_too_long_is_refused_and_never_cut() {
        let long = |bytes: usize| "x".repeat(bytes) + "\r\n";
        assert_eq!(first_line(long(1_024).as_bytes()).unwrap().len(), 1_024);
        let typed = |text: String| line(&mut text.into_bytes().into_iter().map(Ok));
        assert_eq!(typed("x".repeat(1_024) + "\n").unwrap().unwrap().len(), 1_024);
        for refused in [first_line(long(1_025).as_bytes()).map(Some), typed("é".repeat(513) + "\n")] {
            assert!(refused.unwrap_err().to_string().contains("1024 bytes"));
        }
    }
}
