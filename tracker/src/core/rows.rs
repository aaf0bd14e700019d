//! What must survive a restart, as values: the rows that the core asks to be stored, and the tables it starts from.

use common::{
    AccountName, Key, RoomName, Slot, Version,
    file::Root,
    table::{Member, Role, Settings, Shared},
};

use super::contacts::Standing;

/// The hash of a token; the token itself is kept by nobody but who was given it.
pub type Hash = [u8; 32];

/// One thing to store. Rows of one batch are stored together or not at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Row {
    /// A name belongs to a key from now on.
    Account {
        /// Whose.
        key: Key,
        /// The name as it was registered.
        name: AccountName,
        /// When it was seen.
        seen: Seen,
    },
    /// An account was seen.
    Seen {
        /// Which.
        key: Key,
        /// When.
        seen: Seen,
    },
    /// Whether an account's contacts are not told when it was last seen.
    HideSeen {
        /// Whose.
        key: Key,
        /// Whether.
        hide: bool,
    },
    /// An account has another name.
    Renamed {
        /// Whose.
        key: Key,
        /// The new one.
        name: AccountName,
    },
    /// An account is no more.
    Unregistered {
        /// Whose.
        key: Key,
    },
    /// A name is kept from others.
    Hold(StoredHold),
    /// A name is so no more.
    Release {
        /// Which.
        name: AccountName,
    },
    /// A key has lost its account to another.
    Retired {
        /// The lost one.
        key: Key,
        /// The one that has the account now.
        by: Key,
    },
    /// An invitation stands so.
    Invitation(StoredInvitation),
    /// An invitation is forgotten.
    InvitationGone {
        /// The hash of its token.
        hash: Hash,
    },
    /// An account may be taken over with a token.
    Reset(StoredReset),
    /// It may not any more.
    ResetGone {
        /// Whose.
        key: Key,
    },
    /// How one account stands to another, in its own view; `None` for not at all.
    Contact {
        /// Whose view.
        of: Key,
        /// The other.
        with: Key,
        /// How.
        standing: Option<Standing>,
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
    /// A slot is free, as of `version`, and what its member shared is shared no more.
    Gone {
        /// The version that this makes.
        version: Version,
        /// The slot.
        slot: Slot,
    },
    /// What a room is like, as of `version`.
    Set {
        /// The version that this makes.
        version: Version,
        /// What it is like.
        settings: Settings,
    },
    /// A member shares a file, as of `version`.
    Share {
        /// The version that this makes.
        version: Version,
        /// The file, and the member's word.
        shared: Shared,
    },
    /// It does so no more, as of `version`.
    Unshare {
        /// The version that this makes.
        version: Version,
        /// The member's slot.
        slot: Slot,
        /// The file.
        root: Root,
    },
    /// Somebody waits at a room's door since then, in seconds since 1970; `None` for no more.
    Waits {
        /// The room's epoch.
        epoch: u64,
        /// Who.
        key: Key,
        /// Since when.
        at: Option<u64>,
    },
    /// Somebody is banned from a room since then, in seconds since 1970; `None` for no more.
    Banned {
        /// The room's epoch.
        epoch: u64,
        /// Who.
        key: Key,
        /// Since when.
        at: Option<u64>,
    },
    /// A room without members is kept; `None` for no more.
    Kept {
        /// The room's epoch.
        epoch: u64,
        /// For whom, and for how long.
        kept: Option<Kept>,
    },
    /// Somebody is to be told that it was not let into a room.
    Declined {
        /// Who.
        key: Key,
        /// Which room.
        room: RoomName,
        /// By whom; `None` if nobody is left to decide.
        by: Option<AccountName>,
    },
    /// It has been told.
    Told {
        /// Who.
        key: Key,
        /// Of which room.
        room: RoomName,
    },
    /// The room is no more, nor its door.
    Unmade {
        /// Its epoch.
        epoch: u64,
    },
}

/// When an account was seen last.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Seen {
    /// In milliseconds of the tracker's life, which expiry is counted in.
    pub lived: u64,
    /// In seconds since 1970, for people.
    pub at: u64,
}

/// How a room without members is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Its last owner, who may come back without asking; `None` if its account is gone.
    pub owner: Option<Key>,
    /// Until when, in milliseconds of the tracker's life.
    pub until: u64,
}

/// A name kept from others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredHold {
    /// Which.
    pub name: AccountName,
    /// For whom; `None` if the account is gone.
    pub key: Option<Key>,
    /// Until when, in milliseconds since 1970.
    pub until: u64,
}

/// What a token lets in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoredInvitation {
    /// The hash of its token.
    pub hash: Hash,
    /// How many accounts more it is good for.
    pub uses: u32,
    /// Until when, in milliseconds since 1970.
    pub until: u64,
}

/// That an account may be taken over with a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoredReset {
    /// Whose.
    pub key: Key,
    /// The hash of the token.
    pub hash: Hash,
    /// Until when, in milliseconds since 1970.
    pub until: u64,
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
    /// Every name kept from others.
    pub holds: Vec<StoredHold>,
    /// Every key that has lost its account, and the one that has it since.
    pub retired: Vec<(Key, Key)>,
    /// Every invitation.
    pub invitations: Vec<StoredInvitation>,
    /// Every account that may be taken over.
    pub resets: Vec<StoredReset>,
    /// Whose view, of whom, and how they stand.
    pub contacts: Vec<(Key, Key, Standing)>,
    /// Who is to be told of which room that it was not let in, and by whom.
    pub declined: Vec<(Key, RoomName, Option<AccountName>)>,
}

/// An account as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredAccount {
    /// Its key.
    pub key: Key,
    /// Its name.
    pub name: AccountName,
    /// When it was last seen.
    pub seen: Seen,
    /// Whether its contacts are not told that.
    pub hide_seen: bool,
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
    /// The files that they share.
    pub files: Vec<Shared>,
    /// Who waits at its door, and since when in seconds since 1970.
    pub waiting: Vec<(Key, u64)>,
    /// Who is banned from it, and since when in seconds since 1970.
    pub banned: Vec<(Key, u64)>,
    /// How it is kept, if it has no members.
    pub kept: Option<Kept>,
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
