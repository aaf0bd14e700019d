//! What a session says once it stands.

use std::net::SocketAddr;

use common::{
    Key, limits,
    wire::tracker::{Answer, Code, Holding, ListRooms, NotMember, Refused, RoomList, ToPeer, ToTracker},
};

use super::{SessionId, Tracker, presence::reachable, room::Online, rooms::RoomId};

/// The room that has to be pushed before an answer, to at least this number.
pub type After = Option<(RoomId, u64)>;

impl Tracker {
    pub(super) fn frame(&mut self, session: SessionId, seen: SocketAddr, frame: ToTracker, now: u64) {
        let Some(speaker) = self.sessions.get(&session) else { return };
        let key = speaker.key;
        let unanswered = speaker.unanswered();
        match frame {
            ToTracker::Hello(_) => self.close(session, Code::Protest, "a second hello"),
            ToTracker::Holding(holding) => self.holding(session, key, holding),
            ToTracker::Moved(moved) => self.show_at(&key, seen, &moved.addresses, now),
            ToTracker::Shown(shown) => {
                self.hide_seen(&key, shown.hide_seen);
                let online = self.logins.get(&key).and_then(|account| account.online.clone());
                self.show(&key, online.map(|online| Online { away: shown.away, ..online }), now);
            }
            ToTracker::Logout(_) => {
                self.close(session, Code::LoggedOut, "logged out");
                self.offline(&key, now);
            }
            _ if unanswered >= self.config.requests_per_session => {
                self.close(session, Code::Protest, "more requests than may wait for an answer");
            }
            ToTracker::ListRooms(ListRooms { id, after }) => {
                let (rooms, more) = self.rooms.list(&key, after.as_ref(), limits::SNAPSHOT_PIECE);
                self.tell(session, RoomList { id, rooms, more }.into(), None);
            }
            ToTracker::ListDoor(request) => {
                let door = self.list_door(&key, request.id, &request.room);
                self.tell(session, door.into(), None);
            }
            request => {
                let (id, done) = self.request(session, key, request, now);
                let (after, refused) = match done {
                    Ok(after) => (after, None),
                    Err(refused) => (None, Some(refused)),
                };
                self.tell(session, Answer { id, refused }.into(), after);
            }
        }
    }

    /// Returns the request's id, and what has to be pushed before the answer, or why it is refused.
    fn request(&mut self, session: SessionId, key: Key, frame: ToTracker, now: u64) -> (u32, Result<After, Refused>) {
        match frame {
            ToTracker::Join(request) => (request.id, self.join(session, key, request, now)),
            ToTracker::Make(request) => (request.id, self.make(session, key, request, now)),
            ToTracker::Leave(request) => (request.id, self.leave(session, key, &request, now)),
            ToTracker::Decide(request) => (request.id, self.decide(key, &request, now)),
            ToTracker::Remove(request) => (request.id, self.remove_from_room(key, &request, now)),
            ToTracker::Unban(request) => (request.id, self.unban(key, &request)),
            ToTracker::SetRole(request) => (request.id, self.set_role(key, &request, now)),
            ToTracker::SetTopic(request) => (request.id, self.set_topic(key, &request, now)),
            ToTracker::Share(request) => (request.id, self.share(key, request, now)),
            ToTracker::Unshare(request) => (request.id, self.unshare(key, &request, now)),
            ToTracker::SetContact(request) => (request.id, self.set_contact(key, &request).map(|()| None)),
            ToTracker::Rename(request) => (request.id, self.rename(key, &request, now).map(|()| None)),
            // Those that are no requests, and those that have answers of their own, do not come here.
            _ => (0, Err(Refused { code: Code::Protest, reason: "this is no request".into() })),
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
            self.tell_contacts(session);
            self.tell_doors(session, &key);
        }
    }

    fn is_member(&self, key: &Key, id: RoomId) -> bool {
        self.rooms.get(id).is_some_and(|room| room.table().member(key).is_some())
    }

    pub(super) fn show_at(&mut self, key: &Key, seen: SocketAddr, own: &common::address::Addresses, now: u64) {
        let away = self.logins.get(key).and_then(|account| account.online.as_ref()).is_some_and(|online| online.away);
        self.show(key, Some(Online { addresses: reachable(seen, own), away }), now);
    }
}
