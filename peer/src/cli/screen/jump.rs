//! Going to a conversation by a part of its name.

use common::RoomName;
use ratatui::crossterm::event::KeyCode;

use super::{
    editor::Editor,
    keys::edit,
    overlay::Overlay,
    state::{Output, State},
};
use crate::cli::chat::action::Action;

/// What the place of what is about no conversation is called. No room's name begins so.
pub const OWN: &str = "*rollcall";

/// What is typed of a name, and what has it.
#[derive(Default)]
pub struct Jump {
    /// What is typed.
    pub editor: Editor,
    /// Which of those found.
    pub picked: usize,
    /// All there are, in the order in which they are shown, each with its name folded: that is done once, not with each key.
    all: Vec<(String, Target)>,
    /// Which of them have what is typed in their names.
    found: Vec<usize>,
}

/// What can be gone to.
#[derive(Clone, PartialEq, Debug)]
pub enum Target {
    /// A conversation of the user's.
    In(RoomName),
    /// A room that can be joined.
    Other(RoomName),
    /// What is about none.
    Own,
}

impl Jump {
    /// What is found, in the order in which it is shown.
    pub fn found(&self) -> impl ExactSizeIterator<Item = &Target> {
        self.found.iter().map(|at| &self.all[*at].1)
    }

    fn find(&mut self) {
        let part = self.editor.text().trim().to_lowercase();
        let has_it = |(at, (folded, _)): (usize, &(String, Target))| folded.contains(&part).then_some(at);
        self.found = self.all.iter().enumerate().filter_map(has_it).collect();
        self.picked = self.picked.min(self.found.len().saturating_sub(1));
    }
}

impl State {
    /// The conversations, then other rooms, which can be joined: where there is a list of them, it is made anew.
    pub(super) fn list_jumps(&mut self) {
        let has_own = self.shows_own();
        let Overlay::Jump(jump) = &mut self.overlay else { return };
        let joined = self.places.all().iter().map(|place| (place.room.fold(), Target::In(place.room.clone())));
        jump.all = joined.collect();
        let known: std::collections::HashSet<String> = jump.all.iter().map(|(folded, _)| folded.clone()).collect();
        let others = self.rooms.iter().map(|room| (room.room.fold(), Target::Other(room.room.clone())));
        jump.all.extend(others.filter(|(folded, _)| !known.contains(folded)));
        jump.all.extend(has_own.then(|| (OWN.to_string(), Target::Own)));
        jump.find();
    }

    /// A key while one is looked for.
    pub(super) fn jump_key(&mut self, code: KeyCode, control: bool, out: &mut Vec<Output>) {
        let Overlay::Jump(jump) = &mut self.overlay else { return };
        match code {
            KeyCode::Enter => self.jump(out),
            KeyCode::Up => jump.picked = jump.picked.saturating_sub(1),
            KeyCode::Down | KeyCode::Tab => jump.picked = (jump.picked + 1).min(jump.found.len().saturating_sub(1)),
            code => {
                edit(&mut jump.editor, code, control, false);
                jump.picked = 0;
                jump.find();
            }
        }
    }

    /// Something was pasted while one is looked for.
    pub(super) fn jump_pasted(&mut self) {
        if let Overlay::Jump(jump) = &mut self.overlay {
            jump.find();
        }
    }

    /// Goes to what is picked, or joins it.
    fn jump(&mut self, out: &mut Vec<Output>) {
        let Overlay::Jump(jump) = &self.overlay else { return };
        let Some(target) = jump.found().nth(jump.picked).cloned() else { return };
        self.overlay = Overlay::None;
        match target {
            Target::In(room) => self.go(room),
            Target::Other(room) => self.act(Action::Join(room), out),
            Target::Own => self.go(None),
        }
    }
}
