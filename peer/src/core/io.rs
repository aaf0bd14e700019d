//! What goes into the core and what comes out.

use common::{
    AccountName, Domain, Key, RoomName, Slot, Version,
    address::Addresses,
    file::Root,
    frame::Encoded,
    message::Hash,
    table::{Member, Settings, Shared},
    wire::{
        control::{Mark, MemberEvent, ReceiptEvent, Refusal, TypingEvent, files::Transfer, people::BookEntry},
        peer::{PeerFrame, PeerHint},
        tracker::ToPeer,
    },
};

use super::{
    command::{Answer, Ask},
    contacts::Held,
    files::{FileInput, FileOutput, Kept},
    log::Piece,
    offers::Offered,
    own_log::Sealed,
    room::{Gap, Span},
    trust::Known,
};

/// Two clocks at one moment. Decisions go by the first, what people see by the second.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Now {
    /// Milliseconds since some moment before the core began; never goes back.
    pub at: u64,
    /// Milliseconds since 1970, as the host believes.
    pub wall: u64,
}

/// Names one question of the user.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct AskId(pub u64);

/// Names one connection to another peer; given by the shell, never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LinkId(pub u64);

/// Names one attempt to reach whoever is at an address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CallId(pub u64);

/// Something that has happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The user asks.
    Ask(AskId, Ask),
    /// Time has come for [`Core::deadline`](super::Core::deadline).
    Tick,
    /// The host has slept.
    Woke,
    /// The host's own addresses are these now.
    Interfaces(Addresses),
    /// A connection to the tracker stands; it has proven this key.
    TrackerUp(Key),
    /// The tracker says something.
    TrackerSays(ToPeer),
    /// The connection to the tracker is gone, or could not be had.
    TrackerDown(String),
    /// A connection to a peer stands, and it has proven its key.
    LinkUp {
        /// The connection.
        link: LinkId,
        /// Who is there.
        key: Key,
        /// Whether this side dialled.
        dialled: bool,
        /// Where it is.
        address: std::net::SocketAddr,
    },
    /// A peer says something.
    LinkSays(LinkId, PeerFrame),
    /// A peer hints at something.
    LinkHints(LinkId, PeerHint),
    /// Somebody watches here for who is typing, or nobody does any more.
    Looks(bool),
    /// So many bytes of frames have been handed on to the network.
    LinkSent(LinkId, usize),
    /// A peer says something that cannot be read; its connection ends.
    LinkBroken(LinkId, String),
    /// A connection to a peer is gone.
    LinkDown(LinkId, String),
    /// [`Output::Call`] has come to a connection, and whoever is there has proven its key.
    CallUp {
        /// Which call.
        call: CallId,
        /// The connection.
        link: LinkId,
        /// Who is there.
        key: Key,
        /// Where it is.
        address: std::net::SocketAddr,
    },
    /// [`Output::Call`] has come to nothing.
    CallFailed(CallId, String),
    /// A peer could not be reached at any of its addresses.
    DialFailed(Key, String),
    /// What [`Output::Load`] asked for, in order; empty if the store has none.
    Loaded {
        /// For which link.
        link: LinkId,
        /// Of which room.
        room: RoomName,
        /// Own batches.
        batches: Vec<Sealed>,
    },
    /// Something about files.
    File(FileInput),
    /// What [`Output::Feed`] asked for, in the order in which it was shown here.
    Fed {
        /// For which link.
        link: LinkId,
        /// Of which room.
        room: RoomName,
        /// Batches of the logs asked for.
        segments: Vec<Segment>,
        /// The cursor up to which all has been looked through.
        position: u64,
        /// Whether there is more behind it.
        more: bool,
    },
}

/// Something to do. Outputs are carried out in order, and none before the rows among them, and those of every
/// earlier output, are synced to disk.
#[derive(Clone, Debug)]
pub enum Output {
    /// Keep this.
    Keep(Row),
    /// Answer the user.
    Reply(AskId, Result<Answer, Refusal>),
    /// Show the user.
    Show(Shown),
    /// Connect to the tracker.
    DialTracker,
    /// Say this to the tracker.
    TellTracker(Encoded),
    /// Drop the connection to the tracker.
    DropTracker,
    /// The tracker has welcomed this peer.
    Welcomed(Welcomed),
    /// Connect to a peer at any of these addresses.
    Dial(Key, Addresses),
    /// Connect to whoever is at any of these addresses.
    Call(CallId, Addresses),
    /// Write the address book.
    KeepBook(Vec<BookEntry>),
    /// Say this to a peer.
    Send(LinkId, Encoded),
    /// Send this to a peer as a datagram, without its header; it may be lost.
    Hint(LinkId, Encoded),
    /// Close a link, for this reason.
    Close(LinkId, String),
    /// Read own batches from the store: those with messages from `from` on, as many as fit a batch.
    Load {
        /// For which link.
        link: LinkId,
        /// Of which room.
        room: RoomName,
        /// The first number wanted.
        from: u64,
    },
    /// Read batches of some logs from the store, one's own among them, as many as fit a batch.
    Feed {
        /// For which link.
        link: LinkId,
        /// Of which room.
        room: RoomName,
        /// Whose, and after which number.
        logs: Vec<(Key, u64)>,
        /// Only what was shown after this cursor; 0 to begin with the first that is asked for.
        position: u64,
    },
    /// Something about files.
    File(FileOutput),
    /// The session is over.
    End(Refusal),
}

/// What the tracker said of this peer when it welcomed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Welcomed {
    /// The tracker's domain.
    pub domain: Domain,
    /// The tracker's key.
    pub tracker_key: Key,
    /// The peer's address as the tracker sees it.
    pub seen: Option<std::net::SocketAddr>,
}

/// Something to show. Messages are shown by the batch: the shell takes them apart where somebody looks.
#[derive(Clone, Debug)]
pub enum Shown {
    /// Messages.
    Batch(Segment),
    /// A change of membership or presence.
    Member(MemberEvent),
    /// A receipt.
    Receipt(ReceiptEvent),
    /// Somebody is typing.
    Typing(TypingEvent),
    /// A transfer has begun, ended, or come to a halt.
    Transfer(Transfer),
}

/// Messages in a row of one author, as the store keeps them: the batch as it travelled, and what is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    /// The cursor of the first message; the others follow one by one.
    pub cursor: u64,
    /// The room.
    pub room: RoomName,
    /// The author.
    pub author: Key,
    /// What the author was called.
    pub name: AccountName,
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
    /// The stamp.
    pub stamp: Version,
    /// The hash that the log has after it.
    pub end: Hash,
    /// When it came, in milliseconds since 1970.
    pub received: u64,
    /// Which way it came.
    pub path: String,
    /// Whether it is shown out of its order.
    pub mark: Option<Mark>,
    /// The batch's frame, header included.
    pub frame: Encoded,
}

/// One thing to keep over a restart.
#[derive(Clone, Debug)]
pub enum Row {
    /// Messages.
    Segment(Segment),
    /// A piece of another's log is this long now, and has taken the place of others that began with these numbers.
    Piece {
        /// The room.
        room: RoomName,
        /// The author.
        author: Key,
        /// The piece.
        piece: Piece,
        /// Pieces that are part of it now.
        swallowed: Vec<u64>,
    },
    /// An author's log has two different messages with one number; this is the batch that was not taken.
    Fork {
        /// The room.
        room: RoomName,
        /// The author.
        author: Key,
        /// The batch's first number.
        first: u64,
        /// The batch's frame.
        frame: Encoded,
    },
    /// An event.
    Event(MemberEvent),
    /// A member has these messages of this peer's log.
    Receipt {
        /// The room.
        room: RoomName,
        /// Who.
        member: Key,
        /// The first.
        first: u64,
        /// The last.
        last: u64,
        /// When the receipt came, in milliseconds since 1970.
        at: u64,
        /// Which way.
        path: String,
    },
    /// A message of this peer's is not sent any more to those who lack it.
    Cancelled {
        /// The room.
        room: RoomName,
        /// Which message.
        number: u64,
        /// Who has it.
        had: Vec<Key>,
    },
    /// Where a room's table stands, whether this peer is a member, and what the room is like.
    Room {
        /// The room.
        room: RoomName,
        /// The version.
        version: Version,
        /// Whether this peer is a member.
        joined: bool,
        /// What the room is like.
        settings: Settings,
    },
    /// A room's table is begun afresh: forget its members and the files it lists.
    Clear(RoomName),
    /// A slot has this member.
    Put(RoomName, Member),
    /// A slot is free, and the table lists no files of it.
    Free(RoomName, Slot),
    /// A membership has ended.
    Span(RoomName, Span),
    /// Versions of a room's table were not seen.
    Gap(RoomName, Gap),
    /// In this epoch the room shows all that is said to those who join it.
    Open(RoomName, u64),
    /// How this peer's account and somebody stand; `None` for no longer at all.
    Contact(Key, Option<Held>),
    /// Somebody is known by a key.
    Known(Key, Known),
    /// A name, folded, is this key's.
    Named(String, Key),
    /// Where somebody was last seen.
    Addresses(Key, Addresses),
    /// The id of the tracker's tables.
    Tables(u64),
    /// A room's table lists a file, and it is the word of the member.
    Listed(RoomName, Shared),
    /// It is so no more.
    Unlisted(RoomName, Slot, Root),
    /// A member has said with a message of its log that it shares a file.
    Offered(Offered),
    /// What it has said with this message of its log counts no more.
    Unoffered(RoomName, Key, u64),
    /// A file is here, or is fetched.
    File(Kept),
    /// It is so no more.
    Unfile(Root),
}
