//! Whoever dials and does not speak Rollcall, or another version of it, is told so and let go; nobody else notices.

use std::{
    net::{SocketAddr, UdpSocket},
    time::Duration,
};

use common::{
    Identity,
    frame::{Encoded, Frame},
    net::{
        endpoint::{LinkLimits, client_config, endpoint, server_config},
        tls::{Certificate, SERVER_NAME},
    },
    wire::{peer, tracker},
};
use quinn::{Connection, ConnectionError, Endpoint, RecvStream, SendStream};
use tests::lab::{Host, Peer, Process, Wire, eventually};
use tokio::{runtime::Runtime, time::timeout};

use crate::crowd::{Crowd, ROOM, SOON, everybody_is_linked};

const WAIT: Duration = Duration::from_secs(10);
const PORT: u16 = 4_433;
const LIMITS: LinkLimits = LinkLimits {
    keep_alive: Duration::from_secs(5),
    dead_after: Duration::from_secs(15),
    stream_window: 1024 * 1024,
    send_window: 1024 * 1024,
    handshakes: 16,
};

pub fn noise_reaches_nobody() {
    let crowd = crowd();
    let targets = targets(&crowd);
    crowd.lab.host("mallory").enter(move || {
        let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
        for number in 0..1_000usize {
            // What QUIC takes for long headers of many versions, for short ones, and for nothing at all.
            let datagram: Vec<u8> = (0..number % 1_300).map(|at| (at * 31 + number * 17) as u8).collect();
            socket.send_to(&datagram, targets[number % targets.len()]).expect("it is sent");
        }
    });
    nobody_noticed(&crowd);
}

pub fn another_protocol_is_refused_in_the_handshake() {
    let crowd = crowd();
    let mallory = Stranger::new(&crowd.lab.host("mallory"), new_identity());
    for target in targets(&crowd) {
        for alpn in [b"h3".as_slice(), b"rollcall-tracker/2", b"rollcall-peer/2"] {
            let refused = mallory.dial(target, alpn).expect_err("it is refused");
            assert!(refused.to_string().contains("known protocol"), "{refused}");
        }
    }
    nobody_noticed(&crowd);
}

/// The right handshake, and then what is no frame: too long, none at all, and unreadable.
pub fn garbage_ends_the_link_and_nothing_else() {
    let crowd = crowd();
    let mallory = Stranger::new(&crowd.lab.host("mallory"), new_identity());
    let garbage: [(&[u8], &str); 3] = [
        (&[0xff; 64], "a frame of 4294967295 bytes"),
        (&[0, 0, 0, 0], "a frame without a kind"),
        (&[0, 0, 0, 3, 1, 0xc1, 0xc1], "a frame of kind 1 that cannot be read"),
    ];
    for (bytes, reason) in garbage {
        let (alice, from) = (&crowd.peers[0], mallory.address.to_string());
        for (target, alpn, process) in [
            (crowd.tracker.address(), tracker::ALPN, crowd.tracker.process()),
            (address(alice), peer::ALPN, alice.session()),
        ] {
            let told = mallory.say(target, alpn, bytes).closed();
            assert!(told.contains(reason), "{told}");
            is_logged(process, &[reason, &from]);
        }
    }
    nobody_noticed(&crowd);
}

/// A peer from the past at the tracker, and one from the future at a peer. The other way round nothing is refused: the
/// tracker takes newer peers.
pub fn another_version_is_told_so() {
    let mut crowd = crowd();
    let mut carol = crowd.lab.host("carol").peer("carol");
    carol.login(&["--tracker", &crowd.tracker.address().to_string()]);
    carol.join(ROOM);
    crowd.peers.push(carol);
    everybody_is_linked(&crowd.peers);
    let carol = crowd.peers.pop().expect("she was just added");
    carol.cmd(&["logout"]).expect(0);

    let identity = Identity::load_or_create(&carol.home().join("carol").join("key")).expect("carol's key");
    let stranger = Stranger::new(&crowd.lab.host("other"), identity);
    let name: common::AccountName = "carol".parse().expect("a name");
    let hello = tracker::ToTracker::from(tracker::Hello {
        protocol: 0,
        ..tracker::Hello::new(name.clone(), Default::default())
    });
    let told = stranger.say(crowd.tracker.address(), tracker::ALPN, &hello.encode()).closed();
    let ours = format!("version {}", tracker::PROTOCOL);
    assert!(told.contains(&ours) && told.contains("install the same version on both"), "{told}");
    is_logged(crowd.tracker.process(), &[&ours, &stranger.address.to_string()]);

    let alice = &crowd.peers[0];
    let hello = peer::PeerFrame::from(peer::Hello { protocol: 99, name, life: 0 });
    let told = stranger.say(address(alice), peer::ALPN, &hello.encode()).closed();
    assert!(told.contains("version 1") && told.contains("99"), "{told}");
    // Carol is away and cannot have it.
    for peer in &crowd.peers {
        let said = peer.say(ROOM, "still here");
        let delivered = || peer.receipts(&said.id).iter().filter(|receipt| receipt.delivered).count();
        eventually(SOON, "it is delivered", delivered, |delivered| *delivered == 1);
    }
}

fn crowd() -> Crowd {
    Crowd::gather(&["alice", "bob"], Wire::default())
}

fn targets(crowd: &Crowd) -> Vec<SocketAddr> {
    crowd.peers.iter().map(address).chain([crowd.tracker.address()]).collect()
}

fn address(peer: &Peer) -> SocketAddr {
    SocketAddr::new(peer.host().ip(), peer.status().address.port())
}

#[track_caller]
fn is_logged(process: &Process, words: &[&str]) {
    let is_there = |line: &str| words.iter().all(|word| line.contains(word));
    eventually(
        WAIT,
        &format!("{words:?} is logged"),
        || process.stderr(),
        |lines| lines.iter().any(|line| is_there(line)),
    );
}

/// The members still see each other, nobody has joined them, and what they say arrives.
#[track_caller]
fn nobody_noticed(crowd: &Crowd) {
    everybody_is_linked(&crowd.peers);
    assert_eq!(crowd.tracker.counts().sessions, crowd.peers.len() as u64);
    for peer in &crowd.peers {
        let said = peer.say_to_all(ROOM, "did you hear that?", WAIT);
        assert!(said.pending.is_empty(), "{said:?}");
    }
}

fn new_identity() -> Identity {
    Identity::generate().expect("an identity key")
}

/// Somebody on the network with a QUIC stack and a key.
struct Stranger {
    runtime: Runtime,
    endpoint: Endpoint,
    certificate: Certificate,
    address: SocketAddr,
}

/// What was dialled, and what came of it.
struct Dialled<'a> {
    by: &'a Stranger,
    connection: Connection,
    _streams: (SendStream, RecvStream),
}

impl Stranger {
    fn new(host: &Host, identity: Identity) -> Stranger {
        let runtime = Runtime::new().expect("a runtime");
        let address = SocketAddr::new(host.ip(), PORT);
        let socket = host.enter(move || UdpSocket::bind(address)).expect("a socket");
        let certificate = Certificate::new(&identity).expect("a certificate");
        let accepts = server_config(&certificate, b"stranger", &LIMITS).expect("a server config");
        let entered = runtime.enter();
        let endpoint = endpoint(socket, accepts).expect("an endpoint");
        drop(entered);
        Stranger { runtime, endpoint, certificate, address }
    }

    fn dial(&self, target: SocketAddr, alpn: &[u8]) -> Result<Connection, ConnectionError> {
        let config = client_config(&self.certificate, alpn, None, &LIMITS).expect("a client config");
        self.runtime.block_on(async {
            let connecting = self.endpoint.connect_with(config, target, SERVER_NAME).expect("a valid address");
            connecting.await
        })
    }

    /// Dials and sends these bytes on the first stream.
    fn say(&self, target: SocketAddr, alpn: &[u8], bytes: &[u8]) -> Dialled<'_> {
        let connection = self.dial(target, alpn).expect("the handshake is right");
        let bytes = Encoded::copy_from_slice(bytes);
        let streams = self.runtime.block_on(async {
            let (mut send, recv) = connection.open_bi().await.expect("a stream");
            send.write_chunk(bytes).await.expect("the bytes are taken");
            (send, recv)
        });
        Dialled { by: self, connection, _streams: streams }
    }
}

impl Dialled<'_> {
    /// Waits until the other side closes the link, and gives its reason.
    #[track_caller]
    fn closed(self) -> String {
        let closed = self.by.runtime.block_on(async { timeout(WAIT, self.connection.closed()).await });
        match closed.expect("the link is closed soon") {
            ConnectionError::ApplicationClosed(close) => String::from_utf8_lossy(&close.reason).into_owned(),
            error => panic!("the link is not closed with a reason, but: {error}"),
        }
    }
}
