//! What an interface has carried.

use std::collections::BTreeMap;

use super::frame::Udp;

/// One direction of one interface.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Traffic {
    /// Frames.
    pub frames: u64,
    /// Bytes of frames, Ethernet headers counted.
    pub bytes: u64,
    /// The longest frame, in bytes.
    pub longest: usize,
    /// Datagrams and bytes of UDP payload, by the port on the host's side.
    pub udp: BTreeMap<u16, Datagrams>,
}

/// Datagrams of one port.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Datagrams {
    /// How many.
    pub count: u64,
    /// Bytes of payload.
    pub bytes: u64,
}

/// Both directions of a host's interface, as the switch sees them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// What the host gave to the switch.
    pub sent: Traffic,
    /// What the switch handed on to the host; what it dropped on the way is not counted.
    pub received: Traffic,
}

impl Traffic {
    pub(super) fn count(&mut self, bytes: usize, udp: Option<Udp>, port: impl Fn(Udp) -> u16) {
        self.frames += 1;
        self.bytes += bytes as u64;
        self.longest = self.longest.max(bytes);
        if let Some(udp) = udp {
            let datagrams = self.udp.entry(port(udp)).or_default();
            datagrams.count += 1;
            datagrams.bytes += udp.payload as u64;
        }
    }

    /// What one port has carried.
    pub fn port(&self, port: u16) -> Datagrams {
        self.udp.get(&port).copied().unwrap_or_default()
    }
}

impl Counters {
    /// Bytes of frames in both directions.
    pub fn bytes(&self) -> u64 {
        self.sent.bytes + self.received.bytes
    }

    /// Bytes of UDP payload in both directions of one port.
    pub fn port_bytes(&self, port: u16) -> u64 {
        self.sent.port(port).bytes + self.received.port(port).bytes
    }
}
