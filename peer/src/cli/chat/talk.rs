//! What the chat makes of a line that is typed and of what happens, without a terminal.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use common::{
    AccountName, RoomName,
    content::Content,
    wire::control::{Event, MemberChange, MemberEvent, MessageEvent, Room, Said, Status, files::FileLine},
};

use super::{
    action::{Action, Outcome},
    commands,
    deeds::{InRoom, Latest},
    files, listing,
    once::{By, Once},
    words::{self, Bad},
};
use crate::cli::{files::shared, progress::Progress, rooms::shown_to_all, show, text, time};

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
    /// Who was last told to have another name, and which they had.
    renamed: Option<(AccountName, String)>,
    /// The room of the prompt that an event told to be left: it is told once.
    left: Option<RoomName>,
    /// The trouble that has been told of.
    trouble: Option<String>,
    /// What an answer or an event has told, of which the other comes too.
    once: Once,
    /// Columns of what is shown, if it is shown on a terminal.
    width: Option<usize>,
}

struct Watched {
    said: Said,
    since: Instant,
    told: bool,
}

impl Talk {
    /// A chat that begins in a room.
    pub fn in_room(room: Option<RoomName>) -> Talk {
        Talk { room, ..Talk::default() }
    }

    /// Goes to a room that is joined, or out of all.
    pub fn go(&mut self, room: Option<RoomName>) {
        self.room = room;
    }

    /// It is shown in so many columns of a terminal from now on; as wide as it is without.
    pub fn shown_in(&mut self, width: Option<usize>) {
        self.width = width;
    }

    /// What the user is called.
    pub fn me(&self) -> Option<&AccountName> {
        self.me.as_ref()
    }

    /// A message of the past, the oldest first: commands that name none may be about it.
    pub fn remember(&mut self, message: &MessageEvent) {
        self.latest.happened(message);
    }

    /// Somebody writes to the user, who is in no room: what is typed next is for them.
    pub fn written_to(&mut self, event: &Event) {
        if let Event::Message(message) = event
            && self.room.is_none()
            && message.room.as_person().is_some()
        {
            self.room = Some(message.room.clone());
        }
    }

    /// Goes to a room that is joined, if there is one, and says what to do.
    pub fn begin(&mut self, status: &Status, rooms: &[Room]) -> String {
        self.me = Some(status.name.clone());
        let joined = rooms.iter().find(|room| room.joined).map(|room| room.room.clone());
        self.room = self.room.take().or(joined);
        let domain = status.domain.as_ref().map(|domain| format!("@{domain}")).unwrap_or_default();
        let hint = match &self.room {
            Some(room) => format!("What you type is said in {room}. /help shows what else there is."),
            None => "You are in no room yet: /join lobby. /help shows what else there is.".to_string(),
        };
        if status.tracker.is_none() {
            let hint = match &self.room {
                Some(room) => format!("What you type is said to {room}."),
                None => "Who writes to you first is answered with what you type; /msg NAME TEXT writes first.".into(),
            };
            return format!("{} is here, without a tracker. {hint} /help shows what else there is.", status.name);
        }
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
        commands::typed(self, command)
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
                (self.room, self.left) = (Some(joined.room), None);
                Some(text)
            }
            Outcome::Left(room) => {
                let told = self.left.take().is_some_and(|left| left.fold() == room.fold());
                if self.is_in(&room) {
                    self.room = None;
                }
                (!told).then(|| format!("* you have left {room}"))
            }
            Outcome::Who(room, members) => Some(listing::who(&room, &members, self.width)),
            Outcome::Rooms(rooms) if rooms.is_empty() => Some("there is no room yet: /join lobby makes one".into()),
            Outcome::Rooms(rooms) => Some(listing::rooms(&rooms).shown(self.width)),
            Outcome::Told(said) => {
                self.room = Some(said.room.clone());
                self.done(Outcome::Said(said), now)
            }
            Outcome::Said(said) | Outcome::Done(said) => {
                let alone = said.delivered.is_empty() && said.pending.is_empty();
                let note = alone.then(|| format!("  (nobody else is in {})", said.room));
                self.watched = (!alone).then_some(Watched { said, since: now, told: false });
                note
            }
            Outcome::TakenBack(said, text) => {
                let told = format!("  you took back: {text}");
                Some(self.done(Outcome::Done(said), now).map_or(told.clone(), |note| told + "\n" + &note))
            }
            Outcome::Shared(lines) => {
                let is_new = |line: &&FileLine| self.once.is_new(&line.file.root, By::Answer, now);
                let told: Vec<String> = lines.iter().filter(is_new).map(shared).collect();
                (!told.is_empty()).then(|| told.join("\n"))
            }
            Outcome::Met(room, text) => {
                self.room = Some(room);
                Some(commands::in_chat(&text, &[]))
            }
            Outcome::Renamed(name, text) => {
                self.me = Some(name);
                Some(format!("* {text}"))
            }
            Outcome::Refused(refusal, words) => {
                Some(format!("! {}", text::block(&commands::in_chat(&refusal.message, &words), "  ")))
            }
            Outcome::Table(table) => Some(table.shown(self.width)),
            Outcome::Listening(text) => Some(text),
            Outcome::Shown(text) => {
                let text = commands::in_chat(&text, &[]);
                self.once.is_new(&text, By::Answer, now).then_some(text)
            }
            Outcome::Quoted(text) => Some(text),
            Outcome::Nothing => None,
        }
    }

    /// Something happened: what is shown of it.
    pub fn happened(&mut self, event: &Event, now: Instant) -> Option<String> {
        match event {
            Event::Message(message) => {
                self.latest.happened(message);
                self.typing.remove(&(message.room.clone(), message.from.clone()));
                let own_file = message.deed.file.as_ref().filter(|_| message.path == "self" && message.deed.says());
                if own_file.is_some_and(|file| !self.once.is_new(&file.root, By::Event, now)) {
                    return None;
                }
                let room = if self.is_in(&message.room) { String::new() } else { format!("({}) ", message.room) };
                let place = format!("[{}] {room}", time::clock(message.sent));
                let hint = files::hint(message, self.is_in(&message.room)).unwrap_or_default();
                Some(show::message(&place, message, "        ") + &hint)
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
            Event::Member(MemberEvent { change: MemberChange::Renamed, name, detail: Some(former), .. }) => {
                self.renamed(name, former)
            }
            // Who comes online does so in every room, and is told of once.
            Event::Member(MemberEvent { change: MemberChange::Online | MemberChange::Offline, room, .. })
                if !self.is_in(room) =>
            {
                None
            }
            // What one does oneself has its answer, unless it is done later.
            Event::Member(MemberEvent { change: MemberChange::Joined, name, detail: None, .. })
                if self.me.as_ref() == Some(name) =>
            {
                None
            }
            Event::Member(MemberEvent { change: MemberChange::Left, name, room, detail, .. })
                if self.me.as_ref() == Some(name) =>
            {
                self.has_left(room, detail.as_deref())
            }
            Event::Member(MemberEvent { by: Some(by), .. }) if self.me.as_ref() == Some(by) => None,
            Event::Member(member) => {
                let told = self.changed(member);
                let is_answered = matches!(member.change, MemberChange::Contact | MemberChange::Parted);
                (!is_answered || self.once.is_new(told.trim_start_matches("* "), By::Event, now)).then_some(told)
            }
            Event::Transfer(transfer) => files::happened(transfer),
            Event::Receipt(_) | Event::Read(_) => None,
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

    fn is_in(&self, room: &RoomName) -> bool {
        self.room.as_ref().is_some_and(|current| current.fold() == room.fold())
    }

    fn say(&self, text: String) -> Action {
        let said = self.say_as(&text, |_, text| Ok(text.into()));
        said.unwrap_or_else(|bad| Action::Show(format!("! {}", bad.why())))
    }

    /// What is said now in the room of the prompt.
    pub fn say_as(
        &self,
        rest: &str,
        content: impl FnOnce(&InRoom, &str) -> Result<Content, String>,
    ) -> Result<Action, Bad> {
        self.in_the_room(rest, content, Action::Say)
    }

    /// Takes a message back: the one that is named, or the last, whose text is told then.
    pub fn take_back(&self, rest: &str) -> Result<Action, Bad> {
        let text = self.latest.in_room(&self.room()?).own_text().filter(|_| rest.is_empty());
        self.in_the_room(
            rest,
            |latest, rest| latest.delete(rest),
            |room, content| match text {
                Some(text) => Action::TakeBack(room, content, text),
                None => Action::Do(room, content),
            },
        )
    }

    /// What is done there to an earlier message.
    pub fn do_as(
        &self,
        rest: &str,
        content: impl FnOnce(&InRoom, &str) -> Result<Content, String>,
    ) -> Result<Action, Bad> {
        self.in_the_room(rest, content, Action::Do)
    }

    /// The room of the prompt.
    pub fn room(&self) -> Result<RoomName, Bad> {
        let why = "you are in no room, so nobody would hear it; go to one: /join lobby";
        self.room.clone().ok_or_else(|| Bad::Why(why.into()))
    }

    /// The room that is named, or that of the prompt.
    pub fn or_room(&self, rest: &str) -> Result<RoomName, Bad> {
        if rest.is_empty() { self.room() } else { words::one(rest) }
    }

    fn in_the_room(
        &self,
        rest: &str,
        content: impl FnOnce(&InRoom, &str) -> Result<Content, String>,
        action: impl FnOnce(RoomName, Content) -> Action,
    ) -> Result<Action, Bad> {
        let room = self.room()?;
        let content = content(&self.latest.in_room(&room), rest.trim())?;
        Ok(action(room, content))
    }
}

#[path = "changes.rs"]
mod changes;

#[cfg(test)]
#[path = "talk_tests.rs"]
mod tests;
