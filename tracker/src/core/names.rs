//! Whose a name is: an account's own, one held for it since a rename, or one held from everybody; and which names look
//! alike.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use common::{AccountName, Key};
use unicode_security::confusable_detection::skeleton;

use super::rows::StoredHold;

/// Who may go by a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Owner {
    /// Whoever comes.
    Nobody,
    /// The account that is called so.
    Account(Key),
    /// The account that was called so until lately; `None` if it is gone.
    Held(Option<Key>),
}

/// All names that are somebody's.
#[derive(Default)]
pub struct Names {
    /// By what they have in common but for case.
    present: BTreeMap<String, (AccountName, Key)>,
    held: BTreeMap<String, StoredHold>,
    /// Folded names, by what they look like.
    looks: BTreeMap<String, BTreeSet<String>>,
}

impl Names {
    /// Who may go by this name, at a time in milliseconds since 1970.
    pub fn owner(&self, name: &AccountName, now: u64) -> Owner {
        let fold = name.fold();
        match (self.present.get(&fold), self.held.get(&fold)) {
            (Some((_, key)), _) => Owner::Account(*key),
            (None, Some(hold)) if hold.until > now => Owner::Held(hold.key),
            (None, _) => Owner::Nobody,
        }
    }

    /// Who is called so, or was until lately.
    pub fn find(&self, name: &AccountName) -> Option<Key> {
        let fold = name.fold();
        let present = self.present.get(&fold).map(|(_, key)| *key);
        present.or_else(|| self.held.get(&fold).and_then(|hold| hold.key))
    }

    /// Gives an account a name. Returns the names it may be held under no more.
    pub fn give(&mut self, name: AccountName, key: Key) -> Option<AccountName> {
        let fold = name.fold();
        let released = self.held.get(&fold).map(|hold| hold.name.clone());
        if let Some(released) = &released {
            self.release(released);
        }
        self.look(&name);
        self.present.insert(fold, (name, key));
        released
    }

    /// Takes a name away from its account.
    pub fn take(&mut self, name: &AccountName) {
        self.present.remove(&name.fold());
        self.unlook(name);
    }

    /// Holds a name that nobody is called.
    pub fn hold(&mut self, hold: StoredHold) {
        self.look(&hold.name);
        self.held.insert(hold.name.fold(), hold);
    }

    /// Holds a name no more.
    pub fn release(&mut self, name: &AccountName) {
        self.held.remove(&name.fold());
        self.unlook(name);
    }

    /// What is held for this key.
    pub fn held_for(&self, key: &Key) -> Vec<StoredHold> {
        self.held.values().filter(|hold| hold.key == Some(*key)).cloned().collect()
    }

    /// What is held no more, at a time in milliseconds since 1970.
    pub fn lapsed(&self, now: u64) -> Vec<AccountName> {
        self.held.values().filter(|hold| hold.until <= now).map(|hold| hold.name.clone()).collect()
    }

    /// A name, not this very one and not of `key`, that a person could take for it.
    pub fn lookalike(&self, name: &AccountName, key: &Key, now: u64) -> Option<AccountName> {
        let fold = name.fold();
        let alike = looks(name).into_iter().filter_map(|look| self.looks.get(&look)).flatten();
        alike.filter(|other| **other != fold).find_map(|other| {
            let present = self.present.get(other).filter(|(_, owner)| owner != key).map(|(name, _)| name);
            let held = self.held.get(other).filter(|hold| hold.key != Some(*key) && hold.until > now);
            present.or(held.map(|hold| &hold.name)).cloned()
        })
    }

    /// The names of accounts after one, in the order of what they have in common but for case.
    pub fn after(&self, name: Option<&AccountName>) -> impl Iterator<Item = Key> {
        let from = name.map_or(Bound::Unbounded, |name| Bound::Excluded(name.fold()));
        self.present.range((from, Bound::Unbounded)).map(|(_, (_, key))| *key)
    }

    fn look(&mut self, name: &AccountName) {
        for look in looks(name) {
            self.looks.entry(look).or_default().insert(name.fold());
        }
    }

    fn unlook(&mut self, name: &AccountName) {
        for look in looks(name) {
            if let Some(alike) = self.looks.get_mut(&look) {
                alike.remove(&name.fold());
                if alike.is_empty() {
                    self.looks.remove(&look);
                }
            }
        }
    }
}

/// What a name looks like (UTS 39), as it is written and in small letters: of `aIice` only the former is `alice`. In
/// small letters at last, since some prototypes are capitals.
fn looks(name: &AccountName) -> BTreeSet<String> {
    let look = |text: &str| skeleton(text).collect::<String>().to_lowercase();
    BTreeSet::from([look(name.as_str()), look(&name.fold())])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookalike(known: &str, new: &str) -> Option<String> {
        let mut names = Names::default();
        names.give(known.parse().unwrap(), Key([1; 32]));
        names.lookalike(&new.parse().unwrap(), &Key([2; 32]), 0).map(|name| name.to_string())
    }

    #[test]
    fn a_name_that_looks_like_another_is_known_by_it() {
        for (known, new) in [
            ("alice", "\u{430}lice"),
            ("alice", "aIice"),
            ("Alice", "a1ice"),
            ("bob", "b0b"),
            ("paypal", "раураl"),
            ("modern", "modem"),
        ] {
            assert_eq!(lookalike(known, new).as_deref(), Some(known), "{new}");
        }
    }

    #[test]
    fn names_that_only_resemble_each_other_are_two() {
        for (known, new) in [("alice", "alicia"), ("peer1", "peer11"), ("peer10", "peer101"), ("zoe", "zoë")] {
            assert_eq!(lookalike(known, new), None, "{known} and {new}");
        }
    }

    #[test]
    fn a_name_that_is_free_again_looks_like_nobodys() {
        let mut names = Names::default();
        let (alice, key) = ("alice".parse::<AccountName>().unwrap(), Key([1; 32]));
        names.give(alice.clone(), key);
        names.take(&alice);
        names.hold(StoredHold { name: alice.clone(), key: Some(key), until: 9 });
        let looks_like = |names: &Names, now| names.lookalike(&"a1ice".parse().unwrap(), &Key([2; 32]), now);
        assert_eq!(looks_like(&names, 8), Some(alice.clone()));
        assert_eq!(looks_like(&names, 9), None);
        assert_eq!(names.lookalike(&"a1ice".parse().unwrap(), &key, 8), None, "one's own old name is no other");
        names.release(&alice);
        assert!(names.looks.is_empty());
    }
}
