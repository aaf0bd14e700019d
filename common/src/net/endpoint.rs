//! The one UDP socket of a process, and what its links have in common.

use std::{io, net::SocketAddr, net::UdpSocket, sync::Arc, time::Duration};

use quinn::{
    ClientConfig, Endpoint, EndpointConfig, IdleTimeout, ServerConfig, TokioRuntime, TransportConfig, VarInt,
    crypto::rustls::{QuicClientConfig, QuicServerConfig},
    udp::{UdpSockRef, UdpSocketState},
};

use crate::{
    id::Key,
    limits::{FILE_STREAMS, HINTS_WAITING},
    net::tls::{Certificate, TlsError},
    wire::peer,
};

/// What bounds a link, beyond what its frames allow.
#[derive(Clone, Copy, Debug)]
pub struct LinkLimits {
    /// How often the side that dialled says that it is alive.
    pub keep_alive: Duration,
    /// How long a silent link is taken for alive.
    pub dead_after: Duration,
    /// How many bytes of a stream may be under way unread.
    pub stream_window: u32,
    /// How many bytes may wait in memory for being sent and acknowledged.
    pub send_window: u64,
    /// Handshakes that may be under way at once; further ones wait or are refused.
    pub handshakes: usize,
}

/// What the socket is asked to hold, in bytes each way: what a thousand links send at once when they acknowledge the
/// same push. Systems give as much as they allow, mostly less.
const SOCKET_BUFFER: usize = 4 * 1024 * 1024;

/// Binds the socket: on all interfaces, IPv6 and IPv4, where `listen` says no address of its own. Port 0 is any.
pub fn bind(listen: SocketAddr) -> io::Result<UdpSocket> {
    let socket = match UdpSocket::bind(listen) {
        Err(error) if listen.ip().is_unspecified() && listen.is_ipv6() && error.kind() != io::ErrorKind::AddrInUse => {
            UdpSocket::bind(SocketAddr::new([0, 0, 0, 0].into(), listen.port()))?
        }
        result => result?,
    };
    let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
    // A system that refuses leaves the buffers as they are, which is slower under load and else the same.
    let _ = state.set_recv_buffer_size(UdpSockRef::from(&socket), SOCKET_BUFFER);
    let _ = state.set_send_buffer_size(UdpSockRef::from(&socket), SOCKET_BUFFER);
    Ok(socket)
}

/// An endpoint on `socket` that accepts links of one protocol.
pub fn endpoint(socket: UdpSocket, server: ServerConfig) -> io::Result<Endpoint> {
    Endpoint::new(EndpointConfig::default(), Some(server), socket, Arc::new(TokioRuntime))
}

/// How an endpoint accepts links of one protocol.
pub fn server_config(certificate: &Certificate, alpn: &[u8], limits: &LinkLimits) -> Result<ServerConfig, TlsError> {
    let tls = QuicServerConfig::try_from(certificate.server(alpn)?).map_err(no_suite)?;
    let mut config = ServerConfig::with_crypto(Arc::new(tls));
    config.transport_config(Arc::new(transport(limits, None, alpn)));
    config.max_incoming(limits.handshakes);
    config.incoming_buffer_size(64 * 1024);
    config.incoming_buffer_size_total(limits.handshakes as u64 * 16 * 1024);
    Ok(config)
}

/// How an endpoint dials links of one protocol; see [`Certificate::client`] for `expected`.
pub fn client_config(
    certificate: &Certificate,
    alpn: &[u8],
    expected: Option<Key>,
    limits: &LinkLimits,
) -> Result<ClientConfig, TlsError> {
    let tls = QuicClientConfig::try_from(certificate.client(alpn, expected)?).map_err(no_suite)?;
    let mut config = ClientConfig::new(Arc::new(tls));
    config.transport_config(Arc::new(transport(limits, Some(limits.keep_alive), alpn)));
    Ok(config)
}

fn no_suite(_: quinn::crypto::rustls::NoInitialCipherSuite) -> TlsError {
    TlsError::Config(rustls::Error::General("no cipher suite for QUIC".into()))
}

fn transport(limits: &LinkLimits, keep_alive: Option<Duration>, alpn: &[u8]) -> TransportConfig {
    // Only peers have datagrams for each other, and files beside what they say.
    let peers = alpn == peer::ALPN;
    let datagrams = peers.then_some(HINTS_WAITING);
    // With each stream's window full there is still room for what is said.
    let windows = if peers { FILE_STREAMS + 2 } else { 2 };
    let mut transport = TransportConfig::default();
    let idle = limits.dead_after.as_millis().min(u128::from(u32::MAX)) as u32;
    transport
        // A LAN answers sooner than the Internet that the default is made for: a lost first packet is sent again in time.
        .initial_rtt(Duration::from_millis(100))
        .keep_alive_interval(keep_alive)
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(idle))))
        .stream_receive_window(VarInt::from_u32(limits.stream_window))
        .receive_window(VarInt::from_u32(limits.stream_window.saturating_mul(windows)))
        .send_window(limits.send_window)
        .max_concurrent_bidi_streams(VarInt::from_u32(1 + FILE_STREAMS))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(datagrams)
        .datagram_send_buffer_size(HINTS_WAITING);
    transport
}
