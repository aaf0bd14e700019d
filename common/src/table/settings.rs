//! What a room is like, and what its members may do.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a member may do in a room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Talk.
    #[default]
    Member,
    /// And let people in, remove and ban those who are no more than members, and set the topic.
    Moderator,
    /// And do all of that with moderators, make them, and hand the room over. A room with a door has one owner.
    Owner,
}

impl Role {
    pub(super) fn is_member(&self) -> bool {
        *self == Role::Member
    }

    /// The role as it is written on the command line.
    pub fn as_str(&self) -> &'static str {
        match self {
            Role::Member => "member",
            Role::Moderator => "moderator",
            Role::Owner => "owner",
        }
    }
}

/// What a room shows to those who join it, fixed when the room is made.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum History {
    /// What is said from when they join on.
    #[default]
    Joined,
    /// All that was said since the room was made.
    All,
}

impl History {
    /// Whether it is what a room has unless it is told otherwise.
    pub fn is_joined(&self) -> bool {
        *self == History::Joined
    }

    /// The setting as it is written on the command line.
    pub fn as_str(&self) -> &'static str {
        match self {
            History::Joined => "joined",
            History::All => "all",
        }
    }
}

impl FromStr for Role {
    type Err = BadRole;

    fn from_str(text: &str) -> Result<Role, BadRole> {
        [Role::Member, Role::Moderator, Role::Owner].into_iter().find(|role| role.as_str() == text).ok_or(BadRole)
    }
}

/// A text that is no [`Role`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role is \"member\", \"moderator\" or \"owner\"")]
pub struct BadRole;

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for History {
    type Err = BadHistory;

    fn from_str(text: &str) -> Result<History, BadHistory> {
        match text {
            "joined" => Ok(History::Joined),
            "all" => Ok(History::All),
            _ => Err(BadHistory),
        }
    }
}

/// A text that is no [`History`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a room's history is \"joined\" or \"all\"")]
pub struct BadHistory;

/// What a room is like, apart from who is in it.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub struct Settings {
    /// What it shows to those who join: fixed when the room is made.
    #[serde(rename = "h", default, skip_serializing_if = "History::is_joined")]
    pub history: History,
    /// Whether joining needs somebody's approval: fixed when the room is made.
    #[serde(rename = "a", default, skip_serializing_if = "std::ops::Not::not")]
    pub approval: bool,
    /// Whether it is left out of the list of rooms.
    #[serde(rename = "p", default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// What it is about, at most [`TOPIC_CHARS`](crate::limits::TOPIC_CHARS); empty for nothing.
    #[serde(rename = "t", default, skip_serializing_if = "String::is_empty")]
    pub topic: String,
}

impl Settings {
    /// Those of a room that has none but this.
    pub fn with_history(history: History) -> Settings {
        Settings { history, ..Settings::default() }
    }
}
