//! How one thing in a conversation looks.
//!
//! A time of day stands at the margin before a message and nothing else does. What stands in brackets behind a name, or
//! before the star of an action, is said by this program, and so are the lines that begin below the name: quotes and
//! reactions. Further lines of a text stand further in, so that no text can pass for any of that.

use common::AccountName;
use common::wire::control::{MemberChange, MessageEvent, MessageKind};
use ratatui::{
    style::{Modifier, Style},
    text::{Line, Span},
};

use unicode_width::UnicodeWidthStr;

use super::{Look, wrap::wrap};
use crate::cli::{
    file, output,
    screen::entries::{Entry, Held, Progress, cursor},
    show, text, time,
};

/// Columns of the time of day.
const HANG: usize = 6;
/// Where further lines of a text begin.
const TEXT: usize = HANG + 2;
/// What says that everybody has it.
const TICK: &str = "✓";
/// People who are named of those who did the same.
const NAMED: usize = 4;

/// Lines of a text that are shown without being asked for. One that has a single line more is shown as a whole.
const FOLD: usize = 20;

/// How many lines it takes.
pub fn height(held: &Held, width: usize) -> usize {
    lines(held, width, Look::Plain, None).len()
}

/// Whether it is so long that it is folded until all of it is asked for.
pub fn is_long(held: &Held, width: usize) -> bool {
    let whole = |(message, progress)| message_lines(message, progress, false, width, Look::Plain);
    // What is shorter in bytes than that many lines need cannot be.
    held.message().is_some_and(|(message, _)| message.text.len() > FOLD)
        && held.message().map(whole).is_some_and(|lines| lines.is_folded)
}

/// The lines. The message that was searched for, whose cursor is `marked`, stands out.
pub fn lines(held: &Held, width: usize, look: Look, marked: Option<u64>) -> Vec<Line<'static>> {
    match held.entry() {
        Entry::Message(message, progress) => {
            let mut lines = message_lines(message, *progress, held.is_whole(), width, look).lines;
            if marked.is_some() && cursor(held) == marked {
                lines = lines.into_iter().map(|line| line.patch_style(Modifier::REVERSED)).collect();
            }
            lines
        }
        Entry::Day(day) => {
            let rule = "─".repeat(width.saturating_sub(day.len() + 4));
            vec![Line::styled(format!("── {day} {rule}"), look.dim())]
        }
        Entry::New => vec![Line::styled(format!("── new {}", "─".repeat(width.saturating_sub(7))), look.mention())],
        Entry::Notice(notice) => {
            let style = if notice.starts_with('!') { look.trouble() } else { look.notice() };
            let line = |line: &str| wrap(&[Span::styled(text::inline(line), style)], width, 2);
            notice.split('\n').flat_map(line).collect()
        }
        Entry::Noise(people, _) if people.is_empty() => Vec::new(),
        Entry::Noise(people, _) => wrap(&[Span::styled(format!("* {}", noise(people)), look.dim())], width, 2),
    }
}

/// Those of a message, and whether some of its text is not among them.
struct Lines {
    lines: Vec<Line<'static>>,
    is_folded: bool,
}

fn message_lines(message: &MessageEvent, progress: Progress, is_whole: bool, width: usize, look: Look) -> Lines {
    let deed = &message.deed;
    let mut lines = Vec::new();
    if let Some(quote) = &deed.quote {
        let quoted = if quote.text.is_empty() { "(deleted)".to_string() } else { text::inline(&quote.text) };
        let quoted = super::cut(&format!("{}↳ {}: {quoted}", " ".repeat(HANG), quote.from), width);
        lines.push(Line::styled(quoted, look.dim()));
    }
    let mentions = deed.mentions_me;
    let time = format!("{} ", time::clock(message.sent));
    let mut spans = vec![Span::styled(time, if mentions { look.mention() } else { look.dim() })];
    let is_action = deed.kind == Some(MessageKind::Action) && !deed.deleted;
    let name = Span::styled(text::inline(message.from.as_str()), look.name(key(message)));
    let remarks = show::remarks(message);
    let style = if mentions { look.mention() } else { look.dim() };
    let remarks = (!remarks.is_empty()).then(|| Span::styled(format!("({})", remarks.join(", ")), style));
    if is_action {
        spans.extend(remarks.into_iter().flat_map(|remarks| [remarks, Span::raw(" ")]));
        spans.extend([Span::raw("* "), name]);
    } else {
        spans.push(name);
        spans.extend(remarks.into_iter().flat_map(|remarks| [Span::raw(" "), remarks]));
    }
    let (mut rest, style) = match &deed.file {
        _ if show::is_silent(message) => (String::new(), Style::new()),
        Some(shared) if deed.kind == Some(MessageKind::File) => {
            let get = if message.path == "self" { String::new() } else { format!(": /get {}", file::named(shared)) };
            (format!(" shares {}{get}", file::told(shared)), look.notice())
        }
        _ => (if is_action { " " } else { ": " }.to_string() + message.text.trim_end_matches('\n'), Style::new()),
    };
    let more = rest.split_off(rest.find('\n').unwrap_or(rest.len()));
    spans.push(Span::styled(text::inline(&rest), style));
    let mut texts = vec![spans];
    for line in more.split('\n').skip(1) {
        texts.push(vec![Span::raw(" ".repeat(TEXT)), Span::styled(text::inline(line), style)]);
    }
    let receipts = receipts(message, progress, look);
    let mut text: Vec<Line<'static>> = Vec::new();
    let last = texts.len() - 1;
    for (at, mut spans) in texts.into_iter().enumerate() {
        if at == last {
            spans.extend(receipts.clone());
        }
        text.extend(wrap(&spans, width, TEXT));
    }
    let is_folded = !is_whole && text.len() > FOLD + 1;
    if is_folded {
        let more =
            format!("{}… {} more lines: pick it, and Enter shows all", " ".repeat(TEXT), thousands(text.len() - FOLD));
        text.truncate(FOLD);
        let more = std::iter::once(Span::styled(more, look.notice())).chain(receipts);
        text.extend(wrap(&more.collect::<Vec<_>>(), width, TEXT));
    }
    lines.extend(text);
    for (reaction, names) in &deed.reactions {
        let reaction = format!("{}{} {}", " ".repeat(HANG), text::inline(reaction), output::few(names));
        lines.extend(wrap(&[Span::styled(reaction, look.dim())], width, HANG));
    }
    Lines { lines, is_folded }
}

/// `8,172`.
fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let comma = |(at, digit): (usize, char)| {
        let comma = (at > 0 && (digits.len() - at).is_multiple_of(3)).then_some(',');
        comma.into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(comma).collect()
}

fn receipts(message: &MessageEvent, progress: Progress, look: Look) -> Option<Span<'static>> {
    let told = receipt(message, progress)?;
    let style = if told == TICK { look.good() } else { look.dim() };
    Some(Span::styled(format!("  {told}"), style))
}

/// How many have it: a tick only once everybody has it who was meant to.
fn receipt(message: &MessageEvent, progress: Progress) -> Option<String> {
    let Progress::Known { delivered, all, .. } = progress else { return None };
    match (delivered, all) {
        _ if message.deed.deleted => None,
        (_, 0) => None,
        (delivered, all) if delivered == all => Some(TICK.into()),
        (delivered, all) => Some(format!("{delivered}/{all}")),
    }
}

/// Whether how many have a message stands there: in that column of that line of it.
pub fn is_receipt(held: &Held, width: usize, line: usize, column: usize) -> bool {
    let told = held.message().and_then(|(message, progress)| receipt(message, progress));
    let Some(told) = told else { return false };
    let lines = lines(held, width, Look::Plain, None);
    // It is the end of the text, behind which only reactions come.
    let last = lines.iter().rposition(|line| line.to_string().ends_with(&told));
    let end = lines.get(line).map_or(0, Line::width);
    last == Some(line) && (end - told.width()..end).contains(&column)
}

/// `bob, eve joined; 7 left`.
fn noise(people: &[(AccountName, MemberChange)]) -> String {
    let kinds = [
        (MemberChange::Joined, "joined"),
        (MemberChange::Left, "left"),
        (MemberChange::Removed, "removed"),
        (MemberChange::Banned, "banned"),
        (MemberChange::Online, "online"),
        (MemberChange::Away, "away"),
        (MemberChange::Offline, "offline"),
    ];
    let told = kinds.iter().filter_map(|(kind, verb)| {
        let names: Vec<AccountName> =
            people.iter().filter(|(_, change)| change == kind).map(|(name, _)| name.clone()).collect();
        match names.len() {
            0 => None,
            1..=NAMED => Some(format!("{} {verb}", output::names(&names))),
            many => Some(format!("{many} {verb}")),
        }
    });
    told.collect::<Vec<_>>().join("; ")
}

/// The beginning of the author's key, which is in the id.
pub fn key(message: &MessageEvent) -> &str {
    message.id.rsplit('/').nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use common::wire::control::{Deed, Quote};

    use super::*;

    fn shown(text: &str, path: &str, deed: Deed) -> Vec<String> {
        let message = MessageEvent {
            cursor: 1,
            id: "lobby/abababababababab/4".into(),
            room: "lobby".parse().unwrap(),
            from: "bob".parse().unwrap(),
            seq: 4,
            stamp: "1.3".into(),
            sent: 0,
            received: 0,
            path: path.into(),
            text: text.into(),
            mark: None,
            deed,
        };
        let held = Entry::Message(Box::new(message), Progress::Unknown).into();
        // The time is that of wherever this runs.
        lines(&held, 30, Look::Plain, None).iter().map(|line| line.to_string()[HANG..].to_string()).collect()
    }

    #[test]
    fn no_text_begins_where_quotes_and_reactions_do() {
        let quote = Some(Quote { from: "alice".parse().unwrap(), text: "lunch?".into() });
        let reactions = [("👍".to_string(), vec!["carol".parse().unwrap()])].into();
        let text = "ok\n↳ alice: send it\n👍 alice, and then so much that it is broken off";
        let lines = shown(text, "direct", Deed { quote, reactions, ..Deed::default() });
        let ours: Vec<&String> = lines.iter().filter(|line| !line.starts_with(' ')).collect();
        assert_eq!(ours, ["↳ alice: lunch?", "bob: ok", "👍 carol"]);
        assert_eq!(lines[2], "  ↳ alice: send it");
    }

    #[test]
    fn what_is_known_of_an_action_stands_where_its_text_cannot() {
        let action = || Deed { kind: Some(MessageKind::Action), ..Deed::default() };
        assert_eq!(shown("waves", "via carol", action()), ["(via carol) * bob waves"]);
        assert_eq!(shown("(via carol) hi", "direct", action()), ["* bob (via carol) hi"]);
    }
}
