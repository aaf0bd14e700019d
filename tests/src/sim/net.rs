//! The shell around the [`Switch`]: it carries datagrams between sockets on tokio's clock.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use quinn::{AsyncUdpSocket, Endpoint, EndpointConfig, ServerConfig, TokioRuntime};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{
    random::Random,
    socket::Socket,
    switch::{Conditions, Datagram, Host, Switch, Traffic},
};

/// Datagrams that wait for a socket to be read; further ones are lost, as in a full receive buffer.
const INBOX: usize = 1_024;

/// A simulated network. Clones are handles of the same one.
#[derive(Clone)]
pub struct Net {
    shared: Arc<Shared>,
}

struct Shared {
    start: Instant,
    seed: u64,
    state: Mutex<State>,
    /// Something is due before what was.
    sooner: Notify,
}

struct State {
    switch: Switch,
    /// Seeds of endpoints.
    random: Random,
    sockets: BTreeMap<Host, Arc<Inbox>>,
    /// What is under way, by its time and then in the order it was sent.
    under_way: BTreeMap<(Duration, u64), Datagram>,
    sent: u64,
}

/// What has arrived for one socket.
#[derive(Default)]
pub(super) struct Inbox {
    arrived: Mutex<(VecDeque<Datagram>, Option<Waker>)>,
}

impl Net {
    /// A network on which everything by chance comes from `seed`. Call it inside the runtime of
    /// [`run`](super::run), which it lives as long as.
    pub fn new(seed: u64) -> Net {
        let mut random = Random::new(seed);
        let state = State {
            switch: Switch::new(Random::new(random.number())),
            random,
            sockets: BTreeMap::new(),
            under_way: BTreeMap::new(),
            sent: 0,
        };
        let (start, state, sooner) = (Instant::now(), Mutex::new(state), Notify::new());
        let net = Net { shared: Arc::new(Shared { start, seed, state, sooner }) };
        tokio::spawn(net.clone().carry());
        net
    }

    /// The seed it was made from.
    pub fn seed(&self) -> u64 {
        self.shared.seed
    }

    /// A socket bound to `host`. If there is one already it goes deaf and mute, as that of a process that was killed.
    pub fn socket(&self, host: Host) -> Arc<dyn AsyncUdpSocket> {
        let inbox = Arc::new(Inbox::default());
        self.state().sockets.insert(host, inbox.clone());
        Arc::new(Socket::new(self.clone(), host, inbox))
    }

    /// A QUIC endpoint on [`Net::socket`], with its randomness from the network's seed.
    pub fn endpoint(&self, host: Host, server: ServerConfig) -> Endpoint {
        let mut config = EndpointConfig::default();
        config.rng_seed(Some(self.state().random.seed()));
        Endpoint::new_with_abstract_socket(config, Some(server), self.socket(host), Arc::new(TokioRuntime))
            .expect("a simulated socket always has an address")
    }

    /// Sets the conditions between all hosts that have none of their own.
    pub fn set_usual(&self, conditions: Conditions) {
        self.state().switch.set_usual(conditions);
    }

    /// Sets the conditions in one direction.
    pub fn set(&self, from: Host, to: Host, conditions: Conditions) {
        self.state().switch.set(from, to, conditions);
    }

    /// Sets the conditions in both directions.
    pub fn set_both(&self, one: Host, other: Host, conditions: Conditions) {
        self.set(one, other, conditions);
        self.set(other, one, conditions);
    }

    /// Limits all that a host sends from now on, to so many bytes a second; so many more may wait before it.
    pub fn set_uplink(&self, host: Host, rate: u64, queue: usize) {
        self.state().switch.set_uplink(host, rate, queue);
    }

    /// Loses everything that is sent from now on in one direction.
    pub fn cut(&self, from: Host, to: Host) {
        self.state().switch.cut(from, to);
    }

    /// Ends a cut in one direction.
    pub fn mend(&self, from: Host, to: Host) {
        self.state().switch.mend(from, to);
    }

    /// Cuts everything between the hosts of one side and those of the other, both ways.
    pub fn partition(&self, side: &[Host], other: &[Host]) {
        for (one, two) in side.iter().flat_map(|one| other.iter().map(move |two| (*one, *two))) {
            self.cut(one, two);
            self.cut(two, one);
        }
    }

    /// Ends all cuts.
    pub fn mend_all(&self) {
        self.state().switch.mend_all();
    }

    /// Takes a host off the network: what it sends and what arrives for it is lost, until [`Net::up`].
    pub fn down(&self, host: Host) {
        self.state().switch.set_down(host, true);
    }

    /// Brings it back.
    pub fn up(&self, host: Host) {
        self.state().switch.set_down(host, false);
    }

    /// The NAT before `host` gives it another outward address: what it sends comes from there, what is sent there
    /// reaches it, and its address before reaches nobody. The host itself is not told.
    pub fn rebind(&self, host: Host, outward: SocketAddr) {
        self.state().switch.rebind(host, outward);
    }

    /// Where others reach a host: its own address, or the outward one.
    pub fn address(&self, host: Host) -> SocketAddr {
        self.state().switch.address(host)
    }

    /// What went from one host to another so far.
    pub fn traffic(&self, from: Host, to: Host) -> Traffic {
        self.sum(|pair| pair == (from, to))
    }

    /// What went out of a host so far.
    pub fn outgoing(&self, host: Host) -> Traffic {
        self.sum(|(from, _)| from == host)
    }

    /// What went to a host so far.
    pub fn incoming(&self, host: Host) -> Traffic {
        self.sum(|(_, to)| to == host)
    }

    /// Stands for the whole run so far: every datagram's time, ends, length and fate. Equal for equal seeds.
    pub fn trace(&self) -> u64 {
        self.state().switch.trace()
    }

    pub(super) fn send(&self, inbox: &Arc<Inbox>, from: Host, to: SocketAddr, payload: &[u8], ecn: u8) {
        let now = self.shared.start.elapsed();
        let mut state = self.state();
        if !state.sockets.get(&from).is_some_and(|bound| Arc::ptr_eq(bound, inbox)) {
            return;
        }
        let first = state.due();
        for (at, datagram) in state.switch.send(now, from, to, payload, ecn) {
            state.sent += 1;
            let order = state.sent;
            state.under_way.insert((at, order), datagram);
        }
        if state.due() != first {
            self.shared.sooner.notify_one();
        }
    }

    /// Lets datagrams arrive when their time has come, for as long as the runtime lives.
    async fn carry(self) {
        loop {
            let due = self.deliver(self.shared.start.elapsed());
            let sooner = self.shared.sooner.notified();
            match due {
                Some(due) => tokio::select! {
                    biased;
                    () = sleep_until(self.shared.start + due) => {}
                    () = sooner => {}
                },
                None => sooner.await,
            }
        }
    }

    /// Delivers all that is due; says when the next is.
    fn deliver(&self, now: Duration) -> Option<Duration> {
        let mut state = self.state();
        while let Some(entry) = state.under_way.first_entry().filter(|entry| entry.key().0 <= now) {
            let datagram = entry.remove();
            if state.switch.arrive(&datagram)
                && let Some(inbox) = state.sockets.get(&datagram.to)
            {
                inbox.put(datagram);
            }
        }
        state.due()
    }

    fn sum(&self, which: impl Fn((Host, Host)) -> bool) -> Traffic {
        let mut sum = Traffic::default();
        self.state().switch.traffic().filter(|(pair, _)| which(*pair)).for_each(|(_, traffic)| sum += traffic);
        sum
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Net(seed {})", self.seed())
    }
}

impl State {
    fn due(&self) -> Option<Duration> {
        self.under_way.first_key_value().map(|((at, _), _)| *at)
    }
}

impl Inbox {
    fn put(&self, datagram: Datagram) {
        let mut arrived = self.lock();
        if arrived.0.len() < INBOX {
            arrived.0.push_back(datagram);
        }
        if let Some(waker) = arrived.1.take() {
            waker.wake();
        }
    }

    /// Takes what has arrived, up to `most` datagrams.
    pub fn poll(&self, cx: &mut Context, most: usize) -> Poll<io::Result<Vec<Datagram>>> {
        let mut arrived = self.lock();
        if arrived.0.is_empty() {
            arrived.1 = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = most.min(arrived.0.len());
        Poll::Ready(Ok(arrived.0.drain(..count).collect()))
    }

    fn lock(&self) -> MutexGuard<'_, (VecDeque<Datagram>, Option<Waker>)> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
