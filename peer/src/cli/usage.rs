//! What is wrong with a command line, in the words of this program, for the shell and for the chat.

use std::{error::Error, ffi::OsString, net::AddrParseError, num::ParseIntError};

use clap::{
    Command,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::text::inline;

/// What a text may be in a parameter's name, to tell that it may hold spaces.
const TEXTS: [&str; 3] = ["TEXT", "WORDS", "PATH"];

/// Why a line cannot be done, if something is wrong with it; `None` where help or the version is asked for. The command is
/// the one that was called.
pub fn wrong(error: &clap::Error, command: &Command) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(inline(text)),
        Some(ContextValue::Strings(texts)) => {
            Some(texts.iter().map(|text| inline(text)).collect::<Vec<_>>().join(" and "))
        }
        _ => None,
    };
    let param = || named(&text(ContextKind::InvalidArg).unwrap_or_default());
    let value = text(ContextKind::InvalidValue).unwrap_or_default();
    Some(match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return None;
        }
        ErrorKind::UnknownArgument => unknown(&param(), text(ContextKind::SuggestedArg), command),
        ErrorKind::InvalidSubcommand => {
            let hint = text(ContextKind::SuggestedSubcommand).map(|near| format!(", but there is {near}"));
            let name = text(ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("there is no command {name}{}", hint.unwrap_or_default())
        }
        ErrorKind::InvalidValue | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues | ErrorKind::NoEquals
            if value.is_empty() =>
        {
            format!("something is missing behind {}", param())
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let why = match (text(ContextKind::ValidValue), error.source()) {
                (Some(_), _) => format!("it is one of: {}", values(error)),
                (None, Some(why)) => reason(why),
                (None, None) => "it is none".into(),
            };
            format!("{value} cannot be {}: {why}", param())
        }
        ErrorKind::TooManyValues => format!("{value} is one word too many for {}", param()),
        ErrorKind::ArgumentConflict => {
            let other = named(&text(ContextKind::PriorArg).unwrap_or_default());
            match param() {
                one if one == other => format!("{one} can be said only once"),
                one => format!("{one} and {other} cannot go together"),
            }
        }
        ErrorKind::MissingRequiredArgument => {
            let params = param();
            format!("{params} {} missing", if params.contains(" and ") { "are" } else { "is" })
        }
        ErrorKind::InvalidUtf8 => "it is not text in UTF-8".into(),
        _ => "it is not understood".into(),
    })
}

/// The values that there are.
fn values(error: &clap::Error) -> String {
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) => values.join(", "),
        _ => String::new(),
    }
}

/// What is too much: an option that does not exist, or a word.
fn unknown(what: &str, near: Option<String>, command: &Command) -> String {
    if what.starts_with('-') && what.len() > 1 {
        let hint = near.map(|near| format!(", but there is {near}")).unwrap_or_default();
        return format!("there is no option {what}{hint}");
    }
    let takes = |text: &str| {
        command
            .get_arguments()
            .flat_map(|arg| arg.get_value_names().unwrap_or_default())
            .any(|name| name.contains(text))
    };
    let quotes =
        if TEXTS.iter().any(|text| takes(text)) { "; put what has spaces between quotes: \"two words\"" } else { "" };
    format!("{what} is one word too many{quotes}")
}

/// `--up <RATE>` as a person writes it: `--up RATE`.
fn named(param: &str) -> String {
    param.replace(['<', '>'], "").replace("...", "")
}

/// Why a value is none, where what found out says it in the words of a programmer.
fn reason(why: &(dyn Error + 'static)) -> String {
    if why.is::<ParseIntError>() {
        "a whole number is needed, such as 3".into()
    } else if why.is::<AddrParseError>() {
        "an address and a port are needed, such as 127.0.0.1:9090".into()
    } else {
        why.to_string()
    }
}

/// What is said in a shell: what is wrong, an example, and where there is more.
pub fn in_shell(error: &clap::Error, line: &Command, words: impl Iterator<Item = OsString>) -> Option<String> {
    let called: Vec<OsString> = words.skip(1).collect();
    let command = called.iter().find_map(|word| line.find_subcommand(word));
    let wrong = wrong(error, command.unwrap_or(line))?;
    let Some(command) = command else { return Some(format!("{wrong}; what there is: peer --help")) };
    let name = command.get_name();
    let example = example(command).map(|example| format!("; for example: {example}")).unwrap_or_default();
    Some(format!("{wrong}{example}; more: peer {name} --help"))
}

/// The first example of its help.
fn example(command: &Command) -> Option<String> {
    let help = command.get_after_help()?.to_string();
    let begin = format!("peer {}", command.get_name());
    help.lines().find_map(|line| {
        let example = line.trim().split("    #").next()?;
        example.contains(&begin).then(|| example.to_string())
    })
}

#[cfg(test)]
pub mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Line;

    /// Words by which a person would see that a library speaks.
    pub const JARGON: [&str; 8] =
        ["usage:", "tip:", "error:", "argument", "subcommand", "<", "invalid digit", "for more information"];

    fn told(words: &[&str]) -> Option<String> {
        let line = Line::command();
        let words = || std::iter::once("peer").chain(words.iter().copied()).map(OsString::from);
        let error = line.clone().try_get_matches_from(words()).err()?;
        in_shell(&error, &line, words())
    }

    #[test]
    fn what_is_wrong_with_any_command_is_told_in_plain_words_with_an_example() {
        let nonsense: [&[&str]; 6] = [
            &[],
            &["bad name!"],
            &["x", "y", "z", "w"],
            &["--nonsense"],
            &["--as"],
            &["-7", "x/y", "bad name!", "\u{1b}"],
        ];
        let mut refused = 0;
        for command in Line::command().get_subcommands() {
            for rest in nonsense {
                let words: Vec<&str> = [command.get_name()].iter().chain(rest).copied().collect();
                let Some(told) = told(&words) else { continue };
                refused += 1;
                let plain = !JARGON.iter().any(|word| told.to_lowercase().contains(word));
                assert!(plain && !told.contains('\n'), "{words:?}: {told}");
                assert!(
                    told.contains("for example: ") && told.contains(&format!("peer {}", words[0])),
                    "{words:?}: {told}"
                );
            }
        }
        assert!(refused > 100, "{refused}");
    }

    #[test]
    fn it_is_told_what_is_wrong() {
        let is = |words: &[&str], begins: &str| {
            let told = told(words).unwrap();
            assert!(told.starts_with(begins), "{told}");
        };
        is(&["join", "bad name!"], "bad name! cannot be ROOM: a room name holds only letters, digits");
        is(&["limit", "x"], "x is one word too many; for example: peer limit --up 2M/s");
        is(&["limit", "--up", "x"], "x cannot be --up RATE: ");
        is(&["limit", "--up"], "something is missing behind --up RATE; ");
        is(
            &["create", "den", "--topic", "secret", "things"],
            "things is one word too many; put what has spaces between",
        );
        is(&["create", "den", "--aproval"], "there is no option --aproval, but there is --approval; ");
        is(&["say"], "ROOM and TEXT are missing");
        is(&["pause", "x"], "x cannot be ID: a whole number is needed");
        is(&["sya"], "there is no command sya, but there is ");
        is(&["export", "lobby", "--format", "xml"], "xml cannot be --format FORMAT: it is one of: text, json");
        is(&["book", "--import", "a", "--export", "b"], "--");
        assert_eq!(told(&["join", "--help"]), None);
    }
}
