//! A tracker that has lost its tables gets them back from its peers. A room that had an owner is made again as it was by
//! whoever comes first, who lets in those who were members, and gives the roles back to those who had them.

use common::{
    Key, RoomName,
    table::Role,
    wire::{control::Order, tracker::AtTheDoor},
};

use super::{Core, Now, requests::What};

impl Core {
    /// What brings a room back.
    pub(super) fn rejoining(&self, name: &RoomName) -> What {
        let Some(room) = self.rooms.get(name) else { return What::Rejoin(name.clone(), None) };
        let owned = room.table.members().any(|member| member.role == Role::Owner);
        match owned {
            true => What::Remake(name.clone(), room.table.settings().clone()),
            false => What::Rejoin(name.clone(), Some(room.table.history())),
        }
    }

    /// Lets somebody in who was a member before. False if it is for the user to decide.
    pub(super) fn let_back(&mut self, name: &RoomName, who: &AtTheDoor, now: Now) -> bool {
        let runs = self.role_in(name) >= Role::Moderator;
        let was_in = self.rooms.get(name).is_some_and(|room| room.lost.contains_key(&who.key));
        if runs && was_in {
            let order = Order::Decide { name: who.name.clone(), accept: true };
            self.request(What::Restore(name.clone(), order), now);
        }
        runs && was_in
    }

    /// Gives the roles back that members had, each once; the room to its owner last.
    pub(super) fn restore_roles(&mut self, name: &RoomName, now: Now) {
        if self.role_in(name) < Role::Owner {
            return;
        }
        let me = self.me;
        let Some(room) = self.rooms.get_mut(name).filter(|room| !room.lost.is_empty()) else { return };
        room.lost.remove(&me);
        let there: Vec<Key> = room.lost.keys().filter(|key| room.table.member(key).is_some()).copied().collect();
        let mut orders = Vec::new();
        for key in there {
            let (role, member) = (room.lost.remove(&key), room.table.member(&key));
            if let (Some(role), Some(member)) = (role, member)
                && member.role != role
            {
                orders.push((role, Order::Role { name: member.name.clone(), role }));
            }
        }
        orders.sort_by_key(|(role, _)| *role);
        for (_, order) in orders {
            self.request(What::Restore(name.clone(), order), now);
        }
    }

    fn role_in(&self, name: &RoomName) -> Role {
        let room = self.rooms.get(name).filter(|room| room.joined);
        room.and_then(|room| room.table.member(&self.me)).map_or(Role::Member, |me| me.role)
    }
}

#[cfg(test)]
mod tests {
    use common::{
        Slot, Version,
        frame::{Frame, HEADER},
        table::{Member, PresenceVersion, Settings, Step},
        wire::tracker::{Answer, Asks, Code, NotMember, Refused, Snapshot, ToTracker},
    };

    use crate::core::{
        Output,
        alone::{Alone, lobby, told},
    };

    use super::*;

    fn settings() -> Settings {
        Settings { approval: true, ..Settings::default() }
    }

    fn requests(outputs: &[Output]) -> Vec<ToTracker> {
        let frame = |output: &Output| match output {
            Output::TellTracker(frame) => ToTracker::decode(&frame[HEADER..]).unwrap(),
            _ => None,
        };
        outputs.iter().filter_map(frame).filter(ToTracker::is_request).collect()
    }

    fn table(epoch: u64, members: Vec<Member>) -> Snapshot {
        let since = |mut member: Member| {
            member.since = u64::from(member.slot.0) + 1;
            member
        };
        Snapshot {
            files: Vec::new(),
            room: lobby(),
            version: Version { epoch, number: members.len() as u64 },
            settings: settings(),
            presence_version: PresenceVersion { run: epoch, number: 1 },
            members: members.into_iter().map(since).collect(),
            presence: Vec::new(),
            more: false,
        }
    }

    /// m0 is a moderator of the lobby, which m1 owns; the tracker has lost its tables. What m0 asks of it then.
    fn after_the_loss() -> (Alone, [Member; 3], Vec<ToTracker>) {
        let mut alone = Alone::in_the_lobby(0, 2);
        let [me, owner, other] = [0, 1, 2].map(|slot| alone.at(slot));
        let me = Member { role: Role::Moderator, ..me };
        let owner = Member { role: Role::Owner, ..owner };
        alone.tracker(table(2, vec![me.clone(), owner.clone(), other.clone()]));
        alone.tracker_loses_its_tables();
        let outputs = alone.tracker(NotMember { room: lobby() });
        (alone, [me, owner, other], requests(&outputs))
    }

    #[test]
    fn a_room_with_a_door_is_made_again_with_its_door() {
        let (mut alone, _, asked) = after_the_loss();
        let [ToTracker::Make(make)] = &asked[..] else { panic!("{asked:?}") };
        assert_eq!(make.settings, settings());
        let refused = Some(Refused { code: Code::Exists, reason: "there is one".into() });
        let outputs = alone.tracker(Answer { id: make.id, refused });
        assert!(matches!(&requests(&outputs)[..], [ToTracker::Join(_)]), "somebody else was first");
    }

    #[test]
    fn who_was_a_member_is_let_back_in_and_nobody_else() {
        let (mut alone, [me, _, other], _) = after_the_loss();
        alone.tracker(table(3, vec![Member { role: Role::Owner, ..me }]));
        let asks = |key| Asks { room: lobby(), who: AtTheDoor { name: "m2".parse().unwrap(), key, at: 1 } };
        let outputs = alone.tracker(asks(other.key));
        assert!(matches!(&requests(&outputs)[..], [ToTracker::Decide(decide)] if decide.accept));
        assert_eq!(told(&outputs), []);
        let outputs = alone.tracker(asks(Key([77; 32])));
        assert_eq!((requests(&outputs), told(&outputs).len()), (vec![], 1));
    }

    #[test]
    fn the_room_goes_back_to_its_owner_and_who_was_moderator_is_one_again() {
        let (mut alone, [me, owner, _], _) = after_the_loss();
        let first = Member { role: Role::Owner, ..me.clone() };
        alone.tracker(table(3, vec![first]));
        let back = Member { slot: Slot(1), since: 2, role: Role::Member, ..owner };
        let outputs = alone.changes(vec![Step::Put(back.clone()).at(0)]);
        let asked = requests(&outputs);
        assert!(
            matches!(&asked[..], [ToTracker::SetRole(set)] if set.role == Role::Owner && set.name == back.name),
            "{asked:?}"
        );
        assert_eq!(requests(&alone.changes(vec![Step::Put(back).at(0)])), [], "once");
    }
}
