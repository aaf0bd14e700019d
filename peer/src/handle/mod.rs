//! A running peer, as the control socket, the chat and the tests hold it.

mod past;

use common::{
    AccountName, MessageId, RoomName, Version,
    content::Content,
    table,
    wire::control::{
        Asked, Cancelled, Changes, Door, Event, Exit, Joining, Member, Order, Outbox, Path, Receipt, Refusal, Room,
        Said, Status, TableLine, Waiting,
        files::{AnswerFiles, AskFiles},
        people::{AnswerPeople, AskPeople},
    },
};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::{
    called::Called,
    core::{
        Welcomed,
        command::{Answer, Ask, ReceiptOf, WaitingFor},
    },
    net::driver::Question,
    store::{Salvaged, Store, StoreError},
};

/// A running peer; clones are the same peer. It ends when it is logged out or the last handle is dropped.
#[derive(Clone)]
pub struct Handle {
    pub(crate) asks: mpsc::Sender<Question>,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) typing: broadcast::Sender<Event>,
    pub(crate) name: watch::Receiver<AccountName>,
    pub(crate) welcomed: watch::Receiver<Option<Welcomed>>,
    pub(crate) ended: watch::Receiver<Option<Refusal>>,
    pub(crate) store: Store,
    pub(crate) salvaged: Option<Salvaged>,
    pub(crate) called: Option<Called>,
}

/// Characters of a text that the outbox shows.
const BEGINNING: usize = 200;

impl Handle {
    /// The same peer, of an account whose other names on this machine lead to it.
    pub fn known_as(self, called: Called) -> Handle {
        Handle { called: Some(called), ..self }
    }

    /// Takes another name: at the tracker, and on this machine.
    pub async fn rename(&self, name: AccountName) -> Result<(), Refusal> {
        let taken = self.called.as_ref().map(|called| called.take(&name)).transpose()?;
        let renamed = self.ask(Ask::Rename(name.clone())).await.map(drop);
        if let (Some(called), Some(taken)) = (&self.called, taken) {
            match &renamed {
                Ok(()) => called.serve(&name),
                // One that got no answer may have been done all the same.
                Err(refusal) if refusal.code == Exit::Unreachable => {}
                Err(_) => called.give_back(taken),
            }
        }
        renamed
    }

    /// How the peer is.
    pub async fn status(&self) -> Result<Status, Refusal> {
        match self.ask(Ask::Status).await? {
            Answer::Status(status) => Ok(*status),
            _ => Err(gone()),
        }
    }

    /// How often the history could not be read or written since the peer started.
    pub fn store_errors(&self) -> u64 {
        self.store.errors()
    }

    /// The rooms of the tracker, or, while it is down, those joined.
    pub async fn rooms(&self) -> Result<Vec<Room>, Refusal> {
        match self.ask(Ask::Rooms).await? {
            Answer::Rooms(rooms) => Ok(rooms),
            _ => Err(gone()),
        }
    }

    /// Becomes a member of a room as it is; it is made if there is none. Where the room has a door, asks to be let in.
    pub async fn join(&self, room: RoomName) -> Result<Joining, Refusal> {
        self.ask_to_join(Ask::Join(room)).await
    }

    /// The same of a room with this history; one that is there with another is not joined.
    pub async fn join_as(&self, room: RoomName, history: table::History) -> Result<Joining, Refusal> {
        self.ask_to_join(Ask::JoinAs(room, history)).await
    }

    /// Makes a room with these settings, as its owner.
    pub async fn create(&self, room: RoomName, settings: table::Settings) -> Result<Joining, Refusal> {
        self.ask_to_join(Ask::Make(room, settings)).await
    }

    async fn ask_to_join(&self, ask: Ask) -> Result<Joining, Refusal> {
        match self.ask(ask).await? {
            Answer::Joined(joined) => Ok(Joining::In(joined)),
            Answer::Asked(room) => Ok(Joining::Asked(Asked { room, asked: true })),
            _ => Err(gone()),
        }
    }

    /// Does something to a room that only some of its members may do.
    pub async fn order(&self, room: RoomName, order: Order) -> Result<(), Refusal> {
        self.ask(Ask::Order(room, order)).await.map(drop)
    }

    /// Who waits at a room's door, and who is banned from it.
    pub async fn door(&self, room: RoomName) -> Result<Door, Refusal> {
        match self.ask(Ask::Door(room)).await? {
            Answer::Door(door) => Ok(door),
            _ => Err(gone()),
        }
    }

    /// What a room is like, and the fingerprint of its table.
    pub async fn table(&self, room: RoomName) -> Result<TableLine, Refusal> {
        match self.ask(Ask::Table(room)).await? {
            Answer::Table(line) => Ok(line),
            _ => Err(gone()),
        }
    }

    /// What has changed in a room's table since a version of it, or since one with this number.
    pub async fn changes(&self, room: RoomName, since: String) -> Result<Changes, Refusal> {
        let asked = match since.parse::<Version>() {
            Ok(Version { epoch, number }) => Some((Some(epoch), number)),
            Err(_) => since.parse().ok().map(|number| (None, number)),
        };
        let (epoch, number) = asked.ok_or_else(|| {
            let text = "a version is two numbers with a point between them, or only the second: peer members ROOM \
                        --digest shows the one held";
            Refusal::new(Exit::Refused, text)
        })?;
        let Answer::Since { room, since, version, unseen } = self.ask(Ask::Since { room, epoch, number }).await? else {
            return Err(gone());
        };
        let changes = self.store.changes(room, since, version).await.map_err(damaged)?;
        let unseen = unseen.into_iter().map(|gap| (gap.after.to_string(), gap.until.to_string())).collect();
        Ok(Changes { since: since.to_string(), version: version.to_string(), changes, unseen })
    }

    /// Stops being a member.
    pub async fn leave(&self, room: RoomName) -> Result<(), Refusal> {
        self.ask(Ask::Leave(room)).await.map(drop)
    }

    /// Who is in a room that this peer is in.
    pub async fn members(&self, room: RoomName) -> Result<Vec<Member>, Refusal> {
        match self.ask(Ask::Members(room)).await? {
            Answer::Members(members) => Ok(members),
            _ => Err(gone()),
        }
    }

    /// Says a text; see [`Handle::speak`].
    pub async fn say(&self, room: RoomName, text: String) -> Result<Said, Refusal> {
        self.speak(room, text.into()).await
    }

    /// Says or does something. The answer comes when the message is in the store, synced: from then on it is said.
    pub async fn speak(&self, room: RoomName, content: Content) -> Result<Said, Refusal> {
        if let Some(about) = &content.about {
            self.check_about(about.id(&room)).await?;
        }
        match self.ask(Ask::Say { room, content }).await? {
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
        let Answer::Receipts { id, lines } = self.ask(Ask::Receipts(id)).await? else { return Err(gone()) };
        let known = self.store.receipts(id).await.map_err(damaged)?;
        let with_time = |receipt: ReceiptOf| match known.get(&receipt.key).filter(|_| receipt.line.delivered) {
            Some((at, path)) => Receipt { at: Some(*at), path: path.clone(), ..receipt.line },
            None => receipt.line,
        };
        Ok(lines.into_iter().map(with_time).collect())
    }

    /// What of one's own waits for whom.
    pub async fn outbox(&self) -> Result<Outbox, Refusal> {
        let Answer::Outbox { me, waiting, more } = self.ask(Ask::Outbox).await? else { return Err(gone()) };
        let ids = waiting.iter().map(|waiting| waiting.id.clone()).collect();
        let mut said = self.store.said(me, ids).await.map_err(damaged)?;
        let line = |WaitingFor { id, title, pending, undecided }: WaitingFor| {
            let (sent, text) = said.remove(&id).map(|m| (m.sent, m.text.chars().take(BEGINNING).collect())).unzip();
            let id = MessageId { room: title, ..id };
            Waiting { id: id.to_string(), room: id.room, seq: id.number, sent, text, pending, undecided }
        };
        Ok(Outbox { waiting: waiting.into_iter().map(line).collect(), more })
    }

    /// Has a message of one's own sent no more to those who lack it. The answer comes when that is in the store.
    pub async fn cancel(&self, id: MessageId) -> Result<Cancelled, Refusal> {
        match self.ask(Ask::Cancel(id)).await? {
            Answer::Cancelled(cancelled) => Ok(cancelled),
            _ => Err(gone()),
        }
    }

    /// Something about people.
    pub async fn people(&self, ask: AskPeople) -> Result<AnswerPeople, Refusal> {
        match self.ask(Ask::People(ask)).await? {
            Answer::People(AnswerPeople::Chats(mut chats)) => {
                self.fill(&mut chats).await?;
                Ok(AnswerPeople::Chats(chats))
            }
            Answer::People(answer) => Ok(answer),
            _ => Err(gone()),
        }
    }

    /// Something about files.
    pub async fn files(&self, ask: AskFiles) -> Result<AnswerFiles, Refusal> {
        match self.ask(Ask::Files(ask)).await? {
            Answer::Files(answer) => Ok(answer),
            _ => Err(gone()),
        }
    }

    /// Which way each member is reached.
    pub async fn paths(&self) -> Result<Vec<Path>, Refusal> {
        match self.ask(Ask::Paths).await? {
            Answer::Paths(lines) => Ok(lines.into_iter().map(|path| path.line).collect()),
            _ => Err(gone()),
        }
    }

    /// Ends the session: the tracker and all links are told.
    pub async fn logout(&self) -> Result<(), Refusal> {
        self.ask(Ask::Logout).await.map(drop)
    }

    /// Events as they happen. A subscriber that falls far behind is told so by the channel, and asks
    /// [`Handle::past`] for what it missed.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Who is typing, as far as it is heard. As long as anybody listens, the others are asked to tell.
    pub fn typing_events(&self) -> broadcast::Receiver<Event> {
        self.typing.subscribe()
    }

    /// Lets members that look know that the user is typing; at most once in three seconds.
    pub async fn typing(&self, room: RoomName) -> Result<(), Refusal> {
        self.ask(Ask::Typing(room)).await.map(drop)
    }

    /// What of the history was found damaged at this start, and how much of it is kept.
    pub fn salvaged(&self) -> Option<&Salvaged> {
        self.salvaged.as_ref()
    }

    /// Waits for the tracker's first welcome, or for the end of a session that it never welcomed.
    pub async fn welcomed(&self) -> Result<Welcomed, Refusal> {
        let mut welcomed = self.welcomed.clone();
        tokio::select! {
            biased;
            Ok(found) = welcomed.wait_for(Option::is_some) => found.clone().ok_or_else(gone),
            ended = self.ended() => Err(ended),
        }
    }

    /// Waits for the session's end and says why it ended.
    pub async fn ended(&self) -> Refusal {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_else(gone),
            Err(_) => gone(),
        }
    }

    async fn called(&self, room: RoomName) -> Result<RoomName, Refusal> {
        match self.ask(Ask::Called(room)).await? {
            Answer::Called(room) => Ok(room),
            _ => Err(gone()),
        }
    }

    async fn ask(&self, ask: Ask) -> Result<Answer, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.asks.send((ask, reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn damaged(error: StoreError) -> Refusal {
    Refusal::new(Exit::Refused, error.to_string())
}

fn gone() -> Refusal {
    Refusal::new(Exit::Unreachable, "the peer has ended; log in again: peer login NAME")
}
