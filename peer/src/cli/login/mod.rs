//! `peer login`: what it takes. [`start`] is all up to a session that is logged in, [`run`] what goes on until it ends.

mod run;
mod start;
mod traces;

use std::{
    io::{self, BufRead, IsTerminal},
    net::SocketAddr,
    path::PathBuf,
};

use anyhow::{Context, Result};
use clap::Args;
use common::{AccountName, Key};
use peer::{downloads, size::Rate};

use super::{Global, chat, log, meet::Meet, output, refused, screen, stay};

/// The variable that an invitation may be in.
pub const INVITE: &str = "ROLLCALL_INVITE";

/// Log in; the first login makes the identity key, which is who you are from then on.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  peer login alice\n  peer login alice --tracker 192.168.1.5\n  peer login alice --detach\n  peer login alice --invite -\n  peer login alice --transcript ~/chats"
)]
pub struct Login {
    /// What to be called.
    pub name: AccountName,
    /// Where the tracker is; without it, it is looked for on the LAN.
    #[arg(long, value_name = "HOST[:PORT]")]
    tracker: Option<String>,
    /// The key that the tracker must have, in place of the one known so far.
    #[arg(long, value_name = "KEY", value_parser = key)]
    tracker_key: Option<Key>,
    /// What whoever runs the tracker gave you, if it lets in only those who are invited, or has reset your key; - reads
    /// it from stdin, so that it is in no list of processes.
    #[arg(long, value_name = "TOKEN|-", env = INVITE, hide_env_values = true)]
    invite: Option<String>,
    /// The UDP port of this peer, kept for later logins; 0 takes a free one.
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Stay in the foreground without a chat, and print a line of JSON when logged in.
    #[arg(long, conflicts_with_all = ["plain", "detach"])]
    headless: bool,
    /// A chat line by line.
    #[arg(long, conflicts_with = "detach")]
    plain: bool,
    /// Go on in the background, and return when logged in.
    #[arg(long)]
    pub detach: bool,
    /// Write each conversation to a text file in this folder, as it happens; what was before is in: peer export.
    #[arg(long, value_name = "DIR")]
    transcript: Option<PathBuf>,
    /// Run a tracker too, for everybody on this LAN.
    #[arg(long, conflicts_with = "tracker")]
    host: bool,
    /// With --host: do not announce the tracker by mDNS.
    #[arg(long, requires = "host")]
    no_mdns: bool,
    /// Do not show contacts when you were last seen.
    #[arg(long)]
    hide_seen: bool,
    /// How fast files may go out, as 2M/s; K, M and G are powers of 1024.
    #[arg(long, value_name = "RATE")]
    upload_limit: Option<Rate>,
    /// How fast files may come in.
    #[arg(long, value_name = "RATE")]
    download_limit: Option<Rate>,
    /// Serve GET /metrics for Prometheus, and GET /healthz, here, TCP.
    #[arg(long, value_name = "ADDR:PORT")]
    metrics: Option<SocketAddr>,
    /// For a session without a tracker: whom it is to meet.
    #[arg(skip)]
    meet: Option<Meet>,
}

/// Begins a session that has no tracker, to meet somebody, and stays until it ends.
pub fn without_tracker(
    name: AccountName,
    port: Option<u16>,
    headless: bool,
    meet: Meet,
    global: &Global,
) -> Result<()> {
    let login = Login {
        name,
        tracker: None,
        tracker_key: None,
        invite: None,
        port,
        headless,
        plain: false,
        detach: false,
        host: false,
        no_mdns: false,
        hide_seen: false,
        upload_limit: None,
        download_limit: None,
        transcript: None,
        metrics: None,
        meet: Some(meet),
    };
    main(login, global)
}

impl Login {
    /// The invitation, read from stdin if that is where it is.
    ///
    /// # Errors
    /// If there is none.
    pub fn invitation(&self) -> Result<Option<String>> {
        if self.invite.as_deref() != Some("-") {
            return Ok(self.invite.clone());
        }
        if io::stdin().is_terminal() {
            output::note("type or paste what whoever runs the tracker gave you, and Enter:");
        }
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).context("cannot read the invitation")?;
        match line.trim() {
            "" => {
                Err(refused("there is no invitation on stdin; give it there, on a line, or without --invite -").into())
            }
            token => Ok(Some(token.to_string())),
        }
    }
}

/// Logs in, and stays until the session ends.
pub fn main(mut login: Login, global: &Global) -> Result<()> {
    login.invite = login.invitation()?;
    let folders = global.folders()?;
    let shows = !login.headless && !login.plain && screen::can_be_shown();
    if shows && login.meet.is_none() {
        let config = global.config(&folders)?;
        if config.stay {
            return stay::main(&login, &config, global);
        }
    }
    let editing = !login.headless && chat::can_edit();
    if editing {
        // What is logged would break the line that is being typed.
        log::to_file(&global.log, folders.profile(&login.name).open_log()?)?;
    } else {
        log::to_stderr(&global.log)?;
    }
    let mut config = global.config(&folders)?;
    // Before anything is begun.
    let keys = screen::Bindings::of_config(&config.keys)?;
    config.hide_seen |= login.hide_seen;
    config.upload_limit = login.upload_limit.unwrap_or(config.upload_limit);
    config.download_limit = login.download_limit.unwrap_or(config.download_limit);
    config.metrics = login.metrics.or(config.metrics);
    config.downloads = downloads::folder(&config.downloads);
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let result = runtime.block_on(run::run(&login, config, keys, &folders, editing));
    // Whatever still hangs, such as a look-up, must not keep the process.
    runtime.shutdown_background();
    result
}

fn key(text: &str) -> Result<Key, &'static str> {
    text.parse().map_err(|_| "a tracker's key is 64 hexadecimal digits; it prints them when it starts")
}
