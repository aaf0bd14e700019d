//! What the peer's store tells of the past: pages of events, as the user is told them, and what of them is read.

use std::collections::BTreeSet;

use common::{
    MessageId, RoomName,
    content::Kind,
    limits, mention,
    wire::control::{
        Deed, Event, Exit, History, MessageEvent, Quote, Read, Refusal,
        people::{Chat, Last},
    },
};

use super::{BEGINNING, Handle, damaged, gone};
use crate::{
    control::follow::{cursor, room_of},
    core::{
        command::{Answer, Ask},
        direct::titled,
    },
};

/// Messages that `history` shows unless it is told how many.
const HISTORY: u32 = 50;
/// Messages of a conversation that are counted as unread, at the most.
const UNREAD: usize = 100;

impl Handle {
    /// Messages of one room that this peer is or was in, the oldest first; at most [`limits::HISTORY_PAGE`] at a time.
    pub async fn history(&self, query: History) -> Result<Vec<Event>, Refusal> {
        let room = self.called(query.room).await?;
        let limit = query.limit.unwrap_or(HISTORY).min(limits::HISTORY_PAGE);
        let events = match query.search {
            Some(words) => self.store.search(room, words, query.before, limit).await,
            None if query.changes => self.store.messages_and_changes(room, query.before, limit).await,
            None => self.store.messages(room, query.before, limit).await,
        };
        self.as_told(events.map_err(damaged)?).await
    }

    /// Events as the user is told them: marked where the user is named, and with conversations of two by the names of
    /// those they are with.
    async fn as_told(&self, mut events: Vec<Event>) -> Result<Vec<Event>, Refusal> {
        mention::mark(&mut events, &self.name.borrow());
        let rooms = events.iter().map(room_of).filter(|room| room.is_direct());
        let rooms: BTreeSet<RoomName> = rooms.cloned().collect();
        if rooms.is_empty() {
            return Ok(events);
        }
        let Answer::Titles(titles) = self.ask(Ask::Titles(rooms.into_iter().collect())).await? else {
            return Err(gone());
        };
        let title = |room: &RoomName| titles.get(room).unwrap_or(room).clone();
        Ok(events.into_iter().map(|event| titled(event, title)).collect())
    }

    /// Events in the order of their cursors: at most `limit` after `since`, or else the last `limit`.
    pub async fn past(&self, room: Option<RoomName>, since: Option<u64>, limit: u32) -> Result<Vec<Event>, Refusal> {
        let room = match room {
            Some(room) => Some(self.called(room).await?),
            None => None,
        };
        self.as_told(self.store.past(room, since, limit).await.map_err(damaged)?).await
    }

    /// The same, but messages as they stand now: the latest text, nothing of what was taken back, and reactions with the
    /// message that they are to.
    pub async fn latest(&self, room: Option<RoomName>, since: Option<u64>, limit: u32) -> Result<Vec<Event>, Refusal> {
        let room = match room {
            Some(room) => Some(self.called(room).await?),
            None => None,
        };
        self.as_told(self.store.latest(room, since, limit).await.map_err(damaged)?).await
    }

    /// Whether something can be done to a message. One that is not here is for the core to refuse.
    pub(super) async fn check_about(&self, id: MessageId) -> Result<(), Refusal> {
        let room = self.called(id.room.clone()).await?;
        let id = MessageId { room, ..id };
        let Some(standing) = self.store.standing(id.clone()).await.map_err(damaged)? else { return Ok(()) };
        let why = match (standing.kind, standing.about) {
            (Kind::Edit, Some(edited)) => format!("{id} is an edit; name the message that it is of, {edited}"),
            (Kind::Delete, _) => format!("{id} is a deletion, and there is nothing to do to it"),
            (Kind::Reaction, Some(to)) => format!("{id} is a reaction; name the message that it is to, {to}"),
            _ if standing.deleted => format!("{id} was taken back by its author"),
            _ => return Ok(()),
        };
        Err(Refusal::new(Exit::Refused, why))
    }

    /// Adds to an answer or a reaction what it is about, where that is here.
    pub async fn quote(&self, event: Event) -> Event {
        match event {
            Event::Message(message) if message.deed.about.is_some() => {
                // Without its quote it is what it was.
                let quote = self.quote_of(&message).await;
                Event::Message(MessageEvent { deed: Deed { quote, ..message.deed }, ..message })
            }
            event => event,
        }
    }

    /// What a message is about is kept under the conversation's own name, and not under that of who it is with.
    async fn quote_of(&self, message: &MessageEvent) -> Option<Quote> {
        let about: MessageId = message.deed.about.as_ref().filter(|_| message.deed.quotes())?.parse().ok()?;
        let room = self.called(about.room.clone()).await.ok()?;
        self.store.quote(MessageId { room, ..about }).await.ok()?
    }

    /// Adds to conversations what was said last in them and how much of it is unread.
    pub(super) async fn fill(&self, chats: &mut [Chat]) -> Result<(), Refusal> {
        let read = self.store.read_up_to().await.map_err(damaged)?;
        for chat in chats {
            // One that cannot be read, or was left just now, takes nothing from the others.
            chat.last = self.last(chat.room.clone()).await.ok().flatten();
            let room = self.called(chat.room.clone()).await?;
            chat.read = read.get(&room).copied().unwrap_or_default();
            let unread = self.store.unread(room, chat.read, UNREAD).await.unwrap_or_default();
            self.count_unread(chat, unread);
        }
        Ok(())
    }

    /// The last message of a conversation, as it stands now.
    async fn last(&self, room: RoomName) -> Result<Option<Last>, Refusal> {
        let last = self.history(History { limit: Some(1), ..History::of(room) }).await?.pop();
        Ok(last.and_then(|event| match event {
            Event::Message(message) => Some(Last {
                from: message.from,
                sent: message.sent,
                text: message.text.chars().take(BEGINNING).collect(),
            }),
            _ => None,
        }))
    }

    fn count_unread(&self, chat: &mut Chat, mut unread: Vec<Event>) {
        mention::mark(&mut unread, &self.name.borrow());
        let calls = |event: &&Event| matches!(event, Event::Message(message) if message.deed.mentions_me);
        let mentions = unread.iter().filter(calls).count();
        chat.unread = unread.len() as u32;
        chat.mentions = if chat.room.is_plain() { mentions as u32 } else { chat.unread };
        chat.counted = unread.iter().filter_map(cursor).max().unwrap_or(chat.read);
    }

    /// Marks a conversation as read, up to a cursor or all of it; what was read stays read. Others that follow events
    /// are told.
    pub async fn mark_read(&self, room: RoomName, cursor: Option<u64>) -> Result<Read, Refusal> {
        let room = self.called(room).await?;
        let (cursor, has_moved) = self.store.mark_read(room.clone(), cursor).await.map_err(damaged)?;
        let told = self.as_told(vec![Event::Read(Read { room: room.clone(), cursor })]).await?.pop();
        let Some(Event::Read(read)) = told else { return Ok(Read { room, cursor }) };
        if has_moved {
            // It is nothing to anybody if nobody listens.
            let _ = self.events.send(Event::Read(read.clone()));
        }
        Ok(read)
    }
}
