//! The control socket, as a bot uses it: JSON-RPC 2.0, one object a line.

use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use common::wire::control::{Refusal, Said};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A connection.
pub struct Control {
    stream: BufReader<UnixStream>,
    last: u64,
}

const ANSWER: Duration = Duration::from_secs(60);

impl Control {
    pub(super) fn connect(socket: &Path) -> io::Result<Control> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(ANSWER))?;
        Ok(Control { stream: BufReader::new(stream), last: 0 })
    }

    /// Asks, and waits for the answer.
    pub fn call<T: DeserializeOwned>(&mut self, method: &str, params: Value) -> anyhow::Result<T> {
        self.last += 1;
        let request = json!({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params});
        // In one piece, so that it goes out as one.
        self.stream.get_mut().write_all(format!("{request}\n").as_bytes())?;
        loop {
            let mut line = String::new();
            anyhow::ensure!(self.stream.read_line(&mut line)? > 0, "the session has closed the connection");
            let mut answer: Value = serde_json::from_str(&line)?;
            if answer["id"] != self.last {
                continue;
            }
            if let Some(error) = answer.get_mut("error") {
                return Err(serde_json::from_value::<Refusal>(error.take())?.into());
            }
            return Ok(serde_json::from_value(answer["result"].take())?);
        }
    }

    /// Says something in a room; done when it is kept.
    pub fn say(&mut self, room: &str, text: &str) -> anyhow::Result<Said> {
        self.call("say", json!({"room": room, "text": text}))
    }
}
