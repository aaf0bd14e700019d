//! A tracker at work: started, asked, stopped. The binary, a peer that hosts one and the simulators all use this.

use std::{
    collections::HashMap,
    future::Future,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use common::{
    net::{
        endpoint,
        tls::{Certificate, TlsError},
    },
    table::Misfit,
    why,
    wire::tracker::{ALPN, Code},
};
use quinn::{Endpoint, ServerConfig};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};

use crate::{
    config::Config,
    core::{
        Tracker,
        accounts::{Outcome, Wanted},
    },
    net::{Driver, Question, Shared, accept, close_code},
    status::Status,
    store::{Store, StoreError},
    task::Task,
};

/// Milliseconds since 1970; must never go back. Simulators give their own.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Why a tracker cannot start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tables cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tables contradict themselves.
    #[error("the tables are damaged ({0}): put back a copy, or move them away to begin with empty ones")]
    Tables(#[from] Misfit),
    /// The system refused something.
    #[error("the socket cannot be used: {}; start the tracker again", why(.0))]
    Socket(#[from] std::io::Error),
    /// A task panicked.
    #[error("the tracker broke down: {0}; nothing that was stored is lost, start it again")]
    Broken(#[from] tokio::task::JoinError),
}

/// What a tracker is made of.
pub struct Parts {
    /// Its settings.
    pub config: Config,
    /// Its socket, accepting by [`server_config`].
    pub endpoint: Endpoint,
    /// Its tables.
    pub store: Store,
    /// Its clock.
    pub clock: Clock,
    /// Another number at each start: presence does not outlive it.
    pub run: u64,
}

/// How a tracker's endpoint accepts links.
pub fn server_config(certificate: &Certificate, config: &Config) -> Result<ServerConfig, TlsError> {
    endpoint::server_config(certificate, ALPN, &config.link_limits())
}

/// The system's time at the first call's moment, and from there on as the runtime's clock runs: it never goes back.
pub fn system_clock() -> Clock {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
    let start = Instant::now();
    Arc::new(move || since_1970 + start.elapsed().as_millis() as u64)
}

/// Runs a tracker until `shutdown` is ready.
pub async fn run(parts: Parts, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    let mut running = Running::start(parts)?;
    tokio::select! {
        biased;
        () = shutdown => running.stop().await,
        error = running.ended() => error,
    }
}

/// Asks a running tracker how it is. Clones ask the same one.
#[derive(Clone)]
pub struct Asker(mpsc::Sender<Question>);

impl Asker {
    /// What the tracker holds and has carried; `None` once it has stopped.
    pub async fn status(&self) -> Option<Status> {
        let (question, answer) = oneshot::channel();
        self.0.send(Question::Status(question)).await.ok()?;
        answer.await.ok()
    }

    /// Does something that whoever runs the tracker wants, and stores it; `None` if the tracker has stopped.
    pub async fn operate(&self, wanted: Wanted) -> Option<Outcome> {
        let (question, answer) = oneshot::channel();
        self.0.send(Question::Operate(wanted, question)).await.ok()?;
        answer.await.ok()
    }
}

/// A tracker at work. Dropping it ends it like a crash: nobody is told.
pub struct Running {
    // First, so that dropping all this does not count as telling it to stop.
    driver: Task<Result<(), StoreError>>,
    _accept: Task<()>,
    stop: Option<oneshot::Sender<()>>,
    address: SocketAddr,
    endpoint: Endpoint,
    asker: Asker,
}

impl Running {
    /// Reads the tables and begins to accept links. To be called within a tokio runtime.
    pub fn start(parts: Parts) -> Result<Running, Error> {
        let Parts { config, endpoint, store, clock, run } = parts;
        let address = endpoint.local_addr()?;
        let core = Tracker::new(config.clone(), store.load()?, run, clock())?;
        let (to_driver, events) = mpsc::channel(4_096);
        let (asker, questions) = mpsc::channel(16);
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::new(Shared::new(config, to_driver));
        let driver = Driver {
            core,
            store,
            clock,
            shared: shared.clone(),
            events,
            questions,
            links: HashMap::new(),
            started: Instant::now(),
            answers: HashMap::new(),
            asked: 0,
        };
        Ok(Running {
            address,
            asker: Asker(asker),
            stop: Some(stop),
            driver: Task(tokio::spawn(driver.run(stopped))),
            _accept: Task(tokio::spawn(accept(endpoint.clone(), shared))),
            endpoint,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// For asking it how it is.
    pub fn asker(&self) -> Asker {
        self.asker.clone()
    }

    /// Ready when the tracker has ended without being told to.
    pub async fn ended(&mut self) -> Result<(), Error> {
        Ok((&mut self.driver.0).await??)
    }

    /// Tells every session goodbye and closes the socket; takes at most 4 seconds.
    pub async fn stop(mut self) -> Result<(), Error> {
        // The driver takes the sender's end for the word to stop.
        drop(self.stop.take());
        let ended = self.ended().await;
        self.endpoint.close(close_code(Code::ShuttingDown), b"the tracker is shutting down");
        // Who does not hear it will notice by silence.
        let _ = timeout(Duration::from_secs(2), self.endpoint.wait_idle()).await;
        ended
    }
}
