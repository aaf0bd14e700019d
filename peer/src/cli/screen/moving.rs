//! Going from one conversation to another, and back and forth in one.

use common::RoomName;

use super::{
    ask::Ask,
    conversation::{Conversation, Missing},
    overlay::Overlay,
    state::{Output, State},
};

impl State {
    /// Goes to a room that is joined, or to what is about none.
    pub fn go(&mut self, room: impl Into<Option<RoomName>>) {
        let room = room.into();
        self.stays_out = room.is_none();
        self.talk.go(room);
        self.overlay = Overlay::None;
    }

    /// Goes so many conversations on, from the last to the first. What is about none of them is behind the last while there
    /// is something in it to be seen.
    pub(super) fn step(&mut self, steps: isize) {
        let mut all: Vec<Option<&RoomName>> = self.places.all().iter().map(|place| Some(&place.room)).collect();
        all.extend((self.told.unseen(None) > 0).then_some(None));
        let Some(count) = isize::try_from(all.len()).ok().filter(|count| *count > 0) else { return };
        let at =
            all.iter().position(|room| *room == self.room()).map_or(if steps > 0 { -1 } else { 0 }, |at| at as isize);
        let next = (at + steps).rem_euclid(count);
        let next = all[next as usize].cloned();
        self.go(next);
    }

    /// Moves the view up by so many lines, or down.
    pub fn scroll(&mut self, up: isize, out: &mut Vec<Output>) {
        let pane = self.pane();
        let missing = self.conversation.scroll(up, pane.height.into(), &self.lines());
        self.read();
        let Some(room) = self.room().cloned() else { return };
        match missing {
            Some(Missing::Before(cursor)) => self.ask(Ask::Page(room, Some(cursor)), out),
            Some(Missing::After(cursor)) => self.ask(Ask::After(room, cursor), out),
            None => {}
        }
    }

    /// Goes to the oldest.
    pub(super) fn go_to_start(&mut self, out: &mut Vec<Output>) {
        let Some(room) = self.room().cloned().filter(|_| self.conversation.more_before) else {
            let (height, lines) = (self.pane().height.into(), self.lines());
            self.conversation.begin_with(0, height, &lines);
            return;
        };
        // There is none with this cursor: it is what comes after it.
        self.ask(Ask::Around(room, 0), out);
    }

    /// Goes to the newest.
    pub fn go_to_end(&mut self) {
        let conversation = &mut self.conversation;
        (conversation.anchor, conversation.marked) = (None, None);
        if conversation.more_after {
            // The newest page takes the place of what is held.
            let room = conversation.room.take();
            *conversation = Conversation::new(room.clone(), self.told.of(room.as_ref()));
        }
        self.read();
    }

    /// What is in view is not unread any more.
    pub(super) fn read(&mut self) {
        if !self.conversation.is_at_end() {
            return;
        }
        let room = self.conversation.room.as_ref();
        self.told.seen(room);
        room.into_iter().for_each(|room| self.places.read(room));
    }

    /// Lets the session know what was in view, if that is news.
    pub(super) fn mark_read(&mut self, out: &mut Vec<Output>) {
        let is_seen = self.conversation.is_open && self.conversation.is_at_end();
        let (Some(room), Some(last)) = (self.room(), self.conversation.last()) else { return };
        if is_seen && self.places.is_news(room, last) {
            self.ask(Ask::MarkRead(room.clone(), last), out);
        }
    }

    /// The conversation is that of the room in which what is typed is said.
    pub(super) fn follow_talk(&mut self) {
        let room = self.talk.room().ok();
        if self.room() == room.as_ref() {
            return;
        }
        // What was to be done to a message here is not done there.
        self.aim_no_more();
        self.topic.clear();
        self.members.clear();
        (self.asking.stale.members, self.asking.stale.topic) = (true, true);
        self.stays_out = room.is_none();
        let draft = self.drafts.remove(&room).unwrap_or_default();
        let entered = Conversation::new(room.clone(), self.told.of(room.as_ref()));
        let left = std::mem::replace(&mut self.conversation, entered).room;
        let typed = self.editor.text().to_string();
        // What is typed in a room is for that room, and waits there; where there was none, it goes along.
        if left.is_some() || typed.is_empty() {
            self.editor.set(draft);
            if !typed.is_empty() {
                self.drafts.insert(left, typed);
            }
        }
        self.read();
    }
}
