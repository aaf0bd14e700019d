//! A connection to a session's socket, as a bot has one.

use std::{
    cell::RefCell,
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::Path,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection; it closes with this.
pub struct Line {
    stream: UnixStream,
    told: Receiver<Value>,
    events: RefCell<Vec<Value>>,
}

impl Line {
    /// To the session behind a socket.
    pub fn to(socket: &Path) -> Line {
        let stream = UnixStream::connect(socket).unwrap_or_else(|error| panic!("{}: {error}", socket.display()));
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let (tell, told) = channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // Nobody waits for it only once this is dropped.
                let _ = tell.send(serde_json::from_str(&line).unwrap());
            }
        });
        Line { stream, told, events: RefCell::default() }
    }

    /// What comes back of a request, as its result or its error; events that come before are kept.
    pub fn ask(&self, method: &str, params: Value) -> Result<Value, Value> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        writeln!(&self.stream, "{request}").unwrap();
        loop {
            let mut told = self.told.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{method}: not in time"));
            if told["id"] == 1 {
                return if told["error"].is_null() { Ok(told["result"].take()) } else { Err(told["error"].take()) };
            }
            self.events.borrow_mut().push(told["params"].take());
        }
    }

    /// Whether an event like that has come so far.
    pub fn heard(&self, is: impl Fn(&Value) -> bool) -> bool {
        let mut events = self.events.borrow_mut();
        events.extend(self.told.try_iter().map(|mut told| told["params"].take()));
        events.iter().any(is)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // The thread that reads holds the other half.
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}
