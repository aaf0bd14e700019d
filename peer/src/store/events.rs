//! The past, as events: messages taken out of their batches, and changes of membership, in the order of their
//! cursors.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    Key, MessageId, RoomName, Version,
    content::Kind,
    frame::{Frame, HEADER},
    limits,
    message::{Batch, Head, Message},
    wire::{
        control::{Deed, Event, Mark, MemberChange, MemberEvent, MessageEvent, MessageKind, files::FileShown},
        peer::PeerFrame,
    },
};
use rusqlite::{Connection, Row as SqlRow, params};

use super::{
    Store, StoreError,
    load::parsed,
    notes::{as_happened, as_they_stand},
};
use crate::core::Segment;

/// The columns of a segment, as [`segment`] reads them.
pub(super) const COLUMNS: &str =
    "cursor, room, author, name, first, last, epoch, number, received, path, end, mark, frame";

/// Changes of membership that come with a page of messages, at the most.
const CHANGES: usize = 1_000;

impl Store {
    /// Events in the order of their cursors: the first `limit` after `since`, or else the last `limit`.
    pub async fn past(&self, room: Option<RoomName>, since: Option<u64>, limit: u32) -> Result<Vec<Event>, StoreError> {
        self.read(move |connection| past(connection, &room, since, limit as usize, as_happened)).await
    }

    /// The same with messages as they stand now, as in [`Store::messages`].
    pub async fn latest(
        &self,
        room: Option<RoomName>,
        since: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        while self.note_some().await? {}
        self.read(move |connection| past(connection, &room, since, limit as usize, as_they_stand)).await
    }

    /// What has changed in a room's table after one version of it and up to another of the same epoch, in order.
    pub async fn changes(
        &self,
        room: RoomName,
        since: Version,
        until: Version,
    ) -> Result<Vec<MemberEvent>, StoreError> {
        self.read(move |connection| {
            let sql = "SELECT cursor, room, name, change, version, by, at, detail FROM events
                WHERE room = ? AND version LIKE ? ORDER BY cursor";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![room.as_str(), format!("{}.%", since.epoch)])?;
            let mut changes = Vec::new();
            while let Some(row) = rows.next()? {
                let Event::Member(event) = change(row)? else { continue };
                let within = event.version.parse().is_ok_and(|version| since < version && version <= until);
                if within && event.change.is_of_table() {
                    changes.push(event);
                }
            }
            Ok(changes)
        })
        .await
    }

    /// These messages of `author` as they were said, as far as they are here.
    pub async fn said(&self, author: Key, ids: Vec<MessageId>) -> Result<BTreeMap<MessageId, Message>, StoreError> {
        self.read(move |connection| {
            let wanted: BTreeSet<MessageId> = ids.into_iter().collect();
            let mut said = BTreeMap::new();
            for id in &wanted {
                if !said.contains_key(id)
                    && let Some(segment) = segment_with(connection, &author, id)?
                {
                    // What is near is likely to be asked for too.
                    for (message, number) in batch_of(&segment)?.messages().zip(segment.first..) {
                        let id = MessageId { number, ..id.clone() };
                        let message = message.map_err(|why| StoreError::Damaged(why.to_string()))?;
                        said.extend(message.filter(|_| wanted.contains(&id)).map(|message| (id, message)));
                    }
                }
            }
            Ok(said)
        })
        .await
    }

    /// The last `limit` messages of a room as they stand now, or the last of those before a cursor, the oldest first.
    pub async fn messages(&self, room: RoomName, before: Option<u64>, limit: u32) -> Result<Vec<Event>, StoreError> {
        while self.note_some().await? {}
        self.read(move |connection| messages(connection, &Some(room), before, limit as usize)).await
    }

    /// The same, and between them those who joined and left meanwhile.
    pub async fn messages_and_changes(
        &self,
        room: RoomName,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        while self.note_some().await? {}
        self.read(move |connection| {
            let room = Some(room);
            let mut events = messages(connection, &room, before, limit as usize)?;
            // Before a page that is full there may be another, to which older changes belong.
            let is_full = events.len() >= limit as usize;
            let since = events.first().filter(|_| is_full).map_or(0, cursor_of);
            events.extend(comings_and_goings(connection, &room, since, before)?);
            events.sort_by_key(cursor_of);
            Ok(events)
        })
        .await
    }
}

/// How many messages a segment holds.
pub fn message_count(segment: &Segment) -> usize {
    (segment.last + 1 - segment.first) as usize
}

/// The messages of a segment as events, in order, without those withheld.
pub fn events_of(segment: &Segment) -> Result<Vec<Event>, StoreError> {
    let messages = messages_of(segment)?.into_iter();
    Ok(messages.map(|(message, number, cursor)| Event::Message(event(segment, message, number, cursor))).collect())
}

/// The messages of a segment, each with its number and its cursor, in order, without those withheld.
pub(super) fn messages_of(segment: &Segment) -> Result<Vec<(Message, u64, u64)>, StoreError> {
    let batch = batch_of(segment)?;
    let messages = batch.messages().zip(segment.first..).zip(segment.cursor..);
    messages
        .filter_map(|((message, number), cursor)| match message {
            Ok(message) => Some(Ok((message?, number, cursor))),
            Err(why) => Some(Err(StoreError::Damaged(why.to_string()))),
        })
        .collect()
}

/// Whether a segment is what it was when it was stored.
pub(super) fn is_sound(segment: &Segment) -> bool {
    let Ok(batch) = batch_of(segment) else { return false };
    (batch.first, batch.last(), batch.stamp) == (segment.first, segment.last, segment.stamp)
        && batch.room == segment.room
        && batch.verify(&segment.author).is_ok_and(|end| end.hash == segment.end)
}

/// The head that the log has before a segment.
pub(super) fn start_of(segment: &Segment) -> Result<Head, StoreError> {
    Ok(batch_of(segment)?.start())
}

fn batch_of(segment: &Segment) -> Result<Batch, StoreError> {
    let body = segment.frame.get(HEADER..).unwrap_or_default();
    match PeerFrame::decode(body)? {
        Some(PeerFrame::Batch(batch)) => Ok(batch),
        _ => Err(StoreError::Damaged("a batch is something else".into())),
    }
}

/// A message of a segment as it happened.
pub(super) fn event(segment: &Segment, message: Message, number: u64, cursor: u64) -> MessageEvent {
    let kind = message.does(&segment.author, number);
    let file = message.file.as_ref().filter(|_| kind == Kind::File);
    let deed = Deed {
        kind: MessageKind::of(kind),
        file: file.map(FileShown::from),
        about: message.about.map(|about| about.id(&segment.room).to_string()),
        ..Deed::default()
    };
    MessageEvent {
        cursor,
        id: MessageId { room: segment.room.clone(), author: segment.author.short(), number }.to_string(),
        room: segment.room.clone(),
        from: segment.name.clone(),
        seq: number,
        stamp: segment.stamp.to_string(),
        sent: message.sent,
        received: segment.received,
        path: segment.path.clone(),
        text: message.text,
        mark: segment.mark,
        deed,
    }
}

/// The cursor of an event that is kept.
pub(super) fn cursor_of(event: &Event) -> u64 {
    match event {
        Event::Message(message) => message.cursor,
        Event::Member(member) => member.cursor,
        Event::Receipt(_) | Event::Read(_) | Event::Typing(_) | Event::Transfer(_) => 0,
    }
}

/// Which events a segment is shown as.
type View = fn(&Connection, &Segment) -> Result<Vec<Event>, StoreError>;

fn past(
    c: &Connection,
    room: &Option<RoomName>,
    since: Option<u64>,
    limit: usize,
    view: View,
) -> Result<Vec<Event>, StoreError> {
    let mut events = match since {
        Some(since) => [after(c, room, since, limit, view)?, changes_after(c, room, since, limit)?],
        None => [last(c, room, None, limit, view)?, last_changes(c, room, limit)?],
    }
    .concat();
    events.sort_by_key(cursor_of);
    match since {
        Some(_) => events.truncate(limit),
        None => drop(events.drain(..events.len().saturating_sub(limit))),
    }
    Ok(events)
}

fn after(
    c: &Connection,
    room: &Option<RoomName>,
    since: u64,
    limit: usize,
    view: View,
) -> Result<Vec<Event>, StoreError> {
    // A segment that begins before the cursor may reach beyond it, but not by more than a batch holds.
    let place = of_room(room);
    let sql = format!(
        "SELECT {COLUMNS} FROM segments WHERE cursor > ?1 AND cursor + count - 1 > ?2 AND {place} ORDER BY cursor"
    );
    let mut statement = c.prepare_cached(&sql)?;
    let begin = since.saturating_sub(limits::BATCH_MESSAGES as u64) as i64;
    let mut rows = statement.query(params![begin - 1, since as i64, room.as_ref().map(RoomName::as_str)])?;
    let mut events = Vec::new();
    while events.len() < limit
        && let Some(row) = rows.next()?
    {
        events.extend(view(c, &segment(row)?)?.into_iter().filter(|event| cursor_of(event) > since));
    }
    Ok(events)
}

fn last(
    c: &Connection,
    room: &Option<RoomName>,
    before: Option<u64>,
    limit: usize,
    view: View,
) -> Result<Vec<Event>, StoreError> {
    let place = of_room(room);
    let sql = format!("SELECT {COLUMNS} FROM segments WHERE cursor < ?2 AND {place} ORDER BY cursor DESC");
    let mut statement = c.prepare_cached(&sql)?;
    let end = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![None::<i64>, end, room.as_ref().map(RoomName::as_str)])?;
    let (mut latest, mut count) = (Vec::new(), 0);
    while count < limit
        && let Some(row) = rows.next()?
    {
        let mut events = view(c, &segment(row)?)?;
        events.retain(|event| before.is_none_or(|before| cursor_of(event) < before));
        count += events.len();
        latest.push(events);
    }
    latest.reverse();
    Ok(latest.concat())
}

/// The condition for a room, or for none, of which the third value is the name. A room is looked for by its own index:
/// what was said in others costs nothing.
fn of_room(room: &Option<RoomName>) -> &'static str {
    if room.is_some() { "room = ?3" } else { "?3 IS NULL" }
}

fn messages(
    c: &Connection,
    room: &Option<RoomName>,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Event>, StoreError> {
    let mut events = last(c, room, before, limit, as_they_stand)?;
    events.drain(..events.len().saturating_sub(limit));
    Ok(events)
}

fn changes_after(c: &Connection, room: &Option<RoomName>, since: u64, limit: usize) -> Result<Vec<Event>, StoreError> {
    let place = of_room(room);
    let sql = format!(
        "SELECT cursor, room, name, change, version, by, at, detail FROM events
            WHERE cursor > ?1 AND {place} ORDER BY cursor LIMIT ?2"
    );
    let mut statement = c.prepare_cached(&sql)?;
    let mut rows = statement.query(params![since as i64, limit as i64, room.as_ref().map(RoomName::as_str)])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(change(row)?);
    }
    Ok(events)
}

fn last_changes(c: &Connection, room: &Option<RoomName>, limit: usize) -> Result<Vec<Event>, StoreError> {
    let place = of_room(room);
    let sql = format!(
        "SELECT cursor, room, name, change, version, by, at, detail FROM events
            WHERE {place} ORDER BY cursor DESC LIMIT ?2"
    );
    let mut statement = c.prepare_cached(&sql)?;
    let mut rows = statement.query(params![None::<i64>, limit as i64, room.as_ref().map(RoomName::as_str)])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(change(row)?);
    }
    events.reverse();
    Ok(events)
}

/// Who became a member and who stopped being one between two cursors: the last [`CHANGES`] of them.
fn comings_and_goings(
    c: &Connection,
    room: &Option<RoomName>,
    since: u64,
    before: Option<u64>,
) -> Result<Vec<Event>, StoreError> {
    let sql = "SELECT cursor, room, name, change, version, by, at, detail FROM events
        WHERE room = ? AND cursor > ? AND cursor < ? AND change IN ('joined', 'left', 'removed', 'banned')
        ORDER BY cursor DESC LIMIT ?";
    let mut statement = c.prepare_cached(sql)?;
    let end = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
    let room = room.as_ref().map(RoomName::as_str);
    let mut rows = statement.query(params![room, since as i64, end, CHANGES as i64])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(change(row)?);
    }
    Ok(events)
}

fn change(row: &SqlRow<'_>) -> Result<Event, StoreError> {
    let word: String = row.get(3)?;
    let change = MemberChange::ALL.into_iter().find(|change| change.as_str() == word);
    let change = change.ok_or_else(|| StoreError::Damaged(format!("{word:?} is not a change")))?;
    Ok(Event::Member(MemberEvent {
        cursor: row.get::<_, i64>(0)? as u64,
        room: parsed(row, 1)?,
        name: parsed(row, 2)?,
        change,
        version: row.get(4)?,
        by: row.get::<_, Option<String>>(5)?.and_then(|by| by.parse().ok()),
        at: row.get::<_, Option<i64>>(6)?.map(|at| at as u64),
        detail: row.get(7)?,
    }))
}

/// Reads a row of [`COLUMNS`].
pub(super) fn segment(row: &SqlRow<'_>) -> Result<Segment, StoreError> {
    let number = |column| row.get::<_, i64>(column).map(|n| n as u64);
    Ok(Segment {
        cursor: number(0)?,
        room: parsed(row, 1)?,
        author: Key(row.get(2)?),
        name: parsed(row, 3)?,
        first: number(4)?,
        last: number(5)?,
        stamp: Version { epoch: number(6)?, number: number(7)? },
        received: number(8)?,
        path: row.get(9)?,
        end: row.get(10)?,
        mark: match row.get_ref(11)?.as_str_or_null().ok().flatten() {
            Some("early") => Some(Mark::Early),
            Some("late") => Some(Mark::Late),
            _ => None,
        },
        frame: row.get::<_, Vec<u8>>(12)?.into(),
    })
}

/// Segments with messages after a cursor, in order, as many as hold `limit` messages.
pub(super) fn segments_after(c: &Connection, since: u64, limit: usize) -> Result<Vec<Segment>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM segments WHERE cursor > ? ORDER BY cursor");
    let mut statement = c.prepare_cached(&sql)?;
    let mut rows = statement.query([since as i64])?;
    let (mut segments, mut count) = (Vec::new(), 0);
    while count < limit
        && let Some(row) = rows.next()?
    {
        let segment = segment(row)?;
        count += message_count(&segment);
        segments.push(segment);
    }
    Ok(segments)
}

/// The segment that a message of `author` is in.
pub(super) fn segment_with(c: &Connection, author: &Key, id: &MessageId) -> Result<Option<Segment>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM segments WHERE room = ? AND author = ? AND last >= ? ORDER BY last LIMIT 1");
    let mut statement = c.prepare_cached(&sql)?;
    let mut rows = statement.query(params![id.room.as_str(), author.0, id.number as i64])?;
    let segment = rows.next()?.map(segment).transpose()?;
    Ok(segment.filter(|segment| segment.first <= id.number))
}
