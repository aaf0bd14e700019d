//! What a user may ask of a running peer, and the answers.

use common::{
    AccountName, Key, MessageId, RoomName,
    content::Content,
    table::History,
    wire::control::{Cancelled, Joined, Member, Path, Receipt, Room, Said, Status},
};

use super::LinkId;

/// A question or an order.
#[derive(Clone, PartialEq, Debug)]
pub enum Ask {
    /// How the peer is.
    Status,
    /// The rooms of the tracker, or, while it is down, those joined.
    Rooms,
    /// Become a member of a room as it is, or of a new one.
    Join(RoomName),
    /// The same of a room with this history; one that is there with another is not joined.
    JoinAs(RoomName, History),
    /// Stop being one.
    Leave(RoomName),
    /// Who is in a room.
    Members(RoomName),
    /// What a room that this peer is or was in is called, whatever case it is asked for in.
    Called(RoomName),
    /// Say something.
    Say {
        /// Where.
        room: RoomName,
        /// What.
        content: Content,
    },
    /// The user is typing in a room.
    Typing(RoomName),
    /// How far a message of one's own has got.
    Said(MessageId),
    /// The same, member by member.
    Receipts(MessageId),
    /// What of one's own waits for whom.
    Outbox,
    /// Send a message of one's own no more to those who lack it.
    Cancel(MessageId),
    /// Which way each member is reached.
    Paths,
    /// End the session.
    Logout,
}

/// What comes back, each for the [`Ask`] of like name.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// To [`Ask::Status`].
    Status(Box<Status>),
    /// To [`Ask::Rooms`].
    Rooms(Vec<Room>),
    /// To [`Ask::Join`] and [`Ask::JoinAs`].
    Joined(Joined),
    /// To [`Ask::Leave`], [`Ask::Typing`] and [`Ask::Logout`].
    Done,
    /// To [`Ask::Members`].
    Members(Vec<Member>),
    /// To [`Ask::Called`].
    Called(RoomName),
    /// To [`Ask::Say`], once it is in the store, and to [`Ask::Said`].
    Said(Box<Said>),
    /// To [`Ask::Receipts`]; the shell adds from the store when and which way each came.
    Receipts {
        /// The message.
        id: MessageId,
        /// A line for each member of the stamp.
        lines: Vec<ReceiptOf>,
    },
    /// To [`Ask::Outbox`]; the shell adds from the store what was said.
    Outbox {
        /// Who has said it.
        me: Key,
        /// Room by room, the oldest first, as many as may be told at once.
        waiting: Vec<WaitingFor>,
        /// How many more there are.
        more: u64,
    },
    /// To [`Ask::Cancel`], once it is in the store.
    Cancelled(Cancelled),
    /// To [`Ask::Paths`]; the shell adds what the links have measured.
    Paths(Vec<PathOf>),
}

/// A line of receipts, and whose it is.
#[derive(Clone, PartialEq, Debug)]
pub struct ReceiptOf {
    /// The member's key.
    pub key: Key,
    /// What is shown.
    pub line: Receipt,
}

/// A message that waits, and for whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitingFor {
    /// The message.
    pub id: MessageId,
    /// The members that have not receipted it.
    pub pending: Vec<AccountName>,
}

/// A line of paths, and which link it is about.
#[derive(Clone, PartialEq, Debug)]
pub struct PathOf {
    /// The link, if there is one.
    pub link: Option<LinkId>,
    /// What is shown.
    pub line: Path,
}
