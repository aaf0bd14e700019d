//! Lines of bounded length, and the JSON-RPC 2.0 objects in them.

use std::io;

use common::{limits, wire::control::Refusal};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// The longest line that a server takes: the longest text with every byte escaped as `\u0000`, and an envelope.
pub const REQUEST_BYTES: usize = 64 * 1024 + 6 * limits::TEXT_BYTES;
/// The longest line that a client takes: a list of the members of a very large room.
pub const ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Reads lines, none longer than a limit.
pub struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    limit: usize,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// Reads from `reader`.
    pub fn new(reader: R, limit: usize) -> Lines<R> {
        Lines { reader, line: Vec::new(), limit }
    }

    /// The next line without its end; `None` at the end of all. A line that is too long is an error of the kind
    /// `InvalidData`, after which there is no telling where the next one begins. Cancel-safe.
    pub async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let bytes = self.reader.fill_buf().await?;
            if bytes.is_empty() {
                let rest = std::mem::take(&mut self.line);
                return Ok((!rest.is_empty()).then_some(rest));
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let part = &bytes[..end.unwrap_or(bytes.len())];
            if self.line.len() + part.len() > self.limit {
                return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a line of over {} bytes", self.limit)));
            }
            self.line.extend_from_slice(part);
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                return Ok(Some(std::mem::take(&mut self.line)));
            }
        }
    }
}

/// A JSON-RPC error: a fault of the protocol has one of its negative codes, a refusal has the exit code.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// What kind.
    pub code: i32,
    /// Why, and what to do.
    pub message: String,
}

impl Fault {
    /// The line is not JSON.
    pub const NOT_JSON: i32 = -32700;
    /// The JSON is not a request.
    pub const NOT_A_REQUEST: i32 = -32600;
    /// There is no such method.
    pub const NO_METHOD: i32 = -32601;
    /// The params are not those of the method.
    pub const BAD_PARAMS: i32 = -32602;

    /// A fault of the protocol.
    pub fn new(code: i32, message: impl Into<String>) -> Fault {
        Fault { code, message: message.into() }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Fault {
        Fault { code: refusal.code.into(), message: refusal.message }
    }
}

/// What a client asks for.
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    /// Comes back with the answer; without one there is no answer.
    pub id: Option<Value>,
    /// What to do.
    pub method: String,
    /// With what: an object.
    pub params: Value,
}

impl Request {
    /// Reads a request. A fault comes with the id it is to be answered under.
    pub fn read(line: &[u8]) -> Result<Request, (Value, Fault)> {
        let value: Value = serde_json::from_slice(line)
            .map_err(|error| (Value::Null, Fault::new(Fault::NOT_JSON, format!("not JSON: {error}"))))?;
        let id = value.get("id").cloned();
        let fault = |what: &str| {
            let id = id.clone().filter(|id| id.is_string() || id.is_number()).unwrap_or(Value::Null);
            (id, Fault::new(Fault::NOT_A_REQUEST, what))
        };
        if value.get("jsonrpc") != Some(&json!("2.0")) {
            return Err(fault("one JSON object a line, with \"jsonrpc\": \"2.0\""));
        }
        let Some(method) = value.get("method").and_then(Value::as_str) else {
            return Err(fault("\"method\" must be a string"));
        };
        if id.as_ref().is_some_and(|id| id.is_array() || id.is_object() || id.is_boolean()) {
            return Err(fault("\"id\" must be a string or a number"));
        }
        let params = value.get("params").cloned().unwrap_or_else(|| json!({}));
        Ok(Request { method: method.to_string(), params, id })
    }
}

/// The line that answers the request with this id.
pub fn answer(id: &Value, result: Result<Value, Fault>) -> Vec<u8> {
    line(&match result {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(fault) => json!({"jsonrpc": "2.0", "id": id, "error": fault}),
    })
}

/// The line that tells something that nobody has asked for.
pub fn notification(method: &str, params: &impl Serialize) -> Vec<u8> {
    line(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
}

/// A value on a line of its own.
pub fn line(value: &Value) -> Vec<u8> {
    let mut line = value.to_string().into_bytes();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
        let mut lines = Lines::new(&b"12345\n\n123456\n"[..], 5);
        assert_eq!(lines.next().await.unwrap(), Some(b"12345".to_vec()));
        assert_eq!(lines.next().await.unwrap(), Some(Vec::new()));
        assert_eq!(lines.next().await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn a_last_line_without_its_end_counts() {
        let mut lines = Lines::new(&b"ab"[..], 5);
        assert_eq!(lines.next().await.unwrap(), Some(b"ab".to_vec()));
        assert_eq!(lines.next().await.unwrap(), None);
    }

    #[test]
    fn what_is_no_request_is_told_from_what_is_no_json() {
        let code = |text: &str| Request::read(text.as_bytes()).unwrap_err().1.code;
        assert_eq!(code("{"), Fault::NOT_JSON);
        assert_eq!(code("[]"), Fault::NOT_A_REQUEST);
        assert_eq!(code(r#"{"method":"status"}"#), Fault::NOT_A_REQUEST);
        assert_eq!(code(r#"{"jsonrpc":"2.0","method":7}"#), Fault::NOT_A_REQUEST);
        let (id, _) = Request::read(br#"{"jsonrpc":"2.0","id":7}"#).unwrap_err();
        assert_eq!(id, json!(7));
    }
}
