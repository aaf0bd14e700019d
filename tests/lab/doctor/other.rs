//! Something that stands in for a tracker, with its key and at its address, and behaves in another manner.

use std::{
    net::{SocketAddr, UdpSocket},
    time::{Duration, SystemTime},
};

use common::{
    Identity,
    address::Addresses,
    frame::Frame,
    net::{
        endpoint::{LinkLimits, endpoint, server_config},
        stream::FrameReader,
        tls::Certificate,
    },
    wire::tracker::{Code, PROTOCOL, Refused, ToPeer, ToTracker, Welcome},
};
use quinn::Endpoint;
use tests::lab::Tracker;
use tokio::runtime::Runtime;

use super::TRACKER_PORT;

/// How something behaves that stands in for the tracker, with its key.
#[derive(Clone, Copy)]
pub enum Manner {
    /// It refuses whoever says hello, for their version. (With another protocol in the handshake nobody comes so far.)
    OtherVersion,
    /// It takes no links.
    Busy,
    /// It welcomes everybody, and its clock shows an earlier time.
    ClockBehind(Duration),
}

/// Something in the tracker's place.
pub struct Other {
    _runtime: Runtime,
    _endpoint: Endpoint,
}

impl Other {
    /// Takes the address and the key of a tracker that it kills.
    #[track_caller]
    pub fn in_place_of(tracker: &Tracker, alpn: &'static [u8], manner: Manner) -> Other {
        tracker.process().kill();
        let identity = Identity::load_or_create(&tracker.data().join("key")).expect("the tracker's key");
        let certificate = Certificate::new(&identity).expect("a certificate");
        let limits = LinkLimits {
            keep_alive: Duration::from_secs(5),
            dead_after: Duration::from_secs(15),
            stream_window: 1024 * 1024,
            send_window: 1024 * 1024,
            handshakes: 16,
        };
        let config = server_config(&certificate, alpn, &limits).expect("a server config");
        let address = SocketAddr::new(tracker.host().ip(), TRACKER_PORT);
        let socket = tracker.host().enter(move || UdpSocket::bind(address)).expect("a socket");
        let runtime = Runtime::new().expect("a runtime");
        let entered = runtime.enter();
        let listening = endpoint(socket, config).expect("an endpoint");
        drop(entered);
        let incoming = listening.clone();
        runtime.spawn(async move {
            while let Some(incoming) = incoming.accept().await {
                tokio::spawn(meet(incoming, manner));
            }
        });
        Other { _runtime: runtime, _endpoint: listening }
    }
}

async fn meet(incoming: quinn::Incoming, manner: Manner) -> Option<()> {
    if let Manner::Busy = manner {
        incoming.refuse();
        return None;
    }
    let connection = incoming.await.ok()?;
    let (mut send, recv) = connection.accept_bi().await.ok()?;
    let answer = match manner {
        Manner::ClockBehind(by) => welcome(FrameReader::new(recv), by).await?,
        _ => {
            let reason = "this tracker speaks version 9 of the protocol, this peer version 3".to_string();
            Refused { code: Code::Protocol, reason }.into()
        }
    };
    send.write_chunk(answer.encode()).await.ok()?;
    if let Manner::OtherVersion = manner {
        send.finish().ok()?;
    }
    connection.closed().await;
    Some(())
}

async fn welcome(mut frames: FrameReader, behind: Duration) -> Option<ToPeer> {
    let Some(ToTracker::Hello(hello)) = frames.next::<ToTracker>().await.ok()? else { return None };
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()? - behind;
    let welcome = Welcome {
        protocol: PROTOCOL,
        domain: "lan".parse().ok()?,
        tables: 1,
        name: hello.name,
        seen: Addresses::default(),
        clock: u64::try_from(clock.as_millis()).ok(),
    };
    Some(welcome.into())
}
