//! What stands behind a command, taken apart as a shell would: at spaces, but for those between quotes.

use std::str::FromStr;

use clap::Args;
use common::name::BadName;

use super::action::Action;
use crate::cli::usage;

/// Why a line cannot be done.
#[derive(PartialEq, Debug)]
pub enum Bad {
    /// Something is missing, or there is too much.
    Usage,
    /// The same, or a word is none that can stand there, and why.
    Params(String),
    /// This is wrong, however it is typed.
    Why(String),
}

impl Bad {
    /// Why.
    pub fn why(&self) -> &str {
        match self {
            Bad::Usage => "something is missing, or there is too much",
            Bad::Params(why) | Bad::Why(why) => why,
        }
    }
}

impl From<String> for Bad {
    fn from(why: String) -> Bad {
        Bad::Why(why)
    }
}

impl From<BadName> for Bad {
    fn from(bad: BadName) -> Bad {
        Bad::Params(bad.to_string())
    }
}

/// The words.
pub fn split(rest: &str) -> Result<Vec<String>, Bad> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in rest.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            // One within a word is an apostrophe.
            (None, '"' | '\'') if word.is_none() => {
                quote = Some(c);
                word = Some(String::new());
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    match quote {
        Some(open) => Err(Bad::Why(format!("there is a {open} without its other"))),
        None => Ok(words),
    }
}

/// One word.
pub fn one<T: FromStr>(rest: &str) -> Result<T, Bad>
where
    T::Err: std::fmt::Display,
{
    match split(rest)?.as_slice() {
        [] => Err(Bad::Usage),
        [word] => word.parse().map_err(|error: T::Err| Bad::Params(error.to_string())),
        [_, more, ..] => Err(Bad::Params(format!("{more} is one word too many"))),
    }
}

/// Nothing.
pub fn none(rest: &str, action: Action) -> Result<Action, Bad> {
    if rest.is_empty() { Ok(action) } else { Err(Bad::Params(format!("nothing goes behind it, and there is: {rest}"))) }
}

/// Whether there is such a flag, and the rest without it.
pub fn flag(rest: &str, flag: &str) -> (String, bool) {
    let (flags, others): (Vec<&str>, Vec<&str>) = rest.split_whitespace().partition(|word| *word == flag);
    (others.join(" "), !flags.is_empty())
}

/// The same as behind a command in a shell.
pub fn as_command<A: Args>(rest: &str) -> Result<A, Bad> {
    let words = split(rest)?;
    if words.is_empty() {
        return Err(Bad::Usage);
    }
    let command = A::augment_args(clap::Command::new("").no_binary_name(true).disable_help_flag(true));
    let parsed = command.clone().try_get_matches_from(words).and_then(|matches| A::from_arg_matches(&matches));
    parsed.map_err(|error| usage::wrong(&error, &command).map_or(Bad::Usage, Bad::Params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_between_spaces_unless_quotes_are_around_them() {
        let split = |text| split(text).unwrap();
        assert_eq!(split("den  bob "), ["den", "bob"]);
        assert_eq!(split("den --topic \"the cellar\" x"), ["den", "--topic", "the cellar", "x"]);
        assert_eq!(split("den 'it is \"ours\"' ''"), ["den", "it is \"ours\"", ""]);
        assert_eq!(split("bob's den"), ["bob's", "den"]);
        assert!(super::split("den \"the cellar").is_err());
    }
}
