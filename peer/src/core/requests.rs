//! What the tracker is asked for, and its answers.

use std::collections::BTreeMap;

use common::{
    AccountName, RoomName,
    fault::{self, Fault},
    file::{Offer, Root},
    limits,
    table::{History, Settings},
    wire::{
        control::{Door as DoorLines, Exit, MemberChange, Order, Outside, Refusal, Room as RoomLine},
        tracker::{
            Answer, AtTheDoor, Code, Decide, Door, Join, Leave, ListDoor, ListRooms, Make, Remove, Rename, RoomList,
            SetContact, SetRole, SetTopic, Share, ToTracker, Unban, Unshare,
        },
    },
};

use super::{
    AskId, Core, Now,
    command::{Answer as UserAnswer, Ask},
    news::News,
};

/// How long the tracker may take to answer, in milliseconds.
const PATIENCE: u64 = 10_000;
/// Rooms of one list that are shown at the most.
const ROOMS_LISTED: usize = 100_000;

/// Requests that wait for their answers.
#[derive(Debug, Default)]
pub struct Requests {
    waiting: BTreeMap<u32, Request>,
    last: u32,
}

#[derive(Debug)]
struct Request {
    what: What,
    until: u64,
}

/// What is asked for, and for which question of the user.
#[derive(Debug)]
pub enum What {
    /// To become a member, of a room with this history if one is given.
    Join(AskId, RoomName, Option<History>),
    /// To be one no more.
    Leave(AskId, RoomName),
    /// That this be so between this account and somebody.
    Contact(AskId, SetContact),
    /// The same, as it was wished while the tracker was away.
    Standing(SetContact),
    /// Which rooms there are, beyond those heard of so far.
    Rooms(AskId, Vec<RoomLine>),
    /// To become a member again, at a tracker that has lost its tables, of a room with this history.
    Rejoin(RoomName, Option<History>),
    /// The same of a room that had an owner: to make it again as it was.
    Remake(RoomName, Settings),
    /// Something that is done to a room so that it is again what it was at a tracker that has lost its tables.
    Restore(RoomName, Order),
    /// To make a room.
    Make(AskId, RoomName, Settings),
    /// Something that only some may do to a room.
    Order(AskId, RoomName, Order),
    /// Who waits at a room's door, and who is banned.
    Door(AskId, RoomName),
    /// To be called something else.
    Rename(AskId, AccountName),
    /// That a room's table lists a file as shared by this peer.
    Share(RoomName, Box<Offer>),
    /// That it does not.
    Unshare(RoomName, Root),
}

impl What {
    fn ask(&self) -> Option<AskId> {
        match self {
            What::Join(ask, ..) | What::Leave(ask, _) | What::Rooms(ask, _) | What::Make(ask, ..) => Some(*ask),
            What::Order(ask, ..) | What::Door(ask, _) | What::Rename(ask, _) | What::Contact(ask, _) => Some(*ask),
            What::Rejoin(..) | What::Remake(..) | What::Restore(..) | What::Standing(_) => None,
            What::Share(..) | What::Unshare(..) => None,
        }
    }
}

impl Requests {
    /// When one has waited too long.
    pub fn deadline(&self) -> u64 {
        self.waiting.values().map(|request| request.until).min().unwrap_or(u64::MAX)
    }

    /// How many that wait are about lists of files.
    pub fn about_lists(&self) -> usize {
        self.waiting.values().filter(|request| matches!(request.what, What::Share(..) | What::Unshare(..))).count()
    }

    /// Whether one that waits is about this file on a room's list.
    pub fn is_asked(&self, name: &RoomName, root: &Root) -> bool {
        self.waiting.values().any(|request| match &request.what {
            What::Share(room, offer) => (room, &offer.file.root) == (name, root),
            What::Unshare(room, file) => (room, file) == (name, root),
            _ => false,
        })
    }

    /// Whether one that waits makes this peer a member of a room.
    pub fn will_join(&self, name: &RoomName) -> bool {
        let fold = name.fold();
        self.waiting.values().any(|request| match &request.what {
            What::Join(_, room, _) | What::Make(_, room, _) => room.fold() == fold,
            What::Rejoin(room, _) | What::Remake(room, _) => room.fold() == fold,
            _ => false,
        })
    }
}

impl Core {
    /// Gives up on what has waited too long. It may still be done: so the link is begun again, which tells.
    pub(super) fn requests_due(&mut self, now: Now) {
        let late: Vec<u32> =
            self.tracker.requests.waiting.iter().filter(|(_, r)| r.until <= now.at).map(|(id, _)| *id).collect();
        for id in &late {
            if let Some(request) = self.tracker.requests.waiting.remove(id) {
                self.fail(
                    &request.what,
                    "the tracker has not answered for 10 seconds; try again, or look at: peer status",
                );
            }
        }
        if !late.is_empty() && !fault::on(Fault::UnansweredForgotten) {
            self.resync("it has not answered for 10 seconds", now);
        }
    }

    /// The link is gone: no answers will come.
    pub(super) fn fail_requests(&mut self) {
        for request in std::mem::take(&mut self.tracker.requests.waiting).into_values() {
            self.fail(
                &request.what,
                "the tracker went away before it answered; try again when it is back (peer status)",
            );
        }
    }

    /// Asks the tracker on the user's behalf.
    pub(super) fn ask_tracker(&mut self, id: AskId, ask: Ask, now: Now) {
        let what = match ask {
            Ask::Join(room) => What::Join(id, room, None),
            Ask::JoinAs(room, history) => What::Join(id, room, Some(history)),
            Ask::Leave(room) => What::Leave(id, room),
            Ask::Make(room, settings) => What::Make(id, room, settings),
            Ask::Order(room, order) => What::Order(id, room, order),
            Ask::Door(room) => What::Door(id, room),
            Ask::Rename(name) => What::Rename(id, name),
            _ => What::Rooms(id, Vec::new()),
        };
        self.request_if_up(what, now);
    }

    /// Asks for something on the user's behalf, if the tracker is there.
    pub(super) fn request_if_up(&mut self, what: What, now: Now) {
        if self.tracker.is_up() {
            self.request(what, now);
        } else if let Some(address) = self.tracker.address {
            let trouble = self.tracker.trouble.clone().unwrap_or_else(|| "still connecting".into());
            let text = format!(
                "this needs the tracker, and the one at {address} is not reachable ({trouble}); it is tried again by \
                 itself. Try this again when it is back; see that it runs, and that UDP port {} is open to it",
                address.port()
            );
            self.fail(&what, &text);
        } else {
            self.fail(&what, "this session has no tracker, which is needed for this; log in at one: peer login NAME");
        }
    }

    pub(super) fn request(&mut self, what: What, now: Now) {
        self.tracker.requests.last = self.tracker.requests.last.wrapping_add(1);
        let id = self.tracker.requests.last;
        match &what {
            What::Join(_, room, history) | What::Rejoin(room, history) => {
                self.tell(Join { id, room: room.clone(), history: *history });
            }
            What::Contact(_, wish) | What::Standing(wish) => self.tell(SetContact { id, ..wish.clone() }),
            What::Leave(_, room) => self.tell(Leave { id, room: room.clone() }),
            What::Rooms(_, so_far) => self.tell(ListRooms { id, after: so_far.last().map(|line| line.room.clone()) }),
            What::Make(_, room, settings) | What::Remake(room, settings) => {
                self.tell(Make { id, room: room.clone(), settings: settings.clone() })
            }
            What::Order(_, room, order) | What::Restore(room, order) => {
                self.tell(ordered(id, room.clone(), order.clone()))
            }
            What::Door(_, room) => self.tell(ListDoor { id, room: room.clone() }),
            What::Rename(_, name) => self.tell(Rename { id, name: name.clone() }),
            What::Share(room, offer) => self.tell(Share { id, room: room.clone(), offer: (**offer).clone() }),
            What::Unshare(room, root) => self.tell(Unshare { id, room: room.clone(), root: *root }),
        }
        self.tracker.requests.waiting.insert(id, Request { what, until: now.at + PATIENCE });
    }

    pub(super) fn answered(&mut self, answer: Answer, now: Now) {
        let Some(Request { what, .. }) = self.tracker.requests.waiting.remove(&answer.id) else { return };
        if let Some(refused) = answer.refused {
            if let (What::Rejoin(room, Some(_)), Code::OtherHistory) = (&what, refused.code) {
                // Somebody was there first and has made it otherwise.
                return self.request(What::Rejoin(room.clone(), None), now);
            }
            if let (What::Remake(room, _), Code::Exists) = (&what, refused.code) {
                return self.request(What::Rejoin(room.clone(), None), now);
            }
            if let (What::Rejoin(room, _), Code::Banned) = (&what, refused.code) {
                return self.drop_room(room, News::new(self.name.clone(), MemberChange::Removed));
            }
            if let (What::Join(ask, room, _), Code::Asked) = (&what, refused.code) {
                if self.tracker.asked.len() >= limits::ROOMS_PER_ACCOUNT {
                    self.tracker.asked.clear();
                }
                self.tracker.asked.insert(room.fold());
                return self.reply(*ask, Ok(UserAnswer::Asked(room.clone())));
            }
            match &what {
                What::Share(room, offer) => self.list_refused(room, &offer.file.root),
                What::Unshare(room, root) => self.list_refused(room, root),
                _ => {}
            }
            return self.fail_with(&what, Refusal::new(Exit::Refused, common::wire::printable(&refused.reason)));
        }
        match what {
            What::Join(ask, room, _) | What::Make(ask, room, _) => {
                let reply = self.joined_reply(&room);
                self.reply(ask, reply);
            }
            What::Leave(ask, room) => {
                self.tracker.asked.remove(&room.fold());
                self.drop_room(&room, News::new(self.name.clone(), MemberChange::Left));
                self.reply(ask, Ok(UserAnswer::Done));
            }
            What::Rejoin(..) | What::Remake(..) | What::Restore(..) | What::Standing(_) => {}
            What::Share(room, offer) => self.list_answered(&room, &offer.file.root, Some(&offer)),
            What::Unshare(room, root) => self.list_answered(&room, &root, None),
            What::Order(ask, ..) => self.reply(ask, Ok(UserAnswer::Done)),
            What::Rename(ask, name) => {
                self.name = name;
                self.reply(ask, Ok(UserAnswer::Done));
            }
            What::Contact(ask, wish) => self.wish_done(ask, &wish),
            // A list is answered with a list.
            What::Rooms(..) | What::Door(..) => self.resync("an answer does not fit its question", now),
        }
    }

    /// Who waits at a door, and who is banned.
    pub(super) fn door_listed(&mut self, door: Door) {
        let Some(Request { what, .. }) = self.tracker.requests.waiting.remove(&door.id) else { return };
        if let Some(refused) = door.refused {
            return self.fail_with(&what, Refusal::new(Exit::Refused, common::wire::printable(&refused.reason)));
        }
        let What::Door(ask, _) = what else { return };
        let outside =
            |who: AtTheDoor| Outside { name: who.name, key: who.key.to_string(), at: who.at.saturating_mul(1_000) };
        let lines = |list: Vec<AtTheDoor>| list.into_iter().take(limits::AT_THE_DOOR).map(outside).collect();
        let door = DoorLines { waiting: lines(door.waiting), banned: lines(door.banned) };
        self.reply(ask, Ok(UserAnswer::Door(door)));
    }

    pub(super) fn listed(&mut self, list: RoomList, now: Now) {
        let Some(Request { what: What::Rooms(ask, mut lines), .. }) = self.tracker.requests.waiting.remove(&list.id)
        else {
            return;
        };
        let progress = !list.rooms.is_empty();
        lines.extend(list.rooms.into_iter().map(|entry| RoomLine {
            joined: self.joined(&entry.room).is_some(),
            ..listed_room(entry.room, entry.members, &entry.settings)
        }));
        if list.more && progress && lines.len() < ROOMS_LISTED {
            self.request(What::Rooms(ask, lines), now);
        } else {
            self.reply(ask, Ok(UserAnswer::Rooms(lines)));
        }
    }

    fn fail(&mut self, what: &What, why: &str) {
        self.fail_with(what, Refusal::new(Exit::Unreachable, why));
    }

    fn fail_with(&mut self, what: &What, refusal: Refusal) {
        if let Some(ask) = what.ask() {
            self.reply(ask, Err(refusal));
        }
    }
}

/// A line of the list of rooms, of one that this peer is not in.
pub(super) fn listed_room(room: RoomName, members: u32, settings: &Settings) -> RoomLine {
    let Settings { history, approval, private, topic } = settings.clone();
    RoomLine { room, members, joined: false, approval, history, private, topic }
}

/// What is told to the tracker to have something done to a room.
fn ordered(id: u32, room: RoomName, order: Order) -> ToTracker {
    match order {
        Order::Decide { name, accept } => Decide { id, room, name, accept }.into(),
        Order::Remove { name, ban } => Remove { id, room, name, ban }.into(),
        Order::Unban { name } => Unban { id, room, name }.into(),
        Order::Role { name, role } => SetRole { id, room, name, role }.into(),
        Order::Topic { topic } => SetTopic { id, room, topic }.into(),
    }
}
