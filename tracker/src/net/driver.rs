//! The one task that owns the core: it takes in what waits, stores what came of it, and only then carries it out.

use std::{collections::HashMap, pin::pin, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, sleep_until, timeout_at},
};
use tracing::{debug, error};

use super::{Event, Link, Shared, Write, close_code};
use crate::{
    Clock,
    core::{
        Input, Output, Row, SessionId, Tracker,
        accounts::{Outcome, Wanted},
    },
    status::Status,
    store::{Store, StoreError},
};

/// Events taken in before anything is done about them: one commit for all.
const BATCH: usize = 1_024;
/// How long the last frame of a session has to arrive before its link is cut.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(2);
/// The pauses between attempts to store, the first and the longest.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));

/// What whoever runs the tracker asks.
pub(crate) enum Question {
    /// How it is.
    Status(oneshot::Sender<Status>),
    /// To do something.
    Operate(Wanted, oneshot::Sender<Outcome>),
}

pub(crate) struct Driver {
    pub core: Tracker,
    pub store: Store,
    pub clock: Clock,
    pub shared: Arc<Shared>,
    pub events: mpsc::Receiver<Event>,
    pub questions: mpsc::Receiver<Question>,
    pub links: HashMap<SessionId, Link>,
    pub started: Instant,
    /// Who waits for the outcome of what it asked, by number, and the last number.
    pub answers: HashMap<u64, oneshot::Sender<Outcome>>,
    pub asked: u64,
}

impl Driver {
    /// Runs until `stop`, then says goodbye to everybody.
    pub async fn run(mut self, stop: oneshot::Receiver<()>) -> Result<(), StoreError> {
        let mut stop = pin!(stop);
        loop {
            let now = (self.clock)();
            let wake = self.core.deadline().map(|at| Instant::now() + Duration::from_millis(at.saturating_sub(now)));
            tokio::select! {
                biased;
                _ = &mut stop => break,
                Some(question) = self.questions.recv() => match question {
                    Question::Status(answer) => {
                        // Whoever asked may have gone.
                        let _ = answer.send(self.status());
                        continue;
                    }
                    Question::Operate(wanted, answer) => self.operate(wanted, answer),
                },
                Some(event) = self.events.recv() => self.take_in(event),
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
            }
            let outputs = self.core.poll((self.clock)());
            let (rows, rest) = split(outputs);
            if !rows.is_empty() {
                self.commit(rows, stop.as_mut()).await?;
            }
            rest.into_iter().for_each(|output| self.carry_out(output));
        }
        self.say_goodbye().await
    }

    /// Hands a wish to the core. The answer comes when what it has changed is stored.
    fn operate(&mut self, wanted: Wanted, answer: oneshot::Sender<Outcome>) {
        self.asked += 1;
        self.answers.insert(self.asked, answer);
        self.core.handle(Input::Operator { ask: self.asked, wanted }, (self.clock)());
    }

    /// Takes in an event and those that wait behind it.
    fn take_in(&mut self, first: Event) {
        let now = (self.clock)();
        self.take_in_one(first, now);
        for _ in 1..BATCH {
            let Ok(event) = self.events.try_recv() else { break };
            self.take_in_one(event, now);
        }
    }

    fn take_in_one(&mut self, event: Event, now: u64) {
        let input = match event {
            Event::Opened { session, link, input } => {
                debug!(from = %link.connection.remote_address(), "hello");
                self.links.insert(session, link);
                input
            }
            Event::Input(input) => input,
        };
        if let Input::Lost { session } = &input
            && let Some(link) = self.links.remove(session)
        {
            self.shared.traffic.add(&link.connection);
        }
        self.core.handle(input, now);
    }

    /// Stores rows, however long it takes: nothing that a crash could take back may be told to anybody. Fails only if
    /// the tracker is to stop meanwhile.
    async fn commit(
        &self,
        rows: Vec<Row>,
        mut stop: std::pin::Pin<&mut oneshot::Receiver<()>>,
    ) -> Result<(), StoreError> {
        let rows = Arc::new(rows);
        let mut pause = RETRY.0;
        loop {
            let Err(reason) = self.try_commit(rows.clone()).await else { return Ok(()) };
            error!(
                %reason, retry_ms = pause.as_millis() as u64,
                "cannot store changes, so nobody is told of them: see that the disk has space and the data folder can be written"
            );
            tokio::select! {
                biased;
                _ = &mut stop => return Err(reason),
                () = sleep(pause) => pause = RETRY.1.min(2 * pause),
            }
        }
    }

    async fn try_commit(&self, rows: Arc<Vec<Row>>) -> Result<(), StoreError> {
        if self.store.is_in_memory() {
            return self.store.commit(&rows);
        }
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || store.commit(&rows)).await {
            Ok(result) => result,
            Err(error) => Err(StoreError::Damaged(error.to_string())),
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            // Split off before.
            Output::Store(_) => {}
            Output::Send { session, frames, answers } => {
                if let Some(link) = self.links.get(&session) {
                    link.requests.add_permits(answers);
                    // There is space unless the link has just ended.
                    let _ = link.writes.try_send(Write::Frames(frames));
                }
            }
            Output::Outcome { ask, outcome } => {
                if let Some(answer) = self.answers.remove(&ask) {
                    // Whoever asked may have gone.
                    let _ = answer.send(outcome);
                }
            }
            Output::Close { session, last, code, reason } => {
                let Some(link) = self.links.get(&session) else { return };
                self.shared.protests.note(link.connection.remote_address(), &reason);
                // A link that takes nothing any more must not keep its memory.
                let (connection, late) = (link.connection.clone(), reason.clone());
                tokio::spawn(async move {
                    sleep(LAST_WORDS).await;
                    connection.close(close_code(code), late.as_bytes());
                });
                let _ = link.writes.try_send(Write::Last { frame: last, code, reason });
            }
        }
    }

    async fn say_goodbye(mut self) -> Result<(), StoreError> {
        let now = (self.clock)();
        self.core.handle(Input::Stop, now);
        let (rows, rest) = split(self.core.poll(now));
        if !rows.is_empty() {
            self.try_commit(Arc::new(rows)).await?;
        }
        rest.into_iter().for_each(|output| self.carry_out(output));
        let until = Instant::now() + LAST_WORDS;
        while !self.links.is_empty() {
            match timeout_at(until, self.events.recv()).await {
                Ok(Some(Event::Input(Input::Lost { session }))) => drop(self.links.remove(&session)),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        Ok(())
    }

    fn status(&self) -> Status {
        let (mut bytes_in, mut bytes_out) = self.shared.traffic.total();
        for link in self.links.values() {
            let stats = link.connection.stats();
            bytes_in += stats.udp_rx.bytes;
            bytes_out += stats.udp_tx.bytes;
        }
        let counts = self.core.counts();
        Status {
            v: 1,
            domain: self.shared.config.domain.to_string(),
            accounts: counts.accounts,
            sessions: counts.sessions,
            rooms: counts.rooms,
            members: counts.members,
            changes: counts.changes,
            pushes: counts.pushes,
            bytes_in,
            bytes_out,
            uptime_s: self.started.elapsed().as_secs(),
        }
    }
}

fn split(outputs: Vec<Output>) -> (Vec<Row>, Vec<Output>) {
    let mut rows = Vec::new();
    let mut rest = Vec::with_capacity(outputs.len());
    for output in outputs {
        match output {
            Output::Store(row) => rows.push(row),
            other => rest.push(other),
        }
    }
    (rows, rest)
}
