//! How whoever runs a tracker asks it things: over a socket in its data folder, one JSON object a line. A line with an
//! [`Ask`] is answered with one line, which has an `error` if it cannot be.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use common::{AccountName, why};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    time::timeout,
};

use crate::{
    core::{
        Hash,
        accounts::{Listed, Outcome, Wanted},
        invitations::hash_of,
    },
    running::Asker,
    task::Task,
};

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(5);
/// Longest answer that is read, in bytes: a page of accounts.
const LONGEST: u64 = 1024 * 1024;
/// Longest question that is read, in bytes.
const QUESTION: u64 = 4 * 1024;

/// What can be asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Ask {
    /// How it is: answered with a [`Status`].
    Status,
    /// To let so many new accounts in, for so many days: answered with a [`Token`].
    Invite {
        /// How many accounts.
        uses: u32,
        /// How many days.
        days: u32,
    },
    /// Which accounts there are after this name: answered with [`Accounts`].
    Accounts {
        /// The last one known.
        after: Option<AccountName>,
    },
    /// To end an account: answered with [`Done`].
    RemoveAccount {
        /// What it is called.
        name: AccountName,
    },
    /// To let another key have an account: answered with a [`Token`].
    ResetKey {
        /// What it is called.
        name: AccountName,
    },
}

/// A token that was made. It is told this once; the tracker keeps its hash.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Token {
    /// The version of this object: 1.
    pub v: u32,
    /// For `peer login --invite`.
    pub token: String,
}

/// Some accounts, in the order of their names.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Accounts {
    /// The version of this object: 1.
    pub v: u32,
    /// The accounts.
    pub accounts: Vec<Account>,
    /// Whether there are accounts after these.
    pub more: bool,
}

/// One account, as `tracker accounts --json` prints it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Account {
    /// The version of this object: 1.
    pub v: u32,
    /// What it is called.
    pub name: AccountName,
    /// Its key, in hexadecimal digits.
    pub key: String,
    /// Whether it shows as online.
    pub online: bool,
    /// When it was last seen, in seconds since 1970; `None` if that is not known.
    pub seen: Option<u64>,
    /// How many rooms it is a member of.
    pub rooms: u64,
}

/// That something was done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Done {
    /// The version of this object: 1.
    pub v: u32,
}

/// Why something cannot be done, or is not understood.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Trouble {
    v: u32,
    error: String,
}

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
    #[error("the status socket {} cannot be made: {}; give another folder with --data", path.display(), why(source))]
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
    /// The folder is somebody else's.
    #[error("the tracker's folder {} is not yours to look into: ask as its user, such as: sudo tracker status --data {}", data.display(), data.display())]
    NotYours {
        /// The data folder.
        data: PathBuf,
    },
    /// Its socket cannot be used.
    #[error("the status socket in {} cannot be used: {}; see what it is: ls -l {}", data.display(), why(source), data.display())]
    Unusable {
        /// The data folder.
        data: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It will not.
    #[error("{0}")]
    Refused(String),
    /// The tracker is held up or going down.
    #[error(
        "the tracker on {} is there and does not answer: look at its log (a full disk holds it up), or end it and start \
         it again", data.display()
    )]
    NoAnswer {
        /// The data folder.
        data: PathBuf,
    },
    /// What answers speaks otherwise.
    #[error(
        "the tracker on {} gives an answer that cannot be read: is it of another version? See both: tracker --version; \
         then start it again", data.display()
    )]
    Unreadable {
        /// The data folder.
        data: PathBuf,
    },
}

/// Asks the tracker whose data folder this is how it is.
pub async fn ask(data: &Path) -> Result<Status, SocketError> {
    request(data, &Ask::Status).await
}

/// Asks the tracker whose data folder this is.
pub async fn request<T: DeserializeOwned>(data: &Path, ask: &Ask) -> Result<T, SocketError> {
    let data = || data.to_owned();
    let stream = UnixStream::connect(socket_in(&data())).await.map_err(|source| match source.kind() {
        // Where a socket's file is and nobody listens, a crash has left it.
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => SocketError::NotRunning { data: data() },
        io::ErrorKind::PermissionDenied => SocketError::NotYours { data: data() },
        _ => SocketError::Unusable { data: data(), source },
    })?;
    let line = match timeout(WITHIN, exchange(stream, ask)).await {
        // One that cannot answer hangs up.
        Ok(Ok(line)) if !line.is_empty() => line,
        _ => return Err(SocketError::NoAnswer { data: data() }),
    };
    if let Ok(Trouble { error, .. }) = serde_json::from_str(&line) {
        return Err(SocketError::Refused(error));
    }
    serde_json::from_str(&line).map_err(|_| SocketError::Unreadable { data: data() })
}

async fn exchange(mut stream: UnixStream, ask: &Ask) -> io::Result<String> {
    stream.write_all(line_of(ask).as_bytes()).await?;
    let mut line = String::new();
    stream.take(LONGEST).read_to_string(&mut line).await?;
    Ok(line)
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

/// Answers everybody who comes, one after the other: only the owner can.
async fn serve(listener: UnixListener, asker: Asker) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: others may give some back.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        // Whoever asked may have gone, or may never ask.
        let _ = timeout(WITHIN, answer(stream, &asker)).await;
    }
}

async fn answer(mut stream: UnixStream, asker: &Asker) -> io::Result<()> {
    let mut question = String::new();
    BufReader::new((&mut stream).take(QUESTION)).read_line(&mut question).await?;
    let answer = match serde_json::from_str(&question) {
        Ok(ask) => answer_to(ask, asker).await,
        Err(_) => {
            let asked: Option<serde_json::Value> = serde_json::from_str(&question).ok();
            let asked = asked.as_ref().and_then(|asked| asked["ask"].as_str()).unwrap_or("none");
            Some(trouble(format!(
                "the running tracker does not know the question {asked:?}: it is of another version; start it again"
            )))
        }
    };
    match answer {
        Some(line) => stream.write_all(line.as_bytes()).await,
        // It is going down.
        None => Ok(()),
    }
}

async fn answer_to(ask: Ask, asker: &Asker) -> Option<String> {
    let (wanted, token) = match ask {
        Ask::Status => return asker.status().await.map(|status| line_of(&status)),
        Ask::Accounts { after } => (Wanted::Accounts { after }, None),
        Ask::RemoveAccount { name } => (Wanted::RemoveAccount { name }, None),
        Ask::Invite { .. } | Ask::ResetKey { .. } => {
            let Some((token, hash)) = fresh_token() else {
                return Some(trouble("the system gives no random numbers".into()));
            };
            let wanted = match ask {
                Ask::ResetKey { name } => Wanted::ResetKey { name, hash },
                Ask::Invite { uses, days } => Wanted::Invite { hash, uses, days },
                _ => return None,
            };
            (wanted, Some(token))
        }
    };
    Some(match (asker.operate(wanted).await?, token) {
        (Outcome::Refused(reason), _) => trouble(reason),
        (Outcome::Done, Some(token)) => line_of(&Token { v: 1, token }),
        (Outcome::Done, None) => line_of(&Done { v: 1 }),
        (Outcome::Accounts { accounts, more }, _) => {
            let accounts = accounts.into_iter().map(Account::from).collect();
            line_of(&Accounts { v: 1, accounts, more })
        }
    })
}

/// A token that nobody can guess, and its hash.
fn fresh_token() -> Option<(String, Hash)> {
    let mut random = [0u8; 16];
    getrandom::fill(&mut random).ok()?;
    let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let hash = hash_of(&token)?;
    Some((token, hash))
}

impl From<Listed> for Account {
    fn from(listed: Listed) -> Account {
        let Listed { name, key, online, seen, rooms } = listed;
        Account { v: 1, name, key: key.to_string(), online, seen: (seen > 0).then_some(seen), rooms: rooms as u64 }
    }
}

fn trouble(error: String) -> String {
    line_of(&Trouble { v: 1, error })
}

/// These objects have nothing in them that JSON cannot say.
fn line_of(object: &impl Serialize) -> String {
    serde_json::to_string(object).unwrap_or_default() + "\n"
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
