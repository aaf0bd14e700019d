//! Finding what was said at a time.

use common::{
    RoomName,
    wire::control::{Event, History, Refusal},
};
use peer::control::{Session, follow::cursor};

use super::action::dated;
use crate::cli::time;

/// Events asked for at once, of which most are messages.
const PAGE: u32 = 32;

/// What was said in a room at a time, in milliseconds since 1970, or later: so many messages, the oldest first.
///
/// # Errors
/// Those of the session.
pub async fn since(session: &impl Session, room: &RoomName, at: u64, most: u32) -> Result<String, Refusal> {
    let Some(first) = first_since(session, room, at).await? else {
        return Ok(format!("nothing was said in {room} since {}", time::date(at)));
    };
    let events = session.latest(Some(room.clone()), Some(first.saturating_sub(1)), most).await?;
    Ok(dated(&events).join("\n"))
}

/// The cursor of the first message of a room that was said then or later. Cursors grow with the times at which messages came;
/// of one that came much later than it was said, that may be another one nearby.
///
/// # Errors
/// Those of the session.
pub async fn first_since(session: &impl Session, room: &RoomName, at: u64) -> Result<Option<u64>, Refusal> {
    let last = session.history(History { limit: Some(1), ..History::of(room.clone()) }).await?;
    let Some(last) = last.iter().filter_map(cursor).max() else { return Ok(None) };
    // All up to `before` was said earlier, and `found` was not.
    let (mut before, mut end, mut found) = (0, last, None);
    while before < end {
        let middle = before + (end - before) / 2;
        match next(session, room, middle).await? {
            Some((cursor, sent)) if sent < at => before = cursor,
            Some((cursor, _)) => (end, found) = (middle, Some(cursor)),
            None => end = middle,
        }
    }
    Ok(found)
}

/// The first message after a cursor: its own, and when it was said.
async fn next(session: &impl Session, room: &RoomName, mut after: u64) -> Result<Option<(u64, u64)>, Refusal> {
    loop {
        let page = session.latest(Some(room.clone()), Some(after), PAGE).await?;
        let message = page.iter().find_map(|event| match event {
            Event::Message(message) => Some((message.cursor, message.sent)),
            _ => None,
        });
        let last = page.iter().filter_map(cursor).max();
        match (message, last) {
            (Some(message), _) => return Ok(Some(message)),
            (None, Some(last)) if page.len() >= PAGE as usize => after = last,
            (None, _) => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fake::Fake;

    #[tokio::test]
    async fn the_first_message_of_a_time_is_found_and_none_after_the_last() {
        let session = Fake::new("alice");
        // They were said when their cursors say.
        let times = [1, 2, 5, 9, 10, 40, 41, 100];
        times.iter().for_each(|cursor| session.happen(*cursor));
        session.happen_in("den", 101);
        let lobby = "lobby".parse().unwrap();
        for at in 0..=102 {
            let first = times.into_iter().find(|time| *time >= at);
            assert_eq!(first_since(&session, &lobby, at).await.unwrap(), first, "{at}");
        }
    }
}
