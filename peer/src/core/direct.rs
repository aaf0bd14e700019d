//! Conversations of two. Each is a room with a fixed table that no tracker knows of: both members by their keys, so
//! that everything that holds for rooms holds for it. Its name on the wire is [`RoomName::direct`]; its user types and
//! sees `@bob`, which is resolved and put in on this side of everything that goes in and comes out.

use common::{
    AccountName, Key, MessageId, RoomName, Slot, Version,
    table::{Member, Role, Table},
    wire::control::{Event, Exit, MemberChange, Refusal, files::AskFiles},
};

use super::{
    Core, Now, Output, Room, Row,
    command::{Answer, Ask},
    news::News,
    pin,
    trust::Met,
};

/// Conversations that others have begun, at the most, with people with whom there is nothing else.
const BEGUN_BY_OTHERS: usize = 1_000;
/// The one version that the table of a conversation has.
pub(super) const VERSION: Version = Version { epoch: 1, number: 2 };

/// The table of the conversation between two.
fn table(one: (Key, AccountName), other: (Key, AccountName)) -> Table {
    let (first, second) = if one.0 < other.0 { (one, other) } else { (other, one) };
    let member = |slot: u32, (key, name): (Key, AccountName)| Member {
        slot: Slot(slot),
        key,
        name,
        role: Role::Member,
        since: u64::from(slot) + 1,
    };
    // It can only misfit if somebody talks to themselves; then nobody is in it.
    Table::from_snapshot(VERSION, [member(0, first), member(1, second)]).unwrap_or_default()
}

impl Core {
    /// The conversation with somebody known, which begins if there is none.
    pub(super) fn begin_direct(&mut self, key: Key, now: Now) -> RoomName {
        let name = RoomName::direct(&self.me, &key);
        let Some(known) = self.trust.get(&key).filter(|_| key != self.me) else { return name };
        let called = known.name.clone();
        if self.rooms.get(&name).is_none_or(|room| !room.joined) {
            let me = self.me;
            let room = self.rooms.entry(name.clone()).or_insert_with_key(|name| Room::new(name, &me));
            room.table = table((me, self.name.clone()), (key, called.clone()));
            room.joined = true;
            self.keep_direct(&name);
            self.list_changed(&name);
        }
        self.conversed(&name, &key);
        if self.people.shares(key, &called, &name) {
            self.newly_shared(key, &name, now);
        }
        name
    }

    /// Puts conversations right whose tables are lost; no tracker tells them again.
    pub(super) fn restore_direct(&mut self) {
        for (name, key) in self.trust.conversations() {
            let Some(room) = self.rooms.get_mut(name).filter(|_| !self.trust.blocks(key)) else { continue };
            let Some(known) = self.trust.get(key) else { continue };
            room.table = table((self.me, self.name.clone()), (*key, known.name.clone()));
            room.joined = true;
        }
    }

    /// Notes that there is something in the conversation with somebody, so that it can be shown by their name.
    pub(super) fn conversed(&mut self, name: &RoomName, key: &Key) {
        if self.trust.converse(name, key) {
            self.keep_known(key);
        }
    }

    fn keep_direct(&mut self, name: &RoomName) {
        let Some(room) = self.rooms.get(name) else { return };
        self.out.push(Output::Keep(Row::Clear(name.clone())));
        self.out.extend(room.table.members().map(|m| Output::Keep(Row::Put(name.clone(), m.clone()))));
        self.keep_room(name);
    }

    /// Something of a conversation comes from the other side of it, which may be the first that is heard of it: from
    /// somebody it may come from, it begins.
    pub(super) fn direct_from(&mut self, name: &RoomName, key: &Key, now: Now) {
        if !name.is_direct() || *name != RoomName::direct(&self.me, key) || self.trust.blocks(key) {
            return;
        }
        if self.rooms.get(name).is_some_and(|room| room.joined) || self.people.get(key).is_none() {
            return;
        }
        // Those begun here count too: it is only a bound.
        if self.trust.conversations().count() < BEGUN_BY_OTHERS || self.is_befriended(key) {
            self.begin_direct(*key, now);
        }
    }

    /// The conversation with somebody ends for this side: nothing of it is sent or taken, and what was said stays.
    pub(super) fn end_direct(&mut self, key: &Key) {
        let name = RoomName::direct(&self.me, key);
        let Some(room) = self.rooms.get_mut(&name).filter(|room| room.joined) else { return };
        room.joined = false;
        self.keep_direct(&name);
        self.refuse_unsaid(&name);
        self.waiting.remove(&name);
        self.list_changed(&name);
        self.no_longer_shared(key, &name);
    }

    /// Somebody is called otherwise now: so they are in the conversation with them.
    pub(super) fn rename_in_direct(&mut self, key: &Key) {
        let name = RoomName::direct(&self.me, key);
        let Some(called) = self.trust.get(key).map(|known| known.name.clone()) else { return };
        let Some(room) = self.rooms.get_mut(&name) else { return };
        let former = room.table.member(key).map(|member| member.name.clone());
        let joined = room.joined;
        room.table = table((self.me, self.name.clone()), (*key, called.clone()));
        self.keep_direct(&name);
        // Where no other room is shared, it is told nowhere else.
        if let Some(former) = former.filter(|former| joined && *former != called && !former.has_key()) {
            self.tell_of(&name, News::new(called, MemberChange::Renamed).detail(former.as_str()));
        }
    }

    /// Notes under which name a key is seen in `place`. Whoever has somebody else's name is cut off until the user
    /// decides.
    pub(super) fn meet(&mut self, key: Key, name: &AccountName, place: Option<&RoomName>) {
        if key == self.me || name.has_key() {
            return;
        }
        match self.trust.meet(key, name) {
            Met::Known => {}
            Met::Pinned => {
                self.keep_pin(&key);
                self.rename_in_direct(&key);
            }
            Met::Doubted { news } => {
                if let Some(link) = self.people.get(&key).and_then(|person| person.link) {
                    self.close(link, pin::UNDECIDED);
                }
                if let Some(place) = place.filter(|_| news) {
                    let news = News::new(name.clone(), MemberChange::Identity).detail(key.short().to_string());
                    self.tell_of(place, news);
                }
            }
        }
    }

    /// Keeps what somebody is called now, and that the name is theirs.
    pub(super) fn keep_pin(&mut self, key: &Key) {
        let Some(fold) = self.trust.get(key).map(|known| known.name.fold()) else { return };
        self.out.push(Output::Keep(Row::Named(fold, *key)));
        self.keep_known(key);
    }

    pub(super) fn keep_known(&mut self, key: &Key) {
        if let Some(known) = self.trust.get(key) {
            self.out.push(Output::Keep(Row::Known(*key, known.clone())));
        }
    }

    /// What a room is called to the user.
    pub fn title(&self, room: &RoomName) -> RoomName {
        let other = self.trust.other(room).filter(|_| room.is_direct());
        other.and_then(|key| self.trust.shown(key)).map_or_else(|| room.clone(), |name| RoomName::person(&name))
    }

    /// What the user asks, with conversations by the names that they have here. Saying something begins one.
    pub(super) fn resolve(&mut self, mut ask: Ask, now: Now) -> Result<Ask, Refusal> {
        match &mut ask {
            Ask::Join(room) | Ask::JoinAs(room, _) | Ask::Leave(room) if !room.is_plain() => {
                let why = format!("{room} is a conversation of two, which nobody joins or leaves");
                let what = room.as_person().map(|name| format!("; write to {name}: peer msg {name} TEXT"));
                return Err(refused(why + &what.unwrap_or_default()));
            }
            Ask::Say { room, .. } => {
                if let Some(name) = room.as_person() {
                    let key = self.addressee(&name)?;
                    *room = self.begin_direct(key, now);
                }
            }
            Ask::Files(AskFiles::Share(share)) => {
                if let Some(name) = share.room.as_person() {
                    let key = self.addressee(&name)?;
                    share.room = self.begin_direct(key, now);
                }
            }
            Ask::Files(ask) => {
                if let Some(room) = ask.room_mut() {
                    *room = self.resolve_room(room)?;
                }
            }
            Ask::Make(room, _) | Ask::Order(room, _) | Ask::Door(room) if !room.is_plain() => {
                let why = format!("{room} is a conversation of two: it has no owner, no door and no topic");
                return Err(refused(format!("{why}; for more people make a room: peer create ROOM")));
            }
            Ask::Members(room) | Ask::Called(room) | Ask::Typing(room) | Ask::Table(room) => {
                *room = self.resolve_room(room)?;
            }
            Ask::Since { room, .. } => *room = self.resolve_room(room)?,
            Ask::Said(MessageId { room, .. })
            | Ask::Receipts(MessageId { room, .. })
            | Ask::Cancel(MessageId { room, .. }) => *room = self.resolve_room(room)?,
            _ => {}
        }
        Ok(ask)
    }

    /// The name that a room has here.
    fn resolve_room(&self, room: &RoomName) -> Result<RoomName, Refusal> {
        let Some(name) = room.as_person() else { return Ok(room.clone()) };
        let key = self.find_person(&name)?;
        let direct = RoomName::direct(&self.me, &key);
        if self.trust.other(&direct).is_none() {
            return Err(refused(format!("there is no conversation with {name} yet; begin it: peer msg {name} TEXT")));
        }
        Ok(direct)
    }

    /// Whom a name stands for.
    pub(super) fn find_person(&self, name: &AccountName) -> Result<Key, Refusal> {
        if name.fold() == self.name.fold() {
            return Err(refused(format!("{name} is you; name somebody else")));
        }
        self.trust.find(name).ok_or_else(|| {
            // A host's name is one that a person may have too.
            let host = if name.as_str().contains('.') { name.as_str() } else { "HOST" };
            refused(format!(
                "nobody called {name} is known here; share a room with them (peer join ROOM), ask them to be a contact \
                 (peer add {name}), or reach them by their address (peer connect {host}:PORT)"
            ))
        })
    }

    /// Whom something said to a name goes to.
    fn addressee(&self, name: &AccountName) -> Result<Key, Refusal> {
        if let Some(doubted) = self.trust.doubt(name) {
            let known = self.trust.find(name);
            return Err(pin::another_person(name, doubted, known));
        }
        let key = self.find_person(name)?;
        if self.trust.blocks(&key) {
            return Err(refused(format!("{name} is blocked; lift that first: peer unblock {name}")));
        }
        let reachable = self.people.get(&key).is_some() || self.is_befriended(&key);
        let spoken = self.rooms.get(&RoomName::direct(&self.me, &key)).is_some_and(|room| room.joined);
        if reachable || spoken {
            return Ok(key);
        }
        Err(refused(format!(
            "you share no room with {name} any more, and {name} is no contact; ask: peer add {name}, or reach them by \
             their address: peer connect HOST:PORT"
        )))
    }

    /// Where the user is told that somebody has come or gone: in the rooms shared, and in the conversation with them
    /// if they are a contact or share nothing else.
    pub(super) fn told_in(&self, key: &Key) -> Vec<RoomName> {
        let Some(person) = self.people.get(key) else { return Vec::new() };
        let direct = self.is_befriended(key) || !person.rooms.iter().any(RoomName::is_plain);
        person.rooms.iter().filter(|room| direct || room.is_plain()).cloned().collect()
    }

    /// Whether somebody is more to the user than a member of a room: a contact, or in the address book.
    pub(super) fn is_befriended(&self, key: &Key) -> bool {
        self.contacts.is_contact(key) || self.book.has(key)
    }
}

/// An event as the user sees it: with rooms named by `title`.
pub fn titled(mut event: Event, title: impl Fn(&RoomName) -> RoomName) -> Event {
    let room = match &mut event {
        Event::Message(message) => {
            if message.room.is_direct() {
                for id in [Some(&mut message.id), message.deed.about.as_mut()].into_iter().flatten() {
                    if let Some(rest) = id.strip_prefix(message.room.as_str()) {
                        *id = format!("{}{rest}", title(&message.room));
                    }
                }
            }
            &mut message.room
        }
        Event::Member(member) => &mut member.room,
        Event::Receipt(receipt) => &mut receipt.room,
        Event::Read(read) => &mut read.room,
        Event::Transfer(transfer) => &mut transfer.room,
        Event::Typing(typing) => &mut typing.room,
    };
    if room.is_direct() {
        *room = title(room);
    }
    event
}

fn refused(why: String) -> Refusal {
    Refusal::new(Exit::Refused, why)
}

/// To [`Ask::Titles`].
pub(super) fn titles(core: &Core, rooms: Vec<RoomName>) -> Answer {
    Answer::Titles(rooms.into_iter().map(|room| (room.clone(), core.title(&room))).collect())
}

#[cfg(test)]
#[path = "direct_tests.rs"]
mod tests;
