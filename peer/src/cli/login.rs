//! Logging in: from the command line to a session that is at work, and to its end.

use std::{
    fs::File,
    io::{self, IsTerminal},
    net::{SocketAddr, UdpSocket},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, Result};
use clap::Args;
use common::{
    AccountName, Identity, Key,
    net::{endpoint, tls},
    wire::{
        self,
        control::{Exit, Refusal},
    },
};
use peer::{
    Config, Handle, Setup, Welcomed,
    called::Called,
    control::{Server, Socket, socket},
    discover::{self, Target},
    downloads,
    profile::{Folders, Kept, KeptTracker, Profile, ProfileError},
    reach,
    size::Rate,
};
use quinn::Endpoint;
use sd_notify::NotifyState;
use serde::Serialize;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    time,
};

use super::{
    Global, beside, chat, first, host, log, meet::Meet, notices::Rules, output, remote::Remote, screen, stay,
    transcript,
};

/// How long the tracker has for its welcome.
const WELCOME: Duration = Duration::from_secs(10);
/// What there is to tell the user that waits to be shown.
const NOTICES: usize = 8;
/// How long the last word to the tracker and the other peers may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// Log in; the first login makes the identity key, which is who you are from then on.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  peer login alice\n  peer login alice --tracker 192.168.1.5\n  peer login alice --detach\n  peer login alice --transcript ~/chats"
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
    /// What whoever runs the tracker gave you, if it lets in only those who are invited, or has reset your key.
    #[arg(long, value_name = "TOKEN", env = "ROLLCALL_INVITE", hide_env_values = true)]
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

/// What `--headless` prints when it is logged in.
#[derive(Serialize)]
struct Ready<'a> {
    event: &'static str,
    name: &'a AccountName,
    domain: Option<String>,
    address: SocketAddr,
    tracker: Option<SocketAddr>,
}

/// A peer that is logged in, and what ends with it.
struct Session {
    handle: Handle,
    endpoint: Endpoint,
    server: Server,
    socket: PathBuf,
    tracker: Option<SocketAddr>,
    domain: Option<String>,
    hosted: Option<host::Running>,
    _held: File,
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

/// Logs in, and stays until the session ends.
pub fn main(login: Login, global: &Global) -> Result<()> {
    let folders = global.folders()?;
    let shows = !login.headless && !login.plain && screen::can_be_shown();
    if shows && login.meet.is_none() {
        let config = global.config(&folders)?;
        if config.stay {
            return stay::main(&login.name, &config, global);
        }
    }
    let editing = !login.headless && io::stdin().is_terminal() && io::stdout().is_terminal();
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
    let result = runtime.block_on(run(&login, config, keys, &folders, editing));
    // Whatever still hangs, such as a look-up, must not keep the process.
    runtime.shutdown_background();
    result
}

async fn run(login: &Login, config: Config, keys: screen::Bindings, folders: &Folders, editing: bool) -> Result<()> {
    let mut signals = Signals::new().context("cannot listen for signals")?;
    let settings = config.clone();
    let metrics = beside::listen(settings.metrics).await?;
    let profile = folders.profile(&login.name);
    let key_made = first::key_made(&login.name, &profile);
    let session = tokio::select! {
        session = start(login, config, folders) => session,
        () = signals.next() => return Ok(()),
    };
    let (notes, mut notices) = mpsc::channel(NOTICES);
    match key_made {
        // There is room, since it is the first one.
        Some(key_made) if session.is_ok() => drop(notes.try_send(key_made)),
        Some(key_made) if profile.key().exists() => output::note(&key_made),
        _ => {}
    }
    let session = session?;
    let handle = &session.handle;
    beside::begin(handle, &settings, metrics, &notes);
    if let Some(folder) = &login.transcript {
        tokio::spawn(transcript::run(handle.clone(), folder.clone(), notes));
    }
    let interface = async {
        let room = match &login.meet {
            Some(meet) => meet.run(handle).await?,
            None => None,
        };
        if login.headless {
            output::json(&Ready {
                event: "ready",
                name: &login.name,
                domain: session.domain.clone(),
                address: session.endpoint.local_addr()?,
                tracker: session.tracker,
            })?;
            beside::tell_system(NotifyState::Ready);
            while let Some(notice) = notices.recv().await {
                output::note(&notice);
            }
            return std::future::pending().await;
        }
        let away_after = settings.away_after();
        let bell = (editing && settings.bell).then(|| Rules::new(&settings));
        if !login.plain && screen::can_be_shown() {
            let session = Remote::connect(&session.socket).await?;
            return screen::run(session, screen::Begin { room, away_after, bell, attached: false, keys }, notices)
                .await;
        }
        let console = if editing { chat::Console::terminal()? } else { chat::Console::pipe()? };
        chat::run(handle.clone(), console, chat::Begin { room, away_after, bell }, notices).await
    };
    let (end, outcome) = tokio::select! {
        biased;
        end = handle.ended() => (end, Ok(())),
        outcome = interface => (log_out(handle).await, outcome),
        () = signals.next() => (log_out(handle).await, Ok(())),
    };
    beside::tell_system(NotifyState::Stopping);
    session.close().await;
    match end.code {
        Exit::Done => outcome,
        _ => Err(end.into()),
    }
}

/// Everything from the folders to the welcome of the tracker.
async fn start(login: &Login, config: Config, folders: &Folders) -> Result<Session> {
    let name = &login.name;
    let profile = folders.profile(name);
    let held = profile.open().map_err(|error| match error {
        ProfileError::InUse => already(name, &profile).into(),
        error => anyhow::Error::from(error),
    })?;
    let socket = Socket::bind(profile.socket()).map_err(|error| match error {
        socket::SocketError::Alive => already(name, &profile).into(),
        error => anyhow::Error::from(error),
    })?;
    let identity = Identity::load_or_create(&profile.key())?;
    let mut kept = profile.kept()?;
    // A tracker is remembered once it has welcomed, and by then there is a history.
    let used = kept.tracker.is_some();

    let udp = bind(login, &kept, &config)?;
    kept.port = Some(udp.local_addr().context("the UDP socket has no address")?.port());
    profile.keep(&kept)?;
    if let Some((key, known)) = login.tracker_key.zip(kept.tracker.as_mut()) {
        // Kept once a tracker with that key has welcomed.
        known.expect(key);
    }
    let certificate = tls::Certificate::new(&identity)?;
    let limits = config.link_limits();
    let server = endpoint::server_config(&certificate, wire::peer::ALPN, &limits)?;
    let endpoint = endpoint::endpoint(udp, server).context("cannot use the UDP socket")?;

    let mut hosted = None;
    let target = if login.meet.is_some() {
        None
    } else if login.host {
        let listen = SocketAddr::from(([0u16; 8], discover::DEFAULT_PORT));
        hosted = Some(host::start(&folders.tracker_data(), listen, !login.no_mdns).await?);
        Some(discover::named("127.0.0.1", kept.tracker.as_ref()).await?)
    } else {
        Some(find(login, &config, &kept, &endpoint, &certificate).await?)
    };
    let setup = Setup {
        config,
        name: name.clone(),
        identity,
        endpoint: endpoint.clone(),
        certificate,
        tracker: target.as_ref().map(|target| target.address),
        invite: login.invite.clone(),
        tracker_key: login.tracker_key.or(target.as_ref().and_then(|target| target.key)),
        store: profile.history(),
        files: profile.history().with_file_name("files"),
        used,
    };
    let called = Called::new(profile.clone());
    let handle = peer::spawn(setup).await?.known_as(called.clone());
    if let Some(salvaged) = handle.salvaged() {
        output::note(&salvaged.to_string());
    }
    let tracker = target.as_ref().map(|target| target.address);
    let domain = match target {
        Some(target) => welcome(&handle, target, &profile, kept).await?,
        None => None,
    };
    called.found(&handle.status().await?.name);
    let server = Server::start(socket, handle.clone());
    let socket = profile.socket().to_owned();
    Ok(Session { handle, endpoint, server, socket, tracker, domain, hosted, _held: held })
}

/// Waits for the tracker. One that was met before need not answer: the rooms go on with the members known.
async fn welcome(handle: &Handle, target: Target, profile: &Profile, kept: Kept) -> Result<Option<String>> {
    let address = target.address;
    match time::timeout(WELCOME, handle.welcomed()).await {
        Ok(Ok(welcomed)) => {
            let domain = welcomed.domain.to_string();
            if let Err(error) = keep(welcomed, address, profile, kept) {
                log_out(handle).await;
                return Err(error);
            }
            Ok(Some(domain))
        }
        Ok(Err(refusal)) => Err(refusal.into()),
        Err(_) => {
            let Some(last) = kept.tracker.clone() else {
                let why = handle.status().await.ok().and_then(|status| status.trouble);
                let why = why.unwrap_or_else(|| "it does not answer".into());
                let reason = format!(
                    "cannot log in at the tracker {address}: {why}. Check that it runs, and that no firewall keeps \
                     UDP port {} from it",
                    address.port()
                );
                return Err(Refusal::new(Exit::Unreachable, reason).into());
            };
            output::note(&format!(
                "the tracker at {address} does not answer; the rooms go on with the members known, and it is tried again"
            ));
            let (handle, profile) = (handle.clone(), profile.clone());
            tokio::spawn(async move {
                if let Ok(welcomed) = handle.welcomed().await
                    && let Err(error) = keep(welcomed, address, &profile, kept)
                {
                    tracing::error!("{error}");
                    log_out(&handle).await;
                }
            });
            Ok(Some(last.domain.to_string()))
        }
    }
}

fn keep(welcomed: Welcomed, address: SocketAddr, profile: &Profile, kept: Kept) -> Result<()> {
    let Welcomed { domain, tracker_key, .. } = welcomed;
    discover::check_pin(kept.tracker.as_ref(), &domain, address, tracker_key)?;
    let tracker = Some(KeptTracker::new(address, domain, tracker_key));
    Ok(profile.keep(&Kept { tracker, ..kept })?)
}

async fn find(
    login: &Login,
    config: &Config,
    kept: &Kept,
    endpoint: &Endpoint,
    certificate: &tls::Certificate,
) -> Result<Target, Refusal> {
    let last = kept.tracker.as_ref();
    let named = login.tracker.as_ref().or(Some(&config.tracker)).filter(|named| !named.is_empty());
    if let Some(named) = named {
        return discover::named(named, last).await;
    }
    let probe = async {
        let Some((address, key)) = last.and_then(|last| Some((last.address, last.key()?))) else { return false };
        answers(endpoint, certificate, config, address, key).await
    };
    discover::on_the_lan(&login.name, last, probe).await
}

/// Whether a tracker with that key is at that address.
async fn answers(
    endpoint: &Endpoint,
    certificate: &tls::Certificate,
    config: &Config,
    address: SocketAddr,
    key: Key,
) -> bool {
    let found = reach::tracker(endpoint, certificate, &config.link_limits(), address).await;
    found.is_ok_and(|(_, found)| found == key)
}

/// Binds the port of `--port`, or else the one that the profile keeps, or else the one of the config.
fn bind(login: &Login, kept: &Kept, config: &Config) -> Result<UdpSocket, Refusal> {
    let name = &login.name;
    let (port, remedy) = match (login.port, kept.port) {
        (Some(port), _) => (port, "end that program, or choose another port with --port".to_string()),
        (None, Some(port)) => {
            (port, format!("end that program, or give this account another port: peer login {name} --port 0"))
        }
        (None, None) => {
            let remedy = "end that program, or change `listen` in the config, or choose a port with --port";
            (config.listen.port(), remedy.to_string())
        }
    };
    let listen = SocketAddr::new(config.listen.ip(), port);
    endpoint::bind(listen).map_err(|error| {
        let reason = match error.kind() {
            io::ErrorKind::AddrInUse => format!("another program has UDP port {port}; {remedy}"),
            _ => format!("cannot listen on {listen}: {error}; see `listen` in the config and --port"),
        };
        Refusal::new(Exit::Refused, reason)
    })
}

fn key(text: &str) -> Result<Key, &'static str> {
    text.parse().map_err(|_| "a tracker's key is 64 hexadecimal digits; it prints them when it starts")
}

fn already(name: &AccountName, profile: &Profile) -> Refusal {
    let process = socket::process(profile.socket()).map(|pid| format!(" (process {pid})")).unwrap_or_default();
    let reason = format!(
        "{name} is already logged in here{process}; see how: peer status --as {name}, or end it: peer logout --as {name}"
    );
    Refusal::new(Exit::Refused, reason)
}

/// Ends the session and says how it ended, even if nobody answers.
async fn log_out(handle: &Handle) -> Refusal {
    let ending = async {
        // Refused only when it has ended already.
        let _ = handle.logout().await;
        handle.ended().await
    };
    time::timeout(FAREWELL, ending).await.unwrap_or_else(|_| Refusal::new(Exit::Done, "logged out"))
}

impl Session {
    async fn close(self) {
        self.server.close().await;
        self.endpoint.close(0u32.into(), b"");
        // So that the others hear of it rather than wait for silence.
        let _ = time::timeout(FAREWELL, self.endpoint.wait_idle()).await;
        if let Some(hosted) = self.hosted {
            hosted.stop().await;
        }
    }
}

/// What asks the process to end.
struct Signals(Signal, Signal);

impl Signals {
    fn new() -> io::Result<Signals> {
        Ok(Signals(signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}
