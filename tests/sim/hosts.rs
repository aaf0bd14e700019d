//! Two hosts with identities, and what they say to each other in these scenarios.

use std::time::Duration;

use common::{
    Identity,
    frame::Frame,
    net::{
        endpoint::{LinkLimits, client_config, server_config},
        stream::{FrameReader, write_frames},
        tls::Certificate,
    },
    wire::peer::{ALPN, Bye, PeerFrame},
};
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, ServerConfig};
use tests::sim::{Host, Net};

pub const LIMITS: LinkLimits = LinkLimits {
    keep_alive: Duration::from_secs(5),
    dead_after: Duration::from_secs(15),
    stream_window: 128 * 1024,
    send_window: 128 * 1024,
    handshakes: 16,
};

/// The host with this number.
pub fn host(number: u8) -> Host {
    Host::from(([10, 0, 0, number], 27656))
}

/// Who is on the host with this number.
pub fn identity(number: u8) -> Identity {
    Identity::from_seed([number; 32])
}

/// How the host with this number accepts links.
pub fn accepting(number: u8) -> ServerConfig {
    server_config(&Certificate::new(&identity(number)).unwrap(), ALPN, &LIMITS).unwrap()
}

/// How host `from` dials host `to`, whose key it knows.
pub fn dialling(from: u8, to: u8) -> ClientConfig {
    let certificate = Certificate::new(&identity(from)).unwrap();
    client_config(&certificate, ALPN, Some(identity(to).key()), &LIMITS).unwrap()
}

/// An endpoint of the host with this number.
pub fn endpoint(net: &Net, number: u8) -> Endpoint {
    net.endpoint(host(number), accepting(number))
}

/// A host that answers every frame with the same frame.
pub fn echo(endpoint: Endpoint) {
    tokio::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            tokio::spawn(async move {
                let connection = incoming.await?;
                let (mut send, recv) = connection.accept_bi().await?;
                let mut frames = FrameReader::new(recv);
                while let Ok(Some(frame)) = frames.next::<PeerFrame>().await {
                    if write_frames(&mut send, &mut [frame.encode()]).await.is_err() {
                        break;
                    }
                }
                connection.closed().await;
                Ok::<(), ConnectionError>(())
            });
        }
    });
}

/// Dials host 2 from `endpoint` of host 1.
pub async fn dial(endpoint: &Endpoint) -> Result<Connection, ConnectionError> {
    endpoint.connect_with(dialling(1, 2), host(2), "rollcall").unwrap().await
}

/// Sends numbered frames on a stream of their own and reads the echo, in order.
pub async fn exchange(connection: &Connection, frames: usize) -> anyhow::Result<()> {
    let (mut send, recv) = connection.open_bi().await?;
    let mut echoes = FrameReader::new(recv);
    for number in 0..frames {
        let frame = PeerFrame::from(Bye { reason: format!("{number} {}", "x".repeat(400)), stranger: false });
        write_frames(&mut send, &mut [frame.encode()]).await?;
        assert_eq!(echoes.next::<PeerFrame>().await?, Some(frame));
    }
    Ok(())
}
