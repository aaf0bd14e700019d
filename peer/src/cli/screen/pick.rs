//! Picking a message, by keyboard or by a click, and what is done to the one that is picked.

use common::wire::control::{MessageEvent, MessageKind};
use ratatui::{crossterm::event::KeyCode, layout::Position};

use super::{
    ask::Ask,
    conversation::Conversation,
    entries::{Held, Progress, cursor},
    overlay::Overlay,
    state::{Output, State},
    view,
};
use crate::cli::{chat::action::Action, file, text};

/// The message that is picked.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Picked {
    /// Its cursor.
    pub cursor: u64,
    /// Whether it is deleted when that is said once more.
    pub deletes: bool,
}

/// What the line that is typed is to do to a message.
#[derive(Clone)]
pub struct Aim {
    id: String,
    /// What.
    pub does: AimsTo,
    /// The message, in short, as it is shown meanwhile.
    pub about: String,
}

/// What a line can do to a message.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum AimsTo {
    /// Answer it.
    Reply,
    /// Be its text from now on.
    Edit,
    /// Be a reaction to it.
    React,
}

impl AimsTo {
    fn command(self) -> &'static str {
        match self {
            AimsTo::Reply => "reply",
            AimsTo::Edit => "edit",
            AimsTo::React => "react",
        }
    }

    /// What stands before the line.
    pub fn prompt(self) -> &'static str {
        match self {
            AimsTo::Reply => "reply> ",
            AimsTo::Edit => "edit> ",
            AimsTo::React => "react> ",
        }
    }
}

impl Picked {
    /// What can be done to it, and with which keys.
    /// Of one that is too long to be shown at once, it is `folded` or not.
    pub fn hints(&self, message: &MessageEvent, folded: Option<bool>) -> String {
        if self.deletes {
            return "d: delete it for everybody; Esc: keep it".into();
        }
        let (is_own, is_file) = (message.path == "self", shares(message));
        let can = [
            (folded == Some(true), "Enter show all"),
            (folded == Some(false), "Enter fold"),
            (!message.deed.deleted, "r reply"),
            (!message.deed.deleted, "a react"),
            (is_file && !is_own, "f fetch"),
            (!message.text.is_empty() && !is_file, "c copy"),
            (is_own && !is_file && !message.deed.deleted, "e edit"),
            (is_own && !message.deed.deleted, "d delete"),
            (is_own, "w who has it"),
            (true, "Up, Down"),
            (true, "Esc back"),
        ];
        can.iter().filter(|(can, _)| *can).map(|(_, hint)| *hint).collect::<Vec<_>>().join("  ")
    }
}

/// Whether it shares a file, and still does.
fn shares(message: &MessageEvent) -> bool {
    message.deed.kind == Some(MessageKind::File) && message.deed.file.is_some() && !message.deed.deleted
}

impl State {
    /// The message that is picked.
    pub fn picked(&self) -> Option<(Picked, &MessageEvent)> {
        let Overlay::Picked(picked) = &self.overlay else { return None };
        Some((*picked, self.conversation.message(picked.cursor)?.0))
    }

    /// Whether it is folded, if it is so long that it can be.
    pub fn picked_is_folded(&self) -> Option<bool> {
        let held = self.picked().and_then(|(picked, _)| self.conversation.held(picked.cursor))?;
        view::is_long(held, self.pane().width.into()).then_some(!held.is_whole())
    }

    /// Picks the newest message in view, or, where one is picked, the one before or after it.
    pub(super) fn pick(&mut self, older: bool, out: &mut Vec<Output>) {
        let pane = self.pane();
        let Overlay::Picked(Picked { cursor: here, .. }) = self.overlay else {
            let visible = self.conversation.visible(pane.height.into(), &self.lines());
            match self.conversation.entries.range(visible).rev().find_map(cursor) {
                Some(cursor) => self.overlay = Overlay::Picked(Picked { cursor, deletes: false }),
                None => self.notice("nothing was said here yet that could be picked".into()),
            }
            return;
        };
        let Some(cursor) = self.conversation.beside(here, older) else {
            let Some(room) = self.room().cloned() else { return };
            if older && self.conversation.more_before {
                self.ask(Ask::Page(room, Some(here)), out);
            } else if !older && self.conversation.more_after {
                self.ask(Ask::After(room, here), out);
            }
            return;
        };
        self.overlay = Overlay::Picked(Picked { cursor, deletes: false });
        let lines = self.lines();
        self.conversation.bring_into_view(cursor, pane.height.into(), &lines);
    }

    /// A key while a message is picked.
    pub(super) fn pick_key(&mut self, code: KeyCode, out: &mut Vec<Output>) {
        let Some((picked, message)) = self.picked() else {
            // It is not held any more.
            self.overlay = Overlay::None;
            return;
        };
        let (is_own, is_file, is_gone) = (message.path == "self", shares(message), message.deed.deleted);
        let only_own = || "that can be done only to what you have said yourself".to_string();
        match code {
            KeyCode::Up | KeyCode::Char('k') => self.pick(true, out),
            KeyCode::Down | KeyCode::Char('j') => self.pick(false, out),
            KeyCode::Enter if self.picked_is_folded().is_some() => self.unfold(picked.cursor),
            KeyCode::Char('f') | KeyCode::Enter if is_file && !is_own => self.fetch(out),
            KeyCode::Char('r') | KeyCode::Enter if !is_gone => self.aim(AimsTo::Reply),
            KeyCode::Char('a' | '+') if !is_gone => self.aim(AimsTo::React),
            KeyCode::Char('e') if is_own && !is_file && !is_gone => self.aim(AimsTo::Edit),
            KeyCode::Char('d') if is_own && !is_gone && picked.deletes => {
                let action = self.talk.typed(&format!("/delete {}", message.id));
                self.overlay = Overlay::None;
                self.act(action, out);
            }
            KeyCode::Char('d') if is_own && !is_gone => {
                self.overlay = Overlay::Picked(Picked { deletes: true, ..picked });
            }
            KeyCode::Char('w') if is_own => {
                let (id, text) = (message.id.clone(), message.text.clone());
                self.show_receipts(id, &text, out);
            }
            KeyCode::Char('e' | 'd' | 'w') if !is_own => self.notice(only_own()),
            KeyCode::Char('c') if !message.text.is_empty() && !is_file => {
                let text = message.text.clone();
                self.overlay = Overlay::None;
                self.editor.insert(&text);
            }
            _ => self.overlay = Overlay::Picked(Picked { deletes: false, ..picked }),
        }
    }

    /// Shows all of a long message, or no more than its beginning.
    fn unfold(&mut self, at: u64) {
        let (height, lines) = (self.pane().height.into(), self.lines());
        let found = self.conversation.entries.iter().position(|held| cursor(held) == Some(at));
        if let Some(entry) = found {
            self.conversation.entries[entry].unfold();
            self.conversation.begin_with(entry, height, &lines);
        }
    }

    /// Fetches the file that the picked message shares.
    fn fetch(&mut self, out: &mut Vec<Output>) {
        let Some(shared) = self.picked().and_then(|(_, message)| message.deed.file.as_ref()) else { return };
        let action = self.talk.typed(&format!("/get {}", file::named(shared)));
        self.overlay = Overlay::None;
        self.act(action, out);
    }

    /// What is typed next is done to the picked message.
    fn aim(&mut self, does: AimsTo) {
        let Some((_, message)) = self.picked() else { return };
        let begins = text::inline(message.text.lines().next().unwrap_or_default());
        let (about, text) = (format!("{}: {begins}", message.from), message.text.clone());
        self.aim = Some(Aim { id: message.id.clone(), does, about });
        self.overlay = Overlay::None;
        if does == AimsTo::Edit {
            self.editor.set(text);
        }
    }

    /// What is typed next is said as ever.
    pub(super) fn aim_no_more(&mut self) {
        if self.aim.take().is_some_and(|aim| aim.does == AimsTo::Edit) {
            self.editor.set(String::new());
        }
    }

    /// What a line asks for that is typed now.
    pub(super) fn aimed(&mut self, typed: &str) -> Action {
        match self.aim.take() {
            None => self.talk.typed(typed),
            Some(_) if typed.trim().is_empty() => Action::Nothing,
            Some(Aim { id, does, .. }) => self.talk.typed(&format!("/{} {id} {typed}", does.command())),
        }
    }

    /// A click into the conversation picks what is there. One on how many have it shows who, and one on a file that is
    /// picked already fetches it.
    pub(super) fn click_message(&mut self, place: Position, out: &mut Vec<Output>) {
        let pane = self.pane();
        let from_end = usize::from(pane.bottom().saturating_sub(place.y + 1));
        let found = self.conversation.at_line(from_end, pane.height.into(), &self.lines());
        let Some((held, line, (message, _))) = found.and_then(|(held, line)| Some((held, line, held.message()?)))
        else {
            self.overlay = Overlay::None;
            return;
        };
        let column = usize::from(place.x.saturating_sub(pane.x));
        let picked = Overlay::Picked(Picked { cursor: message.cursor, deletes: false });
        if message.path == "self" && view::is_receipt(held, pane.width.into(), line, column) {
            let (id, text) = (message.id.clone(), message.text.clone());
            self.show_receipts(id, &text, out);
        } else if shares(message)
            && message.path != "self"
            && matches!(&self.overlay, Overlay::Picked(before) if before.cursor == message.cursor)
        {
            self.fetch(out);
        } else {
            self.overlay = picked;
        }
    }
}

impl Conversation {
    /// A message, and how far it has got.
    pub fn message(&self, at: u64) -> Option<(&MessageEvent, Progress)> {
        self.held(at).and_then(Held::message)
    }

    /// The same, with how it is shown.
    fn held(&self, at: u64) -> Option<&Held> {
        self.entries.iter().rev().find(|held| cursor(held) == Some(at))
    }

    /// The cursor of the message before or after one.
    fn beside(&self, at: u64, older: bool) -> Option<u64> {
        if older {
            self.entries.iter().rev().filter_map(cursor).find(|cursor| *cursor < at)
        } else {
            self.entries.iter().filter_map(cursor).find(|cursor| *cursor > at)
        }
    }
}
