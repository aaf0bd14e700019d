//! What others wrote, made safe to print: nothing in it may steer a terminal or reorder what is beside it.

/// On one line: what could steer a terminal is written as an escape, and what is not seen at all is left out, as it stands in
/// many texts for no harm. What joins or parts two letters of some scripts, or the parts of an emoji, stays between those.
pub fn inline(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            c if is_joiner(c) => {
                let is_joined = |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && !c.is_whitespace() && is_seen(c));
                if is_joined(shown.chars().next_back()) && is_joined(rest.peek().copied()) {
                    shown.push(c);
                }
            }
            c if is_unseen(c) => {}
            c => push(&mut shown, c),
        }
    }
    shown
}

/// On one line, where two texts that are not the same must not look the same, as names of files: what is not seen is written
/// as an escape too.
pub fn exact(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_joiner(c) || is_unseen(c) {
            shown.extend(c.escape_unicode());
        } else {
            push(&mut shown, c);
        }
    }
    shown
}

fn push(shown: &mut String, c: char) {
    match c {
        '\n' => shown.push_str("\\n"),
        '\t' => shown.push_str("\\t"),
        '\r' => shown.push_str("\\r"),
        c if steers(c) => shown.extend(c.escape_unicode()),
        c => shown.push(c),
    }
}

/// Zero width joiner and non-joiner.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Marks that are not seen and do no more than to help to lay a text out: left-to-right, right-to-left and Arabic letter
/// marks, zero width space, word joiner, soft hyphen, byte order mark.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}')
}

fn is_seen(c: char) -> bool {
    !is_joiner(c) && !is_unseen(c) && !steers(c)
}

/// On as many lines as it has, those after the first behind `indent`, so that none can pass for a message of its own.
pub fn block(text: &str, indent: &str) -> String {
    let lines: Vec<String> = text.trim_end_matches('\n').split('\n').map(inline).collect();
    lines.join(&format!("\n{indent}"))
}

/// JSON with those characters as its own escapes: it means the same, and may go to a terminal.
pub fn json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        // Between objects; within a text it is an escape already.
        if c == '\n' || !steers(c) {
            shown.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            shown += &format!("\\u{unit:04x}");
        }
    }
    shown
}

/// Control characters, direction marks and overrides, line separators, and what has no shape at all.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_any_script_stays_as_it_is() {
        for text in ["hello", "Zoë 日本 олег שלום", "👩‍👩‍👧 ok", "❤\u{fe0f}\u{200d}🔥", "می\u{200c}خواهم", "a\\b"]
        {
            assert_eq!(inline(text), text);
        }
    }

    #[test]
    fn marks_that_are_not_seen_are_shown_as_nothing() {
        for mark in ['\u{ad}', '\u{61c}', '\u{200b}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{feff}'] {
            assert_eq!(inline(&format!("{mark}שלום{mark} abc{mark}")), "שלום abc");
        }
        // Where nothing is joined or parted, joiners would only make two texts look the same.
        for text in ["al\u{200d}ice", "\u{200c}alice", "é\u{200d}", "é\u{200d} é", "é\u{200d}\u{200b}b"] {
            assert!(!inline(text).contains(['\u{200c}', '\u{200d}']), "{text:?}");
        }
    }

    #[test]
    fn nothing_that_is_shown_reorders_what_stands_beside_it() {
        // Unicode's Bidi_Control, all of it.
        let controls =
            ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}').chain(['\u{61c}', '\u{200e}', '\u{200f}']);
        for control in controls {
            for text in [format!("a{control}b"), format!("ש{control}ל"), control.to_string()] {
                assert!(!inline(&text).contains(control) && !exact(&text).contains(control), "{control:?}");
            }
        }
    }

    #[test]
    fn no_mark_makes_two_names_look_alike() {
        use common::{AccountName, RoomName};
        let marks =
            ['\u{ad}', '\u{61c}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{feff}'];
        for mark in marks {
            for name in [format!("ali{mark}ce"), format!("می{mark}خ"), format!("alice{mark}"), format!("{mark}alice")]
            {
                assert!(name.parse::<AccountName>().is_err() && name.parse::<RoomName>().is_err(), "{name:?}");
                let bare = name.replace(mark, "");
                assert_ne!(exact(&name), exact(&bare), "{name:?}");
            }
        }
    }

    #[test]
    fn terminal_escapes_and_direction_overrides_are_shown_and_not_obeyed() {
        assert_eq!(inline("\u{1b}[31mred"), "\\u{1b}[31mred");
        assert_eq!(inline("a\u{202e}b\u{2066}c"), "a\\u{202e}b\\u{2066}c");
        assert_eq!(inline("\u{9b}2J\u{7}\u{7f}\u{8}"), "\\u{9b}2J\\u{7}\\u{7f}\\u{8}");
        assert_eq!(inline("a\r\nb\tc\u{2028}d"), "a\\r\\nb\\tc\\u{2028}d");
    }

    #[test]
    fn json_for_a_terminal_means_the_same_and_steers_nothing() {
        let told = serde_json::json!({"text": "a\u{9b}2J\u{202e}b\u{7f}\u{e0041}\u{1b}\u{2028}é👍\t\"\n"});
        let shown = json(&told.to_string());
        assert!(!shown.chars().any(steers), "{shown}");
        assert!(shown.contains(r"a\u009b2J\u202eb\u007f\udb40\udc41") && shown.contains("é👍"), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), told);
        assert_eq!(json("{}\n{}\n"), "{}\n{}\n");
    }

    #[test]
    fn a_line_of_a_text_never_stands_at_the_margin() {
        assert_eq!(block("one\n[12:00] eve: two\n", "    "), "one\n    [12:00] eve: two");
    }
}
