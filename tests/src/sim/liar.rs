//! A tracker that lies: it has the key and the address of the town's, speaks its protocol, and tells each peer what the
//! scenario wants.

use std::sync::Arc;

use common::{
    Identity, Key, RoomName, Slot, Version,
    address::Addresses,
    frame::Frame,
    net::{
        endpoint,
        stream::{FrameReader, write_frames},
        tls::{Certificate, key_of},
    },
    table::{Member, Presence, PresenceVersion, Settings},
    wire::tracker::{ALPN, PROTOCOL, Snapshot, ToPeer, ToTracker, Welcome},
};
use quinn::Incoming;

use super::{Host, Net};

/// What a peer is told once it has said which rooms it holds, by its key.
type Lies = Arc<dyn Fn(Key) -> Vec<ToPeer> + Send + Sync>;

/// Starts a lying tracker with this identity on a host.
///
/// # Panics
/// If it cannot be started.
pub fn start(net: &Net, host: Host, identity: &Identity, lies: impl Fn(Key) -> Vec<ToPeer> + Send + Sync + 'static) {
    let certificate = Certificate::new(identity).expect("a certificate");
    let limits = tracker::Config::default().link_limits();
    let server = endpoint::server_config(&certificate, ALPN, &limits).expect("a TLS config");
    let endpoint = net.endpoint(host, server);
    let lies: Lies = Arc::new(lies);
    tokio::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            tokio::spawn(serve(incoming, lies.clone()));
        }
    });
}

/// A room with these members, in the order of their slots, all of them at these addresses.
pub fn room(name: &RoomName, version: Version, members: &[(Key, String, Host)]) -> ToPeer {
    let slots = (0..).map(Slot).zip(members);
    let presence = |(slot, (_, _, host)): (Slot, &(Key, String, Host))| Presence {
        slot,
        online: Some(Addresses::new([*host])),
        away: false,
    };
    let member = |(slot, (key, name, _)): (Slot, &(Key, String, Host))| Member {
        slot,
        key: *key,
        name: name.parse().expect("a name"),
        role: Default::default(),
        since: 1,
    };
    let snapshot = Snapshot {
        files: Vec::new(),
        room: name.clone(),
        version,
        settings: Settings::default(),
        presence_version: PresenceVersion { run: 1, number: 1 },
        members: slots.clone().map(member).collect(),
        presence: slots.map(presence).collect(),
        more: false,
    };
    snapshot.into()
}

/// Welcomes a peer, lies to it, and hears no more.
async fn serve(incoming: Incoming, lies: Lies) -> Option<()> {
    let connection = incoming.await.ok()?;
    let key = key_of(&connection)?;
    let (mut send, recv) = connection.accept_bi().await.ok()?;
    let mut frames = FrameReader::new(recv);
    while let Ok(Some(frame)) = frames.next::<ToTracker>().await {
        let mut answer = match frame {
            ToTracker::Hello(hello) => vec![ToPeer::from(Welcome {
                protocol: PROTOCOL,
                domain: "lan".parse().expect("a domain"),
                tables: 1,
                name: hello.name,
                seen: Addresses::new([connection.remote_address()]),
                clock: None,
            })],
            ToTracker::Holding(holding) if holding.last => lies(key),
            _ => Vec::new(),
        };
        let mut answer: Vec<_> = answer.drain(..).map(|frame| frame.encode()).collect();
        write_frames(&mut send, &mut answer).await.ok()?;
    }
    Some(())
}
