//! Reading what a holder sends, as fast as it may come.

use std::{collections::VecDeque, io, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use iroh_io::AsyncStreamReader;
use quinn::RecvStream;
use tokio::time::timeout;

use super::rate::Rate;

/// How long nothing may come.
pub const SILENCE: Duration = Duration::from_secs(15);

/// How long the end of the stream may be in coming, once all else has.
const ENDING: Duration = Duration::from_secs(1);

/// Chunks that are taken from the stream at once: each is what one datagram brought.
const TOGETHER: usize = 64;

/// How long a chunk is at least, as a rule: the payload of the shortest datagram that QUIC allows.
const SHORTEST: usize = 1_200;

/// A stream that is read no faster than it may be: the other side then sends no faster.
#[derive(Debug)]
pub struct Reading {
    stream: RecvStream,
    rates: [Arc<Rate>; 2],
    /// What has been taken from the stream, and not been asked for yet.
    ready: VecDeque<Bytes>,
}

impl Reading {
    /// Reads from the stream as fast as all of `rates` let it.
    pub fn new(stream: RecvStream, rates: [Arc<Rate>; 2]) -> Reading {
        Reading { stream, rates, ready: VecDeque::new() }
    }

    /// Waits for the end of the stream, so that the other side sees that all was taken. Returns whether nothing came before
    /// it.
    pub async fn ends(mut self) -> bool {
        if !self.ready.is_empty() {
            return false;
        }
        let more = timeout(ENDING, self.stream.read(&mut [0; 1])).await;
        !matches!(more, Ok(Ok(Some(_))))
    }

    /// Takes what has come from the stream. Returns whether there was anything before its end.
    async fn take(&mut self) -> io::Result<bool> {
        let most = self.rates.iter().fold(TOGETHER * SHORTEST, |most, rate| rate.portion(most));
        let mut chunks = [const { Bytes::new() }; TOGETHER];
        let some = most.div_ceil(SHORTEST).min(TOGETHER);
        let read = timeout(SILENCE, self.stream.read_chunks(&mut chunks[..some])).await;
        let silent = || {
            let why = format!("nothing came for {} seconds", SILENCE.as_secs());
            io::Error::new(io::ErrorKind::TimedOut, why)
        };
        let Some(count) = read.map_err(|_| silent())?? else { return Ok(false) };
        let bytes = chunks[..count].iter().map(Bytes::len).sum();
        self.ready.extend(chunks.into_iter().take(count));
        for rate in &self.rates {
            rate.pass(bytes).await;
        }
        Ok(true)
    }

    /// Hands on the next bytes, `length` of them, or as many as there are before the stream ends.
    async fn fill(&mut self, length: usize, mut into: impl FnMut(&[u8])) -> io::Result<usize> {
        let mut filled = 0;
        while filled < length {
            let Some(first) = self.ready.front_mut() else {
                if self.take().await? {
                    continue;
                }
                break;
            };
            let now = first.split_to(first.len().min(length - filled));
            if first.is_empty() {
                self.ready.pop_front();
            }
            filled += now.len();
            into(&now);
        }
        Ok(filled)
    }
}

impl AsyncStreamReader for Reading {
    async fn read_bytes(&mut self, length: usize) -> io::Result<Bytes> {
        let mut bytes = BytesMut::with_capacity(length);
        self.fill(length, |now| bytes.extend_from_slice(now)).await?;
        Ok(bytes.freeze())
    }

    async fn read<const L: usize>(&mut self) -> io::Result<[u8; L]> {
        let (mut bytes, mut at) = ([0; L], 0);
        let filled = self
            .fill(L, |now| {
                bytes[at..at + now.len()].copy_from_slice(now);
                at += now.len();
            })
            .await?;
        if filled < L { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
    }
}
