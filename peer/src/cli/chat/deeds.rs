//! Commands of the chat that are about an earlier message: one that is named, or the latest.

use std::collections::BTreeMap;

use common::{
    MessageId, RoomName,
    content::{Content, Kind},
    wire::control::{MessageEvent, MessageKind},
};

/// The latest message of each room that stands for itself: one's own, and another's.
#[derive(Default)]
pub struct Latest {
    own: BTreeMap<RoomName, MessageId>,
    others: BTreeMap<RoomName, MessageId>,
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
        match message.deed.kind {
            None | Some(MessageKind::Action | MessageKind::File) => drop(latest.insert(message.room.clone(), id)),
            Some(MessageKind::Delete) => {
                // What is taken back is not the one that is meant next.
                latest.retain(|_, id| message.deed.about.as_ref() != Some(&id.to_string()));
            }
            Some(MessageKind::Edit | MessageKind::Reaction) => {}
        }
    }

    /// Those of one room.
    pub fn in_room<'a>(&'a self, room: &'a RoomName) -> InRoom<'a> {
        InRoom { room, own: self.own.get(room), others: self.others.get(room) }
    }
}

impl InRoom<'_> {
    /// `[ID] TEXT`: an answer.
    pub fn reply(&self, rest: &str) -> Result<Content, String> {
        let (id, text) = self.named(rest, self.others, "nobody else has said anything here yet")?;
        let text = given(text, "/reply so do I")?;
        Ok(Content { text, kind: Kind::Text, about: Some((&id).into()), file: None })
    }

    /// `[ID] TEXT`: another text.
    pub fn edit(&self, rest: &str) -> Result<Content, String> {
        let (id, text) = self.named(rest, self.own, "you have said nothing here yet")?;
        Ok(Content::edit(&id, given(text, "/edit lunch at two")?))
    }

    /// `[ID]`: takes it back.
    pub fn delete(&self, rest: &str) -> Result<Content, String> {
        let (id, more) = self.named(rest, self.own, "you have said nothing here yet")?;
        if more.is_empty() {
            Ok(Content::delete(&id))
        } else {
            Err("/delete takes the id of a message, or nothing".into())
        }
    }

    /// `[ID] EMOJI`: a reaction.
    pub fn react(&self, rest: &str) -> Result<Content, String> {
        let (id, emoji) = self.named(rest, self.others, "nobody else has said anything here yet")?;
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
        let name = || format!("{nothing}; name a message by its id, which is in: peer history ROOM --ids");
        Ok((latest.cloned().ok_or_else(name)?, rest))
    }
}

fn given(text: &str, example: &str) -> Result<String, String> {
    if text.is_empty() { Err(format!("with which text? For example: {example}")) } else { Ok(text.into()) }
}
