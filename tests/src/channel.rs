//! Reads recordings of a real IRC channel: people typing at each other, as `data/ubuntu-irc` holds them.

use std::collections::BTreeMap;

/// Something that happened in the channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ChannelEvent {
    /// Somebody said something.
    Said {
        /// Who.
        speaker: String,
        /// What, to the byte.
        text: String,
    },
    /// Somebody told what they are doing.
    Acted {
        /// Who.
        speaker: String,
        /// What, to the byte.
        text: String,
    },
    /// Somebody came.
    Joined(String),
    /// Somebody went.
    Left(String),
    /// Somebody goes by another name.
    Renamed {
        /// The old one.
        from: String,
        /// The new one.
        to: String,
    },
}

/// What happened, in the order in which it did. Changes of the channel's modes are left out: there is nothing like them
/// here.
pub fn parse(recording: &str) -> Vec<ChannelEvent> {
    recording.lines().filter_map(event).collect()
}

/// How many messages each speaker has said, the busiest first; among equals, by name.
pub fn speakers(events: &[ChannelEvent]) -> Vec<(&str, usize)> {
    let mut counts = BTreeMap::<&str, usize>::new();
    for event in events {
        if let ChannelEvent::Said { speaker, .. } = event {
            *counts.entry(speaker).or_default() += 1;
        }
    }
    let mut speakers: Vec<_> = counts.into_iter().collect();
    speakers.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    speakers
}

/// A legal account name for an IRC nick. Different nicks have different names: a character that names may not hold is
/// written as its code in hexadecimal between two dots, so is a dot itself, and a name that would begin with one of
/// these gets `_..` before it.
///
/// Gives nothing for the rare nick that would become too long.
pub fn account_name(nick: &str) -> Option<String> {
    let mut name = String::new();
    for (at, character) in nick.char_indices() {
        if character.is_ascii_alphanumeric() || character == '_' || (character == '-' && at > 0) {
            name.push(character);
            continue;
        }
        if at == 0 {
            name.push_str("_..");
        }
        name.push_str(&format!(".{:x}.", u32::from(character)));
    }
    (!name.is_empty() && name.len() <= common::limits::NAME_CHARS).then_some(name)
}

fn event(line: &str) -> Option<ChannelEvent> {
    match line.strip_prefix("=== ") {
        Some(notice) => self::notice(notice),
        None => spoken(line.split_once("] ")?.1),
    }
}

/// `<nick> text`, or ` * nick text`.
fn spoken(line: &str) -> Option<ChannelEvent> {
    if let Some(action) = line.strip_prefix(" * ") {
        let (speaker, text) = action.split_once(' ')?;
        return Some(ChannelEvent::Acted { speaker: speaker.into(), text: text.into() });
    }
    let (speaker, text) = line.strip_prefix('<')?.split_once("> ")?;
    Some(ChannelEvent::Said { speaker: speaker.into(), text: text.into() })
}

/// `nick  has joined #channel`, `nick  has left #channel [why]`, `nick is now known as nick`; the older recording writes
/// actions as notices too.
fn notice(notice: &str) -> Option<ChannelEvent> {
    if notice.starts_with("mode/#") {
        return None;
    }
    if let Some((who, _)) = notice.split_once("  has joined #") {
        return Some(ChannelEvent::Joined(who.into()));
    }
    if let Some((who, _)) = notice.split_once("  has left #") {
        return Some(ChannelEvent::Left(who.into()));
    }
    if let Some((from, to)) = notice.split_once(" is now known as ") {
        return Some(ChannelEvent::Renamed { from: from.into(), to: to.into() });
    }
    let (speaker, text) = notice.split_once(' ')?;
    Some(ChannelEvent::Acted { speaker: speaker.into(), text: text.into() })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use common::AccountName;

    use super::*;

    const OLD: &str = include_str!("../data/ubuntu-irc/2007-06-04.txt");
    const NEW: &str = include_str!("../data/ubuntu-irc/2012-12-15.txt");

    #[test]
    fn the_recordings_hold_what_their_description_says() {
        for (recording, messages, people) in [(OLD, 1_377, 152), (NEW, 1_122, 137)] {
            let events = parse(recording);
            let speakers = speakers(&events);
            assert_eq!(speakers.iter().map(|(_, count)| count).sum::<usize>(), messages);
            assert_eq!(speakers.len(), people);
        }
        assert_eq!(speakers(&parse(NEW))[0], ("ikonia", 77));
    }

    #[test]
    fn no_line_but_a_mode_is_lost() {
        for recording in [OLD, NEW] {
            let modes = recording.lines().filter(|line| line.starts_with("=== mode/#")).count();
            assert_eq!(parse(recording).len(), recording.lines().count() - modes);
        }
    }

    #[test]
    fn every_kind_of_line_is_read() {
        let events = parse(
            "[19:41] <a|b> c: <d> \te \n[22:05]  * f dies a little\n=== g  has joined #ubuntu\n=== mode/#ubuntu  by h\n\
             === i  has left #ubuntu [\"Leaving\"]\n=== j is now known as k\n=== l bai bai",
        );
        let expected = [
            ChannelEvent::Said { speaker: "a|b".into(), text: "c: <d> \te ".into() },
            ChannelEvent::Acted { speaker: "f".into(), text: "dies a little".into() },
            ChannelEvent::Joined("g".into()),
            ChannelEvent::Left("i".into()),
            ChannelEvent::Renamed { from: "j".into(), to: "k".into() },
            ChannelEvent::Acted { speaker: "l".into(), text: "bai bai".into() },
        ];
        assert_eq!(events, expected);
    }

    #[test]
    fn every_speaker_has_a_legal_name_of_their_own() {
        let events = [parse(OLD), parse(NEW)].concat();
        let speakers = speakers(&events);
        let names: HashSet<String> = speakers.iter().map(|(nick, _)| account_name(nick).expect(nick)).collect();
        assert_eq!(names.len(), speakers.len());
        names.iter().for_each(|name| drop(name.parse::<AccountName>().expect(name)));
    }

    #[test]
    fn nicks_that_differ_have_names_that_differ() {
        let nicks = ["a|b", "a.7c.b", "a.b", "ab", "|a", "_|a", "_..7c.a", "-a", "_-a", "a-", "[a]"];
        let names: HashSet<_> = nicks.map(|nick| account_name(nick).unwrap()).into();
        assert_eq!(names.len(), nicks.len());
        assert_eq!(account_name("NET||abuse").as_deref(), Some("NET.7c..7c.abuse"));
        assert_eq!(account_name(&"|".repeat(20)), None);
        assert_eq!(account_name(""), None);
    }
}
