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
    ($(#[$doc:meta])* $type:ident, typed $typed:path, data $data:path) => {
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
                Ok(Self($typed(text)?.into()))
            }
        }

        impl TryFrom<String> for $type {
            type Error = BadName;

            fn try_from(text: String) -> Result<Self, BadName> {
                Ok(Self($data(&text)?.into()))
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
    AccountName, typed account, data account_data
);
name_type!(
    /// What a room is called. A conversation of two has a name of its own kind, [`RoomName::direct`], which is read as
    /// data only; its user types and sees [`RoomName::person`] instead.
    RoomName, typed room, data room_data
);
name_type!(
    /// What a tracker calls the set of its accounts: the `lan` of `alice@lan`.
    Domain, typed domain, data domain
);

fn account(text: &str) -> Result<String, BadName> {
    check(text, "name", limits::NAME_CHARS)
}

fn account_data(text: &str) -> Result<String, BadName> {
    match before_key(text) {
        Some((name, digits)) => Ok(format!("{}~{digits}", account(name)?)),
        None => account(text),
    }
}

fn room(text: &str) -> Result<String, BadName> {
    match text.strip_prefix(PERSON) {
        Some(name) => Ok(format!("{PERSON}{}", account_data(name)?)),
        None => check(text, "room name", limits::ROOM_CHARS),
    }
}

fn room_data(text: &str) -> Result<String, BadName> {
    if is_direct(text) { Ok(text.to_string()) } else { room(text) }
}

fn domain(text: &str) -> Result<String, BadName> {
    check(text, "domain", limits::DOMAIN_CHARS)
}

/// What the name of a conversation of two begins with, as it travels and is kept.
const DIRECT: char = '~';
/// What it begins with as its user sees it.
const PERSON: char = '@';
/// Hexadecimal digits of the name of a conversation of two.
const DIRECT_DIGITS: usize = 32;

fn is_direct(text: &str) -> bool {
    let is_digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    text.strip_prefix(DIRECT).is_some_and(|digits| digits.len() == DIRECT_DIGITS && digits.bytes().all(is_digit))
}

impl RoomName {
    /// The conversation of two, the same whichever is named first: `~` and 32 hexadecimal digits of a hash over both
    /// keys. It is read as data only: it cannot be typed, and no tracker has such a room.
    pub fn direct(one: &Key, other: &Key) -> RoomName {
        let mut hash = blake3::Hasher::new_derive_key("rollcall 1 direct room");
        hash.update(&one.min(other).0);
        hash.update(&one.max(other).0);
        let digits = hash.finalize().to_hex();
        RoomName(format!("{DIRECT}{}", &digits.as_str()[..DIRECT_DIGITS]).into())
    }

    /// The conversation with somebody, as its user types and sees it: `@bob`. It never travels between peers.
    pub fn person(name: &AccountName) -> RoomName {
        RoomName(format!("{PERSON}{name}").into())
    }

    /// Whose conversation it is, in the form of [`RoomName::person`].
    pub fn as_person(&self) -> Option<AccountName> {
        self.0.strip_prefix(PERSON).map(|name| AccountName(name.into()))
    }

    /// Whether it is the name of a conversation of two, as it travels.
    pub fn is_direct(&self) -> bool {
        self.0.starts_with(DIRECT)
    }

    /// Whether it is the name of a room that a tracker may have.
    pub fn is_plain(&self) -> bool {
        !self.0.starts_with([DIRECT, PERSON])
    }
}

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
    fn a_conversation_of_two_has_one_name_that_cannot_be_typed() {
        let (a, b) = (Key([1; 32]), Key([2; 32]));
        let name = RoomName::direct(&a, &b);
        assert_eq!(name, RoomName::direct(&b, &a));
        assert_ne!(name, RoomName::direct(&a, &Key([3; 32])));
        assert!(name.is_direct() && !name.is_plain() && name.as_str().parse::<RoomName>().is_err());
        assert_eq!(RoomName::try_from(name.to_string()), Ok(name.clone()));
        for bad in [&name.as_str()[1..32], &name.as_str()[..32], &format!("{name}0"), &name.as_str().to_uppercase()] {
            assert!(!RoomName::try_from(bad.to_string()).is_ok_and(|name| name.is_direct()), "{bad}");
        }
    }

    #[test]
    fn a_conversation_is_typed_as_its_person() {
        let bob: AccountName = "bob".parse().unwrap();
        let room: RoomName = "@bob".parse().unwrap();
        assert_eq!((room.clone(), room.as_person()), (RoomName::person(&bob), Some(bob.clone())));
        assert!(!room.is_plain() && !room.is_direct());
        let other = RoomName::person(&bob.with_key(&Key([0x9f; 32])));
        assert_eq!(other.as_str().parse(), Ok(other.clone()));
        for bad in ["@", "@a b", "@@bob", "@~", "@-x"] {
            assert!(bad.parse::<RoomName>().is_err(), "{bad}");
        }
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
