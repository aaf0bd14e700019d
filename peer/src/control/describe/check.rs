//! Whether the params of a request are those that are told: said before they are read, in the words of the table.

use serde_json::{Map, Value};

use super::{Field, Method, TYPES};
use crate::control::line::Fault;

/// How far a misspelt param may be from the one that is meant: so many letters, and no more than half of it.
const NEAR: usize = 2;

/// Refuses params that the method has not, lacks, or would take for something else.
pub fn check(method: &Method, params: &Value) -> Result<(), Fault> {
    let none = Map::new();
    let given = match params {
        Value::Null => &none,
        Value::Object(given) => given,
        // What many libraries send where there are none.
        Value::Array(given) if given.is_empty() => &none,
        _ => return Err(fault(method, "params is to be an object, such as {}")),
    };
    if let Some(unknown) = given.keys().find(|name| !method.params.iter().any(|(told, _)| told == name)) {
        return Err(fault(method, &format!("there is no param {unknown:?}{}", meant(method, unknown))));
    }
    for (name, kind) in method.params {
        let (kind, optional) = kind.strip_suffix('?').map_or((*kind, false), |kind| (kind, true));
        match given.get(*name) {
            None | Some(Value::Null) if optional => {}
            None => return Err(fault(method, &format!("{name} is missing, which is {}", told(kind)))),
            Some(value) if fits(kind, value) => {}
            Some(_) => return Err(fault(method, &format!("{name} is to be {}", told(kind)))),
        }
    }
    Ok(())
}

/// Params as they are read: what is null is left out.
pub fn given(params: Value) -> Value {
    match params {
        Value::Object(given) => given.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new().into(),
    }
}

fn fault(method: &Method, why: &str) -> Fault {
    Fault::new(Fault::BAD_PARAMS, format!("{}: {why}; see: peer rpc --describe", method.name))
}

fn meant(method: &Method, unknown: &str) -> String {
    let distance = |(name, _): &Field| (strsim::damerau_levenshtein(name, unknown), *name);
    let nearest = method.params.iter().map(distance).min();
    let is_near = |(distance, name): &(usize, &str)| *distance <= NEAR && 2 * distance <= name.len();
    nearest.filter(is_near).map(|(_, name)| format!("; did you mean {name:?}?")).unwrap_or_default()
}

/// What a type is, for a person.
fn told(kind: &str) -> String {
    if let Some(of) = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
        return format!("a list, each of it {}", told(of));
    }
    if kind.contains('|') {
        return format!("one of {}", kind.split('|').map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", "));
    }
    TYPES.iter().find(|(name, _)| *name == kind).map_or_else(|| "an object".into(), |(_, told)| told.to_string())
}

/// Whether a value is of a type, as far as its form tells: a name that cannot be one says so when it is read.
fn fits(kind: &str, value: &Value) -> bool {
    if let Some(of) = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
        return value.as_array().is_some_and(|list| list.iter().all(|value| fits(of, value)));
    }
    match kind {
        "count" | "ms" | "s" => value.is_u64(),
        "number" => value.is_number(),
        "bool" => value.is_boolean(),
        choice if choice.contains('|') => value.as_str().is_some_and(|word| choice.split('|').any(|it| it == word)),
        text if TYPES.iter().any(|(name, _)| *name == text) => value.is_string(),
        _ => value.is_object(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::control::describe;

    fn told_of(method: &str, params: Value) -> String {
        check(describe::method(method).unwrap(), &params).unwrap_err().message
    }

    #[test]
    fn what_is_wrong_is_told_with_the_param_and_what_it_takes() {
        for (method, params, told) in [
            ("join", json!({"room": 5}), "join: room is to be a text: the name of a room"),
            ("join", json!({}), "join: room is missing, which is a text: the name of a room"),
            ("join", json!({"room": "x", "rom": "y"}), "join: there is no param \"rom\"; did you mean \"room\"?"),
            ("join", json!({"room": "x", "colour": 1}), "join: there is no param \"colour\"; see"),
            ("join", json!({"room": "x", "history": "some"}), "join: history is to be one of \"joined\", \"all\";"),
            ("order", json!({"room": "x", "order": "sit"}), "order: order is to be one of \"decide\", \"remove\""),
            ("history", json!({"room": "x", "limit": -1}), "history: limit is to be a whole number, 0 or more"),
            ("share", json!({"room": "x", "paths": [1]}), "share: paths is to be a list, each of it a text"),
            ("import", json!({"entries": ["bob"]}), "import: entries is to be a list, each of it an object"),
            ("status", json!([1]), "status: params is to be an object"),
        ] {
            let message = told_of(method, params);
            assert!(message.starts_with(told) && message.ends_with("see: peer rpc --describe"), "{message}");
        }
    }

    #[test]
    fn what_may_be_left_out_may_be_null_too() {
        for params in [json!({"room": "x", "history": null}), json!({"room": "x"})] {
            assert!(check(describe::method("join").unwrap(), &params).is_ok(), "{params}");
        }
        assert!(check(describe::method("status").unwrap(), &Value::Null).is_ok());
    }

    #[test]
    fn an_empty_list_and_null_are_no_params() {
        assert!(check(describe::method("status").unwrap(), &json!([])).is_ok());
        assert_eq!(given(json!([])), json!({}));
        assert_eq!(given(json!({"room": "x", "follow": null})), json!({"room": "x"}));
    }
}
