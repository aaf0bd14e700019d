//! What the user is told of rooms and people: who did what to whom, and when.

use common::{
    AccountName, RoomName, Version,
    wire::control::{MemberChange, MemberEvent},
};

use super::{Core, Output, Row, Shown};

/// Something to be told. What is not said is as it is at the moment.
pub struct News {
    name: AccountName,
    change: MemberChange,
    version: Option<Version>,
    by: Option<AccountName>,
    at: Option<u64>,
    detail: Option<String>,
}

impl News {
    /// That this has happened to somebody, or was done by them.
    pub fn new(name: AccountName, change: MemberChange) -> News {
        News { name, change, version: None, by: None, at: None, detail: None }
    }

    /// The same, done by somebody else.
    pub fn by(self, by: Option<AccountName>) -> News {
        News { by, ..self }
    }

    /// The same, at a moment in seconds since 1970 by the tracker's clock.
    pub fn at(self, seconds: u64) -> News {
        News { at: Some(seconds.saturating_mul(1_000)), ..self }
    }

    /// The same, with what it is now or was before.
    pub fn detail(self, detail: impl Into<String>) -> News {
        News { detail: Some(detail.into()), ..self }
    }

    /// The same, with this version of the table.
    pub fn version(self, version: Version) -> News {
        News { version: Some(version), ..self }
    }
}

impl Core {
    /// Keeps and shows that something has happened in a room just now.
    pub(super) fn event(&mut self, room: &RoomName, name: AccountName, change: MemberChange) {
        self.tell_of(room, News::new(name, change));
    }

    /// Keeps and shows news of a room.
    pub(super) fn tell_of(&mut self, room: &RoomName, news: News) {
        let News { name, change, version, by, at, detail } = news;
        let held = || self.rooms.get(room).map(|held| held.table.version()).unwrap_or_default();
        let event = MemberEvent {
            room: room.clone(),
            name,
            change,
            version: version.unwrap_or_else(held).to_string(),
            by,
            at: Some(at.unwrap_or(self.clock.wall)),
            detail,
            cursor: self.cursors(1),
        };
        self.out.push(Output::Keep(Row::Event(event.clone())));
        self.out.push(Output::Show(Shown::Member(event)));
    }
}
