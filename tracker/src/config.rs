//! Every setting of a tracker. `config/tracker.toml` shows them with their defaults.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use common::{Domain, limits, net::endpoint::LinkLimits, wire::tracker::DEFAULT_PORT};
use serde::{Deserialize, Serialize};

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

/// A variable whose value does not fit its setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the variable {name} is no good: {reason}")]
pub struct BadVariable {
    name: String,
    reason: String,
}

/// `config` with those settings replaced that `variable` has a value for: `grace_s` is `ROLLCALL_TRACKER_GRACE_S`.
pub fn with_variables(config: Config, variable: impl Fn(&str) -> Option<String>) -> Result<Config, BadVariable> {
    let bad = |name: &str, reason: String| BadVariable { name: name.into(), reason };
    let mut table = toml::Table::try_from(&config).map_err(|error| bad("ROLLCALL_TRACKER_*", error.to_string()))?;
    for key in table.keys().cloned().collect::<Vec<_>>() {
        let name = format!("ROLLCALL_TRACKER_{}", key.to_uppercase());
        let Some(text) = variable(&name) else { continue };
        // Texts stand without quotes in a variable; all else as in the file.
        let value = match &table[&key] {
            toml::Value::String(_) => toml::Value::String(text),
            _ => {
                text.parse().map_err(|_| bad(&name, format!("{text:?} is neither a whole number nor true or false")))?
            }
        };
        table.insert(key, value);
        table.clone().try_into::<Config>().map_err(|error| bad(&name, error.message().into()))?;
    }
    table.try_into().map_err(|error: toml::de::Error| bad("ROLLCALL_TRACKER_*", error.message().into()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

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
        for (name, value) in [("ROLLCALL_TRACKER_GRACE_S", "soon"), ("ROLLCALL_TRACKER_GRACE_S", "-1")] {
            let error = with_variables(Config::default(), |n| (n == name).then(|| value.into())).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
