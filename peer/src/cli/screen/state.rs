//! What the screen shows and what it does next, without a terminal: `(Input, now)` goes in, [`Output`]s come out, and
//! [`super::view`] draws what is held here.

use std::{
    collections::BTreeMap,
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
    asking::Asking,
    bindings::{Bindings, Does},
    complete::Completing,
    conversation::Conversation,
    editor::Editor,
    entries::Held,
    overlay::Overlay,
    pick::Aim,
    places::Places,
    told::Told,
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
    /// How many of one's own messages are on the way to somebody who is online, and how many wait for others.
    pub waiting: (u64, u64),
    /// The rooms there are, as far as they were asked for.
    pub rooms: Vec<Room>,
    /// Whether closing the screen leaves the session logged in.
    pub attached: bool,
    pub(super) completing: Option<Completing>,
    /// What the program says.
    pub told: Told,
    /// The cursor of the last event that is known.
    pub(super) latest: u64,
    /// What was typed in other rooms and not said.
    pub(super) drafts: BTreeMap<Option<RoomName>, String>,
    /// Whether the user is in no room because they want to, or left the one they were in.
    pub(super) stays_out: bool,
    pub(super) typing: BTreeMap<(RoomName, AccountName), Instant>,
    pub(super) asking: Asking,
    pub(super) unreached: Unreached,
    pub(super) changed: bool,
}

impl State {
    /// A screen of this size that begins in a room, if not in the first.
    pub fn new(size: Size, room: Option<RoomName>, attached: bool, bindings: Bindings) -> State {
        State {
            talk: Talk::in_room(room),
            size,
            places: Places::default(),
            conversation: Conversation::new(None, &[]),
            topic: String::new(),
            members: Vec::new(),
            show_members: None,
            editor: Editor::default(),
            aim: None,
            bindings,
            overlay: Overlay::None,
            status: None,
            transfers: Vec::new(),
            waiting: (0, 0),
            rooms: Vec::new(),
            attached,
            completing: None,
            told: Told::default(),
            latest: 0,
            drafts: BTreeMap::new(),
            stays_out: false,
            typing: BTreeMap::new(),
            asking: Asking::default(),
            unreached: Unreached::default(),
            changed: true,
        }
    }

    /// How the session is at the beginning, after the event with the cursor `latest`.
    pub fn begin(&mut self, status: Status, rooms: Vec<Room>, latest: u64) -> Vec<Output> {
        self.latest = latest;
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
                if !self.overlay.editor().unwrap_or(&mut self.editor).insert(&text) {
                    let (is, most) = (text.len(), super::editor::BYTES);
                    self.notice(format!(
                        "! what was pasted has {is} bytes, and a line {most} at the most; nothing of it is in the line"
                    ));
                }
                self.jump_pasted();
                self.tell_typing(now, &mut out);
            }
            Input::Click(place) => self.click(place, &mut out),
            Input::Wheel(up) if matches!(self.overlay, Overlay::Keys(_)) => self.scroll_keys(if up { -3 } else { 3 }),
            Input::Wheel(up) => self.scroll(if up { 3 } else { -3 }, &mut out),
            Input::Resize(size) => self.size = size,
            Input::Event(event) => self.happened(event, now, &mut out),
            Input::Outcome(outcome) => self.done(outcome, now),
            Input::Answer(ask, answer) => self.answered(ask, answer, &mut out),
            Input::Notice(notice) => self.tell(None, format!("! {}", text::block(&notice, "  ")), true),
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

    /// How much calls the user, here and elsewhere.
    pub fn calls(&self) -> usize {
        self.places.all().iter().map(|place| place.mentions).sum::<usize>() + self.told.all_unseen()
    }

    /// The same of one conversation, or of what is about none.
    pub fn calls_in(&self, room: Option<&RoomName>) -> usize {
        let mentions = room.and_then(|room| self.places.get(room)).map_or(0, |place| place.mentions);
        mentions + self.told.unseen(room)
    }

    /// What the window is called: only of letters and the like, whatever rooms are called.
    pub fn title(&self) -> String {
        let calls = self.calls();
        let calls = if calls > 0 { format!("({calls}) ") } else { String::new() };
        let room = self.room().map(|room| format!(": {room}")).unwrap_or_default();
        let is_plain = |c: &char| c.is_alphanumeric() || " ()@:-_.".contains(*c);
        format!("{calls}Rollcall{room}").chars().filter(is_plain).collect()
    }

    /// Where the conversation is.
    pub fn pane(&self) -> Rect {
        Layout::of(self).conversation
    }

    /// How many lines an entry takes there.
    pub fn lines(&self) -> impl Fn(&Held) -> usize + use<> {
        lines_in(self.pane())
    }

    /// Does what a typed line asks for.
    pub fn act(&mut self, action: Action, out: &mut Vec<Output>) {
        match action {
            Action::Quit => out.push(Output::Quit),
            Action::Nothing => {}
            Action::Show(text) => self.notice(text),
            Action::Search(room, words) => self.search(room, words, out),
            Action::Goto(room, at) => self.ask(Ask::Goto(room, at), out),
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
        self.asking.stale.chats |= matches!(
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

    fn settle(&mut self, out: &mut Vec<Output>) {
        let lines = self.lines();
        self.conversation.settle(self.pane().height.into(), &lines);
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
fn lines_in(pane: Rect) -> impl Fn(&Held) -> usize {
    let width = usize::from(pane.width);
    move |held| held.height(width, |held| view::height(held, width))
}
