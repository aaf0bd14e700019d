//! One session, as little of a peer as the tracker can be spoken to with.

use std::net::SocketAddr;

use common::{
    Identity,
    address::Addresses,
    frame::Frame,
    net::{
        endpoint::client_config,
        stream::FrameReader,
        tls::{Certificate, SERVER_NAME},
    },
    table::Step,
    wire::tracker::{ALPN, Hello, Holding, Join, Leave, ToPeer, ToTracker},
};
use quinn::{Connection, Endpoint, SendStream};

/// A session, and what it has been told of the room.
pub struct Member {
    _connection: Connection,
    stream: SendStream,
    reader: FrameReader,
    known: usize,
    gone: usize,
    /// Pushes that it got.
    pub frames: usize,
}

/// Bytes of an entry that any protocol has to carry: key, name and one IPv4 address; on average, with this many
/// sessions.
pub fn content(sessions: usize) -> f64 {
    let names: usize = (0..sessions).map(|id| name(id).len()).sum();
    32.0 + 6.0 + names as f64 / sessions as f64
}

fn name(id: usize) -> String {
    format!("member-{id}")
}

impl Member {
    pub async fn login(tracker: SocketAddr, id: usize) -> Member {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&id.to_be_bytes());
        let certificate = Certificate::new(&Identity::from_seed(seed)).expect("a certificate");
        let limits = peer::Config::default().link_limits();
        let config = client_config(&certificate, ALPN, None, &limits).expect("a TLS config");
        let client = Endpoint::client(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a socket");
        let address = client.local_addr().expect("an address");
        let connecting = client.connect_with(config, tracker, SERVER_NAME).expect("a connection");
        let connection = connecting.await.expect("a connection");
        let (stream, receive) = connection.open_bi().await.expect("a stream");
        let reader = FrameReader::new(receive);
        let mut member = Member { _connection: connection, stream, reader, known: 0, gone: 0, frames: 0 };
        let name = name(id).parse().expect("a name");
        member.say(Hello::new(name, Addresses::new([address]))).await;
        member.say(Holding { rooms: Vec::new(), last: true }).await;
        member.take().await;
        member
    }

    /// Joins, and waits until it knows so many members.
    pub async fn join(mut self, members: usize) -> Member {
        self.frames = 0;
        self.say(Join { id: 1, room: "hall".parse().expect("a name"), history: None }).await;
        while self.known < members {
            self.take().await;
        }
        self
    }

    pub async fn leave(mut self) -> Member {
        self.say(Leave { id: 2, room: "hall".parse().expect("a name") }).await;
        self
    }

    pub async fn hear_of_leaving(mut self) -> Member {
        while self.gone == 0 {
            self.take().await;
        }
        self
    }

    async fn say(&mut self, frame: impl Into<ToTracker>) {
        self.stream.write_all(&frame.into().encode()).await.expect("the link stands");
    }

    async fn take(&mut self) {
        let frame = self.reader.next::<ToPeer>().await.expect("the link stands").expect("the link stands");
        match &frame {
            ToPeer::Update(update) => {
                let gone = update.changes.iter().filter(|change| matches!(change.step, Step::Gone { .. })).count();
                self.gone += gone;
                self.known += update.changes.len() - gone;
                self.frames += 1;
            }
            ToPeer::Snapshot(piece) => {
                self.known += piece.members.len();
                self.frames += 1;
            }
            _ => {}
        }
    }
}
