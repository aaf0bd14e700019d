//! Who has which name, and whether they are online. A name belongs to the first key that registers it, for good.

use std::collections::BTreeMap;

use common::{
    AccountName, Domain, Key,
    wire::tracker::{Code, Refused},
};

use super::{
    SessionId,
    room::Online,
    rows::{Row, Seen, StoredAccount},
};

/// A name bound to a key, and what is known of it now.
pub struct Account {
    /// The name as it was registered.
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
}

/// The accounts.
pub struct Logins {
    names: BTreeMap<String, Key>,
    accounts: BTreeMap<Key, Account>,
    domain: Domain,
    limit: usize,
}

impl Logins {
    /// The accounts as they were stored, nobody being online.
    pub fn new(stored: Vec<StoredAccount>, domain: Domain, limit: usize) -> Logins {
        let mut logins = Logins { names: BTreeMap::new(), accounts: BTreeMap::new(), domain, limit };
        for account in stored {
            logins.insert(account.key, account.name, account.seen);
            if let Some(inserted) = logins.get_mut(&account.key) {
                inserted.hide_seen = account.hide_seen;
            }
        }
        logins
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whose name it is, but for case.
    pub fn find(&self, name: &AccountName) -> Option<Key> {
        self.names.get(&name.fold()).copied()
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

    /// Lets `key` log in as `name`: registers the two for each other if both are new, or says why not.
    pub fn admit(&mut self, key: Key, name: &AccountName, seen: Seen) -> Result<Option<Row>, Refused> {
        let domain = &self.domain;
        match (self.names.get(&name.fold()), self.accounts.get(&key)) {
            (Some(owner), _) if *owner == key => Ok(None),
            (Some(owner), _) => {
                let known = self.accounts.get(owner).map_or(name, |account| &account.name);
                Err(Refused {
                    code: Code::NameTaken,
                    reason: format!(
                        "the name {known}@{domain} belongs to another key on this tracker: choose another name, or log \
                         in from where {known} was made"
                    ),
                })
            }
            (None, Some(account)) => Err(Refused {
                code: Code::KeyNamed,
                reason: format!(
                    "this key is already {known}@{domain}: log in as {known}, or with a new key as {name}",
                    known = account.name
                ),
            }),
            (None, None) if name.has_key() => Err(Refused {
                code: Code::Protest,
                reason: format!("{name} is no name to log in with: choose one without '~'"),
            }),
            (None, None) if self.accounts.len() >= self.limit => Err(Refused {
                code: Code::Full,
                reason: format!(
                    "this tracker has {} accounts, as many as it may: ask whoever runs it to raise `accounts`",
                    self.limit
                ),
            }),
            (None, None) => {
                self.insert(key, name.clone(), seen);
                Ok(Some(Row::Account { key, name: name.clone(), seen }))
            }
        }
    }

    fn insert(&mut self, key: Key, name: AccountName, seen: Seen) {
        self.names.insert(name.fold(), key);
        let account = Account {
            name,
            seen,
            stored: seen,
            hide_seen: false,
            met: false,
            session: None,
            online: None,
            grace: None,
        };
        self.accounts.insert(key, account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logins() -> Logins {
        let mut logins = Logins::new(Vec::new(), "lan".parse().unwrap(), 2);
        assert!(logins.admit(Key([1; 32]), &"Alice".parse().unwrap(), Seen::default()).unwrap().is_some());
        logins
    }

    #[test]
    fn a_name_belongs_to_the_first_key_in_whatever_case_it_is_written() {
        let mut logins = logins();
        let refused = logins.admit(Key([2; 32]), &"alice".parse().unwrap(), Seen::default()).unwrap_err();
        assert_eq!(refused.code, Code::NameTaken);
        assert!(refused.reason.starts_with("the name Alice@lan belongs to another key"), "{}", refused.reason);
        assert_eq!(logins.admit(Key([1; 32]), &"aLICE".parse().unwrap(), Seen::default()), Ok(None));
    }

    #[test]
    fn a_key_has_one_name() {
        let refused = logins().admit(Key([1; 32]), &"bob".parse().unwrap(), Seen::default()).unwrap_err();
        assert_eq!(refused.code, Code::KeyNamed);
    }

    #[test]
    fn a_name_with_a_key_behind_it_cannot_be_registered() {
        let name = "bob".parse::<AccountName>().unwrap().with_key(&Key([2; 32]));
        assert_eq!(logins().admit(Key([2; 32]), &name, Seen::default()).unwrap_err().code, Code::Protest);
    }

    #[test]
    fn accounts_beyond_the_bound_are_refused_and_known_ones_are_not() {
        let mut logins = logins();
        assert!(logins.admit(Key([2; 32]), &"bob".parse().unwrap(), Seen::default()).is_ok());
        assert_eq!(
            logins.admit(Key([3; 32]), &"carol".parse().unwrap(), Seen::default()).unwrap_err().code,
            Code::Full
        );
        assert!(logins.admit(Key([2; 32]), &"bob".parse().unwrap(), Seen::default()).is_ok());
    }
}
