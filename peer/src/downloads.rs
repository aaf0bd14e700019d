//! Where files go that nobody asked for by name: the folder that the user's desktop keeps for downloads.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The folder that a config names, which may begin with `~/`; if it names none, the user's own for downloads, or else
/// the home folder.
pub fn folder(named: &Path) -> PathBuf {
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_else(|| PathBuf::from("/"));
    let config = env::var_os("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
    let dirs = fs::read_to_string(config.join("user-dirs.dirs")).unwrap_or_default();
    found(named, &home, &dirs)
}

fn found(named: &Path, home: &Path, dirs: &str) -> PathBuf {
    if let Ok(within) = named.strip_prefix("~") {
        return home.join(within);
    }
    if !named.as_os_str().is_empty() {
        return home.join(named);
    }
    let own = dirs.lines().find_map(|line| line.trim().strip_prefix("XDG_DOWNLOAD_DIR="));
    let own = own.map(|own| own.trim_matches('"')).map(|own| match own.strip_prefix("$HOME") {
        Some(within) => home.join(within.trim_start_matches('/')),
        None => PathBuf::from(own),
    });
    own.filter(|own| own.is_absolute()).unwrap_or_else(|| home.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_folder_goes_before_that_of_the_desktop_and_that_before_home() {
        let found = |named: &str, dirs: &str| found(Path::new(named), Path::new("/home/alice"), dirs);
        let dirs = "# comment\nXDG_DESKTOP_DIR=\"$HOME/Desktop\"\nXDG_DOWNLOAD_DIR=\"$HOME/Incoming\"\n";
        assert_eq!(found("", dirs), Path::new("/home/alice/Incoming"));
        assert_eq!(found("", "XDG_DOWNLOAD_DIR=\"/srv/in\"\n"), Path::new("/srv/in"));
        assert_eq!(found("", ""), Path::new("/home/alice"));
        assert_eq!(found("~/x", dirs), Path::new("/home/alice/x"));
        assert_eq!(found("/tmp/x", dirs), Path::new("/tmp/x"));
        assert_eq!(found("x", dirs), Path::new("/home/alice/x"));
    }
}
