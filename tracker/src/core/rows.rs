//! What must survive a restart, as values: the rows that the core asks to be stored, and the tables it starts from.

use common::{
    AccountName, Key, RoomName, Slot, Version,
    table::{Member, Role, Settings},
};

/// One thing to store. Rows of one batch are stored together or not at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Row {
    /// A name belongs to a key from now on.
    Account {
        /// Whose.
        key: Key,
        /// The name as it was registered.
        name: AccountName,
        /// When, in milliseconds of the tracker's life.
        seen: u64,
    },
    /// An account was seen at this time of the tracker's life, in milliseconds.
    Seen {
        /// Which.
        key: Key,
        /// When.
        seen: u64,
    },
    /// How long the tracker has run in all, in milliseconds.
    Lived(u64),
    /// A room was made.
    Made {
        /// Its epoch, which is also its id.
        epoch: u64,
        /// Its name as its maker wrote it.
        name: RoomName,
        /// What it is like.
        settings: Settings,
    },
    /// A slot has this member, as of `version`.
    Put {
        /// The version that this makes.
        version: Version,
        /// The member.
        member: Member,
    },
    /// A slot is free, as of `version`.
    Gone {
        /// The version that this makes.
        version: Version,
        /// The slot.
        slot: Slot,
    },
    /// The room is no more.
    Unmade {
        /// Its epoch.
        epoch: u64,
    },
}

/// All that was stored.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Tables {
    /// The tables' own id: other tables have another.
    pub id: u64,
    /// The last epoch ever given to a room.
    pub last_epoch: u64,
    /// How long the tracker had run in all, in milliseconds.
    pub lived: u64,
    /// Every account.
    pub accounts: Vec<StoredAccount>,
    /// Every room.
    pub rooms: Vec<StoredRoom>,
}

/// An account as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredAccount {
    /// Its key.
    pub key: Key,
    /// Its name.
    pub name: AccountName,
    /// When it was last seen, in milliseconds of the tracker's life.
    pub seen: u64,
}

/// A room as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredRoom {
    /// Its name as its maker wrote it.
    pub name: RoomName,
    /// The version of its table.
    pub version: Version,
    /// What it is like.
    pub settings: Settings,
    /// Its members.
    pub members: Vec<StoredMember>,
}

/// A member as stored: what it is called stands with its account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredMember {
    /// Its slot.
    pub slot: Slot,
    /// Its key.
    pub key: Key,
    /// Its role.
    pub role: Role,
    /// The version's number that brought it.
    pub since: u64,
}
