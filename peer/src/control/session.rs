//! What the control socket and the chat need of a running peer. [`Handle`] is one; tests have their own.

use common::{
    AccountName, MessageId, RoomName,
    content::Content,
    table,
    wire::control::{
        Cancelled, Changes, Door, Event, History, Joining, Member, Order, Outbox, Path, Read, Receipt, Refusal, Room,
        Said, Status, TableLine,
        files::{AnswerFiles, AskFiles},
        people::{AnswerPeople, AskPeople},
    },
};
use tokio::sync::broadcast;

use crate::Handle;

macro_rules! session {
    ($($(#[$doc:meta])* $name:ident($($param:ident: $type:ty),*) -> $result:ty;)*) => {
        /// A running peer; clones are the same. What its methods do is told at those of [`Handle`].
        pub trait Session: Clone + Send + Sync + 'static {
            $(
                $(#[$doc])*
                fn $name(&self, $($param: $type),*) -> impl Future<Output = $result> + Send;
            )*

            /// Events as they happen.
            fn events(&self) -> broadcast::Receiver<Event>;

            /// Who is typing.
            fn typing_events(&self) -> broadcast::Receiver<Event>;
        }

        impl Session for Handle {
            $(
                async fn $name(&self, $($param: $type),*) -> $result {
                    Handle::$name(self, $($param),*).await
                }
            )*

            fn events(&self) -> broadcast::Receiver<Event> {
                Handle::events(self)
            }

            fn typing_events(&self) -> broadcast::Receiver<Event> {
                Handle::typing_events(self)
            }
        }
    };
}

session! {
    /// How the peer is.
    status() -> Result<Status, Refusal>;
    /// The rooms there are.
    rooms() -> Result<Vec<Room>, Refusal>;
    /// Becomes a member of a room.
    join(room: RoomName) -> Result<Joining, Refusal>;
    /// Becomes a member of a room with this history.
    join_as(room: RoomName, history: table::History) -> Result<Joining, Refusal>;
    /// Makes a room.
    create(room: RoomName, settings: table::Settings) -> Result<Joining, Refusal>;
    /// Does something to a room that only some may do.
    order(room: RoomName, order: Order) -> Result<(), Refusal>;
    /// Who waits at a room's door, and who is banned.
    door(room: RoomName) -> Result<Door, Refusal>;
    /// What a room is like, and the fingerprint of its table.
    table(room: RoomName) -> Result<TableLine, Refusal>;
    /// What has changed in a room's table since a version.
    changes(room: RoomName, since: String) -> Result<Changes, Refusal>;
    /// Takes another name.
    rename(name: AccountName) -> Result<(), Refusal>;
    /// Stops being one.
    leave(room: RoomName) -> Result<(), Refusal>;
    /// Who is in a room.
    members(room: RoomName) -> Result<Vec<Member>, Refusal>;
    /// Says or does something. The future takes its place among others when it is first polled, unless it is about an
    /// earlier message, which is looked up first.
    speak(room: RoomName, content: Content) -> Result<Said, Refusal>;
    /// Lets members that look know that the user is typing.
    typing(room: RoomName) -> Result<(), Refusal>;
    /// Adds to an answer or a reaction what it is about, where that is here.
    quote(event: Event) -> Event;
    /// How far a message has got.
    said(id: MessageId) -> Result<Said, Refusal>;
    /// The same, member by member.
    receipts(id: MessageId) -> Result<Vec<Receipt>, Refusal>;
    /// What of one's own waits for whom.
    outbox() -> Result<Outbox, Refusal>;
    /// Has a message sent no more to those who lack it.
    cancel(id: MessageId) -> Result<Cancelled, Refusal>;
    /// Something about people.
    people(ask: AskPeople) -> Result<AnswerPeople, Refusal>;
    /// Something about files.
    files(ask: AskFiles) -> Result<AnswerFiles, Refusal>;
    /// Which way each member is reached.
    paths() -> Result<Vec<Path>, Refusal>;
    /// Ends the session.
    logout() -> Result<(), Refusal>;
    /// Messages of one room.
    history(query: History) -> Result<Vec<Event>, Refusal>;
    /// Events after a cursor, or the last ones; at most `limit`, in the order of their cursors.
    past(room: Option<RoomName>, since: Option<u64>, limit: u32) -> Result<Vec<Event>, Refusal>;
    /// The same, with messages as they stand now.
    latest(room: Option<RoomName>, since: Option<u64>, limit: u32) -> Result<Vec<Event>, Refusal>;
    /// Marks a conversation as read, up to a cursor or all of it.
    mark_read(room: RoomName, cursor: Option<u64>) -> Result<Read, Refusal>;
    /// Waits for the session's end and says why it ended.
    ended() -> Refusal;
}
