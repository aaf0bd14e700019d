//! Errors as a person reads them.

use std::{error::Error, io};

/// An error and what caused it, outermost first. A cause that the text names already is not told again, and what the
/// system says is told as [`why`] tells it.
pub fn reasons(error: &(dyn Error + 'static)) -> String {
    let mut told = text_of(error);
    let mut next = error.source();
    while let Some(cause) = next {
        let text = text_of(cause);
        told = told.replace(&bare(&cause.to_string()), &text);
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        next = cause.source();
    }
    told
}

fn text_of(error: &(dyn Error + 'static)) -> String {
    match error.downcast_ref::<io::Error>() {
        Some(error) => why(error),
        None => bare(&error.to_string()),
    }
}

/// Why the system refused something, in words that people use.
pub fn why(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    // Whoever made an error with a text of its own has said more than its kind does.
    if error.get_ref().is_some() {
        return bare(&error.to_string());
    }
    let text = match error.kind() {
        Kind::NotFound => "there is no such file or folder",
        Kind::PermissionDenied => "it is not yours to use",
        Kind::AlreadyExists => "something is there already",
        Kind::StorageFull => "the disk is full",
        Kind::QuotaExceeded => "your share of the disk is used up",
        Kind::ReadOnlyFilesystem => "its disk can only be read",
        Kind::IsADirectory => "it is a folder",
        Kind::NotADirectory => "a part of its path is a file and no folder",
        Kind::InvalidData => "it is not text in UTF-8",
        Kind::AddrInUse => "another program has it",
        Kind::AddrNotAvailable => "this machine has no such address",
        _ => return bare(&error.to_string()),
    };
    text.to_string()
}

/// What the system or SQLite says, without the number of the error, which tells a person nothing.
pub fn bare(text: &str) -> String {
    let mut bare = text.to_string();
    for (before, after) in [(" (os error ", ")"), ("Error code ", ": ")] {
        let mut from = 0;
        while let Some(at) = bare[from..].find(before).map(|at| from + at) {
            let number = &bare[at + before.len()..];
            let digits = number.bytes().take_while(u8::is_ascii_digit).count();
            if digits > 0 && number[digits..].starts_with(after) {
                bare.replace_range(at..at + before.len() + digits + after.len(), "");
                from = at;
            } else {
                from = at + before.len();
            }
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Outer {
        #[error("cannot read it")]
        Silent(#[source] io::Error),
        #[error("cannot read it: {0}; look again")]
        Telling(#[source] io::Error),
    }

    #[test]
    fn a_cause_is_told_once() {
        let cause = || io::Error::other("gone");
        assert_eq!(reasons(&Outer::Silent(cause())), "cannot read it: gone");
        assert_eq!(reasons(&Outer::Telling(cause())), "cannot read it: gone; look again");
    }

    #[test]
    fn what_the_system_says_is_told_in_words_and_once() {
        let cause = || io::Error::from_raw_os_error(13);
        assert_eq!(reasons(&Outer::Silent(cause())), "cannot read it: it is not yours to use");
        assert_eq!(reasons(&Outer::Telling(cause())), "cannot read it: it is not yours to use; look again");
    }

    #[test]
    fn no_error_of_the_system_is_told_with_its_number() {
        for number in 1..134 {
            let error = io::Error::from_raw_os_error(number);
            assert!(!why(&error).contains("os error"), "{error}");
            let with_path = io::Error::new(error.kind(), format!("/x: {error}"));
            assert!(!why(&with_path).contains("os error"), "{with_path}");
        }
        assert_eq!(bare("a: Error code 26: file is not a database (os error 5)!"), "a: file is not a database!");
        assert_eq!(bare("Error code x (os error )"), "Error code x (os error )");
    }
}
