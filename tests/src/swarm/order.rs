//! What comes before what: causal order as it is promised, and the marks of what is shown out of it.

use std::collections::BTreeMap;

use common::{
    Key, RoomName,
    frame::{Frame, HEADER},
    message::{Answered, Batch},
    wire::peer::PeerFrame,
};
use peer::core::Segment;

/// For each author the last number that comes before something. An author's earlier messages come before its later.
type Clock = BTreeMap<Key, u64>;

/// What each batch comes after.
#[derive(Default)]
pub struct Order {
    /// By room and author: the clock of the batch that begins with a number.
    clocks: BTreeMap<(RoomName, Key), BTreeMap<u64, Clock>>,
}

impl Order {
    /// An author has stored a batch of its own. Until then it had stored messages up to `seen` of others: the batch
    /// must come after all of them.
    pub fn said(&mut self, segment: &Segment, seen: &Clock, people: &[Key]) {
        let mut clock = self.before(&segment.room, &segment.author, segment.first - 1);
        for answered in answers(segment) {
            let author = author_of(&answered, people);
            merge(&mut clock, self.before(&segment.room, &author, answered.number));
        }
        for (author, number) in seen {
            assert!(
                clock.get(author) >= Some(number),
                "{} of {:?} in {} does not name {number} of {author:?}, which its author had seen",
                segment.first,
                segment.author,
                segment.room
            );
        }
        self.clocks.entry((segment.room.clone(), segment.author)).or_default().insert(segment.first, clock);
    }

    /// The clock of all up to a message, itself included.
    fn before(&self, room: &RoomName, author: &Key, number: u64) -> Clock {
        let log = self.clocks.get(&(room.clone(), *author));
        let mut clock =
            log.and_then(|log| log.range(..=number).next_back()).map(|(_, clock)| clock.clone()).unwrap_or_default();
        if number > 0 {
            merge(&mut clock, Clock::from([(*author, number)]));
        }
        clock
    }
}

fn merge(clock: &mut Clock, other: Clock) {
    for (author, number) in other {
        let known = clock.entry(author).or_default();
        *known = number.max(*known);
    }
}

/// Whose message is answered.
pub fn author_of(answered: &Answered, people: &[Key]) -> Key {
    let author = people.iter().find(|key| key.short().0 == *answered.author);
    *author.expect("only what somebody has said is answered")
}

/// What a stored batch answers.
pub fn answers(segment: &Segment) -> Vec<Answered> {
    let first = batch(segment).messages().next().expect("a batch is not empty");
    first.expect("a stored message can be read").map(|message| message.answers).unwrap_or_default()
}

fn batch(segment: &Segment) -> Batch {
    match PeerFrame::decode(&segment.frame[HEADER..]) {
        Ok(Some(PeerFrame::Batch(batch))) => batch,
        other => panic!("a stored batch is {other:?}"),
    }
}
