//! The command line: settings from flags, variables and a file; then a tracker until a signal, or a question to one.

use std::{
    io::{IsTerminal, stderr},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use common::{Domain, reasons, wire::tracker::DEFAULT_PORT};
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};
use tracker::{
    Config, Host, config, folders,
    status::{self, SocketError},
};

const REFUSED: u8 = 1;
const NOT_REACHABLE: u8 = 3;

/// Keeps who is logged in, which rooms there are and who is a member of each; messages do not pass through it.
///
/// Every setting of the config file is also a variable, like ROLLCALL_TRACKER_GRACE_S: a flag goes over a variable,
/// which goes over the file.
#[derive(Parser)]
#[command(version)]
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
    /// Serve GET /metrics for Prometheus here, TCP.
    #[arg(long, value_name = "ADDR:PORT")]
    metrics: Option<SocketAddr>,
    /// Do not announce the tracker on the LAN.
    #[arg(long)]
    no_mdns: bool,
    /// Log JSON, one object a line.
    #[arg(long)]
    log_json: bool,
    /// How much to log: error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL")]
    log: Option<tracing::Level>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Say what the running tracker holds and has carried.
    Status {
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
}

pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.command {
        Some(Command::Status { json }) => print_status(&cli, *json),
        None => run(&cli).map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        eprintln!("tracker: {}", reasons(error.as_ref()));
        ExitCode::from(REFUSED)
    })
}

fn run(cli: &Cli) -> Result<()> {
    let config = cli.settings()?;
    log_to_stderr(&config)?;
    let data = cli.data(&config)?;
    Runtime::new().context("cannot start")?.block_on(async {
        // Asked for before the start, so that a signal during it is not lost.
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let domain = config.domain.clone();
        let mut host = Host::start(config, &data).await?;
        introduce(&host, &domain, &data);
        tokio::select! {
            biased;
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            ended = host.ended() => return Ok(ended?),
        }
        Ok(host.stop().await?)
    })
}

/// What a person wants to know of a tracker that has just started.
fn introduce(host: &Host, domain: &Domain, data: &std::path::Path) {
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
    eprintln!("log in with  peer login NAME --tracker {name}{port}");
}

fn print_status(cli: &Cli, json: bool) -> Result<ExitCode> {
    let data = cli.data(&cli.settings()?)?;
    let hosted = folders::hosted_data(cli.home.as_ref())?;
    let asked = Runtime::new().context("cannot start")?.block_on(async {
        match status::ask(&data).await {
            // Unless a folder was named, one inside a peer is meant too.
            Err(none @ SocketError::NotRunning { .. }) if cli.data.is_none() => {
                status::ask(&hosted).await.map_err(|_| none)
            }
            asked => asked,
        }
    });
    let status = match asked {
        Ok(status) => status,
        Err(error) => {
            eprintln!("tracker: {error}");
            return Ok(ExitCode::from(NOT_REACHABLE));
        }
    };
    if json {
        println!("{}", serde_json::to_string(&status)?);
    } else {
        println!("domain    {}", status.domain);
        println!("accounts  {}, of which {} logged in", status.accounts, status.sessions);
        println!("rooms     {}, with {} members in all", status.rooms, status.members);
        println!("changes   {}, in {} pushes", status.changes, status.pushes);
        println!("carried   {} bytes in, {} bytes out", status.bytes_in, status.bytes_out);
        println!("up for    {} s", status.uptime_s);
    }
    Ok(ExitCode::SUCCESS)
}

fn log_to_stderr(config: &Config) -> Result<()> {
    let level: tracing::Level = config.log.parse().map_err(|_| {
        anyhow::anyhow!("there is no log level {:?}: it is error, warn, info, debug or trace", config.log)
    })?;
    // The libraries below are heard only when something is wrong.
    let own = tracing_subscriber::EnvFilter::new(format!("warn,tracker={level}"));
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) || !stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(own).with_writer(stderr).with_ansi(!plain);
    if config.log_json {
        log.json().init()
    } else {
        log.init()
    }
    Ok(())
}

impl Cli {
    fn settings(&self) -> Result<Config> {
        let path = match &self.config {
            Some(path) => path.clone(),
            None => folders::config(self.home.as_ref())?,
        };
        let file: Config = common::config::load(&path, self.config.is_some())?;
        let mut settings = config::with_variables(file, |name| std::env::var(name).ok())?;
        settings.listen = self.listen.unwrap_or(settings.listen);
        settings.metrics = self.metrics.or(settings.metrics);
        settings.mdns &= !self.no_mdns;
        settings.log_json |= self.log_json;
        if let Some(domain) = &self.domain {
            settings.domain = domain.clone();
        }
        if let Some(level) = self.log {
            settings.log = level.to_string();
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
