use std::collections::BTreeSet;

use common::{
    AccountName,
    wire::control::{self, Event, MemberChange, Outside, files, people},
};
use serde::{
    Deserializer,
    de::{DeserializeOwned, Error, Visitor, value},
    forward_to_deserialize_any,
};

use super::*;
use crate::control::{Session, call, fake::Fake, line::Fault};

/// Takes the names of a struct's fields from what it asks for when it is read.
struct Names<'a>(&'a mut Vec<&'static str>);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, value::Error> {
        Err(value::Error::custom("no struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, value::Error> {
        *self.0 = fields.to_vec();
        Err(value::Error::custom("only the names are wanted"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn names<T: DeserializeOwned>() -> BTreeSet<&'static str> {
    let mut names = Vec::new();
    let _ = T::deserialize(Names(&mut names));
    assert!(!names.is_empty(), "{} is no plain struct", std::any::type_name::<T>());
    names.into_iter().collect()
}

fn told(fields: &[Field]) -> BTreeSet<&'static str> {
    fields.iter().map(|(name, _)| *name).collect()
}

fn shape(name: &str) -> &'static Shape {
    SHAPES.iter().find(|shape| shape.name == name).unwrap_or_else(|| panic!("no {name}"))
}

/// A value of that type.
fn sample(kind: &str) -> Value {
    match kind.trim_end_matches('?') {
        "account" => json!("bob"),
        "room" => json!("lobby"),
        "message" => json!("lobby/abababababababab/1"),
        "version" => json!("1.2"),
        "path" | "text" => json!("/a"),
        "count" | "number" => json!(0),
        "bool" => json!(true),
        "[path]" => json!(["/a"]),
        "[address]" => json!(["10.0.0.1:1"]),
        "[Entry]" => json!([]),
        choice if choice.contains('|') => json!(choice.split('|').next().unwrap()),
        other => panic!("no sample of {other}"),
    }
}

fn samples(fields: &[Field]) -> Map<String, Value> {
    fields.iter().map(|(name, kind)| (name.to_string(), sample(kind))).collect()
}

async fn code(method: &str, params: Map<String, Value>) -> i32 {
    let session = Fake::new("alice");
    let params = Value::Object(params);
    let result = match method {
        "say" => call::say(session, params).await,
        "tail" => call::read::<control::Tail>(params).map(|_| json!({})),
        method => call::call(&session, method, params).await,
    };
    result.err().map_or(0, |fault| fault.code)
}

#[tokio::test]
async fn every_method_that_is_told_is_served_and_takes_the_params_that_are_told() {
    for Method { name, params, .. } in METHODS {
        let all = samples(params);
        let good = code(name, all.clone()).await;
        assert!(good != Fault::NO_METHOD && good != Fault::BAD_PARAMS, "{name}: {good}");
        for (field, kind) in params.iter() {
            let mut without = all.clone();
            without.remove(*field);
            // What an order needs depends on which it is.
            let depends = *name == "order" && kind.ends_with('?');
            if !depends {
                let refused = code(name, without).await == Fault::BAD_PARAMS;
                assert_eq!(refused, !kind.ends_with('?'), "{name} without {field}");
                let mut wrong = all.clone();
                wrong.insert(field.to_string(), json!([[]]));
                assert_eq!(code(name, wrong).await, Fault::BAD_PARAMS, "{name} with a wrong {field}");
            }
        }
    }
}

#[tokio::test]
async fn every_order_is_read_with_the_fields_that_are_told() {
    let order = method("order").unwrap();
    let (_, kinds) = order.params.iter().find(|(name, _)| *name == "order").unwrap();
    for kind in kinds.split('|') {
        let mut params = samples(order.params);
        params.insert("order".into(), json!(kind));
        assert_ne!(code("order", params).await, Fault::BAD_PARAMS, "{kind}");
    }
}

#[test]
fn methods_are_told_once_and_those_about_people_and_files_are_all_told() {
    let told: BTreeSet<&str> = METHODS.iter().map(|method| method.name).collect();
    assert_eq!(told.len(), METHODS.len());
    for name in people::AskPeople::METHODS.iter().chain(&files::AskFiles::METHODS) {
        assert!(told.contains(name), "{name}");
    }
}

#[test]
fn params_are_told_field_by_field() {
    for (name, fields) in [
        ("join", names::<control::Join>()),
        ("create", names::<control::Create>()),
        ("changes", names::<control::Since>()),
        ("rename", names::<control::Rename>()),
        ("leave", names::<control::InRoom>()),
        ("say", names::<control::Say>()),
        ("edit", names::<control::Edit>()),
        ("delete", names::<control::Delete>()),
        ("react", names::<control::React>()),
        ("receipts", names::<control::Receipts>()),
        ("cancel", names::<control::Cancel>()),
        ("history", names::<control::History>()),
        ("mark_read", names::<control::MarkRead>()),
        ("tail", names::<control::Tail>()),
        ("share", names::<files::Share>()),
        ("unshare", names::<files::NamedFile>()),
        ("get", names::<files::Get>()),
        ("pause", names::<files::TransferId>()),
        ("limit", names::<files::Limits>()),
        ("add", names::<people::Named>()),
        ("away", names::<people::Away>()),
        ("verify", names::<people::Verify>()),
        ("save", names::<people::Save>()),
        ("import", names::<people::Import>()),
        ("connect", names::<people::Connect>()),
        ("listen", names::<people::Listen>()),
    ] {
        assert_eq!(told(method(name).unwrap().params), fields, "{name}");
    }
}

#[test]
fn objects_are_told_field_by_field() {
    for (name, fields) in [
        ("Status", names::<control::Status>()),
        ("Room", names::<control::Room>()),
        ("Joined", names::<control::Joined>()),
        ("Asked", names::<control::Asked>()),
        ("Member", names::<control::Member>()),
        ("Settings", names::<control::SettingsLine>()),
        ("Changes", names::<control::Changes>()),
        ("Door", names::<control::Door>()),
        ("Outside", names::<Outside>()),
        ("Said", names::<control::Said>()),
        ("Receipt", names::<control::Receipt>()),
        ("Outbox", names::<control::Outbox>()),
        ("Waiting", names::<control::Waiting>()),
        ("Cancelled", names::<control::Cancelled>()),
        ("Path", names::<control::Path>()),
        ("Deed", names::<control::Deed>()),
        ("Quote", names::<control::Quote>()),
        ("MemberEvent", names::<control::MemberEvent>()),
        ("ReceiptEvent", names::<control::ReceiptEvent>()),
        ("Read", names::<control::Read>()),
        ("Typing", names::<control::TypingEvent>()),
        ("Shown", names::<files::FileShown>()),
        ("Source", names::<files::Source>()),
        ("Limits", names::<files::Limits>()),
        ("Contact", names::<people::ContactLine>()),
        ("Identity", names::<people::Identity>()),
        ("Entry", names::<people::BookEntry>()),
        ("Imported", names::<people::Imported>()),
        ("Listening", names::<people::Listening>()),
        ("Chat", names::<people::Chat>()),
        ("Last", names::<people::Last>()),
    ] {
        assert_eq!(told(shape(name).fields), fields, "{name}");
    }
    let (_, changes) = shape("MemberEvent").fields.iter().find(|(name, _)| *name == "change").unwrap();
    let all: BTreeSet<String> = MemberChange::ALL.iter().map(|change| json!(change).as_str().unwrap().into()).collect();
    assert_eq!(changes.split('|').map(String::from).collect::<BTreeSet<_>>(), all);
}

#[tokio::test]
async fn objects_with_others_in_them_have_no_field_that_is_not_told() {
    let session = Fake::new("alice");
    session.happen(1);
    let Event::Message(message) = session.past(None, None, 1).await.unwrap().remove(0) else { panic!("no message") };
    let room: common::RoomName = "lobby".parse().unwrap();
    let ask =
        |method: &str, params: Value| serde_json::from_value(json!({"method": method, "params": params})).unwrap();
    let files = session.files(ask("share", json!({"room": room, "paths": ["/a"]}))).await.unwrap();
    let transfer = session.files(ask("get", json!({"room": room, "file": "a", "to": "/b"}))).await.unwrap();
    let name: AccountName = "bob".parse().unwrap();
    let identity = people::Identity { name, key: String::new(), safety_number: String::new(), verified: false };
    let connected = people::Connected { room, address: "10.0.0.1:1".parse().unwrap(), identity };
    for (name, value) in [
        ("Message", json!(message)),
        ("File", json!(files)[0].clone()),
        ("Transfer", json!(transfer)),
        ("Connected", json!(connected)),
    ] {
        let told = told(&all_fields(shape(name)));
        let here: Vec<&String> = value.as_object().unwrap().keys().collect();
        assert!(here.iter().all(|field| told.contains(field.as_str())), "{name}: {here:?}");
        let needed = shape(name).fields.iter().filter(|(_, kind)| !kind.ends_with('?'));
        assert!(needed.clone().all(|(field, _)| value.get(field).is_some()), "{name}: {here:?}");
    }
}

#[test]
fn every_type_that_is_named_is_told() {
    let plain: BTreeSet<&str> = TYPES.iter().map(|(name, _)| *name).collect();
    let known = |word: &str| plain.contains(word) || SHAPES.iter().any(|shape| shape.name == word);
    let params = METHODS.iter().flat_map(|method| method.params.iter().map(|(_, kind)| *kind));
    let fields = SHAPES.iter().flat_map(|shape| shape.fields.iter().map(|(_, kind)| *kind));
    let results = METHODS.iter().map(|method| method.result).filter(|result| *result != "Joined|Asked");
    for kind in params.chain(fields).chain(results).chain(EVENTS.iter().map(|(_, kind)| *kind)) {
        if kind == "{}" || kind.contains('|') {
            continue;
        }
        for word in kind.split(['[', ']', '{', '}', ':', '?']).filter(|word| !word.is_empty()) {
            assert!(known(word), "{kind}");
        }
    }
}
