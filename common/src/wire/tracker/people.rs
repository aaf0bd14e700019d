//! What is said about people: who is a contact of whom, what they are called, and whether they are there.

use serde::{Deserialize, Serialize};

use crate::{address::Addresses, id::Key, name::AccountName};

/// How the session is to be shown to others. A session begins as [`Shown::default`].
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub struct Shown {
    /// Away from the keyboard.
    pub away: bool,
    /// Whether contacts are not told when the account was last seen.
    pub hide_seen: bool,
}

/// Take another name. The old one is held for a time in which nobody else gets it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Rename {
    /// For the answer.
    pub id: u32,
    /// The new one.
    pub name: AccountName,
}

/// Something about a contact.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct SetContact {
    /// For the answer.
    pub id: u32,
    /// Whom, by name or former name.
    pub name: AccountName,
    /// Whom for certain: with a key, somebody else of that name is not meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// What.
    pub wish: Wish,
}

/// What is wished about a contact.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub enum Wish {
    /// To be a contact: asks, or accepts where the other has asked.
    #[serde(rename = "a")]
    Add,
    /// To say yes; refused if the other has not asked.
    #[serde(rename = "y")]
    Accept,
    /// To say no.
    #[serde(rename = "n")]
    Decline,
    /// To be no contact any more, or to take back having asked.
    #[serde(rename = "r")]
    Remove,
    /// To be shown as away for good, and to hear nothing more. The other is not told: to it, it is as if its request
    /// were never answered and the blocking account never logged in. In rooms that the two share each still sees the
    /// other as all members do.
    #[serde(rename = "b")]
    Block,
    /// To lift that.
    #[serde(rename = "u")]
    Unblock,
}

/// The last word about some of the receiver's contacts. All of them are told after each login; where the tracker has just
/// started, only once everybody has had the time to come back, and until then those of whom it knows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Contacts {
    /// Some of them.
    #[serde(rename = "c")]
    pub contacts: Vec<Contact>,
    /// Whether those are all with the frames before that had `more`: who is in none of them is no contact.
    #[serde(rename = "w", default)]
    pub whole: bool,
    /// Whether another piece of all of them follows.
    #[serde(rename = "x", default)]
    pub more: bool,
}

/// Somebody who is, or may become, a contact of the receiver's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Contact {
    /// Who it is.
    #[serde(rename = "k")]
    pub key: Key,
    /// What it is called.
    #[serde(rename = "n")]
    pub name: AccountName,
    /// How the two stand.
    #[serde(rename = "s")]
    pub state: ContactState,
    /// Where it is, if it is online and both have agreed.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub online: Option<Addresses>,
    /// Online, but away from the keyboard.
    #[serde(rename = "w", default, skip_serializing_if = "std::ops::Not::not")]
    pub away: bool,
    /// When it was last seen, in seconds since 1970, if it is offline and does not hide that.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<u64>,
}

/// How the receiver and somebody else stand.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub enum ContactState {
    /// The receiver has asked.
    #[serde(rename = "a")]
    Asked,
    /// The other has asked.
    #[serde(rename = "q")]
    Asks,
    /// Both have agreed.
    #[serde(rename = "c")]
    Contact,
    /// The receiver has blocked the other.
    #[serde(rename = "b")]
    Blocked,
    /// No longer any of these.
    #[serde(rename = "g")]
    Gone,
    /// No longer, since another key has taken the account over: the old one is lost. The new key comes as another
    /// contact.
    #[serde(rename = "n")]
    Rekeyed,
}
