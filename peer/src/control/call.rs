//! What each method does.

use std::time::Duration;

use common::{
    MessageId, limits,
    wire::control::{
        Cancel, Create, Event, Exit, History, InRoom, Join, Ordered, Receipts, Refusal, Rename, Said, Say, Since,
        people::AskPeople,
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
        "receipts" => {
            let id: MessageId = read::<Receipts>(params)?.id.parse().map_err(bad_params)?;
            result(session.receipts(id).await)
        }
        "outbox" => result(session.outbox().await),
        "cancel" => {
            let id: MessageId = read::<Cancel>(params)?.id.parse().map_err(bad_params)?;
            result(session.cancel(id).await)
        }
        "history" => result(session.history(read::<History>(params)?).await),
        "paths" => result(session.paths().await),
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
    let Say { room, text, wait } = read(params)?;
    if text.len() > limits::TEXT_BYTES {
        let reason = format!(
            "the text has {} bytes and the limit is {}; say it in several messages",
            text.len(),
            limits::TEXT_BYTES
        );
        return Err(Refusal::new(Exit::Refused, reason).into());
    }
    let Some(wait) = wait else { return result(session.say(room, text).await) };
    let wait = Duration::try_from_secs_f64(wait).map_err(bad_params)?.min(LONGEST_WAIT);
    let deadline = time::Instant::now() + wait;
    // Subscribed before it is said, so that no receipt is missed.
    let mut events = session.events();
    let mut said = session.say(room, text).await?;
    while !said.pending.is_empty() && time::timeout_at(deadline, news_of(&said, &mut events)).await.is_ok() {
        said = session.said(said.id.parse().map_err(bad_params)?).await?;
    }
    result(Ok(said))
}

/// The params as `T`.
pub fn read<T: DeserializeOwned>(params: Value) -> Result<T, Fault> {
    serde_json::from_value(params).map_err(bad_params)
}

/// Waits until a receipt may have come, or a member may have left that was waited for.
async fn news_of(said: &Said, events: &mut Receiver<Event>) {
    loop {
        match events.recv().await {
            Ok(Event::Message(_)) => {}
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
}
