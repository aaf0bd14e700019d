//! Which accounts there are, what they are called, and whether they are online.

use std::collections::BTreeMap;

use common::{AccountName, Key};

use super::{
    SessionId,
    names::Names,
    room::Online,
    rows::{Seen, StoredAccount, StoredHold},
};

/// A key that is registered, and what is known of it now.
pub struct Account {
    /// What it is called.
    pub name: AccountName,
    /// When it was last seen; not kept up while it has a session.
    pub seen: Seen,
    /// What of that is stored.
    pub stored: Seen,
    /// Whether its contacts are not told that.
    pub hide_seen: bool,
    /// Whether it has logged in since the tracker started: before, it is not known whether it is still there.
    pub met: bool,
    /// Its session.
    pub session: Option<SessionId>,
    /// How it shows as online.
    pub online: Option<Online>,
    /// When it will show as offline, if no session comes before.
    pub grace: Option<u64>,
    /// On which day since 1970 it took another name last, and how often that day.
    pub renames: (u64, u32),
}

/// The accounts.
pub struct Logins {
    /// What they are called, and were.
    pub names: Names,
    accounts: BTreeMap<Key, Account>,
    /// Keys that have lost their account, and the one that has it now.
    retired: BTreeMap<Key, Key>,
    /// The same the other way round.
    formerly: BTreeMap<Key, Vec<Key>>,
}

impl Logins {
    /// The accounts as they were stored, nobody being online.
    pub fn new(stored: Vec<StoredAccount>, holds: Vec<StoredHold>, retired: Vec<(Key, Key)>) -> Logins {
        let mut logins = Logins {
            names: Names::default(),
            accounts: BTreeMap::new(),
            retired: BTreeMap::new(),
            formerly: BTreeMap::new(),
        };
        for StoredAccount { key, name, seen, hide_seen } in stored {
            logins.names.give(name.clone(), key);
            logins.insert(key, name, seen, hide_seen);
        }
        holds.into_iter().for_each(|hold| logins.names.hold(hold));
        retired.into_iter().for_each(|(old, new)| logins.note_retired(old, new));
        logins
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whose name it is, or was until lately, but for case.
    pub fn find(&self, name: &AccountName) -> Option<Key> {
        self.names.find(name)
    }

    /// What a key is called.
    pub fn name_of(&self, key: &Key) -> Option<AccountName> {
        self.accounts.get(key).map(|account| account.name.clone())
    }

    /// The account of a key.
    pub fn get(&self, key: &Key) -> Option<&Account> {
        self.accounts.get(key)
    }

    /// The account of a key.
    pub fn get_mut(&mut self, key: &Key) -> Option<&mut Account> {
        self.accounts.get_mut(key)
    }

    /// All of them, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Account)> {
        self.accounts.iter()
    }

    /// All of them, in the order of their keys.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Key, &mut Account)> {
        self.accounts.iter_mut()
    }

    /// Adds an account. Its name has to be given to it too.
    pub fn insert(&mut self, key: Key, name: AccountName, seen: Seen, hide_seen: bool) {
        let account = Account {
            name,
            seen,
            stored: seen,
            hide_seen,
            met: false,
            session: None,
            online: None,
            grace: None,
            renames: (0, 0),
        };
        self.accounts.insert(key, account);
    }

    /// Takes an account out. Its name has to be taken from it too.
    pub fn remove(&mut self, key: &Key) -> Option<Account> {
        self.accounts.remove(key)
    }

    /// The key that has the account that this one has lost.
    pub fn successor(&self, key: &Key) -> Option<Key> {
        self.retired.get(key).copied()
    }

    /// The keys that have lost their account to this one.
    pub fn formerly(&self, key: &Key) -> &[Key] {
        self.formerly.get(key).map_or(&[], Vec::as_slice)
    }

    /// One key loses its account to another, and so do those that it had it from. Returns all of them.
    pub fn retire(&mut self, old: Key, new: Key) -> Vec<Key> {
        let mut all = self.formerly.remove(&old).unwrap_or_default();
        all.push(old);
        all.iter().for_each(|key| self.note_retired(*key, new));
        all
    }

    fn note_retired(&mut self, old: Key, new: Key) {
        self.retired.insert(old, new);
        self.formerly.entry(new).or_default().push(old);
    }
}
