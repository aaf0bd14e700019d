//! What a login that comes to nothing leaves on disk, and taking it away again: so the next try is a first one again, and no
//! account is listed that there never was.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use peer::profile::Profile;

/// What was in a profile before a login.
pub struct Traces {
    folder: PathBuf,
    lock: PathBuf,
    /// Whether there was a key: then there is an account, and everything stays as it is.
    had_key: bool,
    /// What was there, if that can be told.
    before: Option<BTreeSet<OsString>>,
}

impl Traces {
    /// To be asked before the login.
    pub fn before(profile: &Profile) -> Traces {
        let folder = profile.folder().to_path_buf();
        let before = match names(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(BTreeSet::new()),
            found => found.ok(),
        };
        Traces { had_key: profile.key().exists(), lock: profile.lock(), before, folder }
    }

    /// Takes away what has come into the profile since, which is what that login made. Not the lock: another process may
    /// wait for it, and would hold one that nobody sees.
    pub fn remove(self) {
        let Some(before) = self.before.filter(|_| !self.had_key) else { return };
        for name in names(&self.folder).unwrap_or_default().difference(&before) {
            let path = self.folder.join(name);
            if path == self.lock {
                continue;
            }
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            if let Err(error) = removed {
                tracing::warn!("{} stays: {error}", path.display());
            }
        }
    }
}

fn names(folder: &Path) -> io::Result<BTreeSet<OsString>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect()
}

#[cfg(test)]
mod tests {
    use common::AccountName;
    use peer::profile::Folders;

    use super::*;

    fn profile() -> (tempfile::TempDir, Profile) {
        let home = tempfile::tempdir().unwrap();
        let name: AccountName = "carol".parse().unwrap();
        let profile = Folders::find(Some(home.path())).unwrap().profile(&name);
        (home, profile)
    }

    fn log_in(profile: &Profile) {
        drop(profile.open().unwrap());
        fs::create_dir_all(profile.folder().join("files")).unwrap();
        for made in [profile.key(), profile.history()] {
            fs::write(made, "made").unwrap();
        }
    }

    #[test]
    fn what_a_first_login_made_goes_with_it() {
        let (_home, profile) = profile();
        let traces = Traces::before(&profile);
        log_in(&profile);
        traces.remove();
        assert_eq!(names(profile.folder()).unwrap(), BTreeSet::from(["lock".into()]));
    }

    #[test]
    fn an_account_that_was_there_before_keeps_everything() {
        let (_home, profile) = profile();
        log_in(&profile);
        fs::remove_file(profile.history()).unwrap();
        let traces = Traces::before(&profile);
        log_in(&profile);
        traces.remove();
        assert!(profile.key().exists() && profile.history().exists());
    }

    #[test]
    fn a_history_whose_key_was_lost_stays() {
        let (_home, profile) = profile();
        log_in(&profile);
        fs::remove_file(profile.key()).unwrap();
        let traces = Traces::before(&profile);
        log_in(&profile);
        traces.remove();
        assert!(profile.history().exists() && !profile.key().exists());
    }
}
