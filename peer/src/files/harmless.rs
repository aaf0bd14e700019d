//! Names of files that come from outside, made harmless before they name anything on disk.

use unicode_normalization::UnicodeNormalization;

/// Longest name of a file, in bytes, as most file systems have it.
pub const LONGEST: usize = 255;
/// Longest end of a name, the dot included, that is kept where the name is cut.
const EXTENSION: usize = 16;

/// A name that can be used, and why it is not the one that was given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Harmless {
    /// The name.
    pub name: String,
    /// What was wrong with the one that was given.
    pub why: Option<&'static str>,
}

/// A name that stays in its folder, is seen in it, is no option on a command line, can be written on other systems, and shows
/// what it is.
pub fn harmless(given: &str) -> Harmless {
    let mut why = None;
    let mut wrong = |what| {
        why.get_or_insert(what);
    };
    let mut name: String = given.nfc().collect();
    if name != given {
        wrong("it was written with letters put together from several");
    }
    if name.contains(['/', '\\']) || name == ".." || name == "." {
        wrong("it led to another folder");
    }
    if name.chars().any(is_unseen) {
        wrong("it held characters that are not seen, or that steer a terminal");
    }
    if name.contains(is_reserved) {
        wrong("it held characters that not every system can write");
    }
    name = name.replace(|c| is_unseen(c) || is_reserved(c) || matches!(c, '/' | '\\'), "_");
    let trimmed = name.trim_start().trim_end_matches(|c: char| c == '.' || c.is_whitespace());
    if trimmed.len() != name.len() && !trimmed.is_empty() {
        wrong("it began or ended with what is not seen");
    }
    name = trimmed.to_string();
    if name.is_empty() {
        wrong("there was nothing left of it");
        name = "file".into();
    }
    if name.starts_with(['.', '-', '~']) {
        wrong("it would have been hidden, or taken for an option");
        name.insert(0, '_');
    }
    if is_device(&name) {
        wrong("it is a device on some systems");
        name.insert(0, '_');
    }
    if name.len() > LONGEST {
        wrong("it was too long");
        name = shortened(&name, LONGEST);
    }
    Harmless { name, why }
}

/// The harmless form of a name, with a number from the second on: to tell apart what has become the same.
pub fn numbered(given: &str, number: usize) -> String {
    let name = harmless(given).name;
    if number < 2 {
        return name;
    }
    let (stem, extension) = split(&name);
    let end = format!(" ({number}){extension}");
    format!("{}{end}", cut(stem, LONGEST - end.len()))
}

/// A name of at most so many bytes, with its extension if that is short.
pub fn shortened(name: &str, most: usize) -> String {
    let (stem, extension) = split(name);
    // A name that is cut must not end with what would not be seen.
    format!("{}{extension}", cut(stem, most.saturating_sub(extension.len())).trim_end_matches(['.', ' ']))
}

fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= EXTENSION => name.split_at(dot),
        _ => (name, ""),
    }
}

fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// Control characters, direction marks and overrides, line separators, and what has no shape at all.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

fn is_reserved(c: char) -> bool {
    matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*')
}

/// Names that some systems take for a device, whatever the extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$" => true,
        stem => {
            let digit = stem.strip_prefix("COM").or(stem.strip_prefix("LPT"));
            digit.is_some_and(|digit| matches!(digit, "¹" | "²" | "³") || matches!(digit.as_bytes(), [b'0'..=b'9']))
        }
    }
}
