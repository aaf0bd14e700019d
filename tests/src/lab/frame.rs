//! What the switch looks at in an Ethernet frame.

/// A hardware address.
pub type Mac = [u8; 6];

/// The part of a frame that decisions and counters hang on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Who sent it.
    pub source: Mac,
    /// Who it is for.
    pub destination: Mac,
    /// Its length in bytes, Ethernet header counted.
    pub bytes: usize,
    /// The datagram in it, if it holds a whole one.
    pub udp: Option<Udp>,
}

/// A UDP datagram's ports and the length of what it carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Udp {
    /// The sender's port.
    pub source: u16,
    /// The receiver's port.
    pub destination: u16,
    /// Bytes of payload.
    pub payload: usize,
}

impl Frame {
    /// Reads the headers; nothing if it is too short to be a frame.
    pub fn parse(frame: &[u8]) -> Option<Frame> {
        let destination = frame.get(0..6)?.try_into().ok()?;
        let source = frame.get(6..12)?.try_into().ok()?;
        let udp = match number(frame, 12)? {
            IPV4 => ipv4(&frame[14..]),
            IPV6 => ipv6(&frame[14..]),
            _ => None,
        };
        Some(Frame { source, destination, bytes: frame.len(), udp })
    }

    /// Whether it is for more than one receiver: broadcast or multicast.
    pub fn is_for_many(&self) -> bool {
        self.destination[0] & 1 == 1
    }
}

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const UDP: u8 = 17;

fn ipv4(packet: &[u8]) -> Option<Udp> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let is_fragment = number(packet, 6)? & 0x3fff != 0;
    (*packet.get(9)? == UDP && !is_fragment).then(|| udp(packet.get(header..)?)).flatten()
}

fn ipv6(packet: &[u8]) -> Option<Udp> {
    (*packet.get(6)? == UDP).then(|| udp(packet.get(40..)?)).flatten()
}

fn udp(datagram: &[u8]) -> Option<Udp> {
    let payload = usize::from(number(datagram, 4)?).checked_sub(8)?;
    Some(Udp { source: number(datagram, 0)?, destination: number(datagram, 2)?, payload })
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ethernet(kind: u16, packet: &[u8]) -> Vec<u8> {
        let mut frame = vec![0xff; 6];
        frame.extend([2, 0, 0, 0, 0, 1]);
        frame.extend(kind.to_be_bytes());
        frame.extend(packet);
        frame
    }

    fn ipv4_udp(flags: u16) -> Vec<u8> {
        let mut packet = vec![0; 20];
        packet[0] = 0x45;
        packet[6..8].copy_from_slice(&flags.to_be_bytes());
        packet[9] = UDP;
        packet.extend([0x14, 0xe9, 0x00, 0x35, 0, 11, 0, 0, 1, 2, 3]);
        ethernet(IPV4, &packet)
    }

    #[test]
    fn ports_and_payload_of_a_datagram_are_read() {
        let frame = Frame::parse(&ipv4_udp(0)).unwrap();
        assert_eq!(frame.udp, Some(Udp { source: 5353, destination: 53, payload: 3 }));
        assert_eq!((frame.source, frame.bytes), ([2, 0, 0, 0, 0, 1], 14 + 20 + 11));
        assert!(frame.is_for_many());
    }

    #[test]
    fn a_fragment_and_another_protocol_have_no_ports() {
        assert_eq!(Frame::parse(&ipv4_udp(0x2000)).unwrap().udp, None);
        assert_eq!(Frame::parse(&ethernet(0x0806, &[0; 28])).unwrap().udp, None);
    }

    #[test]
    fn what_is_cut_short_is_no_datagram_and_no_panic() {
        let whole = ipv4_udp(0);
        for length in 0..14 + 20 + 6 {
            assert_eq!(Frame::parse(&whole[..length]).and_then(|frame| frame.udp), None, "{length}");
        }
    }
}
