//! What the chat makes of a line that is typed and of what happens, without a terminal.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use common::{
    AccountName, RoomName,
    content::{Content, Kind},
    wire::control::{Event, Joined, Member, MemberChange, MemberEvent, Refusal, Room, Said, Status},
};

use super::deeds::{InRoom, Latest};
use crate::cli::{progress::Progress, rooms::shown_to_all, show, tail, text, time};

/// How long receipts are waited for before it is told who has none.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long nobody is told again that somebody is typing who has said nothing since.
const STILL_TYPING: Duration = Duration::from_secs(60);
/// How often it is told that the user is typing.
const TYPING_PAUSE: Duration = Duration::from_secs(3);
/// People remembered to be typing.
const TYPING: usize = 1_000;

/// The prompt in no room.
pub const NO_ROOM: &str = "> ";

/// What a typed line asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    Join(RoomName),
    Leave(RoomName),
    Who(RoomName),
    Rooms,
    Say(RoomName, Content),
    /// Do something to what was said.
    Do(RoomName, Content),
    Quit,
    /// Nothing but to show this.
    Show(String),
    Nothing,
}

/// What came of an action.
pub enum Outcome {
    Joined(Joined),
    Left(RoomName),
    Who(RoomName, Vec<Member>),
    Rooms(Vec<Room>),
    Said(Said),
    /// Something is done to what was said.
    Done(Said),
    Refused(Refusal),
    Shown(String),
    Nothing,
}

/// The state of a chat.
#[derive(Default)]
pub struct Talk {
    me: Option<AccountName>,
    room: Option<RoomName>,
    /// The last message said, until all have it.
    watched: Option<Watched>,
    /// The latest messages, for commands that name none.
    latest: Latest,
    /// Who was shown to be typing, where, and until when they are not shown again.
    typing: BTreeMap<(RoomName, AccountName), Instant>,
    /// When it was last told that the user is typing.
    types_at: Option<Instant>,
    /// The trouble that has been told of.
    trouble: Option<String>,
}

struct Watched {
    said: Said,
    since: Instant,
    told: bool,
}

const HELP: &str = "\
/join ROOM     become a member of a room, or go to one that you are in
/leave [ROOM]  stop being a member
/who [ROOM]    who is in it
/rooms         the rooms there are
/me TEXT       tell what you do
/reply [ID] TEXT    answer a message, or the last of another
/edit [ID] TEXT     give a message of yours, or your last one, another text
/delete [ID]   take a message of yours, or your last one, back
/react [ID] EMOJI   react to a message, or the last of another
/quit          log out
//text         say a text that begins with /
anything else  is said in the room of the prompt";

impl Talk {
    /// Goes to a room that is joined, if there is one, and says what to do.
    pub fn begin(&mut self, status: &Status, rooms: &[Room]) -> String {
        self.me = Some(status.name.clone());
        self.room = rooms.iter().find(|room| room.joined).map(|room| room.room.clone());
        let domain = status.domain.as_ref().map(|domain| format!("@{domain}")).unwrap_or_default();
        let hint = match &self.room {
            Some(room) => format!("What you type is said in {room}. /help shows what else there is."),
            None => "You are in no room yet: /join lobby. /help shows what else there is.".to_string(),
        };
        format!("Logged in as {}{domain}. {hint}", status.name)
    }

    /// What stands before the line that is typed.
    pub fn prompt(&self) -> String {
        self.room.as_ref().map_or(NO_ROOM.to_string(), |room| format!("{room}> "))
    }

    /// A line has been typed.
    pub fn typed(&self, line: &str) -> Action {
        let line = line.trim();
        if let Some(said) = line.strip_prefix("//") {
            return self.say(format!("/{said}"));
        }
        let Some(command) = line.strip_prefix('/') else {
            return if line.is_empty() { Action::Nothing } else { self.say(line.to_string()) };
        };
        let (command, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        match command {
            "join" if rest.trim().is_empty() => Action::Show("which room? For example: /join lobby".into()),
            "join" => self.with_room(rest, Action::Join),
            "leave" => self.with_room(rest, Action::Leave),
            "who" => self.with_room(rest, Action::Who),
            "rooms" => Action::Rooms,
            "me" => self.say_as(rest, |_, text| Ok(Content { kind: Kind::Action, ..text.into() })),
            "reply" => self.say_as(rest, |latest, rest| latest.reply(rest)),
            "edit" => self.do_as(rest, |latest, rest| latest.edit(rest)),
            "delete" => self.do_as(rest, |latest, rest| latest.delete(rest)),
            "react" => self.do_as(rest, |latest, rest| latest.react(rest)),
            "quit" => Action::Quit,
            "help" => Action::Show(HELP.into()),
            _ => Action::Show(format!(
                "there is no /{}; /help shows what there is, and //{} says it",
                text::inline(command),
                text::inline(command)
            )),
        }
    }

    /// The user is typing something to be said: where that is to be told, if it is time to.
    pub fn types(&mut self, now: Instant) -> Option<RoomName> {
        if self.types_at.is_some_and(|at| now.saturating_duration_since(at) < TYPING_PAUSE) {
            return None;
        }
        self.types_at = Some(now);
        self.room.clone()
    }

    /// An action is done.
    pub fn done(&mut self, outcome: Outcome, now: Instant) -> Option<String> {
        match outcome {
            Outcome::Joined(joined) => {
                let members = match joined.members {
                    1 => ", and its only member".to_string(),
                    members => format!(", which has {members} members"),
                };
                let text = format!("* you are in {}{members}{}", joined.room, shown_to_all(&joined));
                self.room = Some(joined.room);
                Some(text)
            }
            Outcome::Left(room) => {
                if self.is_in(&room) {
                    self.room = None;
                }
                Some(format!("* you have left {room}"))
            }
            Outcome::Who(room, members) => Some(who(&room, &members)),
            Outcome::Rooms(rooms) if rooms.is_empty() => Some("there is no room yet: /join lobby makes one".into()),
            Outcome::Rooms(rooms) => Some(rooms.iter().map(listed).collect::<Vec<_>>().join("\n")),
            Outcome::Said(said) | Outcome::Done(said) => {
                let alone = said.delivered.is_empty() && said.pending.is_empty();
                let note = alone.then(|| format!("  (nobody else is in {})", said.room));
                self.watched = (!alone).then_some(Watched { said, since: now, told: false });
                note
            }
            Outcome::Refused(refusal) => Some(format!("! {}", text::block(&refusal.message, "  "))),
            Outcome::Shown(text) => Some(text),
            Outcome::Nothing => None,
        }
    }

    /// Something happened: what is shown of it.
    pub fn happened(&mut self, event: &Event, now: Instant) -> Option<String> {
        match event {
            Event::Message(message) => {
                self.latest.happened(message);
                self.typing.remove(&(message.room.clone(), message.from.clone()));
                let room = if self.is_in(&message.room) { String::new() } else { format!("({}) ", message.room) };
                let place = format!("[{}] {room}", time::clock(message.sent));
                Some(show::message(&place, message, "        "))
            }
            Event::Typing(typing) => {
                let who = (typing.room.clone(), typing.name.clone());
                self.typing.retain(|_, until| *until > now);
                if !self.is_in(&typing.room) || self.typing.contains_key(&who) || self.typing.len() == TYPING {
                    return None;
                }
                self.typing.insert(who, now + STILL_TYPING);
                Some(format!("  ({} is typing)", typing.name))
            }
            // Who comes online does so in every room, and is told of once.
            Event::Member(MemberEvent { change: MemberChange::Online | MemberChange::Offline, room, .. })
                if !self.is_in(room) =>
            {
                None
            }
            // What one does oneself has its answer, unless it is done later.
            Event::Member(MemberEvent { change: MemberChange::Joined, name, detail: None, .. })
            | Event::Member(MemberEvent { change: MemberChange::Left, name, .. })
                if self.me.as_ref() == Some(name) =>
            {
                None
            }
            Event::Member(member) => Some(format!("* {} {}", member.name, tail::change(member))),
            Event::Receipt(_) => None,
        }
    }

    /// The id of the message to ask about after an event that may have brought its receipt.
    pub fn asks_about(&self, event: &Event) -> Option<&str> {
        let watched = &self.watched.as_ref()?.said;
        match event {
            Event::Receipt(receipt) if receipt.room == watched.room && receipt.last >= watched.seq => Some(&watched.id),
            Event::Member(member) if member.room == watched.room => Some(&watched.id),
            _ => None,
        }
    }

    /// How far that message has got.
    pub fn progress(&mut self, said: Said) -> Option<String> {
        let watched = self.watched.as_mut().filter(|watched| watched.said.id == said.id)?;
        if !said.pending.is_empty() {
            watched.said = said;
            return None;
        }
        self.watched = None;
        let progress = Progress::from(&said);
        Some(format!("  {}{}", if progress.is_delivered() { "✓ " } else { "" }, progress.text()))
    }

    /// Whether there is something to be told soon of the last message said.
    pub fn is_waiting(&self) -> bool {
        self.watched.as_ref().is_some_and(|watched| !watched.told)
    }

    /// Some time has passed.
    pub fn passed(&mut self, now: Instant) -> Option<String> {
        let watched = self.watched.as_mut().filter(|watched| !watched.told)?;
        if now.saturating_duration_since(watched.since) < PATIENCE {
            return None;
        }
        watched.told = true;
        Some(format!("  {}", Progress::from(&watched.said).text()))
    }

    /// How the tracker is: told when it goes and when it is back.
    pub fn tracker(&mut self, status: &Status) -> Option<String> {
        let down = status.tracker_state == "down";
        match (down, self.trouble.is_some()) {
            (true, false) => {
                let place = status.tracker.map(|address| format!(" at {address}")).unwrap_or_default();
                let why = status.trouble.as_ref().map(|why| format!(" ({})", text::inline(why))).unwrap_or_default();
                self.trouble = Some(place.clone());
                Some(format!(
                    "* the tracker{place} does not answer{why}; the room goes on with the members known; trying again"
                ))
            }
            (false, true) if status.tracker_state == "up" => {
                let place = self.trouble.take().unwrap_or_default();
                Some(format!("* the tracker{place} is back"))
            }
            _ => None,
        }
    }

    fn is_in(&self, room: &RoomName) -> bool {
        self.room.as_ref().is_some_and(|current| current.fold() == room.fold())
    }

    fn say(&self, text: String) -> Action {
        self.say_as(&text, |_, text| Ok(text.into()))
    }

    fn say_as(&self, rest: &str, content: impl FnOnce(&InRoom, &str) -> Result<Content, String>) -> Action {
        self.in_the_room(rest, content, Action::Say)
    }

    fn do_as(&self, rest: &str, content: impl FnOnce(&InRoom, &str) -> Result<Content, String>) -> Action {
        self.in_the_room(rest, content, Action::Do)
    }

    fn in_the_room(
        &self,
        rest: &str,
        content: impl FnOnce(&InRoom, &str) -> Result<Content, String>,
        action: impl FnOnce(RoomName, Content) -> Action,
    ) -> Action {
        let Some(room) = &self.room else {
            return Action::Show("you are in no room, so nobody would hear it; go to one: /join lobby".into());
        };
        match content(&self.latest.in_room(room), rest.trim()) {
            Ok(content) => action(room.clone(), content),
            Err(why) => Action::Show(format!("! {why}")),
        }
    }

    fn with_room(&self, name: &str, action: impl FnOnce(RoomName) -> Action) -> Action {
        match (name.trim(), &self.room) {
            ("", Some(room)) => action(room.clone()),
            ("", None) => Action::Show("you are in no room; name one, for example: /who lobby".into()),
            (name, _) => name.parse().map_or_else(|bad| Action::Show(format!("! {bad}")), action),
        }
    }
}

fn who(room: &RoomName, members: &[Member]) -> String {
    let online = members.iter().filter(|member| member.online).count();
    let mut text = format!("{room}: {} members, {online} online", members.len());
    for member in members {
        let state = if member.online { "online" } else { "away" };
        text += &format!("\n  {:16} {state:8} {}", member.name, text::inline(&member.path));
    }
    text
}

fn listed(room: &Room) -> String {
    let joined = if room.joined { ", you are in it" } else { "" };
    format!("  {:16} {} members{joined}", room.room, room.members)
}

#[cfg(test)]
#[path = "talk_tests.rs"]
mod tests;
