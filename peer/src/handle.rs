//! A running peer, as the control socket, the chat and the tests hold it.

use common::{
    MessageId, RoomName,
    wire::control::{Event, Exit, History, Joined, Member, Path, Receipt, Refusal, Room, Said, Status},
};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::core::command::{Answer, Ask};

/// A running peer; clones are the same peer. It ends when it is logged out or the last handle is dropped.
#[derive(Clone)]
pub struct Handle {
    asks: mpsc::Sender<(Ask, oneshot::Sender<Result<Answer, Refusal>>)>,
    events: broadcast::Sender<Event>,
    ended: watch::Receiver<Option<Refusal>>,
}

macro_rules! ask {
    ($self:ident, $ask:expr, $answer:ident) => {
        match $self.ask($ask).await? {
            Answer::$answer(answer) => Ok(answer.into()),
            _ => Err(gone()),
        }
    };
}

impl Handle {
    /// How the peer is.
    pub async fn status(&self) -> Result<Status, Refusal> {
        match self.ask(Ask::Status).await? {
            Answer::Status(status) => Ok(*status),
            _ => Err(gone()),
        }
    }

    /// The rooms of the tracker, or, while it is down, those joined.
    pub async fn rooms(&self) -> Result<Vec<Room>, Refusal> {
        ask!(self, Ask::Rooms, Rooms)
    }

    /// Becomes a member of a room, which is made if there is none.
    pub async fn join(&self, room: RoomName) -> Result<Joined, Refusal> {
        ask!(self, Ask::Join(room), Joined)
    }

    /// Stops being a member.
    pub async fn leave(&self, room: RoomName) -> Result<(), Refusal> {
        self.ask(Ask::Leave(room)).await.map(drop)
    }

    /// Who is in a room that this peer is in.
    pub async fn members(&self, room: RoomName) -> Result<Vec<Member>, Refusal> {
        ask!(self, Ask::Members(room), Members)
    }

    /// Says something. The answer comes when the message is in the store, synced: from then on it is said.
    pub async fn say(&self, room: RoomName, text: String) -> Result<Said, Refusal> {
        match self.ask(Ask::Say { room, text }).await? {
            Answer::Said(said) => Ok(*said),
            _ => Err(gone()),
        }
    }

    /// How far a message of one's own has got.
    pub async fn said(&self, id: MessageId) -> Result<Said, Refusal> {
        match self.ask(Ask::Said(id)).await? {
            Answer::Said(said) => Ok(*said),
            _ => Err(gone()),
        }
    }

    /// The same, member by member.
    pub async fn receipts(&self, id: MessageId) -> Result<Vec<Receipt>, Refusal> {
        ask!(self, Ask::Receipts(id), Receipts)
    }

    /// Which way each member is reached.
    pub async fn paths(&self) -> Result<Vec<Path>, Refusal> {
        ask!(self, Ask::Paths, Paths)
    }

    /// Ends the session: the tracker and all links are told.
    pub async fn logout(&self) -> Result<(), Refusal> {
        self.ask(Ask::Logout).await.map(drop)
    }

    /// Messages of one room, the oldest first.
    pub async fn history(&self, query: History) -> Result<Vec<Event>, Refusal> {
        let _ = query;
        todo!()
    }

    /// Events in the order of their cursors: at most `limit` after `since`, or else the last `limit`.
    pub async fn past(&self, room: Option<RoomName>, since: Option<u64>, limit: u32) -> Result<Vec<Event>, Refusal> {
        let _ = (room, since, limit);
        todo!()
    }

    /// Events as they happen. A subscriber that falls far behind is told so by the channel, and asks
    /// [`Handle::past`] for what it missed.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Waits for the session's end and says why it ended.
    pub async fn ended(&self) -> Refusal {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_else(gone),
            Err(_) => gone(),
        }
    }

    async fn ask(&self, ask: Ask) -> Result<Answer, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.asks.send((ask, reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn gone() -> Refusal {
    Refusal::new(Exit::Unreachable, "the peer has ended; log in again: peer login NAME")
}
