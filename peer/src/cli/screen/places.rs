//! The conversations at the left: rooms, then people, each with what is unread in it.

use common::{
    RoomName,
    wire::control::{MessageEvent, MessageKind, people::Chat},
};
use peer::notices::is_to_me;

/// A conversation in the list.
#[derive(Clone, Debug)]
pub struct Place {
    /// Which.
    pub room: RoomName,
    /// What it has in common with others that are the same but for case.
    folded: String,
    /// Messages that were not read, as far as the session counts them.
    pub unread: usize,
    /// Those of them that name the user; of a conversation of two, all.
    pub mentions: usize,
    /// Whether somebody else in it is online.
    pub online: bool,
    /// How many are in it.
    pub members: u32,
    /// The cursor up to which it was read; 0 if it was not.
    pub read: u64,
    /// The cursor up to which it is counted what is not.
    counted: u64,
}

/// All of them.
#[derive(Default)]
pub struct Places {
    list: Vec<Place>,
}

impl Places {
    /// As they are now.
    pub fn update(&mut self, chats: Vec<Chat>) {
        let place = |chat: Chat| Place {
            folded: chat.room.fold(),
            room: chat.room,
            unread: chat.unread as usize,
            mentions: chat.mentions as usize,
            online: chat.online,
            members: chat.members,
            read: chat.read,
            counted: chat.counted,
        };
        let mut list: Vec<Place> = chats.into_iter().map(place).collect();
        list.sort_by_key(|place| (!place.room.is_plain(), place.folded.clone()));
        self.list = list;
    }

    /// The list.
    pub fn all(&self) -> &[Place] {
        &self.list
    }

    /// One of them.
    pub fn get(&self, room: &RoomName) -> Option<&Place> {
        let folded = room.fold();
        self.list.iter().find(|place| place.folded == folded)
    }

    /// A message has come that is not in view. False if its conversation is not in the list yet; then it is now.
    pub fn unread(&mut self, message: &MessageEvent) -> bool {
        if matches!(message.deed.kind, Some(MessageKind::Edit | MessageKind::Delete | MessageKind::Reaction)) {
            return true;
        }
        let known = self.list.iter().position(|place| place.room == message.room);
        let place = known.unwrap_or_else(|| {
            let (room, folded) = (message.room.clone(), message.room.fold());
            self.list.push(Place {
                room,
                folded,
                unread: 0,
                mentions: 0,
                online: true,
                members: 0,
                read: 0,
                counted: 0,
            });
            self.list.len() - 1
        });
        let place = &mut self.list[place];
        // The session may have counted it by now.
        if message.cursor > place.counted {
            place.counted = message.cursor;
            place.unread += 1;
            place.mentions += usize::from(is_to_me(message));
        }
        known.is_some()
    }

    /// A conversation was read up to a cursor, here or elsewhere. False if there may be more after it that is not read: then
    /// the session has to count anew.
    pub fn read_up_to(&mut self, room: &RoomName, cursor: u64) -> bool {
        let Some(place) = self.list.iter_mut().find(|place| place.room == *room) else { return true };
        place.read = place.read.max(cursor);
        let is_all = cursor >= place.counted;
        if is_all {
            (place.unread, place.mentions) = (0, 0);
        }
        is_all || place.unread == 0
    }

    /// Whether it was not read up to that cursor yet.
    pub fn is_news(&self, room: &RoomName, cursor: u64) -> bool {
        self.get(room).is_some_and(|place| place.read < cursor)
    }

    /// Everything in it is in view.
    pub fn read(&mut self, room: &RoomName) {
        for place in self.list.iter_mut().filter(|place| place.room == *room) {
            (place.unread, place.mentions) = (0, 0);
        }
    }
}
