//! Commands of the chat that are about an earlier message: one that is named, or the latest.

use std::collections::{BTreeMap, VecDeque};

use common::{
    MessageId, RoomName,
    content::{Content, Kind},
    wire::control::{MessageEvent, MessageKind},
};

/// Where there is none.
const OWN: &str = "no message of yours is known here that could be meant";
const OTHERS: &str = "no message of anybody else is known here that could be meant";
/// Messages of a room that are remembered, in case that later ones are taken back.
const REMEMBERED: usize = 16;

/// The latest messages of each room that stand for themselves, the last at the end: one's own, and others'.
#[derive(Default)]
pub struct Latest {
    own: BTreeMap<RoomName, VecDeque<MessageId>>,
    others: BTreeMap<RoomName, VecDeque<MessageId>>,
}

/// The latest messages of one room.
pub struct InRoom<'a> {
    room: &'a RoomName,
    own: Option<&'a MessageId>,
    others: Option<&'a MessageId>,
}

impl Latest {
    /// A message has come, or was said here.
    pub fn happened(&mut self, message: &MessageEvent) {
        let Ok(id) = message.id.parse::<MessageId>() else { return };
        let latest = if message.path == "self" { &mut self.own } else { &mut self.others };
        if message.deed.says() && !message.deed.deleted {
            let ids = latest.entry(message.room.clone()).or_default();
            ids.push_back(id);
            if ids.len() > REMEMBERED {
                ids.pop_front();
            }
        } else if message.deed.kind == Some(MessageKind::Delete)
            && let Some(ids) = latest.get_mut(&message.room)
        {
            // What is taken back is not the one that is meant next.
            ids.retain(|id| message.deed.about.as_ref() != Some(&id.to_string()));
        }
    }

    /// Those of one room.
    pub fn in_room<'a>(&'a self, room: &'a RoomName) -> InRoom<'a> {
        InRoom { room, own: last(&self.own, room), others: last(&self.others, room) }
    }
}

fn last<'a>(of: &'a BTreeMap<RoomName, VecDeque<MessageId>>, room: &RoomName) -> Option<&'a MessageId> {
    of.get(room).and_then(VecDeque::back)
}

impl InRoom<'_> {
    /// `[ID] TEXT`: an answer.
    pub fn reply(&self, rest: &str) -> Result<Content, String> {
        let (id, text) = self.named(rest, self.others, OTHERS)?;
        let text = given(text, "/reply so do I")?;
        Ok(Content { text, kind: Kind::Text, about: Some((&id).into()), file: None })
    }

    /// `[ID] TEXT`: another text.
    pub fn edit(&self, rest: &str) -> Result<Content, String> {
        let (id, text) = self.named(rest, self.own, OWN)?;
        Ok(Content::edit(&id, given(text, "/edit lunch at two")?))
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

    /// `[ID] EMOJI`: a reaction.
    pub fn react(&self, rest: &str) -> Result<Content, String> {
        let (id, emoji) = self.named(rest, self.others, OTHERS)?;
        Ok(Content::reaction(&id, given(emoji, "/react 👍")?))
    }

    /// The message that is named first, or else the latest, and what comes behind it.
    fn named<'a>(
        &self,
        rest: &'a str,
        latest: Option<&MessageId>,
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
        let name = || format!("{nothing}; name a message by its id, which is in: peer history ROOM --ids");
        Ok((latest.cloned().ok_or_else(name)?, rest))
    }
}

fn given(text: &str, example: &str) -> Result<String, String> {
    if text.is_empty() { Err(format!("with which text? For example: {example}")) } else { Ok(text.into()) }
}
