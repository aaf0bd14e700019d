//! How somebody becomes a member, and how a membership ends.

use common::{
    Key, RoomName, Slot,
    fault::{self, Fault},
    frame::Frame,
    table::{Departure, History, Role, Settings},
    wire::tracker::{Code, Join, Leave, Make, NotMember, Refused, ToPeer},
};

use super::{
    Output, Row, SessionId, Tracker,
    requests::After,
    roles::{check_topic, no_room},
    rooms::RoomId,
};

impl Tracker {
    /// Makes the peer a member, or asks for it where the room has a door.
    pub(super) fn join(&mut self, session: SessionId, key: Key, request: Join, now: u64) -> Result<After, Refused> {
        let Join { room: name, history, .. } = request;
        let Some(id) = self.rooms.find(&name) else {
            self.may_enter_one_more(&key)?;
            let id = self.make_room(name, Settings::with_history(history.unwrap_or_default()), now)?;
            return self.enter(id, key, Role::Member, None, now);
        };
        let Some(room) = self.rooms.get(id) else { return Err(no_room(&name)) };
        if room.door.banned.contains_key(&key) {
            let reason = format!("you are banned from {name}: its owner or a moderator can lift that");
            return Err(Refused { code: Code::Banned, reason });
        }
        if history.is_some_and(|wanted| room.table().history() != wanted) {
            return Err(other_history(room.name(), room.table().history()));
        }
        let returns = room.door.is_last_owner(&key);
        if room.table().member(&key).is_some() {
            return Ok(self.already_in(session, id));
        }
        if room.table().settings().approval && !returns {
            return Err(self.ask(id, key, now));
        }
        self.may_enter_one_more(&key)?;
        let limit = self.config.members_per_room;
        if self.rooms.get(id).is_some_and(|room| room.table().len() >= limit) {
            return Err(full(format!("{name} has {limit} members, as many as a room may have here")));
        }
        self.enter(id, key, if returns { Role::Owner } else { Role::Member }, None, now)
    }

    /// Makes a room with the peer as its owner.
    pub(super) fn make(&mut self, session: SessionId, key: Key, request: Make, now: u64) -> Result<After, Refused> {
        let Make { room: name, settings, .. } = request;
        check_topic(&settings.topic)?;
        let Some(room) = self.rooms.find(&name).and_then(|id| self.rooms.get(id)) else {
            self.may_enter_one_more(&key)?;
            let id = self.make_room(name, settings, now)?;
            return self.enter(id, key, Role::Owner, None, now);
        };
        let fixed = |settings: &Settings| (settings.history, settings.approval, settings.private);
        let (id, is_same) = (room.table().version().epoch, fixed(room.table().settings()) == fixed(&settings));
        if is_same && room.table().member(&key).is_some_and(|member| member.role == Role::Owner) {
            return Ok(self.already_in(session, id));
        }
        if is_same && room.door.is_last_owner(&key) {
            self.may_enter_one_more(&key)?;
            return self.enter(id, key, Role::Owner, None, now);
        }
        let reason = format!("there is a room {name} already; join it: peer join {name}, or choose another name");
        Err(Refused { code: Code::Exists, reason })
    }

    /// Makes an account a member, and tells it of the room if it is there.
    pub(super) fn enter(
        &mut self,
        id: RoomId,
        key: Key,
        role: Role,
        by: Option<Slot>,
        now: u64,
    ) -> Result<After, Refused> {
        let account = self.logins.get(&key).ok_or_else(|| full("this account is gone; log in again".into()))?;
        let (called, online, session) = (account.name.clone(), account.online.clone(), account.session);
        let Some(room) = self.rooms.get_mut(id) else { return Err(full("the room has ended".into())) };
        let member = room.join(key, called, role, by, now / 1_000).map_err(|error| full(error.to_string()))?;
        let (slot, version) = (member.slot, room.table().version());
        room.show(slot, online);
        self.rooms.note(key, id);
        self.outputs.push(Output::Store(Row::Put { version, member }));
        self.unkeep(id);
        self.changed(id, now);
        if let Some(session) = session {
            // Told with everybody else, so that those who join together share one snapshot.
            if let (Some(speaker), Some(room)) = (self.sessions.get_mut(&session), self.rooms.get_mut(id)) {
                room.listeners.insert(session);
                speaker.cursors.insert(id, None);
            }
            self.mark_asks(session, id, &key);
        }
        Ok(Some((id, version.number)))
    }

    fn already_in(&mut self, session: SessionId, id: RoomId) -> After {
        if self.sessions.get(&session).is_some_and(|speaker| !speaker.cursors.contains_key(&id)) {
            self.listen(session, id, None);
        }
        self.pushed(id)
    }

    fn may_enter_one_more(&self, key: &Key) -> Result<(), Refused> {
        let limit = self.config.rooms_per_account;
        match self.rooms.count_of(key) >= limit {
            true => Err(full(format!("you are in {limit} rooms, as many as one may be: leave one first"))),
            false => Ok(()),
        }
    }

    fn make_room(&mut self, name: RoomName, settings: Settings, now: u64) -> Result<RoomId, Refused> {
        if !name.is_plain() {
            let reason = format!("{name} is a conversation of two, which needs no tracker: choose another name");
            return Err(Refused { code: Code::Exists, reason });
        }
        let limit = self.config.rooms;
        if self.rooms.len() >= limit {
            return Err(full(format!(
                "this tracker has as many rooms as it may ({limit}): join one there is (peer rooms)"
            )));
        }
        let epoch = self.rooms.make(name.clone(), settings.clone(), now);
        self.outputs.push(Output::Store(Row::Made { epoch, name, settings }));
        Ok(epoch)
    }

    /// Ends the peer's own membership, or its asking for one.
    pub(super) fn leave(&mut self, session: SessionId, key: Key, request: &Leave, now: u64) -> Result<After, Refused> {
        let Some(id) = self.rooms.find(&request.room) else { return Err(no_room(&request.room)) };
        if self.end_wait(id, &key) {
            return Ok(None);
        }
        self.actor(&key, &request.room)?;
        self.forget_room(session, id);
        self.remove(id, &key, Departure::Left, None, now);
        Ok(None)
    }

    /// Ends a membership, and the room with its last unless it has a door.
    pub(super) fn remove(&mut self, id: RoomId, key: &Key, why: Departure, by: Option<Slot>, now: u64) {
        let Some(room) = self.rooms.get_mut(id) else { return };
        let Some((slot, role)) = room.table().member(key).map(|member| (member.slot, member.role)) else { return };
        if room.leave(slot, why, by, now / 1_000).is_err() {
            return;
        }
        let (version, empty, approval) =
            (room.table().version(), room.table().is_empty(), room.table().settings().approval);
        self.rooms.forget(key, id);
        self.outputs.push(Output::Store(Row::Gone { version, slot }));
        if !fault::on(Fault::DepartureNotTold) {
            self.changed(id, now);
        }
        match (empty, approval) {
            (true, true) => self.keep(id, *key, why, now),
            (true, false) => self.end_room(id),
            (false, _) if role == Role::Owner => self.succeed(id, now),
            (false, _) => {}
        }
    }

    /// Somebody was removed by somebody else: it is told how, as the last that it is told of the room.
    pub(super) fn tell_removed(&mut self, id: RoomId, key: &Key) {
        let Some(session) = self.logins.get(key).and_then(|account| account.session) else { return };
        let cursor = self.forget_room(session, id);
        let (Some(told), Some(room)) = (self.sessions.get_mut(&session), self.rooms.get_mut(id)) else { return };
        // One that is still to be told of an earlier removal knows nothing of the room since.
        let farewell = told.farewells.entry(id).or_default();
        if farewell.is_empty() {
            farewell
                .extend(cursor.and_then(|cursor| room.update(cursor)).iter().flat_map(|frames| frames.iter()).cloned());
            farewell.push(ToPeer::from(NotMember { room: room.name().clone() }).encode());
            self.ready.insert(session);
        }
    }

    /// A session is not told of a room any more. Returns how much it has been told.
    fn forget_room(&mut self, session: SessionId, id: RoomId) -> Option<super::room::Cursor> {
        if let Some(room) = self.rooms.get_mut(id) {
            room.listeners.remove(&session);
        }
        let speaker = self.sessions.get_mut(&session)?;
        speaker.due.remove(&id);
        speaker.asks.retain(|(room, _)| *room != id);
        speaker.cursors.remove(&id)?
    }

    /// What has to be pushed before an answer that tells of this room as it is now.
    pub(super) fn pushed(&self, id: RoomId) -> After {
        self.rooms.get(id).map(|room| (id, room.table().version().number))
    }
}

fn other_history(room: &RoomName, history: History) -> Refused {
    let reason = format!(
        "{room} is there already, with --history {history}, which is fixed since it was made; join it as it is: \
         peer join {room}, or make a room of another name"
    );
    Refused { code: Code::OtherHistory, reason }
}

fn full(reason: String) -> Refused {
    Refused { code: Code::Full, reason }
}
