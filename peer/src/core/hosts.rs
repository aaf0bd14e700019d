//! Hosts that were dialled in vain. Where somebody is the tracker says, and one that lies could name a victim's address
//! for everybody: so a host that nobody was ever reached at is left alone for longer and longer, whoever is said to be
//! there and on whichever port.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use common::address::{Addresses, canonical};

use super::backoff::{Backoff, Jitter};

/// Dials in a row that may be in vain before a host is left alone: some members of one host may be gone.
const IN_VAIN: u32 = 16;
/// The first pause after that, in milliseconds.
const FIRST_PAUSE: u64 = 2_000;
/// Hosts remembered at once.
const HOSTS: usize = 1_024;

/// What dials to hosts have come to, since one to each last stood.
#[derive(Default, Debug)]
pub struct Hosts {
    vain: BTreeMap<IpAddr, Vain>,
}

#[derive(Clone, Copy, Default, Debug)]
struct Vain {
    dials: u32,
    backoff: Backoff,
    /// When it may be dialled again.
    from: u64,
}

impl Hosts {
    /// Those of some addresses that may be dialled now, or when the first of them may be.
    pub fn allowed(&self, addresses: &Addresses, now: u64) -> Result<Addresses, u64> {
        let from = |address: &SocketAddr| self.vain.get(&host(*address)).map_or(0, |vain| vain.from);
        let allowed = Addresses::new(addresses.as_slice().iter().copied().filter(|address| from(address) <= now));
        match allowed.is_empty() {
            false => Ok(allowed),
            true => Err(addresses.as_slice().iter().map(from).min().unwrap_or(now)),
        }
    }

    /// These addresses are dialled. Each host counts once, and until a link to it stands.
    pub fn dialled(&mut self, addresses: &Addresses, now: u64, most: u64, jitter: &mut Jitter) {
        let mut hosts: Vec<IpAddr> = addresses.as_slice().iter().copied().map(host).collect();
        hosts.sort_unstable();
        hosts.dedup();
        for host in hosts {
            if self.vain.len() >= HOSTS && !self.vain.contains_key(&host) {
                // Whoever may be dialled soonest is forgotten: the others are the more doubtful.
                let soonest = self.vain.iter().min_by_key(|(_, vain)| vain.from).map(|(host, _)| *host);
                soonest.map(|soonest| self.vain.remove(&soonest));
            }
            let vain = self.vain.entry(host).or_default();
            vain.dials = vain.dials.saturating_add(1);
            if vain.dials >= IN_VAIN {
                vain.from = now + vain.backoff.pause(FIRST_PAUSE, most, jitter);
            }
        }
    }

    /// A link to somebody at this address stands: the host has something to do with this network. Returns whether it
    /// was left alone until now.
    pub fn reached(&mut self, address: SocketAddr) -> bool {
        self.vain.remove(&host(address)).is_some_and(|vain| vain.dials >= IN_VAIN)
    }
}

fn host(address: SocketAddr) -> IpAddr {
    canonical(address).ip()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: u64 = 60_000;

    fn at(host: u8, port: u16) -> Addresses {
        Addresses::new([SocketAddr::from(([10, 0, 0, host], port))])
    }

    /// How often somebody new at a host is dialled within ten minutes, if everybody is due all the time.
    fn dials(hosts: &mut Hosts, host: u8) -> usize {
        let mut jitter = Jitter::new(1);
        let mut count = 0;
        for now in (0..600_000).step_by(10) {
            let addresses = at(host, count as u16 + 1);
            if hosts.allowed(&addresses, now).is_ok() {
                hosts.dialled(&addresses, now, MOST, &mut jitter);
                count += 1;
            }
        }
        count
    }

    #[test]
    fn a_host_that_nobody_is_reached_at_is_dialled_ever_more_rarely_whoever_is_said_to_be_there() {
        let count = dials(&mut Hosts::default(), 1);
        assert!((20..60).contains(&count), "{count}");
    }

    #[test]
    fn others_are_dialled_all_the_same() {
        let mut hosts = Hosts::default();
        dials(&mut hosts, 1);
        let both = Addresses::new([at(1, 9).as_slice()[0], at(2, 9).as_slice()[0]]);
        assert_eq!(hosts.allowed(&both, 0).unwrap(), at(2, 9));
        assert!(hosts.allowed(&at(1, 9), 0).unwrap_err() > 0);
    }

    #[test]
    fn one_link_that_stands_clears_a_host() {
        let mut hosts = Hosts::default();
        dials(&mut hosts, 1);
        hosts.reached(at(1, 5).as_slice()[0]);
        assert_eq!(hosts.allowed(&at(1, 9), 0).unwrap(), at(1, 9));
    }

    #[test]
    fn no_more_hosts_are_remembered_than_the_bound() {
        let (mut hosts, mut jitter) = (Hosts::default(), Jitter::new(1));
        for n in 0..2 * HOSTS as u32 {
            hosts.dialled(&Addresses::new([SocketAddr::from((n.to_be_bytes(), 1))]), 0, MOST, &mut jitter);
        }
        assert_eq!(hosts.vain.len(), HOSTS);
    }
}
