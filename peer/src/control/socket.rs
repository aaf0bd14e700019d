//! The socket file: made, found again, and told alive from left behind.

use std::{
    fs::{self, File},
    io,
    os::{
        fd::AsRawFd,
        unix::{
            ffi::OsStrExt,
            fs::PermissionsExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
};

use common::why;

/// The longest path that the system takes for a socket, in bytes.
const PATH_BYTES: usize = 107;

/// A control socket that listens; its file goes when it is dropped.
pub struct Socket {
    /// Where clients come in.
    pub listener: tokio::net::UnixListener,
    path: PathBuf,
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// A running peer has it.
    #[error("a running peer has the control socket")]
    Alive,
    /// The path is too long even by itself.
    #[error("the name is too long for the control socket {}; log in with a shorter name", path.display())]
    TooLong {
        /// Where it would have been.
        path: PathBuf,
    },
    /// The file cannot be made.
    #[error("cannot make the control socket {}: {}; move away what is there, and check that the folder belongs to you", path.display(), why(source))]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Socket {
    /// Listens at `path`, for this user only. A file that a crash left there is replaced.
    pub fn bind(path: &Path) -> Result<Socket, SocketError> {
        match connect(path) {
            Ok(_) => return Err(SocketError::Alive),
            Err(error) if error.kind() == io::ErrorKind::InvalidFilename => {
                return Err(SocketError::TooLong { path: path.to_owned() });
            }
            // Nobody answers, or it is not even a socket's file: what stands in the way is found out by making it.
            Err(_) => {}
        }
        let make = || {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = at(path, |path| UnixListener::bind(path))?;
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
            listener.set_nonblocking(true)?;
            tokio::net::UnixListener::from_std(listener)
        };
        let listener = make().map_err(|source| SocketError::Io { path: path.to_owned(), source })?;
        Ok(Socket { listener, path: path.to_owned() })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // If it is gone already there is nothing to do.
        let _ = fs::remove_file(&self.path);
    }
}

/// Connects to the peer whose socket is at `path`.
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    at(path, |path| UnixStream::connect(path))
}

/// The process of the peer whose socket is at `path`.
pub fn process(path: &Path) -> Option<i32> {
    let stream = connect(path).ok()?;
    stream.set_nonblocking(true).ok()?;
    tokio::net::UnixStream::from_std(stream).ok()?.peer_cred().ok()?.pid()
}

/// A socket: what its peer is called in the file name, and the path.
pub type Found = (String, PathBuf);

/// The sockets in `folder`, in order: those of running peers, and those that a crash has left. One that others lead to
/// is found under their names.
pub fn find(folder: &Path) -> (Vec<Found>, Vec<Found>) {
    let Ok(entries) = fs::read_dir(folder) else { return Default::default() };
    let mut found: Vec<Found> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?.strip_suffix(".sock")?.to_string();
            Some((name, path))
        })
        .collect();
    found.sort();
    let leads = |path: &PathBuf| fs::read_link(path).ok().map(|target| folder.join(target));
    let led_to: Vec<PathBuf> =
        found.iter().filter(|(_, path)| connect(path).is_ok()).filter_map(|(_, path)| leads(path)).collect();
    found.retain(|(_, path)| !led_to.contains(path));
    found.into_iter().partition(|(_, path)| connect(path).is_ok())
}

/// Uses a path that may be longer than the system takes for a socket: then its folder is opened, and named by the
/// descriptor.
fn at<T>(path: &Path, uses: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    let fits = |path: &Path| path.as_os_str().as_bytes().len() <= PATH_BYTES;
    if fits(path) {
        return uses(path);
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return uses(path) };
    let folder = File::open(folder)?;
    let short = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    if fits(&short) { uses(&short) } else { Err(io::ErrorKind::InvalidFilename.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_its_owner_s_and_goes_when_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alice.sock");
        let socket = Socket::bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(find(folder.path()), (vec![("alice".to_string(), path.clone())], vec![]));
        drop(socket);
        assert!(!path.exists());
        assert_eq!(find(folder.path()), (vec![], vec![]));
    }

    #[tokio::test]
    async fn a_file_left_by_a_crash_is_replaced_and_a_living_peer_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alice.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        assert_eq!(find(folder.path()), (vec![], vec![("alice".to_string(), path.clone())]));
        let _socket = Socket::bind(&path).unwrap();
        assert!(matches!(Socket::bind(&path), Err(SocketError::Alive)));
        assert_eq!(process(&path), i32::try_from(std::process::id()).ok());
        assert!(connect(&path).is_ok());
    }

    #[tokio::test]
    async fn a_folder_of_any_length_will_do_and_a_name_too_long_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("d".repeat(200));
        fs::create_dir(&deep).unwrap();
        let path = deep.join("alice.sock");
        let _socket = Socket::bind(&path).unwrap();
        assert!(connect(&path).is_ok());
        let long = deep.join(format!("{}.sock", "語".repeat(32)));
        assert!(matches!(Socket::bind(&long), Err(SocketError::TooLong { .. })));
    }
}
