//! Whether multicast gets out of this machine, and anybody answers: a question to all by mDNS that every kind of device
//! has an answer to (RFC 6763, 9).

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    net::UdpSocket,
    time::{Instant, timeout_at},
};

use super::observed::{Interface, Multicast};

const GROUP: (Ipv4Addr, u16) = (Ipv4Addr::new(224, 0, 0, 251), 5_353);
/// How long answers are waited for; browsing takes as long beside it.
const WAIT: Duration = Duration::from_millis(2_500);
/// It is sent so often: a single datagram may be lost.
const TIMES: usize = 2;
/// Interfaces that are asked on, at the most.
const MOST: usize = 16;

/// Asks on every interface.
pub async fn ask(interfaces: &[Interface]) -> Multicast {
    let mut all = Multicast::default();
    let own: Vec<IpAddr> = interfaces.iter().map(|it| it.address).collect();
    let usable = interfaces.iter().filter(|it| it.up && it.multicast && !it.address.is_loopback());
    let mut asked = tokio::task::JoinSet::new();
    for interface in usable.filter(|it| it.address.is_ipv4()).take(MOST) {
        asked.spawn(ask_from(interface.address, own.clone()));
    }
    while let Some(one) = asked.join_next().await {
        let one = one.unwrap_or_default();
        all = Multicast { sent: all.sent || one.sent, heard: all.heard || one.heard };
    }
    all
}

/// Asks on the interface of one address: binding to that has the system send by that interface.
async fn ask_from(address: IpAddr, own: Vec<IpAddr>) -> Multicast {
    let mut seen = Multicast::default();
    let Ok(socket) = UdpSocket::bind(SocketAddr::new(address, 0)).await else { return seen };
    for _ in 0..TIMES {
        seen.sent |= socket.send_to(&question(), GROUP).await.is_ok();
    }
    let end = Instant::now() + WAIT;
    let mut buffer = [0; 2_048];
    while let Ok(Ok((_, from))) = timeout_at(end, socket.recv_from(&mut buffer)).await {
        // A program on this machine answers whatever the network does.
        if !own.contains(&from.ip()) {
            return Multicast { heard: true, ..seen };
        }
    }
    seen
}

/// Which services there are: one question, of type PTR (RFC 1035, 4.1).
fn question() -> Vec<u8> {
    let mut packet = vec![0x52, 0x43, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in ["_services", "_dns-sd", "_udp", "local"] {
        packet.push(label.len() as u8);
        packet.extend(label.as_bytes());
    }
    packet.extend([0, 0, 12, 0, 1]);
    packet
}
