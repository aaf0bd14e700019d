//! What the keys and the mouse do.

use std::time::Instant;

use common::content::{BadContent, Content};
use ratatui::{
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    layout::Position,
};

use super::{
    ask::Ask,
    bindings::{Bindings, Does},
    editor::Editor,
    jump::Jump,
    overlay::{Found, Overlay},
    state::{Output, State},
    view::{self, Layout},
};
use crate::cli::chat::action::Action;

/// The keys, as they are shown to who asks.
pub fn told(bindings: &Bindings) -> Vec<(String, &'static str)> {
    let all = |does| bindings.all_shown(does);
    let two = |one, other| format!("{}, {}", bindings.shown(one), bindings.shown(other));
    vec![
        ("Enter".into(), "say it; /help shows the commands"),
        (bindings.shown(Does::NewLine), "another line"),
        (all(Does::Complete), "complete a name, a room, a command, a path"),
        ("Up, Down".into(), "what was typed before"),
        (two(Does::PageUp, Does::PageDown), "back and forth in the history"),
        (two(Does::Oldest, Does::Newest), "to the oldest, to the newest; Esc too"),
        (two(Does::NextRoom, Does::PreviousRoom), "the next room, the one before"),
        (all(Does::Jump), "go to a room by a part of its name, or join it"),
        (all(Does::Search), "search here; Enter: go on to the one before"),
        (all(Does::Pick), "pick a message: reply, react, edit, fetch, …"),
        (all(Does::Receipts), "who has my last message; Up: the one before"),
        (all(Does::Members), "show the members, or hide them"),
        ("ctrl-W, ctrl-U".into(), "delete a word, all before the cursor"),
        ("ctrl-C".into(), "delete the line"),
        (all(Does::Redraw), "draw everything anew"),
        ("mouse".into(), "click: a room, a message; 2nd click: its file"),
        (format!("{}, ?", all(Does::Keys)), "these keys; ? where nothing is typed"),
        (format!("{}, /quit", all(Does::Close)), "close"),
    ]
}

impl State {
    pub(super) fn key(&mut self, key: KeyEvent, now: Instant, out: &mut Vec<Output>) {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let does = self.bindings.of(&key);
        if does != Some(Does::Complete) && key.code != KeyCode::BackTab {
            self.completing = None;
        }
        let is_typing = matches!(self.overlay, Overlay::None);
        match (does, key.code) {
            (Some(Does::Close), _) => out.push(Output::Quit),
            (Some(Does::NextRoom), _) => self.step(1),
            (Some(Does::PreviousRoom), _) => self.step(-1),
            (Some(Does::Members), _) => self.toggle_members(),
            (Some(Does::Keys), _) => self.toggle(Overlay::Keys(0)),
            (Some(Does::Jump), _) => {
                self.ask(Ask::Rooms, out);
                self.toggle(Overlay::Jump(Jump::default()));
                self.list_jumps();
            }
            (Some(Does::Search), _) if matches!(self.overlay, Overlay::Search(..)) => self.search_on(out),
            (Some(Does::Search), _) => self.toggle(Overlay::Search(Editor::default(), Found::default())),
            (Some(Does::Receipts), _) if matches!(self.overlay, Overlay::Receipts { .. }) => {
                self.overlay = Overlay::None;
            }
            (Some(Does::Receipts), _) => self.who_has_it(true, out),
            (Some(Does::Pick), _) => self.pick(true, out),
            (Some(Does::PageUp), _) if matches!(self.overlay, Overlay::Keys(_)) => self.scroll_keys(-self.page()),
            (Some(Does::PageDown), _) if matches!(self.overlay, Overlay::Keys(_)) => self.scroll_keys(self.page()),
            (Some(Does::PageUp), _) => self.scroll(self.page(), out),
            (Some(Does::PageDown), _) => self.scroll(-self.page(), out),
            // The screen is cleared where it is held.
            (Some(Does::Redraw), _) => out.push(Output::Redraw),
            (Some(Does::Complete), _) if is_typing => self.complete(true, out),
            (Some(Does::NewLine), _) if is_typing => drop(self.editor.insert("\n")),
            (Some(Does::Newest), _) if is_typing && !self.conversation.is_at_end() => self.go_to_end(),
            (Some(Does::Oldest), _) if is_typing => self.go_to_start(out),
            (_, KeyCode::Esc) if !is_typing => self.overlay = Overlay::None,
            (_, KeyCode::Esc) if self.aim.is_some() => self.aim_no_more(),
            (_, KeyCode::Esc) => self.go_to_end(),
            (_, code) => match &self.overlay {
                Overlay::None => self.type_key(code, control, alt, now, out),
                Overlay::Keys(_) => match code {
                    KeyCode::Up => self.scroll_keys(-1),
                    KeyCode::Down => self.scroll_keys(1),
                    _ => self.overlay = Overlay::None,
                },
                Overlay::Receipts { .. } => match code {
                    KeyCode::Up => self.who_has_it(true, out),
                    KeyCode::Down => self.who_has_it(false, out),
                    _ => self.overlay = Overlay::None,
                },
                Overlay::Picked(_) => self.pick_key(code, out),
                Overlay::Jump(..) => self.jump_key(code, control, out),
                Overlay::Search(..) if code == KeyCode::Enter => self.search_on(out),
                Overlay::Search(..) => {
                    if let Some(editor) = self.overlay.editor() {
                        edit(editor, code, control, alt);
                    }
                }
            },
        }
    }

    pub(super) fn click(&mut self, place: Position, out: &mut Vec<Output>) {
        let layout = Layout::of(self);
        if matches!(self.overlay, Overlay::Keys(_) | Overlay::Receipts { .. } | Overlay::Jump(..)) {
            // What is under it is not what is meant.
            self.overlay = Overlay::None;
        } else if layout.places.contains(place) {
            let row = usize::from(place.y - layout.places.y) + layout.first_place;
            if let Some(room) = self.places.all().get(row).map(|place| place.room.clone()) {
                self.go(room);
            }
        } else if layout.own.contains(place) {
            self.go(None);
        } else if layout.conversation.contains(place) && !matches!(self.overlay, Overlay::Search(..)) {
            self.click_message(place, out);
        }
    }

    fn type_key(&mut self, code: KeyCode, control: bool, alt: bool, now: Instant, out: &mut Vec<Output>) {
        match code {
            KeyCode::Enter => {
                let typed = self.editor.take();
                let aim = self.aim.clone();
                let action = self.aimed(&typed);
                if let Some(why) = refused(&action) {
                    (self.aim, _) = (aim, self.editor.set(typed));
                    self.notice(format!("! {why}. It is in the line again"));
                    return;
                }
                let moves = matches!(action, Action::Search(..) | Action::Goto(..) | Action::Nothing);
                if !moves && !self.conversation.is_at_end() {
                    self.go_to_end();
                }
                self.act(action, out);
            }
            KeyCode::BackTab => self.complete(false, out),
            KeyCode::Up => self.editor.up(),
            KeyCode::Down => self.editor.down(),
            KeyCode::Char('c') if control && self.editor.is_empty() => {
                self.notice(format!("{} closes the screen", self.bindings.shown(Does::Close)));
            }
            KeyCode::Char('c') if control => drop(self.editor.take()),
            KeyCode::Char('?') if self.editor.is_empty() => self.overlay = Overlay::Keys(0),
            code => {
                edit(&mut self.editor, code, control, alt);
                if matches!(code, KeyCode::Char(_)) {
                    self.tell_typing(now, out);
                }
            }
        }
    }

    /// Moves the list of the keys by so many lines, down where that is more than none.
    pub(super) fn scroll_keys(&mut self, down: isize) {
        let last = view::keys_beyond(self);
        if let Overlay::Keys(first) = &mut self.overlay {
            *first = first.saturating_add_signed(down).min(last);
        }
    }

    fn toggle(&mut self, overlay: Overlay) {
        let is_open = std::mem::discriminant(&self.overlay) == std::mem::discriminant(&overlay);
        self.overlay = if is_open { Overlay::None } else { overlay };
    }

    fn toggle_members(&mut self) {
        self.show_members = Some(Layout::of(self).members.is_none());
    }

    /// Lines of a page: one of the last stays in view.
    fn page(&self) -> isize {
        isize::try_from(self.pane().height.saturating_sub(1).max(1)).unwrap_or(1)
    }
}

/// Why something cannot be said, as far as its text tells.
fn refused(action: &Action) -> Option<BadContent> {
    let check = match action {
        Action::Say(_, content) | Action::Do(_, content) => content.check(),
        Action::Tell(_, text) => Content::from(text.as_str()).check(),
        _ => Ok(()),
    };
    check.err().filter(|why| *why != BadContent::Empty)
}

/// What a key does to a line that is typed.
pub(super) fn edit(editor: &mut Editor, code: KeyCode, control: bool, alt: bool) {
    match code {
        KeyCode::Char('a') if control => editor.go_to_end(false),
        KeyCode::Char('e') if control => editor.go_to_end(true),
        KeyCode::Char('w') if control => editor.delete_word(),
        KeyCode::Char('u') if control => editor.delete_to_start(),
        KeyCode::Char('d') if control => editor.delete(),
        KeyCode::Char('h') if control => editor.backspace(),
        KeyCode::Char(c) if !control && !alt => drop(editor.insert(c.encode_utf8(&mut [0; 4]))),
        KeyCode::Backspace if alt => editor.delete_word(),
        KeyCode::Backspace => editor.backspace(),
        KeyCode::Delete => editor.delete(),
        KeyCode::Left => {
            if control || alt {
                editor.step_word(false)
            } else {
                editor.step(false)
            }
        }
        KeyCode::Right => {
            if control || alt {
                editor.step_word(true)
            } else {
                editor.step(true)
            }
        }
        KeyCode::Home => editor.go_to_end(false),
        KeyCode::End => editor.go_to_end(true),
        _ => {}
    }
}
