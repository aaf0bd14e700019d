//! Finding the tracker: as it was named, or on the LAN by mDNS, or where it was last.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use common::{
    AccountName, Domain, Key,
    wire::control::{Exit, Refusal},
};
use mdns_sd::{ResolvedService, ServiceDaemon, ServiceEvent};
use tokio::time;

use crate::{core::pin, profile::KeptTracker};

/// What trackers announce themselves as. The TXT record has `version`, `domain` and `key` (in hexadecimal).
pub const SERVICE: &str = "_rollcall._udp.local.";
/// Where a tracker listens unless it is told otherwise.
pub const DEFAULT_PORT: u16 = 27655;

/// How long announcements are waited for.
const BROWSE: Duration = Duration::from_secs(3);
/// Announcements listened to, at the most.
const ANNOUNCED: usize = 32;

/// A tracker to log in at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// Where it is.
    pub address: SocketAddr,
    /// The key that it must have, if that is known already.
    pub key: Option<Key>,
}

/// A tracker that announces itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Announced {
    /// What it calls its accounts.
    pub domain: Domain,
    /// Its key, as far as an announcement can be believed.
    pub key: Key,
    /// Where it is.
    pub address: SocketAddr,
}

/// The tracker that a person has named, as `HOST` or `HOST:PORT`.
pub async fn named(text: &str, last: Option<&KeptTracker>) -> Result<Target, Refusal> {
    let (host, port) = split(text)?;
    let addresses = tokio::net::lookup_host((host.as_str(), port)).await;
    let addresses: Vec<SocketAddr> = addresses
        .map_err(|error| {
            let reason =
                format!("the tracker {text} cannot be looked up: {error}; check the name, or give its address");
            Refusal::new(Exit::Unreachable, reason)
        })?
        .collect();
    let address = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first()).copied();
    let Some(address) = address else {
        return Err(Refusal::new(Exit::Unreachable, format!("the tracker {text} has no address; give its address")));
    };
    let key = last.filter(|last| last.address == address).and_then(KeptTracker::key);
    Ok(Target { address, key })
}

/// The tracker on this LAN. While announcements come in, `probe` tells whether the last tracker is still where it was.
pub async fn on_the_lan(
    name: &AccountName,
    last: Option<&KeptTracker>,
    probe: impl Future<Output = bool>,
) -> Result<Target, Refusal> {
    tokio::pin!(probe);
    let browsing = browse();
    tokio::pin!(browsing);
    let announced = tokio::select! {
        biased;
        true = &mut probe => match last {
            Some(last) => return Ok(kept(last)),
            None => browsing.await,
        },
        announced = &mut browsing => announced,
    };
    let announced = announced.unwrap_or_else(|error| {
        tracing::warn!("this host cannot browse by mDNS: {error}");
        Vec::new()
    });
    choose(name, announced, last)
}

/// Refuses a tracker under a known domain whose key is another than the known one.
pub fn check_pin(last: Option<&KeptTracker>, domain: &Domain, address: SocketAddr, key: Key) -> Result<(), Refusal> {
    let known = last.filter(|last| last.domain.fold() == domain.fold()).and_then(KeptTracker::key);
    match known.filter(|known| *known != key) {
        Some(known) => Err(pin::another_key(address, key, known)),
        None => Ok(()),
    }
}

/// Which of the announced trackers is meant.
fn choose(name: &AccountName, announced: Vec<Announced>, last: Option<&KeptTracker>) -> Result<Target, Refusal> {
    let target = |tracker: &Announced| Target { address: tracker.address, key: Some(tracker.key) };
    if let Some(known) = announced.iter().find(|tracker| last.and_then(KeptTracker::key) == Some(tracker.key)) {
        return Ok(target(known));
    }
    match (announced.as_slice(), last) {
        ([], Some(last)) => Ok(kept(last)),
        ([], None) => Err(Refusal::new(
            Exit::Unreachable,
            format!(
                "no tracker was found on this network. Either none is running, or its announcements (mDNS, a kind of \
                 multicast) do not get here: a firewall drops them, the tracker is in another subnet, the access point \
                 keeps its clients apart, or a VPN takes them. If you know where a tracker is:\n  \
                 peer login {name} --tracker HOST\nand to run one yourself:\n  peer login {name} --host\nWithout any, \
                 with one other person, who types the first line and you the second, or the other way round:\n  \
                 peer listen --as {name}\n  peer connect HOST:PORT --as {name}"
            ),
        )),
        ([only], None) => Ok(target(only)),
        ([Announced { domain, key, address }], Some(last)) => {
            check_pin(Some(last), domain, *address, *key)?;
            // Going there would join one's rooms there too: that is for the person to say.
            let reason = format!(
                "the one tracker on this network is not the one you know ({}): it is {domain}, with key {}. To go there \
                 all the same:\n  peer login {name} --tracker {address}\nand to talk on with the members you know:\n  \
                 peer login {name} --tracker {}",
                last.domain,
                key.short(),
                last.address
            );
            Err(Refusal::new(Exit::Refused, reason))
        }
        (several, _) => {
            let mut reason = String::from("there are several trackers on this network; say which you mean:");
            for Announced { domain, key, address } in several {
                reason += &format!("\n  peer login {name} --tracker {address}    {domain}, key {}", key.short());
            }
            Err(Refusal::new(Exit::Refused, reason))
        }
    }
}

fn kept(last: &KeptTracker) -> Target {
    Target { address: last.address, key: last.key() }
}

/// The trackers that announce themselves within three seconds, each once; of many, the first 32.
pub async fn browse() -> Result<Vec<Announced>, mdns_sd::Error> {
    let daemon = ServiceDaemon::new()?;
    let events = daemon.browse(SERVICE)?;
    let mut found: Vec<Announced> = Vec::new();
    let listening = async {
        while let Ok(event) = events.recv_async().await {
            let ServiceEvent::ServiceResolved(service) = event else { continue };
            let Some(tracker) = read(&service) else {
                tracing::warn!(
                    "the announcement {} is no tracker's, or has no address that can be dialled from here",
                    service.fullname
                );
                continue;
            };
            found.retain(|known| known.key != tracker.key);
            if found.len() < ANNOUNCED {
                found.push(tracker);
            }
        }
    };
    let _ = time::timeout(BROWSE, listening).await;
    // Its thread ends some time later; nobody needs to wait for that.
    let _ = daemon.shutdown();
    found.sort_by_key(|tracker| tracker.address);
    Ok(found)
}

fn read(service: &ResolvedService) -> Option<Announced> {
    let property = |name| service.get_property_val_str(name);
    let addresses = service.addresses.iter().map(|address| address.to_ip_addr());
    Some(Announced {
        domain: property("domain")?.parse().ok()?,
        key: property("key")?.parse().ok()?,
        address: SocketAddr::new(nearest(addresses, &own_networks())?, service.port),
    })
}

/// The address to dial: in a network of this host's own before others, IPv4 before IPv6. Link-local ones are left
/// out, since they mean nothing without the interface.
fn nearest(addresses: impl Iterator<Item = IpAddr>, own: &[(IpAddr, u32)]) -> Option<IpAddr> {
    let dialable = |ip: &IpAddr| !matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    let near = |ip: IpAddr| own.iter().any(|(mine, prefix)| same_network(*mine, ip, *prefix));
    addresses.filter(dialable).min_by_key(|ip| (!near(*ip), ip.is_ipv6(), *ip))
}

/// Whether an address is in a network of this host's own.
pub fn is_near(ip: IpAddr) -> bool {
    own_networks().iter().any(|(mine, prefix)| same_network(*mine, ip, *prefix))
}

fn own_networks() -> Vec<(IpAddr, u32)> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let networks = interfaces.into_iter().map(|interface| match interface.addr {
        if_addrs::IfAddr::V4(v4) => (IpAddr::V4(v4.ip), u32::from(v4.netmask).leading_ones()),
        if_addrs::IfAddr::V6(v6) => (IpAddr::V6(v6.ip), u128::from(v6.netmask).leading_ones()),
    });
    networks.collect()
}

fn same_network(a: IpAddr, b: IpAddr, prefix: u32) -> bool {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u32::from(a) ^ u32::from(b)).leading_zeros() >= prefix,
        (IpAddr::V6(a), IpAddr::V6(b)) => (u128::from(a) ^ u128::from(b)).leading_zeros() >= prefix,
        _ => false,
    }
}

/// `HOST`, `HOST:PORT`, `[IPV6]:PORT` or a bare IPv6 address.
fn split(text: &str) -> Result<(String, u16), Refusal> {
    let bad = |why: &str| {
        let reason = format!("{text:?} is not the address of a tracker: {why}; write HOST, HOST:PORT or [IPV6]:PORT");
        Refusal::new(Exit::Refused, reason)
    };
    if text.parse::<Ipv6Addr>().is_ok() {
        return Ok((text.to_string(), DEFAULT_PORT));
    }
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once(']').ok_or_else(|| bad("the ']' is missing"))?;
        host.parse::<Ipv6Addr>().map_err(|_| bad("there is no IPv6 address in the brackets"))?;
        match port {
            "" => (host, None),
            port => (host, Some(port.strip_prefix(':').ok_or_else(|| bad("after ']' comes ':'"))?)),
        }
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err(bad("there is no host"));
    }
    let port = match port.map(str::parse) {
        None => DEFAULT_PORT,
        Some(Ok(port)) if port != 0 => port,
        Some(_) => return Err(bad("the port is a number from 1 to 65535")),
    };
    Ok((host.to_string(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracker(domain: &str, address: &str, key: u8) -> Announced {
        Announced { domain: domain.parse().unwrap(), key: Key([key; 32]), address: address.parse().unwrap() }
    }

    fn last(domain: &str, address: &str, key: u8) -> KeptTracker {
        KeptTracker::new(address.parse().unwrap(), domain.parse().unwrap(), Key([key; 32]))
    }

    fn chosen(announced: Vec<Announced>, last: Option<&KeptTracker>) -> Result<Target, Refusal> {
        choose(&"alice".parse().unwrap(), announced, last)
    }

    #[test]
    fn a_host_may_come_with_a_port_or_in_brackets() {
        for (text, host, port) in [
            ("box", "box", DEFAULT_PORT),
            ("box:5", "box", 5),
            ("10.0.0.1:5", "10.0.0.1", 5),
            ("::1", "::1", DEFAULT_PORT),
            ("[::1]", "::1", DEFAULT_PORT),
            ("[fd00::1]:5", "fd00::1", 5),
        ] {
            assert_eq!(split(text).unwrap(), (host.to_string(), port), "{text}");
        }
        for text in ["", ":5", "box:", "box:0", "box:70000", "[::1", "[box]:5", "[::1]5", "a b", "1:2:3"] {
            assert_eq!(split(text).unwrap_err().code, Exit::Refused, "{text}");
        }
    }

    #[tokio::test]
    async fn a_named_tracker_that_was_the_last_one_must_have_its_key() {
        let last = last("lan", "127.0.0.1:27655", 1);
        let target = named("127.0.0.1", Some(&last)).await.unwrap();
        assert_eq!(target, Target { address: last.address, key: last.key() });
        assert_eq!(named("127.0.0.1:9", Some(&last)).await.unwrap().key, None);
    }

    #[test]
    fn the_only_tracker_is_taken_and_must_have_the_key_it_announces() {
        let only = tracker("lan", "10.0.0.1:27655", 1);
        let target = chosen(vec![only.clone()], None).unwrap();
        assert_eq!(target, Target { address: only.address, key: Some(only.key) });
    }

    #[test]
    fn of_several_the_last_one_is_taken_wherever_it_is_now() {
        let several = vec![tracker("lan", "10.0.0.1:1", 1), tracker("lab", "10.0.0.9:1", 2)];
        let last = last("lab", "10.0.0.2:1", 2);
        assert_eq!(chosen(several, Some(&last)).unwrap().address, "10.0.0.9:1".parse().unwrap());
    }

    #[test]
    fn several_unknown_ones_are_listed_with_the_line_to_type() {
        let several = vec![tracker("lan", "10.0.0.1:1", 1), tracker("lab", "[fd00::2]:1", 2)];
        let refusal = chosen(several, None).unwrap_err();
        assert_eq!(refusal.code, Exit::Refused);
        assert!(refusal.message.contains("peer login alice --tracker 10.0.0.1:1    lan, key 0101010101010101"));
        assert!(refusal.message.contains("peer login alice --tracker [fd00::2]:1    lab, key 0202020202020202"));
    }

    #[test]
    fn without_any_the_last_one_is_tried_and_else_the_reasons_are_told() {
        let last = last("lab", "10.0.0.2:1", 2);
        assert_eq!(chosen(vec![], Some(&last)).unwrap().address, last.address);
        let refusal = chosen(vec![], None).unwrap_err();
        assert_eq!(refusal.code, Exit::Unreachable);
        assert!(refusal.message.contains("peer login alice --tracker HOST"));
        assert!(refusal.message.contains("peer login alice --host"));
        assert!(refusal.message.contains("peer listen --as alice") && refusal.message.contains("--as alice"));
    }

    #[test]
    fn a_known_domain_with_another_key_is_refused() {
        let last = last("lan", "10.0.0.1:1", 1);
        let refusal = chosen(vec![tracker("LAN", "10.0.0.1:1", 2)], Some(&last)).unwrap_err();
        assert_eq!(refusal.code, Exit::Identity);
    }

    #[test]
    fn another_tracker_than_the_known_one_is_not_taken_without_being_named() {
        let last = last("lan", "10.0.0.1:1", 1);
        let refusal = chosen(vec![tracker("lab", "10.0.0.2:1", 2)], Some(&last)).unwrap_err();
        assert_eq!(refusal.code, Exit::Refused);
        assert!(refusal.message.contains("peer login alice --tracker 10.0.0.2:1"));
    }

    #[test]
    fn an_address_in_an_own_network_is_nearest() {
        let ips = |list: [&str; 4]| list.map(|ip| ip.parse::<IpAddr>().unwrap()).into_iter();
        let list = ["172.17.0.1", "fe80::1", "fd00::1", "192.168.1.7"];
        let own = [("192.168.1.2".parse().unwrap(), 24)];
        assert_eq!(nearest(ips(list), &own), "192.168.1.7".parse().ok());
        assert_eq!(nearest(ips(list), &[("fd00::9".parse().unwrap(), 64)]), "fd00::1".parse().ok());
    }
}
