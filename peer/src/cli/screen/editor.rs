//! The line that is typed, which may have several lines, and those typed before.

use ratatui::{style::Style, text::Span};
use unicode_width::UnicodeWidthStr;

use crate::cli::text;

/// Lines remembered.
const HISTORY: usize = 200;
/// Bytes of a line, at the most: more than a message may have.
pub const BYTES: usize = 64 << 10;

/// A text and the place in it.
#[derive(Default)]
pub struct Editor {
    text: String,
    /// In bytes, on the border of what is seen as one character.
    cursor: usize,
    history: Vec<String>,
    /// Which of the history is shown, and what was typed before it was.
    recalled: Option<(usize, String)>,
}

impl Editor {
    /// What is typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is typed before the cursor.
    pub fn before(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Puts a text at the cursor. Of control characters only the ends of lines are taken. False if there is no room for it.
    pub fn insert(&mut self, text: &str) -> bool {
        let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', "    ");
        let text: String = text.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
        let fits = self.text.len() + text.len() <= BYTES;
        if fits {
            self.text.insert_str(self.cursor, &text);
            self.cursor += text.len();
        }
        fits
    }

    /// Puts a text in place of what stands between `start` and the cursor.
    pub fn replace(&mut self, start: usize, text: &str) {
        self.text.replace_range(start..self.cursor, "");
        self.cursor = start;
        self.insert(text);
    }

    /// Takes everything, and remembers it.
    pub fn take(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        self.cursor = 0;
        self.recalled = None;
        if !text.trim().is_empty() && self.history.last() != Some(&text) {
            if self.history.len() == HISTORY {
                self.history.remove(0);
            }
            self.history.push(text.clone());
        }
        text
    }

    /// Another text, with the cursor at its end.
    pub fn set(&mut self, text: String) {
        self.cursor = text.len();
        self.text = text;
    }

    /// Takes away what is before the cursor, by one character.
    pub fn backspace(&mut self) {
        self.replace(self.left_of(), "");
    }

    /// Takes away the character at the cursor.
    pub fn delete(&mut self) {
        let end = self.right_of();
        self.text.replace_range(self.cursor..end, "");
    }

    /// Takes away the word before the cursor.
    pub fn delete_word(&mut self) {
        self.replace(self.word_left_of(), "");
    }

    /// Takes away what is before the cursor on its line.
    pub fn delete_to_start(&mut self) {
        self.replace(self.line_start(), "");
    }

    /// One character to the left, or to the right.
    pub fn step(&mut self, right: bool) {
        self.cursor = if right { self.right_of() } else { self.left_of() };
    }

    /// One word.
    pub fn step_word(&mut self, right: bool) {
        if !right {
            self.cursor = self.word_left_of();
            return;
        }
        let after = &self.text[self.cursor..];
        let word = after.find(|c: char| !c.is_whitespace()).unwrap_or(after.len());
        let end = after[word..].find(char::is_whitespace).map_or(after.len(), |length| word + length);
        self.cursor += end;
    }

    /// To the start of the line, or to its end.
    pub fn go_to_end(&mut self, right: bool) {
        let rest = &self.text[self.cursor..];
        self.cursor = if right { self.cursor + rest.find('\n').unwrap_or(rest.len()) } else { self.line_start() };
    }

    /// One line up, or to what was typed before.
    pub fn up(&mut self) {
        let start = self.line_start();
        if start > 0 {
            let column = self.text[start..self.cursor].width();
            self.cursor = start - 1;
            self.go_to_column(column);
            return;
        }
        let index = self.recalled.as_ref().map_or(self.history.len(), |(index, _)| *index);
        let Some(earlier) = index.checked_sub(1) else { return };
        let typed = self.recalled.take().map_or_else(|| self.text.clone(), |(_, typed)| typed);
        self.recalled = Some((earlier, typed));
        self.set(self.history[earlier].clone());
    }

    /// One line down, or back to what is typed.
    pub fn down(&mut self) {
        let rest = &self.text[self.cursor..];
        if let Some(end) = rest.find('\n') {
            let column = self.text[self.line_start()..self.cursor].width();
            self.cursor += end + 1;
            self.go_to_column(column);
            return;
        }
        let Some((index, typed)) = self.recalled.take() else { return };
        match self.history.get(index + 1).cloned() {
            Some(later) => {
                self.recalled = Some((index + 1, typed));
                self.set(later);
            }
            None => self.set(typed),
        }
    }

    /// The text as lines of at most `width` columns, and the row and column of the cursor.
    pub fn rows(&self, width: usize) -> (Vec<String>, (usize, usize)) {
        let width = width.max(2);
        let (mut rows, mut used, mut at) = (vec![String::new()], 0, 0);
        let mut place = (0, 0);
        let end_row = |rows: &mut Vec<String>, used: &mut usize| {
            rows.push(String::new());
            *used = 0;
        };
        for (number, line) in self.text.split('\n').enumerate() {
            if number > 0 {
                end_row(&mut rows, &mut used);
                at += 1;
            }
            for symbol in symbols(line) {
                if at == self.cursor {
                    place = (rows.len() - 1, used);
                }
                let shown = text::inline(symbol);
                if used + shown.width() >= width {
                    end_row(&mut rows, &mut used);
                }
                used += shown.width();
                if let Some(row) = rows.last_mut() {
                    row.push_str(&shown);
                }
                at += symbol.len();
            }
            if at == self.cursor {
                place = (rows.len() - 1, used);
            }
        }
        (rows, place)
    }

    fn line_start(&self) -> usize {
        self.before().rfind('\n').map_or(0, |newline| newline + 1)
    }

    fn left_of(&self) -> usize {
        let start = self.line_start();
        match symbols(&self.text[start..self.cursor]).last() {
            Some(symbol) => self.cursor - symbol.len(),
            None => start.saturating_sub(1),
        }
    }

    fn right_of(&self) -> usize {
        let rest = &self.text[self.cursor..];
        let line = rest.split('\n').next().unwrap_or_default();
        match symbols(line).next() {
            Some(symbol) => self.cursor + symbol.len(),
            None => self.cursor + rest.len().min(1),
        }
    }

    fn word_left_of(&self) -> usize {
        let word = self.before().trim_end();
        word.rfind(char::is_whitespace)
            .map_or(0, |space| space + word[space..].chars().next().map_or(1, char::len_utf8))
    }

    /// On the line of the cursor.
    fn go_to_column(&mut self, column: usize) {
        let start = self.line_start();
        let line = self.text[start..].split('\n').next().unwrap_or_default();
        let mut used = 0;
        let before = symbols(line).take_while(|symbol| {
            used += symbol.width();
            used <= column
        });
        self.cursor = start + before.map(str::len).sum::<usize>();
    }
}

/// What is seen as one character each, of a line.
fn symbols(line: &str) -> impl DoubleEndedIterator<Item = &str> {
    let span = Span::raw(line);
    let lengths: Vec<usize> = span.styled_graphemes(Style::default()).map(|grapheme| grapheme.symbol.len()).collect();
    let mut at = 0;
    let pieces: Vec<&str> = lengths
        .into_iter()
        .map(|length| {
            at += length;
            &line[at - length..at]
        })
        .collect();
    pieces.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Editor {
        let mut editor = Editor::default();
        editor.insert(text);
        editor
    }

    #[test]
    fn what_is_seen_as_one_character_is_taken_away_at_once() {
        let mut editor = typed("日👩‍👩‍👧e\u{301}");
        for left in ["日👩‍👩‍👧", "日", ""] {
            editor.backspace();
            assert_eq!(editor.text(), left);
        }
        editor.backspace();
        assert!(editor.is_empty());
    }

    #[test]
    fn wide_characters_take_two_columns_and_lines_are_broken_where_they_end() {
        let (rows, cursor) = typed("日本日本ab").rows(6);
        assert_eq!((rows, cursor), (vec!["日本".to_string(), "日本a".into(), "b".into()], (2, 1)));
        assert_eq!(typed("one\ntwo").rows(20), (vec!["one".into(), "two".into()], (1, 3)));
    }

    #[test]
    fn up_and_down_go_through_lines_and_then_through_what_was_typed_before() {
        let mut editor = typed("first");
        editor.take();
        editor.insert("two\nlines");
        editor.up();
        assert_eq!(editor.before(), "two");
        editor.up();
        assert_eq!(editor.text(), "first");
        editor.down();
        assert_eq!(editor.text(), "two\nlines");
    }

    #[test]
    fn a_paste_keeps_its_lines_and_nothing_else_that_steers() {
        assert_eq!(typed("a\r\nb\u{1b}[2J\u{7}\u{9b}c").text(), "a\nb[2Jc");
    }

    #[test]
    fn words_are_stepped_over_and_taken_away() {
        let mut editor = typed("one two  ");
        editor.delete_word();
        assert_eq!(editor.text(), "one ");
        editor.step_word(false);
        editor.step_word(true);
        assert_eq!(editor.before(), "one");
    }
}
