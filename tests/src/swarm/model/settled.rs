//! What must hold once all is mended and quiet.

use std::collections::BTreeMap;

use common::{Key, RoomName, Version, wire::control::Event};
use peer::core::{Core, room::Room};

use super::Model;

impl Model {
    /// Once all is mended and quiet: every member has what was meant for it, and every author knows. `living` are
    /// those who are there; `meet` tells who of them can reach whom.
    pub fn settled(&self, living: &[(Key, &Core)], meet: impl Fn(&Key, &Key) -> bool) {
        assert!(self.asked.is_empty(), "asked, and never answered: {:?}", self.asked);
        for name in &self.rooms {
            let joined = |(key, core): &(Key, &Core)| Some((*key, core.room(name).filter(|room| room.joined)?.clone()));
            let rooms: BTreeMap<Key, Room> = living.iter().filter_map(joined).collect();
            let Some(table) = rooms.values().next().map(|room| &room.table) else { continue };
            for room in rooms.values() {
                assert_eq!(table.digest(), room.table.digest(), "the tables of {name} have not met");
            }
            let members = living.iter().filter(|(key, _)| table.member(key).is_some()).count();
            assert_eq!(rooms.len(), members, "who is in {name} knows it");
            for (_, member) in self.stays.iter().filter(|(room, _)| room == name) {
                let there = living.iter().any(|(key, _)| key == member);
                assert!(self.expiry || !there || rooms.contains_key(member), "{member:?} is in {name} no more");
            }
            for ((_, author), said) in self.said.iter().filter(|((room, _), _)| room == name) {
                let log = (name.clone(), *author);
                for (number, (_, stamp)) in said {
                    let meant = rooms.iter().filter(|(member, _)| {
                        *member != author && self.is_for(name, member, *stamp) && !self.withheld(&log, member, *number)
                    });
                    for (member, _) in meant {
                        let what = || format!("{number} of {author:?} in {name}, said at {stamp}, for {member:?}");
                        let holds = self.holds(&log, member, *number);
                        let has = |other: &Key| {
                            let partly = || self.partly.contains(&(log.clone(), *other, *number));
                            other == author || (self.holds(&log, other, *number) && !partly())
                        };
                        assert!(
                            holds || !self.can_have(&rooms, author, member, *stamp, has, &meet),
                            "lost: {}",
                            what()
                        );
                        if let Some(own) = rooms.get(author).filter(|_| holds) {
                            let acked = own.own.acked(member).has(*number);
                            let told = acked || !self.can_tell(&rooms, author, member, *stamp, &meet);
                            assert!(told, "no receipt: {}", what());
                        }
                    }
                }
            }
        }
    }

    /// Whether what was said at a stamp can get to a member from anyone who has it, by way of members who surely know
    /// for whom it is.
    fn can_have(
        &self,
        rooms: &BTreeMap<Key, Room>,
        author: &Key,
        member: &Key,
        stamp: Version,
        has: impl Fn(&Key) -> bool,
        meet: &impl Fn(&Key, &Key) -> bool,
    ) -> bool {
        let takes = rooms[member].is_for(member, stamp) && rooms[member].was_member(author, stamp);
        let from = |(other, room): (&Key, &Room)| {
            let gives =
                if other == author { room.is_for(member, stamp) } else { takes && room.surely_for(member, stamp) };
            has(other) && meet(other, member) && gives
        };
        rooms.iter().any(from)
    }

    /// Whether a receipt can get from a member to an author: straight, or by way of somebody between them.
    fn can_tell(
        &self,
        rooms: &BTreeMap<Key, Room>,
        author: &Key,
        member: &Key,
        stamp: Version,
        meet: &impl Fn(&Key, &Key) -> bool,
    ) -> bool {
        let between = |(key, room): (&Key, &Room)| {
            key != author && key != member && meet(author, key) && meet(key, member) && room.surely_for(member, stamp)
        };
        meet(author, member) || rooms.iter().any(between)
    }

    /// What a store holds in the end, against what was stored in it: nothing is gone and nothing is there twice.
    pub fn history(&self, of: &Key, room: &RoomName, events: &[Event]) {
        let mut found: BTreeMap<Key, Vec<u64>> = BTreeMap::new();
        for event in events {
            let Event::Message(message) = event else { continue };
            let author = self.people[&message.from];
            let said = self.said.get(&(room.clone(), author)).and_then(|log| log.get(&message.seq));
            assert_eq!(said.map(|(text, _)| text), Some(&message.text), "the history tells what was said");
            found.entry(author).or_default().push(message.seq);
        }
        // What came late stands behind what came in time.
        found.values_mut().for_each(|numbers: &mut Vec<u64>| numbers.sort_unstable());
        let own = self.said.get(&(room.clone(), *of)).map(|log| (*of, log.keys().copied().collect::<Vec<_>>()));
        let held = self.held.iter().filter(|(((name, _), by), _)| name == room && by == of);
        let expected = held.map(|(((_, author), _), held)| (*author, held.clone()));
        assert_eq!(found, expected.chain(own).collect(), "the history of {room} as {of:?} has it");
    }
}
