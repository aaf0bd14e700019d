//! The control socket, as a bot uses it: JSON-RPC 2.0, one object a line.

use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use common::wire::control::{Event, Refusal, Said};
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
        self.ask(method, params)?;
        loop {
            let answer = self.read()?;
            if answer["id"] == self.last {
                return Ok(serde_json::from_value(result(answer)?)?);
            }
        }
    }

    /// Events of a room after a cursor, those to come too.
    pub fn follow(mut self, room: &str, since: u64) -> anyhow::Result<Events> {
        self.stream.get_ref().set_read_timeout(None)?;
        self.ask("tail", json!({"room": room, "since": since, "follow": true}))?;
        Ok(Events(self))
    }

    /// Says something in a room; done when it is kept.
    pub fn say(&mut self, room: &str, text: &str) -> anyhow::Result<Said> {
        self.call("say", json!({"room": room, "text": text}))
    }

    fn ask(&mut self, method: &str, params: Value) -> io::Result<()> {
        self.last += 1;
        let request = json!({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params});
        // In one piece, so that it goes out as one.
        self.stream.get_mut().write_all(format!("{request}\n").as_bytes())
    }

    fn read(&mut self) -> anyhow::Result<Value> {
        let mut line = String::new();
        anyhow::ensure!(self.stream.read_line(&mut line)? > 0, "the session has closed the connection");
        Ok(serde_json::from_str(&line)?)
    }
}

fn result(mut answer: Value) -> anyhow::Result<Value> {
    match answer.get_mut("error") {
        Some(error) => Err(serde_json::from_value::<Refusal>(error.take())?.into()),
        None => Ok(answer["result"].take()),
    }
}

/// Events as a session shows them.
pub struct Events(Control);

impl Events {
    /// Waits for the next one; an error once the session has ended.
    pub fn wait(&mut self) -> anyhow::Result<Event> {
        loop {
            let mut line = self.0.read()?;
            if line["method"] == "event" {
                return Ok(serde_json::from_value(line["params"].take())?);
            }
            // The answer that comes between what was and what will be.
            result(line)?;
        }
    }
}
