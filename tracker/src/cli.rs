//! The command line: settings from flags, variables and a file; then a tracker until a signal, or a question to one.

mod install;
mod operate;

use std::{
    io::{IsTerminal, stderr},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{CommandFactory, Parser, Subcommand};
use common::{AccountName, Domain, config, reasons, wire::tracker::DEFAULT_PORT};
use sd_notify::NotifyState;
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};
use tracker::{
    Config, Host,
    config::{Registration, log_level},
    folders,
    status::SocketError,
};

const REFUSED: u8 = 1;
const NOT_REACHABLE: u8 = 3;

/// Keeps who is logged in, which rooms there are and who is a member of each; messages do not pass through it.
///
/// Every setting of the config file is also a variable, like ROLLCALL_TRACKER_GRACE_S: a flag goes over a variable,
/// which goes over the file.
#[derive(Parser)]
#[command(version, after_help = "Example: tracker --domain home --registration invitation")]
struct Cli {
    /// Keep everything under this folder.
    #[arg(long, global = true, value_name = "DIR", env = "ROLLCALL_HOME")]
    home: Option<PathBuf>,
    /// The settings (default: ~/.config/rollcall/tracker.toml).
    #[arg(long, global = true, value_name = "FILE", env = "ROLLCALL_TRACKER_CONFIG")]
    config: Option<PathBuf>,
    /// The folder of the key and the tables (default: ~/.local/share/rollcall/tracker).
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to listen, UDP (default: [::]:27655).
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// What this tracker calls its accounts: the lan of alice@lan.
    #[arg(long, value_name = "NAME")]
    domain: Option<Domain>,
    /// Serve GET /metrics for Prometheus, and GET /healthz, here, TCP.
    #[arg(long, value_name = "ADDR:PORT")]
    metrics: Option<SocketAddr>,
    /// Who may register a new account (default: open).
    #[arg(long, value_name = "WHO", value_enum)]
    registration: Option<Registration>,
    /// Do not announce the tracker on the LAN.
    #[arg(long)]
    no_mdns: bool,
    /// Log JSON, one object a line.
    #[arg(long)]
    log_json: bool,
    /// How much to log: error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL", value_parser = log_level)]
    log: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Say what the running tracker holds and has carried.
    #[command(after_help = "Example: tracker status --json")]
    Status {
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Print a token that lets new people register, with `peer login NAME --invite TOKEN`.
    ///
    /// It is needed where the setting `registration` is "invitation". It is shown this once.
    #[command(after_help = "Example: tracker invite --uses 20 --days 2")]
    Invite {
        /// How many new accounts it lets in.
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        uses: u32,
        /// For how many days.
        #[arg(long, value_name = "D", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=3_650))]
        days: u32,
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// List who is registered.
    #[command(after_help = "Example: tracker accounts --json")]
    Accounts {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// End an account: its session, its memberships and its contacts.
    ///
    /// Nobody gets its name for as long as `name_hold_days` says.
    #[command(after_help = "Example: tracker remove-account mallory")]
    RemoveAccount {
        /// What it is called.
        name: AccountName,
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Print a token that gives an account to a new key, for somebody whose key is lost.
    ///
    /// It is good for 24 hours and for one login: on a machine without the old key, `peer login NAME --invite TOKEN`.
    /// The new key gets the account's rooms, roles and contacts; the old one is refused from then on, and everybody who
    /// knew it is told. Give the token only to the person whose account it is.
    #[command(after_help = "Example: tracker reset-key alice")]
    ResetKey {
        /// What it is called.
        name: AccountName,
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Print what makes a shell complete the commands and options of `tracker` with the Tab key.
    #[command(after_help = "Example: tracker completions bash > ~/.local/share/bash-completion/completions/tracker")]
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
    /// Write the pages for `man` into a folder, one a command; without a folder, print the first one.
    #[command(after_help = "Example: tracker man ~/.local/share/man/man1")]
    Man {
        /// The folder, which is made if need be.
        dir: Option<PathBuf>,
    },
}

pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.command {
        Some(Command::Completions { shell }) => install::completions(*shell, Cli::command()),
        Some(Command::Man { dir }) => install::man(dir.as_deref(), Cli::command()),
        Some(command) => operate::run(&cli, command),
        None => run(&cli),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    eprintln!("tracker: {}", reasons(error.as_ref()));
    let unreachable = |error: &SocketError| !matches!(error, SocketError::Refused(_));
    ExitCode::from(if error.downcast_ref().is_some_and(unreachable) { NOT_REACHABLE } else { REFUSED })
}

fn run(cli: &Cli) -> Result<()> {
    let config = cli.settings()?;
    log_to_stderr(&config);
    let data = cli.data(&config)?;
    Runtime::new().context("cannot start")?.block_on(async {
        // Asked for before the start, so that a signal during it is not lost.
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (domain, announced) = (config.domain.clone(), config.mdns);
        let mut host = Host::start(config, &data).await?;
        introduce(&host, &domain, &data, announced);
        tell_system(NotifyState::Ready);
        tokio::select! {
            biased;
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            ended = host.ended() => return Ok(ended?),
        }
        tell_system(NotifyState::Stopping);
        Ok(host.stop().await?)
    })
}

/// Tells systemd how it is, if that is what has started this process.
fn tell_system(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "systemd cannot be told how it is");
    }
}

/// What a person wants to know of a tracker that has just started.
fn introduce(host: &Host, domain: &Domain, data: &std::path::Path, announced: bool) {
    let address = host.address();
    let name = if address.ip().is_unspecified() {
        hostname::get().ok().and_then(|name| name.into_string().ok()).unwrap_or_else(|| "HOST".into())
    } else if address.is_ipv6() {
        format!("[{}]", address.ip())
    } else {
        address.ip().to_string()
    };
    let port = if address.port() == DEFAULT_PORT { String::new() } else { format!(":{}", address.port()) };
    eprintln!("listening on UDP {address}");
    eprintln!("key          {}", host.key());
    eprintln!("domain       {domain}");
    eprintln!("data         {}", data.display());
    // One that announces itself is found without its name, which not every network knows.
    if announced {
        eprintln!("log in with  peer login NAME    (from another network: --tracker ADDRESS{port})");
    } else {
        eprintln!("log in with  peer login NAME --tracker {name}{port}");
    }
}

fn log_to_stderr(config: &Config) {
    let level = &config.log;
    // The libraries below are heard only when something is wrong.
    let own = tracing_subscriber::EnvFilter::new(format!("warn,tracker={level}"));
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) || !stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(own).with_writer(stderr).with_ansi(!plain);
    if config.log_json { log.json().init() } else { log.init() }
}

impl Cli {
    fn settings(&self) -> Result<Config> {
        let path = match &self.config {
            Some(path) => path.clone(),
            None => folders::config(self.home.as_ref())?,
        };
        let mut settings: Config = config::load_with_variables(&path, self.config.is_some())?;
        settings.listen = self.listen.unwrap_or(settings.listen);
        settings.metrics = self.metrics.or(settings.metrics);
        settings.mdns &= !self.no_mdns;
        settings.log_json |= self.log_json;
        if let Some(domain) = &self.domain {
            settings.domain = domain.clone();
        }
        settings.registration = self.registration.unwrap_or(settings.registration);
        if let Some(level) = &self.log {
            settings.log.clone_from(level);
        }
        Ok(settings)
    }

    fn data(&self, config: &Config) -> Result<PathBuf> {
        match &self.data {
            Some(data) => Ok(data.clone()),
            None if !config.data.as_os_str().is_empty() => Ok(config.data.clone()),
            None => Ok(folders::data(self.home.as_ref())?),
        }
    }
}
