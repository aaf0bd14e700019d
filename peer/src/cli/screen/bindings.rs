//! Which key does what: as the config sets it, or by default.

use std::{collections::BTreeMap, fmt, str::FromStr};

use common::wire::control::{Exit, Refusal};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a key can be set to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Does {
    Close,
    NextRoom,
    PreviousRoom,
    Jump,
    Search,
    Pick,
    Receipts,
    Members,
    Complete,
    NewLine,
    PageUp,
    PageDown,
    Oldest,
    Newest,
    Redraw,
    Keys,
}

/// Everything that a key can be set to do: as the config calls it, and the keys that do it by default, of which the first
/// is the one that is told.
const DEFAULTS: [(Does, &str, &[&str]); 16] = [
    (Does::Close, "close", &["ctrl-q"]),
    (Does::NextRoom, "next_room", &["ctrl-n", "alt-down"]),
    (Does::PreviousRoom, "previous_room", &["alt-up"]),
    (Does::Jump, "jump", &["ctrl-k"]),
    (Does::Search, "search", &["ctrl-f"]),
    (Does::Pick, "pick", &["ctrl-up", "ctrl-o"]),
    (Does::Receipts, "receipts", &["ctrl-r"]),
    (Does::Members, "members", &["ctrl-p", "f2"]),
    (Does::Complete, "complete", &["tab"]),
    (Does::NewLine, "new_line", &["alt-enter", "ctrl-j"]),
    (Does::PageUp, "page_up", &["pageup"]),
    (Does::PageDown, "page_down", &["pagedown"]),
    (Does::Oldest, "oldest", &["ctrl-home"]),
    (Does::Newest, "newest", &["end", "ctrl-end"]),
    (Does::Redraw, "redraw", &["ctrl-l"]),
    (Does::Keys, "keys", &["f1"]),
];

/// Names of keys that are no characters.
const NAMED: [(&str, KeyCode); 14] = [
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
];

/// A key, with what is held while it is pressed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Key {
    code: KeyCode,
    control: bool,
    alt: bool,
}

/// Which key does what.
#[derive(Clone, Debug)]
pub struct Bindings(Vec<(Key, Does)>);

impl Default for Bindings {
    fn default() -> Bindings {
        let keys = |(does, _, keys): (Does, &str, &'static [&str])| {
            // They are all keys: see the tests.
            keys.iter().filter_map(move |key| Some((key.parse().ok()?, does)))
        };
        Bindings(DEFAULTS.into_iter().flat_map(keys).collect())
    }
}

impl Bindings {
    /// As the table `keys` of the config has them: what a key does, and which it is.
    pub fn of_config(set: &BTreeMap<String, String>) -> Result<Bindings, Refusal> {
        let refused = |why: String| Refusal::new(Exit::Refused, format!("the config's [keys]: {why}"));
        let Bindings(mut all) = Bindings::default();
        let mut chosen: Vec<(Key, Does)> = Vec::new();
        for (name, key) in set {
            let does = named(name).ok_or_else(|| refused(unknown(name)))?;
            let key: Key = key.parse().map_err(|why| refused(format!("{name} = {key:?}: {why}")))?;
            chosen.push((key, does));
        }
        all.retain(|(_, does)| chosen.iter().all(|(_, other)| other != does));
        for (at, (key, does)) in chosen.iter().enumerate() {
            let is_first = |other: &Does| first(&all, *other) == Some(*key);
            let left = all.iter().find(|(other, does)| other == key && is_first(does));
            if let Some((_, other)) = chosen[..at].iter().find(|(other, _)| other == key).or(left) {
                let (one, two) = (name(*other), name(*does));
                let why = format!("{key} is for {one} and for {two}; give one of them another key");
                return Err(refused(why));
            }
        }
        // Second keys give way to what was chosen.
        all.retain(|(key, _)| chosen.iter().all(|(other, _)| other != key));
        chosen.extend(all);
        Ok(Bindings(chosen))
    }

    /// What a key does, if it is set to do anything.
    pub fn of(&self, event: &KeyEvent) -> Option<Does> {
        let pressed = Key::from(event);
        self.0.iter().find(|(key, _)| *key == pressed).map(|(_, does)| *does)
    }

    /// The key that is told to who asks.
    pub fn shown(&self, does: Does) -> String {
        first(&self.0, does).map(|key| key.to_string()).unwrap_or_default()
    }

    /// All of them.
    pub fn all_shown(&self, does: Does) -> String {
        let keys = self.0.iter().filter(|(_, other)| *other == does).map(|(key, _)| key.to_string());
        keys.collect::<Vec<_>>().join(", ")
    }
}

fn first(all: &[(Key, Does)], does: Does) -> Option<Key> {
    all.iter().find(|(_, other)| *other == does).map(|(key, _)| *key)
}

fn named(name: &str) -> Option<Does> {
    DEFAULTS.iter().find(|(_, other, _)| *other == name).map(|(does, ..)| *does)
}

fn name(does: Does) -> &'static str {
    DEFAULTS.iter().find(|(other, ..)| *other == does).map_or("", |(_, name, _)| *name)
}

fn unknown(name: &str) -> String {
    let nearest = DEFAULTS.iter().map(|(_, other, _)| (strsim::damerau_levenshtein(other, name), *other)).min();
    let hint = nearest.filter(|(distance, _)| *distance <= 3).map(|(_, nearest)| format!(", but there is {nearest}"));
    let all = DEFAULTS.map(|(_, name, _)| name).join(", ");
    format!("a key can do nothing called {name:?}{}; it can be set for: {all}", hint.unwrap_or_default())
}

impl From<&KeyEvent> for Key {
    fn from(event: &KeyEvent) -> Key {
        let code = match event.code {
            KeyCode::Char(c) => KeyCode::Char(c.to_ascii_lowercase()),
            code => code,
        };
        let has = |modifier| event.modifiers.contains(modifier);
        Key { code, control: has(KeyModifiers::CONTROL), alt: has(KeyModifiers::ALT) }
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Key, String> {
        let text = text.to_ascii_lowercase();
        let (mut rest, mut control, mut alt) = (text.as_str(), false, false);
        loop {
            if let Some(behind) = rest.strip_prefix("ctrl-") {
                (rest, control) = (behind, true);
            } else if let Some(behind) = rest.strip_prefix("alt-") {
                (rest, alt) = (behind, true);
            } else {
                break;
            }
        }
        let named = NAMED.iter().find(|(name, _)| name.eq_ignore_ascii_case(rest)).map(|(_, code)| *code);
        let function = || rest.strip_prefix('f')?.parse().ok().filter(|n| (1..=12).contains(n)).map(KeyCode::F);
        let character = || {
            let mut characters = rest.chars();
            characters.next().filter(|c| !c.is_control() && characters.next().is_none()).map(KeyCode::Char)
        };
        let code = named.or_else(function).or_else(character);
        let code = code.ok_or("this is no key; write it as ctrl-f, alt-up, f3 or pagedown")?;
        let is_held = control || alt;
        let moves = matches!(code, KeyCode::Tab | KeyCode::Insert | KeyCode::End | KeyCode::PageUp | KeyCode::PageDown);
        if !is_held && !moves && !matches!(code, KeyCode::F(_)) {
            return Err("this key is for typing; put ctrl- or alt- before it, or take another".into());
        }
        if control && !alt && matches!(code, KeyCode::Char('c' | 'h' | 'i' | 'm' | '[')) {
            return Err("terminals have another use for this key; take another".into());
        }
        Ok(Key { code, control, alt })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = format!("{}{}", if self.control { "ctrl-" } else { "" }, if self.alt { "alt-" } else { "" });
        match self.code {
            KeyCode::Char(c) => write!(f, "{held}{}", c.to_ascii_uppercase()),
            KeyCode::F(n) => write!(f, "{held}F{n}"),
            code => {
                let name = NAMED.iter().find(|(_, other)| *other == code).map_or("", |(name, _)| *name);
                write!(f, "{held}{name}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = include_str!("../../../../config/peer.toml");

    fn set(pairs: &[(&str, &str)]) -> Result<Bindings, String> {
        let set = pairs.iter().map(|(name, key)| (name.to_string(), key.to_string())).collect();
        Bindings::of_config(&set).map_err(|refusal| refusal.message)
    }

    fn does(bindings: &Bindings, key: &str) -> Option<Does> {
        let Key { code, control, alt } = key.parse().unwrap();
        let mut modifiers = KeyModifiers::NONE;
        modifiers.set(KeyModifiers::CONTROL, control);
        modifiers.set(KeyModifiers::ALT, alt);
        bindings.of(&KeyEvent::new(code, modifiers))
    }

    #[test]
    fn every_default_is_a_key_of_its_own_and_the_shown_config_has_them() {
        let all: Vec<Key> = DEFAULTS.iter().flat_map(|(_, _, keys)| *keys).map(|key| key.parse().unwrap()).collect();
        assert!(all.iter().enumerate().all(|(at, key)| !all[..at].contains(key)));
        let (_, shown) = SHOWN.split_once("[keys]\n").unwrap();
        let told: Vec<String> = DEFAULTS.iter().map(|(_, name, keys)| format!("# {name} = \"{}\"", keys[0])).collect();
        assert_eq!(shown.lines().collect::<Vec<_>>(), told);
    }

    #[test]
    fn a_key_that_is_set_takes_the_place_of_the_default() {
        let bindings = set(&[("search", "ctrl-s"), ("members", "F3")]).unwrap();
        assert_eq!(does(&bindings, "ctrl-s"), Some(Does::Search));
        assert_eq!(does(&bindings, "ctrl-f"), None);
        assert_eq!((does(&bindings, "f3"), does(&bindings, "f2")), (Some(Does::Members), None));
        assert_eq!(bindings.shown(Does::Search), "ctrl-S");
        // A second key gives way.
        assert_eq!(does(&set(&[("search", "f2")]).unwrap(), "f2"), Some(Does::Search));
        // Two may change places.
        let swapped = set(&[("search", "ctrl-k"), ("jump", "ctrl-f")]).unwrap();
        assert_eq!((does(&swapped, "ctrl-k"), does(&swapped, "ctrl-f")), (Some(Does::Search), Some(Does::Jump)));
    }

    #[test]
    fn what_cannot_be_set_is_refused_with_what_to_do() {
        for (pairs, why) in [
            (&[("serch", "ctrl-s")][..], "there is search"),
            (&[("search", "ctrl-ff")], "ctrl-f, alt-up"),
            (&[("search", "f")], "ctrl- or alt-"),
            (&[("search", "enter")], "ctrl- or alt-"),
            (&[("search", "ctrl-i")], "take another"),
            (&[("search", "ctrl-k")], "ctrl-K is for jump and for search; give one of them another key"),
            (&[("search", "f5"), ("jump", "f5")], "F5 is for jump and for search"),
        ] {
            let error = set(pairs).unwrap_err();
            assert!(error.starts_with("the config's [keys]: ") && error.contains(why), "{pairs:?}: {error}");
        }
    }
}
