//! A session for tests: it keeps what happens in memory, and its receipts come when a test says so.

// The tests of the library and those of the chat use it, neither all of it.
#![allow(dead_code)]

use std::sync::{Arc, Mutex};

use common::{
    AccountName, Key, MessageId, RoomName, Slot,
    content::Content,
    table,
    wire::control::{
        Cancelled, Changes, Door, Event, Exit, History, Joined, Joining, Member, MessageEvent, Order, Outbox, Path,
        Read, Receipt, ReceiptEvent, Refusal, Room, Said, Status, TableLine, TypingEvent,
        files::{AnswerFiles, AskFiles, FileLine, FileShown, Here, Limits, Transfer, TransferId, TransferState},
        people::{AnswerPeople, AskPeople},
    },
};
use tokio::sync::{broadcast, watch};

use super::{Session, follow};

#[derive(Clone)]
pub struct Fake {
    name: AccountName,
    kept: Arc<Mutex<Kept>>,
    events: broadcast::Sender<Event>,
    typing: broadcast::Sender<Event>,
    ended: watch::Sender<Option<Refusal>>,
    /// What looks are refused with, and how often they have been.
    refusing: Arc<Mutex<(Option<Refusal>, usize)>>,
    /// Says wait at this gate until it is open.
    pub gate: watch::Sender<bool>,
}

#[derive(Default)]
struct Kept {
    past: Vec<Event>,
    said: Vec<Said>,
    begun: Vec<String>,
    finished: usize,
    files: Vec<FileLine>,
    transfers: Vec<Transfer>,
}

impl Fake {
    pub fn new(name: &str) -> Fake {
        Fake {
            name: name.parse().unwrap(),
            kept: Arc::default(),
            events: broadcast::Sender::new(256),
            typing: broadcast::Sender::new(16),
            ended: watch::Sender::new(None),
            refusing: Arc::default(),
            gate: watch::Sender::new(true),
        }
    }

    /// Bob has said something in the lobby.
    pub fn happen(&self, cursor: u64) {
        self.happen_in("lobby", cursor);
    }

    pub fn happen_in(&self, room: &str, cursor: u64) {
        let event = Event::Message(MessageEvent {
            cursor,
            id: format!("{room}/abababababababab/{cursor}"),
            room: room.parse().unwrap(),
            from: "bob".parse().unwrap(),
            seq: cursor,
            stamp: "1.2".into(),
            sent: cursor,
            received: 0,
            path: "direct".into(),
            text: format!("text {cursor}"),
            mark: None,
            deed: Default::default(),
        });
        self.kept.lock().unwrap().past.push(event.clone());
        let _ = self.events.send(event);
    }

    /// Bob has everything said so far.
    pub fn receipt(&self) {
        let bob: AccountName = "bob".parse().unwrap();
        let mut kept = self.kept.lock().unwrap();
        for said in &mut kept.said {
            said.pending.clear();
            said.delivered = vec![bob.clone()];
        }
        let (room, last) = ("lobby".parse().unwrap(), kept.said.len() as u64);
        let _ = self.events.send(Event::Receipt(ReceiptEvent { room, name: bob, first: 1, last, at: 5 }));
    }

    /// The texts of all `say` that began, in that order, and how many were answered.
    pub fn says(&self) -> (Vec<String>, usize) {
        let kept = self.kept.lock().unwrap();
        (kept.begun.clone(), kept.finished)
    }

    pub fn listeners(&self) -> usize {
        self.events.receiver_count()
    }

    pub fn end(&self, reason: Refusal) {
        self.ended.send_replace(Some(reason));
    }

    /// From now on it refuses to say how it is and what happened, or does not any more.
    pub fn refuse(&self, why: Option<Refusal>) {
        self.refusing.lock().unwrap().0 = why;
    }

    /// How often it has refused that.
    pub fn refusals(&self) -> usize {
        self.refusing.lock().unwrap().1
    }

    fn look(&self) -> Result<(), Refusal> {
        let mut refusing = self.refusing.lock().unwrap();
        let Some(why) = refusing.0.clone() else { return Ok(()) };
        refusing.1 += 1;
        Err(why)
    }
}

impl Session for Fake {
    async fn status(&self) -> Result<Status, Refusal> {
        self.look()?;
        Ok(Status {
            name: self.name.clone(),
            domain: Some("lan".parse().unwrap()),
            key: Key([1; 32]).to_string(),
            address: "[::]:4000".parse().unwrap(),
            seen: None,
            tracker: Some("10.0.0.1:27655".parse().unwrap()),
            tracker_state: "up".into(),
            trouble: None,
            tracker_down_s: None,
            other_version: false,
            clock_ahead_s: None,
            rooms: 1,
            links: 1,
            undelivered: 0,
            uptime_s: 61,
        })
    }

    async fn rooms(&self) -> Result<Vec<Room>, Refusal> {
        Ok(vec![Room {
            room: "lobby".parse().unwrap(),
            members: 2,
            joined: true,
            approval: false,
            history: table::History::Joined,
            private: false,
            topic: String::new(),
        }])
    }

    async fn join(&self, room: RoomName) -> Result<Joining, Refusal> {
        self.join_as(room, table::History::Joined).await
    }

    async fn join_as(&self, room: RoomName, history: table::History) -> Result<Joining, Refusal> {
        Ok(Joining::In(Joined { room, members: 2, slot: Slot(1), history }))
    }

    async fn create(&self, room: RoomName, settings: table::Settings) -> Result<Joining, Refusal> {
        self.join_as(room, settings.history).await
    }

    async fn order(&self, _room: RoomName, _order: Order) -> Result<(), Refusal> {
        Ok(())
    }

    async fn door(&self, _room: RoomName) -> Result<Door, Refusal> {
        Ok(Door { waiting: Vec::new(), banned: Vec::new() })
    }

    async fn table(&self, room: RoomName) -> Result<TableLine, Refusal> {
        Err(Refusal::new(Exit::Refused, format!("you are not in {room}")))
    }

    async fn changes(&self, room: RoomName, _since: String) -> Result<Changes, Refusal> {
        Err(Refusal::new(Exit::Refused, format!("you are not in {room}")))
    }

    async fn rename(&self, _name: AccountName) -> Result<(), Refusal> {
        Ok(())
    }

    async fn leave(&self, room: RoomName) -> Result<(), Refusal> {
        Err(Refusal::new(Exit::Refused, format!("you are not a member of {room}")))
    }

    async fn members(&self, _room: RoomName) -> Result<Vec<Member>, Refusal> {
        Ok(Vec::new())
    }

    async fn typing(&self, room: RoomName) -> Result<(), Refusal> {
        let _ = self.typing.send(Event::Typing(TypingEvent { room, name: self.name.clone() }));
        Ok(())
    }

    async fn quote(&self, event: Event) -> Event {
        event
    }

    async fn speak(&self, room: RoomName, content: Content) -> Result<Said, Refusal> {
        content.check().map_err(|bad| Refusal::new(Exit::Refused, bad.to_string()))?;
        self.kept.lock().unwrap().begun.push(content.text);
        let mut gate = self.gate.subscribe();
        let _ = gate.wait_for(|open| *open).await;
        let mut kept = self.kept.lock().unwrap();
        kept.finished += 1;
        let seq = kept.said.len() as u64 + 1;
        let id = MessageId { room: room.clone(), author: Key([0xcd; 32]).short(), number: seq }.to_string();
        let pending = vec!["bob".parse().unwrap()];
        let said = Said {
            id,
            room,
            seq,
            stamp: "1.2".into(),
            delivered: Vec::new(),
            pending,
            cancelled: Vec::new(),
            gone: Vec::new(),
        };
        kept.said.push(said.clone());
        Ok(said)
    }

    async fn said(&self, id: MessageId) -> Result<Said, Refusal> {
        let kept = self.kept.lock().unwrap();
        let said = kept.said.iter().find(|said| said.id == id.to_string());
        said.cloned().ok_or_else(|| Refusal::new(Exit::Refused, "no such message"))
    }

    async fn receipts(&self, _id: MessageId) -> Result<Vec<Receipt>, Refusal> {
        Ok(Vec::new())
    }

    async fn outbox(&self) -> Result<Outbox, Refusal> {
        Ok(Outbox { waiting: Vec::new(), more: 0 })
    }

    async fn cancel(&self, id: MessageId) -> Result<Cancelled, Refusal> {
        Err(Refusal::new(Exit::Refused, format!("there is no message {id}")))
    }

    /// Whatever is shared is there at once; whatever is fetched stays under way.
    async fn files(&self, ask: AskFiles) -> Result<AnswerFiles, Refusal> {
        let mut kept = self.kept.lock().unwrap();
        let no_file = |file: &str| Refusal::new(Exit::Refused, format!("there is no file {file}"));
        let mut turn = |id: TransferId, state: TransferState| {
            let transfer = kept.transfers.iter_mut().find(|transfer| transfer.id == id.id);
            let transfer =
                transfer.ok_or_else(|| Refusal::new(Exit::Refused, format!("there is no transfer {}", id.id)))?;
            transfer.state = state;
            Ok(AnswerFiles::Transfer(Box::new(transfer.clone())))
        };
        match ask {
            AskFiles::Share(share) => {
                let line = |path: &std::path::PathBuf| FileLine {
                    room: share.room.clone(),
                    file: FileShown {
                        name: path.file_name().unwrap().to_string_lossy().into_owned(),
                        root: "ab".repeat(32),
                        size: 1_024,
                        folder: false,
                        media: String::new(),
                        width: None,
                        height: None,
                    },
                    from: vec![self.name.clone()],
                    at: 0,
                    whole: 1,
                    part: 0,
                    here: Here::Whole,
                    path: Some(path.clone()),
                };
                let lines: Vec<FileLine> = share.paths.iter().map(line).collect();
                kept.files.extend(lines.clone());
                Ok(AnswerFiles::Files(lines))
            }
            AskFiles::Unshare(named) => {
                let before = kept.files.len();
                kept.files.retain(|line| line.file.name != named.file);
                if kept.files.len() < before { Ok(AnswerFiles::Done {}) } else { Err(no_file(&named.file)) }
            }
            AskFiles::Files(room) => {
                Ok(AnswerFiles::Files(kept.files.iter().filter(|line| line.room == room.room).cloned().collect()))
            }
            AskFiles::Get(get) => {
                let line = kept.files.iter().find(|line| line.file.name == get.file && line.room == get.room);
                let line = line.ok_or_else(|| no_file(&get.file))?;
                let transfer = Transfer {
                    id: kept.transfers.len() as u64 + 1,
                    room: get.room,
                    file: line.file.clone(),
                    state: TransferState::Fetching,
                    path: "/downloads".into(),
                    done: 0,
                    total: line.file.size,
                    rate: 0,
                    left_s: None,
                    sources: Vec::new(),
                    trouble: None,
                };
                kept.transfers.push(transfer.clone());
                Ok(AnswerFiles::Transfer(Box::new(transfer)))
            }
            AskFiles::Transfers {} => Ok(AnswerFiles::Transfers(kept.transfers.clone())),
            AskFiles::Transfer(id) => {
                let transfer = kept.transfers.iter().find(|transfer| transfer.id == id.id).cloned();
                transfer
                    .map(|transfer| AnswerFiles::Transfer(Box::new(transfer)))
                    .ok_or_else(|| no_file("of that number"))
            }
            AskFiles::Pause(id) => turn(id, TransferState::Paused),
            AskFiles::Resume(id) => turn(id, TransferState::Fetching),
            AskFiles::CancelTransfer(id) => turn(id, TransferState::Cancelled),
            AskFiles::Limit(limits) => Ok(AnswerFiles::Limits(Limits { down: Some(0), ..limits })),
        }
    }

    async fn people(&self, _ask: AskPeople) -> Result<AnswerPeople, Refusal> {
        Ok(AnswerPeople::Done {})
    }

    async fn paths(&self) -> Result<Vec<Path>, Refusal> {
        Ok(Vec::new())
    }

    async fn logout(&self) -> Result<(), Refusal> {
        self.end(Refusal::new(Exit::Done, "logged out"));
        Ok(())
    }

    async fn history(&self, query: History) -> Result<Vec<Event>, Refusal> {
        self.past(Some(query.room), None, query.limit.unwrap_or(50)).await
    }

    async fn past(&self, room: Option<RoomName>, since: Option<u64>, limit: u32) -> Result<Vec<Event>, Refusal> {
        self.look()?;
        let kept = self.kept.lock().unwrap();
        let wanted = kept.past.iter().filter(|event| room.as_ref().is_none_or(|room| follow::room_of(event) == room));
        let after: Vec<Event> =
            wanted.filter(|event| since.is_none_or(|since| follow::cursor(event) > Some(since))).cloned().collect();
        let skipped = if since.is_some() { 0 } else { after.len().saturating_sub(limit as usize) };
        Ok(after.into_iter().skip(skipped).take(limit as usize).collect())
    }

    async fn latest(&self, room: Option<RoomName>, since: Option<u64>, limit: u32) -> Result<Vec<Event>, Refusal> {
        self.past(room, since, limit).await
    }

    async fn mark_read(&self, room: RoomName, cursor: Option<u64>) -> Result<Read, Refusal> {
        Ok(Read { room, cursor: cursor.unwrap_or_default() })
    }

    async fn ended(&self) -> Refusal {
        let mut ended = self.ended.subscribe();
        let reason = ended.wait_for(Option::is_some).await.unwrap();
        reason.clone().unwrap()
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    fn typing_events(&self) -> broadcast::Receiver<Event> {
        self.typing.subscribe()
    }
}
