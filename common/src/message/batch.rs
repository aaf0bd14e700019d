//! A batch of messages, and the chain that it is a piece of.

use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};

use super::Message;
use crate::{
    content::Kind,
    frame,
    id::{Key, Version},
    identity::Identity,
    limits,
    name::RoomName,
};

/// A hash of a log up to one message; the next message is chained to it.
pub type Hash = [u8; 32];

/// A log's last number and the hash it has there: it stands for everything up to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// How many messages the log has; 0 for none.
    pub number: u64,
    /// The chain's hash at that number.
    pub hash: Hash,
}

impl Head {
    /// The head of a log with nothing in it. It names the room and the author, so that a chain proves both.
    pub fn empty(room: &RoomName, author: &Key) -> Head {
        let mut hash = blake3::Hasher::new_derive_key("rollcall 1 log");
        hash.update(&author.0);
        hash.update(room.as_str().as_bytes());
        Head { number: 0, hash: *hash.finalize().as_bytes() }
    }

    /// The head after one more message, given as the hash of its encoding, said under `stamp`.
    pub fn after(self, stamp: Version, message: &Hash) -> Head {
        let mut hash = blake3::Hasher::new();
        hash.update(&self.hash);
        hash.update(&stamp.epoch.to_be_bytes());
        hash.update(&stamp.number.to_be_bytes());
        hash.update(message);
        Head { number: self.number + 1, hash: *hash.finalize().as_bytes() }
    }

    /// What the author signs: the chain's hash already names room, author and every message; the number is added
    /// so that it need not be counted out, and the prefix so that no other signature of the key can be mistaken.
    fn signed_bytes(&self) -> [u8; 56] {
        let mut bytes = [0; 56];
        bytes[..16].copy_from_slice(b"rollcall 1 head:");
        bytes[16..24].copy_from_slice(&self.number.to_be_bytes());
        bytes[24..].copy_from_slice(&self.hash);
        bytes
    }
}

/// Messages in a row of one author's log in one room, as they travel and as they are stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Batch {
    /// The room.
    #[serde(rename = "r")]
    pub room: RoomName,
    /// The table version that the author held: it fixes who is meant to get these messages.
    #[serde(rename = "v")]
    pub stamp: Version,
    /// The number of the first message.
    #[serde(rename = "f")]
    pub first: u64,
    /// The chain's hash before the first message.
    #[serde(rename = "p")]
    previous: ByteArray<32>,
    /// The messages, each in its author's encoding: they are hashed and passed on as they are, never re-encoded. One
    /// that is withheld is empty here.
    #[serde(rename = "m")]
    messages: Vec<ByteBuf>,
    /// The hashes of those withheld, in order.
    #[serde(rename = "h", default, skip_serializing_if = "Vec::is_empty")]
    withheld: Vec<ByteArray<32>>,
    /// The author's signature of the head that the last message leads to.
    #[serde(rename = "g")]
    signature: ByteArray<64>,
}

/// Why a batch proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadBatch {
    /// No message, or more of them, or more bytes, than a batch may hold.
    #[error("a batch holds 1 to {} messages and at most {} bytes", limits::BATCH_MESSAGES, limits::BATCH_BYTES)]
    Size,
    /// Its numbers begin at 0 or go past the end of all numbers.
    #[error("the numbers of the messages are impossible")]
    Numbers,
    /// There is not one hash for each message withheld.
    #[error("the hashes do not fit the messages withheld")]
    Withheld,
    /// The signature is not the author's, or one of the messages is not the one signed.
    #[error("the signature does not fit the messages")]
    Signature,
    /// A message cannot be read.
    #[error("a message cannot be read")]
    Message,
    /// A text is longer than [`limits::TEXT_BYTES`].
    #[error("a text is longer than {} bytes", limits::TEXT_BYTES)]
    Text,
    /// A reaction is longer than [`limits::REACTION_BYTES`].
    #[error("a reaction is longer than {} bytes", limits::REACTION_BYTES)]
    Reaction,
}

impl Batch {
    /// Chains `messages` to `head` and signs where they lead, which is returned beside the batch.
    ///
    /// The caller keeps each text within [`limits::TEXT_BYTES`] and the whole within [`limits::BATCH_BYTES`] (see
    /// [`Message::cost`]); a batch beyond them is refused by everybody.
    pub fn sign(author: &Identity, room: &RoomName, stamp: Version, head: Head, messages: &[Message]) -> (Batch, Head) {
        let messages: Vec<ByteBuf> = messages.iter().map(|message| ByteBuf::from(message.encode())).collect();
        let end = messages.iter().fold(head, |head, message| head.after(stamp, &hash_of(message)));
        let batch = Batch {
            room: room.clone(),
            stamp,
            first: head.number + 1,
            previous: ByteArray::new(head.hash),
            messages,
            withheld: Vec::new(),
            signature: ByteArray::new(author.sign(&end.signed_bytes())),
        };
        (batch, end)
    }

    /// Checks everything that can be checked without knowing the log before it, and returns the head that the batch
    /// leads to. That it fits a log is for the caller to see: [`Batch::start`] must be the log's head.
    pub fn verify(&self, author: &Key) -> Result<Head, BadBatch> {
        let (count, bytes) = (self.messages.len(), self.bytes());
        if count == 0 || count > limits::BATCH_MESSAGES || bytes > limits::BATCH_BYTES {
            return Err(BadBatch::Size);
        }
        if self.first == 0 || self.first.checked_add(self.messages.len() as u64).is_none() {
            return Err(BadBatch::Numbers);
        }
        if self.messages.iter().filter(|message| message.is_empty()).count() != self.withheld.len() {
            return Err(BadBatch::Withheld);
        }
        if self.first == 1 && self.start() != Head::empty(&self.room, author) {
            return Err(BadBatch::Signature);
        }
        for message in self.messages() {
            let Some(message) = message? else { continue };
            if message.text.len() > limits::TEXT_BYTES {
                return Err(BadBatch::Text);
            }
            if message.kind == Kind::Reaction && message.text.len() > limits::REACTION_BYTES {
                return Err(BadBatch::Reaction);
            }
            if message.answers.len() > limits::ANSWERS {
                return Err(BadBatch::Size);
            }
        }
        let end = self.end();
        if !author.verify(&end.signed_bytes(), &self.signature) {
            return Err(BadBatch::Signature);
        }
        Ok(end)
    }

    /// Whether nothing in it is withheld.
    pub fn is_whole(&self) -> bool {
        self.withheld.is_empty()
    }

    /// The head that the log has before this batch.
    pub fn start(&self) -> Head {
        Head { number: self.first.saturating_sub(1), hash: *self.previous }
    }

    /// The head that the log has after it: two hashes a message.
    pub fn end(&self) -> Head {
        let mut withheld = self.withheld.iter();
        self.messages.iter().fold(self.start(), |head, message| {
            let withheld = if message.is_empty() { withheld.next() } else { None };
            head.after(self.stamp, &withheld.map_or_else(|| hash_of(message), |hash| **hash))
        })
    }

    /// How many bytes its messages have. One that is withheld counts by its hash, and costs no less itself, so that
    /// withholding never makes a batch too large.
    pub fn bytes(&self) -> usize {
        self.messages.iter().map(|message| message.len()).sum::<usize>() + size_of_val(self.withheld.as_slice())
    }

    /// The number of the last message.
    pub fn last(&self) -> u64 {
        self.first.saturating_add(self.messages.len() as u64).saturating_sub(1)
    }

    /// The messages, decoded one by one; `None` for one that is withheld.
    pub fn messages(&self) -> impl Iterator<Item = Result<Option<Message>, BadBatch>> {
        self.messages.iter().map(|bytes| match bytes.as_slice() {
            [] => Ok(None),
            bytes => frame::unpack(bytes).map(Some).map_err(|_| BadBatch::Message),
        })
    }

    /// Those messages that are of a kind that `which` picks, each with its number. The others are not read but for
    /// that.
    pub fn of_kind(&self, which: impl Fn(Kind) -> bool) -> impl Iterator<Item = (u64, Message)> {
        #[derive(Deserialize)]
        struct OfKind {
            #[serde(rename = "k", default)]
            kind: Kind,
        }
        let picked = move |bytes: &[u8]| {
            let kind = frame::unpack::<OfKind>(bytes).ok().filter(|of| which(of.kind))?;
            frame::unpack::<Message>(bytes).ok().filter(|message| message.kind == kind.kind)
        };
        self.messages.iter().zip(self.first..).filter_map(move |(bytes, number)| Some((number, picked(bytes)?)))
    }

    /// The same batch with those messages withheld whose numbers `which` picks, beside those that are already.
    pub fn withhold(&self, which: impl Fn(u64) -> bool) -> Batch {
        let mut known = self.withheld.iter();
        let mut batch = Batch { messages: Vec::new(), withheld: Vec::new(), ..self.clone() };
        for (message, number) in self.messages.iter().zip(self.first..) {
            if message.is_empty() {
                batch.withheld.extend(known.next());
            } else if which(number) {
                batch.withheld.push(ByteArray::new(hash_of(message)));
            } else {
                batch.messages.push(message.clone());
                continue;
            }
            batch.messages.push(ByteBuf::new());
        }
        batch
    }
}

fn hash_of(message: &[u8]) -> Hash {
    *blake3::hash(message).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        content::About,
        file::{FileInfo, Root},
        message::Answered,
    };

    const STAMP: Version = Version { epoch: 3, number: 4 };

    fn room() -> RoomName {
        "lobby".parse().unwrap()
    }

    fn batch(texts: &[&str]) -> (Identity, Batch, Head) {
        let alice = Identity::from_seed([1; 32]);
        let messages: Vec<Message> = texts.iter().map(|text| Message::new(5, text.to_string())).collect();
        let (batch, end) = Batch::sign(&alice, &room(), STAMP, Head::empty(&room(), &alice.key()), &messages);
        (alice, batch, end)
    }

    fn texts(batch: &Batch) -> Vec<Option<String>> {
        batch.messages().map(|message| message.unwrap().map(|message| message.text)).collect()
    }

    #[test]
    fn a_batch_proves_its_messages_and_its_head() {
        let (alice, batch, end) = batch(&["one", "two"]);
        assert_eq!(batch.verify(&alice.key()), Ok(end));
        assert_eq!(end.number, 2);
        assert_eq!(texts(&batch), [Some("one".into()), Some("two".into())]);
    }

    #[test]
    fn a_batch_with_messages_withheld_proves_the_same_head_and_tells_nothing_of_them() {
        let (alice, good, end) = batch(&["one", "a secret", "three"]);
        let some = good.withhold(|number| number == 2);
        assert_eq!(some.verify(&alice.key()), Ok(end));
        assert_eq!(texts(&some), [Some("one".into()), None, Some("three".into())]);
        let encoded = rmp_serde::to_vec_named(&some).unwrap();
        assert!(!encoded.windows(6).any(|bytes| bytes == b"secret"));
        assert_eq!(rmp_serde::from_slice::<Batch>(&encoded).unwrap(), some);
        let all = some.withhold(|_| true);
        assert_eq!(all.verify(&alice.key()), Ok(end));
        assert_eq!(all, good.withhold(|_| true));
    }

    #[test]
    fn the_largest_batch_stays_one_when_all_of_it_is_withheld() {
        let texts = vec!["x"; limits::BATCH_MESSAGES];
        let (alice, good, end) = batch(&texts);
        assert_eq!(good.withhold(|_| true).verify(&alice.key()), Ok(end));
    }

    #[test]
    fn hashes_that_do_not_fit_the_messages_withheld_are_refused() {
        let (alice, good, _) = batch(&["one", "two", "three"]);
        let bad = |alter: fn(&mut Batch)| {
            let mut batch = good.withhold(|number| number < 3);
            alter(&mut batch);
            batch.verify(&alice.key())
        };
        assert_eq!(bad(|b| b.withheld.truncate(1)), Err(BadBatch::Withheld));
        assert_eq!(bad(|b| b.withheld.clear()), Err(BadBatch::Withheld));
        assert_eq!(bad(|b| b.withheld.push(ByteArray::new([0; 32]))), Err(BadBatch::Withheld));
        assert_eq!(bad(|b| b.messages[2].clear()), Err(BadBatch::Withheld));
        assert_eq!(bad(|b| b.messages[0] = ByteBuf::from([0xc1])), Err(BadBatch::Withheld));
        assert_eq!(bad(|b| b.withheld.swap(0, 1)), Err(BadBatch::Signature));
        assert_eq!(bad(|b| b.withheld[0] = ByteArray::new([0; 32])), Err(BadBatch::Signature));
        let much = |b: &mut Batch| {
            b.messages = vec![ByteBuf::new(); limits::BATCH_MESSAGES + 1];
            b.withheld = vec![ByteArray::new([0; 32]); limits::BATCH_MESSAGES + 1];
        };
        assert_eq!(bad(much), Err(BadBatch::Size));
    }

    #[test]
    fn nothing_in_a_batch_can_be_another_without_breaking_the_signature() {
        let (alice, good, _) = batch(&["one", "two"]);
        let bob = Identity::from_seed([2; 32]).key();
        let bad = |alter: fn(&mut Batch)| {
            let mut batch = good.clone();
            alter(&mut batch);
            batch.verify(&alice.key())
        };
        assert_eq!(good.verify(&bob), Err(BadBatch::Signature));
        assert_eq!(bad(|b| b.room = "other".parse().unwrap()), Err(BadBatch::Signature));
        assert_eq!(bad(|b| b.stamp.number += 1), Err(BadBatch::Signature));
        assert_eq!(bad(|b| b.first = 2), Err(BadBatch::Signature));
        assert_eq!(bad(|b| b.messages.swap(0, 1)), Err(BadBatch::Signature));
        assert_eq!(bad(|b| b.messages.truncate(1)), Err(BadBatch::Signature));
        assert_eq!(bad(|b| b.previous = ByteArray::new([0; 32])), Err(BadBatch::Signature));
    }

    #[test]
    fn a_message_never_takes_more_of_a_batch_than_its_cost() {
        let stamp = Some(Version { epoch: u64::MAX, number: u64::MAX });
        let answered = Answered { author: ByteArray::new([0xff; 8]), number: u64::MAX, stamp };
        for text in ["", &"x".repeat(limits::TEXT_BYTES)] {
            let answers = vec![answered.clone(); limits::ANSWERS];
            let message = Message { answers, ..Message::new(u64::MAX, text.into()) };
            assert!(message.encode().len() <= message.cost());
            let about = Some(About { author: ByteArray::new([0xff; 8]), number: u64::MAX });
            let message = Message { about, kind: Kind::Other(u8::MAX), ..message };
            assert!(message.encode().len() <= message.cost());
            let file = FileInfo {
                root: Root([0xff; 32]),
                name: "x".repeat(limits::FILE_NAME_BYTES),
                size: limits::FILE_BYTES,
                head: limits::FOLDER_LIST,
                media: "x".repeat(limits::MEDIA_BYTES),
                pixels: Some((u32::MAX, u32::MAX)),
            };
            let message = Message { file: Some(file), ..message };
            assert!(message.encode().len() <= message.cost());
        }
    }

    #[test]
    fn impossible_batches_are_refused() {
        let (alice, good, _) = batch(&["one"]);
        let bad = |alter: fn(&mut Batch)| {
            let mut batch = good.clone();
            alter(&mut batch);
            batch.verify(&alice.key())
        };
        assert_eq!(bad(|b| b.messages.clear()), Err(BadBatch::Size));
        assert_eq!(bad(|b| b.messages = vec![ByteBuf::new(); limits::BATCH_MESSAGES + 1]), Err(BadBatch::Size));
        assert_eq!(bad(|b| b.first = 0), Err(BadBatch::Numbers));
        assert_eq!(bad(|b| b.first = u64::MAX), Err(BadBatch::Numbers));
        assert_eq!(bad(|b| b.messages[0] = ByteBuf::from([0xc1])), Err(BadBatch::Message));
    }

    #[test]
    fn a_reaction_over_the_limit_is_refused_though_signed() {
        let alice = Identity::from_seed([1; 32]);
        let message = Message { kind: Kind::Reaction, ..Message::new(5, "x".repeat(limits::REACTION_BYTES + 1)) };
        let (batch, _) = Batch::sign(&alice, &room(), STAMP, Head::empty(&room(), &alice.key()), &[message]);
        assert_eq!(batch.verify(&alice.key()), Err(BadBatch::Reaction));
    }

    #[test]
    fn a_text_over_the_limit_is_refused_though_signed() {
        let (alice, batch, _) = batch(&[&"x".repeat(limits::TEXT_BYTES + 1)]);
        assert_eq!(batch.verify(&alice.key()), Err(BadBatch::Text));
    }
}
