//! A client of a running peer's control socket.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use common::{
    AccountName, RoomName,
    wire::control::{
        Cancel, Cancelled, Changes, Create, Delete, Door, Edit, Event, Exit, History, InRoom, Join, Joining, MarkRead,
        Member, Order, Ordered, Outbox, Path as MemberPath, React, Read, Receipt, Receipts, Refusal, Rename, Room,
        Said, Say, Since, Status, TableLine, Tail, files::AskFiles, people::AskPeople,
    },
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    time,
};

use super::{
    line::{ANSWER_BYTES, Fault, Lines, line},
    socket,
};

/// How long an answer may take, beyond what it was asked to wait.
const PATIENCE: Duration = Duration::from_secs(30);

/// The same where files are hashed first, however large they are.
const HASHING: Duration = Duration::from_secs(24 * 60 * 60);

/// A connection to a running peer.
pub struct Client {
    path: PathBuf,
    input: Lines<BufReader<OwnedReadHalf>>,
    output: OwnedWriteHalf,
    asked: u64,
}

/// Events that come in, by [`Client::tail`].
pub struct Tailing {
    client: Client,
    follow: bool,
    end: Option<Refusal>,
}

/// An answer or a notification.
#[derive(Deserialize)]
struct Incoming {
    id: Option<u64>,
    #[serde(default)]
    result: Value,
    error: Option<Fault>,
    method: Option<String>,
    #[serde(default)]
    params: Value,
}

impl Client {
    /// Connects to the peer whose socket is at `path`.
    pub fn connect(path: &Path) -> io::Result<Client> {
        let stream = socket::connect(path)?;
        stream.set_nonblocking(true)?;
        let (input, output) = UnixStream::from_std(stream)?.into_split();
        Ok(Client { path: path.to_owned(), input: Lines::new(BufReader::new(input), ANSWER_BYTES), output, asked: 0 })
    }

    /// How the peer is.
    pub async fn status(&mut self) -> Result<Status, Refusal> {
        self.call("status", json!({})).await
    }

    /// The rooms there are.
    pub async fn rooms(&mut self) -> Result<Vec<Room>, Refusal> {
        self.call("rooms", json!({})).await
    }

    /// Becomes a member of a room.
    pub async fn join(&mut self, join: Join) -> Result<Joining, Refusal> {
        self.call("join", join).await
    }

    /// Makes a room.
    pub async fn create(&mut self, create: Create) -> Result<Joining, Refusal> {
        self.call("create", create).await
    }

    /// Does something to a room that only some may do.
    pub async fn order(&mut self, room: RoomName, order: Order) -> Result<(), Refusal> {
        self.call::<Value>("order", Ordered { room, order }).await.map(drop)
    }

    /// Who waits at a room's door, and who is banned.
    pub async fn door(&mut self, room: RoomName) -> Result<Door, Refusal> {
        self.call("door", InRoom { room }).await
    }

    /// What a room is like, and the fingerprint of its table.
    pub async fn table(&mut self, room: RoomName) -> Result<TableLine, Refusal> {
        self.call("table", InRoom { room }).await
    }

    /// What has changed in a room's table since a version.
    pub async fn changes(&mut self, room: RoomName, since: String) -> Result<Changes, Refusal> {
        self.call("changes", Since { room, since }).await
    }

    /// Takes another name.
    pub async fn rename(&mut self, name: AccountName) -> Result<(), Refusal> {
        self.call::<Value>("rename", Rename { name }).await.map(drop)
    }

    /// Stops being one.
    pub async fn leave(&mut self, room: RoomName) -> Result<(), Refusal> {
        self.call::<Value>("leave", InRoom { room }).await.map(drop)
    }

    /// Who is in a room.
    pub async fn members(&mut self, room: RoomName) -> Result<Vec<Member>, Refusal> {
        self.call("members", InRoom { room }).await
    }

    /// Says something.
    pub async fn say(&mut self, say: Say) -> Result<Said, Refusal> {
        let wait = say.wait.and_then(|wait| Duration::try_from_secs_f64(wait).ok()).unwrap_or_default();
        self.call_within(PATIENCE.saturating_add(wait), "say", say).await
    }

    /// Gives a message of one's own another text.
    pub async fn edit(&mut self, edit: Edit) -> Result<Said, Refusal> {
        self.call("edit", edit).await
    }

    /// Takes a message of one's own back.
    pub async fn delete(&mut self, id: String) -> Result<Said, Refusal> {
        self.call("delete", Delete { id }).await
    }

    /// Reacts to a message, or takes that back with an empty text.
    pub async fn react(&mut self, react: React) -> Result<Said, Refusal> {
        self.call("react", react).await
    }

    /// Lets the others know that one is typing.
    pub async fn typing(&mut self, room: RoomName) -> Result<(), Refusal> {
        self.call::<Value>("typing", InRoom { room }).await.map(drop)
    }

    /// How far a message has got, member by member.
    pub async fn receipts(&mut self, id: String) -> Result<Vec<Receipt>, Refusal> {
        self.call("receipts", Receipts { id }).await
    }

    /// What of one's own waits for whom.
    pub async fn outbox(&mut self) -> Result<Outbox, Refusal> {
        self.call("outbox", json!({})).await
    }

    /// Has a message sent no more to those who lack it.
    pub async fn cancel(&mut self, id: String) -> Result<Cancelled, Refusal> {
        self.call("cancel", Cancel { id }).await
    }

    /// Messages of one room.
    pub async fn history(&mut self, query: History) -> Result<Vec<Event>, Refusal> {
        self.call("history", query).await
    }

    /// Marks a conversation as read.
    pub async fn mark_read(&mut self, mark: MarkRead) -> Result<Read, Refusal> {
        self.call("mark_read", mark).await
    }

    /// Something about files; what comes back is told at [`AskFiles`].
    pub async fn files<T: DeserializeOwned>(&mut self, ask: AskFiles) -> Result<T, Refusal> {
        let patience = if matches!(ask, AskFiles::Share(_)) { HASHING } else { PATIENCE };
        self.tagged(patience, ask).await
    }

    /// Something about people; what comes back is told at [`AskPeople`].
    pub async fn people<T: DeserializeOwned>(&mut self, ask: AskPeople) -> Result<T, Refusal> {
        self.tagged(PATIENCE, ask).await
    }

    async fn tagged<T: DeserializeOwned>(&mut self, patience: Duration, ask: impl Serialize) -> Result<T, Refusal> {
        let call = serde_json::to_value(ask).map_err(|error| self.broken(error))?;
        let method = call["method"].as_str().unwrap_or_default().to_string();
        self.call_within(patience, &method, &call["params"]).await
    }

    /// Which way each member is reached.
    pub async fn paths(&mut self) -> Result<Vec<MemberPath>, Refusal> {
        self.call("paths", json!({})).await
    }

    /// Ends the session.
    pub async fn logout(&mut self) -> Result<(), Refusal> {
        self.call::<Value>("logout", json!({})).await.map(drop)
    }

    /// Events of the past and, if asked for, as they happen.
    pub async fn tail(mut self, tail: Tail) -> Result<Tailing, Refusal> {
        self.ask("tail", &tail).await?;
        Ok(Tailing { client: self, follow: tail.follow, end: None })
    }

    async fn call<T: DeserializeOwned>(&mut self, method: &str, params: impl Serialize) -> Result<T, Refusal> {
        self.call_within(PATIENCE, method, params).await
    }

    async fn call_within<T: DeserializeOwned>(
        &mut self,
        patience: Duration,
        method: &str,
        params: impl Serialize,
    ) -> Result<T, Refusal> {
        let answer = time::timeout(patience, self.answer(method, params)).await;
        answer.unwrap_or_else(|_| Err(self.broken(format!("no answer within {} s", patience.as_secs()))))
    }

    async fn answer<T: DeserializeOwned>(&mut self, method: &str, params: impl Serialize) -> Result<T, Refusal> {
        self.ask(method, params).await?;
        loop {
            let incoming = self.incoming().await?;
            if incoming.id != Some(self.asked) && incoming.error.is_none() {
                continue;
            }
            return match incoming.error {
                Some(fault) => Err(refusal(fault)),
                None => serde_json::from_value(incoming.result).map_err(|error| self.broken(error)),
            };
        }
    }

    async fn ask(&mut self, method: &str, params: impl Serialize) -> Result<(), Refusal> {
        self.asked += 1;
        let params = serde_json::to_value(params).map_err(|error| self.broken(error))?;
        let request = json!({"jsonrpc": "2.0", "id": self.asked, "method": method, "params": params});
        match self.output.write_all(&line(&request)).await {
            // The peer has hung up; what it said before tells why.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result.map_err(|error| self.broken(error)),
        }
    }

    async fn incoming(&mut self) -> Result<Incoming, Refusal> {
        match self.input.next().await {
            Ok(Some(line)) => serde_json::from_slice(&line).map_err(|error| self.broken(error)),
            Ok(None) => Err(Refusal::new(Exit::Unreachable, "the peer has ended; log in again: peer login NAME")),
            Err(error) => Err(self.broken(error)),
        }
    }

    fn broken(&self, error: impl ToString) -> Refusal {
        let reason = format!(
            "the peer behind {} does not answer as it should: {}; end its process and log in again",
            self.path.display(),
            error.to_string()
        );
        Refusal::new(Exit::Unreachable, reason)
    }
}

impl Tailing {
    /// How the session has ended, once it has told that.
    pub fn end(&self) -> Option<&Refusal> {
        self.end.as_ref()
    }

    /// The next event; `None` when the past is over and events are not followed. Cancel-safe.
    ///
    /// # Errors
    /// How the session has ended; what it is refused with; that it is gone.
    pub async fn next(&mut self) -> Result<Option<Event>, Refusal> {
        loop {
            let incoming = self.client.incoming().await?;
            if let Some(fault) = incoming.error {
                return Err(refusal(fault));
            }
            if incoming.method.as_deref() == Some("event") {
                return serde_json::from_value(incoming.params).map(Some).map_err(|error| self.client.broken(error));
            }
            if incoming.method.as_deref() == Some("ended") {
                let end = serde_json::from_value(incoming.params).map_err(|error| self.client.broken(error))?;
                return Err(self.end.insert(refusal(end)).clone());
            }
            if !self.follow {
                return Ok(None);
            }
        }
    }
}

fn refusal(fault: Fault) -> Refusal {
    Refusal { code: fault.code.into(), message: fault.message }
}
