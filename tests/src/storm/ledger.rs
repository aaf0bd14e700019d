//! What peers promised in a storm, and whether it was kept.

use std::collections::{BTreeMap, BTreeSet};

use common::wire::control::{MessageEvent, ReceiptEvent, Said};

/// What was promised so far: to users that a message is said, and that a member has it.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By the id that the user was given: author and text.
    answered: BTreeMap<String, (String, String)>,
    /// Said to a peer that died before it answered: kept or not, but not twice. Counted by author and text.
    unanswered: BTreeMap<(String, String), usize>,
    /// The highest number of an author that a member was shown to have, with all before it that were for it.
    ticks: BTreeMap<Tick, BTreeSet<u64>>,
}

/// Author and member.
type Tick = (String, String);

impl Ledger {
    /// The peer has told its user that this is said.
    ///
    /// # Panics
    /// If another message has that id.
    pub fn answered(&mut self, author: &str, text: String, said: &Said) {
        for member in &said.delivered {
            self.tick(author, member.as_str(), said.seq..=said.seq);
        }
        let before = self.answered.insert(said.id.clone(), (author.into(), text));
        assert_eq!(before, None, "two messages are called {}", said.id);
    }

    /// The peer has died before it answered.
    pub fn unanswered(&mut self, author: &str, text: String) {
        *self.unanswered.entry((author.into(), text)).or_default() += 1;
    }

    /// The author's peer has shown a receipt.
    pub fn receipted(&mut self, author: &str, receipt: &ReceiptEvent) {
        self.tick(author, receipt.name.as_str(), receipt.first..=receipt.last);
    }

    /// The author's peer lists who has a message.
    pub fn tick(&mut self, author: &str, member: &str, seqs: std::ops::RangeInclusive<u64>) {
        self.ticks.entry((author.into(), member.into())).or_default().extend(seqs);
    }

    /// Messages that were answered, with the author of each and its id.
    pub fn ids(&self) -> impl Iterator<Item = (&str, &str)> {
        self.answered.iter().map(|(id, (author, _))| (author.as_str(), id.as_str()))
    }

    /// How many messages were answered, and how many were not.
    pub fn counts(&self) -> (usize, usize) {
        (self.answered.len(), self.unanswered.values().sum())
    }

    /// Holds what a member has against the ticks for it so far.
    ///
    /// # Panics
    /// If there is a tick for something that it does not have.
    pub fn no_false_tick(&self, member: &str, history: &[MessageEvent]) {
        let held: BTreeSet<(&str, u64)> = history.iter().map(|message| (message.from.as_str(), message.seq)).collect();
        for ((author, _), seqs) in self.ticks.iter().filter(|((_, of), _)| of == member) {
            let lacks: Vec<u64> =
                seqs.iter().filter(|seq| !held.contains(&(author.as_str(), **seq))).copied().collect();
            assert!(lacks.is_empty(), "false ticks: {member} lacks {lacks:?} of {author}");
        }
    }

    /// Holds what all have in the end, in the order in which they show it, against everything that was promised.
    ///
    /// # Panics
    /// If a promise is broken.
    pub fn judge(&self, histories: &BTreeMap<String, Vec<MessageEvent>>) {
        let mut first: Option<(&str, BTreeMap<&str, &MessageEvent>)> = None;
        for (member, history) in histories {
            self.no_false_tick(member, history);
            in_order(member, history);
            let by_id: BTreeMap<&str, &MessageEvent> =
                history.iter().map(|message| (message.id.as_str(), message)).collect();
            assert_eq!(by_id.len(), history.len(), "{member} shows a message twice");
            match &first {
                None => {
                    self.promised(member, &by_id);
                    first = Some((member, by_id));
                }
                Some((other, expected)) => same(other, expected, member, &by_id),
            }
        }
    }

    /// What was answered is there as it was said; what was not may be, but nothing else.
    fn promised(&self, member: &str, history: &BTreeMap<&str, &MessageEvent>) {
        for (id, (author, text)) in &self.answered {
            let Some(message) = history.get(id.as_str()) else {
                panic!("{member} lacks {id}, of which {author} was told that it is said");
            };
            assert_eq!((message.from.as_str(), &message.text), (author.as_str(), text), "{id} at {member}");
        }
        let mut left = self.unanswered.clone();
        for message in history.values().filter(|message| !self.answered.contains_key(&message.id)) {
            let said = left.get_mut(&(message.from.to_string(), message.text.clone())).filter(|count| **count > 0);
            let Some(count) = said else { panic!("{member} shows what nobody said, or said once: {message:?}") };
            *count -= 1;
        }
    }
}

/// Each author's messages come from the first on, in order.
fn in_order(member: &str, history: &[MessageEvent]) {
    let mut next: BTreeMap<&str, u64> = BTreeMap::new();
    for message in history {
        let expected = next.entry(message.from.as_str()).or_insert(1);
        assert_eq!(message.seq, *expected, "{member} shows this in place of another of {}: {message:?}", message.from);
        *expected += 1;
    }
}

/// Two members have the same messages.
fn same(one: &str, expected: &BTreeMap<&str, &MessageEvent>, other: &str, found: &BTreeMap<&str, &MessageEvent>) {
    for (id, message) in expected {
        let Some(there) = found.get(id) else { panic!("{one} has {id}, and {other} lacks it") };
        assert_eq!((&message.text, &message.stamp), (&there.text, &there.stamp), "{id} at {one} and {other}");
    }
    let more: Vec<_> = found.keys().filter(|id| !expected.contains_key(*id)).collect();
    assert!(more.is_empty(), "{other} has {more:?}, and {one} lacks them");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(from: &str, seq: u64, text: &str) -> MessageEvent {
        MessageEvent {
            cursor: 0,
            id: format!("lobby/{from}/{seq}"),
            room: "lobby".parse().unwrap(),
            from: from.parse().unwrap(),
            seq,
            stamp: "1.1".into(),
            sent: 0,
            received: 0,
            path: "direct".into(),
            text: text.into(),
            mark: None,
            deed: Default::default(),
        }
    }

    /// Alice was told that "one" and "two" are said, and not whether "three" is; bob is shown to have the first.
    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        for (seq, text) in [(1, "one"), (2, "two")] {
            let MessageEvent { id, room, stamp, .. } = message("alice", seq, text);
            let said = Said {
                id,
                room,
                seq,
                stamp,
                delivered: Vec::new(),
                pending: Vec::new(),
                cancelled: Vec::new(),
                gone: Vec::new(),
            };
            ledger.answered("alice", text.into(), &said);
        }
        ledger.unanswered("alice", "three".into());
        ledger.tick("alice", "bob", 1..=1);
        ledger
    }

    fn judge(alice: &[(u64, &str)], bob: &[(u64, &str)]) {
        let history =
            |held: &[(u64, &str)]| held.iter().map(|(seq, text)| message("alice", *seq, text)).collect::<Vec<_>>();
        ledger().judge(&BTreeMap::from([("alice".into(), history(alice)), ("bob".into(), history(bob))]));
    }

    const SAID: [(u64, &str); 2] = [(1, "one"), (2, "two")];
    const ALL: [(u64, &str); 3] = [(1, "one"), (2, "two"), (3, "three")];

    #[test]
    fn kept_promises_pass_with_and_without_what_was_not_answered() {
        judge(&SAID, &SAID);
        judge(&ALL, &ALL);
    }

    #[test]
    #[should_panic(expected = "false ticks: bob lacks [1] of alice")]
    fn a_false_tick_is_caught() {
        ledger().no_false_tick("bob", &[]);
    }

    #[test]
    #[should_panic(expected = "lacks lobby/alice/2, of which alice was told")]
    fn a_lost_message_is_caught() {
        judge(&SAID[..1], &SAID[..1]);
    }

    #[test]
    #[should_panic(expected = "bob lacks it")]
    fn one_that_some_have_and_others_have_not_is_caught() {
        judge(&ALL, &SAID);
    }

    #[test]
    #[should_panic(expected = "in place of another")]
    fn one_that_is_shown_twice_is_caught() {
        judge(&SAID, &[(1, "one"), (1, "one"), (2, "two")]);
    }

    #[test]
    #[should_panic(expected = "what nobody said")]
    fn one_that_was_kept_twice_is_caught() {
        let doubled = [(1, "one"), (2, "two"), (3, "three"), (4, "three")];
        judge(&doubled, &doubled);
    }

    #[test]
    #[should_panic(expected = "in place of another")]
    fn another_order_is_caught() {
        judge(&SAID, &[(2, "two"), (1, "one")]);
    }
}
