//! One link: the handshake and the hello, then a reader and a writer for as long as it lasts.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use common::{
    net::{
        stream::{FrameReader, ReadError, write_frames},
        tls::key_of,
    },
    wire::tracker::{Code, Hello, ToTracker},
};
use quinn::{Connection, Incoming, SendStream};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::timeout,
};
use tracing::debug;

use super::{Event, Link, Shared, Write, close_code};
use crate::core::{Input, SessionId};

/// How long a link may take to say hello.
const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// Why a link did not become a session, or is one no more.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("{0}")]
    Connection(#[from] quinn::ConnectionError),
    #[error("{0}")]
    Read(#[from] ReadError),
    #[error("the first frame was not a hello")]
    NoHello,
    #[error("no certificate with an identity key")]
    NoKey,
}

impl Broken {
    /// Whether it is the other side's doing, and not the network's.
    fn is_protest(&self) -> bool {
        !matches!(self, Broken::Connection(_) | Broken::Read(ReadError::Link(_)))
    }
}

/// Carries a link from its first packet to its end.
pub(crate) async fn serve(incoming: Incoming, session: SessionId, permit: OwnedSemaphorePermit, shared: Arc<Shared>) {
    let from = incoming.remote_address();
    let connection = match timeout(HELLO_WITHIN, incoming).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return shared.protests.note(from, &error.to_string()),
        Err(_) => return shared.protests.note(from, "the handshake took too long"),
    };
    match timeout(HELLO_WITHIN, hello(&connection)).await {
        Ok(Ok((hello, input, stream, reader))) => {
            let session = Serving { session, connection, shared };
            return session.run(hello, input, stream, reader, permit).await;
        }
        Ok(Err(broken)) => protest(&connection, &shared, from, &broken),
        Err(_) => {
            shared.protests.note(from, "no hello came");
            connection.close(close_code(Code::Protest), b"no hello came");
        }
    }
    shared.traffic.add(&connection);
}

async fn hello(connection: &Connection) -> Result<(Hello, common::Key, SendStream, FrameReader), Broken> {
    let key = key_of(connection).ok_or(Broken::NoKey)?;
    let (stream, receive) = connection.accept_bi().await?;
    let mut reader = FrameReader::new(receive);
    match reader.next::<ToTracker>().await? {
        Some(ToTracker::Hello(hello)) => Ok((hello, key, stream, reader)),
        _ => Err(Broken::NoHello),
    }
}

/// Closes a link with the reason, if the other side gave one.
fn protest(connection: &Connection, shared: &Shared, from: SocketAddr, broken: &Broken) {
    if broken.is_protest() {
        let reason = common::wire::printable(&broken.to_string());
        shared.protests.note(from, &reason);
        connection.close(close_code(Code::Protest), reason.as_bytes());
    } else {
        debug!(%from, reason = %broken, "a link is gone");
        connection.close(0u32.into(), b"");
    }
}

struct Serving {
    session: SessionId,
    connection: Connection,
    shared: Arc<Shared>,
}

impl Serving {
    async fn run(
        self,
        hello: Hello,
        key: common::Key,
        stream: SendStream,
        reader: FrameReader,
        permit: OwnedSemaphorePermit,
    ) {
        let session = self.session;
        let seen = self.connection.remote_address();
        let (writes, to_write) = mpsc::channel(2);
        let requests = Arc::new(Semaphore::new(self.shared.config.requests_per_session));
        let link = Link { connection: self.connection.clone(), writes, requests: requests.clone() };
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let input = Input::Hello { session, key, seen, hello, clock };
        if self.shared.events.send(Event::Opened { session, link, input }).await.is_err() {
            return;
        }
        let ended = tokio::select! {
            biased;
            ended = self.read(reader, &requests) => ended,
            ended = self.write(stream, to_write, permit) => ended,
        };
        match ended {
            Ok(()) => self.connection.close(0u32.into(), b""),
            Err(broken) => protest(&self.connection, &self.shared, seen, &broken),
        }
        // The driver may be gone, and the link with it.
        let _ = self.shared.events.send(Event::Input(Input::Lost { session })).await;
    }

    /// Reads until the link ends. A request is read only when one more may wait for its answer: who does not take
    /// answers is not listened to.
    async fn read(&self, mut reader: FrameReader, requests: &Semaphore) -> Result<(), Broken> {
        while let Some(frame) = reader.next::<ToTracker>().await? {
            if frame.is_request()
                && let Ok(permit) = requests.acquire().await
            {
                // The driver gives it back with the answer.
                permit.forget();
            }
            let input = Input::Frame { session: self.session, seen: self.connection.remote_address(), frame };
            if self.shared.events.send(Event::Input(input)).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Writes what the driver hands out, until the last frame has arrived.
    async fn write(
        &self,
        mut stream: SendStream,
        mut writes: mpsc::Receiver<Write>,
        permit: OwnedSemaphorePermit,
    ) -> Result<(), Broken> {
        let mut permit = Some(permit);
        while let Some(write) = writes.recv().await {
            match write {
                Write::Frames(mut frames) => {
                    // It is a session now, and bounded as such.
                    permit = None;
                    if write_frames(&mut stream, &mut frames).await.is_err() {
                        break;
                    }
                    let sent = Event::Input(Input::Sent { session: self.session });
                    if self.shared.events.send(sent).await.is_err() {
                        break;
                    }
                }
                Write::Last { frame, code, reason } => {
                    // What fails here fails because the link is gone already.
                    let _ = write_frames(&mut stream, &mut [frame]).await;
                    let _ = stream.finish();
                    let _ = stream.stopped().await;
                    self.connection.close(close_code(code), reason.as_bytes());
                    break;
                }
            }
        }
        drop(permit);
        Ok(())
    }
}
