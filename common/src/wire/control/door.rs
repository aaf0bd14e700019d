//! Rooms that somebody runs: made with settings, with a door, and with people who may do more than talk.

use serde::{Deserialize, Serialize};

use super::events::MemberEvent;
use crate::{
    name::{AccountName, RoomName},
    table::{Role, Settings},
};

/// Params of `create`: a room with these settings, whose owner is this peer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Create {
    /// What it is to be called.
    pub room: RoomName,
    /// `joined` or `all`: what it shows to those who join.
    #[serde(default)]
    pub history: crate::table::History,
    /// Whether joining needs approval.
    #[serde(default)]
    pub approval: bool,
    /// Whether only its members find it in the list of rooms.
    #[serde(default)]
    pub private: bool,
    /// What it is about, on one line; empty for nothing.
    #[serde(default)]
    pub topic: String,
}

impl Create {
    /// The room and its settings, apart.
    pub fn parts(self) -> (RoomName, Settings) {
        let Create { room, history, approval, private, topic } = self;
        (room, Settings { history, approval, private, topic })
    }
}

/// Params of `order`: something that is done to a room by who may.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Ordered {
    /// Which.
    pub room: RoomName,
    /// What.
    #[serde(flatten)]
    pub order: Order,
}

/// What is done to a room. JSON names it in `order`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(tag = "order", rename_all = "lowercase")]
pub enum Order {
    /// Lets somebody in who has asked, or does not.
    Decide {
        /// Who asks.
        name: AccountName,
        /// Whether it becomes a member.
        accept: bool,
    },
    /// Removes a member.
    Remove {
        /// Whom.
        name: AccountName,
        /// Whether for good.
        ban: bool,
    },
    /// Lifts a ban.
    Unban {
        /// Whose.
        name: AccountName,
    },
    /// Gives a member a role. With `owner` the room is handed over.
    Role {
        /// Whom.
        name: AccountName,
        /// Which.
        role: Role,
    },
    /// Says what the room is about.
    Topic {
        /// On one line; empty for nothing.
        topic: String,
    },
}

/// The result of `door`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Door {
    /// Who asks to be let in, the longest first.
    pub waiting: Vec<Outside>,
    /// Who is banned, the same.
    pub banned: Vec<Outside>,
}

/// A line of `peer requests` and of `peer bans`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Outside {
    /// What it is called.
    pub name: AccountName,
    /// Its key, in hexadecimal.
    pub key: String,
    /// Since when, in milliseconds since 1970.
    pub at: u64,
}

/// The result of `table`: what a room is like, and what two members can compare to see that they are told the same.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct TableLine {
    /// Which room.
    pub room: RoomName,
    /// The version of its table.
    pub version: String,
    /// How many members it has.
    pub members: u32,
    /// Sixty digits made of all that the table says at this version: equal where the tables are.
    pub digest: String,
    /// Who owns it, where somebody does.
    pub owner: Option<AccountName>,
    /// What it is like.
    #[serde(flatten)]
    pub settings: SettingsLine,
}

/// What a room is like.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct SettingsLine {
    /// Whether joining needs approval.
    pub approval: bool,
    /// Whether only its members find it in the list of rooms.
    pub private: bool,
    /// What it shows to those who join.
    pub history: crate::table::History,
    /// What it is about; empty for nothing.
    pub topic: String,
}

impl From<&Settings> for SettingsLine {
    fn from(settings: &Settings) -> SettingsLine {
        let Settings { history, approval, private, topic } = settings.clone();
        SettingsLine { approval, private, history, topic }
    }
}

/// Params of `changes`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Since {
    /// Which room.
    pub room: RoomName,
    /// A version of its table, or only the number of one.
    pub since: String,
}

/// The result of `changes`: what is different between two versions of a room's table.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Changes {
    /// The first version.
    pub since: String,
    /// The version held now.
    pub version: String,
    /// Every change, in order.
    pub changes: Vec<MemberEvent>,
    /// Versions between the two that were not seen one by one, as pairs of the last before and the first after: what
    /// changed in them is told as of the second.
    #[serde(default)]
    pub unseen: Vec<(String, String)>,
}

/// Params of `rename`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Rename {
    /// What to be called from now on.
    pub name: AccountName,
}
