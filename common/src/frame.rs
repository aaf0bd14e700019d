//! Frames: how a protocol's messages lie on a stream.
//!
//! ```text
//! length: u32, big endian, of what follows | kind: u8 | payload: MessagePack, a map with named fields
//! ```
//!
//! A reader refuses a length above its protocol's limit before it makes room for the frame, skips a kind it does not
//! know, and ignores a field it does not know: so an old reader lives with a new writer.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::limits;

/// An encoded frame, its header included; cloning it copies nothing.
pub type Encoded = Bytes;

/// Bytes of the header: the length.
pub const HEADER: usize = 4;

/// A protocol's frames in one direction. Implemented by [`frames!`](crate::frames).
pub trait Frame: Sized {
    /// The largest length that the header may announce, in bytes.
    const LIMIT: usize;

    /// The frame with its header.
    fn encode(&self) -> Encoded;

    /// Reads what follows a header: the kind and the payload. `Ok(None)` is a kind from the future: skip it.
    fn decode(body: &[u8]) -> Result<Option<Self>, BadFrame>;
}

/// Why bytes are not a frame. Whoever sent them does not speak this protocol: drop the link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// Announced as longer than the protocol allows.
    #[error("a frame of {announced} bytes was announced; the limit is {limit}")]
    TooLong {
        /// The length in the header.
        announced: usize,
        /// The protocol's limit.
        limit: usize,
    },
    /// Not even a kind.
    #[error("a frame without a kind")]
    Empty,
    /// The payload is not what the kind calls for.
    #[error("a frame of kind {kind} that cannot be read: {reason}")]
    Malformed {
        /// The kind.
        kind: u8,
        /// What the decoder said.
        reason: String,
    },
}

/// The length in a header, if `F` allows it.
pub fn announced<F: Frame>(header: [u8; HEADER]) -> Result<usize, BadFrame> {
    let announced = u32::from_be_bytes(header) as usize;
    match announced {
        0 => Err(BadFrame::Empty),
        length if length > F::LIMIT => Err(BadFrame::TooLong { announced, limit: F::LIMIT }),
        length => Ok(length),
    }
}

/// Encodes one frame. For [`frames!`](crate::frames).
pub fn encode<T: Serialize>(kind: u8, payload: &T) -> Encoded {
    let mut bytes = vec![0, 0, 0, 0, kind];
    rmp_serde::encode::write_named(&mut bytes, payload).expect("wire types always encode");
    let length = (bytes.len() - HEADER) as u32;
    bytes[..HEADER].copy_from_slice(&length.to_be_bytes());
    bytes.into()
}

/// Decodes one payload. For [`frames!`](crate::frames).
pub fn decode<'a, T: Deserialize<'a>>(kind: u8, payload: &'a [u8]) -> Result<T, BadFrame> {
    unpack(payload).map_err(|error| BadFrame::Malformed { kind, reason: error.to_string() })
}

/// Encodes as MessagePack, with names, what [`unpack`] reads back.
pub fn pack<T: Serialize>(value: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("wire types always encode")
}

/// Decodes MessagePack from outside. Nesting is bounded, since each level takes stack, even in a field nobody knows.
pub fn unpack<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, rmp_serde::decode::Error> {
    let mut decoder = rmp_serde::Deserializer::from_read_ref(bytes);
    decoder.set_max_depth(limits::DEPTH);
    T::deserialize(&mut decoder)
}

/// Declares a protocol's frames in one direction: an enum with one variant a frame, each with its kind.
#[macro_export]
macro_rules! frames {
    ($(#[$doc:meta])* $name:ident, limit $limit:expr; $($(#[$vdoc:meta])* $kind:literal => $variant:ident,)+) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum $name {
            $($(#[$vdoc])* $variant($variant),)+
        }

        impl $crate::frame::Frame for $name {
            const LIMIT: usize = $limit;

            fn encode(&self) -> $crate::frame::Encoded {
                match self {
                    $(Self::$variant(payload) => $crate::frame::encode($kind, payload),)+
                }
            }

            fn decode(body: &[u8]) -> Result<Option<Self>, $crate::frame::BadFrame> {
                let (&kind, payload) = body.split_first().ok_or($crate::frame::BadFrame::Empty)?;
                match kind {
                    $($kind => $crate::frame::decode(kind, payload).map(|p| Some(Self::$variant(p))),)+
                    _ => Ok(None),
                }
            }
        }

        $(impl From<$variant> for $name {
            fn from(payload: $variant) -> Self {
                Self::$variant(payload)
            }
        })+
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::peer::{Bye, PeerFrame};

    #[test]
    fn a_frame_reads_back_as_written() {
        let frame = PeerFrame::from(Bye { reason: "going".into(), stranger: false });
        let bytes = frame.encode();
        let length = announced::<PeerFrame>(bytes[..HEADER].try_into().unwrap()).unwrap();
        assert_eq!(length, bytes.len() - HEADER);
        assert_eq!(PeerFrame::decode(&bytes[HEADER..]), Ok(Some(frame)));
    }

    #[test]
    fn a_length_over_the_limit_is_refused_from_its_header_alone() {
        assert_eq!(
            announced::<PeerFrame>(u32::MAX.to_be_bytes()),
            Err(BadFrame::TooLong { announced: u32::MAX as usize, limit: PeerFrame::LIMIT })
        );
    }

    #[test]
    fn nesting_beyond_the_limit_is_refused_even_in_a_field_that_nobody_knows() {
        let bye = |levels: usize| {
            let nested = [&[0x91].repeat(levels)[..], b"\xc0"].concat();
            let kind = PeerFrame::from(Bye { reason: String::new(), stranger: false }).encode()[HEADER];
            PeerFrame::decode(&[&[kind], &b"\x82\xa6reason\xa0\xa6unseen"[..], &nested].concat())
        };
        assert_eq!(bye(limits::DEPTH / 2), Ok(Some(Bye { reason: String::new(), stranger: false }.into())));
        assert!(matches!(bye(5_000), Err(BadFrame::Malformed { .. })));
        assert!(matches!(bye(limits::PEER_FRAME - 100), Err(BadFrame::Malformed { .. })));
    }

    #[test]
    fn a_kind_from_the_future_is_skipped_and_a_field_from_the_future_ignored() {
        assert_eq!(PeerFrame::decode(&[250, 0xc1]), Ok(None));
        #[derive(Serialize)]
        struct NewerBye {
            reason: String,
            mood: u8,
        }
        let kind = PeerFrame::from(Bye { reason: String::new(), stranger: false }).encode()[HEADER];
        let bytes = encode(kind, &NewerBye { reason: "going".into(), mood: 3 });
        assert_eq!(
            PeerFrame::decode(&bytes[HEADER..]),
            Ok(Some(Bye { reason: "going".into(), stranger: false }.into()))
        );
    }
}
