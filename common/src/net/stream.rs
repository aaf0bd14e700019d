//! Frames on a QUIC stream.

use quinn::{RecvStream, SendStream};

use crate::frame::{self, BadFrame, Encoded, Frame, HEADER};

/// Why no frame could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The link is gone, or the stream was ended in the middle of a frame.
    #[error("the link broke: {0}")]
    Link(#[from] quinn::ReadExactError),
    /// What came is not of this protocol.
    #[error(transparent)]
    Frame(#[from] BadFrame),
}

/// Reads frames of one protocol, one after the other.
pub struct FrameReader {
    stream: RecvStream,
    body: Vec<u8>,
}

impl FrameReader {
    /// Reads from `stream`, which must be at the start of a frame.
    pub fn new(stream: RecvStream) -> FrameReader {
        FrameReader { stream, body: Vec::new() }
    }

    /// The stream, at what follows the last frame.
    pub fn into_inner(self) -> RecvStream {
        self.stream
    }

    /// The next frame of a kind that is known; those of other kinds are skipped. `None` when the other side has ended
    /// the stream after a whole frame. Not cancel-safe: a read that is dropped half-way loses its place.
    pub async fn next<F: Frame>(&mut self) -> Result<Option<F>, ReadError> {
        loop {
            let mut header = [0; HEADER];
            match self.stream.read_exact(&mut header).await {
                Ok(()) => {}
                Err(quinn::ReadExactError::FinishedEarly(0)) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
            let length = frame::announced::<F>(header)?;
            self.body.resize(length, 0);
            self.stream.read_exact(&mut self.body).await?;
            let frame = F::decode(&self.body)?;
            // One large frame should not keep its memory for the life of an idle link.
            if self.body.capacity() > 64 * 1024 {
                self.body = Vec::new();
            }
            if let Some(frame) = frame {
                return Ok(Some(frame));
            }
        }
    }
}

/// Writes encoded frames that go together: QUIC packs them into as few datagrams as they fit.
pub async fn write_frames(stream: &mut SendStream, frames: &mut [Encoded]) -> Result<(), quinn::WriteError> {
    stream.write_all_chunks(frames).await
}
