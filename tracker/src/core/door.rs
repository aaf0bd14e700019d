//! A room's door: who asks to be let in, who decides, and how a room without members is kept.

use std::collections::BTreeMap;

use common::{
    AccountName, Key, RoomName, limits,
    table::{Departure, Role},
    wire::tracker::{Asks, AtTheDoor, Code, Decide, Declined, Door as DoorList, Refused, ToPeer},
};

use super::{Output, Row, SessionId, Timer, Tracker, presence::DAY, requests::After, rooms::RoomId, rows::Kept};

/// Who is outside a room, and what for. Times are in seconds since 1970.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Door {
    /// Who waits to be let in, and since when.
    pub waiting: BTreeMap<Key, u64>,
    /// Who is banned, and since when.
    pub banned: BTreeMap<Key, u64>,
    /// How the room is kept, if it has no members.
    pub kept: Option<Kept>,
}

impl Door {
    /// Whether this is the last owner of a room without members: it comes in without asking.
    pub fn is_last_owner(&self, key: &Key) -> bool {
        self.kept.is_some_and(|kept| kept.owner == Some(*key))
    }
}

/// Rooms that one account can be told later that it was not let into; older ones are forgotten.
const DECLINED: usize = limits::ROOMS_PER_ACCOUNT;

/// The rooms that were declined to somebody who has not been told yet, by their folded names, and who declined.
pub type DeclinedTo = BTreeMap<Key, BTreeMap<String, (RoomName, Option<AccountName>)>>;

impl Tracker {
    /// Notes that somebody wants to be let in. Always a refusal: at the best, one that says that it has asked.
    pub(super) fn ask(&mut self, id: RoomId, key: Key, now: u64) -> Refused {
        let refused = |code, reason| Refused { code, reason };
        let limit = self.config.rooms_per_account;
        let full = self.rooms.count_of(&key) >= limit;
        let Some(room) = self.rooms.get_mut(id) else { return refused(Code::NoRoom, "the room has ended".into()) };
        let name = room.name().clone();
        if !room.door.waiting.contains_key(&key) {
            if full {
                let reason = format!("you are in {limit} rooms, or wait for them, as many as one may: leave one first");
                return refused(Code::Full, reason);
            }
            if room.door.waiting.len() >= limits::AT_THE_DOOR {
                let reason = format!("as many people ask to join {name} as may: ask again when some were let in");
                return refused(Code::Full, reason);
            }
            let at = now / 1_000;
            room.door.waiting.insert(key, at);
            self.rooms.note_wait(key, id);
            self.outputs.push(Output::Store(Row::Waits { epoch: id, key, at: Some(at) }));
            for session in self.staff_sessions(id) {
                self.mark_ask(session, id, key);
            }
        }
        let reason = format!("{name} has a door, and you have asked to be let in: its owner or a moderator decides");
        refused(Code::Asked, reason)
    }

    /// Lets somebody in who has asked, or does not.
    pub(super) fn decide(&mut self, me: Key, request: &Decide, now: u64) -> Result<After, Refused> {
        let actor = self.staff(&me, &request.room, "let people in")?;
        let refused = |code, reason| Err(Refused { code, reason });
        let (id, name) = (actor.id, &request.name);
        let key = self.account(name)?;
        let Some(room) = self.rooms.get(id) else { return Ok(None) };
        if !room.door.waiting.contains_key(&key) {
            if request.accept && room.table().member(&key).is_some() {
                return Ok(self.pushed(id));
            }
            let room = room.name();
            let reason = format!("{name} does not ask to join {room}; see who does: peer requests {room}");
            return refused(Code::NotMember, reason);
        }
        if !request.accept {
            self.decline(id, key, Some(actor.name));
            return Ok(None);
        }
        if room.table().len() >= self.config.members_per_room {
            let limit = self.config.members_per_room;
            return refused(
                Code::Full,
                format!("{} has {limit} members, as many as a room may have here", room.name()),
            );
        }
        self.end_wait(id, &key);
        self.enter(id, key, Role::Member, Some(actor.slot), now)
    }

    /// Who waits at a door and who is banned, as much as fits a frame.
    pub(super) fn list_door(&self, me: &Key, id: u32, name: &RoomName) -> DoorList {
        let room = match self.staff(me, name, "see who asks to join it or is banned") {
            Ok(actor) => self.rooms.get(actor.id),
            Err(refused) => {
                return DoorList { id, refused: Some(refused), waiting: Vec::new(), banned: Vec::new() };
            }
        };
        let mut space = limits::SNAPSHOT_PIECE;
        let mut listed = |of: fn(&Door) -> &BTreeMap<Key, u64>| {
            let mut all: Vec<(u64, Key)> =
                room.iter().flat_map(|room| of(&room.door)).map(|(key, at)| (*at, *key)).collect();
            all.sort_unstable();
            let named =
                all.into_iter().filter_map(|(at, key)| Some(AtTheDoor { name: self.logins.name_of(&key)?, key, at }));
            let fits = |who: &AtTheDoor| {
                space = space.saturating_sub(64 + who.name.as_str().len());
                space > 0
            };
            named.take_while(fits).collect()
        };
        DoorList { id, refused: None, waiting: listed(|door| &door.waiting), banned: listed(|door| &door.banned) }
    }

    /// Somebody waits no more.
    pub(super) fn end_wait(&mut self, id: RoomId, key: &Key) -> bool {
        let Some(room) = self.rooms.get_mut(id) else { return false };
        if room.door.waiting.remove(key).is_none() {
            return false;
        }
        self.rooms.forget_wait(key, id);
        self.outputs.push(Output::Store(Row::Waits { epoch: id, key: *key, at: None }));
        for session in self.staff_sessions(id) {
            if let Some(session) = self.sessions.get_mut(&session) {
                session.asks.remove(&(id, *key));
            }
        }
        true
    }

    /// Somebody who waits is not let in, and told so: at once, or when it logs in.
    pub(super) fn decline(&mut self, id: RoomId, key: Key, by: Option<AccountName>) {
        let Some(room) = self.rooms.get(id).map(|room| room.name().clone()) else { return };
        if !self.end_wait(id, &key) {
            return;
        }
        let declined = self.declined.entry(key).or_default();
        if let Some((old, _)) = declined.insert(room.fold(), (room.clone(), by.clone())) {
            self.outputs.push(Output::Store(Row::Told { key, room: old }));
        }
        if declined.len() > DECLINED
            && let Some((_, (oldest, _))) = declined.pop_first()
        {
            self.outputs.push(Output::Store(Row::Told { key, room: oldest }));
        }
        self.outputs.push(Output::Store(Row::Declined { key, room, by }));
        if let Some(id) = self.logins.get(&key).and_then(|account| account.session)
            && let Some(session) = self.sessions.get_mut(&id)
        {
            session.declined = true;
            self.ready.insert(id);
        }
    }

    /// A session has said which rooms it holds: it is told who is at the doors it looks after, and which stayed closed.
    pub(super) fn tell_doors(&mut self, session: SessionId, key: &Key) {
        for id in self.rooms.of(key) {
            self.mark_asks(session, id, key);
        }
        if let Some(speaker) = self.sessions.get_mut(&session).filter(|_| self.declined.contains_key(key)) {
            speaker.declined = true;
            self.ready.insert(session);
        }
    }

    /// A session is told of all who wait at a door, if its account looks after it.
    pub(super) fn mark_asks(&mut self, session: SessionId, id: RoomId, key: &Key) {
        let Some(room) = self.rooms.get(id) else { return };
        if room.table().member(key).is_none_or(|member| member.role < Role::Moderator) {
            return;
        }
        for waiting in room.door.waiting.keys().copied().collect::<Vec<_>>() {
            self.mark_ask(session, id, waiting);
        }
    }

    fn mark_ask(&mut self, session: SessionId, id: RoomId, key: Key) {
        // Before it has said which rooms it holds, it is told of nothing beside them.
        if let Some(speaker) = self.sessions.get_mut(&session).filter(|speaker| speaker.holding.is_none()) {
            speaker.asks.insert((id, key));
            self.ready.insert(session);
        }
    }

    /// The frames about doors that a session is due.
    pub(super) fn door_frames(&mut self, id: SessionId) -> Vec<common::frame::Encoded> {
        use common::frame::Frame;
        let Some(session) = self.sessions.get_mut(&id) else { return Vec::new() };
        let (key, mut size, mut frames) = (session.key, 0, Vec::new());
        while size < limits::SNAPSHOT_PIECE
            && let Some((room, who)) = session.asks.pop_first()
        {
            let Some(room) = self.rooms.get(room) else { continue };
            let (Some(at), Some(name)) = (room.door.waiting.get(&who), self.logins.name_of(&who)) else { continue };
            let asks = Asks { room: room.name().clone(), who: AtTheDoor { name, key: who, at: *at } };
            let frame = ToPeer::from(asks).encode();
            size += frame.len();
            frames.push(frame);
        }
        if std::mem::take(&mut session.declined) {
            for (_, (room, by)) in self.declined.remove(&key).into_iter().flatten() {
                self.outputs.push(Output::Store(Row::Told { key, room: room.clone() }));
                frames.push(ToPeer::from(Declined { room, by }).encode());
            }
        }
        frames
    }

    /// The sessions of a room's owner and moderators.
    fn staff_sessions(&self, id: RoomId) -> Vec<SessionId> {
        let members = self.rooms.get(id).into_iter().flat_map(|room| room.table().members());
        let staff = members.filter(|member| member.role >= Role::Moderator);
        staff.filter_map(|member| self.logins.get(&member.key)?.session).collect()
    }

    /// Keeps a room that has lost its last member.
    pub(super) fn keep(&mut self, id: RoomId, owner: Key, why: Departure, now: u64) {
        let until = self.lived(now) + self.config.door_days * DAY;
        let owner = (!matches!(why, Departure::Removed | Departure::Rekeyed)).then_some(owner);
        let Some(room) = self.rooms.get_mut(id) else { return };
        let kept = Some(Kept { owner, until });
        room.door.kept = kept;
        self.timers.insert((self.clock_at(until), Timer::Shut(id)));
        self.outputs.push(Output::Store(Row::Kept { epoch: id, kept }));
    }

    /// A room that was kept has a member again.
    pub(super) fn unkeep(&mut self, id: RoomId) {
        if let Some(kept) = self.rooms.get_mut(id).and_then(|room| room.door.kept.take()) {
            self.timers.remove(&(self.clock_at(kept.until), Timer::Shut(id)));
            self.outputs.push(Output::Store(Row::Kept { epoch: id, kept: None }));
        }
    }

    /// The time of a room without members is over.
    pub(super) fn shut(&mut self, id: RoomId) {
        if self.rooms.get(id).is_some_and(|room| room.door.kept.is_some()) {
            self.end_room(id);
        }
    }

    /// Ends a room. Whoever waits at its door is told.
    pub(super) fn end_room(&mut self, id: RoomId) {
        let waiting = self.rooms.get(id).map(|room| room.door.waiting.keys().copied().collect::<Vec<_>>());
        for key in waiting.unwrap_or_default() {
            self.decline(id, key, None);
        }
        self.rooms.unmake(id);
        self.outputs.push(Output::Store(Row::Unmade { epoch: id }));
    }
}
