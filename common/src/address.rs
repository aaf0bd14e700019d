//! Lists of socket addresses, 7 bytes for an IPv4 address and 19 for an IPv6 one.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_bytes::ByteBuf;

use crate::limits;

/// Where a session can be reached, the best guess first; at most [`limits::ADDRESSES`].
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Addresses(Vec<SocketAddr>);

impl Addresses {
    /// The first [`limits::ADDRESSES`] different ones, with IPv4 written as IPv4 even where a dual-stack socket
    /// calls it `::ffff:a.b.c.d`. What nobody can dial (port 0, unspecified, multicast) is left out.
    pub fn new(addresses: impl IntoIterator<Item = SocketAddr>) -> Addresses {
        let mut kept: Vec<SocketAddr> = Vec::new();
        for address in addresses {
            let address = canonical(address);
            let dialable = address.port() != 0 && !address.ip().is_unspecified() && !address.ip().is_multicast();
            if dialable && kept.len() < limits::ADDRESSES && !kept.contains(&address) {
                kept.push(address);
            }
        }
        Addresses(kept)
    }

    /// The addresses, the best guess first.
    pub fn as_slice(&self) -> &[SocketAddr] {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One byte for the family (4 or 6), the address, the port; each in network order.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 7);
        for address in &self.0 {
            match address.ip() {
                IpAddr::V4(ip) => {
                    bytes.push(4);
                    bytes.extend(ip.octets());
                }
                IpAddr::V6(ip) => {
                    bytes.push(6);
                    bytes.extend(ip.octets());
                }
            }
            bytes.extend(address.port().to_be_bytes());
        }
        bytes
    }

    /// Reads what [`Addresses::to_bytes`] wrote. `None` if it is cut short, of an unknown family, or too long.
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Addresses> {
        if bytes.len() > limits::ADDRESSES * 19 {
            return None;
        }
        let mut addresses = Vec::new();
        while let Some((&family, rest)) = bytes.split_first() {
            let (ip, rest) = match family {
                4 => rest.split_first_chunk::<4>().map(|(ip, rest)| (IpAddr::from(*ip), rest))?,
                6 => rest.split_first_chunk::<16>().map(|(ip, rest)| (IpAddr::from(*ip), rest))?,
                _ => return None,
            };
            let (port, rest) = rest.split_first_chunk::<2>()?;
            addresses.push(SocketAddr::new(ip, u16::from_be_bytes(*port)));
            bytes = rest;
        }
        Some(Addresses::new(addresses))
    }
}

/// The address with IPv4 written as IPv4.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

impl Serialize for Addresses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.to_bytes())
    }
}

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = ByteBuf::deserialize(deserializer)?;
        Addresses::from_bytes(&bytes).ok_or_else(|| D::Error::custom("malformed addresses"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_back_as_written() {
        let addresses = Addresses::new(["10.0.0.1:5".parse().unwrap(), "[fd00::1]:65535".parse().unwrap()]);
        assert_eq!(Addresses::from_bytes(&addresses.to_bytes()), Some(addresses));
    }

    #[test]
    fn doubles_and_what_nobody_can_dial_are_left_out() {
        let list = ["[::ffff:10.0.0.1]:5", "10.0.0.1:5", "0.0.0.0:5", "10.0.0.1:0", "224.0.0.1:5"];
        let addresses = Addresses::new(list.map(|a| a.parse().unwrap()));
        assert_eq!(addresses.as_slice(), ["10.0.0.1:5".parse().unwrap()]);
    }

    #[test]
    fn a_list_cut_short_is_refused() {
        assert_eq!(Addresses::from_bytes(&[4, 10, 0, 0, 1, 0]), None);
        assert_eq!(Addresses::from_bytes(&[9]), None);
    }
}
