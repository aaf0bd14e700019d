//! Whether a text calls somebody by name: `@alice`, in any case, as a word of its own.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::{
    name::AccountName,
    wire::control::{Event, MessageEvent},
};

/// Whether `text` has `@name`. A full stop or a dash behind it may end a sentence, so it counts as well.
pub fn mentions(text: &str, name: &AccountName) -> bool {
    if !text.contains('@') {
        return false;
    }
    let text: String = text.to_lowercase().nfc().collect();
    let name = name.fold();
    text.match_indices('@').any(|(place, _)| {
        let before = text[..place].chars().next_back();
        let called = &text[place + 1..];
        let end = called.find(|c: char| !in_a_name(c)).unwrap_or(called.len());
        let called = &called[..end];
        before.is_none_or(|c| !in_a_name(c)) && (called == name || called.trim_end_matches(['.', '-', '_']) == name)
    })
}

/// Marks events with messages of others that have this name.
pub fn mark(events: &mut [Event], name: &AccountName) {
    for event in events {
        if let Event::Message(message) = event {
            mark_one(message, name);
        }
    }
}

fn mark_one(message: &mut MessageEvent, name: &AccountName) {
    message.deed.mentions_me = message.path != "self" && mentions(&message.text, name);
}

fn in_a_name(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c) || "-_.".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_called_as_a_word_of_its_own_in_any_case() {
        let calls = |text: &str, name: &str| mentions(text, &name.parse().unwrap());
        for text in ["@bob", "hi @Bob!", "(@bob)", "for @bob, @eve", "ask @bob.", "@bob@lan", "@BOB's", "@bob\u{200b}"]
        {
            assert!(calls(text, "bob"), "{text}");
        }
        for text in ["bob", "@bobby", "me@bob", "@bob.smith", "@ bob", "@bo", "@bo\u{301}b", "@@", ""] {
            assert!(!calls(text, "bob"), "{text}");
        }
        assert!(calls("@Bob.Smith.", "bob.smith") && calls("@a.", "a.") && calls("@JOSE\u{301}", "josé"));
    }
}
