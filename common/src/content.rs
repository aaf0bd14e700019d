//! What a message does: most say something; some do something to an earlier message of the same room.
//!
//! A plain text has none of these fields, and its bytes are those of a message that knows no others. Whoever does not
//! know a kind shows the text, so every text makes sense alone: an edit holds the whole new text, a reaction what is
//! shown, and a deletion nothing.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use crate::{
    file::FileInfo,
    id::{Key, KeyPrefix, MessageId},
    limits,
    message::Message,
    name::RoomName,
};

/// What a message does, as a number on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub enum Kind {
    /// It says something; with an earlier message, it answers that.
    #[default]
    Text,
    /// It tells what its author does, as in `alice waves`; with an earlier message, in answer to that.
    Action,
    /// It is the new text of an earlier message of its author's.
    Edit,
    /// It takes an earlier message of its author's back.
    Delete,
    /// It is its author's reaction to an earlier message, in place of the one before; an empty text takes it back.
    Reaction,
    /// It shares a file, [`Message::file`].
    File,
    /// Not known to this version: it is taken for a text.
    Other(u8),
}

impl From<u8> for Kind {
    fn from(number: u8) -> Kind {
        match number {
            0 => Kind::Text,
            1 => Kind::Action,
            2 => Kind::Edit,
            3 => Kind::Delete,
            4 => Kind::Reaction,
            5 => Kind::File,
            other => Kind::Other(other),
        }
    }
}

impl From<Kind> for u8 {
    fn from(kind: Kind) -> u8 {
        match kind {
            Kind::Text => 0,
            Kind::Action => 1,
            Kind::Edit => 2,
            Kind::Delete => 3,
            Kind::Reaction => 4,
            Kind::File => 5,
            Kind::Other(other) => other,
        }
    }
}

impl Kind {
    /// Whether it is a text.
    pub fn is_text(&self) -> bool {
        *self == Kind::Text
    }

    /// Whether it does something to an earlier message, rather than to stand for itself.
    pub fn changes_another(&self) -> bool {
        matches!(self, Kind::Edit | Kind::Delete | Kind::Reaction)
    }
}

/// An earlier message of the same room.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct About {
    /// The beginning of its author's key.
    #[serde(rename = "a")]
    pub author: ByteArray<8>,
    /// Its number.
    #[serde(rename = "n")]
    pub number: u64,
}

impl About {
    /// Its id.
    pub fn id(&self, room: &RoomName) -> MessageId {
        MessageId { room: room.clone(), author: KeyPrefix(*self.author), number: self.number }
    }
}

impl From<&MessageId> for About {
    fn from(id: &MessageId) -> About {
        About { author: ByteArray::new(id.author.0), number: id.number }
    }
}

/// What somebody wants to say or do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    /// The text, at most [`limits::TEXT_BYTES`] long.
    pub text: String,
    /// What it does.
    pub kind: Kind,
    /// To which message, or in answer to which.
    pub about: Option<About>,
    /// The file that it shares, for [`Kind::File`].
    pub file: Option<FileInfo>,
}

impl From<String> for Content {
    fn from(text: String) -> Content {
        Content { text, kind: Kind::Text, about: None, file: None }
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Content {
        text.to_string().into()
    }
}

impl Content {
    /// The new text of a message of one's own.
    pub fn edit(about: &MessageId, text: String) -> Content {
        Content { text, kind: Kind::Edit, about: Some(about.into()), file: None }
    }

    /// Takes a message of one's own back.
    pub fn delete(about: &MessageId) -> Content {
        Content { text: String::new(), kind: Kind::Delete, about: Some(about.into()), file: None }
    }

    /// A reaction; an empty one takes the last one back.
    pub fn reaction(about: &MessageId, text: String) -> Content {
        Content { text, kind: Kind::Reaction, about: Some(about.into()), file: None }
    }

    /// Shares a file. The text is for those who know no files.
    pub fn file(file: FileInfo) -> Content {
        Content { text: file.as_text(), kind: Kind::File, about: None, file: Some(file) }
    }

    /// Whether it may be said, as far as it tells alone.
    pub fn check(&self) -> Result<(), BadContent> {
        let length = self.text.len();
        match self.kind {
            Kind::Reaction if length > limits::REACTION_BYTES => Err(BadContent::Reaction),
            Kind::Reaction if self.text.chars().any(|c| c.is_whitespace() || c.is_control()) => {
                Err(BadContent::Reaction)
            }
            Kind::Text | Kind::Action | Kind::Edit if length == 0 => Err(BadContent::Empty),
            _ if length > limits::TEXT_BYTES => Err(BadContent::Long(length)),
            _ => Ok(()),
        }
    }
}

/// Why something cannot be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadContent {
    /// There is no text.
    #[error("there is nothing to say: the text is empty")]
    Empty,
    /// The text has so many bytes, which are too many.
    #[error("the text has {0} bytes; the limit is {limit} (16 KiB): say it in parts", limit = limits::TEXT_BYTES)]
    Long(usize),
    /// It is no reaction.
    #[error(
        "a reaction is one emoji or one short word, at most {} bytes; say more in an answer to it",
        limits::REACTION_BYTES
    )]
    Reaction,
}

impl Message {
    /// What this message, the one with that number in its author's log, does. What it has no right to do it does not:
    /// an edit or a deletion that is not of an earlier message of the author's own is a text like any other, and so is
    /// whatever names no message to be done to, or no file that could be shared.
    pub fn does(&self, author: &Key, number: u64) -> Kind {
        let own = |about: &About| *about.author == author.short().0 && about.number < number;
        match self.kind {
            Kind::Edit | Kind::Delete if !self.about.as_ref().is_some_and(own) => Kind::Text,
            Kind::Reaction if self.about.is_none() => Kind::Text,
            Kind::File if self.file.as_ref().is_none_or(|file| file.check().is_err()) => Kind::Text,
            Kind::Other(_) => Kind::Text,
            kind => kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame;

    fn id(author: &Key, number: u64) -> MessageId {
        MessageId { room: "lobby".parse().unwrap(), author: author.short(), number }
    }

    fn message(content: Content) -> Message {
        Message::of(5, content)
    }

    #[test]
    fn a_plain_text_has_the_bytes_that_it_has_without_kinds() {
        #[derive(Serialize)]
        struct Plain {
            t: u64,
            x: &'static str,
        }
        let plain = rmp_serde::to_vec_named(&Plain { t: 5, x: "hello" }).unwrap();
        assert_eq!(rmp_serde::to_vec_named(&message("hello".into())).unwrap(), plain);
        assert_eq!(frame::unpack::<Message>(&plain).unwrap(), message("hello".into()));
    }

    #[test]
    fn a_reader_that_knows_no_kinds_reads_the_text() {
        #[derive(Deserialize)]
        struct Older {
            x: String,
        }
        let edit = message(Content::edit(&id(&Key([1; 32]), 3), "better".into()));
        let read: Older = frame::unpack(&rmp_serde::to_vec_named(&edit).unwrap()).unwrap();
        assert_eq!(read.x, "better");
    }

    #[test]
    fn a_kind_from_the_future_is_kept_and_taken_for_a_text() {
        let future = Message { kind: Kind::Other(77), ..message("hello".into()) };
        let read: Message = frame::unpack(&rmp_serde::to_vec_named(&future).unwrap()).unwrap();
        assert_eq!(read, future);
        assert_eq!(read.does(&Key([1; 32]), 9), Kind::Text);
    }

    #[test]
    fn only_the_author_edits_and_deletes_and_only_what_came_before() {
        let (alice, bob) = (Key([1; 32]), Key([2; 32]));
        let edit = message(Content::edit(&id(&alice, 3), "better".into()));
        let delete = message(Content::delete(&id(&alice, 3)));
        assert_eq!((edit.does(&alice, 4), delete.does(&alice, 4)), (Kind::Edit, Kind::Delete));
        assert_eq!((edit.does(&bob, 4), delete.does(&bob, 4)), (Kind::Text, Kind::Text));
        assert_eq!((edit.does(&alice, 3), edit.does(&alice, 2)), (Kind::Text, Kind::Text));
        let nothing = Message { about: None, ..edit };
        assert_eq!(nothing.does(&alice, 4), Kind::Text);
    }

    #[test]
    fn a_reaction_is_one_emoji_or_one_short_word() {
        let reaction = |text: &str| Content::reaction(&id(&Key([1; 32]), 3), text.into()).check();
        for good in ["👍", "👩‍👩‍👧", "+1", "thanks", ""] {
            assert_eq!(reaction(good), Ok(()), "{good}");
        }
        for bad in ["two words", "a\u{1b}[2J", &"x".repeat(33)] {
            assert_eq!(reaction(bad), Err(BadContent::Reaction), "{bad}");
        }
    }
}
