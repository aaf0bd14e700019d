//! What an account is called on this machine: the name of its folder, which stays, and names taken later, which lead
//! there.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use common::{
    AccountName, why,
    wire::control::{Exit, Refusal},
};

use crate::{control::socket, profile::Profile};

/// The names of one account that is logged in. A second socket file under the present name goes with the last clone.
#[derive(Clone)]
pub struct Called(Arc<Names>);

struct Names {
    profile: Profile,
    socket: Mutex<Option<PathBuf>>,
}

/// A name that is this account's on this machine now.
pub struct Taken {
    link: Option<PathBuf>,
}

impl Called {
    /// The account of a profile.
    pub fn new(profile: Profile) -> Called {
        Called(Arc::new(Names { profile, socket: Mutex::new(None) }))
    }

    /// Makes a name lead to this account's folder. Refused if there is another account of that name here.
    pub fn take(&self, name: &AccountName) -> Result<Taken, Refusal> {
        let folder = self.0.profile.folder();
        let Some((path, own)) = folder.parent().map(|parent| parent.join(name.fold())).zip(folder.file_name()) else {
            return Ok(Taken { link: None });
        };
        if path == folder || fs::read_link(&path).is_ok_and(|target| target == Path::new(own)) {
            return Ok(Taken { link: None });
        }
        match symlink(own, &path) {
            Ok(()) => Ok(Taken { link: Some(path) }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let text = format!(
                    "there is an account {name} on this machine already, in {}; take another name, or move that folder \
                     away",
                    path.display()
                );
                Err(Refusal::new(Exit::Refused, text))
            }
            Err(error) => {
                let text = format!(
                    "cannot make {}: {}; check that the folder is yours and that the disk has room",
                    path.display(),
                    why(&error)
                );
                Err(Refusal::new(Exit::Refused, text))
            }
        }
    }

    /// Gives a name back that has not become this account's.
    pub fn give_back(&self, taken: Taken) {
        // What cannot be removed only leads here under one more name.
        let _ = taken.link.map(fs::remove_file);
    }

    /// The tracker calls this account so. If another one here has that name, commands find this one by its folder only.
    pub fn found(&self, name: &AccountName) {
        if self.take(name).is_ok() {
            self.serve(name);
        }
    }

    /// Has the control socket be found under the present name too.
    pub fn serve(&self, name: &AccountName) {
        let own = self.0.profile.socket();
        let Some((path, target)) =
            own.parent().map(|runtime| runtime.join(format!("{}.sock", name.fold()))).zip(own.file_name())
        else {
            return;
        };
        let mut held = self.0.socket.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref() == Some(&path) {
            return;
        }
        // Commands find the session without it, by the folder: it is for bots.
        let _ = held.take().map(fs::remove_file);
        if path != own && socket::connect(&path).is_err() {
            let _ = fs::remove_file(&path);
            *held = symlink(target, &path).is_ok().then_some(path);
        }
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        let held = self.socket.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = held.take().map(fs::remove_file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Folders;

    fn name(text: &str) -> AccountName {
        text.parse().unwrap()
    }

    #[test]
    fn a_new_name_leads_to_the_folder_of_the_old_one_and_so_does_the_next() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::find(Some(home.path())).unwrap();
        let alice = folders.profile(&name("alice"));
        let _held = alice.open().unwrap();
        let called = Called::new(alice.clone());
        called.take(&name("Alicia")).unwrap();
        called.take(&name("zoe")).unwrap();
        for now in ["alicia", "zoe", "Alice"] {
            assert_eq!(folders.profile(&name(now)), alice);
        }
        called.take(&name("alice")).unwrap();
        assert!(!home.path().join("alice").is_symlink(), "the first name is the folder itself");
    }

    #[test]
    fn the_name_of_another_account_here_is_not_taken() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::find(Some(home.path())).unwrap();
        let _held = [folders.profile(&name("alice")).open().unwrap(), folders.profile(&name("bob")).open().unwrap()];
        let refusal = Called::new(folders.profile(&name("alice"))).take(&name("bob")).err().unwrap();
        assert!(refusal.message.contains("another name"), "{refusal}");
        assert_ne!(folders.profile(&name("bob")), folders.profile(&name("alice")));
    }

    #[test]
    fn a_name_that_is_given_back_leads_nowhere() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::find(Some(home.path())).unwrap();
        let _held = folders.profile(&name("alice")).open().unwrap();
        let called = Called::new(folders.profile(&name("alice")));
        called.give_back(called.take(&name("zoe")).unwrap());
        assert_ne!(folders.profile(&name("zoe")), folders.profile(&name("alice")));
    }

    #[tokio::test]
    async fn the_session_is_found_once_and_under_its_present_name() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::find(Some(home.path())).unwrap();
        let alice = folders.profile(&name("alice"));
        let _held = alice.open().unwrap();
        let _socket = socket::Socket::bind(alice.socket()).unwrap();
        let called = Called::new(alice);
        called.serve(&name("alicia"));
        called.serve(&name("zoe"));
        let (running, crashed) = socket::find(home.path());
        assert_eq!(running.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["zoe"]);
        assert!(crashed.is_empty());
        drop(called);
        assert_eq!(socket::find(home.path()).0[0].0, "alice");
    }
}
