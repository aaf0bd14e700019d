//! Every method that `peer rpc --describe` tells of, asked over the socket of a real session, and what each did. A method or a
//! param without a row fails the last test.

mod files;
mod people;
mod rooms;
mod session;
mod talk;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
    path::PathBuf,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    socket::Line,
    town::{Town, User, until},
};

const ALL: [&[Row]; 5] = [talk::ROWS, rooms::ROWS, files::ROWS, people::ROWS, session::ROWS];

/// A method that alice asks for, the names of the params it is asked with, those, and what is so some time later.
struct Row {
    method: &'static str,
    with: &'static str,
    params: fn(&Stage) -> Value,
    so: fn(&Stage, &Value) -> bool,
}

const fn row(
    method: &'static str,
    with: &'static str,
    params: fn(&Stage) -> Value,
    so: fn(&Stage, &Value) -> bool,
) -> Row {
    Row { method, with, params, so }
}

/// The town, and what is heard in it.
struct Stage {
    town: Town,
    folder: TempDir,
    /// Alice's connection with the last method.
    own: RefCell<Option<Line>>,
    /// Somebody else's, who follows what happens.
    other: RefCell<Option<Line>>,
}

impl Deref for Stage {
    type Target = Town;

    fn deref(&self) -> &Town {
        &self.town
    }
}

impl Stage {
    fn new(town: Town) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        Stage { town, folder, own: RefCell::default(), other: RefCell::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Follows what happens to somebody, who is typing too.
    fn follows(&self, user: &User) {
        let line = user.line();
        line.ask("tail", json!({"follow": true, "typing": true})).unwrap();
        self.other.replace(Some(line));
    }

    /// Whether an event like that has come to who follows.
    fn seen(&self, is: impl Fn(&Value) -> bool) -> bool {
        self.other.borrow().as_ref().is_some_and(|line| line.heard(is))
    }

    /// Whether an event like that has come with the last method.
    fn told(&self, is: impl Fn(&Value) -> bool) -> bool {
        self.own.borrow().as_ref().is_some_and(|line| line.heard(is))
    }

    fn plays(&self, rows: &[Row]) {
        for Row { method, with, params, so } in rows {
            let params = params(self);
            let names: BTreeSet<&str> = params.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(names, with.split_whitespace().collect(), "{method}");
            let line = self.alice.line();
            let result = line.ask(method, params).unwrap_or_else(|error| panic!("{method}, with {with}: {error}"));
            self.own.replace(Some(line));
            until(&format!("{method}, with {with}: {result}"), || so(self, &result));
        }
    }
}

#[test]
fn every_method_that_is_described_and_every_param_has_a_row() {
    let nobody = User::new("alice");
    let described: Value = serde_json::from_str(&nobody.does("rpc --describe")).unwrap();
    let params = |method: &Value| method["params"].as_object().unwrap().keys().cloned().collect::<BTreeSet<String>>();
    let methods = described["methods"].as_array().unwrap();
    let described: BTreeMap<&str, _> =
        methods.iter().map(|method| (method["method"].as_str().unwrap(), params(method))).collect();
    let mut rows: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for Row { method, with, .. } in ALL.into_iter().flatten() {
        rows.entry(method).or_default().extend(with.split_whitespace().map(String::from));
    }
    assert_eq!(rows, described, "left: what has a row; right: what there is");
}
