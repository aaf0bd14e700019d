//! What the switch decides, as a pure function of the frames, the time and a seed.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use super::{
    counters::Counters,
    frame::{Frame, Mac},
    random::Random,
    wire::{HOLD, Line, Rate, Wire},
};

/// A plug of the switch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Port(pub(super) usize);

/// One copy of a frame that is to leave the switch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// By which plug.
    pub to: Port,
    /// When.
    pub at: Duration,
}

/// A learning switch whose every wire can be made bad. Time is counted from any fixed moment.
pub struct Fabric {
    random: Random,
    ports: Vec<State>,
    learned: HashMap<Mac, Port>,
    usual: Wire,
    wires: HashMap<(Port, Port), Wire>,
    cuts: HashSet<(Port, Port)>,
    walls: HashSet<(Port, u16)>,
    last: HashMap<(Port, Port), Duration>,
}

#[derive(Default)]
struct State {
    counters: Counters,
    up: Option<Line>,
    down: Option<Line>,
}

impl Fabric {
    /// A switch without plugs, on which everything arrives.
    pub fn new(seed: u64) -> Fabric {
        Fabric {
            random: Random::new(seed),
            ports: Vec::new(),
            learned: HashMap::new(),
            usual: Wire::default(),
            wires: HashMap::new(),
            cuts: HashSet::new(),
            walls: HashSet::new(),
            last: HashMap::new(),
        }
    }

    /// One more plug.
    pub fn add(&mut self) -> Port {
        self.ports.push(State::default());
        Port(self.ports.len() - 1)
    }

    /// Where a frame goes, and when each copy of it leaves; no copy where it is dropped.
    pub fn carry(&mut self, now: Duration, from: Port, frame: &Frame) -> Vec<Delivery> {
        let sender = &mut self.ports[from.0];
        sender.counters.sent.count(frame.bytes, frame.udp, |udp| udp.source);
        self.learned.insert(frame.source, from);
        let left = match &mut sender.up {
            None => Some(now),
            Some(line) => line.take(now, frame.bytes),
        };
        let Some(left) = left else { return Vec::new() };
        let known = self.learned.get(&frame.destination).filter(|_| !frame.is_for_many());
        let targets: Vec<Port> = match known {
            Some(to) => vec![*to],
            None => (0..self.ports.len()).map(Port).collect(),
        };
        targets.into_iter().filter(|to| *to != from).filter_map(|to| self.hand_on(left, from, to, frame)).collect()
    }

    /// How every wire is that has no setting of its own.
    pub fn set_usual(&mut self, wire: Wire) {
        self.usual = wire;
    }

    /// How one direction between two hosts is.
    pub fn set_wire(&mut self, from: Port, to: Port, wire: Wire) {
        self.wires.insert((from, to), wire);
    }

    /// Carries nothing any more in one direction.
    pub fn cut(&mut self, from: Port, to: Port) {
        self.cuts.insert((from, to));
    }

    /// Takes a cut back.
    pub fn mend(&mut self, from: Port, to: Port) {
        self.cuts.remove(&(from, to));
    }

    /// Carries no UDP any more to one port of a host, as a firewall there would.
    pub fn wall(&mut self, host: Port, port: u16) {
        self.walls.insert((host, port));
    }

    /// Takes back every cut, every wall and every setting of a wire. Rates stay.
    pub fn heal(&mut self) {
        self.cuts.clear();
        self.walls.clear();
        self.wires.clear();
        self.usual = Wire::default();
    }

    /// Limits what a host may send and get; nothing is no limit.
    pub fn set_rate(&mut self, port: Port, up: Option<Rate>, down: Option<Rate>) {
        let state = &mut self.ports[port.0];
        (state.up, state.down) = (up.map(Line::new), down.map(Line::new));
    }

    /// What a host's interface has carried since the last reset.
    pub fn counters(&self, port: Port) -> &Counters {
        &self.ports[port.0].counters
    }

    /// Counts from nothing again, everywhere.
    pub fn reset_counters(&mut self) {
        self.ports.iter_mut().for_each(|port| port.counters = Counters::default());
    }

    fn hand_on(&mut self, now: Duration, from: Port, to: Port, frame: &Frame) -> Option<Delivery> {
        let way = (from, to);
        let wire = *self.wires.get(&way).unwrap_or(&self.usual);
        let is_walled = frame.udp.is_some_and(|udp| self.walls.contains(&(to, udp.destination)));
        let is_too_long = wire.longest.is_some_and(|longest| frame.bytes > longest);
        if self.cuts.contains(&way) || is_walled || is_too_long || self.random.happens(wire.loss) {
            return None;
        }
        let receiver = &mut self.ports[to.0];
        let left = match &mut receiver.down {
            None => now,
            Some(line) => line.take(now, frame.bytes)?,
        };
        receiver.counters.received.count(frame.bytes, frame.udp, |udp| udp.destination);
        let jitter = if wire.jitter.is_zero() { Duration::ZERO } else { wire.jitter.mul_f64(self.random.unit()) };
        let last = self.last.entry(way).or_default();
        let in_order = (left + wire.delay + jitter).max(*last);
        if self.random.happens(wire.reorder) {
            return Some(Delivery { to, at: in_order + HOLD });
        }
        *last = in_order;
        Some(Delivery { to, at: in_order })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: Duration = Duration::ZERO;
    const EVERYONE: u8 = 0xff;

    fn frame(source: u8, destination: u8) -> Frame {
        let destination = if destination == EVERYONE { [EVERYONE; 6] } else { mac(destination) };
        Frame { source: mac(source), destination, bytes: 100, udp: None }
    }

    fn mac(host: u8) -> Mac {
        [2, 0, 0, 0, 0, host]
    }

    /// A switch whose hosts are already known by their hardware addresses.
    fn fabric(hosts: u8, seed: u64) -> Fabric {
        let mut fabric = Fabric::new(seed);
        for host in 0..hosts {
            let port = fabric.add();
            fabric.learned.insert(mac(host), port);
        }
        fabric
    }

    fn receivers(deliveries: Vec<Delivery>) -> Vec<usize> {
        deliveries.into_iter().map(|delivery| delivery.to.0).collect()
    }

    #[test]
    fn what_is_for_one_goes_to_one_and_what_is_for_all_to_all_others() {
        let mut fabric = fabric(3, 0);
        assert_eq!(receivers(fabric.carry(ZERO, Port(0), &frame(0, 2))), [2]);
        assert_eq!(receivers(fabric.carry(ZERO, Port(1), &frame(1, EVERYONE))), [0, 2]);
        assert_eq!(receivers(fabric.carry(ZERO, Port(1), &frame(1, 77))), [0, 2], "an unknown address is flooded");
        assert_eq!(receivers(fabric.carry(ZERO, Port(2), &frame(2, 2))), [] as [usize; 0], "nothing goes back");
    }

    #[test]
    fn a_host_is_where_it_was_last_heard() {
        let mut fabric = fabric(3, 0);
        fabric.carry(ZERO, Port(1), &frame(2, EVERYONE));
        assert_eq!(receivers(fabric.carry(ZERO, Port(0), &frame(0, 2))), [1]);
    }

    #[test]
    fn a_cut_is_one_way_until_it_is_mended_or_all_is_healed() {
        let mut fabric = fabric(2, 0);
        fabric.cut(Port(0), Port(1));
        assert!(fabric.carry(ZERO, Port(0), &frame(0, 1)).is_empty());
        assert_eq!(receivers(fabric.carry(ZERO, Port(1), &frame(1, 0))), [0]);
        fabric.mend(Port(0), Port(1));
        assert_eq!(receivers(fabric.carry(ZERO, Port(0), &frame(0, 1))), [1]);
        fabric.cut(Port(0), Port(1));
        fabric.heal();
        assert_eq!(receivers(fabric.carry(ZERO, Port(0), &frame(0, 1))), [1]);
    }

    #[test]
    fn one_seed_is_one_run() {
        let run = |seed| {
            let mut fabric = fabric(3, seed);
            let jitter = Duration::from_millis(5);
            fabric.set_usual(Wire { loss: 0.3, delay: jitter, jitter, reorder: 0.1, longest: None });
            (0..200).map(|ms| fabric.carry(Duration::from_millis(ms), Port(0), &frame(0, EVERYONE))).collect::<Vec<_>>()
        };
        assert_eq!(run(5), run(5));
        assert_ne!(run(5), run(6));
    }

    #[test]
    fn loss_hits_the_share_asked_for_in_the_direction_asked_for() {
        let mut fabric = fabric(2, 9);
        fabric.set_wire(Port(0), Port(1), Wire::losing(0.2));
        let arrived = |fabric: &mut Fabric, from: u8, to: u8| {
            (0..10_000).filter(|_| !fabric.carry(ZERO, Port(from.into()), &frame(from, to)).is_empty()).count()
        };
        let forth = arrived(&mut fabric, 0, 1);
        assert!((7_800..8_200).contains(&forth), "{forth}");
        assert_eq!(arrived(&mut fabric, 1, 0), 10_000);
    }

    #[test]
    fn jitter_keeps_the_order_and_reordering_does_not() {
        let is_in_order = |wire| {
            let mut fabric = fabric(2, 3);
            fabric.set_usual(wire);
            let at: Vec<_> =
                (0..500).map(|n| fabric.carry(Duration::from_micros(n * 100), Port(0), &frame(0, 1))[0].at).collect();
            at.is_sorted()
        };
        let jitter = Duration::from_millis(20);
        assert!(is_in_order(Wire { delay: jitter, jitter, ..Wire::default() }));
        assert!(!is_in_order(Wire { reorder: 0.1, ..Wire::default() }));
    }

    #[test]
    fn a_rate_limits_and_its_queue_is_bounded() {
        let mut fabric = fabric(2, 0);
        let rate = Rate { bytes_per_second: 10_000, queue_bytes: 1_000 };
        fabric.set_rate(Port(0), Some(rate), None);
        let at: Vec<_> = (0..50).flat_map(|_| fabric.carry(ZERO, Port(0), &frame(0, 1))).map(|d| d.at).collect();
        assert_eq!(at, (1..=10).map(|n| Duration::from_millis(10 * n)).collect::<Vec<_>>());
    }

    #[test]
    fn counters_count_what_was_sent_and_what_was_handed_on() {
        let mut fabric = fabric(2, 0);
        fabric.carry(ZERO, Port(0), &frame(0, 1));
        fabric.cut(Port(0), Port(1));
        fabric.carry(ZERO, Port(0), &frame(0, 1));
        assert_eq!((fabric.counters(Port(0)).sent.frames, fabric.counters(Port(0)).sent.bytes), (2, 200));
        assert_eq!((fabric.counters(Port(1)).received.frames, fabric.counters(Port(1)).received.bytes), (1, 100));
        fabric.reset_counters();
        assert_eq!(*fabric.counters(Port(0)), Counters::default());
    }
}
