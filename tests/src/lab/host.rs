//! A computer on the lab's network.

use std::{
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use nix::sched::{CloneFlags, unshare};

use super::{
    fabric::Port,
    interface,
    process::{Output, Process},
    switch::Switch,
};

/// A network namespace with `lo` and `eth0`, and a folder. Clones are the same host.
///
/// A namespace belongs to a thread: the host keeps one for all that is to happen in it.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    name: String,
    addresses: Vec<IpAddr>,
    folder: PathBuf,
    port: Port,
    jobs: mpsc::Sender<Job>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Host {
    pub(super) fn plug_in(
        name: &str,
        addresses: &[(IpAddr, u8)],
        folder: PathBuf,
        switch: &Switch,
    ) -> anyhow::Result<Host> {
        // Labs may share the process's namespace, so the number is the process's.
        static PLUGS: AtomicU32 = AtomicU32::new(0);
        let plug = format!("plug{}", PLUGS.fetch_add(1, Ordering::Relaxed));
        let (jobs, todo) = mpsc::channel::<Job>();
        thread::Builder::new().name(name.into()).spawn(move || todo.into_iter().for_each(|job| job()))?;
        let (far_end, with) = (plug.clone(), addresses.to_vec());
        run_in(&jobs, move || {
            unshare(CloneFlags::CLONE_NEWNET)?;
            interface::plug_in(&far_end, &with)
        })?;
        interface::bring_up(&plug)?;
        let port = switch.plug(&plug)?;
        let addresses = addresses.iter().map(|(address, _)| *address).collect();
        Ok(Host(Arc::new(Inner { name: name.into(), addresses, folder, port, jobs })))
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its IPv4 address.
    pub fn ip(&self) -> IpAddr {
        self.0.addresses[0]
    }

    /// Its addresses: IPv4, and IPv6 where it has one.
    pub fn addresses(&self) -> &[IpAddr] {
        &self.0.addresses
    }

    /// A folder of its own, for as long as the lab lasts.
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// Runs something in the host's namespace, and waits for it. Sockets opened there stay in it, wherever they are
    /// used afterwards.
    pub fn enter<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        run_in(&self.0.jobs, job)
    }

    /// Takes its interface down, as who pulls the cable.
    ///
    /// # Panics
    /// If the system refuses.
    pub fn unplug(&self) {
        self.enter(interface::unplug).expect("the interface goes down");
    }

    /// Makes its interface one that sends no multicast, as those of many VPNs are.
    ///
    /// # Panics
    /// If the system refuses.
    pub fn forbid_multicast(&self) {
        self.enter(interface::without_multicast).expect("the interface is changed");
    }

    /// Starts a program. It is killed when the [`Process`] is dropped.
    #[track_caller]
    pub fn spawn(&self, command: Command) -> Process {
        Process::start(self, command)
    }

    /// Runs a program to its end, which has to come within the deadline.
    #[track_caller]
    pub fn run(&self, command: Command, deadline: Duration) -> Output {
        self.spawn(command).output(deadline)
    }

    pub(super) fn port(&self) -> Port {
        self.0.port
    }
}

fn run_in<T: Send + 'static>(jobs: &mpsc::Sender<Job>, job: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    let job = move || {
        // Nobody waits for it only if the test has ended.
        let _ = done.send(catch_unwind(AssertUnwindSafe(job)));
    };
    jobs.send(Box::new(job)).expect("the host has a thread");
    result.recv().expect("the host's thread answers").unwrap_or_else(|panic| resume_unwind(panic))
}
