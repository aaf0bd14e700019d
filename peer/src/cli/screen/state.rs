//! What the screen shows and what it does next, without a terminal: `(Input, now)` goes in, [`Output`]s come out, and
//! [`super::view`] draws what is held here.

use std::{
    collections::{BTreeMap, HashMap, hash_map},
    mem::{Discriminant, discriminant},
    time::{Duration, Instant},
};

use common::{
    AccountName, RoomName,
    wire::control::{Event, Member, Refusal, Room, Status, files::Transfer},
};
use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect, Size},
};

use super::{
    ask::{Answer, Ask},
    bindings::{Bindings, Does},
    complete::Completing,
    conversation::{Conversation, Missing},
    editor::Editor,
    entries::Entry,
    overlay::Overlay,
    pick::Aim,
    places::Places,
    unreached::Unreached,
    view::{self, Layout},
};
use crate::cli::{
    chat::{
        action::{Action, Outcome},
        talk::Talk,
    },
    text,
};

/// How long somebody is shown to be typing after it was heard.
pub(super) const TYPING: Duration = Duration::from_secs(5);
/// People shown to be typing, at the most.
pub(super) const TYPISTS: usize = 64;
/// Messages asked about at once, how far they have got.
const PROGRESS: usize = 32;
/// Ticks between two looks at how the session and its transfers are, and at the paths to members.
const SECOND: u64 = 5;
const MEMBERS: u64 = 5 * SECOND;

/// What comes in.
pub enum Input {
    /// A key was pressed.
    Key(KeyEvent),
    /// A text was pasted.
    Paste(String),
    /// The mouse was pressed there.
    Click(Position),
    /// Its wheel was turned, up or not.
    Wheel(bool),
    /// The terminal has another size.
    Resize(Size),
    /// Something happened.
    Event(Event),
    /// What was done is done.
    Outcome(Outcome),
    /// The session has answered.
    Answer(Ask, Result<Answer, Refusal>),
    /// There is something to tell.
    Notice(String),
    /// A fifth of a second has passed.
    Tick,
}

/// What is to be done.
#[derive(Debug)]
pub enum Output {
    /// What a line asks for.
    Act(Action),
    /// To ask the session.
    Ask(Ask),
    /// To let the others know that the user is typing.
    Typing(RoomName),
    /// To draw everything anew, on a terminal that is cleared.
    Redraw,
    /// To close the screen.
    Quit,
}

/// The state of a screen.
pub struct State {
    /// What typed lines mean, and in which room.
    pub talk: Talk,
    /// Of the terminal.
    pub size: Size,
    /// The conversations at the left.
    pub places: Places,
    /// The one in the middle.
    pub conversation: Conversation,
    /// What it is about.
    pub topic: String,
    /// Who is in it.
    pub members: Vec<Member>,
    /// Whether they are shown, where the user has said so.
    pub show_members: Option<bool>,
    /// The line that is typed.
    pub editor: Editor,
    /// The message that it is done to, if it is not simply said.
    pub aim: Option<Aim>,
    /// Which key does what.
    pub bindings: Bindings,
    /// What is over it all.
    pub overlay: Overlay,
    /// How the session is.
    pub status: Option<Status>,
    /// The files under way.
    pub transfers: Vec<Transfer>,
    /// The rooms there are, as far as they were asked for.
    pub rooms: Vec<Room>,
    /// Whether closing the screen leaves the session logged in.
    pub attached: bool,
    pub(super) completing: Option<Completing>,
    /// What was typed in other rooms and not said.
    drafts: BTreeMap<RoomName, String>,
    pub(super) typing: BTreeMap<(RoomName, AccountName), Instant>,
    /// What is asked, and what of the same kind is to be asked then.
    pub(super) under_way: HashMap<Discriminant<Ask>, (Ask, Option<Ask>)>,
    pub(super) stale: Stale,
    unreached: Unreached,
    ticks: u64,
    changed: bool,
}

/// What is to be asked again.
#[derive(Default)]
pub(super) struct Stale {
    /// The conversations.
    pub chats: bool,
    /// Who is in the one in the middle.
    pub members: bool,
    /// What it is about.
    pub topic: bool,
    /// What is being asked of how far messages have got: somebody has more of them by now.
    pub progress: bool,
}

impl State {
    /// A screen of this size that begins in a room, if not in the first.
    pub fn new(size: Size, room: Option<RoomName>, attached: bool, bindings: Bindings) -> State {
        State {
            talk: Talk::in_room(room),
            size,
            places: Places::default(),
            conversation: Conversation::new(None),
            topic: String::new(),
            members: Vec::new(),
            show_members: None,
            editor: Editor::default(),
            aim: None,
            bindings,
            overlay: Overlay::None,
            status: None,
            transfers: Vec::new(),
            rooms: Vec::new(),
            attached,
            completing: None,
            drafts: BTreeMap::new(),
            typing: BTreeMap::new(),
            under_way: HashMap::new(),
            stale: Stale { chats: true, members: true, topic: true, progress: false },
            unreached: Unreached::default(),
            ticks: 0,
            changed: true,
        }
    }

    /// How the session is at the beginning.
    pub fn begin(&mut self, status: Status, rooms: Vec<Room>) -> Vec<Output> {
        let told = self.talk.begin(&status, &rooms);
        (self.status, self.rooms) = (Some(status), rooms);
        let mut out = Vec::new();
        self.settle(&mut out);
        let what = if self.attached { "closes the screen, and the session goes on" } else { "logs out" };
        let (keys, close) = (self.bindings.shown(Does::Keys), self.bindings.shown(Does::Close));
        self.notice(format!("{told} {keys} shows the keys. {close} {what}."));
        self.ask(Ask::Transfers, &mut out);
        out
    }

    /// Something comes in.
    pub fn handle(&mut self, input: Input, now: Instant) -> Vec<Output> {
        let mut out = Vec::new();
        if !matches!(input, Input::Tick) {
            self.changed = true;
        }
        match input {
            Input::Key(key) => self.key(key, now, &mut out),
            Input::Paste(text) => {
                self.overlay.editor().unwrap_or(&mut self.editor).insert(&text);
                self.tell_typing(now, &mut out);
            }
            Input::Click(place) => self.click(place, &mut out),
            Input::Wheel(up) => self.scroll(if up { 3 } else { -3 }, &mut out),
            Input::Resize(size) => self.size = size,
            Input::Event(event) => self.happened(event, now, &mut out),
            Input::Outcome(outcome) => self.done(outcome, now),
            Input::Answer(ask, answer) => self.answered(ask, answer, &mut out),
            Input::Notice(notice) => self.notice(format!("! {}", text::block(&notice, "  "))),
            Input::Tick => self.tick(now, &mut out),
        }
        self.settle(&mut out);
        out
    }

    /// Whether something has changed since this was asked last.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Who is typing in the room in the middle.
    pub fn typists(&self) -> Vec<&AccountName> {
        self.typing.keys().filter(|(room, _)| self.conversation.is_of(room)).map(|(_, name)| name).collect()
    }

    /// The room in the middle.
    pub fn room(&self) -> Option<&RoomName> {
        self.conversation.room.as_ref()
    }

    /// Goes to a room that is joined.
    pub fn go(&mut self, room: RoomName) {
        self.talk.go(room);
        self.overlay = Overlay::None;
    }

    /// Shows something in the conversation.
    pub fn notice(&mut self, text: String) {
        let lines = lines_in(self.pane());
        self.conversation.notice(text, &lines);
    }

    /// Where the conversation is.
    pub fn pane(&self) -> Rect {
        Layout::of(self).conversation
    }

    /// Moves the view up by so many lines, or down.
    pub fn scroll(&mut self, up: isize, out: &mut Vec<Output>) {
        let pane = self.pane();
        let missing = self.conversation.scroll(up, pane.height.into(), &lines_in(pane));
        self.read();
        let Some(room) = self.room().cloned() else { return };
        match missing {
            Some(Missing::Before(cursor)) => self.ask(Ask::Page(room, Some(cursor)), out),
            Some(Missing::After(cursor)) => self.ask(Ask::After(room, cursor), out),
            None => {}
        }
    }

    /// Goes to the newest.
    pub fn go_to_end(&mut self) {
        let conversation = &mut self.conversation;
        (conversation.offset, conversation.marked) = (0, None);
        if conversation.more_after {
            // The newest page takes the place of what is held.
            *conversation = Conversation::new(conversation.room.take());
        }
        self.read();
    }

    /// What is in view is not unread any more.
    pub(super) fn read(&mut self) {
        if let Some(room) = self.conversation.room.as_ref().filter(|_| self.conversation.is_at_end()) {
            self.places.read(room);
        }
    }

    /// Lets the session know what was in view, if that is news.
    fn mark_read(&mut self, out: &mut Vec<Output>) {
        let is_seen = self.conversation.is_open && self.conversation.is_at_end();
        let (Some(room), Some(last)) = (self.room(), self.conversation.last()) else { return };
        if is_seen && self.places.is_news(room, last) {
            self.ask(Ask::MarkRead(room.clone(), last), out);
        }
    }

    /// Asks the session, unless the same is asked already. Of one kind there is one question at a time: another one waits
    /// for its answer, and takes the place of one that waits.
    pub fn ask(&mut self, ask: Ask, out: &mut Vec<Output>) {
        match self.under_way.entry(discriminant(&ask)) {
            hash_map::Entry::Vacant(entry) => {
                entry.insert((ask.clone(), None));
                out.push(Output::Ask(ask));
            }
            hash_map::Entry::Occupied(mut entry) => {
                let (asked, next) = entry.get_mut();
                *next = (*asked != ask).then_some(ask);
            }
        }
    }

    /// The answer has come: what waited for it is asked.
    pub(super) fn asked(&mut self, ask: &Ask, out: &mut Vec<Output>) {
        if let Some((_, Some(next))) = self.under_way.remove(&discriminant(ask)) {
            self.ask(next, out);
        }
    }

    /// Whether something of the kind is asked.
    pub(super) fn is_asking(&self, ask: &Ask) -> bool {
        self.under_way.contains_key(&discriminant(ask))
    }

    /// Does what a typed line asks for.
    pub fn act(&mut self, action: Action, out: &mut Vec<Output>) {
        match action {
            Action::Quit => out.push(Output::Quit),
            Action::Nothing => {}
            Action::Show(text) => self.notice(text),
            Action::Search(room, words) => self.search(room, words, out),
            action => out.push(Output::Act(action)),
        }
    }

    /// The others are told that something is being typed to be said.
    pub fn tell_typing(&mut self, now: Instant, out: &mut Vec<Output>) {
        let text = self.editor.text().trim();
        let is_said = !text.is_empty() && (!text.starts_with('/') || text.starts_with("//"));
        if is_said && matches!(self.overlay, Overlay::None) {
            out.extend(self.talk.types(now).map(Output::Typing));
        }
    }

    fn done(&mut self, outcome: Outcome, now: Instant) {
        let said = matches!(outcome, Outcome::Said(_) | Outcome::Told(_) | Outcome::Done(_));
        self.stale.chats |= matches!(
            outcome,
            Outcome::Joined(_) | Outcome::Left(_) | Outcome::Told(_) | Outcome::Met(..) | Outcome::Renamed(..)
        );
        self.talk.shown_in(Some(self.pane().width.into()));
        let told = self.talk.done(outcome, now);
        self.follow_talk();
        // How far a message has got stands beside it.
        if let Some(told) = told.filter(|_| !said) {
            self.notice(told);
        }
    }

    fn tick(&mut self, now: Instant, out: &mut Vec<Output>) {
        self.ticks += 1;
        let before = self.typing.len();
        self.typing.retain(|_, until| *until > now);
        self.changed |= before != self.typing.len();
        if self.ticks.is_multiple_of(SECOND) {
            self.ask(Ask::Status, out);
            if !self.transfers.is_empty() {
                self.ask(Ask::Transfers, out);
            }
        }
        if self.ticks.is_multiple_of(MEMBERS) {
            self.stale.members = true;
            let told = self.unreached.look(&self.members, self.talk.me());
            self.changed |= told.is_some();
            told.into_iter().for_each(|told| self.notice(told));
        }
        self.refresh(out);
    }

    /// Asks again for what has changed: with each tick, however much happens.
    fn refresh(&mut self, out: &mut Vec<Output>) {
        // An answer to what is being asked may be of before.
        if self.stale.chats && !self.is_asking(&Ask::Chats) {
            self.stale.chats = false;
            self.ask(Ask::Chats, out);
        }
        let pane = self.pane();
        let Some(room) = self.room().cloned() else { return };
        let visible = self.conversation.visible(pane.height.into(), &lines_in(pane));
        let unknown: Vec<String> = self.conversation.unknown(visible).into_iter().rev().take(PROGRESS).collect();
        if !unknown.is_empty() && !self.is_asking(&Ask::Progress(Vec::new())) {
            self.stale.progress = false;
            self.ask(Ask::Progress(unknown), out);
        }
        let members = Ask::Members(room.clone());
        if self.stale.members
            && !self.under_way.get(&discriminant(&members)).is_some_and(|(asked, _)| *asked == members)
        {
            self.stale.members = false;
            self.ask(members, out);
        }
        if self.stale.topic && room.is_plain() {
            self.stale.topic = false;
            self.ask(Ask::Topic(room), out);
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
        (self.stale.members, self.stale.topic) = (true, true);
        room.iter().for_each(|room| self.places.read(room));
        let draft = room.as_ref().and_then(|room| self.drafts.remove(room)).unwrap_or_default();
        let before = std::mem::replace(&mut self.conversation, Conversation::new(room));
        match before.room {
            // What is typed in a room is for that room, and waits there.
            Some(left) => {
                let typed = self.editor.text().to_string();
                if !typed.is_empty() {
                    self.drafts.insert(left, typed);
                }
                self.editor.set(draft);
            }
            // What was told where there was no room goes along.
            None => self.conversation.entries = before.entries,
        }
    }

    fn settle(&mut self, out: &mut Vec<Output>) {
        // Before another room is gone to, so that what was in view here is read.
        self.mark_read(out);
        self.follow_talk();
        if let Some(room) = self.room().filter(|_| !self.conversation.is_open).cloned() {
            self.ask(Ask::Page(room, None), out);
            self.refresh(out);
        }
    }
}

/// How many lines an entry takes there.
pub fn lines_in(pane: Rect) -> impl Fn(&Entry) -> usize {
    move |entry| view::height(entry, pane.width.into())
}
