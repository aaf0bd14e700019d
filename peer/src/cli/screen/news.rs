//! What happens goes into what is shown.

use std::time::Instant;

use common::{
    RoomName,
    wire::control::{Event, MemberChange, MemberEvent, MessageEvent},
};
use peer::control::follow::cursor;

use super::{
    ask::Ask,
    state::{Output, State, TYPING, TYPISTS},
};

impl State {
    /// Something has happened.
    pub(super) fn happened(&mut self, event: Event, now: Instant, out: &mut Vec<Output>) {
        self.latest = self.latest.max(cursor(&event).unwrap_or_default());
        let told = self.talk.happened(&event, now);
        // Who is out of the room is shown so where it goes on.
        self.follow_talk();
        match event {
            Event::Message(message) => self.said(message),
            Event::Typing(typing) if self.talk.me() != Some(&typing.name) => {
                let who = (typing.room, typing.name);
                if self.typing.len() < TYPISTS || self.typing.contains_key(&who) {
                    self.typing.insert(who, now + TYPING);
                }
            }
            Event::Typing(_) => {}
            Event::Read(read) => self.asking.stale.chats |= !self.places.read_up_to(&read.room, read.cursor),
            Event::Receipt(receipt) => {
                if self.conversation.is_of(&receipt.room) {
                    self.asking.stale.progress |= self.is_asking(&Ask::Progress(Vec::new()));
                    self.conversation.receipt(&receipt);
                }
            }
            Event::Transfer(transfer) => {
                self.ask(Ask::Transfers, out);
                if self.conversation.is_of(&transfer.room) || transfer.state.is_over() {
                    let place = self.place_of(&transfer.room);
                    told.into_iter().for_each(|told| self.tell(place.clone(), told, true));
                }
            }
            Event::Member(member) => self.changed_member(member, told),
        }
    }

    fn said(&mut self, message: MessageEvent) {
        self.typing.remove(&(message.room.clone(), message.from.clone()));
        let here = self.conversation.is_of(&message.room);
        let is_seen = here && self.conversation.is_at_end();
        let is_own = message.path == "self";
        if !is_seen && !is_own && !self.places.unread(&message) {
            self.asking.stale.chats = true;
        }
        if here {
            self.conversation.said(message);
            if is_own && !self.conversation.is_at_end() {
                // Who says something wants to see it.
                self.go_to_end();
            }
        }
    }

    fn changed_member(&mut self, event: MemberEvent, told: Option<String>) {
        use MemberChange::{Away, Banned, Joined, Left, Offline, Online, Removed, Renamed, Role, Topic};
        let here = self.conversation.is_of(&event.room);
        let is_me = self.talk.me() == Some(&event.name);
        if matches!(event.change, Offline | Left | Removed) {
            self.typing.retain(|(_, name), _| *name != event.name);
        }
        self.asking.stale.members |= here;
        self.asking.stale.waiting = true;
        self.asking.stale.topic |= here && event.change == Topic;
        self.asking.stale.chats |= is_me
            || !event.room.is_plain()
            || matches!(event.change, Joined | Left | Removed | Banned | Online | Offline);
        if here {
            self.asking.stale.progress |= self.is_asking(&Ask::Progress(Vec::new()));
            self.conversation.doubt();
            if matches!(event.change, Joined | Left | Online | Offline | Away) && !is_me {
                self.conversation.noise(event);
                return;
            }
        }
        let is_news =
            here || is_me || !matches!(event.change, Joined | Left | Online | Offline | Away | Removed | Role | Topic);
        let Some(told) = told.filter(|_| is_news) else { return };
        // A room that one is out of is soon gone from the list.
        let is_out = is_me && matches!(event.change, Left | Removed | Banned);
        let place = if is_out { None } else { self.place_of(&event.room) };
        let calls = is_me || !matches!(event.change, Renamed | Banned);
        self.tell(place, told, calls);
    }

    /// Where it is said what is about a room: there, if it is in the list.
    fn place_of(&self, room: &RoomName) -> Option<RoomName> {
        let listed = self.places.get(room).map(|place| &place.room);
        listed.or(self.room().filter(|_| self.conversation.is_of(room))).cloned()
    }
}
