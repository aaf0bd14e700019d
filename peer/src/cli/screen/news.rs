//! What happens goes into what is shown.

use std::time::Instant;

use common::wire::control::{Event, MemberChange, MemberEvent, MessageEvent};

use super::{
    ask::Ask,
    state::{Output, State, TYPING, TYPISTS, lines_in},
};

impl State {
    /// Something has happened.
    pub(super) fn happened(&mut self, event: Event, now: Instant, out: &mut Vec<Output>) {
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
            Event::Read(read) => self.stale.chats |= !self.places.read_up_to(&read.room, read.cursor),
            Event::Receipt(receipt) => {
                if self.conversation.is_of(&receipt.room) {
                    self.stale.progress |= self.is_asking(&Ask::Progress(Vec::new()));
                    self.conversation.receipt(&receipt);
                }
            }
            Event::Transfer(transfer) => {
                self.ask(Ask::Transfers, out);
                if self.conversation.is_of(&transfer.room) || transfer.state.is_over() {
                    told.into_iter().for_each(|told| self.notice(told));
                }
            }
            Event::Member(member) => self.changed_member(member, told),
        }
    }

    fn said(&mut self, message: MessageEvent) {
        self.typing.remove(&(message.room.clone(), message.from.clone()));
        let lines = lines_in(self.pane());
        let here = self.conversation.is_of(&message.room);
        let is_seen = here && self.conversation.is_at_end();
        let is_own = message.path == "self";
        if !is_seen && !is_own && !self.places.unread(&message) {
            self.stale.chats = true;
        }
        if here {
            self.conversation.said(message, &lines);
            if is_own && !self.conversation.is_at_end() {
                // Who says something wants to see it.
                self.go_to_end();
            }
        }
    }

    fn changed_member(&mut self, event: MemberEvent, told: Option<String>) {
        use MemberChange::{Away, Banned, Joined, Left, Offline, Online, Removed, Role, Topic};
        let here = self.conversation.is_of(&event.room);
        let is_me = self.talk.me() == Some(&event.name);
        if matches!(event.change, Offline | Left | Removed) {
            self.typing.retain(|(_, name), _| *name != event.name);
        }
        self.stale.members |= here;
        self.stale.topic |= here && event.change == Topic;
        self.stale.chats |= is_me
            || !event.room.is_plain()
            || matches!(event.change, Joined | Left | Removed | Banned | Online | Offline);
        let lines = lines_in(self.pane());
        if here {
            self.stale.progress |= self.is_asking(&Ask::Progress(Vec::new()));
            self.conversation.doubt();
            if matches!(event.change, Joined | Left | Online | Offline | Away) && !is_me {
                self.conversation.noise(event, &lines);
                return;
            }
        }
        let is_news =
            here || is_me || !matches!(event.change, Joined | Left | Online | Offline | Away | Removed | Role | Topic);
        told.filter(|_| is_news).into_iter().for_each(|told| self.notice(told));
    }
}
