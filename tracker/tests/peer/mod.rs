//! The least that can log in: frames written and read.

// Each test program uses its own part of this.
#![allow(dead_code)]

use std::{net::SocketAddr, time::Duration};

use common::{
    Identity,
    address::Addresses,
    frame::Frame,
    net::{
        endpoint::{LinkLimits, client_config},
        stream::FrameReader,
        tls::{Certificate, SERVER_NAME},
    },
    wire::tracker::{ALPN, Code, Hello, Holding, ToPeer, ToTracker},
};
use quinn::{Connection, ConnectionError, Endpoint, SendStream};

pub struct Peer {
    endpoint: Endpoint,
    connection: Connection,
    stream: SendStream,
    reader: FrameReader,
}

impl Peer {
    pub async fn try_dial(to: SocketAddr, id: u8, alpn: &[u8]) -> Result<Peer, ConnectionError> {
        let limits = LinkLimits {
            keep_alive: Duration::from_secs(5),
            dead_after: Duration::from_secs(15),
            stream_window: 1 << 20,
            send_window: 1 << 20,
            handshakes: 1,
        };
        let certificate = Certificate::new(&Identity::from_seed([id; 32])).unwrap();
        let endpoint = Endpoint::client(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let config = client_config(&certificate, alpn, None, &limits).unwrap();
        let connection = endpoint.connect_with(config, to, SERVER_NAME).unwrap().await?;
        let (stream, receive) = connection.open_bi().await?;
        Ok(Peer { endpoint, connection, stream, reader: FrameReader::new(receive) })
    }

    pub async fn dial(to: SocketAddr, id: u8) -> Peer {
        Peer::try_dial(to, id, ALPN).await.unwrap()
    }

    /// Says hello, holding nothing.
    pub async fn login(to: SocketAddr, id: u8, name: &str) -> Peer {
        Peer::login_with(to, id, name, None).await
    }

    /// The same with a token.
    pub async fn login_with(to: SocketAddr, id: u8, name: &str, token: Option<&str>) -> Peer {
        let mut peer = Peer::dial(to, id).await;
        let mut hello = Hello::new(name.parse().unwrap(), Addresses::default());
        hello.invite = token.map(str::to_owned);
        peer.say(hello).await;
        peer.say(Holding { rooms: Vec::new(), last: true }).await;
        peer
    }

    pub async fn say(&mut self, frame: impl Into<ToTracker>) {
        self.write(&frame.into().encode()).await;
    }

    /// A link that is being closed takes nothing: what the test waits for tells why.
    pub async fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// The next frame, but for those about contacts, of whom it has none.
    pub async fn next(&mut self) -> ToPeer {
        loop {
            match self.reader.next().await.unwrap().unwrap() {
                ToPeer::Contacts(_) => {}
                frame => return frame,
            }
        }
    }

    pub async fn closed(&mut self) -> (Code, String) {
        match self.connection.closed().await {
            ConnectionError::ApplicationClosed(close) => {
                (Code::from(close.error_code.into_inner() as u16), String::from_utf8_lossy(&close.reason).into_owned())
            }
            other => panic!("closed otherwise: {other}"),
        }
    }

    /// Whether the link ends because the tracker does not know it any more.
    pub async fn was_reset(&mut self) -> bool {
        self.connection.closed().await == ConnectionError::Reset
    }

    pub fn address(&self) -> SocketAddr {
        self.endpoint.local_addr().unwrap()
    }
}
