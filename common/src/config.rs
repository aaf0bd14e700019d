//! Settings: from a file of TOML, in which a key that does not exist is refused with the nearest one that does, and from
//! variables, which go before the file.

use std::{env, fs, io, path::Path, path::PathBuf};

use serde::{Serialize, de::DeserializeOwned};

use crate::why;

/// How far a misspelt key may be from the setting that is meant: so many letters.
const NEAR_KEY: usize = 3;
/// The same of a variable. It is less, since variables of others begin like ours.
const NEAR_VARIABLE: usize = 2;

/// All settings of a program: a flat struct with `#[serde(default)]`, whose fields are the settings.
pub trait Settings: Default + Serialize + DeserializeOwned {
    /// What a variable's name begins with; the rest is the setting's name in capitals.
    const PREFIX: &str;
    /// Variables that begin like that and are no settings.
    const OTHER_VARIABLES: &[&str];

    /// What a setting takes, such as `ADDR:PORT, such as [::]:0`; `None` if its default shows that, or if the error of its
    /// own type says so.
    fn takes(setting: &str) -> Option<&'static str>;

    /// Refuses settings that are each fine and do not go together, or that nothing works with.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Why a config cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the config {}: {}", path.display(), unread(cause, path))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said, which the text tells in its own words.
        cause: io::Error,
    },
    /// A key that no setting has.
    #[error("{}: there is no setting {key:?}{}", path.display(), hint.as_ref().map(|h| format!("; did you mean {h:?}?")).unwrap_or_default())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// The nearest setting, if one is near.
        hint: Option<String>,
    },
    /// A variable that is almost one of a setting.
    #[error("there is no variable {name}; did you mean {hint}?")]
    UnknownVariable {
        /// What it is called.
        name: String,
        /// The nearest one that is a setting's.
        hint: String,
    },
    /// Not TOML, or a value that the setting does not take.
    #[error("{place}: {reason}")]
    Malformed {
        /// The file and the line, or the variable.
        place: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
}

fn unread(source: &io::Error, path: &Path) -> String {
    match source.kind() {
        io::ErrorKind::NotFound => "there is no such file; check --config".into(),
        io::ErrorKind::PermissionDenied => {
            format!("it is not yours to read; see whose it is: ls -l {}", path.display())
        }
        _ => format!("{}; name a file of settings: --config FILE", why(source)),
    }
}

/// Reads the config at `path`; settings it does not name have their defaults. If there is no such file, all have,
/// unless `must_exist`: then a person has named it, and its absence is an error.
pub fn load<T: Settings>(path: &Path, must_exist: bool) -> Result<T, ConfigError> {
    match fs::read_to_string(path) {
        Ok(text) => parse(path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => Ok(T::default()),
        Err(cause) => Err(ConfigError::Io { path: path.to_owned(), cause }),
    }
}

/// Reads a config from its text; `path` is for errors.
pub fn parse<T: Settings>(path: &Path, text: &str) -> Result<T, ConfigError> {
    let malformed = |error: &toml::de::Error, reason: String| {
        let line = error.span().map(|span| line(text, span.start)).unwrap_or_default();
        ConfigError::Malformed { place: format!("{}{line}", path.display()), reason }
    };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        malformed(&error, format!("{}; a setting is a line such as: name = \"value\"", one_line(error.message())))
    })?;
    let known = toml::Table::try_from(T::default()).map_err(|error| broken(&error))?;
    if let Some(key) = table.keys().find(|key| !known.contains_key(*key)) {
        let hint = nearest(key, known.keys(), NEAR_KEY);
        return Err(ConfigError::UnknownKey { path: path.to_owned(), key: key.clone(), hint });
    }
    toml::from_str(text).map_err(|error| {
        let refused = |(key, value): (&String, &toml::Value)| {
            Some(objection::<T>(key, known.get(key)?, value, &alone::<T>(key, value).err()?))
        };
        let reason = table.iter().find_map(refused);
        malformed(&error, reason.unwrap_or_else(|| one_line(error.message())))
    })
}

/// The file at `path`, as [`load`] reads it, with the variables of this process over it.
pub fn load_with_variables<T: Settings>(path: &Path, must_exist: bool) -> Result<T, ConfigError> {
    check_variables::<T>(env::vars_os().filter_map(|(name, _)| name.into_string().ok()))?;
    let settings: T = with_variables(load(path, must_exist)?, |variable| env::var(variable).ok())?;
    let place = path.display().to_string();
    settings.check().map_err(|reason| ConfigError::Malformed { place, reason })?;
    Ok(settings)
}

/// `settings` with those replaced that `read` has a variable for. Texts stand in a variable without quotes, all else as in
/// the file.
pub fn with_variables<T: Settings>(settings: T, read: impl Fn(&str) -> Option<String>) -> Result<T, ConfigError> {
    let mut table = toml::Table::try_from(settings).map_err(|error| broken(&error))?;
    let known = toml::Table::try_from(T::default()).map_err(|error| broken(&error))?;
    for (key, value) in table.iter_mut() {
        let variable = format!("{}{}", T::PREFIX, key.to_uppercase());
        let Some(text) = read(&variable) else { continue };
        let default = known.get(key).unwrap_or(value);
        let as_text = || toml::Value::String(text.clone());
        let set = match default {
            toml::Value::String(_) => as_text(),
            // What is no value at all is refused as a text in its place.
            _ => as_in_file(&text).unwrap_or_else(as_text),
        };
        if let Err(error) = alone::<T>(key, &set) {
            let reason = objection::<T>(key, default, &set, &error);
            return Err(ConfigError::Malformed { place: variable, reason });
        }
        *value = set;
    }
    table.try_into().map_err(|error: toml::de::Error| broken(&error))
}

/// Refuses a variable among `names` that is almost one of a setting: it would be passed over in silence.
pub fn check_variables<T: Settings>(names: impl Iterator<Item = String>) -> Result<(), ConfigError> {
    let table = toml::Table::try_from(T::default()).map_err(|error| broken(&error))?;
    let known: Vec<String> = table.keys().map(|key| format!("{}{}", T::PREFIX, key.to_uppercase())).collect();
    for name in names.filter(|name| name.starts_with(T::PREFIX)) {
        let is_known = known.contains(&name) || T::OTHER_VARIABLES.contains(&name.as_str());
        if let Some(hint) = nearest(&name, known.iter(), NEAR_VARIABLE).filter(|_| !is_known) {
            return Err(ConfigError::UnknownVariable { name, hint });
        }
    }
    Ok(())
}

/// The setting alone, so that an error is its own.
fn alone<T: Settings>(key: &str, value: &toml::Value) -> Result<T, toml::de::Error> {
    toml::Table::from_iter([(key.to_string(), value.clone())]).try_into()
}

/// Why a setting does not take a value.
fn objection<T: Settings>(key: &str, default: &toml::Value, value: &toml::Value, error: &toml::de::Error) -> String {
    if let Some(takes) = T::takes(key) {
        return format!("{key} is {takes}");
    }
    match default {
        toml::Value::Integer(default) => format!("{key} is a whole number, 0 or more, such as {default}"),
        toml::Value::Boolean(_) => format!("{key} is true or false"),
        toml::Value::String(_) if !value.is_str() => format!("{key} is a text in quotes, such as {key} = {default}"),
        _ => format!("{key}: {}", one_line(error.message())),
    }
}

/// A value as it is written in the file.
fn as_in_file(text: &str) -> Option<toml::Value> {
    format!("value = {text}").parse::<toml::Table>().ok()?.remove("value")
}

fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a String>, most: usize) -> Option<String> {
    let nearest = known.map(|known| (strsim::damerau_levenshtein(known, word), known)).min();
    nearest.filter(|(distance, _)| *distance <= most).map(|(_, known)| known.clone())
}

/// That the settings themselves cannot be told as TOML, which their tests look for.
fn broken(error: &impl ToString) -> ConfigError {
    ConfigError::Malformed { place: "the settings".into(), reason: one_line(&error.to_string()) }
}

/// Where in a text a byte is, for a person: `, line 3`.
pub fn line(text: &str, at: usize) -> String {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    format!(", line {}", before.iter().filter(|byte| **byte == b'\n').count() + 1)
}

/// What is wrong with a text of TOML, on one line: where, and how.
pub fn fault_of(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map(|span| line(text, span.start)).unwrap_or_default();
    format!("{}{line}", one_line(error.message()))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An address that may be missing: TOML has no null, and an empty text stands for it.
pub mod empty_is_none {
    use std::net::SocketAddr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes it.
    pub fn serialize<S: Serializer>(value: &Option<SocketAddr>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.map(|address| address.to_string()).unwrap_or_default())
    }

    /// Reads it.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(D::Error::custom) }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use serde::Deserialize;

    use super::*;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(default)]
    struct Values {
        keep_alive_s: u64,
        domain: String,
        listen: SocketAddr,
        bell: bool,
    }

    impl Default for Values {
        fn default() -> Self {
            Values { keep_alive_s: 5, domain: "lan".into(), listen: ([0; 4], 0).into(), bell: true }
        }
    }

    impl Settings for Values {
        const PREFIX: &str = "ROLLCALL_";
        const OTHER_VARIABLES: &[&str] = &["ROLLCALL_DOMAINS"];

        fn takes(setting: &str) -> Option<&'static str> {
            (setting == "listen").then_some("ADDR:PORT, such as [::]:0")
        }
    }

    fn read(text: &str) -> Result<Values, String> {
        parse(Path::new("x.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_named_has_its_default() {
        assert_eq!(read("domain = 'home'"), Ok(Values { domain: "home".into(), ..Values::default() }));
    }

    #[test]
    fn a_misspelt_key_is_refused_with_the_nearest_one() {
        assert_eq!(
            read("keepalive_s = 3").unwrap_err(),
            "x.toml: there is no setting \"keepalive_s\"; did you mean \"keep_alive_s\"?"
        );
        assert_eq!(read("colour = 3").unwrap_err(), "x.toml: there is no setting \"colour\"");
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_with_its_line_and_what_would_be_right() {
        for (text, told) in [
            ("\nkeep_alive_s = 'long'", "x.toml, line 2: keep_alive_s is a whole number, 0 or more, such as 5"),
            ("keep_alive_s = -1", "x.toml, line 1: keep_alive_s is a whole number, 0 or more, such as 5"),
            ("bell = 1", "x.toml, line 1: bell is true or false"),
            ("domain = 7", "x.toml, line 1: domain is a text in quotes, such as domain = \"lan\""),
            ("listen = 'there'", "x.toml, line 1: listen is ADDR:PORT, such as [::]:0"),
        ] {
            assert_eq!(read(text).unwrap_err(), told);
        }
        let error = read("bell = true\ndomain\n").unwrap_err();
        assert!(error.starts_with("x.toml, line 2: ") && !error.contains('\n'), "{error}");
    }

    #[test]
    fn a_variable_that_does_not_fit_is_refused_as_the_file_is() {
        let with = |name: &'static str, text: &'static str| {
            let read = move |variable: &str| (variable == name).then(|| text.to_string());
            with_variables(Values::default(), read).map_err(|error| error.to_string())
        };
        assert_eq!(with("ROLLCALL_DOMAIN", "7").unwrap().domain, "7");
        assert!(!with("ROLLCALL_BELL", "false").unwrap().bell);
        for (name, text, told) in [
            ("ROLLCALL_KEEP_ALIVE_S", "-1", "keep_alive_s is a whole number, 0 or more, such as 5"),
            ("ROLLCALL_KEEP_ALIVE_S", "much", "keep_alive_s is a whole number, 0 or more, such as 5"),
            ("ROLLCALL_BELL", "often", "bell is true or false"),
            ("ROLLCALL_LISTEN", "there", "listen is ADDR:PORT, such as [::]:0"),
        ] {
            assert_eq!(with(name, text).unwrap_err(), format!("{name}: {told}"));
        }
    }

    #[test]
    fn a_misspelt_variable_is_refused_and_one_of_somebody_else_is_not() {
        let check = |name: &str| check_variables::<Values>([name.to_string()].into_iter());
        let told = "there is no variable ROLLCALL_DOMIAN; did you mean ROLLCALL_DOMAIN?";
        assert_eq!(check("ROLLCALL_DOMIAN").unwrap_err().to_string(), told);
        for fine in ["ROLLCALL_DOMAIN", "ROLLCALL_DOMAINS", "ROLLCALL_TRACKER_DOMAIN", "DOMIAN"] {
            assert!(check(fine).is_ok(), "{fine}");
        }
    }

    #[test]
    fn a_named_file_that_is_missing_is_an_error_and_another_is_not() {
        let path = Path::new("/nonexistent/x.toml");
        let told = "cannot read the config /nonexistent/x.toml: there is no such file; check --config";
        assert_eq!(load::<Values>(path, true).unwrap_err().to_string(), told);
        let folder = load::<Values>(Path::new("/"), true).unwrap_err().to_string();
        assert_eq!(folder, "cannot read the config /: it is a folder; name a file of settings: --config FILE");
        assert_eq!(load::<Values>(path, false).unwrap(), Values::default());
    }
}
