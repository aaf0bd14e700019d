//! A terminal that does not show what is typed while bars are drawn: an echo would move them.

use std::io::{self, IsTerminal};

use nix::{
    sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr},
    unistd::{getpgrp, tcgetpgrp},
};

/// Does not show what is typed, until it is dropped.
pub struct Quiet(Termios);

impl Quiet {
    /// Makes the terminal of stdin quiet, if there is one.
    pub fn begin() -> Option<Quiet> {
        if !io::stdin().is_terminal() || !is_in_front() {
            return None;
        }
        let before = tcgetattr(io::stdin()).ok()?;
        let mut quiet = before.clone();
        // Ctrl-C still interrupts.
        quiet.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(io::stdin(), SetArg::TCSADRAIN, &quiet).ok()?;
        Some(Quiet(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if is_in_front() {
            // A terminal that is gone needs no restoring.
            let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.0);
        }
    }
}

/// Whether the terminal is this command's. One in the background would be stopped if it changed anything there, and what
/// it changed would be the shell's.
fn is_in_front() -> bool {
    tcgetpgrp(io::stdin()).is_ok_and(|front| front == getpgrp())
}
