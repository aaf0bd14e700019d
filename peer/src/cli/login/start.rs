//! Logging in: from the folders to the welcome of the tracker.

use std::{
    fs::File,
    io,
    net::{SocketAddr, UdpSocket},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use common::{
    AccountName, Identity, Key,
    identity::IdentityError,
    net::{endpoint, tls},
    why,
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
    profile::{Folders, Kept, KeptTracker, Profile, ProfileError},
    reach,
};
use quinn::Endpoint;
use tokio::{sync::oneshot, time};

use super::{
    Login,
    run::{FAREWELL, log_out},
    traces::Traces,
};
use crate::cli::host;

/// How long the tracker has for its welcome.
const WELCOME: Duration = Duration::from_secs(10);

/// A peer that is logged in, and what ends with it.
pub struct Session {
    /// The peer.
    pub handle: Handle,
    /// Its UDP socket.
    pub endpoint: Endpoint,
    /// Where its control socket is.
    pub socket: PathBuf,
    /// Its tracker, if it has one.
    pub tracker: Option<SocketAddr>,
    /// The domain of that.
    pub domain: Option<String>,
    server: Server,
    hosted: Option<host::Running>,
    _held: Arc<File>,
}

/// The same, and what may still go wrong.
pub struct Started {
    /// The session.
    pub session: Session,
    /// Why it cannot go on, of a tracker that has answered only after the login; closed where that cannot be any more.
    pub trouble: oneshot::Receiver<anyhow::Error>,
    /// What there is to tell the user.
    pub told: Vec<String>,
}

/// A login that has failed.
enum Failed {
    /// Nobody has heard of it, or the tracker refuses it: no account begins with it.
    ForNothing(anyhow::Error),
    /// The tracker may have registered the account, and without its key that would be lost.
    Perhaps(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failed {
    fn from(error: E) -> Failed {
        Failed::ForNothing(error.into())
    }
}

/// Everything from the folders to the welcome of the tracker. What a first login that comes to nothing has made on disk is
/// taken away again.
///
/// # Errors
/// Why there is no session.
pub async fn start(login: &Login, config: Config, folders: &Folders) -> Result<Started> {
    let name = &login.name;
    if let Some(named) = named(login, &config) {
        // Before anything is made.
        discover::check(named)?;
    }
    let profile = folders.profile(name);
    let held = profile.open().map_err(|error| match error {
        ProfileError::InUse => already(name, &profile).into(),
        error => anyhow::Error::from(error),
    })?;
    profile.note_end(None);
    // From here on nobody else has the profile: what comes into it is of this login.
    let traces = Traces::before(&profile);
    let held = Arc::new(held);
    log_in(login, config, folders, profile, held.clone()).await.map_err(|failed| match failed {
        Failed::ForNothing(error) => {
            traces.remove();
            error
        }
        Failed::Perhaps(error) => error,
    })
}

async fn log_in(
    login: &Login,
    config: Config,
    folders: &Folders,
    profile: Profile,
    held: Arc<File>,
) -> Result<Started, Failed> {
    let name = &login.name;
    let socket = Socket::bind(profile.socket()).map_err(|error| match error {
        socket::SocketError::Alive => already(name, &profile).into(),
        error => anyhow::Error::from(error),
    })?;
    if !profile.key().exists() && profile.history().exists() {
        return Err(keyless(name, &profile).into());
    }
    let identity = Identity::load_or_create(&profile.key()).map_err(|error| unusable(error, name))?;
    let mut kept = profile.kept()?;
    // A tracker inside that has run here before is one's own.
    let own = login.host && folders.tracker_data().join("key").exists();
    if kept.lost && login.tracker_key.is_none() && login.meet.is_none() && !own {
        return Err(unpinned(name, &profile).into());
    }
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
    let mut told: Vec<String> = handle.salvaged().map(ToString::to_string).into_iter().collect();
    let tracker = target.as_ref().map(|target| target.address);
    let (late, trouble) = oneshot::channel();
    let domain = match target {
        Some(target) => welcome(&handle, target, &profile, kept, late, login.headless.then_some(&mut told)).await?,
        None => None,
    };
    let status = handle.status().await.map_err(|error| Failed::Perhaps(error.into()))?;
    called.found(&status.name);
    let was_hosted = hosted.is_none() && tracker.is_some_and(|tracker| tracker.ip().to_canonical().is_loopback());
    if was_hosted && status.tracker_state != "up" && folders.tracker_data().join("key").exists() {
        told.push(format!(
            "the tracker that ran inside of a login here is not there, and everybody misses it: peer logout, and then \
             peer login {name} --host brings it back"
        ));
    }
    let server = Server::start(socket, handle.clone());
    let socket = profile.socket().to_owned();
    let session = Session { handle, endpoint, socket, tracker, domain, server, hosted, _held: held };
    Ok(Started { session, trouble, told })
}

/// Waits for the tracker. One that was met before need not answer: the rooms go on with the members known.
/// What is wrong with its welcome then comes by `late`.
async fn welcome(
    handle: &Handle,
    target: Target,
    profile: &Profile,
    kept: Kept,
    late: oneshot::Sender<anyhow::Error>,
    told: Option<&mut Vec<String>>,
) -> Result<Option<String>, Failed> {
    let address = target.address;
    match time::timeout(WELCOME, handle.welcomed()).await {
        Ok(Ok(welcomed)) => {
            let domain = welcomed.domain.to_string();
            if let Err(error) = keep(welcomed, address, profile, kept) {
                log_out(handle).await;
                return Err(Failed::Perhaps(error));
            }
            Ok(Some(domain))
        }
        Ok(Err(refusal)) if matches!(refusal.code, Exit::Refused | Exit::Identity) => {
            Err(Failed::ForNothing(refusal.into()))
        }
        Ok(Err(refusal)) => Err(Failed::Perhaps(refusal.into())),
        Err(_) => {
            let Some(last) = kept.tracker.clone() else {
                let why = handle.status().await.ok().and_then(|status| status.trouble);
                let why = why.unwrap_or_else(|| "it does not answer".into());
                let reason = format!(
                    "cannot log in at the tracker {address}: {why}. Check that it runs, and that no firewall keeps \
                     UDP port {} from it",
                    address.port()
                );
                return Err(Failed::Perhaps(Refusal::new(Exit::Unreachable, reason).into()));
            };
            // A chat and a screen tell it by themselves, and tell when it is back.
            if let Some(told) = told {
                told.push(format!(
                    "the tracker at {address} does not answer; the rooms go on with the members known, and it is tried again"
                ));
            }
            let (handle, profile) = (handle.clone(), profile.clone());
            tokio::spawn(async move {
                if let Ok(welcomed) = handle.welcomed().await
                    && let Err(error) = keep(welcomed, address, &profile, kept)
                {
                    // A session that is ending needs no reason any more.
                    let _ = late.send(error);
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
    Ok(profile.keep(&Kept { tracker, lost: false, ..kept })?)
}

/// The tracker that was named, here or in the config.
fn named<'a>(login: &'a Login, config: &'a Config) -> Option<&'a String> {
    login.tracker.as_ref().or(Some(&config.tracker)).filter(|named| !named.is_empty())
}

async fn find(
    login: &Login,
    config: &Config,
    kept: &Kept,
    endpoint: &Endpoint,
    certificate: &tls::Certificate,
) -> Result<Target, Refusal> {
    let last = kept.tracker.as_ref();
    if let Some(named) = named(login, config) {
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
            _ => format!("cannot listen on {listen}: {}; see `listen` in the config and --port", why(&error)),
        };
        Refusal::new(Exit::Refused, reason)
    })
}

/// With a new key they would be somebody else, under a name that the tracker has given to the old one.
fn keyless(name: &AccountName, profile: &Profile) -> Refusal {
    let reason = format!(
        "{name} has a history here, but the key {} is gone, and with a new one you would be somebody else. Put your copy of it \
         back; without one, ask whoever runs the tracker for: tracker reset-key {name}, and move the history away",
        profile.key().display()
    );
    Refusal::new(Exit::Identity, reason)
}

/// With another tracker in the place of the one that was lost its key would change silently.
fn unpinned(name: &AccountName, profile: &Profile) -> Refusal {
    let reason = format!(
        "{name} has a history here, but {}, which holds the key of your tracker, is gone. Put your copy of it back, or \
         ask whoever runs the tracker for its key, and: peer login {name} --tracker HOST --tracker-key KEY",
        profile.kept_file().display()
    );
    Refusal::new(Exit::Identity, reason)
}

fn unusable(error: IdentityError, name: &AccountName) -> anyhow::Error {
    match error {
        IdentityError::Malformed { .. } => {
            let reason = format!(
                "{error}. Put your copy of it back; without one, ask whoever runs the tracker for: tracker reset-key {name}"
            );
            Refusal::new(Exit::Identity, reason).into()
        }
        error => error.into(),
    }
}

fn already(name: &AccountName, profile: &Profile) -> Refusal {
    let process = socket::process(profile.socket()).map(|pid| format!(" (process {pid})")).unwrap_or_default();
    let reason = format!(
        "{name} is already logged in here{process}; see how: peer status --as {name}, or end it: peer logout --as {name}"
    );
    Refusal::new(Exit::Refused, reason)
}

impl Session {
    /// Hangs up everywhere, and takes the socket away; those who follow it are told how it has ended.
    pub async fn close(self, end: Refusal) {
        self.server.close(end).await;
        self.endpoint.close(0u32.into(), b"");
        // So that the others hear of it rather than wait for silence.
        let _ = time::timeout(FAREWELL, self.endpoint.wait_idle()).await;
        if let Some(hosted) = self.hosted {
            hosted.stop().await;
        }
    }
}
