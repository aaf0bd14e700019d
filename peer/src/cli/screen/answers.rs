//! What the session answers goes into what is shown.

use common::wire::control::{Event, Refusal, Said};

use super::{
    ask::{Answer, Ask},
    overlay::Overlay,
    state::{Output, State},
};
use crate::cli::{chat::commands, text, time};

impl State {
    /// The session has answered.
    pub(super) fn answered(&mut self, ask: Ask, answer: Result<Answer, Refusal>, out: &mut Vec<Output>) {
        self.asked(&ask, out);
        match (ask, answer) {
            (
                ask @ (Ask::Page(..)
                | Ask::After(..)
                | Ask::Around(..)
                | Ask::Search(..)
                | Ask::Receipts(_)
                | Ask::Goto(..)),
                Err(refusal),
            ) => {
                if let Ask::Page(room, _) | Ask::Around(room, _) = &ask {
                    self.conversation.is_open |= self.conversation.is_of(room);
                }
                self.overlay = Overlay::None;
                self.notice(format!("! {}", text::block(&commands::in_chat(&refusal.message, &[]), "  ")));
            }
            // Not to be asked again with each tick.
            (Ask::MarkRead(room, cursor), Err(_)) => drop(self.places.read_up_to(&room, cursor)),
            // What is not answered stays as it is shown.
            (_, Err(_)) => {}
            (_, Ok(Answer::Status(status))) => {
                let told = self.talk.tracker(&status);
                let before = self.status.as_ref().map_or(0, |before| before.undelivered);
                self.asking.stale.waiting |= before != status.undelivered;
                if status.undelivered == 0 {
                    self.waiting = (0, 0);
                }
                self.status = Some(*status);
                told.into_iter().for_each(|told| self.tell(None, told, true));
            }
            (_, Ok(Answer::Chats(chats))) => {
                self.places.update(chats);
                let (places, here) = (&self.places, self.conversation.room.as_ref());
                self.told.keep(|room| places.get(room).is_some() || here == Some(room));
                self.read();
                if self.talk.room().is_err() && !self.stays_out && !self.places.all().is_empty() {
                    self.step(1);
                }
            }
            (_, Ok(Answer::Read(read))) => self.asking.stale.chats |= !self.places.read_up_to(&read.room, read.cursor),
            (_, Ok(Answer::Waiting(moving, waiting))) => {
                // All of it may have arrived since it was asked.
                let is_any = self.status.as_ref().is_some_and(|status| status.undelivered > 0);
                self.waiting = if is_any { (moving, waiting) } else { (0, 0) };
            }
            (Ask::Goto(room, _), Ok(Answer::At(Some(cursor)))) => self.ask(Ask::Around(room, cursor), out),
            (Ask::Goto(room, at), Ok(_)) => self.notice(format!("nothing was said in {room} since {}", time::date(at))),
            (_, Ok(Answer::Rooms(rooms))) => {
                self.rooms = rooms;
                self.list_jumps();
            }
            (Ask::Members(room), Ok(Answer::Members(members))) if self.room() == Some(&room) => self.members = members,
            (Ask::Topic(room), Ok(Answer::Topic(topic))) if self.room() == Some(&room) => self.topic = topic,
            (_, Ok(Answer::Progress(known))) => {
                // Who has got more since it was asked is not taken for somebody who lacks it.
                let is_sure = |said: &&Said| !self.asking.stale.progress || said.pending.is_empty();
                let sure: Vec<&Said> = known.iter().filter(is_sure).collect();
                sure.into_iter().for_each(|said| self.conversation.progress(said));
            }
            (_, Ok(Answer::Transfers(transfers))) => {
                self.transfers = transfers.into_iter().filter(|transfer| !transfer.state.is_over()).collect();
            }
            (_, Ok(Answer::Words(words))) => self.offered(words),
            (Ask::Receipts(id), Ok(Answer::Receipts(receipts))) => self.receipted(&id.to_string(), receipts),
            (Ask::Search(room, words), Ok(Answer::Messages(found))) => self.found(&room, &words, found, out),
            (ask, Ok(answer)) => self.paged(ask, answer),
        }
    }

    /// A part of the history has come.
    fn paged(&mut self, ask: Ask, answer: Answer) {
        let pane = self.pane();
        let lines = self.lines();
        let told = self.told.of(self.conversation.room.as_ref());
        let (Ask::Page(room, _) | Ask::After(room, _) | Ask::Around(room, _)) = &ask else { return };
        if !self.conversation.is_of(room) {
            return;
        }
        // What is shown may have become another part of it meanwhile.
        let fits = match &ask {
            Ask::Page(_, Some(before)) => self.conversation.begins() == Some(*before),
            Ask::After(_, after) => self.conversation.ends() == Some(*after),
            _ => true,
        };
        if !fits {
            return;
        }
        let read = self.places.get(room).map_or(0, |place| place.read);
        self.conversation.me = self.talk.me().cloned();
        let conversation = &mut self.conversation;
        match (ask, answer) {
            (Ask::Page(_, None), Answer::Messages(events)) => {
                for event in &events {
                    if let Event::Message(message) = event {
                        self.talk.remember(message);
                    }
                }
                conversation.open(events, read, told);
            }
            (Ask::Page(..), Answer::Messages(events)) => conversation.before(events, told),
            (Ask::After(..), Answer::Messages(events)) => conversation.after(events, told),
            (Ask::Around(_, at), Answer::Around(before, after)) => {
                conversation.around(at, (before, after), told, pane.height.into(), &lines);
            }
            _ => {}
        }
    }
}
