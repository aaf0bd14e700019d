//! What the control socket and the chat need of a running peer. [`Handle`] is one; tests have their own.

use common::{
    MessageId, RoomName, table,
    wire::control::{
        Cancelled, Event, History, Joined, Member, Outbox, Path, Receipt, Refusal, Room, Said, Status,
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
        }
    };
}

session! {
    /// How the peer is.
    status() -> Result<Status, Refusal>;
    /// The rooms there are.
    rooms() -> Result<Vec<Room>, Refusal>;
    /// Becomes a member of a room.
    join(room: RoomName) -> Result<Joined, Refusal>;
    /// Becomes a member of a room with this history.
    join_as(room: RoomName, history: table::History) -> Result<Joined, Refusal>;
    /// Stops being one.
    leave(room: RoomName) -> Result<(), Refusal>;
    /// Who is in a room.
    members(room: RoomName) -> Result<Vec<Member>, Refusal>;
    /// Says something. The future takes its place among others when it is first polled.
    say(room: RoomName, text: String) -> Result<Said, Refusal>;
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
    /// Which way each member is reached.
    paths() -> Result<Vec<Path>, Refusal>;
    /// Ends the session.
    logout() -> Result<(), Refusal>;
    /// Messages of one room.
    history(query: History) -> Result<Vec<Event>, Refusal>;
    /// Events after a cursor, or the last ones; at most `limit`, in the order of their cursors.
    past(room: Option<RoomName>, since: Option<u64>, limit: u32) -> Result<Vec<Event>, Refusal>;
    /// Waits for the session's end and says why it ended.
    ended() -> Refusal;
}
