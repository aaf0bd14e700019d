//! What a session says once it stands.

use std::net::SocketAddr;

use common::{
    Key, RoomName,
    fault::{self, Fault},
    limits,
    table::{Departure, History, Settings},
    wire::tracker::{Answer, Code, Holding, Join, Leave, ListRooms, NotMember, Refused, RoomList, ToPeer, ToTracker},
};

use super::{Output, Row, SessionId, Tracker, presence::reachable, rooms::RoomId};

impl Tracker {
    pub(super) fn frame(&mut self, session: SessionId, seen: SocketAddr, frame: ToTracker, now: u64) {
        let Some(speaker) = self.sessions.get(&session) else { return };
        let key = speaker.key;
        let unanswered = speaker.unanswered();
        match frame {
            ToTracker::Hello(_) => self.close(session, Code::Protest, "a second hello"),
            ToTracker::Holding(holding) => self.holding(session, key, holding),
            ToTracker::Moved(moved) => self.show(&key, Some(reachable(seen, &moved.addresses)), now),
            ToTracker::Logout(_) => {
                self.close(session, Code::LoggedOut, "logged out");
                self.offline(&key, now);
            }
            _ if unanswered >= self.config.requests_per_session => {
                self.close(session, Code::Protest, "more requests than may wait for an answer");
            }
            ToTracker::Join(Join { id, room, history }) => {
                let (after, refused) = match self.join(session, key, room, history, now) {
                    Ok(after) => (Some(after), None),
                    Err(refused) => (None, Some(refused)),
                };
                self.tell(session, Answer { id, refused }.into(), after);
            }
            ToTracker::Leave(Leave { id, room }) => {
                let refused = self.leave(session, key, &room, now).err();
                self.tell(session, Answer { id, refused }.into(), None);
            }
            ToTracker::ListRooms(ListRooms { id, after }) => {
                let (rooms, more) = self.rooms.list(after.as_ref(), limits::SNAPSHOT_PIECE);
                self.tell(session, RoomList { id, rooms, more }.into(), None);
            }
            _ => self.close(session, Code::Protest, "this tracker cannot do that yet"),
        }
    }

    /// Compares what a peer holds with the tables. What it does not name of its rooms it is told whole after the last.
    fn holding(&mut self, session: SessionId, key: Key, holding: Holding) {
        let Some(speaker) = self.sessions.get_mut(&session) else { return };
        let named = speaker.holding.map(|before| before + holding.rooms.len());
        // Twice the rooms one may be in leaves space for those one was put out of.
        if named.is_none_or(|named| named > 2 * self.config.rooms_per_account.max(limits::ROOMS_PER_ACCOUNT)) {
            return self.close(session, Code::Protest, "more rooms than anybody can hold");
        }
        speaker.holding = named.filter(|_| !holding.last);
        for held in holding.rooms {
            let member_of = self.rooms.find(&held.room).filter(|id| self.is_member(&key, *id));
            let Some(id) = member_of else {
                self.tell(session, ToPeer::from(NotMember { room: held.room }), None);
                continue;
            };
            let room = self.rooms.get_mut(id);
            let cursor = room.and_then(|room| room.cursor_of(held.version, &held.digest, held.presence));
            self.listen(session, id, cursor);
        }
        if holding.last {
            for id in self.rooms.of(&key) {
                if self.sessions.get(&session).is_some_and(|speaker| !speaker.cursors.contains_key(&id)) {
                    self.listen(session, id, None);
                }
            }
        }
    }

    /// Returns what has to be pushed before the answer.
    fn join(
        &mut self,
        session: SessionId,
        key: Key,
        name: RoomName,
        history: Option<History>,
        now: u64,
    ) -> Result<(RoomId, u64), Refused> {
        if let (Some(room), Some(wanted)) = (self.rooms.find(&name).and_then(|id| self.rooms.get(id)), history)
            && room.table().history() != wanted
        {
            return Err(other_history(room.name(), room.table().history()));
        }
        if let Some(id) = self.rooms.find(&name).filter(|id| self.is_member(&key, *id)) {
            if self.sessions.get(&session).is_some_and(|speaker| !speaker.cursors.contains_key(&id)) {
                self.listen(session, id, None);
            }
            return Ok((id, self.rooms.get(id).map_or(0, |room| room.table().version().number)));
        }
        let account = self.logins.get(&key).ok_or_else(|| full("this account is gone; log in again".into()))?;
        let (called, online) = (account.name.clone(), account.online.clone());
        let limit = self.config.rooms_per_account;
        if self.rooms.count_of(&key) >= limit {
            return Err(full(format!("you are in {limit} rooms, as many as one may be: leave one first")));
        }
        let id = self.room_with_space(name, history.unwrap_or_default(), now)?;
        let Some(room) = self.rooms.get_mut(id) else { return Err(full("the room has ended".into())) };
        let member = room.join(key, called, now / 1_000).map_err(|error| full(error.to_string()))?;
        let (slot, version) = (member.slot, room.table().version());
        room.show(slot, online);
        self.rooms.note(key, id);
        self.outputs.push(Output::Store(Row::Put { version, member }));
        self.changed(id, now);
        // Told with everybody else, so that those who join together share one snapshot.
        if let (Some(speaker), Some(room)) = (self.sessions.get_mut(&session), self.rooms.get_mut(id)) {
            room.listeners.insert(session);
            speaker.cursors.insert(id, None);
        }
        Ok((id, version.number))
    }

    fn room_with_space(&mut self, name: RoomName, history: History, now: u64) -> Result<RoomId, Refused> {
        if !name.is_plain() {
            let reason = "a conversation of two is no room and needs no tracker; begin it with: peer msg NAME TEXT";
            return Err(Refused { code: Code::NoRoom, reason: reason.into() });
        }
        if let Some(id) = self.rooms.find(&name) {
            let limit = self.config.members_per_room;
            return match self.rooms.get(id) {
                Some(room) if room.table().len() >= limit => {
                    Err(full(format!("{} has {limit} members, as many as a room may have here", room.name())))
                }
                _ => Ok(id),
            };
        }
        let limit = self.config.rooms;
        if self.rooms.len() >= limit {
            return Err(full(format!("this tracker has {limit} rooms, as many as it may: join one there is")));
        }
        let settings = Settings::with_history(history);
        let epoch = self.rooms.make(name.clone(), settings.clone(), now);
        self.outputs.push(Output::Store(Row::Made { epoch, name, settings }));
        Ok(epoch)
    }

    fn leave(&mut self, session: SessionId, key: Key, name: &RoomName, now: u64) -> Result<(), Refused> {
        let Some(id) = self.rooms.find(name) else {
            return Err(Refused { code: Code::NoRoom, reason: format!("there is no room {name}") });
        };
        if !self.is_member(&key, id) {
            return Err(Refused { code: Code::NotMember, reason: format!("you are not a member of {name}") });
        }
        if let (Some(speaker), Some(room)) = (self.sessions.get_mut(&session), self.rooms.get_mut(id)) {
            speaker.cursors.remove(&id);
            speaker.due.remove(&id);
            room.listeners.remove(&session);
        }
        self.remove(id, &key, Departure::Left, now);
        Ok(())
    }

    /// Ends a membership, and the room with its last.
    pub(super) fn remove(&mut self, id: RoomId, key: &Key, why: Departure, now: u64) {
        let Some(room) = self.rooms.get_mut(id) else { return };
        let Some(slot) = room.table().member(key).map(|member| member.slot) else { return };
        if room.leave(slot, why, now / 1_000).is_err() {
            return;
        }
        let (version, empty) = (room.table().version(), room.table().is_empty());
        self.rooms.forget(key, id);
        self.outputs.push(Output::Store(Row::Gone { version, slot }));
        if !fault::on(Fault::DepartureNotTold) {
            self.changed(id, now);
        }
        if empty {
            self.rooms.unmake(id);
            self.outputs.push(Output::Store(Row::Unmade { epoch: id }));
        }
    }

    fn is_member(&self, key: &Key, id: RoomId) -> bool {
        self.rooms.get(id).is_some_and(|room| room.table().member(key).is_some())
    }
}

fn other_history(room: &RoomName, history: History) -> Refused {
    let reason = format!(
        "{room} is there already, with --history {history}, which is fixed since it was made: join it as it is with \
         `peer join {room}`, or make a room of another name"
    );
    Refused { code: Code::OtherHistory, reason }
}

fn full(reason: String) -> Refused {
    Refused { code: Code::Full, reason }
}
