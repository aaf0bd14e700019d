//! A socket that reads and writes whole frames of one interface.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

use nix::{
    errno::Errno,
    ifaddrs::getifaddrs,
    libc::PACKET_OUTGOING,
    sys::socket::{
        AddressFamily, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrLike, bind, recvfrom, send,
        setsockopt, socket, sockopt,
    },
};

/// Never blocks.
pub struct PacketSocket {
    socket: OwnedFd,
    interface: usize,
}

/// How many bytes of frames may wait to be read. The system may grant less.
const WAITING_BYTES: usize = 4 * 1024 * 1024;

impl PacketSocket {
    /// Opens an interface of this thread's namespace.
    pub fn open(interface: &str) -> io::Result<PacketSocket> {
        let address = address_of(interface)?;
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let socket = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll)?;
        setsockopt(&socket, sockopt::RcvBuf, &WAITING_BYTES)?;
        bind(socket.as_raw_fd(), &address)?;
        Ok(PacketSocket { socket, interface: address.ifindex() })
    }

    /// The length of the next frame that came out of the interface, or nothing if none is there.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            match recvfrom::<LinkAddr>(self.socket.as_raw_fd(), buffer) {
                Ok((length, Some(from))) if self.is_from_host(&from) => return Ok(Some(length)),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Puts a frame into the interface. If it cannot take it, it is lost, as on any network.
    pub fn send(&self, frame: &[u8]) {
        let _ = send(self.socket.as_raw_fd(), frame, MsgFlags::MSG_DONTWAIT);
    }

    /// Not what the kernel itself sends through this end, and not what other interfaces carried before the socket was
    /// bound to its own.
    fn is_from_host(&self, from: &LinkAddr) -> bool {
        from.pkttype() != PACKET_OUTGOING && from.ifindex() == self.interface
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The address to bind to. The system gives it without a protocol, which leaves the socket its own.
fn address_of(interface: &str) -> io::Result<LinkAddr> {
    getifaddrs()?
        .filter(|found| found.interface_name == interface)
        .find_map(|found| found.address?.as_link_addr().copied())
        .filter(|address| address.family() == Some(AddressFamily::Packet))
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("there is no interface {interface}")))
}
