//! The adapter between quinn and the simulated network. quinn 0.12 will want another one; nothing else will change.

use std::{
    fmt,
    io::{self, IoSliceMut},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use quinn::{
    AsyncUdpSocket, UdpPoller,
    udp::{EcnCodepoint, RecvMeta, Transmit},
};

use super::{
    net::{Inbox, Net},
    switch::Host,
};

/// A bound socket. Sending never waits: what finds no room on its way is lost, as on a real network.
pub(super) struct Socket {
    net: Net,
    host: Host,
    inbox: Arc<Inbox>,
}

impl Socket {
    pub fn new(net: Net, host: Host, inbox: Arc<Inbox>) -> Socket {
        Socket { net, host, inbox }
    }
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit) -> io::Result<()> {
        let ecn = transmit.ecn.map_or(0, |ecn| ecn as u8);
        self.net.send(&self.inbox, self.host, transmit.destination, transmit.contents, ecn);
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let arrived = ready!(self.inbox.poll(cx, bufs.len().min(meta.len())))?;
        for ((datagram, buf), meta) in arrived.iter().zip(bufs).zip(meta) {
            let len = datagram.payload.len().min(buf.len());
            buf[..len].copy_from_slice(&datagram.payload[..len]);
            let ecn = EcnCodepoint::from_bits(datagram.ecn);
            *meta = RecvMeta { addr: datagram.source, len, stride: len, ecn, dst_ip: None };
        }
        Poll::Ready(Ok(arrived.len()))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.host)
    }

    /// One, so that each datagram meets its own fate.
    fn max_transmit_segments(&self) -> usize {
        1
    }

    fn may_fragment(&self) -> bool {
        false
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Socket({})", self.host)
    }
}

#[derive(Debug)]
struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _: &mut Context) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
