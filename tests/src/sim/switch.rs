//! What a simulated network does to datagrams, as a pure core: a datagram goes in at a time, and out come the times
//! at which it arrives. It reads no clock, and its only chance is the seed's.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    ops::AddAssign,
    time::Duration,
};

use super::random::Random;

/// A host is named by the address that its socket is bound to: a process of Rollcall has one.
pub type Host = SocketAddr;

/// The largest datagram that is carried: what fits an Ethernet frame over IPv4.
const MTU: usize = 1_472;
/// A datagram that loses its place in the order arrives up to this much late.
const REORDERED_BY: Duration = Duration::from_millis(10);

/// What happens to datagrams from one host to another.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Conditions {
    /// Share of datagrams that never arrive, from 0 to 1.
    pub loss: f64,
    /// How long each is under way.
    pub delay: Duration,
    /// Up to this much longer, evenly spread; the order is kept.
    pub jitter: Duration,
    /// Share of datagrams that arrive late, behind others sent after them.
    pub reorder: f64,
    /// Share of datagrams that arrive twice.
    pub duplicate: f64,
    /// Bytes a second that are carried.
    pub rate: Option<u64>,
    /// Bytes that may wait where there is a rate; what comes when they do is lost.
    pub queue: usize,
}

impl Default for Conditions {
    /// A quiet LAN. The delay is one tick of tokio's timers, so that time goes on whoever answers whom.
    fn default() -> Self {
        Conditions {
            loss: 0.0,
            delay: Duration::from_millis(1),
            jitter: Duration::ZERO,
            reorder: 0.0,
            duplicate: 0.0,
            rate: None,
            queue: 256 * 1024,
        }
    }
}

/// What went from one host to another, as UDP payload.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Traffic {
    /// Datagrams sent.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Datagrams that arrived, doubles included.
    pub arrived: u64,
    /// Their bytes.
    pub arrived_bytes: u64,
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, other: Traffic) {
        self.sent += other.sent;
        self.sent_bytes += other.sent_bytes;
        self.arrived += other.arrived;
        self.arrived_bytes += other.arrived_bytes;
    }
}

/// A datagram under way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Datagram {
    /// Who sent it.
    pub from: Host,
    /// The address it seems to come from.
    pub source: SocketAddr,
    /// Whom it will reach.
    pub to: Host,
    /// What it holds.
    pub payload: Vec<u8>,
    /// The two congestion bits of its IP header.
    pub ecn: u8,
}

/// The network between all hosts.
pub(super) struct Switch {
    random: Random,
    usual: Conditions,
    special: BTreeMap<(Host, Host), Conditions>,
    cut: BTreeSet<(Host, Host)>,
    down: BTreeSet<Host>,
    outward: BTreeMap<Host, SocketAddr>,
    inward: BTreeMap<SocketAddr, Host>,
    lanes: BTreeMap<(Host, Host), Lane>,
    uplinks: BTreeMap<Host, Uplink>,
    traffic: BTreeMap<(Host, Host), Traffic>,
    trace: DefaultHasher,
}

/// One direction between two hosts.
#[derive(Clone, Copy, Default)]
struct Lane {
    /// When the last byte that waits for the rate will have left.
    free: Duration,
    /// When the last datagram that keeps the order arrives.
    last: Duration,
}

/// All that a host sends, to whomever.
#[derive(Clone, Copy)]
struct Uplink {
    /// Bytes a second.
    rate: u64,
    /// Bytes that may wait; what comes when they do is lost.
    queue: usize,
    /// When the last byte that waits will have left.
    free: Duration,
}

impl Uplink {
    /// When a datagram that is sent now will have left.
    fn take(&mut self, now: Duration, length: usize) -> Option<Duration> {
        let waiting = self.free.saturating_sub(now).as_secs_f64() * self.rate as f64;
        if waiting as usize + length > self.queue {
            return None;
        }
        self.free = self.free.max(now) + Duration::from_secs_f64(length as f64 / self.rate.max(1) as f64);
        Some(self.free)
    }
}

impl Switch {
    pub fn new(random: Random) -> Switch {
        Switch {
            random,
            usual: Conditions::default(),
            special: BTreeMap::new(),
            cut: BTreeSet::new(),
            down: BTreeSet::new(),
            outward: BTreeMap::new(),
            inward: BTreeMap::new(),
            lanes: BTreeMap::new(),
            uplinks: BTreeMap::new(),
            traffic: BTreeMap::new(),
            trace: DefaultHasher::new(),
        }
    }

    /// Conditions between all hosts that have none of their own.
    pub fn set_usual(&mut self, conditions: Conditions) {
        self.usual = conditions;
    }

    pub fn set(&mut self, from: Host, to: Host, conditions: Conditions) {
        self.special.insert((from, to), conditions);
    }

    /// Limits all that a host sends, to so many bytes a second, with a queue before it.
    pub fn set_uplink(&mut self, host: Host, rate: u64, queue: usize) {
        self.uplinks.insert(host, Uplink { rate, queue, free: Duration::ZERO });
    }

    pub fn cut(&mut self, from: Host, to: Host) {
        self.cut.insert((from, to));
    }

    pub fn mend(&mut self, from: Host, to: Host) {
        self.cut.remove(&(from, to));
    }

    pub fn mend_all(&mut self) {
        self.cut.clear();
    }

    pub fn set_down(&mut self, host: Host, down: bool) {
        if down {
            self.down.insert(host);
        } else {
            self.down.remove(&host);
        }
    }

    pub fn rebind(&mut self, host: Host, outward: SocketAddr) {
        if let Some(before) = self.outward.insert(host, outward) {
            self.inward.remove(&before);
        }
        self.inward.insert(outward, host);
    }

    /// Where a host sends from, and is reached at.
    pub fn address(&self, host: Host) -> SocketAddr {
        *self.outward.get(&host).unwrap_or(&host)
    }

    pub fn traffic(&self) -> impl Iterator<Item = ((Host, Host), Traffic)> {
        self.traffic.iter().map(|(pair, traffic)| (*pair, *traffic))
    }

    /// A hash of what was sent so far: when, by whom, to whom, how long, and when it arrives. Not of the bytes: TLS
    /// takes its keys from the system, so they are others in each run.
    pub fn trace(&self) -> u64 {
        self.trace.finish()
    }

    /// Sends a datagram: what arrives of it, and when.
    pub fn send(
        &mut self,
        now: Duration,
        from: Host,
        to: SocketAddr,
        payload: &[u8],
        ecn: u8,
    ) -> Vec<(Duration, Datagram)> {
        let host = self.host_at(to);
        let pair = (from, host.unwrap_or(to));
        let traffic = self.traffic.entry(pair).or_default();
        traffic.sent += 1;
        traffic.sent_bytes += payload.len() as u64;
        let arrivals = if host.is_some() { self.arrivals(now, pair, payload.len()) } else { Vec::new() };
        let source = self.address(from);
        (now, pair, source, payload.len(), &arrivals).hash(&mut self.trace);
        let datagram = |at| (at, Datagram { from, source, to: pair.1, payload: payload.to_vec(), ecn });
        arrivals.into_iter().map(datagram).collect()
    }

    /// Whether a datagram whose time has come reaches its host.
    pub fn arrive(&mut self, datagram: &Datagram) -> bool {
        let up = !self.down.contains(&datagram.to);
        if up {
            let traffic = self.traffic.entry((datagram.from, datagram.to)).or_default();
            traffic.arrived += 1;
            traffic.arrived_bytes += datagram.payload.len() as u64;
        }
        up
    }

    /// The host that is reached at an address; nobody at the one that a host had before it was bound to another.
    fn host_at(&self, address: SocketAddr) -> Option<Host> {
        match self.inward.get(&address) {
            Some(host) => Some(*host),
            None => (!self.outward.contains_key(&address)).then_some(address),
        }
    }

    fn arrivals(&mut self, now: Duration, pair: (Host, Host), length: usize) -> Vec<Duration> {
        if self.cut.contains(&pair) || self.down.contains(&pair.0) || length > MTU {
            return Vec::new();
        }
        let conditions = *self.special.get(&pair).unwrap_or(&self.usual);
        let now = match self.uplinks.get_mut(&pair.0).map(|uplink| uplink.take(now, length)) {
            Some(None) => return Vec::new(),
            Some(Some(left)) => left,
            None => now,
        };
        let lane = self.lanes.entry(pair).or_default();
        let left = match conditions.rate {
            None => now,
            Some(rate) => {
                let waiting = lane.free.saturating_sub(now).as_secs_f64() * rate as f64;
                if waiting as usize + length > conditions.queue {
                    return Vec::new();
                }
                lane.free = lane.free.max(now) + Duration::from_secs_f64(length as f64 / rate.max(1) as f64);
                lane.free
            }
        };
        if self.random.chance(conditions.loss) {
            return Vec::new();
        }
        let copies = if self.random.chance(conditions.duplicate) { 2 } else { 1 };
        let mut arrivals = Vec::with_capacity(copies);
        for _ in 0..copies {
            let mut at = left + conditions.delay + up_to(&mut self.random, conditions.jitter);
            if self.random.chance(conditions.reorder) {
                at += up_to(&mut self.random, REORDERED_BY);
            } else {
                at = at.max(lane.last);
                lane.last = at;
            }
            arrivals.push(at);
        }
        arrivals
    }
}

fn up_to(random: &mut Random, most: Duration) -> Duration {
    Duration::from_nanos(random.below(most.as_nanos() as usize + 1) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "10.0.0.1:1";
    const B: &str = "10.0.0.2:1";

    fn host(text: &str) -> Host {
        text.parse().unwrap()
    }

    fn switch(conditions: Conditions) -> Switch {
        let mut switch = Switch::new(Random::new(1));
        switch.set_usual(conditions);
        switch
    }

    fn send(switch: &mut Switch, now_ms: u64, from: &str, to: &str, length: usize) -> Vec<Duration> {
        let sent = switch.send(Duration::from_millis(now_ms), host(from), host(to), &vec![0; length], 0);
        sent.into_iter().map(|(at, _)| at).collect()
    }

    #[test]
    fn loss_and_doubles_come_in_their_shares() {
        let mut switch = switch(Conditions { loss: 0.1, duplicate: 0.2, ..Conditions::default() });
        let copies: Vec<usize> = (0..10_000).map(|t| send(&mut switch, t, A, B, 100).len()).collect();
        let share = |n| copies.iter().filter(|c| **c == n).count() as f64 / 10_000.0;
        assert!((share(0) - 0.1).abs() < 0.02 && (share(2) - 0.18).abs() < 0.02, "{} {}", share(0), share(2));
    }

    #[test]
    fn jitter_keeps_the_order_and_reordering_does_not() {
        let late = |reorder| {
            let mut switch = switch(Conditions { jitter: Duration::from_millis(20), reorder, ..Conditions::default() });
            let times: Vec<Duration> = (0..1_000).map(|t| send(&mut switch, t, A, B, 100)[0]).collect();
            times.windows(2).filter(|pair| pair[0] > pair[1]).count()
        };
        assert_eq!(late(0.0), 0);
        assert!(late(0.1) > 10);
    }

    #[test]
    fn a_rate_makes_datagrams_wait_and_a_full_queue_loses_them() {
        let mut switch =
            switch(Conditions { rate: Some(1_000), queue: 250, delay: Duration::ZERO, ..Conditions::default() });
        let ms = |ms| vec![Duration::from_millis(ms)];
        assert_eq!(send(&mut switch, 0, A, B, 100), ms(100));
        assert_eq!(send(&mut switch, 0, A, B, 100), ms(200));
        assert!(send(&mut switch, 0, A, B, 100).is_empty());
        assert_eq!(send(&mut switch, 100, A, B, 100), ms(300));
        assert_eq!(send(&mut switch, 0, B, A, 100), ms(100));
    }

    #[test]
    fn an_uplink_is_shared_by_all_that_its_host_sends() {
        let mut switch = switch(Conditions { delay: Duration::ZERO, ..Conditions::default() });
        switch.set_uplink(host(A), 1_000, 250);
        let ms = |ms| vec![Duration::from_millis(ms)];
        assert_eq!(send(&mut switch, 0, A, B, 100), ms(100));
        assert_eq!(send(&mut switch, 0, A, "10.0.0.3:1", 100), ms(200));
        assert!(send(&mut switch, 0, A, B, 100).is_empty());
        assert_eq!(send(&mut switch, 0, B, A, 100), ms(0));
    }

    #[test]
    fn a_cut_holds_in_its_direction_only() {
        let mut switch = switch(Conditions::default());
        switch.cut(host(A), host(B));
        assert!(send(&mut switch, 0, A, B, 100).is_empty());
        assert!(!send(&mut switch, 0, B, A, 100).is_empty());
        switch.mend(host(A), host(B));
        assert!(!send(&mut switch, 0, A, B, 100).is_empty());
    }

    #[test]
    fn a_rebound_host_is_reached_at_its_new_address_only() {
        let mut switch = switch(Conditions::default());
        switch.rebind(host(A), host("192.0.2.1:7"));
        let sent = switch.send(Duration::ZERO, host(B), host("192.0.2.1:7"), b"hello", 0);
        assert_eq!(sent[0].1.to, host(A));
        let answer = switch.send(Duration::ZERO, host(A), host(B), b"hello", 0);
        assert_eq!(answer[0].1.source, host("192.0.2.1:7"));
        assert!(send(&mut switch, 0, B, A, 100).is_empty());
        switch.rebind(host(A), host(A));
        assert!(!send(&mut switch, 0, B, A, 100).is_empty());
    }

    #[test]
    fn what_arrives_at_a_host_that_is_down_is_lost() {
        let mut switch = switch(Conditions::default());
        let sent = switch.send(Duration::ZERO, host(A), host(B), &[0; 9], 0);
        switch.set_down(host(B), true);
        assert!(!switch.arrive(&sent[0].1));
        assert!(send(&mut switch, 0, B, A, 9).is_empty());
        let traffic: Vec<Traffic> = switch.traffic().map(|(_, traffic)| traffic).collect();
        assert_eq!(traffic[0], Traffic { sent: 1, sent_bytes: 9, arrived: 0, arrived_bytes: 0 });
    }
}
