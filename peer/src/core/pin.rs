//! What a person is told when a known tracker, or a known name, shows another key.

use std::net::SocketAddr;

use common::{
    AccountName, Key,
    wire::control::{Exit, Refusal},
};

/// The refusal of a tracker at `address` that shows the key `shown` in place of the known one, and the one way past it.
pub fn another_key(address: SocketAddr, shown: Key, known: Key) -> Refusal {
    Refusal::new(
        Exit::Identity,
        format!(
            "the tracker at {address} has the key\n  {shown}\nand the one known here has\n  {known}\nSomebody may be \
             posing as it. Ask who runs it to read you its key, which it prints when it starts. If it was set up anew \
             and has the first key, log in with the same line and\n  \
             --tracker-key {shown}\nIf it is another \
             tracker than the one you know, log in there with a folder of its own: --home DIR"
        ),
    )
}

/// What the other side is told whose name is known here with another key.
pub const UNDECIDED: &str = "your name is known here with another key; the user here has to decide whether it is you";

/// The refusal to exchange anything with the key `shown`, which came under a name that is known with another.
pub fn another_person(name: &AccountName, shown: Key, known: Option<Key>) -> Refusal {
    let known = known.map_or_else(|| "another".into(), |key| key.to_string());
    Refusal::new(
        Exit::Identity,
        format!(
            "{name} comes with the key\n  {shown}\nand the one known here is\n  {known}\nSomebody may be posing as \
             {name}; nothing is sent to that key and nothing taken from it. Ask {name}, not by Rollcall, whether the \
             key is theirs: peer status shows it to them. If it is, run: peer trust {name}"
        ),
    )
}
