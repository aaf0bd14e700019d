//! Where what is.

use ratatui::layout::{Constraint, Layout as Split, Rect};

use super::super::{overlay::Overlay, state::State};

/// Columns of the conversations at the left, and of the members at the right.
const PLACES: u16 = 18;
const MEMBERS: u16 = 24;
/// Columns of the terminal from which the members are shown.
const WIDE: u16 = 100;
/// Lines of the terminal below which there is no room for more than what is said and typed.
const LOW: u16 = 8;
/// Lines of what is typed, and of transfers, at the most.
pub const TYPED: usize = 6;
const TRANSFERS: usize = 3;

/// Where what is.
pub struct Layout {
    /// What the conversation is called, and is about.
    pub head: Rect,
    /// All between what is above and below: the conversations, the messages and the members.
    pub middle: Rect,
    /// The conversations.
    pub places: Rect,
    /// The first of them that is in view.
    pub first_place: usize,
    /// The place of what is about none of them, if it is shown.
    pub own: Rect,
    /// The messages.
    pub conversation: Rect,
    /// The members, if they are shown.
    pub members: Option<Rect>,
    /// The files under way.
    pub transfers: Rect,
    /// The line above what is typed, which tells where one is.
    pub rule: Rect,
    /// The line that is typed.
    pub input: Rect,
    /// How it all is.
    pub status: Rect,
}

impl Layout {
    /// That of a state.
    pub fn of(state: &State) -> Layout {
        let all = Rect::new(0, 0, state.size.width, state.size.height);
        let shows_members = state.show_members.unwrap_or(all.width >= WIDE) && state.room().is_some();
        let places = if all.width >= 60 { PLACES } else { 0 };
        let prompt = prompt_width(state);
        let typed = match &state.overlay {
            Overlay::Search(..) => 1,
            _ => state.editor.rows(usize::from(all.width.saturating_sub(prompt))).0.len().min(TYPED),
        };
        // On a very low terminal the line that is typed goes before all but what is said.
        let is_low = all.height < LOW;
        let transfers = if is_low { 0 } else { state.transfers.len().min(TRANSFERS) };
        let typed = if is_low { 1 } else { typed };
        let frame = u16::from(!is_low);
        let rule = u16::from(all.height > 2);
        let rows = [
            Constraint::Length(frame),
            Constraint::Min(u16::from(all.height > 1)),
            Constraint::Length(transfers as u16),
            Constraint::Length(typed as u16 + rule),
            Constraint::Length(frame),
        ];
        let [head, middle, transfers, input, status] = Split::vertical(rows).areas(all);
        let members = if shows_members { MEMBERS.min(all.width / 2) } else { 0 };
        let columns = [Constraint::Length(places), Constraint::Min(20), Constraint::Length(members)];
        let [places, conversation, members] = Split::horizontal(columns).areas(middle);
        let (places, own) = match places.height {
            2.. if state.shows_own() && places.width > 0 => {
                let [places, own] = Split::vertical([Constraint::Min(1), Constraint::Length(1)]).areas(places);
                (places, own)
            }
            _ => (places, Rect::default()),
        };
        // The one that is in the middle is in view.
        let list = state.places.all();
        let current = list.iter().position(|place| state.room() == Some(&place.room)).unwrap_or(0);
        let first_place = (current + 1).saturating_sub(places.height.into());
        let conversation = Rect { width: conversation.width.saturating_sub(1), ..conversation };
        let [rule, input] = Split::vertical([Constraint::Length(rule), Constraint::Min(0)]).areas(input);
        Layout {
            head,
            middle,
            places,
            first_place,
            own,
            conversation,
            members: (members.width > 0).then_some(members),
            transfers,
            rule,
            input,
            status,
        }
    }
}

/// What stands before the line that is typed.
pub fn prompt(state: &State) -> String {
    match (&state.overlay, state.room()) {
        (Overlay::Search(..), _) => "search: ".into(),
        _ if state.aim.is_some() => state.aim.as_ref().map_or("", |aim| aim.does.prompt()).into(),
        (_, Some(room)) => format!("{}> ", super::cut(room.as_str(), 20)),
        (_, None) => "> ".into(),
    }
}

/// Its columns.
pub fn prompt_width(state: &State) -> u16 {
    unicode_width::UnicodeWidthStr::width(prompt(state).as_str()) as u16
}
