//! The conversations at the left and the members at the right.

use ratatui::{
    Frame,
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::Paragraph,
};
use unicode_width::UnicodeWidthStr;

use super::{Layout, Look, cut, entry::key};
use crate::cli::{
    screen::{entries::Held, jump::OWN, places::Place, state::State},
    text,
};

/// The conversations, with what is unread in them.
pub fn places(state: &State, look: Look, layout: &Layout, frame: &mut Frame<'_>) {
    let area = layout.places;
    if area.width == 0 {
        return;
    }
    let shown = state.places.all().iter().skip(layout.first_place).take(area.height.into());
    let line = |place: &Place| {
        let mark = if place.room.is_plain() || place.online { ' ' } else { '○' };
        let told = state.told.unseen(Some(&place.room));
        let name = format!("{mark}{}", text::inline(place.room.as_str()));
        let is_here = state.room() == Some(&place.room);
        line(&name, (place.mentions + told, place.unread + told), is_here, Style::new(), look, area.width)
    };
    let lines: Vec<Line<'_>> = shown.map(line).collect();
    frame.render_widget(Paragraph::new(lines), area);
    rule(area.right() - 1, area, look, frame);
}

/// The place of what is about no conversation.
pub fn own(state: &State, look: Look, area: Rect, frame: &mut Frame<'_>) {
    if area.width == 0 {
        return;
    }
    let unseen = state.told.unseen(None);
    let line = line(OWN, (unseen, unseen), state.room().is_none(), look.notice(), look, area.width);
    frame.render_widget(line, area);
    rule(area.right() - 1, area, look, frame);
}

fn line(
    name: &str,
    (mentions, unread): (usize, usize),
    is_here: bool,
    plain: Style,
    look: Look,
    width: u16,
) -> Line<'static> {
    let count = match (mentions, unread) {
        (0, 0) => String::new(),
        (0, unread) => format!(" {}", many(unread)),
        (mentions, unread) if mentions == unread => format!(" @{}", many(mentions)),
        (mentions, unread) => format!(" @{}/{}", many(mentions), many(unread)),
    };
    let columns = usize::from(width).saturating_sub(count.width() + 2);
    let name = cut(name, columns);
    let space = " ".repeat(columns.saturating_sub(name.width()));
    let style = match (mentions, unread) {
        _ if is_here => look.bar(),
        (1.., _) => look.mention(),
        (_, 1..) => plain.add_modifier(Modifier::BOLD),
        _ => plain,
    };
    Line::styled(format!("{name}{space}{count} "), style)
}

/// The members, those online first.
pub fn members(state: &State, look: Look, area: Rect, frame: &mut Frame<'_>) {
    rule(area.x, area, look, frame);
    let inside = Rect { x: area.x + 2, width: area.width.saturating_sub(2), ..area };
    let mut members: Vec<_> = state.members.iter().collect();
    members.sort_by_key(|member| (!member.online, member.name.clone()));
    let height = usize::from(inside.height);
    let more = members.len().saturating_sub(height);
    let shown = if more > 0 { height.saturating_sub(1) } else { members.len() };
    let mut lines: Vec<Line<'_>> = Vec::new();
    for member in &members[..shown] {
        let mark = match (member.online, member.away) {
            (true, false) => Span::styled("● ", look.good()),
            (true, true) => Span::styled("◐ ", look.dim()),
            (false, _) => Span::styled("○ ", look.dim()),
        };
        let path = match member.path.as_str() {
            "self" => "you".into(),
            "none" if !member.online => String::new(),
            "none" => "no path".into(),
            path => text::inline(path),
        };
        let path = cut(&path, 12);
        let columns = usize::from(inside.width).saturating_sub(3 + path.width());
        let name = cut(&text::inline(member.name.as_str()), columns);
        let space = " ".repeat(columns.saturating_sub(name.width()) + 1);
        let style = author(state, member.name.as_str()).map_or(Style::new(), |key| look.name(key));
        let style = if member.online { style } else { look.dim() };
        lines.push(Line::from(vec![mark, Span::styled(name, style), Span::raw(space), Span::styled(path, look.dim())]));
    }
    if more > 0 {
        lines.push(Line::styled(format!("and {} more", members.len() - shown), look.dim()));
    }
    frame.render_widget(Paragraph::new(lines), inside);
}

/// The key under which somebody has said something here, which gives their colour.
fn author<'a>(state: &'a State, name: &str) -> Option<&'a str> {
    state
        .conversation
        .entries
        .iter()
        .rev()
        .take(200)
        .filter_map(Held::message)
        .map(|(message, _)| message)
        .find_map(|message| (message.from.as_str() == name).then(|| key(message)))
}

fn many(count: usize) -> String {
    if count > 99 { "99+".into() } else { count.to_string() }
}

fn rule(x: u16, area: Rect, look: Look, frame: &mut Frame<'_>) {
    let lines: Vec<Line<'_>> = (0..area.height).map(|_| Line::styled("│", look.dim())).collect();
    frame.render_widget(Paragraph::new(lines), Rect { x, width: 1, ..area });
}
