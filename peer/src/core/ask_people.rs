//! What the user asks about people.

use super::{AskId, Core, Now, command::Answer, requests::What};
use common::{
    AccountName, Key, RoomName,
    safety::safety_number,
    wire::{
        control::{
            Exit, Refusal,
            people::{AnswerPeople, AskPeople, Chat, Identity, Verify},
        },
        tracker::{SetContact, Wish},
    },
};

impl Core {
    pub(super) fn ask_people(&mut self, id: AskId, ask: AskPeople, now: Now) {
        if let Some((name, wish)) = ask.wish() {
            return self.wish(id, name.clone(), wish, now);
        }
        let answer = match ask {
            AskPeople::Contacts {} => Ok(AnswerPeople::Contacts(self.contact_lines())),
            AskPeople::Away(away) => {
                self.set_away(away.away);
                Ok(AnswerPeople::Done {})
            }
            AskPeople::Trust(named) => self.decide(&named.name, now).map(AnswerPeople::Identity),
            AskPeople::Verify(verify) => self.verify(&verify).map(AnswerPeople::Identity),
            AskPeople::Book {} => Ok(AnswerPeople::Book(self.book_entries())),
            AskPeople::Save(save) => self.save(save).map(AnswerPeople::Entry),
            AskPeople::Forget(named) => self.forget(&named.name).map(|()| AnswerPeople::Done {}),
            AskPeople::Import(import) => Ok(AnswerPeople::Imported(self.import(import.entries))),
            AskPeople::Connect(connect) => return self.connect(id, connect, now),
            AskPeople::Listen(listen) => Ok(AnswerPeople::Listening(self.listen(listen.seconds, now))),
            _ => Ok(AnswerPeople::Chats(self.chats())),
        };
        self.reply(id, answer.map(Answer::People));
    }

    /// A wish about a contact goes to the tracker. Without one, somebody known can still be blocked here.
    fn wish(&mut self, id: AskId, name: AccountName, wish: Wish, now: Now) {
        let known = self.trust.find(&name);
        if matches!(wish, Wish::Block | Wish::Unblock) && !self.tracker.is_up() {
            let done = self.find_person(&name).map(|key| self.block(&key, wish == Wish::Block));
            return self.reply(id, done.map(|()| Answer::People(AnswerPeople::Done {})));
        }
        if let Some(doubted) = self.trust.doubt(&name).filter(|_| matches!(wish, Wish::Add | Wish::Accept)) {
            return self.reply(id, Err(super::pin::another_person(&name, doubted, known)));
        }
        if name.has_key() {
            let why = format!("{name} is somebody who does not have that name any more; name somebody who has theirs");
            return self.reply(id, Err(Refusal::new(Exit::Refused, why)));
        }
        self.request_if_up(What::Contact(id, SetContact { id: 0, name, key: known, wish }), now);
    }

    /// The user takes the key that somebody shows now for theirs.
    fn decide(&mut self, name: &AccountName, now: Now) -> Result<Identity, Refusal> {
        // Who was decided against can be named by the key, to go back on that.
        let by_key = || self.trust.find(name).filter(|key| name.has_key() && self.trust.doubts(key));
        let Some(key) = self.trust.doubt(name).or_else(by_key) else {
            let why = match self.trust.find(name) {
                Some(_) => format!("nobody but the one you know has shown up as {name}; there is nothing to decide"),
                None => return Err(self.find_person(name).err().unwrap_or_else(|| Refusal::new(Exit::Refused, ""))),
            };
            return Err(Refusal::new(Exit::Refused, why));
        };
        let before = self.trust.decide(&key);
        self.keep_pin(&key);
        if let Some(before) = before {
            // Whoever had the name is cut off where it still has it.
            let called = self.people.get(&before).map(|person| person.name.clone());
            if let Some(called) = called {
                self.meet(before, &called, None);
                self.trust.settle(before);
            }
            self.rename_in_direct(&before);
        }
        self.contact_decided(key, now);
        self.unpark(&key, now);
        self.dial_afresh(key, now);
        Ok(self.identity_of(&key, name))
    }

    fn verify(&mut self, verify: &Verify) -> Result<Identity, Refusal> {
        let key = self.find_person(&verify.name)?;
        if let Some(doubted) = self.trust.doubt(&verify.name) {
            return Err(super::pin::another_person(&verify.name, doubted, Some(key)));
        }
        if verify.done
            && let Some(known) = self.trust.get_mut(&key)
        {
            known.verified = true;
            self.keep_known(&key);
            self.book_changed(&key);
        }
        Ok(self.identity_of(&key, &verify.name))
    }

    /// Who somebody is.
    pub(super) fn identity_of(&self, key: &Key, name: &AccountName) -> Identity {
        Identity {
            name: self.trust.shown(key).unwrap_or_else(|| name.clone()),
            key: key.to_string(),
            safety_number: safety_number(&self.me, key),
            verified: self.trust.is_verified(key),
        }
    }

    fn chats(&self) -> Vec<Chat> {
        let joined = self.rooms.iter().filter(|(_, room)| room.joined);
        let line = |(name, room): (&RoomName, &super::Room)| {
            let others = room.table.members().filter(|member| member.key != self.me);
            Chat {
                room: self.title(name),
                members: room.table.len() as u32,
                undelivered: room.undelivered(&self.me),
                online: others.filter_map(|m| self.people.get(&m.key)).any(|person| person.is_online()),
                last: None,
                read: 0,
                unread: 0,
                mentions: 0,
                counted: 0,
            }
        };
        joined.map(line).collect()
    }
}
