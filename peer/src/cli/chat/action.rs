//! What a typed line asks for, and how it is done.

use common::{
    AccountName, MessageId, RoomName,
    content::Content,
    wire::control::{
        Create, Door, Event, Exit, History, Joined, Joining, Member, Order, Refusal, Room, Said,
        files::{AskFiles, FileLine, Get},
        people::{AnswerPeople, AskPeople, Named},
    },
};
use peer::control::Session;
use tokio::sync::mpsc;

use super::{files, goto, people};
use crate::cli::{door, identity::Verify, meet, rooms, session, show, table::Table, text, time};

/// Messages that a search shows, the latest.
const FOUND: u32 = 20;

/// What a typed line asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// To become a member of a room, or to go to it.
    Join(RoomName),
    /// To be a member of it no more.
    Leave(RoomName),
    /// Who is in a room.
    Who(RoomName),
    /// Which rooms there are.
    Rooms,
    /// To make a room.
    Create(Create),
    /// What a room is about.
    Topic(RoomName),
    /// Who asks to be let in.
    Requests(RoomName),
    /// Who is banned from a room.
    Bans(RoomName),
    /// To run a room.
    Order(RoomName, Order),
    /// An answer to somebody who asks to be let into this room, or to be a contact.
    Decide {
        /// The room, if it may be that one.
        room: Option<RoomName>,
        /// Who asks.
        name: AccountName,
        /// Whether the answer is yes.
        accept: bool,
    },
    /// Something about contacts, keys, the address book or all conversations.
    People(AskPeople),
    /// Something about files.
    Files(AskFiles),
    /// To fetch a file to a place that is named.
    Put(Get),
    /// To send a message no more to those who lack it.
    Cancel(MessageId),
    /// To see the safety number shared with somebody, or to say that it was the same.
    Verify(Verify),
    /// To open a chat with whoever is there.
    Connect(String),
    /// To let in who is not known.
    Listen,
    /// To be called something else.
    Rename(AccountName),
    /// To say something there.
    Say(RoomName, Content),
    /// Say it to one person, and go to that conversation.
    Tell(RoomName, String),
    /// To say what is typed from now on to one person.
    Turn(RoomName),
    /// Do something to what was said.
    Do(RoomName, Content),
    /// To take the last message back, which begins so.
    TakeBack(RoomName, Content, String),
    /// To mark a conversation as read.
    MarkRead(RoomName),
    /// What was said there with these words.
    Search(RoomName, String),
    /// What was said there at a time, in milliseconds since 1970, and then.
    Goto(RoomName, u64),
    /// To end the session, wherever it runs.
    Logout,
    /// To close this chat. A session that it is only attached to goes on.
    Quit,
    /// Nothing but to show this.
    Show(String),
    /// Nothing at all.
    Nothing,
}

impl Action {
    /// Words that are not this program's, and may come back in what it says.
    fn words(&self) -> Vec<String> {
        match self {
            Action::Files(ask) => files::words(ask),
            Action::Put(get) => vec![get.file.clone(), get.to.display().to_string()],
            Action::Connect(to) => vec![to.clone()],
            _ => Vec::new(),
        }
    }
}

/// What came of an action.
pub enum Outcome {
    /// The user is a member of a room.
    Joined(Joined),
    /// The user is a member of that room no more.
    Left(RoomName),
    /// Who is in a room.
    Who(RoomName, Vec<Member>),
    /// The rooms there are.
    Rooms(Vec<Room>),
    /// Something is said.
    Said(Said),
    /// The same, to one person.
    Told(Said),
    /// Something is done to what was said.
    Done(Said),
    /// A message that begins so is taken back.
    TakenBack(Said, String),
    /// These files are shared now.
    Shared(Vec<FileLine>),
    /// A conversation has begun, of which this is to be said.
    Met(RoomName, String),
    /// Who is not known is let in: what is to be typed elsewhere.
    Listening(String),
    /// The user is called so now, of which this is to be said.
    Renamed(AccountName, String),
    /// It was not done, and why; with words of others, and of the line that was typed, that may be in that.
    Refused(Refusal, Vec<String>),
    /// To be shown: words of this program, in which commands stand as a shell takes them.
    Shown(String),
    /// To be shown as it stands: what others have written is in it.
    Quoted(String),
    /// To be shown in the width there is.
    Table(Table),
    /// There is nothing to show.
    Nothing,
}

/// Does it. What takes long goes on by itself, and what comes of it comes by `later`.
pub async fn act(session: impl Session, action: Action, later: mpsc::Sender<Outcome>) -> Outcome {
    let words = action.words();
    done(session, action, later).await.unwrap_or_else(|refusal| Outcome::Refused(refusal, words))
}

async fn done(session: impl Session, action: Action, later: mpsc::Sender<Outcome>) -> Result<Outcome, Refusal> {
    Ok(match action {
        Action::Turn(room) => {
            // Refused if nobody of that name is known.
            session.history(History { limit: Some(1), ..History::of(room.clone()) }).await?;
            let told = format!("what you type goes to {room} now, and to nobody else");
            Outcome::Met(room, told)
        }
        Action::Tell(room, text) => Outcome::Told(session.speak(room, text.into()).await?),
        Action::Join(room) => joined(session.join(room).await?),
        Action::Create(create) => {
            let (room, settings) = create.parts();
            joined(session.create(room, settings).await?)
        }
        Action::Leave(room) => {
            session.leave(room.clone()).await?;
            Outcome::Left(room)
        }
        Action::Who(room) => Outcome::Who(room.clone(), session.members(room).await?),
        Action::Rooms => Outcome::Rooms(session.rooms().await?),
        Action::Topic(room) => {
            let topic = session.table(room.clone()).await?.settings.topic;
            Outcome::Quoted(door::topic(&room, &topic))
        }
        Action::Requests(room) => {
            let Door { waiting, .. } = session.door(room.clone()).await?;
            match waiting.as_slice() {
                [] => Outcome::Quoted(door::nobody_asks(&room)),
                waiting => Outcome::Table(Table::new(waiting, &door::OUTSIDE, door::outside)),
            }
        }
        Action::Bans(room) => {
            let Door { banned, .. } = session.door(room.clone()).await?;
            match banned.as_slice() {
                [] => Outcome::Quoted(door::nobody_banned(&room)),
                banned => Outcome::Table(Table::new(banned, &door::OUTSIDE, door::outside)),
            }
        }
        Action::Order(room, order) => {
            let told = door::ordered(&room, &order);
            let is_topic = matches!(order, Order::Topic { .. });
            session.order(room, order).await?;
            if is_topic { Outcome::Quoted(told) } else { Outcome::Shown(told) }
        }
        Action::Decide { room, name, accept } => decide(&session, room, name, accept).await?,
        Action::People(ask) => {
            let answer = session.people(ask.clone()).await?;
            people::outcome(&ask, &answer)
        }
        Action::Files(ask) => files::act(&session, ask, &later).await?,
        Action::Put(get) => files::put(&session, get, &later).await?,
        Action::Cancel(id) => files::cancel(&session, id).await?,
        Action::Verify(verify) => match session.people(AskPeople::Verify(verify.params())).await? {
            AnswerPeople::Identity(identity) => Outcome::Shown(verify.told(&identity)),
            _ => Outcome::Nothing,
        },
        Action::Connect(to) => match session.people(AskPeople::Connect(meet::whom(&to).await?)).await? {
            AnswerPeople::Connected(connected) => Outcome::Met(connected.room.clone(), meet::met(&connected, false)),
            _ => Outcome::Nothing,
        },
        Action::Listen => Outcome::Listening(meet::listen(&session).await?),
        Action::Rename(name) => {
            let former = session.status().await?.name;
            session.rename(name.clone()).await?;
            let told = session::renamed(&former, &name);
            Outcome::Renamed(name, told)
        }
        Action::Say(room, content) => Outcome::Said(session.speak(room, content).await?),
        Action::Do(room, content) => Outcome::Done(session.speak(room, content).await?),
        Action::TakeBack(room, content, text) => Outcome::TakenBack(session.speak(room, content).await?, text),
        Action::Search(room, words) => {
            let query = History { limit: Some(FOUND), search: Some(words.clone()), ..History::of(room.clone()) };
            Outcome::Quoted(found(&room, &words, &session.history(query).await?))
        }
        Action::Goto(room, at) => Outcome::Quoted(goto::since(&session, &room, at, FOUND).await?),
        Action::Logout => {
            session.logout().await?;
            Outcome::Nothing
        }
        Action::MarkRead(room) => {
            let read = session.mark_read(room, None).await?;
            Outcome::Shown(format!("{} is read", read.room))
        }
        Action::Show(text) => Outcome::Quoted(text),
        Action::Quit | Action::Nothing => Outcome::Nothing,
    })
}

/// Messages with the times at which they were said.
pub(super) fn dated(events: &[Event]) -> Vec<String> {
    let line = |event: &Event| match event {
        Event::Message(message) => Some(show::message(&format!("  {} ", time::date(message.sent)), message, "      ")),
        _ => None,
    };
    events.iter().filter_map(line).collect()
}

/// What was said with these words.
fn found(room: &RoomName, words: &str, events: &[Event]) -> String {
    let lines = dated(events);
    if lines.is_empty() { format!("nothing in {room} has: {}", text::inline(words)) } else { lines.join("\n") }
}

fn joined(joining: Joining) -> Outcome {
    match joining {
        Joining::In(joined) => Outcome::Joined(joined),
        Joining::Asked(asked) => Outcome::Shown(rooms::asked(&asked.room)),
    }
}

/// Answers what this person asks for, if that is one thing.
async fn decide(
    session: &impl Session,
    room: Option<RoomName>,
    name: AccountName,
    accept: bool,
) -> Result<Outcome, Refusal> {
    let is = |other: &AccountName| other.fold() == name.fold();
    let contacts = session.people(AskPeople::Contacts {}).await?;
    let as_contact = matches!(&contacts, AnswerPeople::Contacts(list)
        if list.iter().any(|contact| is(&contact.name) && contact.state == "asks"));
    let mut at_door = None;
    if let Some(room) = room {
        // Who does not run the room cannot see its door, and has nothing to decide there.
        let door = session.door(room.clone()).await;
        at_door = door.is_ok_and(|door| door.waiting.iter().any(|who| is(&who.name))).then_some(room);
    }
    let verb = if accept { "accept" } else { "decline" };
    match (at_door, as_contact) {
        (Some(room), false) => {
            let order = Order::Decide { name, accept };
            let told = door::ordered(&room, &order);
            session.order(room, order).await?;
            Ok(Outcome::Shown(told))
        }
        (Some(room), true) => {
            let why = format!(
                "{name} asks to join {room} and to be your contact. For the one: /{verb} {room} {name}. Then, for the \
                 other: /{verb} {name}"
            );
            Err(Refusal::new(Exit::Refused, why))
        }
        (None, true) => {
            let named = Named { name };
            let ask = if accept { AskPeople::AcceptContact(named) } else { AskPeople::DeclineContact(named) };
            let answer = session.people(ask.clone()).await?;
            Ok(people::outcome(&ask, &answer))
        }
        (None, false) => {
            let why = format!(
                "{name} asks neither to be your contact nor to join the room of the prompt; for another room: /{verb} \
                 ROOM {name}"
            );
            Err(Refusal::new(Exit::Refused, why))
        }
    }
}
