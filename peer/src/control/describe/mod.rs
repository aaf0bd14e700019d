//! What the control socket offers, as data: for `peer rpc --describe`, for bots in any language, and for the server, which
//! serves nothing that is not in this table.

mod check;
mod methods;
mod shapes;

#[cfg(test)]
#[path = "describe_tests.rs"]
mod tests;

use serde_json::{Map, Value, json};

pub use check::{check, given};
pub use methods::METHODS;
pub use shapes::{EVENTS, SHAPES};

/// The version of this table's form, and of the objects on the socket: a number that grows only when something that was
/// there goes, or means something else.
pub const VERSION: u32 = 1;

/// A field's name and type, as [`TYPES`] tells it.
pub type Field = (&'static str, &'static str);

/// What can be asked for.
pub struct Method {
    /// Its name in a request.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// What goes in.
    pub params: &'static [Field],
    /// The type of what comes out.
    pub result: &'static str,
}

/// An object that comes out, or goes in inside another.
pub struct Shape {
    /// Its name.
    pub name: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
    /// The shape whose fields it has too.
    pub with: Option<&'static str>,
}

/// What the words in the place of types mean.
pub const TYPES: &[Field] = &[
    ("T?", "of params: may be left out; of results: may be missing or null"),
    ("[T]", "a list"),
    ("{T:U}", "an object whose keys are T and whose values are U"),
    ("a|b", "one of these texts"),
    ("account", "a text: the name of an account"),
    ("room", "a text: the name of a room, or @NAME for the conversation with one person"),
    ("message", "a text: the id of a message, ROOM/KEY/NUMBER"),
    ("key", "a text: 64 hexadecimal digits"),
    ("version", "a text: the version of a room's table"),
    ("address", "a text: ADDRESS:PORT"),
    ("path", "a text: an absolute path on the peer's machine"),
    ("text", "a text"),
    ("count", "a whole number, 0 or more"),
    ("number", "a number, which may have a fraction"),
    ("ms", "a count: milliseconds since 1970"),
    ("s", "a count: seconds since 1970"),
    ("bool", "true or false"),
    ("{}", "an empty object"),
];

/// The params of the notification `ended`, which comes last.
const ENDED: &[Field] = &[("code", "number"), ("message", "text")];

/// The method of that name, if there is one.
pub fn method(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

/// All of it as one JSON object.
pub fn json() -> Value {
    let fields =
        |fields: &[Field]| fields.iter().map(|(name, kind)| (name.to_string(), json!(kind))).collect::<Map<_, _>>();
    let method = |method: &Method| {
        json!({
            "method": method.name,
            "about": method.about,
            "params": fields(method.params),
            "result": method.result,
        })
    };
    let shapes = SHAPES.iter().map(|shape| (shape.name.to_string(), Value::Object(fields(&all_fields(shape)))));
    json!({
        "v": VERSION,
        "methods": METHODS.iter().map(method).collect::<Vec<_>>(),
        "events": fields(EVENTS),
        "ended": {"about": "tells a tail that follows how the session has ended", "params": fields(ENDED)},
        "objects": shapes.collect::<Map<_, _>>(),
        "types": fields(TYPES),
        "errors": {
            "1": "refused or wrong; the message says why and what to do",
            "3": "not reachable, or timed out",
            "4": "identity: a key is another than the known one",
            "-32700": "not JSON",
            "-32600": "no JSON-RPC 2.0 request",
            "-32601": "no such method",
            "-32602": "wrong params",
        },
    })
}

/// A shape's fields, those of the shape in it too.
fn all_fields(shape: &Shape) -> Vec<Field> {
    let within = SHAPES.iter().find(|other| Some(other.name) == shape.with);
    shape.fields.iter().copied().chain(within.into_iter().flat_map(all_fields)).collect()
}
