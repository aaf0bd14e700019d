//! Where a tracker's files are: the usual XDG folders, or all under one where `--home` says so.

use std::path::PathBuf;

use etcetera::{BaseStrategy, HomeDirError, choose_base_strategy};

/// The file of the settings.
pub fn config(home: Option<&PathBuf>) -> Result<PathBuf, HomeDirError> {
    match home {
        Some(home) => Ok(home.join("config/tracker.toml")),
        None => Ok(choose_base_strategy()?.config_dir().join("rollcall/tracker.toml")),
    }
}

/// The folder of the key, the tables and the status socket.
pub fn data(home: Option<&PathBuf>) -> Result<PathBuf, HomeDirError> {
    data_of("tracker", home)
}

/// The same for a tracker inside a peer.
pub fn hosted_data(home: Option<&PathBuf>) -> Result<PathBuf, HomeDirError> {
    data_of("hosted-tracker", home)
}

fn data_of(name: &str, home: Option<&PathBuf>) -> Result<PathBuf, HomeDirError> {
    match home {
        Some(home) => Ok(home.join(name)),
        None => Ok(choose_base_strategy()?.data_dir().join("rollcall").join(name)),
    }
}
