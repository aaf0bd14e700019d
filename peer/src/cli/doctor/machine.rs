//! What this machine tells of itself: interfaces, disk, files, and which process has what open.

use std::{
    fs,
    io::{self, Write as _},
    net::{IpAddr, UdpSocket},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use common::{Identity, why};
use nix::{ifaddrs::getifaddrs, net::if_::InterfaceFlags, sys::statvfs::statvfs};
use peer::{
    book::{self, BookError},
    profile::Profile,
    store::{self, StoreError},
};

use super::observed::{HistoryFile, Interface, KeyFile, Process, Write};

/// What is written to see whether there is room, in bytes.
const SAMPLE: usize = 64 * 1024;

/// The addresses of this machine. None if the system does not say.
pub fn interfaces() -> Vec<Interface> {
    let Ok(interfaces) = getifaddrs() else { return Vec::new() };
    let address = |address: nix::sys::socket::SockaddrStorage| {
        let v4 = address.as_sockaddr_in().map(|v4| IpAddr::from(v4.ip()));
        v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::from(v6.ip())))
    };
    let read = |interface: nix::ifaddrs::InterfaceAddress| {
        let up = InterfaceFlags::IFF_UP | InterfaceFlags::IFF_RUNNING;
        Some(Interface {
            address: address(interface.address?)?,
            up: interface.flags.contains(up),
            multicast: interface.flags.contains(InterfaceFlags::IFF_MULTICAST),
        })
    };
    // A link-local address says nothing of a network: every interface has one.
    let counts = |it: &Interface| !matches!(it.address, IpAddr::V6(ip) if ip.is_unicast_link_local());
    interfaces.filter_map(read).filter(counts).collect()
}

/// The folder itself, or the nearest above it that is there.
pub fn nearest(folder: &Path) -> PathBuf {
    folder.ancestors().find(|folder| folder.exists()).unwrap_or(folder).to_owned()
}

/// Tries to write a file in a folder: one without a name, so that none that is there can be meant by it, and none is left.
pub fn write(folder: &Path) -> Write {
    let written = tempfile::tempfile_in(folder).and_then(|mut file| {
        file.write_all(&[0; SAMPLE])?;
        file.sync_all()
    });
    match written {
        Ok(()) => Write::Good,
        Err(error) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => Write::Full,
        Err(error) => Write::Failed(why(&error)),
    }
}

/// Bytes that this user may still write on the disk of a folder.
pub fn free(folder: &Path) -> Option<u64> {
    let disk = statvfs(folder).ok()?;
    disk.blocks_available().checked_mul(disk.fragment_size())
}

/// How the key's file is. None is made.
pub fn key(profile: &Profile) -> KeyFile {
    let path = profile.key();
    let mode = match fs::metadata(&path) {
        Ok(file) => file.permissions().mode() & 0o777,
        Err(error) if error.kind() == io::ErrorKind::NotFound && profile.history().exists() => return KeyFile::Missing,
        // That the folder cannot be used is told of the folder.
        Err(_) => return KeyFile::None,
    };
    if mode & 0o077 != 0 {
        return KeyFile::Exposed(mode);
    }
    match Identity::load_or_create(&path) {
        Ok(_) => KeyFile::Good,
        Err(error) => KeyFile::Unusable(error.to_string()),
    }
}

/// How the history is, beside a key that can be used. None is made, and none is changed.
pub fn history(profile: &Profile) -> HistoryFile {
    let key = match key(profile) {
        KeyFile::Good => Identity::load_or_create(&profile.key()).ok().map(|identity| identity.key()),
        _ => None,
    };
    match store::look(&profile.history(), key.as_ref()) {
        Ok(()) => HistoryFile::Good,
        Err(StoreError::Newer { found, known }) => HistoryFile::Newer(found, known),
        Err(StoreError::Foreign(key)) => HistoryFile::Foreign(key),
        Err(error) => HistoryFile::Unusable(error.to_string()),
    }
}

/// Why the address book of an account cannot be read, if it cannot.
pub fn bad_book(profile: &Profile) -> Option<(PathBuf, String)> {
    let path = profile.book();
    let reason = match book::read(&path).err()? {
        BookError::Io { source, .. } => why(&source),
        BookError::Malformed { reason, .. } => reason,
    };
    Some((path, reason))
}

/// The process that has a file open, as far as this user may know.
pub fn holder_of_file(path: &Path) -> Option<Process> {
    let path = fs::canonicalize(path).ok()?;
    holder(|open| open == path)
}

/// The process that has a UDP port.
pub fn holder_of_port(port: u16) -> Option<Process> {
    let socket = ["udp", "udp6"].iter().find_map(|table| inode(&read_table(table), port))?;
    let name = format!("socket:[{socket}]");
    holder(|open| open == Path::new(&name))
}

fn read_table(table: &str) -> String {
    fs::read_to_string(Path::new("/proc/net").join(table)).unwrap_or_default()
}

/// The inode of the socket that has a port, in a table of the kernel's (proc(5), /proc/net/udp).
fn inode(table: &str, port: u16) -> Option<u64> {
    let line = |line: &str| {
        let mut fields = line.split_whitespace();
        let (_, local) = fields.nth(1)?.rsplit_once(':')?;
        (u16::from_str_radix(local, 16) == Ok(port)).then_some(())?;
        fields.nth(7)?.parse().ok()
    };
    table.lines().skip(1).find_map(line)
}

/// A process by its number.
pub fn process(id: i32) -> Option<Process> {
    u32::try_from(id).ok().map(named)
}

fn named(id: u32) -> Process {
    let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
    Process { id, name: name.trim().to_string() }
}

fn holder(is_it: impl Fn(&Path) -> bool) -> Option<Process> {
    let numbered = fs::read_dir("/proc").ok()?.filter_map(|entry| {
        let entry = entry.ok()?;
        Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path()))
    });
    let me = std::process::id();
    for (id, process) in numbered.filter(|(id, _)| *id != me) {
        let Ok(open) = fs::read_dir(process.join("fd")) else { continue };
        if open.filter_map(Result::ok).any(|file| fs::read_link(file.path()).is_ok_and(|to| is_it(&to))) {
            return Some(named(id));
        }
    }
    None
}

/// The largest packet that the way from a connected socket takes, in bytes.
pub fn mtu(socket: &UdpSocket) -> Option<u32> {
    let v4 = socket.local_addr().is_ok_and(|address| address.is_ipv4());
    let mtu = v4.then(|| nix::sys::socket::getsockopt(socket, nix::sys::socket::sockopt::IpMtu).ok()).flatten()?;
    u32::try_from(mtu).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_that_has_a_port_is_found_in_the_kernel_s_table() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                     1141: 00000000:1388 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 70811 2\n";
        assert_eq!(inode(table, 5_000), Some(70_811));
        assert_eq!(inode(table, 5_001), None);
    }

    #[test]
    fn a_folder_that_is_none_cannot_be_written_and_nothing_is_left_in_one_that_is() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(write(home.path()), Write::Good);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(write(&file), Write::Failed(_)));
        assert_eq!(nearest(&home.path().join("a/b")), home.path());
    }

    #[test]
    fn a_link_that_lies_in_the_folder_is_not_followed() {
        let home = tempfile::tempdir().unwrap();
        let [letter, folder] = ["letter", "folder"].map(|name| home.path().join(name));
        fs::write(&letter, "dear bob").unwrap();
        fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink(&letter, folder.join("doctor.new")).unwrap();
        assert_eq!(write(&folder), Write::Good);
        assert_eq!(fs::read_to_string(&letter).unwrap(), "dear bob");
        assert!(folder.join("doctor.new").exists());
    }

    #[test]
    fn a_key_that_is_not_there_is_not_made() {
        let home = tempfile::tempdir().unwrap();
        let profile = peer::profile::Folders::find(Some(home.path())).unwrap().profile(&"alice".parse().unwrap());
        assert_eq!(key(&profile), KeyFile::None);
        assert!(!profile.key().exists());
    }
}
