//! Who may do what in a room, and how it goes from one owner to the next.

use common::{
    AccountName, Key, RoomName, Slot, limits,
    table::{Departure, Member, Role, Settings},
    wire::tracker::{Code, Refused, Remove, SetRole, SetTopic, Unban},
};

use super::{Output, Row, Tracker, requests::After, rooms::RoomId};

/// A member who does something.
pub struct Actor {
    /// In which room.
    pub id: RoomId,
    /// Its slot.
    pub slot: Slot,
    /// What it may do.
    pub role: Role,
    /// What it is called.
    pub name: AccountName,
}

impl Tracker {
    /// The member of that room with this key.
    pub(super) fn actor(&self, key: &Key, room: &RoomName) -> Result<Actor, Refused> {
        let Some((id, found)) = self.rooms.find(room).and_then(|id| Some((id, self.rooms.get(id)?))) else {
            return Err(no_room(room));
        };
        match found.table().member(key) {
            Some(member) => Ok(Actor { id, slot: member.slot, role: member.role, name: member.name.clone() }),
            // A private room is not there for those outside.
            None if found.table().settings().private => Err(no_room(room)),
            None => Err(Refused {
                code: Code::NotMember,
                reason: format!("you are not a member of {room}; join it: peer join {room}"),
            }),
        }
    }

    /// The owner or moderator of that room with this key, for doing `what`.
    pub(super) fn staff(&self, key: &Key, room: &RoomName, what: &str) -> Result<Actor, Refused> {
        let actor = self.actor(key, room)?;
        if actor.role >= Role::Moderator {
            return Ok(actor);
        }
        let owner = self.rooms.get(actor.id).and_then(|room| owner_of(room.table().members()));
        let reason = match owner {
            Some(owner) => format!("only the owner and the moderators of {room} can {what}: ask {}", owner.name),
            None => format!(
                "{room} belongs to everybody in it, so nobody can {what}; for a room with an owner: peer create ROOM"
            ),
        };
        Err(Refused { code: Code::Role, reason })
    }

    /// The account of that name.
    pub(super) fn account(&self, name: &AccountName) -> Result<Key, Refused> {
        self.logins.find(name).ok_or_else(|| Refused {
            code: Code::NoAccount,
            reason: format!("there is no account {name} on this tracker: see that the name is spelt as its owner does"),
        })
    }

    /// Removes somebody from a room, perhaps for good.
    pub(super) fn remove_from_room(&mut self, me: Key, request: &Remove, now: u64) -> Result<After, Refused> {
        let Remove { room, name, ban, .. } = request;
        let actor = self.staff(&me, room, if *ban { "ban people" } else { "remove people" })?;
        let key = self.account(name)?;
        let held = self.rooms.get(actor.id);
        let member = held.and_then(|room| room.table().member(&key)).cloned();
        if let Some(member) = &member
            && member.role >= actor.role
        {
            let reason = match key == me {
                true => format!("{name} is you; to leave: peer leave {room}"),
                false => owns_or_moderates(member, room),
            };
            return Err(Refused { code: Code::Role, reason });
        }
        if *ban {
            self.ban(actor.id, key, now)?;
            self.decline(actor.id, key, Some(actor.name));
        } else if member.is_none() {
            let reason = format!("{name} is not a member of {room}; to keep them out: peer ban {room} {name}");
            return Err(Refused { code: Code::NotMember, reason });
        }
        if member.is_some() {
            let why = if *ban { Departure::Banned } else { Departure::Removed };
            self.remove(actor.id, &key, why, Some(actor.slot), now);
            self.tell_removed(actor.id, &key);
        }
        Ok(self.pushed(actor.id))
    }

    fn ban(&mut self, id: RoomId, key: Key, now: u64) -> Result<(), Refused> {
        let Some(room) = self.rooms.get_mut(id) else { return Ok(()) };
        if room.door.banned.contains_key(&key) {
            return Ok(());
        }
        if room.door.banned.len() >= limits::AT_THE_DOOR {
            let (limit, room) = (limits::AT_THE_DOOR, room.name());
            let reason =
                format!("{limit} people are banned from {room}, as many as may be; lift one: peer unban {room} NAME");
            return Err(Refused { code: Code::Full, reason });
        }
        let at = now / 1_000;
        room.door.banned.insert(key, at);
        self.outputs.push(Output::Store(Row::Banned { epoch: id, key, at: Some(at) }));
        Ok(())
    }

    /// Lifts a ban.
    pub(super) fn unban(&mut self, me: Key, request: &Unban) -> Result<After, Refused> {
        let actor = self.staff(&me, &request.room, "lift bans")?;
        let key = self.account(&request.name)?;
        if self.rooms.get_mut(actor.id).and_then(|room| room.door.banned.remove(&key)).is_some() {
            self.outputs.push(Output::Store(Row::Banned { epoch: actor.id, key, at: None }));
        }
        Ok(None)
    }

    /// Gives a member a role, or the room to it.
    pub(super) fn set_role(&mut self, me: Key, request: &SetRole, now: u64) -> Result<After, Refused> {
        let SetRole { room, name, role, .. } = request;
        let actor = self.staff(&me, room, "give roles")?;
        let refused = |code, reason| Err(Refused { code, reason });
        if actor.role < Role::Owner {
            let table = self.rooms.get(actor.id).map(|room| room.table());
            let owner = table.and_then(|table| owner_of(table.members())).map(|owner| owner.name.clone());
            let ask = owner.map(|owner| format!("; ask {owner}, who owns it")).unwrap_or_default();
            return refused(Code::Role, format!("only the owner of {room} can give roles{ask}"));
        }
        let key = self.account(name)?;
        let table = self.rooms.get(actor.id).map(|room| room.table());
        let Some(member) = table.and_then(|table| table.member(&key)).cloned() else {
            return refused(
                Code::NotMember,
                format!("{name} is not a member of {room}, and only members have roles; let them join first"),
            );
        };
        if key == me && *role == Role::Owner {
            let reason = format!("{name} is you, and you own {room} already; name somebody else");
            return refused(Code::Role, reason);
        }
        if member.role == *role {
            return Ok(self.pushed(actor.id));
        }
        if key == me {
            let reason = format!("you own {room}; give it to somebody else: peer hand-over {room} NAME");
            return refused(Code::Role, reason);
        }
        self.put(actor.id, Member { role: *role, ..member }, Some(actor.slot), now);
        if *role == Role::Owner
            && let Some(former) = self.rooms.get(actor.id).and_then(|room| room.table().member(&me)).cloned()
        {
            self.put(actor.id, Member { role: Role::Moderator, ..former }, Some(actor.slot), now);
        }
        if let Some(session) = self.logins.get(&key).and_then(|account| account.session) {
            self.mark_asks(session, actor.id, &key);
        }
        Ok(self.pushed(actor.id))
    }

    /// Says what a room is about.
    pub(super) fn set_topic(&mut self, me: Key, request: &SetTopic, now: u64) -> Result<After, Refused> {
        let mut actor = self.actor(&me, &request.room)?;
        let table = self.rooms.get(actor.id).map(|room| room.table());
        if table.is_some_and(|table| owner_of(table.members()).is_some()) {
            actor = self.staff(&me, &request.room, "set its topic")?;
        }
        check_topic(&request.topic)?;
        let Some(room) = self.rooms.get_mut(actor.id) else { return Ok(None) };
        let settings = Settings { topic: request.topic.clone(), ..room.table().settings().clone() };
        if *room.table().settings() != settings && room.set(settings.clone(), Some(actor.slot), now / 1_000).is_ok() {
            let version = room.table().version();
            self.outputs.push(Output::Store(Row::Set { version, settings }));
            self.changed(actor.id, now);
        }
        Ok(self.pushed(actor.id))
    }

    /// Shows a member as it is now.
    pub(super) fn put(&mut self, id: RoomId, member: Member, by: Option<Slot>, now: u64) {
        let Some(room) = self.rooms.get_mut(id) else { return };
        if room.put(member.clone(), by, now / 1_000).is_ok() {
            let version = room.table().version();
            self.outputs.push(Output::Store(Row::Put { version, member }));
            self.changed(id, now);
        }
    }

    /// A room whose owner is gone goes to the moderator who has been a member for the longest, or, where there is none,
    /// to the member who has.
    pub(super) fn succeed(&mut self, id: RoomId, now: u64) {
        let heir = self.rooms.get(id).and_then(|room| {
            let members = room.table().members();
            members.min_by_key(|member| (member.role != Role::Moderator, member.since)).cloned()
        });
        let Some(heir) = heir else { return };
        let key = heir.key;
        self.put(id, Member { role: Role::Owner, ..heir }, None, now);
        if let Some(session) = self.logins.get(&key).and_then(|account| account.session) {
            self.mark_asks(session, id, &key);
        }
    }
}

/// Why a moderator cannot remove that member.
fn owns_or_moderates(member: &Member, room: &RoomName) -> String {
    match member.role {
        Role::Owner => format!("{} owns {room}, and a moderator cannot remove the owner", member.name),
        _ => format!("{} is a moderator of {room} as you are, and only its owner can remove them", member.name),
    }
}

/// The owner among members; a room that was made by joining has none.
fn owner_of<'a>(mut members: impl Iterator<Item = &'a Member>) -> Option<&'a Member> {
    members.find(|member| member.role == Role::Owner)
}

/// Refuses a topic that is too long or not one line.
pub fn check_topic(topic: &str) -> Result<(), Refused> {
    let limit = limits::TOPIC_CHARS;
    if topic.chars().count() <= limit && !topic.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Refused { code: Code::Full, reason: format!("a topic is one line of at most {limit} characters: shorten it") })
}

/// There is no such room, or none that the peer may know of.
pub fn no_room(room: &RoomName) -> Refused {
    Refused { code: Code::NoRoom, reason: format!("there is no room {room}; see which there are: peer rooms") }
}
