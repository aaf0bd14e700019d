//! Every command of the chat, every method of the socket, and what else people type in a shell, by the program itself: real
//! sessions at a real tracker, and what each did is seen from somebody else's.

#![cfg(feature = "host")]

#[path = "../person/mod.rs"]
mod person;

mod chat;
mod rpc;
mod shell;
mod socket;
mod town;
