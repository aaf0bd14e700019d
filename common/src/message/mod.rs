//! An author's log of messages in one room: numbered from 1, each chained to the one before, a batch at a time
//! vouched for by one signature.
//!
//! The unit is the [`Batch`]: messages in a row, all under one stamp, with the signed head they lead to. It is
//! encoded once, by its author; the same bytes are sent, stored and passed on.
//!
//! A message enters the chain by its own hash. So a batch proves as much with a message *withheld*: replaced by that
//! hash. Who has only the hash can test a guess at what was said, and no more.

mod batch;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

pub use batch::{BadBatch, Batch, Hash, Head};

use crate::{
    content::{About, Content, Kind},
    file::FileInfo,
    id::Version,
};

/// What a person said.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Message {
    /// When, in milliseconds since 1970, by the author's clock: something to show, never to decide by.
    #[serde(rename = "t")]
    pub sent: u64,
    /// The text, at most [`TEXT_BYTES`](crate::limits::TEXT_BYTES) long.
    #[serde(rename = "x")]
    pub text: String,
    /// What its author had seen last, on the first message of a batch: it is shown to nobody before these. At most
    /// [`ANSWERS`](crate::limits::ANSWERS).
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answered>,
    /// What it does; a text if it does not say. [`Message::does`] is what counts.
    #[serde(rename = "k", default, skip_serializing_if = "Kind::is_text")]
    pub kind: Kind,
    /// To which earlier message, or in answer to which.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
    /// The file that it shares, for [`Kind::File`].
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileInfo>,
}

/// A message that another one comes after. With it comes all that it came after itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Answered {
    /// The beginning of its author's key.
    #[serde(rename = "a")]
    pub author: ByteArray<8>,
    /// Its number.
    #[serde(rename = "n")]
    pub number: u64,
    /// Its stamp, if that is not the stamp of the answer. Who was not a member then does not wait for it.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Version>,
}

impl Message {
    fn encode(&self) -> Vec<u8> {
        rmp_serde::to_vec_named(self).expect("a struct of integers and strings always encodes")
    }

    /// No less than the bytes that one of its answers takes.
    pub const ANSWER_COST: usize = 64;

    /// No less than the bytes that its kind and the message it is about take.
    const ABOUT_COST: usize = 32;

    /// No less than the bytes that the file takes which it shares, but for its name and its media type.
    const FILE_COST: usize = 128;

    /// A text that somebody said at this moment.
    pub fn new(sent: u64, text: String) -> Message {
        Message::of(sent, text.into())
    }

    /// What somebody said or did at this moment.
    pub fn of(sent: u64, Content { text, kind, about, file }: Content) -> Message {
        Message { sent, text, answers: Vec::new(), kind, about, file }
    }

    /// No less than the bytes this message takes in a batch.
    pub fn cost(&self) -> usize {
        let about = if self.about.is_some() || !self.kind.is_text() { Self::ABOUT_COST } else { 0 };
        let file = self.file.as_ref().map_or(0, |file| Self::FILE_COST + file.name.len() + file.media.len());
        self.text.len() + 32 + about + file + Self::ANSWER_COST * self.answers.len()
    }
}
