//! What a tracker holds and has carried: asked over a socket in its data folder, for `tracker status`.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    time::timeout,
};

use crate::{running::Asker, task::Task};

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(5);
/// Longest answer that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// The answer of `tracker status --json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The version of this object: 1.
    pub v: u32,
    /// What the tracker calls its accounts.
    pub domain: String,
    /// Registered accounts.
    pub accounts: u64,
    /// Sessions logged in.
    pub sessions: u64,
    /// Rooms.
    pub rooms: u64,
    /// Members of all rooms.
    pub members: u64,
    /// Changes of tables and presence since it started.
    pub changes: u64,
    /// Updates and snapshots pushed since it started.
    pub pushes: u64,
    /// UDP payload received since it started, in bytes.
    pub bytes_in: u64,
    /// UDP payload sent since it started, in bytes.
    pub bytes_out: u64,
    /// Since it started, in seconds.
    pub uptime_s: u64,
}

/// Why there is no status socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Somebody else listens on it.
    #[error("another tracker is running on {}: stop it, or use --data with another folder", data.display())]
    AnotherTracker {
        /// The data folder.
        data: PathBuf,
    },
    /// The system refused it.
    #[error("the status socket {} cannot be made: {source}; give another folder with --data", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nobody listens.
    #[error("no tracker is running on {}: start one with `tracker`, or give its folder with --data", data.display())]
    NotRunning {
        /// The data folder.
        data: PathBuf,
    },
    /// Something else listens, or the tracker is busy or going down.
    #[error("the tracker on {} does not answer: {reason}", data.display())]
    NoAnswer {
        /// The data folder.
        data: PathBuf,
        /// What came instead.
        reason: String,
    },
}

/// Asks the tracker whose data folder this is.
pub async fn ask(data: &Path) -> Result<Status, SocketError> {
    let no_answer = |reason: String| SocketError::NoAnswer { data: data.to_owned(), reason };
    let Ok(stream) = UnixStream::connect(socket_in(data)).await else {
        return Err(SocketError::NotRunning { data: data.to_owned() });
    };
    let mut line = String::new();
    match timeout(WITHIN, stream.take(LONGEST).read_to_string(&mut line)).await {
        Ok(Ok(_)) => serde_json::from_str(&line).map_err(|error| no_answer(error.to_string())),
        Ok(Err(error)) => Err(no_answer(error.to_string())),
        Err(_) => Err(no_answer(format!("nothing came within {} s", WITHIN.as_secs()))),
    }
}

/// The socket of a tracker that is starting: there, but not answering yet.
pub(crate) struct Bound {
    listener: UnixListener,
    file: SocketFile,
}

/// The socket of a running tracker. It goes when this is dropped.
pub(crate) struct StatusSocket {
    _serving: Task<()>,
    _file: SocketFile,
}

impl StatusSocket {
    /// Takes the socket in the data folder, which no other tracker may be using. What a crash left is replaced.
    pub fn bind(data: &Path) -> Result<Bound, SocketError> {
        let path = socket_in(data);
        let fail = |source| SocketError::Io { path: path.clone(), source };
        let listener = match UnixListener::bind(&path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                if std::os::unix::net::UnixStream::connect(&path).is_ok() {
                    return Err(SocketError::AnotherTracker { data: data.to_owned() });
                }
                fs::remove_file(&path).and_then(|()| UnixListener::bind(&path))
            }
            result => result,
        };
        let listener = listener.map_err(fail)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(fail)?;
        Ok(Bound { listener, file: SocketFile(path) })
    }
}

impl Bound {
    /// Answers from now on.
    pub fn serve(self, asker: Asker) -> StatusSocket {
        StatusSocket { _serving: Task(tokio::spawn(serve(self.listener, asker))), _file: self.file }
    }
}

/// One line to everybody who comes, one after the other: only the owner can.
async fn serve(listener: UnixListener, asker: Asker) {
    loop {
        let Ok((mut stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: others may give some back.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        if let Some(Ok(line)) = asker.status().await.map(|status| serde_json::to_string(&status)) {
            // Whoever asked may have gone.
            let _ = timeout(WITHIN, stream.write_all(format!("{line}\n").as_bytes())).await;
        }
    }
}

fn socket_in(data: &Path) -> PathBuf {
    data.join("tracker.sock")
}

struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // If it is gone already, somebody has tidied up.
        let _ = fs::remove_file(&self.0);
    }
}
