//! What people type in a shell.
