//! Tokens that let new accounts in, and those that give an account a new key. Only their hashes are known here.

use std::collections::BTreeMap;

use common::{
    Key, limits,
    wire::tracker::{Code, Refused},
};

use super::rows::{Hash, StoredInvitation, StoredReset};

/// Invitations at once, at the most.
pub const INVITATIONS: usize = 10_000;
/// For how long an invitation that does not hold any more is known, so that whoever comes with it is told why: 30
/// days, in milliseconds.
const KNOWN: u64 = 30 * 24 * 3_600_000;

/// The hash of a token; `None` of what no token is.
pub fn hash_of(token: &str) -> Option<Hash> {
    let token = token.trim();
    let fits = !token.is_empty() && token.len() <= limits::INVITE_BYTES;
    fits.then(|| blake3::derive_key("rollcall 2 invitation", token.as_bytes()))
}

/// The invitations, and who may take over which account.
#[derive(Default)]
pub struct Invitations {
    invitations: BTreeMap<Hash, StoredInvitation>,
    resets: BTreeMap<Key, StoredReset>,
}

/// What a token does for whoever wants to go by the name of another account.
pub enum Taking {
    /// Nothing: it is for something else.
    Nothing,
    /// It would have given the account a new key, but is too old.
    Lapsed,
    /// It gives the account a new key.
    Holds,
}

impl Invitations {
    /// Those that were stored.
    pub fn new(invitations: Vec<StoredInvitation>, resets: Vec<StoredReset>) -> Invitations {
        Invitations {
            invitations: invitations.into_iter().map(|invitation| (invitation.hash, invitation)).collect(),
            resets: resets.into_iter().map(|reset| (reset.key, reset)).collect(),
        }
    }

    /// Whether there are as many as may be.
    pub fn are_full(&self) -> bool {
        self.invitations.len() >= INVITATIONS
    }

    /// Adds one.
    pub fn add(&mut self, invitation: StoredInvitation) {
        self.invitations.insert(invitation.hash, invitation);
    }

    /// The invitation as it is once a new account has used it, at a time in milliseconds since 1970; or why it lets
    /// nobody in.
    pub fn used(&self, token: Option<&str>, now: u64) -> Result<StoredInvitation, Refused> {
        let refused = |reason: &str| Err(Refused { code: Code::Invitation, reason: reason.into() });
        let Some(token) = token else {
            return refused(
                "new accounts need an invitation here: ask whoever runs the tracker for one, and log in with --invite",
            );
        };
        match hash_of(token).and_then(|hash| self.invitations.get(&hash)) {
            None => refused("this is no invitation of this tracker: see that it is copied whole, or ask for another"),
            Some(invitation) if invitation.until <= now => refused("this invitation has expired: ask for another"),
            Some(invitation) if invitation.uses == 0 => refused("this invitation is used up: ask for another"),
            Some(invitation) => Ok(StoredInvitation { uses: invitation.uses - 1, ..*invitation }),
        }
    }

    /// Those that are old enough to be forgotten, at a time in milliseconds since 1970; they are.
    pub fn forget_old(&mut self, now: u64) -> (Vec<Hash>, Vec<Key>) {
        let old = |until: u64| until.saturating_add(KNOWN) <= now;
        let invitations: Vec<Hash> =
            self.invitations.values().filter(|one| old(one.until)).map(|one| one.hash).collect();
        let resets: Vec<Key> = self.resets.values().filter(|one| old(one.until)).map(|one| one.key).collect();
        self.invitations.retain(|_, one| !old(one.until));
        self.resets.retain(|_, one| !old(one.until));
        (invitations, resets)
    }

    /// An account may be taken over; what was said of it before holds no more.
    pub fn add_reset(&mut self, reset: StoredReset) {
        self.resets.insert(reset.key, reset);
    }

    /// It may not any more. Returns whether it might have been.
    pub fn end_reset(&mut self, key: &Key) -> bool {
        self.resets.remove(key).is_some()
    }

    /// What a token does for whoever wants the account of `key`, at a time in milliseconds since 1970.
    pub fn taking(&self, key: &Key, token: Option<&str>, now: u64) -> Taking {
        let hash = token.and_then(hash_of);
        match self.resets.get(key).filter(|reset| Some(reset.hash) == hash) {
            None => Taking::Nothing,
            Some(reset) if reset.until <= now => Taking::Lapsed,
            Some(_) => Taking::Holds,
        }
    }
}
