//! One client of the control socket. Its requests are answered in their order. Messages to be said are started as
//! they come in, so that those sent without awaiting answers gather into one batch; any other request waits until
//! all before it are answered.

use std::{collections::VecDeque, future::poll_fn, io, task::Poll};

use common::wire::control::{Event, Exit, Refusal, Tail};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncWriteExt, BufReader, BufWriter},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    task::{self, JoinHandle},
};

use super::{
    Follow, Lasting, Session, call, describe,
    line::{self, Fault, Lines, REQUEST_BYTES, Request},
};

/// Messages of one client that are being said, at the most.
const SAYING: usize = 256;
/// Lines that wait for a slow client, at the most.
const WAITING: usize = 32;

/// Serves a client until it goes or `closing` says how the session has ended; what was asked before is answered.
pub async fn serve(session: impl Session, stream: UnixStream, mut closing: watch::Receiver<Option<Refusal>>) {
    let (input, output) = stream.into_split();
    let (out, lines) = mpsc::channel(WAITING);
    let writer = tokio::spawn(write(output, lines));
    let mut connection = Connection {
        session,
        input: Lines::new(BufReader::new(input), REQUEST_BYTES),
        out: out.clone(),
        saying: VecDeque::new(),
        following: None,
    };
    // Fails only when the client is gone: then nobody is left to be told.
    let _ = connection.run(&mut closing).await;
    if let Some(following) = connection.following.take() {
        following.abort();
        let end = closing.borrow().clone();
        if let Some(end) = end {
            // The same: it is only for who is there.
            let _ = out.send(line::notification("ended", &Fault::from(end))).await;
        }
    }
    drop((connection, out));
    let _ = writer.await;
}

/// Waits until the server closes.
pub async fn until(closing: &mut watch::Receiver<Option<Refusal>>) {
    // A server that is no more has closed too.
    let _ = closing.wait_for(Option::is_some).await;
}

/// The client is gone.
struct Gone;

impl<T> From<mpsc::error::SendError<T>> for Gone {
    fn from(_: mpsc::error::SendError<T>) -> Gone {
        Gone
    }
}

struct Connection<S> {
    session: S,
    input: Lines<BufReader<OwnedReadHalf>>,
    out: mpsc::Sender<Vec<u8>>,
    saying: VecDeque<JoinHandle<Option<Vec<u8>>>>,
    following: Option<JoinHandle<Result<(), Gone>>>,
}

impl<S: Session> Connection<S> {
    async fn run(&mut self, closing: &mut watch::Receiver<Option<Refusal>>) -> Result<(), Gone> {
        loop {
            let room = self.saying.len() < SAYING;
            tokio::select! {
                biased;
                () = until(closing) => return self.finish().await,
                said = first(&mut self.saying) => self.answer(said).await?,
                line = self.input.next(), if room => match line {
                    Ok(Some(line)) => self.take(&line).await?,
                    Ok(None) => return self.finish().await,
                    Err(error) => {
                        self.finish().await?;
                        if error.kind() == io::ErrorKind::InvalidData {
                            let fault = Fault::new(Fault::NOT_A_REQUEST, error.to_string());
                            self.out.send(line::answer(&Value::Null, Err(fault))).await?;
                        }
                        return Ok(());
                    }
                },
            }
        }
    }

    async fn take(&mut self, line: &[u8]) -> Result<(), Gone> {
        let mut request = match Request::read(line) {
            Ok(request) => request,
            Err((id, fault)) => {
                self.finish().await?;
                return Ok(self.out.send(line::answer(&id, Err(fault))).await?);
            }
        };
        // What is not told is not served, so that nothing is served that is not told.
        let known = describe::method(&request.method).ok_or_else(|| {
            let why = format!("there is no method {:?}; see which there are: peer rpc --describe", request.method);
            Fault::new(Fault::NO_METHOD, why)
        });
        if let Err(fault) = known.and_then(|method| describe::check(method, &request.params)) {
            self.finish().await?;
            return self.answer(request.id.map(|id| line::answer(&id, Err(fault)))).await;
        }
        request.params = describe::given(request.params);
        if request.method == "say" {
            self.start_saying(request).await;
            return Ok(());
        }
        self.finish().await?;
        let result = match request.method.as_str() {
            "tail" => self.tail(request.params).await?,
            method => call::call(&self.session, method, request.params).await,
        };
        self.answer(request.id.map(|id| line::answer(&id, result))).await
    }

    /// Polls the message's future here once, which gives it its place, and leaves the rest to a task of its own.
    async fn start_saying(&mut self, Request { id, params, .. }: Request) {
        let session = self.session.clone();
        // Unconstrained, because a poll that tokio puts off to be fair to others would give no place.
        let mut saying = Box::pin(task::unconstrained(async move {
            let result = call::say(session, params).await;
            id.map(|id| line::answer(&id, result))
        }));
        let begun = poll_fn(|context| Poll::Ready(saying.as_mut().poll(context))).await;
        self.saying.push_back(match begun {
            Poll::Ready(answer) => tokio::spawn(async move { answer }),
            Poll::Pending => tokio::spawn(saying),
        });
    }

    /// Answers all that is being said.
    async fn finish(&mut self) -> Result<(), Gone> {
        while !self.saying.is_empty() {
            let said = first(&mut self.saying).await;
            self.answer(said).await?;
        }
        Ok(())
    }

    async fn answer(&self, answer: Option<Vec<u8>>) -> Result<(), Gone> {
        match answer {
            Some(line) => Ok(self.out.send(line).await?),
            None => Ok(()),
        }
    }

    async fn tail(&mut self, params: Value) -> Result<Result<Value, Fault>, Gone> {
        let Tail { room, since, follow, latest, typing, receipts } = match call::read(params) {
            Ok(tail) => tail,
            Err(fault) => return Ok(Err(fault)),
        };
        if follow && self.following.as_ref().is_some_and(|task| !task.is_finished()) {
            let reason = "this connection follows events already; open another one";
            return Ok(Err(Refusal::new(Exit::Refused, reason).into()));
        }
        let mut events = Follow::new(self.session.clone(), room, since).latest(latest);
        loop {
            match events.next_past().await {
                Ok(Some(event)) => notify(&self.out, &event).await?,
                Ok(None) => break,
                Err(refusal) => return Ok(Err(refusal.into())),
            }
        }
        if follow {
            if typing {
                events = events.typing();
            }
            let (out, mut events) = (self.out.clone(), Lasting::new(self.session.clone(), events));
            self.following = Some(tokio::spawn(async move {
                while let Ok(event) = events.next().await {
                    if receipts || !matches!(event, Event::Receipt(_) | Event::Read(_)) {
                        notify(&out, &event).await?;
                    }
                }
                Ok(())
            }));
        }
        Ok(Ok(json!({})))
    }
}

async fn notify(out: &mpsc::Sender<Vec<u8>>, event: &Event) -> Result<(), Gone> {
    Ok(out.send(line::notification("event", event)).await?)
}

/// The answer to the first message being said; never, while there is none.
async fn first(saying: &mut VecDeque<JoinHandle<Option<Vec<u8>>>>) -> Option<Vec<u8>> {
    let Some(task) = saying.front_mut() else { return std::future::pending().await };
    let answer = task.await;
    saying.pop_front();
    // Fails only if the runtime is going down.
    answer.ok().flatten()
}

/// Writes lines, as many at once as there are.
async fn write(output: OwnedWriteHalf, mut lines: mpsc::Receiver<Vec<u8>>) -> io::Result<()> {
    let mut output = BufWriter::with_capacity(64 * 1024, output);
    while let Some(line) = lines.recv().await {
        output.write_all(&line).await?;
        while let Ok(line) = lines.try_recv() {
            output.write_all(&line).await?;
        }
        output.flush().await?;
    }
    output.shutdown().await
}
