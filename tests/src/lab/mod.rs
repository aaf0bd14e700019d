//! The lab: real processes on hosts of their own, in network namespaces that the test makes for itself, joined by a
//! switch whose wires it can make bad. No root, and nothing installed.
//!
//! A test binary calls [`enter`] first. Then each test makes a [`Lab`], [`Host`]s in it, and on these runs
//! [`Process`]es, [`Tracker`]s and [`Peer`]s, or opens sockets of its own with [`Host::enter`].

mod binaries;
mod control;
mod counters;
mod disk;
mod enter;
mod fabric;
mod frame;
mod host;
mod interface;
mod packet;
mod peer;
mod process;
mod random;
mod switch;
mod sys;
mod tracker;
mod wait;
mod wire;

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    thread,
};

use tempfile::TempDir;

pub use binaries::path as program;
pub use control::{Control, Events};
pub use counters::{Counters, Datagrams, Traffic};
pub use disk::Disk;
pub use enter::enter;
pub use host::Host;
pub use peer::{Peer, Ready};
pub use process::{Output, Process};
pub use tracker::Tracker;
pub use wait::eventually;
pub use wire::{HOLD, Rate, Wire};

use fabric::Fabric;
use switch::Switch;

/// A network, its hosts and their folders. All of it is gone when it is dropped.
pub struct Lab {
    seed: u64,
    switch: Arc<Switch>,
    hosts: AtomicU8,
    folder: TempDir,
}

impl Lab {
    /// A network without hosts, on which everything arrives. Its seed is that of `ROLLCALL_LAB_SEED`, if it is set,
    /// and is printed when the test fails.
    #[expect(clippy::new_without_default, reason = "a network of its own is no default value")]
    pub fn new() -> Lab {
        let given = std::env::var("ROLLCALL_LAB_SEED").ok();
        let seed =
            given.map_or_else(|| RandomState::new().build_hasher().finish(), |text| text.parse().expect("a number"));
        let switch = Switch::start(seed).expect("a switch starts");
        let folder = tempfile::Builder::new().prefix("lab").tempdir().expect("a folder for the hosts");
        Lab { seed, switch: Arc::new(switch), hosts: AtomicU8::new(0), folder }
    }

    /// One more host, at the next address of 10.77.0.0/24.
    pub fn host(&self, name: &str) -> Host {
        let number = self.next();
        self.plug_in(name, &[v4(number)])
    }

    /// One more host that has an IPv6 address as well, of fd77::/64.
    pub fn dual_stack_host(&self, name: &str) -> Host {
        let number = self.next();
        let v6 = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, number.into());
        self.plug_in(name, &[v4(number), (v6.into(), 64)])
    }

    /// The seed of what the network does.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How every wire is that has no setting of its own.
    pub fn set_usual(&self, wire: Wire) {
        self.switch.fabric(|fabric| fabric.set_usual(wire));
    }

    /// How the wire from one host to another is, in that direction.
    pub fn set_wire(&self, from: &Host, to: &Host, wire: Wire) {
        self.switch.fabric(|fabric| fabric.set_wire(from.port(), to.port(), wire));
    }

    /// Carries nothing any more from one host to another; the other way stays.
    pub fn cut_one_way(&self, from: &Host, to: &Host) {
        self.switch.fabric(|fabric| fabric.cut(from.port(), to.port()));
    }

    /// Carries nothing any more between two hosts.
    pub fn cut(&self, one: &Host, other: &Host) {
        self.cut_one_way(one, other);
        self.cut_one_way(other, one);
    }

    /// Takes the cut back from one host to another; one the other way stays.
    pub fn mend_one_way(&self, from: &Host, to: &Host) {
        self.switch.fabric(|fabric| fabric.mend(from.port(), to.port()));
    }

    /// Takes back what was cut between two hosts.
    pub fn mend(&self, one: &Host, other: &Host) {
        self.mend_one_way(one, other);
        self.mend_one_way(other, one);
    }

    /// Carries no UDP any more to one port of a host, as a firewall there would.
    pub fn wall(&self, host: &Host, port: u16) {
        self.switch.fabric(|fabric| fabric.wall(host.port(), port));
    }

    /// Takes back every cut, every wall and every setting of a wire. Rates stay.
    pub fn heal(&self) {
        self.switch.fabric(Fabric::heal);
    }

    /// Limits what a host may send (`up`) and get (`down`); nothing is no limit.
    pub fn set_rate(&self, host: &Host, up: Option<Rate>, down: Option<Rate>) {
        self.switch.fabric(|fabric| fabric.set_rate(host.port(), up, down));
    }

    /// What a host's interface has carried since the last reset.
    pub fn counters(&self, host: &Host) -> Counters {
        self.switch.fabric(|fabric| fabric.counters(host.port()).clone())
    }

    /// Lets all counters start from nothing.
    pub fn reset_counters(&self) {
        self.switch.fabric(Fabric::reset_counters);
    }

    fn next(&self) -> u8 {
        let before = self.hosts.fetch_add(1, Ordering::Relaxed);
        assert!(before < 254, "the network has 254 addresses");
        before + 1
    }

    fn plug_in(&self, name: &str, addresses: &[(IpAddr, u8)]) -> Host {
        let folder = self.folder.path().join(name);
        std::fs::create_dir(&folder).expect("a folder for a host");
        Host::plug_in(name, addresses, folder, &self.switch).expect("a host is plugged in")
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("to have the same network again: ROLLCALL_LAB_SEED={}", self.seed);
        }
    }
}

fn v4(number: u8) -> (IpAddr, u8) {
    (Ipv4Addr::new(10, 77, 0, number).into(), 24)
}
