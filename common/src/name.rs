//! Names of people, rooms and trackers: what they may hold, and when two of them are the same.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;

use crate::{id::Key, limits};

/// Why a text cannot be a name. The message says what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Nothing at all.
    #[error("a {0} needs at least one character")]
    Empty(&'static str),
    /// More characters than allowed.
    #[error("a {0} has at most {1} characters, this one has {2}")]
    TooLong(&'static str, usize, usize),
    /// A character that names may not hold.
    #[error("a {0} holds only letters, digits, '-', '_' and '.'; {1:?} is none of them")]
    BadCharacter(&'static str, char),
    /// A first character that would be taken for something else on a command line.
    #[error("a {0} begins with a letter, a digit or '_'; {1:?} is none of them")]
    BadStart(&'static str, char),
}

fn check(text: &str, what: &'static str, most: usize) -> Result<String, BadName> {
    // Cut before normalising, so that a hostile text costs no more than a long name does.
    let raw = text.chars().count();
    if raw > most * 4 {
        return Err(BadName::TooLong(what, most, raw));
    }
    let name: String = text.nfc().collect();
    let Some(first) = name.chars().next() else { return Err(BadName::Empty(what)) };
    let allowed = |c: char| (c.is_alphanumeric() || is_mark(c) || "-_.".contains(c)) && !is_invisible(c);
    if let Some(bad) = name.chars().find(|c| !allowed(*c)) {
        return Err(BadName::BadCharacter(what, bad));
    }
    if !first.is_alphanumeric() && first != '_' {
        return Err(BadName::BadStart(what, first));
    }
    let length = name.chars().count();
    if length > most {
        return Err(BadName::TooLong(what, most, length));
    }
    Ok(name)
}

/// Marks that belong to a letter where NFC has no single character for the pair.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// Letters and marks that are not seen (Unicode's Default_Ignorable_Code_Point): with one of them, somebody else's name
/// would look like one's own.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

// Names are in every event and every answer: copying one copies no text.
macro_rules! name_type {
    ($(#[$doc:meta])* $type:ident, $what:literal, $most:expr, $may_have_key:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $type(Arc<str>);

        impl $type {
            /// The name as it was typed, in Unicode's normal form C.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// What two names have in common when they are the same but for case. In normal form C again: of `J\u{30c}`
            /// and its small letter only the latter has a character for both.
            pub fn fold(&self) -> String {
                self.0.to_lowercase().nfc().collect()
            }
        }

        impl FromStr for $type {
            type Err = BadName;

            fn from_str(text: &str) -> Result<Self, BadName> {
                Ok(Self(check(text, $what, $most)?.into()))
            }
        }

        impl TryFrom<String> for $type {
            type Error = BadName;

            fn try_from(text: String) -> Result<Self, BadName> {
                match before_key(&text).filter(|_| $may_have_key) {
                    Some((name, digits)) => Ok(Self(format!("{}~{digits}", name.parse::<Self>()?).into())),
                    None => text.parse(),
                }
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // `pad`, so that tables can align names.
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

name_type!(
    /// What a person is called under a tracker's domain.
    AccountName, "name", limits::NAME_CHARS, true
);
name_type!(
    /// What a room is called.
    RoomName, "room name", limits::ROOM_CHARS, false
);
name_type!(
    /// What a tracker calls the set of its accounts: the `lan` of `alice@lan`.
    Domain, "domain", limits::DOMAIN_CHARS, false
);

/// Hexadecimal digits of a key behind a name.
const KEY_DIGITS: usize = 8;

impl AccountName {
    /// The name with the beginning of a key behind it, `alice~9f86d081`: for somebody who is in no table at hand, and
    /// whose name may be somebody else's there. It is read as data only: it cannot be typed, and nobody can register it.
    pub fn with_key(&self, key: &Key) -> AccountName {
        let name = self.0.split('~').next().unwrap_or_default();
        let digits = &key.short().to_string()[..KEY_DIGITS];
        AccountName(format!("{name}~{digits}").into())
    }

    /// Whether it has a key behind it.
    pub fn has_key(&self) -> bool {
        self.0.contains('~')
    }
}

/// A text with a key behind it, apart.
fn before_key(text: &str) -> Option<(&str, &str)> {
    let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    text.split_once('~').filter(|(_, digits)| digits.len() == KEY_DIGITS && digits.chars().all(is_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_key_is_read_as_data_and_cannot_be_typed() {
        let name = "é".repeat(32).parse::<AccountName>().unwrap().with_key(&Key([0x9f; 32]));
        assert_eq!(name.as_str(), format!("{}~9f9f9f9f", "é".repeat(32)));
        assert!(name.has_key() && name.as_str().parse::<AccountName>().is_err());
        assert_eq!(AccountName::try_from(name.to_string()), Ok(name.clone()));
        assert_eq!(name.with_key(&Key([1; 32])).as_str(), format!("{}~01010101", "é".repeat(32)));
        for bad in ["a~9f9f9f9", "a~9F9F9F9F", "~9f9f9f9f", "a~9f9f9f9f~9f9f9f9f", "a~b~9f9f9f9f", "a~é9f9f9f"] {
            assert!(AccountName::try_from(bad.to_string()).is_err(), "{bad}");
        }
        assert!(RoomName::try_from("a~9f9f9f9f".to_string()).is_err());
    }

    #[test]
    fn letters_of_any_script_are_a_name() {
        for name in ["alice", "Zoë", "олег", "日本", "a-b_c.d", "_x", "7of9"] {
            assert!(name.parse::<AccountName>().is_ok(), "{name}");
        }
    }

    #[test]
    fn control_characters_spaces_and_option_dashes_are_refused() {
        for name in ["a b", "a\u{1b}[31m", "a\n", "-x", "", "a/b", "\u{202e}abc", "a\u{0}"] {
            assert!(name.parse::<AccountName>().is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_name_is_measured_in_characters_after_normalisation() {
        assert!("é".repeat(32).parse::<AccountName>().is_ok());
        assert!("e\u{301}".repeat(32).parse::<AccountName>().is_ok());
        assert_eq!("x".repeat(33).parse::<AccountName>(), Err(BadName::TooLong("name", 32, 33)));
        assert_eq!("x".repeat(300).parse::<AccountName>(), Err(BadName::TooLong("name", 32, 300)));
    }

    #[test]
    fn two_spellings_of_one_letter_are_one_name() {
        assert_eq!("e\u{301}".parse::<AccountName>(), "é".parse::<AccountName>());
        let (upper, lower): (RoomName, RoomName) = ("Lobby".parse().unwrap(), "lobby".parse().unwrap());
        assert_eq!(upper.fold(), lower.fold());
    }

    #[test]
    fn a_letter_whose_capital_is_written_with_a_mark_is_one_letter_in_both_cases() {
        let (upper, lower): (AccountName, AccountName) = ("J\u{30c}an".parse().unwrap(), "\u{1f0}an".parse().unwrap());
        assert_eq!(upper.fold(), lower.fold());
    }

    #[test]
    fn letters_and_marks_that_are_not_seen_are_refused() {
        for unseen in ['\u{34f}', '\u{3164}', '\u{ffa0}', '\u{115f}', '\u{fe0f}', '\u{e0100}', '\u{180b}'] {
            let name = format!("alice{unseen}");
            assert_eq!(name.parse::<AccountName>(), Err(BadName::BadCharacter("name", unseen)));
        }
    }
}
