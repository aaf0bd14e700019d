//! Commands of the chat that are about an earlier message: one that is named, or the latest.

use std::collections::{BTreeMap, VecDeque};

use common::{
    MessageId, RoomName,
    content::{Content, Kind},
    wire::control::{MessageEvent, MessageKind},
};

use crate::cli::{file, outbox, text};

/// Where there is none.
const OWN: &str = "no message of yours is known here that could be meant";
const OTHERS: &str = "no message of anybody else is known here that could be meant";
/// Messages of a room that are remembered, in case that later ones are taken back.
const REMEMBERED: usize = 16;

/// The latest messages of each room that stand for themselves, the last at the end: one's own, and others'.
#[derive(Default)]
pub struct Latest {
    own: BTreeMap<RoomName, VecDeque<(MessageId, String)>>,
    others: BTreeMap<RoomName, VecDeque<(MessageId, String)>>,
}

/// The latest messages of one room.
pub struct InRoom<'a> {
    room: &'a RoomName,
    own: Option<&'a (MessageId, String)>,
    others: Option<&'a (MessageId, String)>,
}

impl Latest {
    /// A message has come, or was said here.
    pub fn happened(&mut self, message: &MessageEvent) {
        let Ok(id) = message.id.parse::<MessageId>() else { return };
        let latest = if message.path == "self" { &mut self.own } else { &mut self.others };
        if message.deed.says() && !message.deed.deleted {
            let ids = latest.entry(message.room.clone()).or_default();
            ids.push_back((id, beginning(message)));
            if ids.len() > REMEMBERED {
                ids.pop_front();
            }
        } else if message.deed.kind == Some(MessageKind::Delete)
            && let Some(ids) = latest.get_mut(&message.room)
        {
            // What is taken back is not the one that is meant next.
            ids.retain(|(id, _)| message.deed.about.as_ref() != Some(&id.to_string()));
        } else if message.deed.kind == Some(MessageKind::Edit)
            && let Some(ids) = latest.get_mut(&message.room)
            && let Some((_, text)) = ids.iter_mut().find(|(id, _)| message.deed.about.as_ref() == Some(&id.to_string()))
        {
            *text = beginning(message);
        }
    }

    /// Those of one room.
    pub fn in_room<'a>(&'a self, room: &'a RoomName) -> InRoom<'a> {
        InRoom { room, own: last(&self.own, room), others: last(&self.others, room) }
    }
}

/// What tells a message from others.
fn beginning(message: &MessageEvent) -> String {
    match &message.deed.file {
        Some(shared) => file::told(shared),
        None => text::inline(&outbox::beginning(&message.text)),
    }
}

fn last<'a>(
    of: &'a BTreeMap<RoomName, VecDeque<(MessageId, String)>>,
    room: &RoomName,
) -> Option<&'a (MessageId, String)> {
    of.get(room).and_then(VecDeque::back)
}

impl InRoom<'_> {
    /// `[ID] TEXT`: an answer.
    pub fn reply(&self, rest: &str) -> Result<Content, String> {
        const EXAMPLE: &str = "/reply so do I";
        let (id, text) = self.named(given(rest, EXAMPLE)?, self.others, OTHERS)?;
        let text = given(text, EXAMPLE)?.into();
        Ok(Content { text, kind: Kind::Text, about: Some((&id).into()), file: None })
    }

    /// `[ID] TEXT`: another text.
    pub fn edit(&self, rest: &str) -> Result<Content, String> {
        const EXAMPLE: &str = "/edit lunch at two";
        let (id, text) = self.named(given(rest, EXAMPLE)?, self.own, OWN)?;
        Ok(Content::edit(&id, given(text, EXAMPLE)?.into()))
    }

    /// `[ID]`: takes it back.
    pub fn delete(&self, rest: &str) -> Result<Content, String> {
        let (id, more) = self.named(rest, self.own, OWN)?;
        if more.is_empty() {
            Ok(Content::delete(&id))
        } else {
            Err("/delete takes the id of a message, or nothing".into())
        }
    }

    /// The beginning of the last message of one's own.
    pub fn own_text(&self) -> Option<String> {
        self.own.map(|(_, text)| text.clone())
    }

    /// `[ID] EMOJI`: a reaction.
    pub fn react(&self, rest: &str) -> Result<Content, String> {
        const EXAMPLE: &str = "/react 👍";
        let (id, emoji) = self.named(given(rest, EXAMPLE)?, self.others, OTHERS)?;
        Ok(Content::reaction(&id, given(emoji, EXAMPLE)?.into()))
    }

    /// The message that is named first, or else the latest, and what comes behind it.
    fn named<'a>(
        &self,
        rest: &'a str,
        latest: Option<&(MessageId, String)>,
        nothing: &str,
    ) -> Result<(MessageId, &'a str), String> {
        let (first, more) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        if let Ok(id) = first.parse::<MessageId>() {
            if id.room.fold() != self.room.fold() {
                return Err(format!("{id} was said in {}; go there first: /join {}", id.room, id.room));
            }
            return Ok((id, more.trim()));
        }
        // Without this, a mistyped id would be the text that takes the place of another one.
        if let Some((room, _)) = first.split_once('/')
            && (room.to_lowercase() == self.room.fold() || first.matches('/').count() > 1)
        {
            return Err(format!(
                "{first:?} is no id of a message; one looks like {}/0f1e2d3c4b5a6978/7, and is in: peer history ROOM --ids",
                self.room
            ));
        }
        let name = || format!("{nothing}; name a message by its id, which a shell shows: peer history ROOM --ids");
        Ok((latest.map(|(id, _)| id.clone()).ok_or_else(name)?, rest))
    }
}

fn given<'a>(text: &'a str, example: &str) -> Result<&'a str, String> {
    if text.is_empty() { Err(format!("with what? For example: {example}")) } else { Ok(text) }
}
