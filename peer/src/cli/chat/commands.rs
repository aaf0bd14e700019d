//! The commands of the chat. They take what those of the command line take, in the same order, but for the room: where
//! none is named, it is the one of the prompt.

use common::{AccountName, RoomName, content::Content, content::Kind, table::Role, wire::control::Order};

use super::{
    action::Action,
    files, people,
    talk::Talk,
    words::{self, Bad},
};
use crate::cli::{door, export, text};

/// A command.
pub struct Command {
    /// What is typed behind the slash.
    pub name: &'static str,
    /// What it takes, as it is shown.
    params: &'static str,
    /// The same, for example.
    example: &'static str,
    /// What it does, in a few words.
    help: &'static str,
    /// What a line asks for that has this behind the name.
    typed: fn(&Talk, &str) -> Result<Action, Bad>,
}

/// Commands that belong together.
struct Group {
    name: &'static str,
    about: &'static str,
    commands: &'static [Command],
}

const fn command(
    name: &'static str,
    params: &'static str,
    example: &'static str,
    help: &'static str,
    typed: fn(&Talk, &str) -> Result<Action, Bad>,
) -> Command {
    Command { name, params, example, help, typed }
}

const GROUPS: [Group; 6] = [
    Group {
        name: "talk",
        about: "what is said, and what is done to it",
        commands: &[
            command("me", "TEXT", "waves", "tell what you do", |talk, rest| {
                talk.say_as(rest, |_, text| Ok(Content { kind: Kind::Action, ..text.into() }))
            }),
            command("reply", "[ID] TEXT", "so do I", "answer a message, or the last of another", |talk, rest| {
                talk.say_as(rest, |latest, rest| latest.reply(rest))
            }),
            command(
                "edit",
                "[ID] TEXT",
                "lunch at two",
                "give a message of yours, or your last one, another text",
                |talk, rest| talk.do_as(rest, |latest, rest| latest.edit(rest)),
            ),
            command("delete", "[ID]", "", "take a message of yours, or your last one, back", Talk::take_back),
            command("react", "[ID] EMOJI", "👍", "react to a message, or the last of another", |talk, rest| {
                talk.do_as(rest, |latest, rest| latest.react(rest))
            }),
            command(
                "msg",
                "NAME [TEXT]",
                "bob lunch?",
                "say something to one person, and go on with them",
                people::tell,
            ),
            command("chats", "", "", "all your conversations", people::chats),
            command("read", "[ROOM]", "", "mark a conversation as read", |talk, rest| {
                Ok(Action::MarkRead(talk.or_room(rest)?))
            }),
            command("search", "WORDS", "lunch", "what was said with these words", |talk, rest| match rest {
                "" => Err(Bad::Usage),
                words => Ok(Action::Search(talk.room()?, words.into())),
            }),
            command(
                "goto",
                "TIME",
                "2d",
                "what was said at that time: a date (2026-05-01), a date and time, or an age (2d)",
                |talk, rest| match rest {
                    "" => Err(Bad::Usage),
                    time => Ok(Action::Goto(talk.room()?, export::moment(time).map_err(Bad::Params)?)),
                },
            ),
        ],
    },
    Group {
        name: "rooms",
        about: "going to rooms and making them",
        commands: &[
            command("join", "ROOM", "lobby", "become a member of a room, or go to one that you are in", |_, rest| {
                Ok(Action::Join(words::one(rest)?))
            }),
            command("leave", "[ROOM]", "lobby", "stop being a member", |talk, rest| {
                Ok(Action::Leave(talk.or_room(rest)?))
            }),
            command("who", "[ROOM]", "lobby", "who is in it", |talk, rest| Ok(Action::Who(talk.or_room(rest)?))),
            command("rooms", "", "", "the rooms there are", |_, rest| words::none(rest, Action::Rooms)),
            command(
                "create",
                "ROOM [--approval] [--private] [--history all] [--topic TEXT]",
                "den --approval --topic \"the cellar\"",
                "make a room that is yours",
                |_, rest| Ok(Action::Create(words::as_command::<door::Create>(rest)?.params())),
            ),
            command("topic", "[TEXT]", "the cellar", "what the room is about; \"\" takes it away", |talk, rest| {
                let room = talk.room()?;
                Ok(match rest {
                    "" => Action::Topic(room),
                    "\"\"" | "''" => Action::Order(room, Order::Topic { topic: String::new() }),
                    topic => Action::Order(room, Order::Topic { topic: topic.into() }),
                })
            }),
        ],
    },
    Group {
        name: "door",
        about: "running a room: who is let in, who is put out, who may do that",
        commands: &[
            command("requests", "[ROOM]", "den", "who asks to be let in", |talk, rest| {
                Ok(Action::Requests(talk.or_room(rest)?))
            }),
            command(
                "accept",
                "[ROOM] NAME",
                "bob",
                "let somebody in; or say yes to who asks to be a contact",
                |talk, rest| decide(talk, rest, true),
            ),
            command(
                "decline",
                "[ROOM] NAME",
                "bob",
                "do not let them in; or say no to who asks to be a contact",
                |talk, rest| decide(talk, rest, false),
            ),
            command("kick", "[ROOM] NAME", "bob", "remove somebody, who may join again or ask to", |talk, rest| {
                order(talk, rest, |name| Order::Remove { name, ban: false })
            }),
            command("ban", "[ROOM] NAME", "bob", "remove somebody for good", |talk, rest| {
                order(talk, rest, |name| Order::Remove { name, ban: true })
            }),
            command("unban", "[ROOM] NAME", "bob", "lift a ban", |talk, rest| {
                order(talk, rest, |name| Order::Unban { name })
            }),
            command("bans", "[ROOM]", "den", "who is banned", |talk, rest| Ok(Action::Bans(talk.or_room(rest)?))),
            command(
                "promote",
                "[ROOM] NAME [--demote]",
                "bob",
                "make somebody a moderator, or a member as others",
                |talk, rest| {
                    let (rest, demote) = words::flag(rest, "--demote");
                    let role = if demote { Role::Member } else { Role::Moderator };
                    order(talk, &rest, |name| Order::Role { name, role })
                },
            ),
            command("hand-over", "[ROOM] NAME", "bob", "make somebody else the owner", |talk, rest| {
                order(talk, rest, |name| Order::Role { name, role: Role::Owner })
            }),
        ],
    },
    Group { name: "files", about: "what is shared, and what is on its way to you", commands: files::COMMANDS },
    Group {
        name: "people",
        about: "contacts, who they really are, and how to find them without a tracker",
        commands: people::COMMANDS,
    },
    Group {
        name: "session",
        about: "yourself and this chat",
        commands: &[
            command("rename", "NAME", "alicia", "be called something else", |_, rest| {
                Ok(Action::Rename(words::one(rest)?))
            }),
            command("away", "", "", "be shown as away", |_, rest| words::none(rest, people::away(true))),
            command("back", "", "", "be shown as there again", |_, rest| words::none(rest, people::away(false))),
            command("help", "[WORD]", "kick", "this, or more of a command or of a group of them", |_, rest| {
                Ok(Action::Show(if rest.is_empty() { overview() } else { help(rest) }))
            }),
            command("logout", "", "", "end the session, here and wherever else it is shown", |_, rest| {
                words::none(rest, Action::Logout)
            }),
            command(
                "quit",
                "",
                "",
                "close this; a session of peer attach goes on, one of peer login ends",
                |_, rest| words::none(rest, Action::Quit),
            ),
        ],
    },
];

/// Other words for a command: of the command line, and such as people type.
const ALIASES: [(&str, &str); 9] = [
    ("members", "who"),
    ("handover", "hand-over"),
    ("exit", "quit"),
    ("part", "leave"),
    ("names", "who"),
    ("nick", "rename"),
    ("query", "msg"),
    ("dm", "msg"),
    ("q", "quit"),
];

impl Command {
    /// With its name and no parameters yet.
    pub const fn new(
        name: &'static str,
        params: &'static str,
        example: &'static str,
        help: &'static str,
        typed: fn(&Talk, &str) -> Result<Action, Bad>,
    ) -> Command {
        command(name, params, example, help, typed)
    }

    fn usage(&self) -> String {
        let params = if self.params.is_empty() { String::new() } else { format!(" {}", self.params) };
        format!("/{}{params}", self.name)
    }

    /// How it is typed and what it does, behind what is wrong with how it was.
    fn right(&self) -> String {
        let example = if self.example.is_empty() {
            String::new()
        } else {
            format!(", for example: /{} {}", self.name, self.example)
        };
        format!("it is {}: {}{example}", self.usage(), self.help)
    }
}

/// What a command that is typed without its slash asks for.
pub fn typed(talk: &Talk, line: &str) -> Action {
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let Some(command) = find(name) else { return Action::Show(format!("! {}", unknown(name))) };
    (command.typed)(talk, rest.trim()).unwrap_or_else(|bad| {
        let here = |why: &str| in_chat(why, &words::split(rest).unwrap_or_default());
        Action::Show(match bad {
            Bad::Usage => format!("! {}", command.right()),
            Bad::Params(why) => format!("! {}; {}", text::inline(&here(&why)), command.right()),
            Bad::Why(why) => format!("! {}", text::block(&here(&why), "  ")),
        })
    })
}

/// A text that names commands as they are typed in a shell, with the way they are typed here. What stands in it that is not
/// this program's words, such as names of files, stays as it is.
pub fn in_chat(text: &str, foreign: &[String]) -> String {
    // Anything else is not touched.
    let touched = foreign.iter().filter(|words| words.contains("peer "));
    let found = touched.filter_map(|words| {
        let (inline, exact) = (text::inline(words), text::exact(words));
        let at = |shown: &str| Some((text.find(shown)?, shown.len()));
        at(&exact).or_else(|| at(&inline))
    });
    // The longest that comes first: a path ends in the name.
    match found.min_by_key(|(at, length)| (*at, std::cmp::Reverse(*length))) {
        None => own_in_chat(text),
        Some((at, length)) => {
            let (before, rest) = text.split_at(at);
            let (kept, after) = rest.split_at(length);
            own_in_chat(before) + kept + &in_chat(after, foreign)
        }
    }
}

fn own_in_chat(text: &str) -> String {
    let mut parts = text.split("peer ");
    let mut shown = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(part.len());
        let begins = shown.chars().last().is_none_or(|before| !before.is_alphanumeric());
        shown += if begins && find(&part[..end]).is_some() { "/" } else { "peer " };
        shown += part;
    }
    shown
}

/// The names of all commands.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|command| command.name)
}

fn all() -> impl Iterator<Item = &'static Command> {
    GROUPS.iter().flat_map(|group| group.commands)
}

fn find(name: &str) -> Option<&'static Command> {
    let name = name.to_lowercase();
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name.as_str(), |(_, name)| name);
    all().find(|command| command.name == name)
}

fn unknown(name: &str) -> String {
    let nearest = all().map(|command| (strsim::damerau_levenshtein(command.name, name), command.name)).min();
    // Of a short word, one letter wrong is another word already.
    let is_near = |(distance, name): &(usize, &str)| *distance <= 2 && 3 * distance <= name.len();
    let hint = nearest.filter(is_near).map(|(_, name)| format!(", but there is /{name}"));
    let (name, hint) = (text::inline(name), hint.unwrap_or_default());
    format!("there is no /{name}{hint}; /help shows what there is, and //{name} says it")
}

fn overview() -> String {
    let mut shown = String::from("What begins with / is a command; anything else is said where the prompt says.");
    for group in &GROUPS {
        let names: Vec<String> = group.commands.iter().map(|command| format!("/{}", command.name)).collect();
        shown += &format!("\n  {:8} {}", group.name, names.join(" "));
    }
    shown + "\nMore of one: /help create. More of a line: /help rooms. //text says a text that begins with a slash."
}

fn help(word: &str) -> String {
    let word = word.trim_start_matches('/');
    // A group before a command of its name: that is among its lines.
    if let Some(group) = GROUPS.iter().find(|group| group.name == word) {
        let width = group.commands.iter().map(|command| command.usage().len()).filter(|width| *width < 30).max();
        let width = width.unwrap_or_default();
        let line = |command: &Command| format!("\n  {:width$}  {}", command.usage(), command.help);
        return format!("{}:{}", group.about, group.commands.iter().map(line).collect::<String>());
    }
    match find(word) {
        Some(command) => format!("{}: {}", command.usage(), command.help),
        None => format!("! {}", unknown(word)),
    }
}

/// `[ROOM] NAME`.
fn there(talk: &Talk, rest: &str) -> Result<(Option<RoomName>, AccountName), Bad> {
    match words::split(rest)?.as_slice() {
        [name] => Ok((talk.room().ok(), name.parse()?)),
        [room, name] => Ok((Some(room.parse()?), name.parse()?)),
        _ => Err(Bad::Usage),
    }
}

fn order(talk: &Talk, rest: &str, order: impl FnOnce(AccountName) -> Order) -> Result<Action, Bad> {
    let (room, name) = there(talk, rest)?;
    Ok(Action::Order(room.map_or_else(|| talk.room(), Ok)?, order(name)))
}

/// One who is named alone may ask for the one or for the other.
fn decide(talk: &Talk, rest: &str, accept: bool) -> Result<Action, Bad> {
    let (room, name) = there(talk, rest)?;
    let room = room.filter(RoomName::is_plain);
    Ok(match room {
        Some(room) if words::split(rest)?.len() == 2 => Action::Order(room, Order::Decide { name, accept }),
        room => Action::Decide { room, name, accept },
    })
}

#[cfg(test)]
#[path = "commands_tests.rs"]
mod tests;
