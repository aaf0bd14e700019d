//! Who is told what when. Changes of a room go out at once if none went out lately, else they gather; a session with
//! a write under way is brought up to date when that is done, from where it is by then.

use common::limits;

use super::{Output, SessionId, Timer, Tracker, room::Cursor, rooms::RoomId};

impl Tracker {
    /// A room has changed: it is to be pushed.
    pub(super) fn changed(&mut self, id: RoomId, now: u64) {
        self.changes += 1;
        self.push(id, now);
    }

    /// A room is to be pushed when its gathering time is over.
    pub(super) fn push(&mut self, id: RoomId, now: u64) {
        let Some(room) = self.rooms.get_mut(id) else { return };
        if room.due.is_none() {
            let gather = self.config.gather_ms.max(room.table().len() as u64 / 50);
            let at = now.max(room.pushed + gather);
            room.due = Some(at);
            self.timers.insert((at, Timer::Flush(id)));
        }
    }

    /// Marks a room as due for all that are told of it.
    pub(super) fn flush(&mut self, id: RoomId, now: u64) {
        let Some(room) = self.rooms.get_mut(id) else { return };
        room.due = None;
        room.pushed = now;
        for session in &room.listeners {
            if let Some(session) = self.sessions.get_mut(session) {
                session.due.insert(id);
            }
        }
        self.ready.extend(&room.listeners);
    }

    /// From now on a session is told of a room, of which it knows as much as `cursor` says.
    pub(super) fn listen(&mut self, session: SessionId, id: RoomId, cursor: Option<Cursor>) {
        if let (Some(listener), Some(room)) = (self.sessions.get_mut(&session), self.rooms.get_mut(id)) {
            room.listeners.insert(session);
            listener.cursors.insert(id, cursor);
            listener.due.insert(id);
            self.ready.insert(session);
        }
    }

    /// Hands out what the ready sessions are to be told; the busy ones will be ready again.
    pub(super) fn tell_ready(&mut self) {
        for id in std::mem::take(&mut self.ready) {
            if self.sessions.get(&id).is_some_and(|session| !session.busy) {
                self.tell_one(id);
            }
        }
    }

    fn tell_one(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let (mut frames, mut answers) = (Vec::new(), 0);
        // What was not asked for goes first, so that whoever is answered sees what its request has done.
        frames.extend(std::iter::from_fn(|| session.next_unasked()).map(|waiting| waiting.frame));
        frames.extend(std::mem::take(&mut session.farewells).into_values().flatten());
        frames.extend(self.contact_frames(id));
        frames.extend(self.door_frames(id));
        let mut size: usize = frames.iter().map(|frame| frame.len()).sum();
        let Some(session) = self.sessions.get_mut(&id) else { return };
        loop {
            while let Some(waiting) = session.next_frame() {
                size += waiting.frame.len();
                answers += usize::from(waiting.answer);
                frames.push(waiting.frame);
            }
            // One write is bounded; the rooms that do not fit stay due.
            if size >= limits::SNAPSHOT_PIECE {
                break;
            }
            let Some(room_id) = session.due.pop_first() else { break };
            let (Some(room), Some(cursor)) = (self.rooms.get_mut(room_id), session.cursors.get_mut(&room_id)) else {
                continue;
            };
            let news = room.frames_since(*cursor);
            *cursor = Some(room.cursor());
            self.pushes += news.len() as u64;
            size += news.iter().map(|frame| frame.len()).sum::<usize>();
            frames.extend(news.iter().cloned());
        }
        if !frames.is_empty() {
            session.busy = true;
            self.outputs.push(Output::Send { session: id, frames, answers });
        }
    }
}
