//! `stay` in the config: `peer login` is a session in the background and a screen on it, so that closing the screen leaves
//! the session logged in.

use anyhow::{Context, Result};
use peer::{Config, control::socket};

use super::{Global, attach, detach, login::Login, screen};

/// Logs in in the background, unless that is done, and shows a screen until it is closed.
pub fn main(login: &Login, config: &Config, global: &Global) -> Result<()> {
    // Before anything is begun.
    screen::Bindings::of_config(&config.keys)?;
    let profile = global.folders()?.profile(&login.name);
    let is_there = socket::connect(profile.socket()).is_ok();
    let told = if is_there { None } else { detach::start(login, global)?.key_made };
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let result = runtime.block_on(attach::on_screen(profile.socket(), config, config.away_after(), told));
    // A key that is waited for must not keep the process.
    runtime.shutdown_background();
    result
}
