//! Rooms and who is in them.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::{
    id::Slot,
    name::{AccountName, RoomName},
    table,
};

/// Params that name a room.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct InRoom {
    /// Which.
    pub room: RoomName,
}

/// Params of `join`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Join {
    /// Which.
    pub room: RoomName,
    /// What the room is to show to those who join, `joined` or `all`. One that is there with another setting is not
    /// joined; without it a room is joined as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<table::History>,
}

/// A line of `peer rooms`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Room {
    /// Its name.
    pub room: RoomName,
    /// How many members it has.
    pub members: u32,
    /// Whether this peer is one of them.
    pub joined: bool,
    /// Whether joining needs approval.
    pub approval: bool,
    /// What it shows to those who join: `joined` for what is said from then on, `all` for all that was said.
    #[serde(default)]
    pub history: table::History,
    /// Whether only its members find it here.
    #[serde(default)]
    pub private: bool,
    /// What it is about; empty for nothing.
    #[serde(default)]
    pub topic: String,
}

/// The result of `join` and `create`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(untagged)]
pub enum Joining {
    /// This peer is a member.
    In(Joined),
    /// It has asked to be let in.
    Asked(Asked),
}

/// Somebody has to let this peer into a room. An event tells when that is decided.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Asked {
    /// Which room.
    pub room: RoomName,
    /// True.
    pub asked: bool,
}

/// The result of `join`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Joined {
    /// Which room.
    pub room: RoomName,
    /// Its members now, this peer included.
    pub members: u32,
    /// The slot it was given.
    pub slot: Slot,
    /// What the room shows to those who join.
    #[serde(default)]
    pub history: table::History,
}

/// A line of `peer members`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Member {
    /// What it is called.
    pub name: AccountName,
    /// Its number in the room.
    pub slot: Slot,
    /// Whether it is logged in.
    pub online: bool,
    /// Its address, where known.
    pub address: Option<SocketAddr>,
    /// `direct`, `via NAME`, `none` or `self`.
    pub path: String,
    /// What it may do.
    pub role: String,
    /// Whether it is online, but away from the keyboard.
    #[serde(default)]
    pub away: bool,
    /// Whether its user and this one have compared their safety number.
    #[serde(default)]
    pub verified: bool,
}
