//! What was said and waits for somebody, and what its author does not want to be sent any more.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    AccountName, Key, MessageId,
    fault::{self, Fault},
    frame::{Encoded, Frame, HEADER},
    table::Departure,
    wire::{
        control::{Cancelled as CancelledLine, Exit, Refusal},
        peer::PeerFrame,
    },
};

use super::{
    Core, Output, Row,
    answers::no_message,
    command::{Answer, WaitingFor},
    own_log::{Run, Sealed},
    ranges::Ranges,
    room::{Meant, Room},
};

/// Messages of one answer, at the most.
const LISTED: usize = 1_000;
/// Names of one answer, beyond which no further message is listed.
const NAMED: usize = 100_000;
/// Ranges of numbers told when a membership ends.
const RANGES: usize = 16;

/// What has become of a message of one's own for somebody who was meant to get it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Its receipt has come.
    Delivered,
    /// It is waited for.
    Pending,
    /// It is not sent to this one any more.
    Cancelled,
    /// It had not come when this one ceased to be a member; it is not waited for.
    Gone(Option<Departure>),
}

/// Own messages that are not sent any more, and who had them by then.
#[derive(Clone, Default, Debug)]
pub struct Cancelled(BTreeMap<u64, BTreeSet<Key>>);

impl Cancelled {
    /// Adds a message, which these have.
    pub fn add(&mut self, number: u64, had: impl IntoIterator<Item = Key>) {
        self.0.entry(number).or_default().extend(had);
    }

    /// Whether a message is cancelled.
    pub fn has(&self, number: u64) -> bool {
        self.0.contains_key(&number)
    }

    /// Whether a message is withheld from somebody: it is cancelled, and they did not have it then.
    pub fn withholds(&self, key: &Key, number: u64) -> bool {
        self.0.get(&number).is_some_and(|had| !had.contains(key))
    }

    /// The frame of a batch as it goes to `key`, with what is withheld from them left out; `None` if the batch cannot
    /// be read.
    pub fn frame_for(&self, key: &Key, sealed: &Sealed) -> Option<Encoded> {
        let mut within = self.0.range(sealed.first..=sealed.last);
        if within.all(|(_, had)| had.contains(key)) || fault::on(Fault::CancelledSent) {
            return Some(sealed.frame.clone());
        }
        match PeerFrame::decode(sealed.frame.get(HEADER..)?) {
            Ok(Some(PeerFrame::Batch(batch))) => {
                Some(PeerFrame::from(batch.withhold(|number| self.withholds(key, number))).encode())
            }
            _ => None,
        }
    }
}

impl Room {
    /// Own messages that some present member has not receipted, without those cancelled.
    pub fn undelivered(&self, me: &Key) -> u64 {
        let numbers =
            |run| self.waiting(run, &self.waited_for(run, me)).map(|(first, last)| last + 1 - first).sum::<u64>();
        self.own.runs.iter().map(numbers).sum()
    }

    /// The numbers of those messages, to be read: `3, 5-7`. Beyond `RANGES` it is only said how many more there are.
    pub fn undelivered_numbers(&self, me: &Key) -> String {
        let runs = self.own.runs.iter();
        let ranges: Vec<(u64, u64)> =
            runs.flat_map(|run| self.waiting(run, &self.waited_for(run, me)).collect::<Vec<_>>()).collect();
        let word =
            |(first, last): &(u64, u64)| if first == last { first.to_string() } else { format!("{first}-{last}") };
        let mut words: Vec<String> = ranges.iter().take(RANGES).map(word).collect();
        let more: u64 = ranges.iter().skip(RANGES).map(|(first, last)| last + 1 - first).sum();
        words.extend((more > 0).then(|| format!("and {more} more")));
        words.join(", ")
    }

    /// What has become of one own message for somebody.
    pub fn fate(&self, meant: &Meant, number: u64) -> Fate {
        let withheld = self.own.cancelled.withholds(&meant.key, number);
        match meant.slot {
            _ if self.own.acked(&meant.key).has(number) && !withheld => Fate::Delivered,
            None => Fate::Gone(meant.why),
            Some(_) if withheld => Fate::Cancelled,
            Some(_) => Fate::Pending,
        }
    }

    /// Everybody but this peer who was meant to get the messages of a run, and still is a member.
    fn waited_for(&self, run: &Run, me: &Key) -> Vec<Meant> {
        self.members_at(run.stamp).into_iter().filter(|meant| meant.slot.is_some() && meant.key != *me).collect()
    }

    /// The messages of a run that not all of these have, without those cancelled, as ranges in order.
    fn waiting(&self, run: &Run, members: &[Meant]) -> impl Iterator<Item = (u64, u64)> {
        let mut done = Ranges::default();
        done.add(run.first, run.last);
        done = members.iter().fold(done, |done, member| done.and(self.own.acked(&member.key)));
        let mut waiting = Vec::new();
        for (mut first, last) in done.gaps(run.first, run.last) {
            for cancelled in self.own.cancelled.0.range(first..=last).map(|(number, _)| *number) {
                waiting.push((first, cancelled - 1));
                first = cancelled + 1;
            }
            waiting.push((first, last));
        }
        waiting.into_iter().filter(|(first, last)| first <= last)
    }
}

impl Core {
    /// Own messages that wait for somebody: room by room, the oldest first.
    pub(super) fn outbox(&self) -> Answer {
        let (mut waiting, mut named, mut all) = (Vec::new(), 0, 0);
        for (name, room) in self.rooms.iter().filter(|(_, room)| room.joined) {
            for run in &room.own.runs {
                let members = room.waited_for(run, &self.me);
                for (first, last) in room.waiting(run, &members) {
                    all += last + 1 - first;
                    for number in first..=last {
                        if waiting.len() == LISTED || named >= NAMED {
                            break;
                        }
                        let lacks = |meant: &&Meant| room.fate(meant, number) == Fate::Pending;
                        let lacking = || members.iter().filter(lacks);
                        let pending: Vec<AccountName> = lacking().map(|m| m.name.clone()).collect();
                        let undecided = lacking().filter(|m| self.trust.doubts(&m.key)).map(|m| m.name.clone());
                        let undecided = undecided.collect();
                        named += pending.len();
                        let id = MessageId { room: name.clone(), author: self.me.short(), number };
                        waiting.push(WaitingFor { id, title: self.title(name), pending, undecided });
                    }
                }
            }
        }
        let more = all - waiting.len() as u64;
        Answer::Outbox { me: self.me, waiting, more }
    }

    /// Sends a message no more to those who lack it. It stays said: who has it keeps it.
    pub(super) fn cancel(&mut self, id: &MessageId) -> Result<Answer, Refusal> {
        let stamp = self.own(id)?;
        let refuse = |why: String| Refusal::new(Exit::Refused, why);
        let room = self.rooms.get_mut(&id.room).ok_or_else(|| refuse(no_message(id)))?;
        let meant: Vec<Meant> = room.members_at(stamp).into_iter().filter(|meant| meant.key != self.me).collect();
        let (has, lacks): (Vec<Meant>, Vec<Meant>) =
            meant.into_iter().partition(|meant| room.fate(meant, id.number) == Fate::Delivered);
        if lacks.is_empty() {
            let why = if has.is_empty() { "it was for nobody else" } else { "everybody has it already" };
            return Err(refuse(format!("there is nothing to cancel of {id}: {why}")));
        }
        if !room.own.cancelled.has(id.number) {
            let had: Vec<Key> = has.iter().map(|meant| meant.key).collect();
            room.own.cancelled.add(id.number, had.iter().copied());
            self.out.push(Output::Keep(Row::Cancelled { room: id.room.clone(), number: id.number, had }));
        }
        let names = |list: Vec<Meant>| list.into_iter().map(|meant| meant.name).collect();
        Ok(Answer::Cancelled(CancelledLine {
            id: self.id(&id.room, id.number),
            delivered: names(has),
            cancelled: names(lacks),
        }))
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
