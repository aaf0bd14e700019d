//! Who is a contact of whom, as each of the two sees it.
//!
//! Views of a pair differ only where one has blocked the other: then the other's view goes on as if the one had done
//! nothing, and becomes true again if the block is lifted.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    AccountName, Key, limits,
    wire::tracker::{Code, Contact, ContactState, Refused, SetContact, Wish},
};

use super::{Output, Row, SessionId, Tracker, frames};

/// How one stands to another, in its own view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It has asked.
    Asked,
    /// The other has asked.
    Asks,
    /// Both have agreed.
    Contact,
    /// It has blocked the other.
    Blocked,
}

impl Standing {
    const WORDS: [(Standing, &str); 4] = [
        (Standing::Asked, "asked"),
        (Standing::Asks, "asks"),
        (Standing::Contact, "contact"),
        (Standing::Blocked, "blocked"),
    ];

    /// The word for it in a store.
    pub fn as_str(self) -> &'static str {
        Standing::WORDS.iter().find(|(standing, _)| *standing == self).map_or("", |(_, word)| word)
    }

    /// What a word in a store stands for.
    pub fn of_str(word: &str) -> Option<Standing> {
        Standing::WORDS.iter().find(|(_, known)| *known == word).map(|(standing, _)| *standing)
    }

    fn shown(self) -> ContactState {
        match self {
            Standing::Asked => ContactState::Asked,
            Standing::Asks => ContactState::Asks,
            Standing::Contact => ContactState::Contact,
            Standing::Blocked => ContactState::Blocked,
        }
    }
}

/// Why a wish cannot be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Objection {
    /// The one who wishes has blocked the other.
    Blocked,
    /// The other has not asked.
    NotAsked,
    /// The two are contacts.
    IsContact,
    /// The two are nothing to each other, as far as the one who wishes knows.
    Nothing,
}

/// The two views of a pair after a wish, that of the one who wishes first.
type Pair = (Option<Standing>, Option<Standing>);

fn after(wish: Wish, (mine, theirs): Pair) -> Result<Pair, Objection> {
    use Standing::{Asked, Asks, Blocked, Contact};
    let unless_blocked = |standing| if theirs == Some(Blocked) { theirs } else { standing };
    match (wish, mine) {
        (Wish::Block, _) => Ok((Some(Blocked), theirs)),
        (Wish::Unblock, Some(Blocked)) => {
            let lifted = match theirs {
                Some(Contact) => Some(Contact),
                Some(Asked) => Some(Asks),
                Some(Asks) => Some(Asked),
                Some(Blocked) | None => None,
            };
            Ok((lifted, theirs))
        }
        (Wish::Unblock, _) => Ok((mine, theirs)),
        (_, Some(Blocked)) => Err(Objection::Blocked),
        (Wish::Add | Wish::Accept, Some(Asks)) => Ok((Some(Contact), unless_blocked(Some(Contact)))),
        (Wish::Add, None) => Ok((Some(Asked), unless_blocked(Some(Asks)))),
        (Wish::Add, _) | (Wish::Accept, Some(Contact)) => Ok((mine, theirs)),
        (Wish::Accept, _) | (Wish::Decline, Some(Asked) | None) => Err(Objection::NotAsked),
        (Wish::Decline, Some(Contact)) => Err(Objection::IsContact),
        (Wish::Remove, None) => Err(Objection::Nothing),
        (Wish::Decline | Wish::Remove, _) => Ok((None, unless_blocked(None))),
    }
}

/// Everybody's views.
#[derive(Default)]
pub struct Book {
    views: BTreeMap<Key, BTreeMap<Key, Standing>>,
}

impl Book {
    /// The views as they were stored.
    pub fn new(stored: Vec<(Key, Key, Standing)>) -> Book {
        let mut book = Book::default();
        stored.into_iter().for_each(|(of, with, standing)| book.set(of, with, Some(standing)));
        book
    }

    /// How `of` stands to `with` in its own view.
    pub fn standing(&self, of: &Key, with: &Key) -> Option<Standing> {
        self.views.get(of)?.get(with).copied()
    }

    /// All that `of` stands to in some way.
    pub fn of(&self, of: &Key) -> impl Iterator<Item = Key> {
        self.views.get(of).into_iter().flat_map(|view| view.keys().copied())
    }

    /// All that `key` stands to in some way, or that stand to it.
    pub fn around(&self, key: &Key) -> Vec<Key> {
        let others = self.views.iter().filter(|(of, view)| *of == key || view.contains_key(key));
        let others = others.flat_map(|(of, view)| match of == key {
            true => view.keys().copied().collect(),
            false => vec![*of],
        });
        others.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Whether the two are contacts in both views.
    pub fn are_contacts(&self, one: &Key, other: &Key) -> bool {
        [(one, other), (other, one)].iter().all(|(of, with)| self.standing(of, with) == Some(Standing::Contact))
    }

    /// Whether `of` has as many as one may have.
    fn is_full(&self, of: &Key) -> bool {
        self.views.get(of).is_some_and(|view| view.len() >= limits::CONTACTS)
    }

    fn set(&mut self, of: Key, with: Key, standing: Option<Standing>) {
        match standing {
            Some(standing) => drop(self.views.entry(of).or_default().insert(with, standing)),
            None => {
                if let Some(view) = self.views.get_mut(&of) {
                    view.remove(&with);
                    if view.is_empty() {
                        self.views.remove(&of);
                    }
                }
            }
        }
    }
}

impl Tracker {
    pub(super) fn set_contact(&mut self, me: Key, request: &SetContact) -> Result<(), Refused> {
        let SetContact { name, key, wish, .. } = request;
        let refused = |code, reason| Err(Refused { code, reason });
        let Some(other) = self.logins.find(name).filter(|found| key.is_none_or(|key| key == *found)) else {
            let who = if key.is_some() { format!("{name} with that key") } else { name.to_string() };
            let reason =
                format!("there is no account {who} on this tracker: see that the name is spelt as its owner does");
            return refused(Code::NoAccount, reason);
        };
        if other == me {
            return refused(Code::Standing, format!("{name} is you; name somebody else"));
        }
        let held = (self.book.standing(&me, &other), self.book.standing(&other, &me));
        let next = match after(*wish, held) {
            Ok(next) => next,
            Err(objection) => return refused(Code::Standing, objection.reason(name)),
        };
        if held.0.is_none() && next.0.is_some() && self.book.is_full(&me) {
            let limit = limits::CONTACTS;
            let reason =
                format!("you have {limit} contacts, requests and people blocked, as many as one may: remove one first");
            return refused(Code::Full, reason);
        }
        if held.1.is_none() && next.1.is_some() && self.book.is_full(&other) {
            return refused(
                Code::Full,
                format!("{name} has as many contacts and requests as one may: try another day"),
            );
        }
        let agreed = self.book.are_contacts(&me, &other);
        self.stand(me, other, next.0);
        self.stand(other, me, next.1);
        // Nothing is said where nothing looks different: that somebody was blocked must not be told by a frame either.
        if self.book.are_contacts(&me, &other) != agreed {
            self.mark(&me, &other);
            self.mark(&other, &me);
        }
        Ok(())
    }

    /// `of` stands so to `with` from now on.
    pub(super) fn stand(&mut self, of: Key, with: Key, standing: Option<Standing>) {
        if self.book.standing(&of, &with) != standing {
            self.book.set(of, with, standing);
            self.outputs.push(Output::Store(Row::Contact { of, with, standing }));
            self.mark(&of, &with);
        }
    }

    /// `of` is to be told the last word about `with`.
    fn mark(&mut self, of: &Key, with: &Key) {
        let name = self.logins.name_of(with);
        let session = self.logins.get(of).and_then(|account| account.session);
        if let (Some(id), Some(name)) = (session, name)
            && let Some(session) = self.sessions.get_mut(&id)
        {
            session.contacts.mark(*with, name);
            self.ready.insert(id);
        }
    }

    /// Its contacts are told where `key` is.
    pub(super) fn mark_for_contacts(&mut self, key: &Key) {
        for other in self.book.of(key).collect::<Vec<_>>() {
            if self.book.are_contacts(key, &other) {
                self.mark(&other, key);
            }
        }
    }

    /// Whoever `key` has not blocked is told what it is called.
    pub(super) fn mark_for_those_who_may_know(&mut self, key: &Key) {
        for other in self.book.of(key).collect::<Vec<_>>() {
            if self.book.standing(key, &other) != Some(Standing::Blocked) {
                self.mark(&other, key);
            }
        }
    }

    /// Everybody who was not told of all contacts, since it was not known who is still there, is told now.
    pub(super) fn tell_contacts_left_out(&mut self) {
        let left_out = self.sessions.iter().filter(|(_, session)| session.contacts.left_out).map(|(id, _)| *id);
        left_out.collect::<Vec<_>>().into_iter().for_each(|id| self.tell_contacts(id));
    }

    /// A session has said which rooms it holds: it is told of all its contacts.
    pub(super) fn tell_contacts(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.contacts.mark_all();
            self.ready.insert(id);
        }
    }

    /// The frames about contacts that a session is due.
    pub(super) fn contact_frames(&mut self, id: SessionId) -> Vec<common::frame::Encoded> {
        let Some(session) = self.sessions.get_mut(&id).filter(|session| session.contacts.is_due()) else {
            return Vec::new();
        };
        let (me, whole) = (session.key, session.contacts.whole.replace(false) == Some(true));
        let some = std::mem::take(&mut session.contacts.some);
        if !whole {
            return frames::contacts(some.into_iter().map(|(with, name)| self.contact(&me, with, name)), false);
        }
        // Just after a start it is not known who is still there: those are told of when they come, and all of them
        // once everybody had the time. So a restart shows as nothing.
        let is_known = |with: &Key| {
            self.settled
                || !self.book.are_contacts(&me, with)
                || self.logins.get(with).is_none_or(|account| account.met || account.online.is_some())
        };
        let all: Vec<Key> = self.book.of(&me).collect();
        let known: Vec<Key> = all.iter().copied().filter(is_known).collect();
        let whole = known.len() == all.len();
        if let Some(session) = self.sessions.get_mut(&id) {
            session.contacts.left_out = !whole;
        }
        // Who was not here when a contact's key was lost is told that, too.
        let with_former =
            known.iter().flat_map(|with| self.logins.formerly(with).iter().chain([with]).map(move |key| (key, with)));
        let contacts = with_former.filter_map(|(key, with)| Some(self.contact(&me, *key, self.logins.name_of(with)?)));
        frames::contacts(contacts, whole)
    }

    /// The last word about `with` for `me`. Who is blocked is shown as away for good to the one that it has blocked, and
    /// the one that blocks as offline to who is blocked; in rooms that the two share each sees the other as all do.
    fn contact(&self, me: &Key, with: Key, name: AccountName) -> Contact {
        let account = self.logins.get(&with);
        let state = match self.book.standing(me, &with) {
            Some(standing) => standing.shown(),
            None if self.logins.successor(&with).is_some() => ContactState::Rekeyed,
            None => ContactState::Gone,
        };
        let agreed = account.filter(|_| self.book.are_contacts(me, &with));
        let online = agreed.and_then(|account| account.online.as_ref());
        let offline = agreed.filter(|account| account.online.is_none() && !account.hide_seen);
        Contact {
            key: with,
            name: account.map_or(name, |account| account.name.clone()),
            state,
            online: online.map(|online| online.addresses.clone()),
            away: online.is_some_and(|online| online.away),
            seen: offline.map(|account| account.seen.at).filter(|at| *at > 0),
        }
    }
}

impl Objection {
    fn reason(self, name: &AccountName) -> String {
        match self {
            Objection::Blocked => format!("{name} is blocked; lift that first: peer unblock {name}"),
            Objection::NotAsked => format!("{name} has not asked to be your contact; ask: peer add {name}"),
            Objection::Nothing => {
                format!("{name} is no contact of yours, nor asked to be one; see which there are: peer contacts")
            }
            Objection::IsContact => format!("{name} is your contact already; to end that: peer remove {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Standing::*, *};

    const VIEWS: [Option<Standing>; 5] = [None, Some(Asked), Some(Asks), Some(Contact), Some(Blocked)];
    const WISHES: [Wish; 6] = [Wish::Add, Wish::Accept, Wish::Decline, Wish::Remove, Wish::Block, Wish::Unblock];

    /// Whether two views can stand beside each other.
    fn fits(pair: Pair) -> bool {
        match pair {
            (Some(Blocked), _) | (_, Some(Blocked)) => true,
            (mine, theirs) => [(None, None), (Some(Asked), Some(Asks)), (Some(Asks), Some(Asked))]
                .into_iter()
                .chain([(Some(Contact), Some(Contact))])
                .any(|fit| fit == (mine, theirs)),
        }
    }

    #[test]
    fn whatever_is_wished_two_views_fit_each_other_and_nobody_becomes_a_contact_unasked() {
        for pair in VIEWS.into_iter().flat_map(|mine| VIEWS.map(|theirs| (mine, theirs))).filter(|pair| fits(*pair)) {
            for wish in WISHES {
                let Ok(next) = after(wish, pair) else { continue };
                assert!(fits(next), "{wish:?} makes {next:?} of {pair:?}");
                let agreed = (Some(Contact), Some(Contact));
                let by_both = matches!(pair, (Some(Asks), _)) || (wish == Wish::Unblock && pair.1 == Some(Contact));
                assert!(next != agreed || pair == agreed || by_both, "{wish:?} makes {next:?} of {pair:?}");
            }
        }
    }

    #[test]
    fn a_block_changes_nothing_for_who_is_blocked_whatever_the_one_that_blocks_does_then() {
        let apart = VIEWS.into_iter().filter(|theirs| *theirs != Some(Blocked));
        for (theirs, wish) in apart.flat_map(|theirs| WISHES.map(|wish| (theirs, wish))) {
            if let Ok((_, then)) = after(wish, (Some(Blocked), theirs)) {
                assert_eq!(then, theirs, "{wish:?}");
            }
            // And who is blocked gets the same answers as from somebody who has done nothing.
            let answer = |other| after(wish, (theirs, other)).map(|(mine, _)| mine);
            let other = VIEWS.into_iter().find(|other| *other != Some(Blocked) && fits((theirs, *other)));
            assert_eq!(answer(Some(Blocked)), answer(other.unwrap()), "{wish:?} by one that is {theirs:?}");
        }
    }
}
