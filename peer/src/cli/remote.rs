//! A running peer behind its control socket, as the chat and the screen use it: they are clients like any other, and
//! several can be open at once.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use common::{
    AccountName, MessageId, RoomName,
    content::{Content, Kind},
    table,
    wire::control::{
        Cancelled, Changes, Create, Door, Edit, Event, Exit, History, Join, Joining, MarkRead, Member, Order, Outbox,
        Path as MemberPath, React, Read, Receipt, Refusal, Room, Said, Say, Status, TableLine, Tail,
        files::{AnswerFiles, AskFiles},
        people::{AnswerPeople, AskPeople},
    },
};
use peer::control::{Client, Session, client::Tailing};
use serde_json::Value;
use tokio::{
    sync::{broadcast, watch},
    time::{Instant, sleep},
};

use super::progress::Progress;

/// Events that wait for who follows them; who falls behind asks for what was missed.
const EVENTS: usize = 1_024;
/// How long a session that ends may take to take its socket away.
const ENDING: Duration = Duration::from_secs(1);

/// A running peer; clones are the same. Each question has a connection of its own, so none waits for another.
#[derive(Clone)]
pub struct Remote {
    path: PathBuf,
    heard: Arc<Heard>,
}

struct Heard {
    events: broadcast::Receiver<Event>,
    typing: broadcast::Receiver<Event>,
    ended: watch::Receiver<Option<Refusal>>,
}

impl Remote {
    /// The peer whose socket is at `path`.
    pub async fn connect(path: &Path) -> Result<Remote, Refusal> {
        let tail = Tail { follow: true, typing: true, receipts: true, ..Tail::default() };
        let tailing = Client::connect(path).map_err(|_| gone())?.tail(tail).await?;
        let (events, typing) = (broadcast::Sender::new(EVENTS), broadcast::Sender::new(EVENTS));
        let ended = watch::Sender::new(None);
        let heard = Heard { events: events.subscribe(), typing: typing.subscribe(), ended: ended.subscribe() };
        tokio::spawn(hear(tailing, path.to_owned(), events, typing, ended));
        Ok(Remote { path: path.to_owned(), heard: Arc::new(heard) })
    }

    fn client(&self) -> Result<Client, Refusal> {
        Client::connect(&self.path).map_err(|_| gone())
    }

    async fn past(
        &self,
        room: Option<RoomName>,
        since: Option<u64>,
        limit: u32,
        latest: bool,
    ) -> Result<Vec<Event>, Refusal> {
        let tail = Tail { room, since, latest, ..Tail::default() };
        let mut tailing = self.client()?.tail(tail).await?;
        let mut events = Vec::new();
        while events.len() < limit as usize
            && let Some(event) = tailing.next().await?
        {
            events.push(event);
        }
        Ok(events)
    }
}

async fn hear(
    mut tailing: Tailing,
    path: PathBuf,
    events: broadcast::Sender<Event>,
    typing: broadcast::Sender<Event>,
    ended: watch::Sender<Option<Refusal>>,
) {
    let reason = loop {
        match tailing.next().await {
            // It is nothing to anybody who does not listen any more.
            Ok(Some(event @ Event::Typing(_))) => drop(typing.send(event)),
            Ok(Some(event)) => drop(events.send(event)),
            Ok(None) | Err(_) => match tailing.end() {
                Some(told) => break told.clone(),
                None => break end(&path).await,
            },
        }
    };
    ended.send_replace(Some(reason));
}

impl Session for Remote {
    async fn status(&self) -> Result<Status, Refusal> {
        self.client()?.status().await
    }

    async fn rooms(&self) -> Result<Vec<Room>, Refusal> {
        self.client()?.rooms().await
    }

    async fn join(&self, room: RoomName) -> Result<Joining, Refusal> {
        self.client()?.join(Join { room, history: None }).await
    }

    async fn join_as(&self, room: RoomName, history: table::History) -> Result<Joining, Refusal> {
        self.client()?.join(Join { room, history: Some(history) }).await
    }

    async fn create(&self, room: RoomName, settings: table::Settings) -> Result<Joining, Refusal> {
        let table::Settings { history, approval, private, topic } = settings;
        self.client()?.create(Create { room, history, approval, private, topic }).await
    }

    async fn order(&self, room: RoomName, order: Order) -> Result<(), Refusal> {
        self.client()?.order(room, order).await
    }

    async fn door(&self, room: RoomName) -> Result<Door, Refusal> {
        self.client()?.door(room).await
    }

    async fn table(&self, room: RoomName) -> Result<TableLine, Refusal> {
        self.client()?.table(room).await
    }

    async fn changes(&self, room: RoomName, since: String) -> Result<Changes, Refusal> {
        self.client()?.changes(room, since).await
    }

    async fn rename(&self, name: AccountName) -> Result<(), Refusal> {
        self.client()?.rename(name).await
    }

    async fn leave(&self, room: RoomName) -> Result<(), Refusal> {
        self.client()?.leave(room).await
    }

    async fn members(&self, room: RoomName) -> Result<Vec<Member>, Refusal> {
        self.client()?.members(room).await
    }

    async fn speak(&self, room: RoomName, content: Content) -> Result<Said, Refusal> {
        let mut client = self.client()?;
        let Content { text, kind, about, file: _ } = content;
        let about = about.map(|about| about.id(&room).to_string());
        match (kind, about) {
            (Kind::Edit, Some(id)) => client.edit(Edit { id, text }).await,
            (Kind::Delete, Some(id)) => client.delete(id).await,
            (Kind::Reaction, Some(id)) => client.react(React { id, text }).await,
            (Kind::Text | Kind::Action, reply) => {
                client.say(Say { room, text, wait: None, reply, me: kind == Kind::Action }).await
            }
            _ => Err(Refusal::new(Exit::Refused, "it is not said so; files are shared: /share PATH")),
        }
    }

    async fn typing(&self, room: RoomName) -> Result<(), Refusal> {
        self.client()?.typing(room).await
    }

    /// What comes over the socket has its quotes already.
    async fn quote(&self, event: Event) -> Event {
        event
    }

    async fn said(&self, id: MessageId) -> Result<Said, Refusal> {
        let receipts = self.receipts(id.clone()).await?;
        Ok(Progress::from(receipts.as_slice()).of(id))
    }

    async fn receipts(&self, id: MessageId) -> Result<Vec<Receipt>, Refusal> {
        self.client()?.receipts(id.to_string()).await
    }

    async fn outbox(&self) -> Result<Outbox, Refusal> {
        self.client()?.outbox().await
    }

    async fn cancel(&self, id: MessageId) -> Result<Cancelled, Refusal> {
        self.client()?.cancel(id.to_string()).await
    }

    async fn people(&self, ask: AskPeople) -> Result<AnswerPeople, Refusal> {
        let mut client = self.client()?;
        Ok(match ask {
            AskPeople::Contacts {} => AnswerPeople::Contacts(client.people(ask).await?),
            AskPeople::Chats {} => AnswerPeople::Chats(client.people(ask).await?),
            AskPeople::Book {} => AnswerPeople::Book(client.people(ask).await?),
            AskPeople::Trust(_) | AskPeople::Verify(_) => AnswerPeople::Identity(client.people(ask).await?),
            AskPeople::Save(_) => AnswerPeople::Entry(client.people(ask).await?),
            AskPeople::Import(_) => AnswerPeople::Imported(client.people(ask).await?),
            AskPeople::Connect(_) => AnswerPeople::Connected(client.people(ask).await?),
            AskPeople::Listen(_) => AnswerPeople::Listening(client.people(ask).await?),
            _ => {
                client.people::<Value>(ask).await?;
                AnswerPeople::Done {}
            }
        })
    }

    async fn files(&self, ask: AskFiles) -> Result<AnswerFiles, Refusal> {
        let mut client = self.client()?;
        Ok(match ask {
            AskFiles::Share(_) | AskFiles::Files(_) => AnswerFiles::Files(client.files(ask).await?),
            AskFiles::Transfers {} => AnswerFiles::Transfers(client.files(ask).await?),
            AskFiles::Limit(_) => AnswerFiles::Limits(client.files(ask).await?),
            AskFiles::Unshare(_) => {
                client.files::<Value>(ask).await?;
                AnswerFiles::Done {}
            }
            _ => AnswerFiles::Transfer(client.files(ask).await?),
        })
    }

    async fn paths(&self) -> Result<Vec<MemberPath>, Refusal> {
        self.client()?.paths().await
    }

    async fn logout(&self) -> Result<(), Refusal> {
        self.client()?.logout().await
    }

    async fn history(&self, query: History) -> Result<Vec<Event>, Refusal> {
        self.client()?.history(query).await
    }

    async fn mark_read(&self, room: RoomName, cursor: Option<u64>) -> Result<Read, Refusal> {
        self.client()?.mark_read(MarkRead { room, cursor }).await
    }

    async fn past(&self, room: Option<RoomName>, since: Option<u64>, limit: u32) -> Result<Vec<Event>, Refusal> {
        self.past(room, since, limit, false).await
    }

    async fn latest(&self, room: Option<RoomName>, since: Option<u64>, limit: u32) -> Result<Vec<Event>, Refusal> {
        self.past(room, since, limit, true).await
    }

    async fn ended(&self) -> Refusal {
        let mut ended = self.heard.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_else(gone),
            Err(_) => gone(),
        }
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.heard.events.resubscribe()
    }

    fn typing_events(&self) -> broadcast::Receiver<Event> {
        self.heard.typing.resubscribe()
    }
}

/// How the session has ended. One that ends takes its socket away, a moment before or after it hangs up; one that dies
/// leaves it behind.
async fn end(path: &Path) -> Refusal {
    let hung_up = Instant::now();
    while hung_up.elapsed() < ENDING {
        if !path.exists() {
            return Refusal::new(Exit::Done, "the session has ended");
        }
        sleep(ENDING / 20).await;
    }
    gone()
}

fn gone() -> Refusal {
    Refusal::new(Exit::Unreachable, "the session has ended; log in again: peer login NAME")
}
