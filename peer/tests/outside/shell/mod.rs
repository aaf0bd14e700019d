//! What people type in a shell beside what the other tests here ask for: options, and what only the command line has.

mod files;
mod login;
mod people;
mod rooms;
mod talk;

use serde_json::Value;

/// The texts in a field of objects.
fn texts<'a>(objects: &'a [Value], field: &str) -> Vec<&'a str> {
    objects.iter().map(|object| object[field].as_str().unwrap_or_default()).collect()
}
