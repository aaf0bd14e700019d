//! Rooms with a door, and those who run them: what the user asks for, and what the tracker tells of who wants in.

use std::collections::BTreeSet;

use common::{
    Key, RoomName, Version,
    digits::sixty,
    limits,
    table::{Role, Settings},
    wire::{
        control::{Exit, MemberChange, Order, Refusal, TableLine},
        tracker::{Asks, Declined},
    },
};

use super::{
    AskId, Core, Now,
    answers::not_in,
    command::{Answer, Ask},
    news::News,
};

/// What two members compare is made of the table's digest under this context.
const DIGITS: &str = "rollcall 2 table digits";
/// Requests to be let in that are remembered as told, so that one is not told again at each new link to the tracker.
const TOLD: usize = 2 * limits::AT_THE_DOOR;

/// Who has been told of as waiting at a door, and since when it waits.
#[derive(Default, Debug)]
pub struct Told(BTreeSet<(RoomName, Key, u64)>);

impl Told {
    /// Notes a request. False if it was told already.
    fn note(&mut self, room: &RoomName, key: Key, at: u64) -> bool {
        if self.0.len() >= TOLD {
            self.0.clear();
        }
        self.0.insert((room.clone(), key, at))
    }
}

impl Core {
    /// Makes a room for the user.
    pub(super) fn make(&mut self, id: AskId, room: RoomName, settings: Settings, now: Now) {
        let there = self.joined(&room).map(|(name, _)| name.clone());
        let reply = match (there, check_topic(&settings.topic)) {
            (Some(name), _) => {
                let text =
                    format!("you are in {name} already; give the new room another name, or leave that one first");
                Err(Refusal::new(Exit::Refused, text))
            }
            (None, Err(refusal)) => Err(refusal),
            (None, Ok(())) => return self.ask_tracker(id, Ask::Make(room, settings), now),
        };
        self.reply(id, reply);
    }

    /// Has the tracker do something to a room. Whether this user may is for the tracker to say.
    pub(super) fn order(&mut self, id: AskId, room: RoomName, order: Order, now: Now) {
        let there = self.joined(&room).map(|(name, _)| name.clone()).ok_or_else(|| self.not_in(&room));
        let topic = match &order {
            Order::Topic { topic } => check_topic(topic),
            _ => Ok(()),
        };
        match there.and_then(|name| topic.map(|()| name)) {
            Ok(name) => self.ask_tracker(id, Ask::Order(name, order), now),
            Err(refusal) => self.reply(id, Err(refusal)),
        }
    }

    /// What a room is like, and what two members compare.
    pub(super) fn table_line(&self, room: &RoomName) -> Result<Answer, Refusal> {
        let (name, room) = self.joined(room).ok_or_else(|| self.not_in(room))?;
        let owner = room.table.members().find(|member| member.role == Role::Owner);
        Ok(Answer::Table(TableLine {
            room: name.clone(),
            version: room.table.version().to_string(),
            members: room.table.len() as u32,
            digest: sixty(DIGITS, &room.table.digest()),
            owner: owner.map(|owner| owner.name.clone()),
            settings: room.table.settings().into(),
        }))
    }

    /// Whether what has changed since a version is known, and which versions since then were not seen.
    pub(super) fn known_since(&self, room: &RoomName, epoch: Option<u64>, number: u64) -> Result<Answer, Refusal> {
        let (name, room) = self.joined(room).ok_or_else(|| self.not_in(room))?;
        let version = room.table.version();
        let since = Version { epoch: epoch.unwrap_or(version.epoch), number };
        let refuse = |why: String| Err(Refusal::new(Exit::Refused, why));
        if since.epoch != version.epoch {
            return refuse(format!(
                "{since} is of another table of {name}: the room was made again since then. Its versions are {}.1 to \
                 {version} now",
                version.epoch
            ));
        }
        if since > version {
            return refuse(format!("{name} is at version {version} here; {since} has not come yet"));
        }
        let begun = room.table.member(&self.me).map_or(0, |me| me.since);
        if number < begun {
            let first = Version { number: begun, ..version };
            return refuse(format!(
                "what changed in {name} before you joined it is not known here: ask for {first} or a later version"
            ));
        }
        let unseen = room.gaps.iter().filter(|gap| gap.until.epoch == version.epoch && gap.until > since);
        // A gap that ends with one's own joining is no gap in what is told.
        let unseen = unseen.filter(|gap| gap.until.number > begun && gap.after.next() != gap.until).copied().collect();
        Ok(Answer::Since { room: name.clone(), since, version, unseen })
    }

    /// Somebody asks to be let into a room that this user may open.
    pub(super) fn asks(&mut self, asks: Asks, now: Now) {
        let Asks { room, who } = asks;
        if self.let_back(&room, &who, now) {
            return;
        }
        let is_in = self.rooms.get(&room).is_some_and(|held| held.joined && held.table.member(&who.key).is_none());
        if is_in && self.tracker.told.note(&room, who.key, who.at) {
            self.tell_of(&room, News::new(who.name, MemberChange::Asks).at(who.at));
        }
    }

    /// Why something cannot be done in a room: this user is not in it, or not yet.
    pub(super) fn not_in(&self, room: &RoomName) -> Refusal {
        if self.tracker.asked.contains(&room.fold()) {
            let text = format!(
                "you have asked to join {room}, and nobody has let you in yet; you will be told. To ask no more: peer \
                 leave {room}"
            );
            return Refusal::new(Exit::Refused, text);
        }
        not_in(room)
    }

    /// This user is not let into a room.
    pub(super) fn declined(&mut self, declined: Declined) {
        let Declined { room, by } = declined;
        self.tracker.asked.remove(&room.fold());
        self.tell_of(&room, News::new(self.name.clone(), MemberChange::Declined).by(by));
    }
}

fn check_topic(topic: &str) -> Result<(), Refusal> {
    let refuse = |why: String| Err(Refusal::new(Exit::Refused, why));
    let count = topic.chars().count();
    if count > limits::TOPIC_CHARS {
        return refuse(format!("a topic has at most {} characters, this one has {count}", limits::TOPIC_CHARS));
    }
    if topic.chars().any(char::is_control) {
        return refuse("a topic is one line of text; leave out line breaks, tabs and other control characters".into());
    }
    Ok(())
}

#[cfg(test)]
#[path = "door_tests.rs"]
mod tests;
