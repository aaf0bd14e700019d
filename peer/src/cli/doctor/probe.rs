//! Asking an address what is there: as a tracker, and with bare datagrams, whose answers tell more.

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use common::{
    Identity,
    net::{
        endpoint::{self, LinkLimits},
        tls::Certificate,
    },
    why,
};
use peer::{
    discover,
    reach::{self, Unreached},
};
use quinn::Endpoint;
use tokio::time::{sleep, timeout};

use super::{
    machine,
    observed::{Answer, Probe},
};

/// How long a tracker has for the handshake. A system that finds no machine at an address says so after 3 s.
const HANDSHAKE: Duration = Duration::from_secs(4);
/// How long a datagram is waited for before it is sent again, and how often it is sent.
const AGAIN: Duration = Duration::from_millis(900);
const TRIES: usize = 4;
/// The size of QUIC's first datagrams, which whoever speaks it has to be able to receive (RFC 9000, 14).
const FULL: usize = 1_200;
/// A size that any way carries.
const SMALL: usize = 32;
/// Where traceroute expects that nothing listens.
const CLOSED_PORT: u16 = 33_434;

/// Asks with a key of its own, made for this and forgotten: nobody is logged in by it.
pub struct Prober {
    endpoint: Endpoint,
    certificate: Certificate,
    limits: LinkLimits,
}

impl Prober {
    /// Asks from `socket`, or else from any port.
    pub fn new(socket: Option<UdpSocket>, limits: LinkLimits) -> anyhow::Result<Prober> {
        let socket = match socket {
            Some(socket) => socket,
            None => endpoint::bind(SocketAddr::from(([0u16; 8], 0)))?,
        };
        let certificate = Certificate::new(&Identity::generate()?)?;
        let server = endpoint::server_config(&certificate, common::wire::peer::ALPN, &limits)?;
        let endpoint = endpoint::endpoint(socket, server)?;
        Ok(Prober { endpoint, certificate, limits })
    }

    /// What a tracker's address answers.
    pub async fn tracker(&self, address: SocketAddr) -> Probe {
        let (handshake, datagrams) = (self.handshake(address), datagrams(address));
        tokio::pin!(handshake, datagrams);
        let (tracker, probe) = tokio::select! {
            biased;
            tracker = &mut handshake => match tracker {
                // That says it all.
                Ok(_) => return Probe { tracker, ..Probe::default() },
                Err(_) => (tracker, datagrams.await),
            },
            probe = &mut datagrams => match probe.datagram {
                // So does that.
                Answer::Refused | Answer::NoWay(_) => return probe,
                Answer::Silent | Answer::Quic | Answer::Other => (handshake.await, probe),
            },
        };
        Probe { tracker, ..probe }
    }

    async fn handshake(&self, address: SocketAddr) -> Result<common::Key, Unreached> {
        let reached = reach::tracker(&self.endpoint, &self.certificate, &self.limits, address);
        let (connection, key) = timeout(HANDSHAKE, reached).await.unwrap_or(Err(Unreached::Silent))?;
        connection.close(0u32.into(), b"");
        Ok(key)
    }
}

/// What an address answers to datagrams alone.
pub async fn datagrams(address: SocketAddr) -> Probe {
    let (closed, unknown) = (SocketAddr::new(address.ip(), CLOSED_PORT), unknown_version());
    let (datagram, small, full) =
        tokio::join!(ask(address, &unknown), ask(closed, &[0; SMALL]), ask(closed, &[0; FULL]));
    Probe {
        mtu: connect(address).ok().and_then(|socket| machine::mtu(&socket)),
        datagram,
        closed_port: (small == Answer::Refused, full == Answer::Refused),
        near: discover::is_near(address.ip()),
        ..Probe::default()
    }
}

/// Sends a datagram a few times, until something comes back.
async fn ask(address: SocketAddr, datagram: &[u8]) -> Answer {
    let socket = connect(address).and_then(|socket| {
        socket.set_nonblocking(true)?;
        tokio::net::UdpSocket::from_std(socket)
    });
    let socket = match socket {
        Ok(socket) => socket,
        Err(error) => return meaning(&error).unwrap_or(Answer::NoWay(why(&error))),
    };
    let mut buffer = [0; 2_048];
    for _ in 0..TRIES {
        // An error that a send meets may be the answer to the one before.
        let came = match socket.send(datagram).await {
            Err(error) => Err(error),
            Ok(_) => match timeout(AGAIN, socket.recv(&mut buffer)).await {
                Err(_) => continue,
                Ok(came) => came,
            },
        };
        match came {
            Ok(length) if is_negotiation(&buffer[..length]) => return Answer::Quic,
            Ok(_) => return Answer::Other,
            Err(error) => match meaning(&error) {
                Some(answer) => return answer,
                // Such as a full buffer: it passes.
                None => sleep(AGAIN).await,
            },
        }
    }
    Answer::Silent
}

fn connect(address: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(address)?;
    Ok(socket)
}

fn meaning(error: &io::Error) -> Option<Answer> {
    match error.kind() {
        ErrorKind::ConnectionRefused => Some(Answer::Refused),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            Some(Answer::NoWay(why(error)))
        }
        _ => None,
    }
}

/// A full-sized first packet of a version of QUIC that nobody speaks (RFC 9000, 15): whoever speaks any has to name it.
fn unknown_version() -> [u8; FULL] {
    let mut packet = [0; FULL];
    packet[0] = 0xc0;
    packet[1..5].copy_from_slice(&[0x5a, 0x6a, 0x7a, 0x8a]);
    // The ids of both ends, of eight bytes each.
    packet[5] = 8;
    packet[14] = 8;
    packet
}

/// Whether it is the answer to that: a long header of version 0 (RFC 9000, 17.2.1).
fn is_negotiation(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| first & 0x80 != 0) && packet.get(1..5) == Some(&[0; 4])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prober() -> Prober {
        let config = peer::Config::default();
        Prober::new(Some(UdpSocket::bind("127.0.0.1:0").unwrap()), config.link_limits()).unwrap()
    }

    #[tokio::test]
    async fn what_speaks_quic_is_told_from_what_does_not_and_from_nothing() {
        let peer = prober();
        let address = peer.endpoint.local_addr().unwrap();
        assert_eq!(ask(address, &unknown_version()).await, Answer::Quic);

        let echo = UdpSocket::bind("127.0.0.1:0").unwrap();
        let other = echo.local_addr().unwrap();
        let answering = std::thread::spawn(move || {
            let (_, from) = echo.recv_from(&mut [0; 2_048]).unwrap();
            echo.send_to(b"what?", from).unwrap();
        });
        assert_eq!(ask(other, &unknown_version()).await, Answer::Other);
        answering.join().unwrap();
        assert_eq!(ask(other, &unknown_version()).await, Answer::Refused);
    }

    #[tokio::test]
    async fn a_peer_is_no_tracker() {
        let peer = prober();
        let address = peer.endpoint.local_addr().unwrap();
        tokio::spawn(async move {
            while let Some(incoming) = peer.endpoint.accept().await {
                // Nobody who asks for a tracker gets through.
                let _ = incoming.await;
            }
        });
        assert_eq!(prober().tracker(address).await.tracker, Err(Unreached::OtherProtocol));
    }
}
