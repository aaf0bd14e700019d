//! Messages as they stand now: what later ones did to them.
//!
//! Edits, deletions and reactions are messages like others. Behind them, as the search index is, a table is written of
//! the latest of each, by the message that it is done to; so a page of a history is read without what lies outside it.

use std::collections::BTreeMap;

use common::{
    AccountName, Key, MessageId, RoomName,
    content::Kind,
    message::Message,
    wire::control::{Deed, Event, MessageEvent, MessageKind, Quote},
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Store, StoreError,
    events::{COLUMNS, event, messages_of, segment, segment_with, segments_after},
    load::parsed,
};
use crate::core::Segment;

/// Messages looked through in one go.
const BATCH: usize = 20_000;
/// Reactions to one message that are read, at the most.
const REACTIONS: usize = 1_000;
/// Characters of a text that is quoted.
const QUOTED: usize = 80;

impl Store {
    /// Notes what some messages that were not looked through yet do to others. False once there are none.
    pub async fn note_some(&self) -> Result<bool, StoreError> {
        self.run(self.files.writer.clone(), note_some).await
    }

    /// What a message is, and whether it still stands; `None` if it is not here.
    pub async fn standing(&self, id: MessageId) -> Result<Option<Standing>, StoreError> {
        while self.note_some().await? {}
        self.read(move |c| {
            let Some(author) = author_of(c, &id)? else { return Ok(None) };
            let Some(segment) = segment_with(c, &author, &id)? else { return Ok(None) };
            let mut messages = messages_of(&segment)?.into_iter();
            let Some((message, ..)) = messages.find(|(_, number, _)| *number == id.number) else { return Ok(None) };
            let note = note_of(c, &id.room, &author, id.number)?;
            let about = message.about.map(|about| about.id(&id.room));
            Ok(Some(Standing { kind: message.does(&author, id.number), about, deleted: note.deleted }))
        })
        .await
    }

    /// Adds to an answer or a reaction what it is about, where that is here.
    pub async fn quote(&self, mut message: MessageEvent) -> Result<MessageEvent, StoreError> {
        while self.note_some().await? {}
        self.read(move |connection| {
            quote(connection, &mut message)?;
            Ok(message)
        })
        .await
    }
}

/// What a message is, for who wants to do something to it.
#[derive(Debug)]
pub struct Standing {
    /// What it does itself.
    pub kind: Kind,
    /// To what.
    pub about: Option<MessageId>,
    /// Whether its author has taken it back.
    pub deleted: bool,
}

/// What has become of one message.
#[derive(Default)]
struct Note {
    /// Its new text, and the number of the message that has it.
    edit: Option<(u64, String)>,
    deleted: bool,
    reactions: BTreeMap<String, Vec<AccountName>>,
}

/// Notes what some messages do that were not looked through yet. False once there are none.
pub(super) fn note_some(connection: &mut Connection) -> Result<bool, StoreError> {
    let transaction = connection.transaction()?;
    let noted: Option<i64> =
        transaction.query_row("SELECT value FROM meta WHERE name = 'noted'", [], |row| row.get(0)).optional()?;
    let segments = segments_after(&transaction, noted.unwrap_or(0) as u64, BATCH)?;
    let Some(end) = segments.last().map(|last| last.cursor) else { return Ok(false) };
    {
        let sql = "INSERT INTO notes (room, about, number, kind, author, name, by_number, text)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET name = excluded.name, by_number = excluded.by_number, text = excluded.text
                WHERE excluded.by_number > by_number";
        let mut insert = transaction.prepare_cached(sql)?;
        for segment in &segments {
            for (message, number, _) in messages_of(segment)? {
                let kind = message.does(&segment.author, number);
                let Some(about) = message.about.filter(|_| kind.changes_another()) else { continue };
                insert.execute(params![
                    segment.room.as_str(),
                    *about.author,
                    about.number as i64,
                    u8::from(kind),
                    segment.author.0,
                    segment.name.as_str(),
                    number as i64,
                    message.text,
                ])?;
            }
        }
    }
    transaction.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('noted', ?)", [end as i64])?;
    transaction.commit()?;
    Ok(true)
}

/// The messages of a segment as they happened, those that answer with what they answer.
pub(super) fn as_happened(c: &Connection, segment: &Segment) -> Result<Vec<Event>, StoreError> {
    let mut events = Vec::new();
    for (message, number, cursor) in messages_of(segment)? {
        let mut message = event(segment, message, number, cursor);
        quote(c, &mut message)?;
        events.push(Event::Message(message));
    }
    Ok(events)
}

/// The messages of a segment as they stand now. What only does something to another that is here is no line of its own.
pub(super) fn as_they_stand(c: &Connection, segment: &Segment) -> Result<Vec<Event>, StoreError> {
    let mut events = Vec::new();
    for (message, number, cursor) in messages_of(segment)? {
        events.extend(as_it_stands(c, segment, message, number, cursor)?);
    }
    Ok(events)
}

fn as_it_stands(
    c: &Connection,
    segment: &Segment,
    message: Message,
    number: u64,
    cursor: u64,
) -> Result<Option<Event>, StoreError> {
    let kind = message.does(&segment.author, number);
    if matches!(kind, Kind::Delete | Kind::Reaction) {
        return Ok(None);
    }
    if kind == Kind::Edit
        && let Some(about) = &message.about
        && is_here(c, &segment.author, &about.id(&segment.room))?
    {
        return Ok(None);
    }
    let mut message = event(segment, message, number, cursor);
    let note = note_of(c, &segment.room, &segment.author, number)?;
    if note.deleted {
        message.text.clear();
        message.deed = Deed { kind: message.deed.kind, deleted: true, ..Deed::default() };
    } else {
        // What a file is called is not said anew: it would not be what is shared.
        if let Some((_, text)) = note.edit.filter(|_| kind != Kind::File) {
            (message.text, message.deed.edited) = (text, true);
        }
        message.deed.reactions = note.reactions;
        quote(c, &mut message)?;
    }
    Ok(Some(Event::Message(message)))
}

/// What is found by a message that has the words searched for: that message if it still says them, or the earlier one
/// that says them since this edit.
pub(super) fn found(c: &Connection, cursor: u64) -> Result<Option<Event>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM segments WHERE cursor <= ? ORDER BY cursor DESC LIMIT 1");
    let holding = c.prepare_cached(&sql)?.query_and_then([cursor as i64], segment)?.next().transpose()?;
    let Some(segment) = holding else { return Ok(None) };
    let Some((message, number, _)) = messages_of(&segment)?.into_iter().find(|(_, _, at)| *at == cursor) else {
        return Ok(None);
    };
    let kind = message.does(&segment.author, number);
    match (kind, &message.about) {
        (Kind::Text | Kind::Action | Kind::File, _) => {
            let note = note_of(c, &segment.room, &segment.author, number)?;
            if note.deleted || (note.edit.is_some() && kind != Kind::File) {
                Ok(None)
            } else {
                standing(c, &segment, number)
            }
        }
        (Kind::Edit, Some(about)) => {
            let note = note_of(c, &segment.room, &segment.author, about.number)?;
            if note.deleted || note.edit.is_none_or(|(latest, _)| latest != number) {
                return Ok(None);
            }
            match segment_with(c, &segment.author, &about.id(&segment.room))? {
                Some(original) => standing(c, &original, about.number),
                None => standing(c, &segment, number),
            }
        }
        _ => Ok(None),
    }
}

/// One message of a segment as it stands now.
fn standing(c: &Connection, segment: &Segment, number: u64) -> Result<Option<Event>, StoreError> {
    let said = messages_of(segment)?.into_iter().find(|(_, at, _)| *at == number);
    let Some((message, number, cursor)) = said else { return Ok(None) };
    as_it_stands(c, segment, message, number, cursor)
}

/// Whether a message is here and not withheld.
fn is_here(c: &Connection, author: &Key, id: &MessageId) -> Result<bool, StoreError> {
    let Some(segment) = segment_with(c, author, id)? else { return Ok(false) };
    Ok(messages_of(&segment)?.iter().any(|(_, number, _)| *number == id.number))
}

fn note_of(c: &Connection, room: &RoomName, author: &Key, number: u64) -> Result<Note, StoreError> {
    let sql = "SELECT kind, author, name, by_number, text FROM notes WHERE room = ? AND about = ? AND number = ?
        ORDER BY kind, by_number LIMIT ?";
    let mut statement = c.prepare_cached(sql)?;
    let mut rows = statement.query(params![room.as_str(), author.short().0, number as i64, REACTIONS as i64])?;
    let mut note = Note::default();
    while let Some(row) = rows.next()? {
        let by_author = Key(row.get(1)?) == *author;
        let text: String = row.get(4)?;
        match Kind::from(row.get::<_, u8>(0)?) {
            Kind::Edit if by_author => note.edit = Some((row.get::<_, i64>(3)? as u64, text)),
            Kind::Delete if by_author => note.deleted = true,
            Kind::Reaction if !text.is_empty() => note.reactions.entry(text).or_default().push(parsed(row, 2)?),
            _ => {}
        }
    }
    note.reactions.values_mut().for_each(|names| names.sort());
    Ok(note)
}

/// Adds to an answer or a reaction what it is about, where that is here.
fn quote(c: &Connection, message: &mut MessageEvent) -> Result<(), StoreError> {
    if matches!(message.deed.kind, Some(MessageKind::Edit | MessageKind::Delete)) {
        return Ok(());
    }
    let Some(about) = message.deed.about.as_ref().and_then(|id| id.parse::<MessageId>().ok()) else { return Ok(()) };
    let Some(author) = author_of(c, &about)? else { return Ok(()) };
    let Some(segment) = segment_with(c, &author, &about)? else { return Ok(()) };
    let Some((said, ..)) = messages_of(&segment)?.into_iter().find(|(_, number, _)| *number == about.number) else {
        return Ok(());
    };
    let note = note_of(c, &about.room, &author, about.number)?;
    let text = match note.edit {
        _ if note.deleted => String::new(),
        Some((_, text)) => text,
        None => said.text,
    };
    let text = text.lines().next().unwrap_or_default().chars().take(QUOTED).collect();
    message.deed.quote = Some(Quote { from: segment.name, text });
    Ok(())
}

/// The key of a message's author, of which the id has the beginning.
fn author_of(c: &Connection, id: &MessageId) -> Result<Option<Key>, StoreError> {
    let mut from = [0; 32];
    from[..8].copy_from_slice(&id.author.0);
    let sql = "SELECT author FROM segments WHERE room = ? AND author >= ? ORDER BY author LIMIT 1";
    let author = c.prepare_cached(sql)?.query_row(params![id.room.as_str(), from], |row| row.get(0)).optional()?;
    Ok(author.map(Key).filter(|author| author.short() == id.author))
}

#[cfg(test)]
#[path = "notes_tests.rs"]
mod tests;
