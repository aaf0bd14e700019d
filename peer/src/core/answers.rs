//! Answering the user.

use common::{
    Key, MessageId, RoomName, Version,
    table::Departure,
    wire::{
        control::{Exit, Joined, Member, Path, Receipt, Refusal, Room as RoomLine, Said, Status},
        tracker::Code,
    },
};

use super::{
    AskId, Core, Now, Output,
    command::{Answer, Ask, PathOf, ReceiptOf},
    direct,
    outbox::Fate,
    people::Standing,
    requests::listed_room,
    room::Room,
};

impl Core {
    pub(super) fn ask(&mut self, id: AskId, ask: Ask, now: Now) {
        let ask = match self.resolve(ask, now) {
            Ok(ask) => ask,
            Err(refusal) => return self.reply(id, Err(refusal)),
        };
        let reply = match ask {
            Ask::Files(ask) => return self.ask_files(id, ask, now),
            Ask::People(ask) => return self.ask_people(id, ask, now),
            Ask::Titles(rooms) => Ok(direct::titles(self, rooms)),
            Ask::Status => Ok(Answer::Status(Box::new(self.status(now)))),
            Ask::Rooms if self.tracker.is_up() => return self.ask_tracker(id, Ask::Rooms, now),
            Ask::Rooms => Ok(Answer::Rooms(self.joined_rooms())),
            Ask::Join(room) => match self.joined_reply(&room) {
                Ok(joined) => Ok(joined),
                Err(_) => return self.ask_tracker(id, Ask::Join(room), now),
            },
            Ask::JoinAs(room, history) => match self.joined(&room) {
                Some((name, held)) if held.table.history() != history => Err(other_history(name, held)),
                Some((name, _)) => self.joined_reply(name),
                None => return self.ask_tracker(id, Ask::JoinAs(room, history), now),
            },
            Ask::Leave(room) => match self.joined(&room).map(|(name, _)| name.clone()) {
                Some(room) => return self.ask_tracker(id, Ask::Leave(room), now),
                // Who has asked to be let in asks no more.
                None if self.tracker.asked.contains(&room.fold()) => {
                    return self.ask_tracker(id, Ask::Leave(room), now);
                }
                None => Err(self.not_in(&room)),
            },
            Ask::Make(room, settings) => return self.make(id, room, settings, now),
            Ask::Order(room, order) => return self.order(id, room, order, now),
            Ask::Door(room) => match self.joined(&room).map(|(name, _)| name.clone()) {
                Some(room) => return self.ask_tracker(id, Ask::Door(room), now),
                None => Err(self.not_in(&room)),
            },
            Ask::Table(room) => self.table_line(&room),
            Ask::Since { room, epoch, number } => self.known_since(&room, epoch, number),
            Ask::Rename(name) if name == self.name => {
                Err(Refusal::new(Exit::Refused, format!("you are called {name} already; take another name")))
            }
            Ask::Rename(name) => return self.ask_tracker(id, Ask::Rename(name), now),
            Ask::Members(room) => self.members(&room),
            Ask::Called(room) => self.called(&room),
            Ask::Say { room, content } => return self.say(id, room, content, now),
            Ask::Typing(room) => self.types(&room, now),
            Ask::Said(message) => self
                .own(&message)
                .and_then(|_| self.said(&message.room, message.number).map(|said| Answer::Said(Box::new(said)))),
            Ask::Receipts(message) => self.receipts(message),
            Ask::Outbox => Ok(self.outbox()),
            Ask::Cancel(message) => self.cancel(&message),
            Ask::Paths => Ok(Answer::Paths(self.paths())),
            Ask::Logout => {
                // Before the end, which is the last thing that is carried out.
                self.reply(id, Ok(Answer::Done));
                return self.logout();
            }
        };
        self.reply(id, reply);
    }

    pub(super) fn reply(&mut self, id: AskId, reply: Result<Answer, Refusal>) {
        let reply = reply.map_err(|refusal| self.in_titles(refusal));
        self.out.push(Output::Reply(id, reply));
    }

    /// A refusal that calls conversations of two by the names that they have here.
    fn in_titles(&self, mut refusal: Refusal) -> Refusal {
        if refusal.message.contains('~') {
            for room in self.rooms.keys().filter(|room| room.is_direct()) {
                refusal.message = refusal.message.replace(room.as_str(), self.title(room).as_str());
            }
        }
        refusal
    }

    fn status(&self, now: Now) -> Status {
        Status {
            name: self.name.clone(),
            domain: self.tracker.welcomed.as_ref().map(|w| w.domain.clone()),
            key: self.me.to_string(),
            address: self.address,
            seen: self.tracker.welcomed.as_ref().and_then(|w| w.seen),
            tracker: self.tracker.address,
            tracker_state: self.tracker.word().into(),
            trouble: self.tracker.trouble.clone(),
            tracker_down_s: self.tracker.down_at.map(|down| now.at.saturating_sub(down) / 1_000),
            other_version: self.tracker.refused == Some(Code::Protocol),
            clock_ahead_s: self.tracker.clock_ahead,
            rooms: self.rooms.iter().filter(|(name, room)| room.joined && name.is_plain()).count(),
            links: self.people.iter().filter(|(_, person)| person.link.is_some()).count(),
            undelivered: self.rooms.values().filter(|room| room.joined).map(|room| room.undelivered(&self.me)).sum(),
            uptime_s: self.started.map_or(0, |started| now.at.saturating_sub(started) / 1_000),
        }
    }

    fn joined_rooms(&self) -> Vec<RoomLine> {
        let joined = self.rooms.iter().filter(|(name, room)| room.joined && name.is_plain());
        joined
            .map(|(name, room)| RoomLine {
                joined: true,
                ..listed_room(name.clone(), room.table.len() as u32, room.table.settings())
            })
            .collect()
    }

    pub(super) fn joined_reply(&self, room: &RoomName) -> Result<Answer, Refusal> {
        let (name, room) = self.joined(room).ok_or_else(|| self.not_in(room))?;
        let me = room.table.member(&self.me).ok_or_else(|| self.not_in(name))?;
        let (members, history) = (room.table.len() as u32, room.table.history());
        Ok(Answer::Joined(Joined { room: name.clone(), members, slot: me.slot, history }))
    }

    fn members(&self, room: &RoomName) -> Result<Answer, Refusal> {
        let (name, room) = self.joined(room).ok_or_else(|| self.not_in(room))?;
        let line = |member: &common::table::Member| {
            let person = self.people.get(&member.key);
            let link = person.and_then(|p| p.link).and_then(|link| self.links.get(link));
            let is_me = member.key == self.me;
            Member {
                name: member.name.clone(),
                slot: member.slot,
                online: is_me || person.is_some_and(|p| p.is_online()),
                address: match link {
                    Some(link) => Some(link.address),
                    None if is_me => self.tracker.welcomed.as_ref().and_then(|w| w.seen),
                    None => person.and_then(|p| p.addresses.as_slice().first().copied()),
                },
                path: if is_me { "self".into() } else { self.path_to(&member.key, [name]) },
                role: member.role.as_str().into(),
                away: person.is_some_and(|p| p.standing() == Standing::Away),
                verified: self.trust.is_verified(&member.key),
            }
        };
        Ok(Answer::Members(room.table.members().map(line).collect()))
    }

    fn called(&self, room: &RoomName) -> Result<Answer, Refusal> {
        if room.is_direct() {
            return Ok(Answer::Called(room.clone()));
        }
        let fold = room.fold();
        let name = self.rooms.keys().find(|name| name.fold() == fold).ok_or_else(|| self.not_in(room))?;
        Ok(Answer::Called(name.clone()))
    }

    /// The stamp of a message, if it is this peer's own, and there.
    pub(super) fn own(&self, id: &MessageId) -> Result<Version, Refusal> {
        if id.author != self.me.short() {
            let text =
                format!("{id} is not a message of yours; only its author gets receipts for it and can cancel it");
            return Err(Refusal::new(Exit::Refused, text));
        }
        let stamp = self.rooms.get(&id.room).and_then(|room| room.own.stamp(id.number));
        stamp.ok_or_else(|| Refusal::new(Exit::Refused, no_message(id)))
    }

    /// How far a message of this peer's has got.
    pub(super) fn said(&self, name: &RoomName, number: u64) -> Result<Said, Refusal> {
        let room = self.rooms.get(name).ok_or_else(|| self.not_in(name))?;
        let stamp = room.own.stamp(number).ok_or_else(|| self.not_in(name))?;
        let mut said = Said {
            id: self.id(name, number),
            room: self.title(name),
            seq: number,
            stamp: stamp.to_string(),
            delivered: Vec::new(),
            pending: Vec::new(),
            cancelled: Vec::new(),
            gone: Vec::new(),
        };
        for meant in room.members_at(stamp).into_iter().filter(|meant| meant.key != self.me) {
            let list = match room.fate(&meant, number) {
                Fate::Delivered => &mut said.delivered,
                Fate::Pending => &mut said.pending,
                Fate::Cancelled => &mut said.cancelled,
                Fate::Gone(_) => &mut said.gone,
            };
            list.push(meant.name);
        }
        Ok(said)
    }

    /// The id of a message of this peer's.
    pub(super) fn id(&self, name: &RoomName, number: u64) -> String {
        MessageId { room: self.title(name), author: self.me.short(), number }.to_string()
    }

    fn receipts(&self, id: MessageId) -> Result<Answer, Refusal> {
        let stamp = self.own(&id)?;
        let room = self.rooms.get(&id.room).ok_or_else(|| self.not_in(&id.room))?;
        let lines = room
            .members_at(stamp)
            .into_iter()
            .filter(|m| m.key != self.me)
            .map(|m| {
                let fate = room.fate(&m, id.number);
                let path = match fate {
                    Fate::Pending if self.trust.doubts(&m.key) => "identity",
                    Fate::Delivered | Fate::Pending => "none",
                    Fate::Cancelled => "cancelled",
                    // Nobody is waited for by who is out itself.
                    Fate::Gone(_) if !room.joined => "out",
                    Fate::Gone(None | Some(Departure::Left)) => "left",
                    Fate::Gone(Some(_)) => "removed",
                };
                let delivered = fate == Fate::Delivered;
                ReceiptOf { key: m.key, line: Receipt { name: m.name, delivered, at: None, path: path.into() } }
            })
            .collect();
        Ok(Answer::Receipts { id, lines })
    }

    /// Which way somebody is reached: by a link, or through who has one, in any of these rooms.
    fn path_to<'a>(&self, key: &Key, rooms: impl IntoIterator<Item = &'a RoomName>) -> String {
        if self.people.get(key).is_some_and(|person| person.link.is_some()) {
            return "direct".into();
        }
        let via = rooms.into_iter().find_map(|room| self.near_source(room, key));
        via.map_or_else(|| "none".into(), |via| self.way(&via))
    }

    fn paths(&self) -> Vec<PathOf> {
        self.people
            .iter()
            .map(|(key, person)| {
                let link = person.link.and_then(|id| self.links.get(id));
                PathOf {
                    link: link.and(person.link),
                    line: Path {
                        name: person.name.clone(),
                        address: link.map(|l| l.address).or(person.addresses.as_slice().first().copied()),
                        path: self.path_to(key, &person.rooms),
                        rtt_ms: None,
                        bytes_out: 0,
                        bytes_in: 0,
                        packets_lost: 0,
                    },
                }
            })
            .collect()
    }
}

/// What is said of a message that is not there, or not known by that id.
pub(super) fn no_message(id: &MessageId) -> String {
    format!("there is no message {id} here; the ids are shown by: peer history {} --ids", id.room)
}

fn other_history(name: &RoomName, room: &Room) -> Refusal {
    let history = room.table.history();
    let text = format!("you are in {name} already, which has --history {history}; that is fixed since it was made");
    Refusal::new(Exit::Refused, text)
}

pub(super) fn not_in(room: &RoomName) -> Refusal {
    Refusal::new(Exit::Refused, format!("you are not a member of {room}; join it: peer join {room}"))
}
