//! What stands over the conversation.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::{Block, Clear, Paragraph},
};

use super::{Layout, Look, cut};
use crate::cli::{
    screen::{
        jump::{OWN, Target},
        keys,
        overlay::{Found, Overlay},
        state::State,
    },
    text, time,
};

/// Draws what is over the conversation, if anything is.
pub fn draw(state: &State, look: Look, area: Rect, frame: &mut Frame<'_>) {
    match &state.overlay {
        Overlay::None | Overlay::Search(..) | Overlay::Picked(_) => {}
        Overlay::Keys(first) => {
            let line = |(key, what): (String, &'static str)| {
                Line::from(vec![Span::styled(format!("{key:17} "), look.notice()), Span::raw(what)])
            };
            let all: Vec<Line<'_>> = keys::told(&state.bindings).into_iter().map(line).collect();
            let (count, seen) = (all.len(), usize::from(area.height).saturating_sub(2));
            let title = match count > seen {
                true => format!("keys {} to {} of {count}, Up, Down", first + 1, (first + seen).min(count)),
                false => "keys".into(),
            };
            window(&title, all.into_iter().skip(*first).collect(), look, area, frame);
        }
        Overlay::Jump(jump) => {
            let mut lines = vec![Line::from(format!("> {}▏", text::inline(jump.editor.text())))];
            let height = usize::from(area.height).saturating_sub(4).max(1);
            let first = (jump.picked + 1).saturating_sub(height);
            for (at, target) in jump.found().enumerate().skip(first).take(height) {
                let style = if at == jump.picked { look.bar() } else { Style::new() };
                let (name, what) = match target {
                    Target::In(room) => (room.as_str(), ""),
                    Target::Other(room) => (room.as_str(), "  (join)"),
                    Target::Own => (OWN, "  (what the program says of itself)"),
                };
                let calls = match target {
                    Target::In(room) => state.calls_in(Some(room)),
                    Target::Other(_) => 0,
                    Target::Own => state.calls_in(None),
                };
                let calls = if calls > 0 { format!("  @{calls}") } else { String::new() };
                lines.push(Line::styled(format!("  {}{calls}{what}", text::inline(name)), style));
            }
            if jump.found().len() == 0 {
                lines.push(Line::styled("  no room is called so; /create makes one", look.dim()));
            }
            window("go to", lines, look, area, frame);
        }
        Overlay::Receipts { text, lines, .. } => {
            let mut shown = vec![Line::styled(cut(text, usize::from(area.width).saturating_sub(6)), look.dim())];
            match lines {
                None => shown.push(Line::from("…")),
                Some(lines) if lines.is_empty() => shown.push(Line::from("it was for nobody else")),
                Some(lines) => {
                    // Those who lack it are what is looked for.
                    let mut lines: Vec<_> = lines.iter().collect();
                    lines.sort_by_key(|line| (line.delivered, line.name.clone()));
                    shown.extend(lines.into_iter().map(|line| {
                        let (mark, style) = if line.delivered { ("✓", look.good()) } else { ("·", look.trouble()) };
                        let at = line.at.map(time::clock).unwrap_or_default();
                        let path = if line.path == "none" { "waited for".into() } else { text::inline(&line.path) };
                        let rest = format!(" {:16} {path} {at}", line.name);
                        Line::from(vec![Span::styled(mark, style), Span::raw(rest)])
                    }));
                }
            }
            window("who has it", shown, look, area, frame);
        }
    }
}

/// `2 of 17; Enter: the one before`.
pub fn found(typed: &str, found: &Found) -> String {
    // What was found with other words is not what is asked for.
    match (found.words.is_empty() || found.words != typed.trim(), found.cursors.len()) {
        (true, _) => "Enter: search; Esc: back".into(),
        (_, 0) => "nothing here has these words".into(),
        (_, count) => format!("{} of {count}; Enter: the one before; Esc: back", found.at + 1),
    }
}

/// How many lines of the keys are not shown with the first of them.
pub fn keys_beyond(state: &State) -> usize {
    let height = usize::from(Layout::of(state).middle.height).saturating_sub(2);
    keys::told(&state.bindings).len().saturating_sub(height)
}

fn window(title: &str, lines: Vec<Line<'_>>, look: Look, area: Rect, frame: &mut Frame<'_>) {
    let width = lines.iter().map(Line::width).max().unwrap_or(0).max(24) as u16 + 4;
    let (width, height) = (width.min(area.width), (lines.len() as u16 + 2).min(area.height));
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    frame.render_widget(Clear, place);
    let block = Block::bordered().title(format!(" {title} — Esc: back ")).border_style(look.dim());
    let inside = block.inner(place);
    frame.render_widget(block, place);
    frame.render_widget(
        Paragraph::new(lines),
        Rect { x: inside.x + 1, width: inside.width.saturating_sub(1), ..inside },
    );
}
