//! Chats without a tracker: whoever waits with `peer listen` lets in whom it does not know, and `peer connect` calls
//! whoever is at an address, or somebody known where they were last.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    AccountName, Key, RoomName,
    address::Addresses,
    wire::control::{
        Exit, Refusal,
        people::{AnswerPeople, Connect, Connected, Listening},
    },
};

use super::{AskId, CallId, Core, LinkId, Now, Output, Row, command::Answer, pin};

/// How long whoever is called may take, in milliseconds.
const PATIENCE: u64 = 12_000;
/// Calls under way at once.
const CALLS: usize = 64;
/// People let in at the most while this peer listens, until it is told to listen again.
const LET_IN: usize = 64;
/// Longest time for which it listens, in seconds.
const LONGEST: u64 = 24 * 60 * 60;

/// Who is called, and whether strangers are let in.
#[derive(Default, Debug)]
pub struct Meeting {
    calls: BTreeMap<CallId, Call>,
    last: u64,
    /// Until when strangers are let in, in milliseconds of [`Now::at`].
    until: u64,
    let_in: BTreeSet<Key>,
}

#[derive(Debug)]
struct Call {
    ask: AskId,
    /// Whom, if somebody in particular.
    key: Option<Key>,
    link: Option<LinkId>,
    until: u64,
}

impl Meeting {
    /// When a call has waited too long.
    pub fn deadline(&self) -> u64 {
        self.calls.values().map(|call| call.until).min().unwrap_or(u64::MAX)
    }
}

impl Core {
    /// Lets in whom this peer does not know, for so long.
    pub(super) fn listen(&mut self, seconds: u64, now: Now) -> Listening {
        self.meeting.until = if seconds == 0 { 0 } else { now.at + seconds.min(LONGEST) * 1_000 };
        self.meeting.let_in.clear();
        let seen = self.tracker.welcomed.as_ref().and_then(|welcomed| welcomed.seen);
        let addresses = Addresses::new(seen.into_iter().chain(self.tracker.interfaces().as_slice().iter().copied()));
        Listening {
            name: self.name.clone(),
            key: self.me.to_string(),
            addresses: addresses.as_slice().to_vec(),
            port: self.address.port(),
        }
    }

    /// Opens a chat with whoever is at an address, or with somebody known.
    pub(super) fn connect(&mut self, ask: AskId, connect: Connect, now: Now) {
        if let Err(refusal) = self.call(ask, connect, now) {
            self.reply(ask, Err(refusal));
        }
    }

    fn call(&mut self, ask: AskId, connect: Connect, now: Now) -> Result<(), Refusal> {
        let refuse = |why: String| Err(Refusal::new(Exit::Refused, why));
        if self.meeting.calls.len() >= CALLS {
            return refuse(format!("{CALLS} calls are under way; try again when one is over"));
        }
        self.meeting.last += 1;
        let id = CallId(self.meeting.last);
        let mut call = Call { ask, key: None, link: None, until: now.at + PATIENCE };
        let Some(name) = connect.name else {
            let addresses = Addresses::new(connect.addresses);
            if addresses.is_empty() {
                return refuse(
                    "that is no address anybody can be at; for example: peer connect 192.168.1.7:40123".into(),
                );
            }
            self.meeting.calls.insert(id, call);
            self.out.push(Output::Call(id, addresses));
            return Ok(());
        };
        let key = self.find_person(&name)?;
        if let Some(doubted) = self.trust.doubt(&name) {
            return Err(pin::another_person(&name, doubted, Some(key)));
        }
        if self.trust.blocks(&key) {
            return refuse(format!("{name} is blocked; lift that first: peer unblock {name}"));
        }
        if self.people.addresses(&key).is_none_or(Addresses::is_empty) {
            return refuse(format!("it is not known where {name} was last; say where: peer connect HOST:PORT"));
        }
        self.begin_direct(key, now);
        let person = self.people.get(&key);
        if let Some(link) = person.and_then(|person| person.link) {
            return self.connected(ask, link, &key);
        }
        if self.tracker.is_up() && person.is_some_and(|p| !p.online && self.is_told_of(&key, p)) {
            let why =
                format!("the tracker says that {name} is offline; what you write is delivered when {name} is back");
            return Err(Refusal::new(Exit::Unreachable, why));
        }
        call.key = Some(key);
        self.meeting.calls.insert(id, call);
        self.dial_afresh(key, now);
        Ok(())
    }

    /// Whoever is at an address has answered.
    pub(super) fn call_up(&mut self, id: CallId, link: LinkId, key: Key, address: std::net::SocketAddr, now: Now) {
        if let Some(call) = self.meeting.calls.get_mut(&id) {
            call.link = Some(link);
            self.link_stands(link, key, true, true, address, now);
        } else {
            self.out.push(Output::Close(link, "it came too late".into()));
        }
    }

    /// Nobody is at an address.
    pub(super) fn call_failed(&mut self, id: CallId, why: &str) {
        if let Some(call) = self.meeting.calls.remove(&id) {
            self.reply(call.ask, Err(unreachable(why)));
        }
    }

    /// A dial of somebody known has failed.
    pub(super) fn not_reached(&mut self, key: &Key) {
        let failed: Vec<CallId> =
            self.meeting.calls.iter().filter(|(_, call)| call.key == Some(*key)).map(|(id, _)| *id).collect();
        failed.into_iter().for_each(|id| self.call_failed(id, "nobody answers at their last addresses"));
    }

    /// Gives up on calls that take too long.
    pub(super) fn meeting_due(&mut self, now: Now) {
        let late: Vec<CallId> =
            self.meeting.calls.iter().filter(|(_, call)| call.until <= now.at).map(|(id, _)| *id).collect();
        late.into_iter().for_each(|id| self.call_failed(id, "nobody answers there"));
    }

    /// A link is over before what was called through it came about. It has, if whoever is called is reached by another.
    pub(super) fn call_over(&mut self, link: LinkId, key: &Key, why: &str) {
        let over = self.meeting.calls.iter().find(|(_, call)| call.link == Some(link)).map(|(id, _)| *id);
        let Some(id) = over else { return };
        match self.people.get(key).and_then(|person| person.link).filter(|other| *other != link) {
            Some(other) => self.call_done(id, other, key),
            None => self.call_failed(id, why),
        }
    }

    /// The other side of a link has said its name. False if the link is closed for it. Whoever is known by nothing but
    /// their links is called what they say; a stranger is let in if this peer has called it, listens, or has it in its
    /// address book.
    pub(super) fn let_in(&mut self, id: LinkId, key: Key, name: &AccountName, now: Now) -> bool {
        let person = self.people.get(&key);
        if person.is_some_and(|person| self.is_told_of(&key, person)) {
            return true;
        }
        let stranger = person.is_none();
        let called = self.meeting.calls.values().any(|call| call.link == Some(id));
        let listens = now.at < self.meeting.until && self.meeting.let_in.len() < LET_IN;
        let befriended = self.is_befriended(&key);
        if self.trust.blocks(&key) || (stranger && !called && !listens && !befriended) {
            return true;
        }
        if name.has_key() || name.fold() == self.name.fold() {
            self.close(id, "nobody here can be called what you are called; take another name");
            return false;
        }
        let known = self.trust.find(name);
        // Whoever calls is told by the refusal; whoever listens is told where it knows the name from.
        let place = known.map(|known| RoomName::direct(&self.me, &known));
        if let (Some(place), Some(known)) = (&place, known) {
            self.conversed(place, &known);
        }
        self.meet(key, name, place.as_ref());
        if self.trust.doubts(&key) {
            let asks: Vec<CallId> =
                self.meeting.calls.iter().filter(|(_, call)| call.link == Some(id)).map(|(id, _)| *id).collect();
            for id in asks {
                let Some(call) = self.meeting.calls.remove(&id) else { continue };
                self.reply(call.ask, Err(pin::another_person(name, key, known)));
            }
            self.close(id, pin::UNDECIDED);
            return false;
        }
        if stranger {
            if !called && !befriended {
                self.meeting.let_in.insert(key);
            }
            self.begin_direct(key, now);
        }
        true
    }

    /// A link counts from now on: whoever wanted it is told. Of somebody of whom no tracker tells, its address is kept.
    pub(super) fn reached(&mut self, id: LinkId, key: &Key) {
        if let Some(address) = self.links.get(id).map(|link| link.address)
            && let Some(person) = self.people.get(key)
            && !self.is_told_of(key, person)
        {
            let addresses = Addresses::new([address].into_iter().chain(person.addresses.as_slice().iter().copied()));
            if addresses != person.addresses {
                self.out.push(Output::Keep(Row::Addresses(*key, addresses.clone())));
                self.book.moved(key);
                if let Some(person) = self.people.get_mut(key) {
                    person.addresses = addresses;
                }
            }
        }
        let done: Vec<CallId> = self
            .meeting
            .calls
            .iter()
            .filter(|(_, call)| call.link == Some(id) || call.key == Some(*key))
            .map(|(id, _)| *id)
            .collect();
        done.into_iter().for_each(|call| self.call_done(call, id, key));
    }

    /// Whoever is called is reached by this link.
    fn call_done(&mut self, id: CallId, link: LinkId, key: &Key) {
        let Some(call) = self.meeting.calls.remove(&id) else { return };
        if let Err(refusal) = self.connected(call.ask, link, key) {
            self.reply(call.ask, Err(refusal));
        }
    }

    fn connected(&mut self, ask: AskId, link: LinkId, key: &Key) -> Result<(), Refusal> {
        let known = self.trust.get(key).map(|known| known.name.clone());
        let (Some(link), Some(name)) = (self.links.get(link), known) else {
            return Err(unreachable("the link is gone again"));
        };
        let address = link.address;
        let identity = self.identity_of(key, &name);
        let room = self.title(&RoomName::direct(&self.me, key));
        let connected = Connected { room, address, identity };
        self.reply(ask, Ok(Answer::People(AnswerPeople::Connected(Box::new(connected)))));
        Ok(())
    }
}

fn unreachable(why: &str) -> Refusal {
    let what = "Whoever is called has to run a peer that knows you, or to wait for you with: peer listen";
    Refusal::new(Exit::Unreachable, format!("no chat has come about: {why}. {what}"))
}

#[cfg(test)]
#[path = "meeting_tests.rs"]
mod tests;
