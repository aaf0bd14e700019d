//! Every setting of a peer. `config/peer.toml` shows them with their defaults.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use common::{
    config::{self, ConfigError},
    limits,
    net::endpoint::LinkLimits,
    wire::control::files::Limits,
};
use serde::{Deserialize, Serialize};

use crate::{
    hours::Hours,
    notices::Notices,
    size::{Rate, Size},
};

/// The settings; a field's documentation is its documentation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The tracker, as `HOST` or `HOST:PORT`; empty to look for one on the LAN.
    pub tracker: String,
    /// Where to listen. Port 0 takes a free one at the first login and keeps it for the life of the profile.
    pub listen: SocketAddr,
    /// How often a link that this peer dialled says that it is alive, in seconds.
    pub keep_alive_s: u64,
    /// After how many seconds of silence a link is dead.
    pub dead_after_s: u64,
    /// Rooms with up to this many members keep a link to every member that is online; in larger ones a link is
    /// dialled when there is something to deliver.
    pub mesh_members: usize,
    /// Links to other peers dialled in one second, at the most.
    pub dials_per_second: u32,
    /// Links to other peers at once, at the most.
    pub links: usize,
    /// Bytes that may wait in memory for one link; what is beyond them is read from the store when it is their turn.
    pub link_buffer_bytes: usize,
    /// Messages that may wait to be signed and stored, at the most, before `say` is told to wait.
    pub say_queue: usize,
    /// The longest pause between two attempts to reach the tracker, in seconds.
    pub tracker_retry_s: u64,
    /// The longest pause between two attempts to reach a member, in seconds.
    pub member_retry_s: u64,
    /// After how many minutes without a line typed a chat shows its user as away; 0 for never.
    pub away_after_min: u64,
    /// Whether contacts are not told when this account was last seen.
    pub hide_seen: bool,
    /// How fast files may go out, together, as `2M/s`; empty for as fast as they can.
    pub upload_limit: Rate,
    /// How fast files may come in, together; empty for as fast as they can.
    pub download_limit: Rate,
    /// Bytes of files, in all, that others may have this peer fetch and store without being asked, as `50M`; 0 for none.
    pub fetch_unasked: Size,
    /// The folder for those; empty for the desktop's own for downloads, or else the home folder.
    pub downloads: PathBuf,
    /// Where to serve `GET /metrics` for Prometheus, and `GET /healthz`, over TCP; empty for nowhere.
    #[serde(with = "common::config::empty_is_none")]
    pub metrics: Option<SocketAddr>,
    /// Whether a chat rings the terminal's bell for direct messages and for those with the user's name in them.
    pub bell: bool,
    /// A program, and its arguments, that is run for those; none, unless one is named.
    pub notify_command: Vec<String>,
    /// Whether they are shown on the user's desktop.
    pub desktop_notices: bool,
    /// The hours of the day in which nothing of that happens, as `22:00-07:00`; empty for none.
    pub quiet_hours: Hours,
    /// Whether closing the screen of `peer login` leaves the session logged in, in the background.
    pub stay: bool,
    /// Whether the screen takes the mouse; without it the terminal selects text as it does elsewhere.
    pub mouse: bool,
    /// Keys of the screen, by what they do, such as `search = "ctrl-f"`; what is left out has its default.
    pub keys: BTreeMap<String, String>,
    /// Which messages call the user, for conversations in which it is others.
    pub notices: Notices,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            tracker: String::new(),
            listen: SocketAddr::from(([0u16; 8], 0)),
            keep_alive_s: 5,
            dead_after_s: 15,
            mesh_members: 128,
            dials_per_second: 100,
            links: 1_024,
            link_buffer_bytes: 1024 * 1024,
            say_queue: 4_096,
            tracker_retry_s: 15,
            member_retry_s: 60,
            away_after_min: 15,
            hide_seen: false,
            upload_limit: Rate(0),
            download_limit: Rate(0),
            fetch_unasked: Size(0),
            downloads: PathBuf::new(),
            metrics: None,
            bell: true,
            notify_command: Vec::new(),
            desktop_notices: true,
            quiet_hours: Hours::default(),
            stay: false,
            mouse: true,
            keys: BTreeMap::new(),
            notices: Notices::default(),
        }
    }
}

impl Config {
    /// The file at `path` with the `ROLLCALL_*` variables over it, such as `ROLLCALL_KEEP_ALIVE_S`. Without the file
    /// every setting has its default, unless a person has named it: see [`common::config::load`].
    pub fn load(path: &Path, must_exist: bool) -> Result<Config, ConfigError> {
        config::load::<Config>(path, must_exist)?.with_variables(|variable| std::env::var(variable).ok())
    }

    fn with_variables(self, read: impl Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        let malformed = |name: &str, reason: String| ConfigError::Malformed { path: name.into(), reason };
        let mut table = toml::Table::try_from(self).map_err(|error| malformed("config", error.to_string()))?;
        for (key, value) in table.iter_mut() {
            let variable = format!("ROLLCALL_{}", key.to_uppercase());
            let Some(text) = read(&variable) else { continue };
            let set = match value {
                toml::Value::Integer(_) => {
                    text.parse().map(toml::Value::Integer).map_err(|_| format!("{text:?} is not a whole number"))
                }
                toml::Value::Boolean(_) => {
                    text.parse().map(toml::Value::Boolean).map_err(|_| format!("{text:?} is neither true nor false"))
                }
                toml::Value::Array(_) => as_in_file(&text)
                    .ok_or_else(|| format!("{text:?} is no list; write it as [\"program\", \"argument\"]")),
                toml::Value::Table(_) => {
                    as_in_file(&text).ok_or_else(|| format!("{text:?} is no table; write it as {{ NAME = \"VALUE\" }}"))
                }
                _ => Ok(toml::Value::String(text)),
            };
            let set = set.map_err(|reason| malformed(&variable, reason))?;
            // Tried alone first, so that the error names the variable.
            toml::Table::from_iter([(key.clone(), set.clone())])
                .try_into::<Config>()
                .map_err(|error| malformed(&variable, error.message().to_string()))?;
            *value = set;
        }
        table.try_into().map_err(|error: toml::de::Error| malformed("config", error.to_string()))
    }

    /// How fast files may move.
    pub fn limits(&self) -> Limits {
        let limit = |rate: Rate| Some(rate.0).filter(|bytes| *bytes > 0);
        Limits { up: limit(self.upload_limit), down: limit(self.download_limit) }
    }

    /// How many bytes of files, in all, may be fetched and stored without being asked for; 0 for none.
    pub fn fetch_unasked_bytes(&self) -> u64 {
        self.fetch_unasked.0
    }

    /// After what time without a key its user is shown as away, if ever.
    pub fn away_after(&self) -> Option<Duration> {
        Some(self.away_after_min).filter(|minutes| *minutes > 0).map(|minutes| Duration::from_secs(60 * minutes))
    }

    /// What the links of this peer are held to.
    pub fn link_limits(&self) -> LinkLimits {
        LinkLimits {
            keep_alive: Duration::from_secs(self.keep_alive_s),
            dead_after: Duration::from_secs(self.dead_after_s),
            stream_window: 1024 * 1024,
            // What files can have under way, and as much again as one stream for what is said.
            send_window: (limits::FILE_STREAMS as u64 + 2) * 1024 * 1024,
            handshakes: 256,
        }
    }
}

/// A value that is written in a variable as it is in the file.
fn as_in_file(text: &str) -> Option<toml::Value> {
    format!("value = {text}").parse::<toml::Table>().ok()?.remove("value")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = include_str!("../../config/peer.toml");

    #[test]
    fn the_shown_config_names_every_setting_with_its_default() {
        let shown: Config = config::parse(Path::new("config/peer.toml"), SHOWN).unwrap();
        assert_eq!(shown, Config::default());
        let (shown, known) = (SHOWN.parse::<toml::Table>().unwrap(), toml::Table::try_from(shown).unwrap());
        assert_eq!(shown.keys().collect::<Vec<_>>(), known.keys().collect::<Vec<_>>());
    }

    fn with(variable: &str, value: &str) -> Result<Config, String> {
        let read = |name: &str| (name == variable).then(|| value.to_string());
        Config::default().with_variables(read).map_err(|error| error.to_string())
    }

    #[test]
    fn a_variable_goes_before_the_file() {
        assert_eq!(with("ROLLCALL_LINKS", "7").unwrap().links, 7);
        assert_eq!(with("ROLLCALL_TRACKER", "box").unwrap().tracker, "box");
    }

    #[test]
    fn a_program_and_its_arguments_are_a_list_in_a_variable_too() {
        let config = with("ROLLCALL_NOTIFY_COMMAND", "['notify-send', 'a b']").unwrap();
        assert_eq!(config.notify_command, ["notify-send", "a b"]);
        assert!(with("ROLLCALL_NOTIFY_COMMAND", "notify-send").unwrap_err().starts_with("ROLLCALL_NOTIFY_COMMAND: "));
        assert!(with("ROLLCALL_QUIET_HOURS", "night").unwrap_err().contains("22:00-07:00"));
    }

    #[test]
    fn a_variable_of_the_wrong_kind_is_refused_by_its_name() {
        assert!(with("ROLLCALL_LINKS", "many").unwrap_err().starts_with("ROLLCALL_LINKS: "));
        assert!(with("ROLLCALL_LISTEN", "there").unwrap_err().starts_with("ROLLCALL_LISTEN: "));
        assert!(with("ROLLCALL_LINKS", "-1").unwrap_err().starts_with("ROLLCALL_LINKS: "));
        let limit = with("ROLLCALL_UPLOAD_LIMIT", "fast").unwrap_err();
        assert!(limit.starts_with("ROLLCALL_UPLOAD_LIMIT: ") && limit.contains("2M/s"), "{limit}");
    }

    #[test]
    fn limits_of_files_are_read_as_people_write_them() {
        let read = |text: &str| config::parse::<Config>(Path::new("peer.toml"), text);
        let config = read("upload_limit = '2M/s'\ndownload_limit = ''\nfetch_unasked = '50M'").unwrap();
        assert_eq!(config.limits(), Limits { up: Some(2 << 20), down: None });
        assert_eq!(config.fetch_unasked_bytes(), 50 << 20);
        assert_eq!(with("ROLLCALL_DOWNLOAD_LIMIT", "500K").unwrap().limits().down, Some(500 << 10));
        for (line, right) in [("upload_limit = 'fast'", "2M/s"), ("fetch_unasked = '1X'", "1.5G")] {
            let error = read(line).unwrap_err().to_string();
            assert!(error.contains(line.split(' ').next().unwrap()) && error.contains(right), "{error}");
        }
    }
}
