//! Draws the state of the screen. What others wrote goes through [`crate::cli::text`] before it is drawn.

mod entry;
mod layout;
mod look;
mod over;
mod sides;
mod wrap;

use ratatui::{
    Frame,
    layout::{Position, Rect},
    style::Modifier,
    text::{Line, Span},
    widgets::Paragraph,
};
use unicode_width::UnicodeWidthStr;

pub use entry::{height, is_long, is_receipt};
pub use layout::Layout;
pub use look::Look;
pub use over::keys_beyond;

use super::{bindings::Does, overlay::Overlay, state::State};
use crate::cli::{text, transfers};
use layout::{TYPED, prompt, prompt_width};
use peer::size::Size;

/// Columns of the bar of a transfer.
const BAR: u64 = 20;

/// Draws it.
pub fn draw(state: &State, look: Look, frame: &mut Frame<'_>) {
    let layout = Layout::of(state);
    head(state, look, layout.head, frame);
    sides::places(state, look, &layout, frame);
    sides::own(state, look, layout.own, frame);
    conversation(state, look, layout.conversation, frame);
    if let Some(area) = layout.members {
        sides::members(state, look, area, frame);
    }
    let moving = state.transfers.iter().take(layout.transfers.height.into());
    let line = |transfer| Line::styled(cut(&bar(transfer), layout.transfers.width.into()), look.notice());
    let lines: Vec<Line<'_>> = moving.map(line).collect();
    frame.render_widget(Paragraph::new(lines), layout.transfers);
    input(state, look, &layout, frame);
    status(state, look, layout.status, frame);
    over::draw(state, look, layout.middle, frame);
}

fn head(state: &State, look: Look, area: Rect, frame: &mut Frame<'_>) {
    let title = match state.room() {
        Some(room) => {
            let members = state.places.get(room).map_or(0, |place| place.members);
            let count = match members {
                _ if !room.is_plain() => String::new(),
                0 => String::new(),
                1 => ", you alone".into(),
                members => format!(", {members} members"),
            };
            let topic =
                if state.topic.is_empty() { String::new() } else { format!(" — {}", text::inline(&state.topic)) };
            format!(" {room}{count}{topic}")
        }
        None => " *rollcall: what the program says of itself, and not of a conversation".into(),
    };
    let title = cut(&title, area.width.into());
    frame.render_widget(Paragraph::new(title).style(look.bar()), area);
}

fn conversation(state: &State, look: Look, area: Rect, frame: &mut Frame<'_>) {
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let conversation = &state.conversation;
    let marked = state.picked().map(|(picked, _)| picked.cursor).or(conversation.marked);
    let mut shown: Vec<Line<'static>> = Vec::new();
    for (at, rows) in conversation.in_view(height, &state.lines()) {
        let lines = entry::lines(&conversation.entries[at], width, look, marked);
        shown.extend(lines.into_iter().skip(rows.start).take(rows.len()));
    }
    let empty = height.saturating_sub(shown.len());
    let below = Rect { y: area.y + empty as u16, height: shown.len() as u16, ..area };
    frame.render_widget(Paragraph::new(shown), below);
    if !conversation.is_open {
        frame.render_widget(Line::styled("…", look.dim()), area);
    }
}

/// `cat.jpg [=====>    ] 29 MiB/57 MiB, 8.2 MiB/s, 4 s left, from bob`.
fn bar(transfer: &common::wire::control::files::Transfer) -> String {
    let done = (BAR * transfer.done).checked_div(transfer.total).unwrap_or(BAR).min(BAR) as usize;
    let tip = if done < BAR as usize { ">" } else { "" };
    let rest = BAR as usize - done - tip.len();
    let filled = format!("{}{tip}{}", "=".repeat(done), " ".repeat(rest));
    let name = cut(&text::inline(&transfer.file.name), 24);
    let [_, _, _, state, _, _, rate, left, from] = transfers::line(transfer);
    let told = if rate == "-" { state } else { format!("{rate}, {left} left, from {from}") };
    format!("{} {name} [{filled}] {}/{}, {told}", transfer.id, Size(transfer.done), Size(transfer.total))
}

fn input(state: &State, look: Look, layout: &Layout, frame: &mut Frame<'_>) {
    let area = layout.input;
    let below = hint(state, layout.places.width > 0);
    let line = format!("──{below}{}", "─".repeat(usize::from(area.width).saturating_sub(below.width() + 2)));
    let style = if state.picked().is_some() { look.notice() } else { look.dim() };
    frame.render_widget(Line::styled(line, style), layout.rule);
    let prompt_width = prompt_width(state).min(area.width);
    let (editor, told) = match &state.overlay {
        Overlay::Search(editor, found) => (editor, over::found(editor.text(), found)),
        _ => (&state.editor, String::new()),
    };
    let prompt_style = look.notice().add_modifier(Modifier::BOLD);
    frame.render_widget(Line::styled(prompt(state), prompt_style), Rect { height: 1.min(area.height), ..area });
    let typed = Rect { x: area.x + prompt_width, width: area.width - prompt_width, ..area };
    let (rows, (row, column)) = editor.rows(typed.width.into());
    let first = (row + 1).saturating_sub(typed.height.into());
    let mut lines: Vec<Line<'_>> = rows.into_iter().skip(first).map(Line::from).collect();
    if let Some(line) = lines.first_mut().filter(|_| !told.is_empty()) {
        line.push_span(Span::styled(format!("   {told}"), look.dim()));
    }
    frame.render_widget(Paragraph::new(lines), typed);
    if typed.height > 0 && matches!(state.overlay, Overlay::None | Overlay::Search(..)) {
        frame.set_cursor_position(Position::new(typed.x + column as u16, typed.y + (row - first) as u16));
    }
}

/// What stands on the line above what is typed: what can be done, or where one is.
fn hint(state: &State, shows_places: bool) -> String {
    if let Some((picked, message)) = state.picked() {
        return format!(" {} ", picked.hints(message, state.picked_is_folded()));
    }
    if let Some(aim) = &state.aim {
        return format!(" {} — Esc: back ", cut(&aim.about, 50));
    }
    if state.conversation.is_at_end() {
        // Not all of them are in view.
        let lines = state.editor.text().split('\n').count();
        return match state.calls() {
            _ if lines > TYPED => format!(" {lines} lines "),
            // It stands beside the conversations where there is room for them.
            1.. if !shows_places => format!(" @{}: {} ", state.calls(), state.bindings.shown(Does::Jump)),
            _ => String::new(),
        };
    }
    let unread = state.room().and_then(|room| state.places.get(room)).map_or(0, |place| place.unread);
    let unread = if unread > 0 { format!(", {unread} new") } else { String::new() };
    format!(" further back in the history{unread}; {}: to the newest ", state.bindings.shown(Does::Newest))
}

fn status(state: &State, look: Look, area: Rect, frame: &mut Frame<'_>) {
    let Some(status) = &state.status else { return };
    let domain = status.domain.as_ref().map(|domain| format!("@{domain}")).unwrap_or_default();
    let address = status.seen.unwrap_or(status.address);
    let mut spans = vec![Span::raw(format!(" {}{domain}  {address}  ", status.name))];
    spans.push(match (status.tracker, status.tracker_state.as_str()) {
        (None, _) => Span::raw("without a tracker"),
        (Some(_), "up") => Span::raw("tracker up"),
        (Some(tracker), state) => {
            let why = status.trouble.as_ref().map(|why| format!(": {}", text::inline(why))).unwrap_or_default();
            Span::raw(format!("tracker {tracker} {state}{why}"))
        }
    });
    let typists = state.typists();
    if !typists.is_empty() {
        let names: Vec<_> = typists.into_iter().cloned().collect();
        let verb = if names.len() == 1 { "is" } else { "are" };
        let told = format!("  {} {verb} typing…", crate::cli::output::few(&names));
        spans.push(Span::styled(told, Modifier::ITALIC));
    }
    spans.extend(under_way(state.waiting).map(Span::raw));
    let line = cut(&Line::from(spans).to_string(), area.width.into());
    let style = if status.tracker.is_some() && status.tracker_state != "up" { look.trouble() } else { look.dim() };
    frame.render_widget(Paragraph::new(line).style(style), area);
}

/// `  2 on the way, 1 for who is offline`.
fn under_way((moving, waiting): (u64, u64)) -> Option<String> {
    match (moving, waiting) {
        (0, 0) => None,
        (moving, 0) => Some(format!("  {moving} on the way")),
        (0, waiting) => Some(format!("  {waiting} waiting for who is offline")),
        (moving, waiting) => Some(format!("  {moving} on the way, {waiting} for who is offline")),
    }
}

/// At most so many columns of a text, with a mark where something is missing.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_string();
    }
    let mut used = 0;
    let kept = text.chars().take_while(|c| {
        used += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(0);
        used < width
    });
    kept.collect::<String>() + "…"
}
