//! What a person is told when a known tracker shows another key.

use std::net::SocketAddr;

use common::{
    Key,
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
