//! What each method does.

use std::time::Duration;

use common::{
    MessageId, RoomName,
    content::{About, Content, Kind},
    wire::control::{
        Cancel, Create, Delete, Edit, Event, Exit, History, InRoom, Join, MarkRead, Ordered, React, Receipts, Refusal,
        Rename, Said, Say, Since, files::AskFiles, people::AskPeople,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time,
};

use super::{Session, follow, line::Fault};

/// Longest that a `say` waits for receipts.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Everything but `say` and `tail`.
pub async fn call(session: &impl Session, method: &str, params: Value) -> Result<Value, Fault> {
    match method {
        "status" => result(session.status().await),
        "rooms" => result(session.rooms().await),
        "join" => {
            let Join { room, history } = read(params)?;
            result(match history {
                Some(history) => session.join_as(room, history).await,
                None => session.join(room).await,
            })
        }
        "create" => {
            let (room, settings) = read::<Create>(params)?.parts();
            result(session.create(room, settings).await)
        }
        "order" => {
            let Ordered { room, order } = read(params)?;
            result(session.order(room, order).await.map(|()| json!({})))
        }
        "door" => result(session.door(read::<InRoom>(params)?.room).await),
        "table" => result(session.table(read::<InRoom>(params)?.room).await),
        "changes" => {
            let Since { room, since } = read(params)?;
            result(session.changes(room, since).await)
        }
        "rename" => result(session.rename(read::<Rename>(params)?.name).await.map(|()| json!({}))),
        "leave" => result(session.leave(read::<InRoom>(params)?.room).await.map(|()| json!({}))),
        "members" => result(session.members(read::<InRoom>(params)?.room).await),
        "edit" => {
            let Edit { id, text } = read(params)?;
            let id = message_id(&id)?;
            result(session.speak(id.room.clone(), Content::edit(&id, text)).await)
        }
        "delete" => {
            let id = message_id(&read::<Delete>(params)?.id)?;
            result(session.speak(id.room.clone(), Content::delete(&id)).await)
        }
        "react" => {
            let React { id, text } = read(params)?;
            let id = message_id(&id)?;
            result(session.speak(id.room.clone(), Content::reaction(&id, text)).await)
        }
        "typing" => result(session.typing(read::<InRoom>(params)?.room).await.map(|()| json!({}))),
        "receipts" => {
            let id = message_id(&read::<Receipts>(params)?.id)?;
            result(session.receipts(id).await)
        }
        "outbox" => result(session.outbox().await),
        "cancel" => {
            let id = message_id(&read::<Cancel>(params)?.id)?;
            result(session.cancel(id).await)
        }
        "history" => result(session.history(read::<History>(params)?).await),
        "mark_read" => {
            let MarkRead { room, cursor } = read(params)?;
            result(session.mark_read(room, cursor).await)
        }
        "paths" => result(session.paths().await),
        method if AskFiles::METHODS.contains(&method) => {
            let params = if params.is_null() { json!({}) } else { params };
            result(session.files(read(json!({"method": method, "params": params}))?).await)
        }
        method if AskPeople::METHODS.contains(&method) => {
            let params = if params.is_null() { json!({}) } else { params };
            result(session.people(read(json!({"method": method, "params": params}))?).await)
        }
        "logout" => result(session.logout().await.map(|()| json!({}))),
        _ => Err(Fault::new(Fault::NO_METHOD, format!("there is no method {method:?}"))),
    }
}

/// Says something, and waits for receipts if that is asked for.
pub async fn say(session: impl Session, params: Value) -> Result<Value, Fault> {
    let Say { room, text, wait, reply, me } = read(params)?;
    let about = match reply {
        Some(reply) => Some(answered(&room, &message_id(&reply)?)?),
        None => None,
    };
    let content = Content { text, kind: if me { Kind::Action } else { Kind::Text }, about, file: None };
    content.check().map_err(|bad| Refusal::new(Exit::Refused, bad.to_string()))?;
    let Some(wait) = wait else { return result(session.speak(room, content).await) };
    let wait = Duration::try_from_secs_f64(wait).map_err(bad_params)?.min(LONGEST_WAIT);
    let deadline = time::Instant::now() + wait;
    // Subscribed before it is said, so that no receipt is missed.
    let mut events = session.events();
    let mut said = session.speak(room, content).await?;
    let mut in_time = true;
    while in_time && !said.pending.is_empty() {
        in_time = time::timeout_at(deadline, news_of(&said, &mut events)).await.is_ok();
        // Also when the time is over: the news may have come under another name of the conversation.
        said = session.said(said.id.parse().map_err(bad_params)?).await?;
    }
    result(Ok(said))
}

/// What an answer in a room is to, which has to be in the same room.
fn answered(room: &RoomName, id: &MessageId) -> Result<About, Refusal> {
    if id.room.fold() == room.fold() {
        return Ok(id.into());
    }
    let why = format!("{id} was said in {}, and can only be answered there", id.room);
    Err(Refusal::new(Exit::Refused, why))
}

fn message_id(id: &str) -> Result<MessageId, Fault> {
    id.parse().map_err(bad_params)
}

/// The params as `T`.
pub fn read<T: DeserializeOwned>(params: Value) -> Result<T, Fault> {
    serde_json::from_value(params).map_err(bad_params)
}

/// Waits until a receipt may have come, or a member may have left that was waited for.
async fn news_of(said: &Said, events: &mut Receiver<Event>) {
    loop {
        match events.recv().await {
            Ok(Event::Message(_) | Event::Typing(_)) => {}
            Ok(event) if follow::room_of(&event) != &said.room => {}
            Ok(_) | Err(RecvError::Lagged(_)) => break,
            // The peer is ending; the question that follows says so.
            Err(RecvError::Closed) => break,
        }
    }
    // Receipts of a large room come many at once: one look answers for all that are here.
    *events = events.resubscribe();
}

fn result(result: Result<impl Serialize, Refusal>) -> Result<Value, Fault> {
    let value = result?;
    serde_json::to_value(value).map_err(|error| Refusal::new(Exit::Refused, format!("no JSON: {error}")).into())
}

fn bad_params(error: impl ToString) -> Fault {
    Fault::new(Fault::BAD_PARAMS, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_about_people_is_read_by_its_name() {
        for method in AskPeople::METHODS {
            let all = json!({"name": "bob", "away": true, "entries": [], "seconds": 1});
            let ask = read::<AskPeople>(json!({"method": method, "params": all}));
            assert!(ask.is_ok(), "{method}");
        }
    }

    #[test]
    fn every_method_about_files_is_read_by_its_name() {
        for method in AskFiles::METHODS {
            let all = json!({"room": "lobby", "paths": ["/a"], "file": "cat.jpg", "to": "/tmp", "id": 3, "up": 0});
            let ask = read::<AskFiles>(json!({"method": method, "params": all}));
            assert!(ask.is_ok_and(|ask| json!(ask)["method"] == method), "{method}");
        }
    }
}
