//! Accepts clients of the control socket.

use std::{sync::Arc, time::Duration};

use common::wire::control::Refusal;
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt,
    net::UnixStream,
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time,
};

use super::{Session, Socket, connection, line, line::Fault};

/// Clients at once, at the most.
const CLIENTS: usize = 64;
/// How long the last answers may take to be written when the session ends.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// A control socket at work.
pub struct Server {
    closing: watch::Sender<Option<Refusal>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves `session` on `socket`.
    pub fn start(socket: Socket, session: impl Session) -> Server {
        let closing = watch::Sender::new(None);
        let task = tokio::spawn(run(socket, session, closing.subscribe()));
        Server { closing, task }
    }

    /// Takes no more requests, writes the answers to those taken, tells those who follow how the session has ended, and
    /// removes the socket.
    pub async fn close(self, end: Refusal) {
        self.closing.send_replace(Some(end));
        let _ = self.task.await;
    }
}

async fn run(socket: Socket, session: impl Session, mut closing: watch::Receiver<Option<Refusal>>) {
    let places = Arc::new(Semaphore::new(CLIENTS));
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = connection::until(&mut closing) => break,
            Some(_) = clients.join_next() => {}
            accepted = socket.listener.accept() => match (accepted, places.clone().try_acquire_owned()) {
                (Ok((stream, _)), Ok(place)) => {
                    let (session, closing) = (session.clone(), closing.clone());
                    clients.spawn(async move {
                        connection::serve(session, stream, closing).await;
                        drop(place);
                    });
                }
                (Ok((stream, _)), Err(_)) => turn_away(stream).await,
                // Most likely out of descriptors: one may be free in a while.
                (Err(error), _) => {
                    tracing::warn!("no client of the control socket can be accepted: {error}");
                    time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    drop(socket);
    let _ = time::timeout(LAST_ANSWERS, async { while clients.join_next().await.is_some() {} }).await;
}

async fn turn_away(mut stream: UnixStream) {
    let fault = Fault::new(1, format!("{CLIENTS} clients use this peer already; end one of them"));
    // The socket's buffer is empty, so this does not wait; and who is gone already need not be told.
    let _ = stream.write_all(&line::answer(&Value::Null, Err(fault))).await;
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use common::wire::control::{Event, Exit, Refusal, Say, Tail};
    use serde_json::json;
    use tokio::io::{AsyncBufReadExt, BufReader, Lines};

    use super::*;
    use crate::control::{Client, fake::Fake};

    struct Running {
        session: Fake,
        server: Server,
        path: PathBuf,
        _folder: tempfile::TempDir,
    }

    fn start() -> Running {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alice.sock");
        let session = Fake::new("alice");
        let server = Server::start(Socket::bind(&path).unwrap(), session.clone());
        Running { session, server, path, _folder: folder }
    }

    /// A client that writes and reads bare lines.
    struct Raw(Lines<BufReader<UnixStream>>);

    impl Raw {
        async fn new(running: &Running) -> Raw {
            Raw(BufReader::new(UnixStream::connect(&running.path).await.unwrap()).lines())
        }

        async fn write(&mut self, text: &str) {
            self.0.get_mut().write_all(text.as_bytes()).await.unwrap();
        }

        async fn read(&mut self) -> Value {
            serde_json::from_str(&self.0.next_line().await.unwrap().unwrap()).unwrap()
        }
    }

    fn say(text: &str, wait: Option<f64>) -> Say {
        Say { wait, ..Say::new("lobby".parse().unwrap(), text) }
    }

    #[tokio::test]
    async fn requests_are_answered_and_refusals_carry_the_exit_code() {
        let running = start();
        let mut client = Client::connect(&running.path).unwrap();
        assert_eq!(client.status().await.unwrap().name.as_str(), "alice");
        assert_eq!(client.rooms().await.unwrap().len(), 1);
        let refusal = client.leave("den".parse().unwrap()).await.unwrap_err();
        assert_eq!(refusal, Refusal::new(Exit::Refused, "you are not a member of den"));
    }

    #[tokio::test]
    async fn faults_of_the_protocol_have_its_codes() {
        let running = start();
        let mut raw = Raw::new(&running).await;
        for (request, code) in [
            ("{", -32700),
            ("[]", -32600),
            (r#"{"jsonrpc":"2.0","id":1,"method":"dance"}"#, -32601),
            (r#"{"jsonrpc":"2.0","id":1,"method":"join","params":{"room":"a b"}}"#, -32602),
            (r#"{"jsonrpc":"2.0","id":1,"method":"say","params":{"room":"lobby","text":"x","wait":-1}}"#, -32602),
        ] {
            raw.write(&format!("{request}\n")).await;
            assert_eq!(raw.read().await["error"]["code"], json!(code), "{request}");
        }
    }

    #[tokio::test]
    async fn a_line_too_long_is_told_and_ends_the_connection() {
        let running = start();
        let mut raw = Raw::new(&running).await;
        raw.write(&"x".repeat(line::REQUEST_BYTES + 1)).await;
        assert_eq!(raw.read().await["error"]["code"], json!(-32600));
        assert!(matches!(raw.0.next_line().await, Ok(None) | Err(_)));
    }

    #[tokio::test]
    async fn messages_are_begun_in_order_before_the_first_is_done_and_answered_in_order() {
        let running = start();
        running.session.gate.send_replace(false);
        let mut raw = Raw::new(&running).await;
        let mut requests = String::new();
        for n in 0..1_000 {
            let params = json!({"room": "lobby", "text": n.to_string()});
            requests += &format!("{}\n", json!({"jsonrpc": "2.0", "id": n, "method": "say", "params": params}));
        }
        requests += "{\"jsonrpc\":\"2.0\",\"id\":\"last\",\"method\":\"rooms\"}\n";
        raw.write(&requests).await;
        while running.session.says().0.len() < 256 {
            tokio::task::yield_now().await;
        }
        assert_eq!(running.session.says().1, 0);
        running.session.gate.send_replace(true);
        for n in 0..1_000 {
            assert_eq!(raw.read().await["id"], json!(n));
        }
        assert_eq!(raw.read().await["id"], json!("last"));
        assert_eq!(running.session.says().0, (0..1_000).map(|n| n.to_string()).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn with_wait_the_answer_comes_with_the_last_receipt_or_when_the_time_is_over() {
        let running = start();
        let mut client = Client::connect(&running.path).unwrap();
        let said = client.say(say("one", Some(0.01))).await.unwrap();
        assert_eq!((said.delivered.len(), said.pending.len()), (0, 1));
        let waiting = tokio::spawn(async move { client.say(say("two", Some(3600.0))).await });
        while running.session.says().1 < 2 {
            tokio::task::yield_now().await;
        }
        running.session.receipt();
        let said = waiting.await.unwrap().unwrap();
        assert_eq!((said.delivered.len(), said.pending.len()), (1, 0));
    }

    #[tokio::test]
    async fn with_wait_what_came_under_another_name_of_the_room_is_told_when_the_time_is_over() {
        let running = start();
        let mut client = Client::connect(&running.path).unwrap();
        let renamed = Say { wait: Some(0.5), ..Say::new("@bob".parse().unwrap(), "one") };
        let waiting = tokio::spawn(async move { client.say(renamed).await });
        while running.session.says().1 == 0 {
            tokio::task::yield_now().await;
        }
        // Its event is of the lobby.
        running.session.receipt();
        let said = waiting.await.unwrap().unwrap();
        assert_eq!((said.delivered.len(), said.pending.len()), (1, 0));
    }

    #[tokio::test]
    async fn a_text_over_the_limit_is_refused_with_the_limit() {
        let running = start();
        let mut client = Client::connect(&running.path).unwrap();
        let refusal = client.say(say(&"\u{1}".repeat(16_385), None)).await.unwrap_err();
        assert_eq!(refusal.code, Exit::Refused);
        assert!(refusal.message.contains("16384"), "{refusal}");
        assert!(client.say(say(&"\u{1}".repeat(16_384), None)).await.is_ok());
    }

    #[tokio::test]
    async fn a_tail_gives_the_past_and_then_what_happens_and_no_receipts() {
        let running = start();
        running.session.happen(1);
        let mut past = Client::connect(&running.path).unwrap().tail(Tail::default()).await.unwrap();
        assert!(past.next().await.unwrap().is_some());
        assert_eq!(past.next().await.unwrap(), None);

        let follow = Tail { follow: true, ..Tail::default() };
        let mut tail = Client::connect(&running.path).unwrap().tail(follow).await.unwrap();
        assert!(tail.next().await.unwrap().is_some());
        running.session.receipt();
        running.session.happen(2);
        let Some(Event::Message(message)) = tail.next().await.unwrap() else { panic!("no message") };
        assert_eq!(message.cursor, 2);
    }

    #[tokio::test]
    async fn a_follower_that_goes_is_let_go() {
        let running = start();
        let follow = Tail { follow: true, ..Tail::default() };
        running.session.happen(1);
        let mut tail = Client::connect(&running.path).unwrap().tail(follow).await.unwrap();
        tail.next().await.unwrap();
        assert_eq!(running.session.listeners(), 1);
        drop(tail);
        while running.session.listeners() > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn past_the_bound_a_client_is_turned_away() {
        let running = start();
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            let mut client = Client::connect(&running.path).unwrap();
            client.status().await.unwrap();
            clients.push(client);
        }
        let refusal = Client::connect(&running.path).unwrap().status().await.unwrap_err();
        assert!(refusal.message.contains("64 clients"), "{refusal}");
    }

    #[tokio::test]
    async fn the_answer_to_a_logout_is_written_before_the_socket_goes() {
        let running = start();
        let mut client = Client::connect(&running.path).unwrap();
        let asked = tokio::spawn(async move { client.logout().await });
        running.session.ended().await;
        running.server.close(Refusal::new(Exit::Done, "logged out")).await;
        assert_eq!(asked.await.unwrap(), Ok(()));
        assert!(!running.path.exists());
    }

    #[tokio::test]
    async fn who_follows_is_told_how_the_session_has_ended() {
        let running = start();
        running.session.happen(1);
        let follow = Tail { follow: true, ..Tail::default() };
        let mut tail = Client::connect(&running.path).unwrap().tail(follow).await.unwrap();
        assert!(tail.next().await.unwrap().is_some());
        let end = Refusal::new(Exit::Identity, "the tracker has another key");
        running.server.close(end.clone()).await;
        assert_eq!((tail.next().await.unwrap_err(), tail.end()), (end.clone(), Some(&end)));
    }
}
