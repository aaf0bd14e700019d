//! What a user may ask of a running peer, and the answers.

use common::{
    MessageId, RoomName,
    wire::control::{Joined, Member, Path, Receipt, Room, Said, Status},
};

/// A question or an order.
#[derive(Clone, PartialEq, Debug)]
pub enum Ask {
    /// How the peer is.
    Status,
    /// The rooms of the tracker, or, while it is down, those joined.
    Rooms,
    /// Become a member.
    Join(RoomName),
    /// Stop being one.
    Leave(RoomName),
    /// Who is in a room.
    Members(RoomName),
    /// Say something.
    Say {
        /// Where.
        room: RoomName,
        /// What.
        text: String,
    },
    /// How far a message of one's own has got.
    Said(MessageId),
    /// The same, member by member.
    Receipts(MessageId),
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
    /// To [`Ask::Join`].
    Joined(Joined),
    /// To [`Ask::Leave`] and [`Ask::Logout`].
    Done,
    /// To [`Ask::Members`].
    Members(Vec<Member>),
    /// To [`Ask::Say`], once it is in the store, and to [`Ask::Said`].
    Said(Box<Said>),
    /// To [`Ask::Receipts`].
    Receipts(Vec<Receipt>),
    /// To [`Ask::Paths`].
    Paths(Vec<Path>),
}
