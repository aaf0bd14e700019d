//! What others wrote, made safe to print: nothing in it may steer a terminal or reorder what is beside it.

/// On one line: every character that is not seen as itself is written as an escape.
pub fn inline(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            c if steers(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
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
        for text in ["hello", "Zoë 日本 олег שלום", "👩‍👩‍👧 ok", "a\\b"] {
            assert_eq!(inline(text), text);
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
