//! The task that owns the core: it feeds it inputs, has kept what must be kept, and then carries out the rest
//! (`outputs`).

mod outputs;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use common::{
    AccountName, Key,
    frame::Encoded,
    net::tls::Certificate,
    wire::control::{Event, Exit, Refusal},
};
use quinn::{Endpoint, VarInt};
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    time::{Instant, sleep_until, timeout, timeout_at},
};

use super::{accept, pool::Pool, sleep::SleepWatch};
use crate::{
    Config,
    core::{
        AskId, Core, Input, Now, Output, Row, Welcomed,
        command::{Answer, Ask},
    },
    files::{Files, Serving, Shelf},
    spawn::Host,
    store::Store,
};

/// Inputs taken together at the most: what gathers while the store syncs becomes one batch.
const TOGETHER: usize = 4_096;
/// Inputs that may wait before whoever brings them has to wait too.
pub(crate) const WAITING: usize = 1_024;
/// How long the store is left in peace before what it lacks of the search index is written.
const IDLE: Duration = Duration::from_secs(2);
/// The pause after a failed commit.
const RETRY: Duration = Duration::from_secs(1);
/// How long the last frames may take when the peer ends.
const FAREWELL: Duration = Duration::from_secs(2);
/// How often the host's own addresses are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// How often it is looked whether the host has slept.
const WATCH: Duration = Duration::from_secs(1);

/// Where links bring what they read.
pub type Inputs = mpsc::Sender<Input>;

/// A question and where its answer goes.
pub type Question = (Ask, oneshot::Sender<Result<Answer, Refusal>>);

/// Where one connection to the tracker brings what it reads; what comes late from an earlier one is not taken.
#[derive(Clone)]
pub struct TrackerInputs {
    inputs: mpsc::Sender<(u64, Input)>,
    connection: u64,
}

impl TrackerInputs {
    /// Brings one input.
    pub async fn send(&self, input: Input) {
        // Without a driver there is nobody left to be told.
        let _ = self.inputs.send((self.connection, input)).await;
    }
}

/// What the driver tells the handles.
pub struct Tells {
    /// Events as they happen.
    pub events: broadcast::Sender<Event>,
    /// Who is typing. While nobody is subscribed, no peer sends it.
    pub typing: broadcast::Sender<Event>,
    /// What the user is called now.
    pub name: watch::Sender<AccountName>,
    /// The tracker's latest welcome.
    pub welcomed: watch::Sender<Option<Welcomed>>,
}

/// Everything the driver works with.
pub struct Driver {
    pub core: Core,
    pub me: Key,
    pub config: Config,
    pub endpoint: Endpoint,
    pub certificate: Certificate,
    pub tracker: Option<std::net::SocketAddr>,
    pub store: Store,
    /// The file of the address book.
    pub book: Option<PathBuf>,
    /// The folder for what proves files.
    pub files: PathBuf,
    pub host: Host,
    pub asks: mpsc::Receiver<Question>,
    pub tells: Tells,
    /// Told why the session ended, once everybody has been told.
    pub ended: watch::Sender<Option<Refusal>>,
}

impl Driver {
    /// Runs until the session ends.
    pub async fn run(self) {
        let (inputs_in, inputs) = mpsc::channel(WAITING);
        let (tracker_in, tracker_inputs) = mpsc::channel(WAITING);
        let pool = Pool::new(Serving::new(Shelf::new(self.files)));
        let files = Files::new(pool.clone(), inputs_in.clone());
        let accepting = tokio::spawn(accept::run(self.endpoint.clone(), pool.clone(), inputs_in.clone()));
        let running = Running {
            core: self.core,
            me: self.me,
            config: self.config,
            endpoint: self.endpoint.clone(),
            certificate: self.certificate,
            address: self.tracker,
            store: self.store,
            book: self.book,
            host: self.host,
            tells: self.tells,
            pool,
            files,
            inputs: inputs_in,
            tracker_inputs: tracker_in,
            tracker: None,
            connection: 0,
            replies: BTreeMap::new(),
            last_ask: 0,
            began: Instant::now(),
        };
        let ended = self.ended;
        let why = running.run(self.asks, inputs, tracker_inputs).await;
        // Each link closes once what it was told last has arrived.
        accepting.abort();
        let _ = timeout(FAREWELL, self.endpoint.wait_idle()).await;
        self.endpoint.close(VarInt::from_u32(0), b"logged out");
        ended.send_replace(Some(why));
    }
}

struct Running {
    core: Core,
    me: Key,
    config: Config,
    endpoint: Endpoint,
    certificate: Certificate,
    address: Option<std::net::SocketAddr>,
    store: Store,
    book: Option<PathBuf>,
    host: Host,
    tells: Tells,
    pool: Pool,
    files: Files,
    inputs: Inputs,
    tracker_inputs: mpsc::Sender<(u64, Input)>,
    tracker: Option<mpsc::UnboundedSender<Encoded>>,
    connection: u64,
    replies: BTreeMap<AskId, oneshot::Sender<Result<Answer, Refusal>>>,
    last_ask: u64,
    began: Instant,
}

impl Running {
    async fn run(
        mut self,
        mut asks: mpsc::Receiver<Question>,
        mut inputs: mpsc::Receiver<Input>,
        mut tracker_inputs: mpsc::Receiver<(u64, Input)>,
    ) -> Refusal {
        let mut look_at = self.began;
        let mut sleep = SleepWatch::default();
        let mut watch_at = self.began;
        let mut index_at = Some(self.began + IDLE);
        let mut handles_left = true;
        loop {
            let deadline = self.began + Duration::from_millis(self.core.deadline().min(u64::from(u32::MAX)));
            tokio::select! {
                biased;
                Some((connection, input)) = tracker_inputs.recv() => self.take_tracker(connection, input),
                Some(input) = inputs.recv() => self.take(input),
                ask = asks.recv(), if handles_left && self.core.takes_asks() => match ask {
                    Some(ask) => self.take_ask(ask),
                    None => {
                        handles_left = false;
                        self.core.handle(Input::Ask(AskId(0), Ask::Logout), self.now());
                    }
                },
                () = sleep_until(watch_at) => watch_at = Instant::now() + WATCH,
                () = sleep_until(look_at) => {
                    look_at = Instant::now() + LOOK;
                    let addresses = (self.host.interfaces)(self.port());
                    self.take(Input::Interfaces(addresses));
                }
                () = sleep_until(index_at.unwrap_or(self.began)), if index_at.is_some() => {
                    index_at = self.index().await;
                }
                () = sleep_until(deadline) => self.take(Input::Tick),
            }
            // One of each in turn: neither a busy link nor a busy user keeps the others waiting.
            for _ in 0..TOGETHER {
                let tracker = tracker_inputs.try_recv().map(|(connection, input)| self.take_tracker(connection, input));
                let link = inputs.try_recv().map(|input| self.take(input));
                let ask = self.core.takes_asks() && asks.try_recv().map(|ask| self.take_ask(ask)).is_ok();
                if tracker.is_err() && link.is_err() && !ask {
                    break;
                }
            }
            if sleep.slept(self.now()) {
                tracing::info!("this host has slept: everybody is dialled again");
                look_at = Instant::now();
                self.take(Input::Woke);
            }
            self.take(Input::Looks(self.tells.typing.receiver_count() > 0));
            let outputs = self.core.flush(self.now());
            self.tells.name.send_if_modified(|name| {
                let renamed = name != self.core.name();
                if renamed {
                    name.clone_from(self.core.name());
                }
                renamed
            });
            let (rows, outputs) = rows_first(outputs);
            if !rows.is_empty() {
                index_at = Some(Instant::now() + IDLE);
                if let Err(why) = self.keep(rows, &mut asks).await {
                    return why;
                }
            }
            for output in outputs {
                if let Output::End(why) = output {
                    return why;
                }
                self.carry_out(output);
            }
        }
    }

    fn now(&self) -> Now {
        Now { at: self.began.elapsed().as_millis() as u64, wall: (self.host.clock)() }
    }

    fn port(&self) -> u16 {
        self.endpoint.local_addr().map_or(0, |address| address.port())
    }

    fn take(&mut self, input: Input) {
        let now = self.now();
        self.core.handle(input, now);
    }

    fn take_tracker(&mut self, connection: u64, input: Input) {
        if connection == self.connection {
            self.take(input);
        }
    }

    fn take_ask(&mut self, (ask, reply): Question) {
        self.last_ask += 1;
        let id = AskId(self.last_ask);
        self.replies.insert(id, reply);
        self.take(Input::Ask(id, ask));
    }

    /// Nothing goes out before it is kept. While it cannot be (a full disk, say) everything waits, links hold back,
    /// and nothing is promised that could be lost. Whoever asks is told. A damaged history will never take it: the
    /// session is to end, and the next start repairs it.
    async fn keep(&mut self, rows: Vec<Row>, asks: &mut mpsc::Receiver<Question>) -> Result<(), Refusal> {
        let rows = Arc::new(rows);
        while let Err(error) = self.store.commit(rows.clone()).await {
            if error.is_damage() {
                let why =
                    format!("{error}. What was not answered was not kept; log in again, which repairs the history");
                return Err(Refusal::new(Exit::Refused, why));
            }
            tracing::error!("{error}; nothing is sent or receipted until it can be kept. Trying again");
            let said = format!(
                "not kept yet: {error}. Make room for it; what was said goes out by itself then, so do not say it again"
            );
            for (_, asker) in std::mem::take(&mut self.replies) {
                // Whoever asked may have gone.
                let _ = asker.send(Err(Refusal::new(Exit::Unreachable, said.clone())));
            }
            let again = Instant::now() + RETRY;
            let refusal = format!(
                "nothing can be kept, so nothing is done: {error}. Make room, and it goes on by itself; to end the session \
                 instead: peer logout"
            );
            while let Ok(asked) = timeout_at(again, asks.recv()).await {
                match asked {
                    Some((Ask::Logout, asker)) => return Err(self.give_up(&rows, Some(asker))),
                    None => return Err(self.give_up(&rows, None)),
                    Some((_, asker)) => {
                        let _ = asker.send(Err(Refusal::new(Exit::Unreachable, refusal.clone())));
                    }
                }
            }
        }
        Ok(())
    }

    /// The session is to end although something could not be kept. What others said comes again; what the user said does
    /// not, and they are told.
    fn give_up(&self, rows: &[Row], asker: Option<oneshot::Sender<Result<Answer, Refusal>>>) -> Refusal {
        let own = rows.iter().map(|row| match row {
            Row::Segment(segment) if segment.author == self.me => segment.last + 1 - segment.first,
            _ => 0,
        });
        let (why, answer) = match own.sum::<u64>() {
            0 => (Refusal::new(Exit::Done, "logged out"), Ok(Answer::Done)),
            lost => {
                let lost = if lost == 1 { "1 message".into() } else { format!("{lost} messages") };
                let why = format!(
                    "logged out, and {lost} of yours that could not be kept went to nobody: make room, log in again and say \
                     it once more"
                );
                let why = Refusal::new(Exit::Refused, why);
                (why.clone(), Err(why))
            }
        };
        if let Some(asker) = asker {
            let _ = asker.send(answer);
        }
        why
    }

    async fn index(&mut self) -> Option<Instant> {
        let noted = self.store.note_some().await;
        match noted.and(self.store.index_some().await) {
            Ok(true) => Some(Instant::now()),
            Ok(false) => None,
            Err(error) => {
                tracing::warn!("the search index could not be written: {error}");
                Some(Instant::now() + LOOK)
            }
        }
    }
}

fn rows_first(outputs: Vec<Output>) -> (Vec<Row>, Vec<Output>) {
    let mut rows = Vec::new();
    let outputs = outputs
        .into_iter()
        .filter_map(|output| match output {
            Output::Keep(row) => {
                rows.push(row);
                None
            }
            output => Some(output),
        })
        .collect();
    (rows, outputs)
}
