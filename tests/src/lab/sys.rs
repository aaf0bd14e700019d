//! The two things that the system offers only through calls which the compiler cannot check.

#![allow(unsafe_code)]

use std::{
    io,
    net::UdpSocket,
    os::{fd::AsRawFd, unix::process::CommandExt},
    process::Command,
};

use nix::{
    errno::Errno,
    libc,
    sys::{prctl::set_pdeathsig, signal::Signal},
    unistd::Pid,
};

/// Makes the kernel end the process when the thread that started it is gone, however that came about: a test that is
/// killed leaves no process behind.
pub fn die_with_parent(command: &mut Command) {
    let parent = Pid::this();
    let prepare = move || {
        set_pdeathsig(Signal::SIGKILL)?;
        // The parent may have gone before that call.
        if Pid::parent() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
    };
    // SAFETY: between fork and exec only calls that are safe after a fork may be made; prctl(2) and getppid(2) are plain
    // system calls, and an error is one of the system's own, made without allocating.
    unsafe { command.pre_exec(prepare) };
}

/// Turns off what an interface would leave to hardware, so that each frame is one packet of at most the MTU, with its
/// checksum filled in, before the switch sees it.
pub fn disable_offloads(interface: &str) -> io::Result<()> {
    for feature in [ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO] {
        set_feature(interface, feature, 0)?;
    }
    Ok(())
}

const ETHTOOL_STXCSUM: u32 = 0x17;
const ETHTOOL_STSO: u32 = 0x1f;
const ETHTOOL_SGSO: u32 = 0x24;
const ETHTOOL_SGRO: u32 = 0x2c;

/// The kernel's `struct ethtool_value`.
#[repr(C)]
struct Feature {
    command: u32,
    value: u32,
}

fn set_feature(interface: &str, command: u32, value: u32) -> io::Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    let mut feature = Feature { command, value };
    let mut name = [0; libc::IFNAMSIZ];
    // The last byte stays zero: the kernel's names end with one.
    for (slot, byte) in name[..libc::IFNAMSIZ - 1].iter_mut().zip(interface.bytes()) {
        *slot = byte as libc::c_char;
    }
    let data = (&raw mut feature).cast();
    let mut request = libc::ifreq { ifr_name: name, ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_data: data } };
    // SAFETY: SIOCETHTOOL reads an ifreq whose data points to the structure that the command in it names; both
    // are of the kernel's layout and live until the call has returned.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL as _, &raw mut request) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
