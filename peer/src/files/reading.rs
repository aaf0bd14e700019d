//! Reading what a holder sends, as fast as it may come.

use std::{io, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use iroh_io::AsyncStreamReader;
use quinn::RecvStream;
use tokio::time::timeout;

use super::rate::Rate;

/// How long nothing may come.
pub const SILENCE: Duration = Duration::from_secs(15);

/// How long the end of the stream may be in coming, once all else has.
const ENDING: Duration = Duration::from_secs(1);

/// A stream that is read no faster than it may be: the other side then sends no faster.
#[derive(Debug)]
pub struct Reading {
    stream: RecvStream,
    rates: [Arc<Rate>; 2],
}

impl Reading {
    /// Reads from the stream as fast as all of `rates` let it.
    pub fn new(stream: RecvStream, rates: [Arc<Rate>; 2]) -> Reading {
        Reading { stream, rates }
    }

    /// Waits for the end of the stream, so that the other side sees that all was taken. Returns whether nothing came before
    /// it.
    pub async fn ends(mut self) -> bool {
        let more = timeout(ENDING, self.stream.read(&mut [0; 1])).await;
        !matches!(more, Ok(Ok(Some(_))))
    }

    /// Fills the buffer, or as much of it as there is before the stream ends.
    async fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let most = self.rates.iter().fold(buffer.len() - filled, |most, rate| rate.portion(most));
            let read = timeout(SILENCE, self.stream.read(&mut buffer[filled..filled + most])).await;
            let silent = || {
                let why = format!("nothing came for {} seconds", SILENCE.as_secs());
                io::Error::new(io::ErrorKind::TimedOut, why)
            };
            let Some(bytes) = read.map_err(|_| silent())?? else { break };
            filled += bytes;
            for rate in &self.rates {
                rate.pass(bytes).await;
            }
        }
        Ok(filled)
    }
}

impl AsyncStreamReader for Reading {
    async fn read_bytes(&mut self, length: usize) -> io::Result<Bytes> {
        let mut buffer = BytesMut::zeroed(length);
        let filled = self.fill(&mut buffer).await?;
        buffer.truncate(filled);
        Ok(buffer.freeze())
    }

    async fn read<const L: usize>(&mut self) -> io::Result<[u8; L]> {
        let mut buffer = [0; L];
        if self.fill(&mut buffer).await? < L {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(buffer)
    }
}
