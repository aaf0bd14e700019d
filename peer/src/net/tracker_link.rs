//! The connection to the tracker.

use std::{net::SocketAddr, time::Duration};

use common::{
    Key,
    frame::Encoded,
    net::{
        endpoint::LinkLimits,
        stream::{FrameReader, ReadError, write_frames},
        tls::Certificate,
    },
    wire::tracker::ToPeer,
};
use quinn::{Connection, Endpoint, RecvStream, SendStream, VarInt};
use tokio::{sync::mpsc, time::timeout};

use super::driver::TrackerInputs;
use crate::{
    core::Input,
    reach::{self, Unreached},
};

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the last frames may take to arrive before the link is closed all the same.
const LINGER: Duration = Duration::from_secs(1);
/// Frames that are written together at the most.
const TOGETHER: usize = 64;

/// Connects and serves the connection until it ends, which the last input says. It ends early when `frames` does,
/// once what it holds is written.
pub async fn run(
    endpoint: Endpoint,
    certificate: Certificate,
    limits: LinkLimits,
    address: SocketAddr,
    frames: mpsc::UnboundedReceiver<Encoded>,
    inputs: TrackerInputs,
) {
    let connecting = connect(&endpoint, &certificate, &limits, address);
    let reason = match timeout(PATIENCE, connecting).await {
        Err(_) => Unreached::Silent.to_string(),
        Ok(Err(unreached)) => unreached.to_string(),
        Ok(Ok((connection, key, send, recv))) => {
            inputs.send(Input::TrackerUp(key)).await;
            let writer = tokio::spawn(write(connection.clone(), send, frames));
            let reason = read(recv, &inputs).await;
            connection.close(VarInt::from_u32(0), b"");
            writer.abort();
            reason
        }
    };
    inputs.send(Input::TrackerDown(reason)).await;
}

async fn connect(
    endpoint: &Endpoint,
    certificate: &Certificate,
    limits: &LinkLimits,
    address: SocketAddr,
) -> Result<(Connection, Key, SendStream, RecvStream), Unreached> {
    let (connection, key) = reach::tracker(endpoint, certificate, limits, address).await?;
    let (send, recv) = connection.open_bi().await?;
    Ok((connection, key, send, recv))
}

async fn read(recv: RecvStream, inputs: &TrackerInputs) -> String {
    let mut reader = FrameReader::new(recv);
    loop {
        match reader.next::<ToPeer>().await {
            Ok(Some(frame)) => inputs.send(Input::TrackerSays(frame)).await,
            Ok(None) => return "the tracker has closed the link".into(),
            Err(ReadError::Link(quinn::ReadExactError::ReadError(quinn::ReadError::ConnectionLost(error)))) => {
                return match error {
                    quinn::ConnectionError::TimedOut => "the tracker is not heard any more".into(),
                    error => error.to_string(),
                };
            }
            Err(error) => return error.to_string(),
        }
    }
}

async fn write(connection: Connection, mut stream: SendStream, mut frames: mpsc::UnboundedReceiver<Encoded>) {
    let mut waiting = Vec::with_capacity(TOGETHER);
    while frames.recv_many(&mut waiting, TOGETHER).await > 0 {
        if write_frames(&mut stream, &mut waiting).await.is_err() {
            return;
        }
        waiting.clear();
    }
    let _ = stream.finish();
    let _ = timeout(LINGER, stream.stopped()).await;
    connection.close(VarInt::from_u32(0), b"");
}
