//! What whoever runs the tracker asks of it: invitations, a list of accounts, removing one, and giving one a new key.

use common::{AccountName, Key, table::Departure, wire::tracker::Code};

use super::{
    Output, Row, Timer, Tracker,
    invitations::INVITATIONS,
    presence::DAY,
    rows::{Hash, Kept, StoredHold, StoredInvitation, StoredReset},
};

/// Accounts of one answer.
pub const PAGE: usize = 1_000;
/// For how long an account may be taken over, in milliseconds.
const RESET: u64 = DAY;

/// What whoever runs the tracker wants. Tokens are made outside: only their hashes come in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// That a token lets so many new accounts in, for so many days.
    Invite {
        /// The hash of the token.
        hash: Hash,
        /// How many accounts.
        uses: u32,
        /// How many days.
        days: u32,
    },
    /// To see accounts, in the order of their names, at most [`PAGE`] of them.
    Accounts {
        /// Only those after this name.
        after: Option<AccountName>,
    },
    /// That an account be no more.
    RemoveAccount {
        /// What it is called.
        name: AccountName,
    },
    /// That a token gives an account to another key.
    ResetKey {
        /// What it is called.
        name: AccountName,
        /// The hash of the token.
        hash: Hash,
    },
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is done.
    Done,
    /// To [`Wanted::Accounts`].
    Accounts {
        /// In order.
        accounts: Vec<Listed>,
        /// Whether there are accounts after these.
        more: bool,
    },
    /// It cannot be, and why.
    Refused(String),
}

/// One account of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// What it is called.
    pub name: AccountName,
    /// Its key.
    pub key: Key,
    /// Whether it shows as online.
    pub online: bool,
    /// When it was last seen, in seconds since 1970; 0 if nobody knows.
    pub seen: u64,
    /// How many rooms it is a member of.
    pub rooms: usize,
}

impl Tracker {
    pub(super) fn operate(&mut self, wanted: Wanted, now: u64) -> Outcome {
        match wanted {
            Wanted::Invite { .. } if self.invitations.are_full() => {
                Outcome::Refused(format!("there are {INVITATIONS} invitations, as many as may be: some have to expire"))
            }
            Wanted::Invite { hash, uses, days } => {
                let invitation = StoredInvitation { hash, uses, until: now + u64::from(days) * DAY };
                self.invitations.add(invitation);
                self.outputs.push(Output::Store(Row::Invitation(invitation)));
                Outcome::Done
            }
            Wanted::Accounts { after } => self.list_accounts(after.as_ref(), now),
            Wanted::RemoveAccount { name } => match self.called(&name) {
                Ok(key) => {
                    self.remove_account(key, now);
                    Outcome::Done
                }
                Err(reason) => Outcome::Refused(reason),
            },
            Wanted::ResetKey { name, hash } => match self.called(&name) {
                Ok(key) => {
                    let reset = StoredReset { key, hash, until: now + RESET };
                    self.invitations.add_reset(reset);
                    self.outputs.push(Output::Store(Row::Reset(reset)));
                    Outcome::Done
                }
                Err(reason) => Outcome::Refused(reason),
            },
        }
    }

    /// The account that is called so now.
    fn called(&self, name: &AccountName) -> Result<Key, String> {
        let found = self.logins.find(name).and_then(|key| Some((key, self.logins.name_of(&key)?)));
        match found {
            Some((key, present)) if present.fold() == name.fold() => Ok(key),
            Some((_, present)) => Err(format!("{name} is called {present} now: name it so")),
            None => Err(format!("there is no account {name}: `tracker accounts` shows those there are")),
        }
    }

    fn list_accounts(&self, after: Option<&AccountName>, now: u64) -> Outcome {
        let mut keys = self.logins.names.after(after).filter_map(|key| Some((key, self.logins.get(&key)?)));
        let listed = keys.by_ref().take(PAGE).map(|(key, account)| Listed {
            name: account.name.clone(),
            key,
            online: account.online.is_some(),
            seen: if account.online.is_some() { now / 1_000 } else { account.seen.at },
            rooms: self.rooms.of(&key).len(),
        });
        let accounts = listed.collect();
        Outcome::Accounts { accounts, more: keys.next().is_some() }
    }

    /// Ends an account: its session, memberships and contacts. Nobody gets its name for a time, not even its own key.
    fn remove_account(&mut self, key: Key, now: u64) {
        self.end_session(&key, "whoever runs this tracker has removed your account: ask there why");
        for id in self.rooms.of(&key) {
            self.remove(id, &key, Departure::Removed, None, now);
        }
        for id in self.rooms.waits_of(&key) {
            self.end_wait(id, &key);
        }
        self.hand_on_doors(&key, None);
        for other in self.book.around(&key) {
            self.stand(other, key, None);
            self.stand(key, other, None);
        }
        let until = now + self.config.name_hold_days * DAY;
        let Some(account) = self.logins.remove(&key) else { return };
        self.outputs.push(Output::Store(Row::Unregistered { key }));
        self.end_reset(&key);
        for hold in self.logins.names.held_for(&key) {
            self.hold(StoredHold { key: None, ..hold });
        }
        self.logins.names.take(&account.name);
        self.hold(StoredHold { name: account.name, key: None, until });
    }

    /// Gives an account to another key, with its name, rooms, roles and contacts. Everybody who knew the old one is told
    /// that it is lost.
    pub(super) fn rekey(&mut self, old: Key, new: Key, now: u64) {
        let Some(account) = self.logins.get(&old) else { return };
        let (name, hide) = (account.name.clone(), account.hide_seen);
        self.end_session(&old, "another key has this account now, as whoever runs the tracker allowed");
        let seen = self.seen_at(now);
        self.logins.insert(new, name.clone(), seen, hide);
        self.outputs.push(Output::Store(Row::Account { key: new, name: name.clone(), seen }));
        self.outputs.push(Output::Store(Row::HideSeen { key: new, hide }));
        for key in self.logins.retire(old, new) {
            self.outputs.push(Output::Store(Row::Retired { key, by: new }));
        }
        for id in self.rooms.of(&old) {
            self.replace_member(id, &old, new, now);
        }
        for id in self.rooms.waits_of(&old) {
            self.end_wait(id, &old);
            self.ask(id, new, now);
        }
        self.hand_on_doors(&old, Some(new));
        for other in self.book.around(&old) {
            for (of, with, moved_of, moved_with) in [(other, old, other, new), (old, other, new, other)] {
                let standing = self.book.standing(&of, &with);
                self.stand(moved_of, moved_with, standing);
                self.stand(of, with, None);
            }
        }
        self.logins.remove(&old);
        self.outputs.push(Output::Store(Row::Unregistered { key: old }));
        self.end_reset(&old);
        for hold in self.logins.names.held_for(&old) {
            self.hold(StoredHold { key: Some(new), ..hold });
        }
        self.give_name(name, new);
    }

    /// One key takes the place of another in a room, in one push.
    fn replace_member(&mut self, id: super::rooms::RoomId, old: &Key, new: Key, now: u64) {
        let Some(room) = self.rooms.get_mut(id) else { return };
        let Some(member) = room.table().member(old).cloned() else { return };
        if room.leave(member.slot, Departure::Rekeyed, None, now / 1_000).is_err() {
            return;
        }
        let version = room.table().version();
        self.rooms.forget(old, id);
        self.outputs.push(Output::Store(Row::Gone { version, slot: member.slot }));
        self.changed(id, now);
        // There is space where somebody has just gone.
        let _ = self.enter(id, new, member.role, None, now);
    }

    /// What doors keep of a key goes on with its successor: bans, and the right to come back as the last owner. Without
    /// one, bans stay, for the key may register again.
    fn hand_on_doors(&mut self, old: &Key, new: Option<Key>) {
        let mut rows = Vec::new();
        for (epoch, room) in self.rooms.iter_mut() {
            if let Some(new) = new
                && let Some(at) = room.door.banned.remove(old)
            {
                room.door.banned.insert(new, at);
                rows.push(Row::Banned { epoch: *epoch, key: *old, at: None });
                rows.push(Row::Banned { epoch: *epoch, key: new, at: Some(at) });
            }
            if room.door.is_last_owner(old)
                && let Some(kept) = room.door.kept
            {
                room.door.kept = Some(Kept { owner: new, ..kept });
                rows.push(Row::Kept { epoch: *epoch, kept: room.door.kept });
            }
        }
        for (room, by) in self.declined.remove(old).into_iter().flat_map(|rooms| rooms.into_values()) {
            rows.push(Row::Told { key: *old, room: room.clone() });
            if let Some(new) = new {
                self.declined.entry(new).or_default().insert(room.fold(), (room.clone(), by.clone()));
                rows.push(Row::Declined { key: new, room, by });
            }
        }
        self.outputs.extend(rows.into_iter().map(Output::Store));
    }

    /// Ends what an account has of a session, if it has one.
    fn end_session(&mut self, key: &Key, reason: &str) {
        let Some(account) = self.logins.get_mut(key) else { return };
        let (session, grace) = (account.session, account.grace.take());
        if let Some(at) = grace {
            self.timers.remove(&(at, Timer::Grace(*key)));
        }
        if let Some(session) = session {
            self.close(session, Code::Removed, reason);
        }
    }

    fn end_reset(&mut self, key: &Key) {
        if self.invitations.end_reset(key) {
            self.outputs.push(Output::Store(Row::ResetGone { key: *key }));
        }
    }
}
