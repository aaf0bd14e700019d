//! The connection to the tracker.

use std::{net::SocketAddr, time::Duration};

use common::{
    Key,
    frame::Encoded,
    net::{
        endpoint::{LinkLimits, client_config},
        stream::{FrameReader, ReadError, write_frames},
        tls::{self, Certificate, SERVER_NAME},
    },
    wire::tracker::{ALPN, ToPeer},
};
use quinn::{Connection, Endpoint, RecvStream, SendStream, VarInt};
use tokio::{sync::mpsc, time::timeout};

use super::driver::TrackerInputs;
use crate::core::Input;

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
        Err(_) => "nothing answers there".into(),
        Ok(Err(reason)) => reason,
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
) -> Result<(Connection, Key, SendStream, RecvStream), String> {
    let config = client_config(certificate, ALPN, None, limits).map_err(|error| error.to_string())?;
    let connecting = endpoint.connect_with(config, address, SERVER_NAME).map_err(|error| error.to_string())?;
    let connection = connecting.await.map_err(explain)?;
    let key = tls::key_of(&connection).ok_or("it has shown no key")?;
    let (send, recv) = connection.open_bi().await.map_err(explain)?;
    Ok((connection, key, send, recv))
}

/// What a failed handshake means to a person.
fn explain(error: quinn::ConnectionError) -> String {
    /// QUIC's code for the TLS alert no_application_protocol (RFC 9001, 4.8; RFC 7301).
    const NO_PROTOCOL: u64 = 0x100 + 120;
    let code = match &error {
        quinn::ConnectionError::ConnectionClosed(close) => u64::from(close.error_code),
        quinn::ConnectionError::TransportError(error) => u64::from(error.code),
        _ => 0,
    };
    match code {
        NO_PROTOCOL => {
            "what answers there is not a tracker of this version; compare: tracker --version, peer --version".into()
        }
        _ => error.to_string(),
    }
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
