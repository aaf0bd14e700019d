//! Carries the frames: a thread that reads and writes one packet socket a host, and asks the [`Fabric`] about each.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::{self, Read, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use nix::{
    poll::{PollFd, PollFlags, ppoll},
    sys::time::TimeSpec,
};

use super::{
    fabric::{Fabric, Port},
    frame::Frame,
    packet::PacketSocket,
};

/// A switch at work. Its thread ends with it.
pub struct Switch {
    shared: Arc<Mutex<Shared>>,
    wake: UnixStream,
    thread: Option<thread::JoinHandle<()>>,
}

struct Shared {
    fabric: Fabric,
    arriving: Vec<Plug>,
    over: bool,
}

struct Plug {
    port: Port,
    socket: PacketSocket,
}

impl Switch {
    /// A switch without hosts.
    pub fn start(seed: u64) -> io::Result<Switch> {
        let shared = Shared { fabric: Fabric::new(seed), arriving: Vec::new(), over: false };
        let shared = Arc::new(Mutex::new(shared));
        let (wake, woken) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        let carrier = Carrier {
            shared: shared.clone(),
            woken,
            start: Instant::now(),
            plugs: Vec::new(),
            due: BinaryHeap::new(),
            next: 0,
        };
        let thread = thread::Builder::new().name("switch".into()).spawn(move || carrier.run())?;
        Ok(Switch { shared, wake, thread: Some(thread) })
    }

    /// Carries the frames of one more interface of the process's namespace.
    pub fn plug(&self, interface: &str) -> io::Result<Port> {
        let socket = PacketSocket::open(interface)?;
        let port = {
            let mut shared = lock(&self.shared);
            let port = shared.fabric.add();
            shared.arriving.push(Plug { port, socket });
            port
        };
        (&self.wake).write_all(&[0])?;
        Ok(port)
    }

    /// Reads or changes what the switch does with frames. Holds it up meanwhile.
    pub fn fabric<T>(&self, with: impl FnOnce(&mut Fabric) -> T) -> T {
        with(&mut lock(&self.shared).fabric)
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        lock(&self.shared).over = true;
        let woken = (&self.wake).write_all(&[0]).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            // If it has panicked, its message is printed already.
            let _ = thread.join();
        }
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().expect("the switch works")
}

/// A frame waiting for its time; among equals, the one that came first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    at: Duration,
    number: u64,
    to: usize,
    bytes: Arc<[u8]>,
}

struct Carrier {
    shared: Arc<Mutex<Shared>>,
    woken: UnixStream,
    start: Instant,
    plugs: Vec<Plug>,
    due: BinaryHeap<Reverse<Waiting>>,
    next: u64,
}

/// Frames read from one host before the others get their turn.
const TURN: usize = 64;

impl Carrier {
    fn run(mut self) {
        let mut buffer = vec![0; 65_536];
        loop {
            self.wait();
            {
                let shared = self.shared.clone();
                let mut shared = lock(&shared);
                if shared.over {
                    return;
                }
                self.plugs.append(&mut shared.arriving);
                self.read(&mut shared.fabric, &mut buffer);
            }
            self.write();
        }
    }

    /// Until there is a frame to read, one to write, or something new.
    fn wait(&mut self) {
        let now = self.start.elapsed();
        let timeout = self.due.peek().map(|Reverse(first)| TimeSpec::from(first.at.saturating_sub(now)));
        let mut waiting: Vec<PollFd> =
            self.plugs.iter().map(|plug| PollFd::new(plug.socket.as_fd(), PollFlags::POLLIN)).collect();
        waiting.push(PollFd::new(self.woken.as_fd(), PollFlags::POLLIN));
        // An interrupted wait is a short one; what is there shows when it is read.
        let _ = ppoll(&mut waiting, timeout, None);
        let mut bytes = [0; 64];
        while self.woken.read(&mut bytes).is_ok_and(|read| read > 0) {}
    }

    fn read(&mut self, fabric: &mut Fabric, buffer: &mut [u8]) {
        let Carrier { plugs, due, next, start, .. } = self;
        plugs.retain(|plug| {
            for _ in 0..TURN {
                let bytes = match plug.socket.receive(buffer) {
                    Ok(Some(bytes)) => &buffer[..bytes],
                    Ok(None) => return true,
                    // The host is gone, and its interface with it.
                    Err(_) => return false,
                };
                let Some(frame) = Frame::parse(bytes) else { continue };
                let deliveries = fabric.carry(start.elapsed(), plug.port, &frame);
                if deliveries.is_empty() {
                    continue;
                }
                let bytes: Arc<[u8]> = bytes.into();
                for delivery in deliveries {
                    *next += 1;
                    let waiting = Waiting { at: delivery.at, number: *next, to: delivery.to.0, bytes: bytes.clone() };
                    due.push(Reverse(waiting));
                }
            }
            true
        });
    }

    fn write(&mut self) {
        let now = self.start.elapsed();
        while self.due.peek().is_some_and(|Reverse(first)| first.at <= now) {
            let Some(Reverse(first)) = self.due.pop() else { return };
            if let Some(plug) = self.plugs.iter().find(|plug| plug.port.0 == first.to) {
                plug.socket.send(&first.bytes);
            }
        }
    }
}
