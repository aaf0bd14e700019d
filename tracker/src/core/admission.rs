//! Who is let in under which name: a name belongs to the first key that registers it.

use common::{
    AccountName, Key,
    wire::tracker::{Code, Hello, Refused},
};

use super::{Output, Row, Tracker, invitations::Taking, names::Owner};
use crate::config::Registration;

impl Tracker {
    /// Lets a key log in under a name: registers the two for each other if both are new, or says why not.
    pub(super) fn admit(&mut self, key: Key, hello: &Hello, now: u64) -> Result<(), Refused> {
        if let Some(successor) = self.logins.successor(&key) {
            let whose = self.logins.name_of(&successor).map_or("its account".into(), |name| name.to_string());
            let reason = format!(
                "this key has lost {whose} to another, as whoever runs the tracker allowed: log in with the new key, or \
                 with a fresh one under another name"
            );
            return Err(Refused { code: Code::Removed, reason });
        }
        match self.logins.names.owner(&hello.name, now) {
            Owner::Account(owner) | Owner::Held(Some(owner)) if owner == key => Ok(()),
            Owner::Account(owner) => self.take_over(owner, key, hello, now),
            Owner::Held(_) => Err(self.held(&hello.name)),
            Owner::Nobody => self.register(key, hello, now),
        }
    }

    fn register(&mut self, key: Key, hello: &Hello, now: u64) -> Result<(), Refused> {
        let name = &hello.name;
        self.has_no_name(&key, name)?;
        self.may_be_called(&key, name, now)?;
        let limit = self.config.accounts;
        if self.logins.len() >= limit {
            let reason = format!(
                "this tracker has as many accounts as it may ({limit}): ask whoever runs it to raise `accounts`"
            );
            return Err(Refused { code: Code::Full, reason });
        }
        match self.config.registration {
            Registration::Open => {}
            Registration::Closed => {
                let reason = format!(
                    "there is no account {name} here, and no new ones are made: ask whoever runs the tracker, or see that \
                     the name is spelt as you registered it"
                );
                return Err(Refused { code: Code::Closed, reason });
            }
            Registration::Invitation => {
                let used = self.invitations.used(hello.invite.as_deref(), now)?;
                self.invitations.add(used);
                self.outputs.push(Output::Store(Row::Invitation(used)));
            }
        }
        let seen = self.seen_at(now);
        self.logins.insert(key, name.clone(), seen, false);
        self.outputs.push(Output::Store(Row::Account { key, name: name.clone(), seen }));
        self.give_name(name.clone(), key);
        Ok(())
    }

    /// Whether a key that has no account may get that of `owner`.
    fn take_over(&mut self, owner: Key, key: Key, hello: &Hello, now: u64) -> Result<(), Refused> {
        match self.invitations.taking(&owner, hello.invite.as_deref(), now) {
            Taking::Nothing => Err(self.taken(&hello.name, &owner)),
            Taking::Lapsed => {
                let reason = "this token has expired: ask whoever runs the tracker for another `tracker reset-key`";
                Err(Refused { code: Code::Invitation, reason: reason.into() })
            }
            Taking::Holds => {
                self.has_no_name(&key, &hello.name)?;
                self.rekey(owner, key, now);
                Ok(())
            }
        }
    }

    fn has_no_name(&self, key: &Key, name: &AccountName) -> Result<(), Refused> {
        let Some(known) = self.logins.name_of(key) else { return Ok(()) };
        let domain = &self.config.domain;
        let reason = format!("this key is already {known}@{domain}: log in as {known}, or with a new key as {name}");
        Err(Refused { code: Code::KeyNamed, reason })
    }

    /// Whether an account may take a name, which is not its own.
    pub(super) fn may_be_called(&self, key: &Key, name: &AccountName, now: u64) -> Result<(), Refused> {
        if name.has_key() {
            let reason = format!("{name} is no name to log in with: choose one without '~'");
            return Err(Refused { code: Code::Protest, reason });
        }
        match self.logins.names.owner(name, now) {
            Owner::Account(owner) if owner != *key => return Err(self.taken(name, &owner)),
            Owner::Held(owner) if owner != Some(*key) => return Err(self.held(name)),
            _ => {}
        }
        match self.logins.names.lookalike(name, key, now) {
            Some(known) => {
                let reason = format!("{name} looks like {known}, who is somebody else: choose a name that does not");
                Err(Refused { code: Code::Lookalike, reason })
            }
            None => Ok(()),
        }
    }

    fn taken(&self, name: &AccountName, owner: &Key) -> Refused {
        let known = self.logins.name_of(owner).unwrap_or_else(|| name.clone());
        let domain = &self.config.domain;
        let reason = format!(
            "the name {known}@{domain} belongs to another key on this tracker: choose another name, or log in from where \
             {known} was made"
        );
        Refused { code: Code::NameTaken, reason }
    }

    fn held(&self, name: &AccountName) -> Refused {
        let reason =
            format!("{name} was somebody's until lately, and nobody else gets it for a time: choose another name");
        Refused { code: Code::HeldName, reason }
    }

    /// A name is an account's from now on.
    pub(super) fn give_name(&mut self, name: AccountName, key: Key) {
        if let Some(name) = self.logins.names.give(name, key) {
            self.outputs.push(Output::Store(Row::Release { name }));
        }
    }
}
