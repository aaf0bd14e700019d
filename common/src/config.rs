//! Config files: TOML, in which a key that does not exist is refused with the nearest one that does.

use std::{fs, io, path::Path, path::PathBuf};

use serde::{Serialize, de::DeserializeOwned};

/// Why a config cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the config {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
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
    /// Not TOML, or a value of the wrong kind.
    #[error("{}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
}

/// Reads the config at `path`; settings it does not name have their defaults. If there is no such file, all have,
/// unless `must_exist`: then a person has named it, and its absence is an error.
///
/// `T` is a flat struct with `#[serde(default)]`, whose fields are the settings.
pub fn load<T: Default + Serialize + DeserializeOwned>(path: &Path, must_exist: bool) -> Result<T, ConfigError> {
    match fs::read_to_string(path) {
        Ok(text) => parse(path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => Ok(T::default()),
        Err(source) => Err(ConfigError::Io { path: path.to_owned(), source }),
    }
}

/// Reads a config from its text; `path` is for errors.
pub fn parse<T: Default + Serialize + DeserializeOwned>(path: &Path, text: &str) -> Result<T, ConfigError> {
    let malformed = |reason: String| ConfigError::Malformed { path: path.to_owned(), reason };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| malformed(error.to_string()))?;
    let known = toml::Table::try_from(T::default()).map_err(|error| malformed(error.to_string()))?;
    if let Some(key) = table.keys().find(|key| !known.contains_key(*key)) {
        let nearest = known.keys().map(|k| (strsim::damerau_levenshtein(k, key), k)).min();
        let hint = nearest.filter(|(distance, _)| *distance <= 3).map(|(_, k)| k.clone());
        return Err(ConfigError::UnknownKey { path: path.to_owned(), key: key.clone(), hint });
    }
    toml::from_str(text).map_err(|error| malformed(error.to_string()))
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
    use serde::Deserialize;

    use super::*;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(default)]
    struct Settings {
        keep_alive_s: u64,
        domain: String,
    }

    impl Default for Settings {
        fn default() -> Self {
            Settings { keep_alive_s: 5, domain: "lan".into() }
        }
    }

    fn read(text: &str) -> Result<Settings, String> {
        parse(Path::new("x.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_named_has_its_default() {
        assert_eq!(read("domain = 'home'"), Ok(Settings { keep_alive_s: 5, domain: "home".into() }));
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
    fn a_value_of_the_wrong_kind_is_refused_with_its_place() {
        let error = read("\nkeep_alive_s = 'long'").unwrap_err();
        assert!(error.contains("line 2") && error.contains("keep_alive_s"), "{error}");
    }

    #[test]
    fn a_named_file_that_is_missing_is_an_error_and_another_is_not() {
        let path = Path::new("/nonexistent/x.toml");
        assert!(load::<Settings>(path, true).is_err());
        assert_eq!(load::<Settings>(path, false).unwrap(), Settings::default());
    }
}
