//! What a user may ask of a running peer, and the answers.

use std::collections::BTreeMap;

use common::{
    AccountName, Key, MessageId, RoomName, Version,
    content::Content,
    table::{History, Settings},
    wire::control::{
        Cancelled, Door, Joined, Member, Order, Path, Receipt, Room, Said, Status, TableLine,
        files::{AnswerFiles, AskFiles},
        people::{AnswerPeople, AskPeople},
    },
};

use super::{LinkId, room::Gap};

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
    /// Make a room with these settings, as its owner.
    Make(RoomName, Settings),
    /// Stop being one.
    Leave(RoomName),
    /// Do something to a room that only some may do.
    Order(RoomName, Order),
    /// Who waits at a room's door, and who is banned from it.
    Door(RoomName),
    /// What a room is like, and the fingerprint of its table.
    Table(RoomName),
    /// Which versions of a room's table are known after one: of the epoch held, unless another is named.
    Since {
        /// The room.
        room: RoomName,
        /// The epoch.
        epoch: Option<u64>,
        /// The number.
        number: u64,
    },
    /// Be called something else from now on.
    Rename(AccountName),
    /// Who is in a room.
    Members(RoomName),
    /// What a room that this peer is or was in is called, whatever case it is asked for in.
    Called(RoomName),
    /// Something about people.
    People(AskPeople),
    /// Something about files.
    Files(AskFiles),
    /// What these rooms are called to the user.
    Titles(Vec<RoomName>),
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
    /// To [`Ask::Join`], [`Ask::JoinAs`] and [`Ask::Make`].
    Joined(Joined),
    /// The same, where somebody has to let this peer in.
    Asked(RoomName),
    /// To [`Ask::Leave`], [`Ask::Order`], [`Ask::Rename`], [`Ask::Typing`] and [`Ask::Logout`].
    Done,
    /// To [`Ask::Door`].
    Door(Door),
    /// To [`Ask::Table`].
    Table(TableLine),
    /// To [`Ask::Since`]; the shell adds from the store what has changed.
    Since {
        /// What the room is called.
        room: RoomName,
        /// The version asked about.
        since: Version,
        /// The version held.
        version: Version,
        /// Versions between the two that were not seen.
        unseen: Vec<Gap>,
    },
    /// To [`Ask::Members`].
    Members(Vec<Member>),
    /// To [`Ask::Called`].
    Called(RoomName),
    /// To [`Ask::People`].
    People(AnswerPeople),
    /// To [`Ask::Files`].
    Files(AnswerFiles),
    /// To [`Ask::Titles`].
    Titles(BTreeMap<RoomName, RoomName>),
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
    /// What its room is called to the user.
    pub title: RoomName,
    /// The members that have not receipted it.
    pub pending: Vec<AccountName>,
    /// Those of them whose keys the user has to decide on.
    pub undecided: Vec<AccountName>,
}

/// A line of paths, and which link it is about.
#[derive(Clone, PartialEq, Debug)]
pub struct PathOf {
    /// The link, if there is one.
    pub link: Option<LinkId>,
    /// What is shown.
    pub line: Path,
}
