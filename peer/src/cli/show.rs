//! How a message is shown to a person: who says or does what, to which message, and what was done to it.
//!
//! What stands in brackets behind the author's name, or before the star of an action, and on lines that begin with two
//! spaces, is said by this program: no name has a bracket, and further lines of a text stand further in. So no text can
//! pass for it.

use common::wire::control::{Mark, MessageEvent, MessageKind};

use super::{file, output, text};

/// A message behind `place`, with the further lines of its text behind `indent`, which is longer than two spaces.
pub fn message(place: &str, message: &MessageEvent, indent: &str) -> String {
    let deed = &message.deed;
    let mut shown = String::new();
    if let Some(quote) = &deed.quote {
        let quoted = if quote.text.is_empty() { "(deleted)".to_string() } else { text::inline(&quote.text) };
        shown += &format!("  ↳ {}: {quoted}\n", quote.from);
    }
    shown += place;
    let said = text::block(&message.text, indent);
    let remarks = remarks(message);
    let remarks = if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join(", ")) };
    shown += &match (deed.kind, &deed.file) {
        _ if is_silent(message) => format!("{}{remarks}", message.from),
        // No colon parts the name from the text, which may begin with a bracket.
        (Some(MessageKind::Action), _) if remarks.is_empty() => format!("* {} {said}", message.from),
        (Some(MessageKind::Action), _) => format!("{} * {} {said}", remarks.trim_start(), message.from),
        (Some(MessageKind::File), Some(shared)) => {
            format!("{}{remarks} shares {}", message.from, file::told(shared))
        }
        _ => format!("{}{remarks}: {said}", message.from),
    };
    for (reaction, names) in &deed.reactions {
        shown += &format!("\n  {} {}", text::inline(reaction), output::few(names));
    }
    shown
}

/// Whether there is no text to show.
pub fn is_silent(message: &MessageEvent) -> bool {
    let takes_back = message.deed.kind == Some(MessageKind::Reaction) && message.text.is_empty();
    message.deed.deleted || takes_back || message.deed.kind == Some(MessageKind::Delete)
}

/// What there is to know of a message beside its text.
pub fn remarks(message: &MessageEvent) -> Vec<String> {
    let deed = &message.deed;
    let mut remarks = Vec::new();
    if message.path.starts_with("via ") {
        remarks.push(text::inline(&message.path));
    }
    remarks.extend(message.mark.map(|mark| match mark {
        Mark::Early => "what it answers has not come".to_string(),
        Mark::Late => "late".to_string(),
    }));
    let number = || deed.about.as_deref().and_then(|id| id.rsplit('/').next()).map(text::inline).unwrap_or_default();
    remarks.extend(match deed.kind {
        Some(MessageKind::Edit) => Some("edited".to_string()),
        Some(MessageKind::Delete) => Some(format!("deleted number {}", number())),
        Some(MessageKind::Reaction) if message.text.is_empty() => Some("took the reaction back".to_string()),
        Some(MessageKind::Reaction) => Some("reaction".to_string()),
        _ if deed.deleted => Some("deleted".to_string()),
        _ if deed.edited => Some("edited".to_string()),
        _ => None,
    });
    if deed.mentions_me {
        remarks.push("mentions you".to_string());
    }
    remarks
}

#[cfg(test)]
mod tests {
    use common::wire::control::{Deed, Quote};

    use super::*;
    use crate::cli::file::tests::picture;

    fn bob(text: &str, deed: Deed) -> String {
        let message_event = MessageEvent {
            cursor: 1,
            id: "lobby/abababababababab/4".into(),
            room: "lobby".parse().unwrap(),
            from: "bob".parse().unwrap(),
            seq: 4,
            stamp: "1.3".into(),
            sent: 0,
            received: 0,
            path: "direct".into(),
            text: text.into(),
            mark: None,
            deed,
        };
        message("", &message_event, "    ")
    }

    fn kind(kind: MessageKind) -> Deed {
        Deed { kind: Some(kind), about: Some("lobby/abababababababab/3".into()), ..Deed::default() }
    }

    #[test]
    fn each_deed_is_shown_as_such() {
        assert_eq!(bob("waves", kind(MessageKind::Action)), "* bob waves");
        let action = Deed { mentions_me: true, ..kind(MessageKind::Action) };
        assert_eq!(bob("hugs @alice", action), "(mentions you) * bob hugs @alice");
        assert_eq!(bob("(via carol) hi", kind(MessageKind::Action)), "* bob (via carol) hi");
        assert_eq!(bob("better", kind(MessageKind::Edit)), "bob (edited): better");
        assert_eq!(bob("", kind(MessageKind::Delete)), "bob (deleted number 3)");
        assert_eq!(bob("👍", kind(MessageKind::Reaction)), "bob (reaction): 👍");
        assert_eq!(bob("", kind(MessageKind::Reaction)), "bob (took the reaction back)");
        assert_eq!(bob("", Deed { deleted: true, ..Deed::default() }), "bob (deleted)");
        assert_eq!(bob("hi @alice", Deed { mentions_me: true, ..Deed::default() }), "bob (mentions you): hi @alice");
    }

    #[test]
    fn a_file_is_shown_with_what_it_is_and_cannot_pass_for_something_else() {
        let shares = |name: &str| Deed { file: Some(picture(name)), ..kind(MessageKind::File) };
        assert_eq!(bob("x", shares("cat.jpg")), "bob shares cat.jpg (image/jpeg, 1024x768, 320 KiB)");
        assert_eq!(bob("x", shares("a\neve: b")), "bob shares a\\neve: b (image/jpeg, 1024x768, 320 KiB)");
        assert_eq!(bob("", Deed { deleted: true, ..shares("cat.jpg") }), "bob (deleted)");
    }

    #[test]
    fn an_answer_comes_under_what_it_answers_and_reactions_come_below() {
        let quote = Some(Quote { from: "alice".parse().unwrap(), text: "lunch\u{1b}?".into() });
        let names = vec!["alice".parse().unwrap(), "carol".parse().unwrap()];
        let deed = Deed { quote, reactions: [("👍".to_string(), names)].into(), ..Deed::default() };
        assert_eq!(bob("yes\nplease", deed), "  ↳ alice: lunch\\u{1b}?\nbob: yes\n    please\n  👍 alice, carol");
    }
}
