//! Events in the order of their cursors, first those of the past and then those that happen, none lost or doubled.

use std::collections::VecDeque;

use common::{
    RoomName,
    wire::control::{Event, Exit, Refusal},
};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::Session;

/// Past events asked for at once.
const PAGE: u32 = 256;
/// Past events shown where nobody says since when.
const LAST: u32 = 20;

/// A place in the order of events.
pub struct Follow<S> {
    session: S,
    room: Option<RoomName>,
    live: Receiver<Event>,
    /// Who is typing, where that is asked for.
    typing: Option<Receiver<Event>>,
    past: VecDeque<Event>,
    /// Whether the past is shown as it stands now.
    latest: bool,
    /// What has just happened and is being completed.
    fresh: Option<Event>,
    /// The cursor of the last event handed out or in `past`.
    last: Option<u64>,
    /// Whether there may be stored events after `last` that the channel will not bring.
    behind: bool,
}

impl<S: Session> Follow<S> {
    /// Begins after the cursor `since`, or else with the last few events.
    pub fn new(session: S, room: Option<RoomName>, since: Option<u64>) -> Follow<S> {
        // Subscribed before the past is read: what happens between the two comes twice and is dropped once.
        let live = session.events();
        let (past, latest, fresh) = (VecDeque::new(), false, None);
        Follow { session, room, live, typing: None, past, latest, fresh, last: since, behind: true }
    }

    /// Shows messages of the past as they stand now, instead of all that happened.
    pub fn latest(mut self, latest: bool) -> Follow<S> {
        self.latest = latest;
        self
    }

    /// Shows who is typing too.
    pub fn typing(mut self) -> Follow<S> {
        self.typing = Some(self.session.typing_events());
        self
    }

    /// The next event of the past; `None` when there is no more. Cancel-safe.
    pub async fn next_past(&mut self) -> Result<Option<Event>, Refusal> {
        while self.past.is_empty() && self.behind {
            let limit = if self.last.is_some() { PAGE } else { LAST };
            let room = self.room.clone();
            let page = match self.latest {
                true => self.session.latest(room, self.last, limit).await?,
                false => self.session.past(room, self.last, limit).await?,
            };
            // The last few are the newest already; a page that is full may have more behind it.
            self.behind = self.last.is_some() && page.len() >= limit as usize;
            self.last = page.iter().filter_map(cursor).max().or(self.last).or(Some(0));
            self.past = page.into();
        }
        Ok(self.past.pop_front())
    }

    /// The next event, waited for; receipts too, as they come. Cancel-safe.
    pub async fn next(&mut self) -> Result<Event, Refusal> {
        loop {
            if let Some(event) = self.next_past().await? {
                return Ok(event);
            }
            if let Some(fresh) = self.fresh.clone() {
                let event = self.session.quote(fresh).await;
                self.fresh = None;
                return Ok(event);
            }
            let next = tokio::select! {
                biased;
                event = self.live.recv() => event,
                event = heard(&mut self.typing) => Ok(event),
            };
            match next {
                Ok(event) if self.is_new(&event) => {
                    self.last = cursor(&event).or(self.last);
                    self.fresh = Some(event);
                }
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => self.behind = true,
                Err(RecvError::Closed) => {
                    return Err(Refusal::new(Exit::Unreachable, "the peer has ended; log in again: peer login NAME"));
                }
            }
        }
    }

    fn is_new(&self, event: &Event) -> bool {
        let wanted = self.room.as_ref().is_none_or(|room| room.fold() == room_of(event).fold());
        wanted && cursor(event).is_none_or(|cursor| self.last.is_none_or(|last| cursor > last))
    }
}

/// The next hint of who is typing; never, where it is not asked for.
async fn heard(typing: &mut Option<Receiver<Event>>) -> Event {
    while let Some(events) = typing {
        match events.recv().await {
            Ok(event) => return event,
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => *typing = None,
        }
    }
    std::future::pending().await
}

/// Where `tail --since` goes on after an event; receipts are not kept and have no such place.
pub fn cursor(event: &Event) -> Option<u64> {
    match event {
        Event::Message(message) => Some(message.cursor),
        Event::Member(member) => Some(member.cursor),
        Event::Receipt(_) | Event::Read(_) | Event::Typing(_) | Event::Transfer(_) => None,
    }
}

/// The room that an event is of.
pub fn room_of(event: &Event) -> &RoomName {
    match event {
        Event::Message(message) => &message.room,
        Event::Member(member) => &member.room,
        Event::Receipt(receipt) => &receipt.room,
        Event::Read(read) => &read.room,
        Event::Transfer(transfer) => &transfer.room,
        Event::Typing(typing) => &typing.room,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::fake::Fake;

    async fn cursors(follow: &mut Follow<Fake>, count: usize) -> Vec<u64> {
        let mut cursors = Vec::new();
        for _ in 0..count {
            cursors.extend(cursor(&follow.next().await.unwrap()));
        }
        cursors
    }

    #[tokio::test]
    async fn the_past_comes_page_by_page_and_then_what_happens() {
        let session = Fake::new("alice");
        (1..=600).for_each(|n| session.happen(n));
        let mut follow = Follow::new(session.clone(), None, Some(0));
        session.happen(601);
        assert_eq!(cursors(&mut follow, 601).await, (1..=601).collect::<Vec<_>>());
        session.happen(602);
        assert_eq!(cursors(&mut follow, 1).await, [602]);
    }

    #[tokio::test]
    async fn without_a_cursor_the_last_few_come_first() {
        let session = Fake::new("alice");
        (1..=100).for_each(|n| session.happen(n));
        let mut follow = Follow::new(session.clone(), None, None);
        assert_eq!(cursors(&mut follow, 20).await, (81..=100).collect::<Vec<_>>());
        assert_eq!(follow.next_past().await.unwrap(), None);
    }

    #[tokio::test]
    async fn who_falls_behind_gets_all_the_same_each_event_once() {
        let session = Fake::new("alice");
        let mut follow = Follow::new(session.clone(), None, None);
        assert_eq!(follow.next_past().await.unwrap(), None);
        (1..=1_000).for_each(|n| session.happen(n));
        assert_eq!(cursors(&mut follow, 1_000).await, (1..=1_000).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn events_of_other_rooms_are_left_out() {
        let session = Fake::new("alice");
        let mut follow = Follow::new(session.clone(), Some("Lobby".parse().unwrap()), None);
        session.happen_in("den", 1);
        session.happen_in("lobby", 2);
        assert_eq!(cursors(&mut follow, 1).await, [2]);
    }
}
