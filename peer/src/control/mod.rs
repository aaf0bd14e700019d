//! The control socket: how a command line, a chat or a bot on this machine uses a running peer.
//!
//! A bot connects to the Unix socket of a session: `$XDG_RUNTIME_DIR/rollcall/NAME.sock`, or `NAME.sock` in the folder
//! that `--home` names, with the name in small letters. `peer login NAME --detach` starts a session without a chat. It
//! writes JSON-RPC 2.0 requests, one object a line, and reads answers and events the same way:
//!
//! ```text
//! -> {"jsonrpc":"2.0","id":1,"method":"join","params":{"room":"lobby"}}
//! <- {"jsonrpc":"2.0","id":1,"result":{"room":"lobby","members":3,"slot":0}}
//! -> {"jsonrpc":"2.0","id":2,"method":"tail","params":{"since":8,"follow":true}}
//! <- {"jsonrpc":"2.0","method":"event","params":{"event":"message","cursor":9,"from":"alice","text":"hello",...}}
//! <- {"jsonrpc":"2.0","id":2,"result":{}}
//! -> {"jsonrpc":"2.0","id":3,"method":"say","params":{"room":"lobby","text":"hello alice","wait":5}}
//! <- {"jsonrpc":"2.0","id":3,"result":{"id":"lobby/5d6d086aa4108ef7/3","delivered":["alice","bob"],"pending":[],...}}
//! -> {"jsonrpc":"2.0","id":4,"method":"say","params":{"room":"nowhere","text":"hello"}}
//! <- {"jsonrpc":"2.0","id":4,"error":{"code":1,"message":"you are not in nowhere; join it first: peer join nowhere"}}
//! ```
//!
//! `peer rpc` puts the same on stdin and stdout, for programs that would rather run another one than open a socket. The
//! methods, and the fields of what goes in and comes out, are in [`common::wire::control`], and as data in [`describe`],
//! which `peer rpc --describe` prints with a version: what is there stays as long as that does, and more may come, so a bot
//! looks past fields and events that it does not know. What holds besides:
//!
//! - Answers come in the order of the requests. Many `say` sent without awaiting their answers go out together.
//! - A `say` is answered once the message is on disk here; with `wait`, once everybody has it or the time is over.
//! - The answer to `tail` comes after the past events. A bot that keeps the last `cursor` it has dealt with, and gives it
//!   as `since` after a restart of either side, misses no event and gets none twice. Events without a cursor, `transfer` and
//!   `typing`, are told only while they happen.
//! - When the session ends in good order, a `tail` that follows is told so, with the code and the words of an error:
//!   `{"jsonrpc":"2.0","method":"ended","params":{"code":0,"message":"logged out"}}`; then the connection is closed.
//! - When a client closes its side, it still gets the answers to all it has asked for, and then the end; events of a `tail`
//!   that follows stop there.
//! - `get` is answered when the fetching begins; how it goes on is asked with `transfer`, and told by events `transfer` of
//!   a `tail` that follows: as it begins, comes to a halt, and ends. `share` is answered when all is hashed, which takes
//!   as long as reading it; requests of the same connection wait so long.
//! - An error's `code` is the exit code of the command; the negative ones of JSON-RPC are for what is no request.
//! - A line has at most [`line::REQUEST_BYTES`] bytes. A client that does not read is waited for.
//!
//! ```text
//! client -> socket -> server -> connection -> call -> Session (the running peer)
//!                                    ^ follow: past events, then live ones
//! ```
//!
//! [`Client`] is a client in Rust.

mod call;
pub mod client;
mod connection;
pub mod describe;
pub mod follow;
pub mod lasting;
pub mod line;
pub mod server;
pub mod session;
pub mod socket;

#[cfg(test)]
pub(crate) mod fake;

pub use client::Client;
pub use follow::Follow;
pub use lasting::Lasting;
pub use server::Server;
pub use session::Session;
pub use socket::Socket;
