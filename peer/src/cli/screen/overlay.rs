//! What is over the conversation for a while: the keys, where to go, what was found, who has a message.

use common::{
    MessageId, RoomName,
    wire::control::{Event, Receipt},
};

use super::{
    ask::Ask,
    editor::Editor,
    jump::Jump,
    pick::Picked,
    state::{Output, State},
};
use crate::cli::text;

/// What is over it.
pub enum Overlay {
    /// Nothing.
    None,
    /// The keys, from so many lines on.
    Keys(usize),
    /// A list of rooms, picked by a part of the name.
    Jump(Jump),
    /// What was searched for, with the cursors of what was found, the newest first, and which of them is shown.
    Search(Editor, Found),
    /// A message is picked, for something to be done to it.
    Picked(Picked),
    /// Who has a message of one's own.
    Receipts {
        /// Its id.
        id: String,
        /// How it begins.
        text: String,
        /// Member by member; `None` while it is asked for.
        lines: Option<Vec<Receipt>>,
    },
}

/// What was found.
#[derive(Default)]
pub struct Found {
    /// With which words; empty while none were.
    pub words: String,
    /// Cursors, the newest first.
    pub cursors: Vec<u64>,
    /// Which is shown.
    pub at: usize,
}

impl Overlay {
    /// The line that is typed into it, if any.
    pub fn editor(&mut self) -> Option<&mut Editor> {
        match self {
            Overlay::Jump(jump) => Some(&mut jump.editor),
            Overlay::Search(editor, _) => Some(editor),
            Overlay::None | Overlay::Keys(_) | Overlay::Picked(_) | Overlay::Receipts { .. } => None,
        }
    }
}

impl State {
    /// Looks for words in a room.
    pub(super) fn search(&mut self, room: RoomName, words: String, out: &mut Vec<Output>) {
        let mut editor = Editor::default();
        editor.set(words.clone());
        self.overlay = Overlay::Search(editor, Found::default());
        self.ask(Ask::Search(room, words), out);
    }

    /// Searches for what is typed, or goes on to what was said before what is shown.
    pub(super) fn search_on(&mut self, out: &mut Vec<Output>) {
        let Some(room) = self.room().cloned() else { return };
        let Overlay::Search(editor, found) = &mut self.overlay else { return };
        let words = editor.text().trim().to_string();
        if words.is_empty() {
            return;
        }
        if found.words != words {
            self.ask(Ask::Search(room, words), out);
            return;
        }
        if !found.cursors.is_empty() {
            found.at = (found.at + 1) % found.cursors.len();
            let cursor = found.cursors[found.at];
            self.ask(Ask::Around(room, cursor), out);
        }
    }

    /// The search is over.
    pub(super) fn found(&mut self, room: &RoomName, words: &str, events: Vec<Event>, out: &mut Vec<Output>) {
        let Overlay::Search(_, found) = &mut self.overlay else { return };
        let cursors = events.iter().rev().filter_map(|event| match event {
            Event::Message(message) => Some(message.cursor),
            _ => None,
        });
        *found = Found { words: words.to_string(), cursors: cursors.collect(), at: 0 };
        if let Some(first) = found.cursors.first().copied() {
            self.ask(Ask::Around(room.clone(), first), out);
        }
    }

    /// Shows who has the newest own message in view, or, where that is shown, the one before or after it.
    pub(super) fn who_has_it(&mut self, older: bool, out: &mut Vec<Output>) {
        let own: Vec<(String, String)> =
            self.conversation.own().map(|message| (message.id.clone(), message.text.clone())).collect();
        let at = match &self.overlay {
            Overlay::Receipts { id, .. } => {
                let at = own.iter().position(|(own, _)| own == id).unwrap_or(0);
                if older { (at + 1).min(own.len().saturating_sub(1)) } else { at.saturating_sub(1) }
            }
            _ => 0,
        };
        let Some((id, text)) = own.into_iter().nth(at) else {
            self.notice("you have said nothing here yet of which to tell who has it".into());
            return;
        };
        self.show_receipts(id, &text, out);
    }

    /// Shows who has a message of one's own.
    pub(super) fn show_receipts(&mut self, id: String, text: &str, out: &mut Vec<Output>) {
        if let Ok(asked) = id.parse::<MessageId>() {
            self.ask(Ask::Receipts(asked), out);
        }
        let text = text::inline(text.lines().next().unwrap_or_default());
        self.overlay = Overlay::Receipts { id, text, lines: None };
    }

    /// It is known who has it.
    pub(super) fn receipted(&mut self, asked: &str, receipts: Vec<Receipt>) {
        if let Overlay::Receipts { id, lines, .. } = &mut self.overlay
            && id == asked
        {
            *lines = Some(receipts);
        }
    }
}
