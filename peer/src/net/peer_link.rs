//! One connection to another peer: frames in, frames out.

use std::time::Duration;

use common::{
    address::canonical,
    frame::{Encoded, Frame},
    net::stream::{FrameReader, write_frames},
    wire::peer::{PeerFrame, PeerHint},
};
use quinn::{Connection, RecvStream, SendStream, VarInt};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{
    driver::Inputs,
    pool::{Pool, ToWriter},
};
use crate::core::{Input, LinkId};

/// How long the last frames may take to arrive before a link is closed all the same.
const LINGER: Duration = Duration::from_secs(1);
/// The pause after a datagram before the next one of the link is taken.
const HINT_PAUSE: Duration = Duration::from_millis(100);
/// Frames that are written together at the most.
const TOGETHER: usize = 64;

/// The code with which a link is closed on purpose, and the one for a breach of the protocol.
const CLOSED: VarInt = VarInt::from_u32(0);
const PROTEST: VarInt = VarInt::from_u32(1);

/// Serves the connection until it ends.
pub async fn serve(
    link: LinkId,
    connection: Connection,
    streams: (SendStream, RecvStream),
    frames: mpsc::UnboundedReceiver<ToWriter>,
    pool: Pool,
    inputs: Inputs,
) {
    let (send, recv) = streams;
    let writer = tokio::spawn(write(link, connection.clone(), send, frames, inputs.clone()));
    let hints = tokio::spawn(take_hints(link, connection.clone(), inputs.clone()));
    let asked = tokio::spawn(pool.serving().clone().accept(link, connection.clone(), inputs.clone()));
    let reason = read(link, &connection, recv, &inputs).await;
    hints.abort();
    asked.abort();
    pool.remove(link);
    let _ = inputs.send(Input::LinkDown(link, reason)).await;
    // With the pool's sender gone the writer ends by itself once it has written what it holds.
    let _ = writer.await;
}

async fn read(link: LinkId, connection: &Connection, recv: RecvStream, inputs: &Inputs) -> String {
    let mut reader = FrameReader::new(recv);
    loop {
        match reader.next::<PeerFrame>().await {
            Ok(Some(frame)) => {
                if inputs.send(Input::LinkSays(link, frame)).await.is_err() {
                    return "this peer has ended".into();
                }
            }
            Ok(None) => return "the other side has closed the link".into(),
            Err(common::net::stream::ReadError::Frame(bad)) => {
                tracing::warn!(address = %canonical(connection.remote_address()), "link closed: {bad}");
                connection.close(PROTEST, bad.to_string().as_bytes());
                let _ = inputs.send(Input::LinkBroken(link, bad.to_string())).await;
                return bad.to_string();
            }
            Err(error) => return error.to_string(),
        }
    }
}

/// Takes datagrams one by one, with a pause after each: what comes faster pushes out what waits, so that a flood of them
/// costs no more than a few. One that cannot be read is no reason to close a link.
async fn take_hints(link: LinkId, connection: Connection, inputs: Inputs) {
    while let Ok(datagram) = connection.read_datagram().await {
        if datagram.len() <= PeerHint::LIMIT
            && let Ok(Some(hint)) = PeerHint::decode(&datagram)
            && inputs.send(Input::LinkHints(link, hint)).await.is_err()
        {
            return;
        }
        sleep(HINT_PAUSE).await;
    }
}

async fn write(
    link: LinkId,
    connection: Connection,
    mut stream: SendStream,
    mut frames: mpsc::UnboundedReceiver<ToWriter>,
    inputs: Inputs,
) {
    let mut waiting = Vec::with_capacity(TOGETHER);
    let mut reason = None;
    while reason.is_none() && frames.recv_many(&mut waiting, TOGETHER).await > 0 {
        let mut chunks: Vec<Encoded> = Vec::with_capacity(waiting.len());
        for what in waiting.drain(..) {
            match what {
                ToWriter::Frame(frame) if reason.is_none() => chunks.push(frame),
                ToWriter::Frame(_) => {}
                ToWriter::Close(why) => reason = Some(why),
            }
        }
        let bytes = chunks.iter().map(|chunk| chunk.len()).sum();
        if write_frames(&mut stream, &mut chunks).await.is_err() {
            return;
        }
        if inputs.send(Input::LinkSent(link, bytes)).await.is_err() {
            break;
        }
    }
    let _ = stream.finish();
    let _ = timeout(LINGER, stream.stopped()).await;
    connection.close(CLOSED, reason.unwrap_or_default().as_bytes());
}
