//! The network is as good and as bad as it was asked to be.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tests::lab::{Host, Lab, Rate, Wire, eventually};

const PORT: u16 = 4_000;
const SOON: Duration = Duration::from_secs(5);
/// Datagrams that are under way at once: fewer than fit into any socket's buffer.
const WINDOW: u64 = 32;

pub fn a_datagram_arrives_and_is_counted() {
    let lab = Lab::new();
    let (alice, bob) = (lab.host("alice"), lab.host("bob"));
    let (from, to) = (socket(&alice), socket(&bob));
    send(&from, &bob, b"hello");
    let (bytes, sender) = receive(&to).expect("it arrives");
    assert_eq!((bytes.as_slice(), sender), (b"hello".as_slice(), SocketAddr::new(alice.ip(), PORT)));

    let (sent, received) = (lab.counters(&alice).sent.port(PORT), lab.counters(&bob).received.port(PORT));
    assert_eq!((sent.count, sent.bytes), (1, 5));
    assert_eq!(sent, received);
    assert_eq!(lab.counters(&bob).sent.port(PORT).count, 0);
    lab.reset_counters();
    assert_eq!(lab.counters(&alice).bytes(), 0);
}

pub fn loss_is_what_was_asked_for() {
    const COUNT: u64 = 2_000;
    const LOSS: f64 = 0.2;
    let lab = Lab::new();
    let (alice, bob) = (lab.host("alice"), lab.host("bob"));
    let (from, to) = (socket(&alice), socket(&bob));
    meet(&from, &bob, &to);
    lab.reset_counters();
    lab.set_wire(&alice, &bob, Wire::losing(LOSS));
    let reader = Reader::start(to);
    flow(&lab, &alice, &bob, &from, &reader, COUNT);
    lab.heal();
    send(&from, &bob, LAST);
    let arrived = reader.finish();

    let expected = COUNT as f64 * (1.0 - LOSS);
    let deviation = (COUNT as f64 * LOSS * (1.0 - LOSS)).sqrt();
    assert!((arrived as f64 - expected).abs() < 5.0 * deviation, "{arrived} of {COUNT} arrived; seed {}", lab.seed());
    assert_eq!(lab.counters(&bob).received.port(PORT).count, arrived + 1, "what was counted is what arrived");
}

pub fn a_one_way_cut_is_one_way() {
    let lab = Lab::new();
    let (alice, bob) = (lab.host("alice"), lab.host("bob"));
    let (at_alice, at_bob) = (socket(&alice), socket(&bob));
    meet(&at_alice, &bob, &at_bob);
    lab.cut_one_way(&alice, &bob);
    send(&at_alice, &bob, b"lost");
    send(&at_bob, &alice, b"back");
    assert_eq!(receive(&at_alice).expect("the other way is open").0, b"back");
    eventually(
        SOON,
        "the frame reaches the switch",
        || lab.counters(&alice).sent.port(PORT).count,
        |count| *count == 2,
    );
    lab.heal();
    send(&at_alice, &bob, b"healed");
    assert_eq!(receive(&at_bob).expect("the way is open again").0, b"healed", "and what was cut off stays lost");
}

pub fn a_rate_limit_holds() {
    const FRAMES: u64 = 100;
    let lab = Lab::new();
    let (alice, bob) = (lab.host("alice"), lab.host("bob"));
    let (from, to) = (socket(&alice), socket(&bob));
    meet(&from, &bob, &to);
    lab.reset_counters();
    let rate = Rate { bytes_per_second: 200_000, queue_bytes: 1_000_000 };
    lab.set_rate(&alice, Some(rate), None);
    let reader = Reader::start(to);
    let start = Instant::now();
    flow(&lab, &alice, &bob, &from, &reader, FRAMES);
    send(&from, &bob, LAST);
    assert_eq!(reader.finish(), FRAMES);
    // A datagram of 1,000 bytes is a frame of 1,042.
    let least = Duration::from_secs_f64(FRAMES as f64 * 1_042.0 / rate.bytes_per_second as f64);
    assert!(start.elapsed() >= least, "{:?} is faster than {least:?}", start.elapsed());
}

pub fn a_delay_is_kept() {
    let lab = Lab::new();
    let (alice, bob) = (lab.host("alice"), lab.host("bob"));
    let (from, to) = (socket(&alice), socket(&bob));
    meet(&from, &bob, &to);
    let delay = Duration::from_millis(80);
    lab.set_usual(Wire::delaying(delay));
    let start = Instant::now();
    send(&from, &bob, b"late");
    receive(&to).expect("it arrives");
    assert!(start.elapsed() >= delay, "{:?}", start.elapsed());
}

pub fn multicast_reaches_all() {
    let group = Ipv4Addr::new(224, 0, 0, 251);
    let lab = Lab::new();
    let hosts = ["alice", "bob", "carol"].map(|name| lab.host(name));
    let sockets = hosts.each_ref().map(socket);
    for (host, socket) in hosts.iter().zip(&sockets) {
        let IpAddr::V4(ip) = host.ip() else { unreachable!("a host's first address is IPv4") };
        socket.join_multicast_v4(&group, &ip).expect("a group can be joined");
    }
    sockets[0].send_to(b"all", (group, PORT)).expect("a group can be sent to");
    for socket in &sockets[1..] {
        assert_eq!(receive(socket).expect("it arrives").0, b"all");
    }
}

pub fn ipv6_arrives() {
    let lab = Lab::new();
    let (alice, bob) = (lab.dual_stack_host("alice"), lab.dual_stack_host("bob"));
    let [from, to] = [&alice, &bob].map(|host| {
        let address = SocketAddr::new(host.addresses()[1], PORT);
        host.enter(move || UdpSocket::bind(address)).expect("a socket")
    });
    to.set_read_timeout(Some(SOON)).expect("a timeout");
    from.send_to(b"six", (bob.addresses()[1], PORT)).expect("it is sent");
    assert_eq!(receive(&to).expect("it arrives").0, b"six");
    assert_eq!(lab.counters(&bob).received.port(PORT).count, 1);
}

/// What eight busy peers are to the switch.
pub fn many_frames_of_many_hosts_all_arrive() {
    const HOSTS: usize = 8;
    const EACH: u64 = 1_000;
    let lab = Lab::new();
    let hosts: Vec<Host> = (0..HOSTS).map(|number| lab.host(&format!("host{number}"))).collect();
    let sockets: Vec<UdpSocket> = hosts.iter().map(socket).collect();
    for n in 0..HOSTS {
        meet(&sockets[n], &hosts[(n + 1) % HOSTS], &sockets[(n + 1) % HOSTS]);
    }
    lab.reset_counters();
    let start = Instant::now();
    thread::scope(|scope| {
        for n in 0..HOSTS {
            let next = (n + 1) % HOSTS;
            let to = &hosts[next];
            let reader = Reader::start(sockets[next].try_clone().expect("a socket has clones"));
            let (lab, hosts, sockets) = (&lab, &hosts, &sockets);
            scope.spawn(move || {
                flow(lab, &hosts[n], to, &sockets[n], &reader, EACH);
                send(&sockets[n], to, LAST);
                assert_eq!(reader.finish(), EACH);
            });
        }
    });
    let rate = (HOSTS as u64 * EACH) as f64 / start.elapsed().as_secs_f64();
    assert!(rate > 2_000.0, "the switch carries only {rate:.0} frames a second");
}

fn socket(host: &Host) -> UdpSocket {
    let socket = host.enter(|| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT))).expect("a socket");
    socket.set_read_timeout(Some(SOON)).expect("a timeout");
    socket
}

fn send(from: &UdpSocket, to: &Host, bytes: &[u8]) {
    from.send_to(bytes, (to.ip(), PORT)).expect("it is sent");
}

fn receive(socket: &UdpSocket) -> std::io::Result<(Vec<u8>, SocketAddr)> {
    let mut buffer = [0; 2_048];
    let (length, sender) = socket.recv_from(&mut buffer)?;
    Ok((buffer[..length].to_vec(), sender))
}

/// Lets two hosts learn each other's hardware addresses, so that no frame of the test has to wait for that.
fn meet(from: &UdpSocket, to: &Host, at: &UdpSocket) {
    send(from, to, b"hello");
    assert_eq!(receive(at).expect("the hosts reach each other").0, b"hello");
}

/// Sends datagrams of 1,000 bytes, a few at once: no more than a socket has room for, and the next when these were read.
/// Counters start from nothing before.
fn flow(lab: &Lab, from: &Host, to: &Host, socket: &UdpSocket, reader: &Reader, count: u64) {
    for sent in 1..=count {
        send(socket, to, &[0; 1_000]);
        if sent % WINDOW == 0 || sent == count {
            let look = || {
                let (taken, handed_on) = (lab.counters(from).sent, lab.counters(to).received);
                (taken.port(PORT).count, handed_on.port(PORT).count, reader.count.load(Ordering::Relaxed))
            };
            eventually(SOON, "what was sent is read", look, |(taken, handed_on, read)| {
                *taken == sent && handed_on == read
            });
        }
    }
}

/// Counts what arrives before [`LAST`].
struct Reader {
    count: Arc<AtomicU64>,
    thread: thread::JoinHandle<()>,
}

const LAST: &[u8] = b"last";

impl Reader {
    fn start(socket: UdpSocket) -> Reader {
        let count = Arc::new(AtomicU64::new(0));
        let counted = count.clone();
        let thread = thread::spawn(move || {
            while receive(&socket).expect("the last datagram arrives").0 != LAST {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Reader { count, thread }
    }

    fn finish(self) -> u64 {
        self.thread.join().expect("the reader counts");
        self.count.load(Ordering::Relaxed)
    }
}
