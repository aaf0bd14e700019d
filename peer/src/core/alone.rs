//! A core alone, told by hand what happens: for tests.

use std::net::SocketAddr;

use common::{
    Identity, Key, RoomName, Slot, Version,
    address::Addresses,
    frame::{Frame, HEADER},
    message::{Batch, Head, Message},
    table::{Change, Departure, History, Member, Presence, PresenceVersion, Role, Settings, Step},
    wire::{
        control::MemberEvent,
        peer::{Hello, PROTOCOL, PeerFrame},
        tracker::{self, Snapshot, ToPeer, Update, Welcome},
    },
};

use super::*;

/// The core of `me`, who shares the lobby with others, and its clock.
pub struct Alone {
    pub core: Core,
    pub now: Now,
    pub others: Vec<Identity>,
}

pub fn lobby() -> RoomName {
    "lobby".parse().unwrap()
}

pub fn address(n: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, n as u8], 4_000))
}

/// Identities in the order of their keys.
fn identities(count: usize) -> Vec<Identity> {
    let mut all: Vec<Identity> = (0..count).map(|n| Identity::from_seed([n as u8 + 1; 32])).collect();
    all.sort_by_key(Identity::key);
    all
}

fn member(slot: usize, identity: &Identity) -> Member {
    Member {
        slot: Slot(slot as u32),
        key: identity.key(),
        name: format!("m{slot}").parse().unwrap(),
        role: Role::Member,
        since: slot as u64 + 1,
    }
}

impl Alone {
    /// Logged in, and in the lobby with `others` people who are online. The core's key is the `me`th of all.
    pub fn in_the_lobby(me: usize, others: usize) -> Alone {
        let mut all = identities(others + 1);
        let identity = all.remove(me);
        let mut members = vec![member(0, &identity)];
        members.extend(all.iter().enumerate().map(|(n, other)| member(n + 1, other)));
        let core = Core::new(Start {
            name: "m0".parse().unwrap(),
            identity,
            config: Config::default(),
            tracker_key: None,
            invite: None,
            tracker: Some(address(99)),
            address: address(0),
            saved: Saved::default(),
            seed: 1,
        });
        let mut alone = Alone { core, now: Now::default(), others: all };
        alone.tell(Input::Tick);
        alone.tell(Input::TrackerUp(Key([9; 32])));
        alone.comes_back(7);
        let online = |n: usize| Some(Addresses::new([address(n)]));
        alone.tracker(Snapshot {
            files: Vec::new(),
            room: lobby(),
            version: Version { epoch: 1, number: members.len() as u64 },
            settings: Settings::default(),
            presence_version: PresenceVersion { run: 1, number: 1 },
            presence: (0..members.len())
                .map(|n| Presence { slot: Slot(n as u32), online: online(n), away: false })
                .collect(),
            members,
            more: false,
        });
        alone
    }

    /// Joins another room, as the last member with version 9; the first of the others has been there since version 2.
    pub fn joins_another(&mut self, history: History) -> RoomName {
        let room: RoomName = "library".parse().unwrap();
        let me = self.core.room(&lobby()).unwrap().table.at(Slot(0)).cloned().unwrap();
        let members = vec![Member { since: 9, ..me }, Member { since: 2, ..member(1, &self.others[0]) }];
        self.tracker(Snapshot {
            files: Vec::new(),
            room: room.clone(),
            version: Version { epoch: 5, number: 9 },
            settings: Settings::with_history(history),
            presence_version: PresenceVersion { run: 1, number: 1 },
            presence: vec![Presence { slot: Slot(1), online: Some(Addresses::new([address(0)])), away: false }],
            members,
            more: false,
        });
        room
    }

    pub fn tell(&mut self, input: Input) -> Vec<Output> {
        self.core.handle(input, self.now);
        self.core.flush(self.now)
    }

    pub fn tracker(&mut self, frame: impl Into<ToPeer>) -> Vec<Output> {
        self.tell(Input::TrackerSays(frame.into()))
    }

    /// The tracker comes back after a minute, with other tables than before.
    pub fn tracker_loses_its_tables(&mut self) -> Vec<Output> {
        self.tell(Input::TrackerDown("gone".into()));
        self.later(60_000);
        self.tell(Input::TrackerUp(Key([9; 32])));
        self.comes_back(8)
    }

    /// The tracker welcomes this peer, with these tables.
    pub fn comes_back(&mut self, tables: u64) -> Vec<Output> {
        self.welcomed_by(tracker::PROTOCOL, tables)
    }

    /// The same of one that speaks this version.
    pub fn welcomed_by(&mut self, protocol: u16, tables: u64) -> Vec<Output> {
        let (domain, name) = ("lan".parse().unwrap(), "m0".parse().unwrap());
        self.tracker(Welcome { protocol, domain, tables, name, seen: Addresses::default(), clock: None })
    }

    pub fn later(&mut self, ms: u64) -> Vec<Output> {
        self.now.at += ms;
        self.tell(Input::Tick)
    }

    pub fn link(&mut self, id: u64, other: usize, dialled: bool) -> Vec<Output> {
        let key = self.others[other].key();
        let mut outputs = self.tell(Input::LinkUp { link: LinkId(id), key, dialled, address: address(other) });
        let hello = Hello { protocol: PROTOCOL, name: "m1".parse().unwrap(), life: 1 };
        outputs.extend(self.tell(Input::LinkSays(LinkId(id), hello.into())));
        outputs
    }

    /// These changes of the lobby's table come from the tracker.
    pub fn changes(&mut self, changes: Vec<Change>) -> Vec<Output> {
        let from = self.core.room(&lobby()).unwrap().table.version();
        self.tracker(Update {
            room: lobby(),
            from,
            changes,
            presence: Vec::new(),
            presence_version: PresenceVersion { run: 1, number: 2 },
        })
    }

    /// Somebody is put into the lobby, as the member in a slot, with a name.
    pub fn puts(&mut self, slot: usize, identity: &Identity, name: &str, since: u64) -> Vec<Output> {
        let member = Member { since, name: name.parse().unwrap(), ..member(slot, identity) };
        self.changes(vec![Step::Put(member).at(0)])
    }

    /// One of the others leaves the lobby.
    pub fn leaves(&mut self, other: usize) -> Vec<Output> {
        self.changes(vec![Step::Gone { slot: Slot(other as u32 + 1), why: Departure::Left }.at(0)])
    }

    /// Somebody in the lobby, by slot, is removed by another.
    pub fn removed(&mut self, slot: u32, by: u32) -> Vec<Output> {
        let step = Step::Gone { slot: Slot(slot), why: Departure::Removed };
        self.changes(vec![Change { by: Some(Slot(by)), ..step.at(77) }])
    }

    /// The member in a slot of the lobby.
    pub fn at(&self, slot: u32) -> Member {
        self.core.room(&lobby()).unwrap().table.at(Slot(slot)).cloned().unwrap()
    }

    /// Somebody joins whose membership begins with the version `since`.
    pub fn joins(&mut self, identity: &Identity, since: u64) -> Vec<Output> {
        self.changes(vec![Step::Put(Member { since, ..member(2, identity) }).at(0)])
    }

    pub fn batch(&self, other: usize, head: Head, stamp: u64, text: &str) -> (Batch, Head) {
        let message = Message::new(0, text.into());
        Batch::sign(&self.others[other], &lobby(), Version { epoch: 1, number: stamp }, head, &[message])
    }
}

pub fn dials(outputs: &[Output]) -> usize {
    outputs.iter().filter(|output| matches!(output, Output::Dial(..))).count()
}

pub fn sent(outputs: &[Output]) -> Vec<PeerFrame> {
    let frame = |output: &Output| match output {
        Output::Send(_, frame) => PeerFrame::decode(&frame[HEADER..]).unwrap(),
        _ => None,
    };
    outputs.iter().filter_map(frame).collect()
}

/// What the user is told of members.
pub fn told(outputs: &[Output]) -> Vec<MemberEvent> {
    let event = |output: &Output| match output {
        Output::Show(Shown::Member(event)) => Some(event.clone()),
        _ => None,
    };
    outputs.iter().filter_map(event).collect()
}
