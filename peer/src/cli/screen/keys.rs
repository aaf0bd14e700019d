//! What the keys and the mouse do.

use std::time::Instant;

use ratatui::{
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    layout::Position,
};

use super::{
    ask::Ask,
    editor::Editor,
    overlay::{Found, Overlay},
    state::{Output, State},
    view::Layout,
};
use crate::cli::chat::action::Action;

/// The keys, as they are shown to who asks.
pub const KEYS: [(&str, &str); 17] = [
    ("Enter", "say it; /help shows the commands"),
    ("alt-Enter", "another line"),
    ("Tab", "complete a name, a room, a command, a path"),
    ("Up, Down", "what was typed before"),
    ("PageUp, PageDown", "back and forth in the history"),
    ("End, Esc", "to the newest"),
    ("ctrl-N, alt-Down", "the next room; alt-Up: the one before"),
    ("ctrl-K", "go to a room by a part of its name, or join it"),
    ("ctrl-F", "search here; Enter: go on to the one before"),
    ("ctrl-R", "who has my last message; Up: the one before"),
    ("ctrl-P, F2", "show the members, or hide them"),
    ("ctrl-W, ctrl-U", "delete a word, all before the cursor"),
    ("ctrl-C", "delete the line"),
    ("ctrl-L", "draw everything anew"),
    ("mouse", "a click goes to a room, the wheel scrolls"),
    ("F1, ?", "these keys; ? where nothing is typed"),
    ("ctrl-Q, /quit", "close"),
];

impl State {
    pub(super) fn key(&mut self, key: KeyEvent, now: Instant, out: &mut Vec<Output>) {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        if key.code != KeyCode::Tab && key.code != KeyCode::BackTab {
            self.completing = None;
        }
        match key.code {
            KeyCode::Char('q') if control => out.push(Output::Quit),
            KeyCode::Char('n') if control => self.step(1),
            KeyCode::Down if alt => self.step(1),
            KeyCode::Up if alt => self.step(-1),
            KeyCode::Char('p') if control => self.toggle_members(),
            KeyCode::F(2) => self.toggle_members(),
            KeyCode::F(1) => self.toggle(Overlay::Keys),
            KeyCode::Char('k') if control => {
                self.ask(Ask::Rooms, out);
                self.toggle(Overlay::Jump(Editor::default(), 0));
            }
            KeyCode::Char('f') if control => self.toggle(Overlay::Search(Editor::default(), Found::default())),
            KeyCode::Char('r') if control => {
                if matches!(self.overlay, Overlay::Receipts { .. }) {
                    self.overlay = Overlay::None;
                } else {
                    self.who_has_it(true, out);
                }
            }
            KeyCode::PageUp => self.scroll(self.page(), out),
            KeyCode::PageDown => self.scroll(-self.page(), out),
            KeyCode::Esc if matches!(self.overlay, Overlay::None) => self.go_to_end(),
            KeyCode::Esc => self.overlay = Overlay::None,
            code => match &self.overlay {
                Overlay::None => self.type_key(code, control, alt, now, out),
                Overlay::Keys => self.overlay = Overlay::None,
                Overlay::Receipts { .. } => match code {
                    KeyCode::Up => self.who_has_it(true, out),
                    KeyCode::Down => self.who_has_it(false, out),
                    _ => self.overlay = Overlay::None,
                },
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

    pub(super) fn click(&mut self, place: Position) {
        let layout = Layout::of(self);
        if layout.places.contains(place) {
            let row = usize::from(place.y - layout.places.y) + layout.first_place;
            if let Some(room) = self.places.all().get(row).map(|place| place.room.clone()) {
                self.go(room);
            }
        }
    }

    fn type_key(&mut self, code: KeyCode, control: bool, alt: bool, now: Instant, out: &mut Vec<Output>) {
        match code {
            KeyCode::Enter if alt => self.editor.insert("\n"),
            KeyCode::Char('j') if control => self.editor.insert("\n"),
            KeyCode::Enter => {
                let typed = self.editor.take();
                let action = self.talk.typed(&typed);
                if action != Action::Nothing && !self.conversation.is_at_end() && !matches!(action, Action::Search(..))
                {
                    self.go_to_end();
                }
                self.act(action, out);
            }
            KeyCode::Tab => self.complete(true, out),
            KeyCode::BackTab => self.complete(false, out),
            KeyCode::Up => self.editor.up(),
            KeyCode::Down => self.editor.down(),
            KeyCode::End if !self.conversation.is_at_end() => self.go_to_end(),
            KeyCode::Char('c') if control => drop(self.editor.take()),
            KeyCode::Char('?') if self.editor.is_empty() => self.overlay = Overlay::Keys,
            code => {
                edit(&mut self.editor, code, control, alt);
                if matches!(code, KeyCode::Char(_)) {
                    self.tell_typing(now, out);
                }
            }
        }
    }

    fn jump_key(&mut self, code: KeyCode, control: bool, out: &mut Vec<Output>) {
        let count = self.jumps().len();
        let Overlay::Jump(editor, picked) = &mut self.overlay else { return };
        match code {
            KeyCode::Enter => self.jump(out),
            KeyCode::Up => *picked = picked.saturating_sub(1),
            KeyCode::Down | KeyCode::Tab => *picked = (*picked + 1).min(count.saturating_sub(1)),
            code => {
                edit(editor, code, control, false);
                *picked = 0;
            }
        }
    }

    fn step(&mut self, steps: isize) {
        if let Some(room) = self.places.next(self.room(), steps) {
            self.go(room);
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

/// What a key does to a line that is typed.
fn edit(editor: &mut Editor, code: KeyCode, control: bool, alt: bool) {
    match code {
        KeyCode::Char('a') if control => editor.go_to_end(false),
        KeyCode::Char('e') if control => editor.go_to_end(true),
        KeyCode::Char('w') if control => editor.delete_word(),
        KeyCode::Char('u') if control => editor.delete_to_start(),
        KeyCode::Char('d') if control => editor.delete(),
        KeyCode::Char('h') if control => editor.backspace(),
        KeyCode::Char(c) if !control && !alt => editor.insert(c.encode_utf8(&mut [0; 4])),
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
