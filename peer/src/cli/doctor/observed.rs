//! What is looked at, as it was found: the one thing that a diagnosis is made of.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use common::{AccountName, Key};
use peer::{discover::Announced, reach::Unreached};

/// Everything that was found. The default is a machine on which all is well and nobody has logged in yet.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Observed {
    /// The account; none where nobody has logged in and none was named.
    pub account: Option<AccountName>,
    /// Whether it has logged in here before.
    pub known: bool,
    /// The config file.
    pub config: PathBuf,
    /// Why the settings cannot be used.
    pub bad_config: Option<String>,
    /// Where the account keeps everything, and how writing there went.
    pub folder: PathBuf,
    pub write: Write,
    /// Bytes left on its disk for this user.
    pub free: Option<u64>,
    pub key: KeyFile,
    pub key_path: PathBuf,
    /// What of the profile cannot be read: its file, and why.
    pub bad_profile: Option<(PathBuf, String)>,
    /// Where the history is without what belongs beside it: the file that is missing.
    pub lost_profile: Option<PathBuf>,
    /// Only without a session.
    pub history: HistoryFile,
    pub history_path: PathBuf,
    /// What of the address book cannot be read: its file, and why.
    pub bad_book: Option<(PathBuf, String)>,
    pub session: SessionSeen,
    /// Only without a session.
    pub listen: Listen,
    pub interfaces: Vec<Interface>,
    pub tracker: Sought,
    /// Other members that the tracker says are online.
    pub members: Vec<MemberSeen>,
}

impl Observed {
    /// The account as a command would name it.
    pub fn name(&self) -> &str {
        self.account.as_ref().map_or("NAME", AccountName::as_str)
    }
}

/// How a try to write a file went.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Write {
    #[default]
    Good,
    Full,
    Failed(String),
}

/// The key's file.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum KeyFile {
    /// There is none, and nothing that needs it.
    #[default]
    None,
    Good,
    /// There is none, but a history that was made with it.
    Missing,
    /// Others can read it: its mode.
    Exposed(u32),
    Unusable(String),
}

/// The history's file.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum HistoryFile {
    /// It can be used, or repaired; or there is none.
    #[default]
    Good,
    /// Of a newer version: its format, and the newest known here.
    Newer(i64, i64),
    /// Of another key.
    Foreign(String),
    Unusable(String),
}

/// The session of the account.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum SessionSeen {
    #[default]
    None,
    /// Its socket is there, and nobody behind it.
    Stale(PathBuf),
    /// Somebody holds the account and does not answer.
    Silent(Option<Process>),
    /// It answers that it cannot, and why.
    Refuses(String),
    Answers(SessionState),
}

/// What a session says of itself.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SessionState {
    /// Its UDP port.
    pub port: u16,
    pub tracker_up: bool,
    /// For how long it has not been, in seconds.
    pub down_s: Option<u64>,
    pub trouble: Option<String>,
    pub other_version: bool,
    /// By how much the clock here is ahead of the tracker's, in seconds, if that is known.
    pub clock_ahead_s: Option<i64>,
}

/// A program that runs here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Process {
    pub id: u32,
    pub name: String,
}

/// Whether the account's UDP port can be had.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Listen {
    #[default]
    Good,
    Taken {
        port: u16,
        by: Option<Process>,
    },
    Failed {
        address: SocketAddr,
        reason: String,
    },
}

/// An address of this machine, and its interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interface {
    pub address: IpAddr,
    pub up: bool,
    pub multicast: bool,
}

/// Which tracker was looked for, and what was found.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Sought {
    /// None: the session does without.
    #[default]
    None,
    /// The one that the settings name cannot be looked up.
    Unknown(String),
    /// One at an address.
    At {
        address: SocketAddr,
        /// The key that it must have.
        key: Option<Key>,
        probe: Probe,
        /// Where it announces itself, if that is elsewhere.
        now: Option<SocketAddr>,
    },
    /// Whatever announces itself, and none or several did.
    Announced { trackers: Vec<Announced>, multicast: Multicast },
}

/// What a question to everybody by mDNS brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Multicast {
    /// Whether any interface sent it.
    pub sent: bool,
    /// Whether anybody else answered.
    pub heard: bool,
}

/// What an address answers.
#[derive(Clone, PartialEq, Debug)]
pub struct Probe {
    /// The key of the tracker there.
    pub tracker: Result<Key, Unreached>,
    pub datagram: Answer,
    /// The largest packet that the way out of this machine takes, in bytes, if the system says so.
    pub mtu: Option<u32>,
    /// Whether a small and a full-sized datagram to a port that nothing should have came back as refused.
    pub closed_port: (bool, bool),
    /// Whether the address is in a network of this machine's own.
    pub near: bool,
}

impl Default for Probe {
    /// Of an address of which nothing is known yet.
    fn default() -> Probe {
        Probe {
            tracker: Err(Unreached::Silent),
            datagram: Answer::Silent,
            mtu: None,
            closed_port: (false, false),
            near: true,
        }
    }
}

/// What came back for a full-sized QUIC packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    Silent,
    /// The machine says that nothing listens there.
    Refused,
    /// The system knows no way there.
    NoWay(String),
    /// Something that speaks QUIC.
    Quic,
    /// Something else.
    Other,
}

/// A member that should be reachable.
#[derive(Clone, PartialEq, Debug)]
pub struct MemberSeen {
    pub name: AccountName,
    pub address: Option<SocketAddr>,
    /// `direct`, `via NAME` or `none`.
    pub path: String,
    /// What the address answers, where the path is not direct.
    pub probe: Option<Probe>,
}
