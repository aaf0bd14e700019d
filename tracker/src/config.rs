//! Every setting of a tracker. `config/tracker.toml` shows them with their defaults.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use common::{Domain, config::Settings, limits, net::endpoint::LinkLimits, wire::tracker::DEFAULT_PORT};
use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// The settings; a field's documentation is its documentation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen: on all interfaces, unless an address is given.
    pub listen: SocketAddr,
    /// The folder of the key, the tables and the status socket; empty for the usual one.
    pub data: PathBuf,
    /// What this tracker calls its accounts: the `lan` of `alice@lan`.
    pub domain: Domain,
    /// Where to serve `GET /metrics` for Prometheus, and `GET /healthz`, over TCP; empty for nowhere.
    #[serde(with = "common::config::empty_is_none")]
    pub metrics: Option<SocketAddr>,
    /// Whether to announce the tracker on the LAN, so that peers find it without being told where it is.
    pub mdns: bool,
    /// How much to log: `error`, `warn`, `info`, `debug` or `trace`.
    #[serde(deserialize_with = "deserialize_log_level")]
    pub log: String,
    /// Whether to log JSON, one object a line.
    pub log_json: bool,
    /// After how many seconds of silence a link is dead.
    pub dead_after_s: u64,
    /// For how many seconds a session whose link is lost still shows as online.
    pub grace_s: u64,
    /// For how many milliseconds changes of one room are gathered after a push; a fiftieth of a millisecond a member
    /// where that is longer. A change after a quiet time goes out at once.
    pub gather_ms: u64,
    /// After how many days of not being seen a member is removed. Days on which the tracker is down do not count.
    pub member_expiry_days: u64,
    /// Who may register a new account: `open` for everybody, `invitation` for who has one from `tracker invite`, or
    /// `closed` for nobody.
    pub registration: Registration,
    /// For how many days a name that its account has given up, or lost by being removed, is held, so that nobody steps
    /// into it.
    pub name_hold_days: u64,
    /// For how many days a room with a door is kept after its last member has gone. Days on which the tracker is down
    /// do not count.
    pub door_days: u64,
    /// Sessions at once, at the most.
    pub sessions: usize,
    /// Accounts, at the most.
    pub accounts: usize,
    /// Rooms, at the most.
    pub rooms: usize,
    /// Members of one room, at the most.
    pub members_per_room: usize,
    /// Rooms that one account is a member of, or asks to join, at the most.
    pub rooms_per_account: usize,
    /// Requests of one session that may wait for their answers, at the most; further ones are not read until then.
    pub requests_per_session: usize,
    /// Links that are not yet sessions, at the most.
    pub handshakes: usize,
}

/// Who may register a new account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Everybody.
    Open,
    /// Who has an invitation.
    Invitation,
    /// Nobody.
    Closed,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from(([0u16; 8], DEFAULT_PORT)),
            data: PathBuf::new(),
            domain: "lan".parse().expect("a valid domain"),
            metrics: None,
            mdns: true,
            log: "info".into(),
            log_json: false,
            dead_after_s: 15,
            grace_s: 5,
            gather_ms: 5,
            member_expiry_days: 30,
            registration: Registration::Open,
            name_hold_days: 30,
            door_days: 7,
            sessions: 10_000,
            accounts: 100_000,
            rooms: 10_000,
            members_per_room: 10_000,
            rooms_per_account: limits::ROOMS_PER_ACCOUNT,
            requests_per_session: 64,
            handshakes: 256,
        }
    }
}

impl Config {
    /// What the links to this tracker are held to. An idle session is to cost no more than 64 KiB.
    pub fn link_limits(&self) -> LinkLimits {
        LinkLimits {
            keep_alive: Duration::from_secs(5),
            dead_after: Duration::from_secs(self.dead_after_s),
            stream_window: 128 * 1024,
            send_window: 512 * 1024,
            handshakes: self.handshakes,
        }
    }
}

/// Refuses what is no log level.
pub fn log_level(text: &str) -> Result<String, String> {
    let level: Result<tracing::Level, _> = text.parse();
    level
        .map(|level| level.to_string().to_lowercase())
        .map_err(|_| format!("there is no log level {text:?}: it is error, warn, info, debug or trace"))
}

fn deserialize_log_level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    log_level(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

impl Settings for Config {
    const PREFIX: &str = "ROLLCALL_TRACKER_";
    const OTHER_VARIABLES: &[&str] = &["ROLLCALL_TRACKER_CONFIG"];

    fn takes(setting: &str) -> Option<&'static str> {
        Some(match setting {
            "listen" => "ADDR:PORT, such as \"[::]:27655\"",
            "metrics" => "ADDR:PORT, such as \"127.0.0.1:9465\", or \"\" for nowhere",
            "log" => "error, warn, info, debug or trace",
            "registration" => "\"open\", \"invitation\" or \"closed\"",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use common::config::with_variables;

    use super::*;

    const SHOWN: &str = include_str!("../../config/tracker.toml");

    #[test]
    fn the_shown_config_is_the_default_and_names_every_setting() {
        let parsed: Config = common::config::parse(Path::new("config/tracker.toml"), SHOWN).unwrap();
        assert_eq!(parsed, Config::default());
        let stated: toml::Table = SHOWN.parse().unwrap();
        let known = toml::Table::try_from(Config::default()).unwrap();
        assert_eq!(stated.keys().collect::<Vec<_>>(), known.keys().collect::<Vec<_>>());
    }

    #[test]
    fn a_variable_goes_over_the_file() {
        let variable = |name: &str| match name {
            "ROLLCALL_TRACKER_GRACE_S" => Some("1".into()),
            "ROLLCALL_TRACKER_DOMAIN" => Some("home".into()),
            "ROLLCALL_TRACKER_MDNS" => Some("false".into()),
            _ => None,
        };
        let config = with_variables(Config::default(), variable).unwrap();
        let domain = "home".parse().unwrap();
        assert_eq!(config, Config { grace_s: 1, domain, mdns: false, ..Config::default() });
    }

    #[test]
    fn a_variable_that_does_not_fit_is_named() {
        for (name, value) in
            [("ROLLCALL_TRACKER_GRACE_S", "soon"), ("ROLLCALL_TRACKER_GRACE_S", "-1"), ("ROLLCALL_TRACKER_LOG", "loud")]
        {
            let error = with_variables(Config::default(), |n| (n == name).then(|| value.into())).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
