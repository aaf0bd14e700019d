//! A tracker with sessions around it, on a clock that the test turns. Writes can be held up, and tables are stored.

use std::{collections::BTreeMap, net::SocketAddr, sync::LazyLock};

use common::{
    AccountName, Identity, Key, RoomName,
    address::Addresses,
    file::{FileInfo, Offer, Root},
    frame::{Encoded, Frame, HEADER},
    table::{History, Role, Settings},
    wire::tracker::{
        Code, Decide, Hello, Holding, Make, Refused, Remove, SetContact, SetRole, Share, ToPeer, ToTracker, Unshare,
        Wish,
    },
};

use super::{
    super::{
        Input, Output, SessionId, Standing, Tracker,
        accounts::{Outcome, Wanted},
    },
    mirror::Mirror,
};
use crate::{config::Config, store::Store};

/// A peer: what it knows outlives its sessions.
#[derive(Default)]
pub struct Peer {
    pub session: Option<SessionId>,
    pub mirror: Mirror,
    /// What was told it beside the tables.
    pub heard: Vec<ToPeer>,
    /// Whether its writes are held up, and one that is.
    pub slow: bool,
    under_way: Vec<Encoded>,
}

pub struct World {
    pub tracker: Tracker,
    pub store: Store,
    pub config: Config,
    pub now: u64,
    pub peers: BTreeMap<u8, Peer>,
    /// Frames carried, with those that were shared.
    pub frames: usize,
    /// What whoever runs the tracker was told last.
    pub outcome: Option<Outcome>,
    sessions: u64,
    runs: u64,
}

pub fn called(peer: u8) -> AccountName {
    format!("peer{peer}").parse().unwrap()
}

/// Who a peer is.
pub fn identity(peer: u8) -> &'static Identity {
    static EVERYBODY: LazyLock<Vec<Identity>> =
        LazyLock::new(|| (0..=u8::MAX).map(|peer| Identity::from_seed([peer; 32])).collect());
    &EVERYBODY[usize::from(peer)]
}

pub fn key(peer: u8) -> Key {
    identity(peer).key()
}

/// Whose key it is.
pub fn who(of: &Key) -> u8 {
    (0..=u8::MAX).find(|peer| key(*peer) == *of).expect("the key of a peer")
}

/// What is shared under a number.
pub fn file(number: u8, name: &str) -> FileInfo {
    FileInfo { root: Root([number; 32]), name: name.into(), size: 5, head: 0, media: String::new(), pixels: None }
}

pub fn room(name: &str) -> RoomName {
    name.parse().unwrap()
}

pub fn address(peer: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, peer], 1000))
}

impl World {
    pub fn new(config: Config) -> World {
        let store = Store::in_memory(77).unwrap();
        let tracker = Tracker::new(config.clone(), store.load().unwrap(), 1, 1_000).unwrap();
        World {
            tracker,
            store,
            config,
            now: 1_000,
            peers: BTreeMap::new(),
            frames: 0,
            outcome: None,
            sessions: 0,
            runs: 1,
        }
    }

    /// The tracker dies and comes back; the links die with it.
    pub fn restart(&mut self) {
        self.runs += 1;
        let stored = self.store.load().unwrap();
        self.tracker = Tracker::new(self.config.clone(), stored, self.runs, self.now).unwrap();
        for peer in self.peers.values_mut() {
            peer.session = None;
            peer.under_way.clear();
        }
    }

    pub fn login(&mut self, id: u8) {
        self.login_as(id, key(id), called(id));
    }

    pub fn login_as(&mut self, id: u8, key: Key, name: AccountName) {
        self.sessions += 1;
        let session = SessionId(self.sessions);
        let peer = self.peers.entry(id).or_default();
        peer.session = Some(session);
        peer.under_way.clear();
        let rooms = peer.mirror.held();
        let hello = Hello::new(name, Addresses::default());
        self.input(Input::Hello { session, key, seen: address(id), hello, clock: 0 });
        self.say(id, Holding { rooms, last: true });
    }

    /// Logs in with a token.
    pub fn login_with(&mut self, id: u8, key: Key, name: &str, token: Option<&str>) {
        self.sessions += 1;
        let session = SessionId(self.sessions);
        self.peers.entry(id).or_default().session = Some(session);
        let mut hello = Hello::new(name.parse().unwrap(), Addresses::default());
        hello.invite = token.map(str::to_owned);
        self.input(Input::Hello { session, key, seen: address(id), hello, clock: 0 });
        let rooms = self.peers[&id].mirror.held();
        self.say(id, Holding { rooms, last: true });
        self.pass(10);
    }

    /// Asks for something as who runs the tracker does.
    pub fn operate(&mut self, wanted: Wanted) -> Outcome {
        self.input(Input::Operator { ask: 1, wanted });
        self.outcome.take().unwrap()
    }

    /// The peer's link breaks.
    pub fn lose(&mut self, id: u8) {
        if let Some(session) = self.peers.get_mut(&id).and_then(|peer| peer.session.take()) {
            self.input(Input::Lost { session });
        }
    }

    pub fn say(&mut self, id: u8, frame: impl Into<ToTracker>) {
        if let Some(session) = self.peers.get(&id).and_then(|peer| peer.session) {
            self.input(Input::Frame { session, seen: address(id), frame: frame.into() });
        }
    }

    pub fn join(&mut self, id: u8, name: &str) {
        self.join_with(id, name, None);
    }

    pub fn join_with(&mut self, id: u8, name: &str, history: Option<History>) {
        self.say(id, common::wire::tracker::Join { id: 1, room: room(name), history });
    }

    /// The peer leaves; it forgets the room at once, as one does that is answered.
    pub fn leave(&mut self, id: u8, name: &str) {
        self.say(id, common::wire::tracker::Leave { id: 2, room: room(name) });
        self.settle();
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.mirror.rooms.remove(&room(name));
        }
    }

    pub fn slow(&mut self, id: u8, slow: bool) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.slow = slow;
        }
        self.settle();
    }

    /// Lets time pass, a timer at a time.
    pub fn pass(&mut self, ms: u64) {
        let until = self.now + ms;
        self.settle();
        while let Some(at) = self.tracker.deadline().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.settle();
        }
        self.now = until;
    }

    fn input(&mut self, input: Input) {
        self.tracker.handle(input, self.now);
        self.settle();
    }

    /// Carries out what there is to do, until nothing more comes of it.
    pub fn settle(&mut self) {
        loop {
            let outputs = self.tracker.poll(self.now);
            let rows: Vec<_> = outputs
                .iter()
                .filter_map(|output| match output {
                    Output::Store(row) => Some(row.clone()),
                    _ => None,
                })
                .collect();
            self.store.commit(&rows).unwrap();
            for output in outputs {
                match output {
                    Output::Store(_) => {}
                    Output::Outcome { outcome, .. } => self.outcome = Some(outcome),
                    Output::Send { session, frames, .. } => {
                        if let Some(peer) = self.peers.values_mut().find(|peer| peer.session == Some(session)) {
                            assert!(peer.under_way.is_empty(), "one write at a time");
                            peer.under_way = frames;
                        }
                    }
                    Output::Close { session, last, .. } => {
                        if let Some(peer) = self.peers.values_mut().find(|peer| peer.session == Some(session)) {
                            peer.session = None;
                            peer.heard.push(ToPeer::decode(&last[HEADER..]).unwrap().unwrap());
                        }
                    }
                }
            }
            let written: Vec<SessionId> = self.peers.values_mut().filter_map(|peer| peer.read()).collect();
            if written.is_empty() {
                return;
            }
            for session in written {
                self.frames += 1;
                self.tracker.handle(Input::Sent { session }, self.now);
            }
        }
    }

    /// Whether what a peer knows is what the tracker holds.
    pub fn assert_mirrored(&mut self, id: u8) {
        let peer = &self.peers[&id];
        let of: Vec<_> = self.tracker.rooms.of(&key(id)).into_iter().collect();
        assert_eq!(peer.mirror.rooms.len(), of.len(), "peer {id} knows its rooms");
        for epoch in of {
            let held = self.tracker.rooms.get_mut(epoch).unwrap();
            let mirrored = &peer.mirror.rooms[held.name()];
            assert_eq!(mirrored.table.version(), held.table().version(), "peer {id} in {}", held.name());
            assert_eq!(mirrored.table.digest(), held.digest(), "peer {id} in {}", held.name());
            let online = held.table().members().filter_map(|member| {
                let account = self.tracker.logins.get(&member.key)?;
                let online = account.online.clone()?;
                Some((member.slot, (online.addresses, online.away)))
            });
            assert_eq!(mirrored.online, online.collect(), "presence as peer {id} sees it in {}", held.name());
        }
    }

    /// Whether what a peer knows of its contacts is what the tracker holds.
    pub fn assert_contacts(&mut self, id: u8) {
        let book = &self.tracker.book;
        let mirrored: Vec<_> = self.peers[&id].mirror.contacts.keys().copied().collect();
        assert_eq!(mirrored, book.of(&key(id)).collect::<Vec<_>>(), "peer {id} knows its contacts");
        for (with, contact) in &self.peers[&id].mirror.contacts {
            let account = self.tracker.logins.get(with).unwrap();
            let agreed = book.are_contacts(&key(id), with);
            let online = account.online.as_ref().filter(|_| agreed).map(|online| online.addresses.clone());
            assert_eq!(contact.online, online, "peer {id} sees where {with} is");
            if book.standing(with, &key(id)) != Some(Standing::Blocked) {
                assert_eq!(contact.name, account.name);
            }
        }
    }

    pub fn is_shown_online(&self, viewer: u8, name: &str, of: u8) -> bool {
        let room = &self.peers[&viewer].mirror.rooms[&room(name)];
        let slot = room.table.member(&key(of)).unwrap().slot;
        room.online.contains_key(&slot)
    }

    /// Asks for something, and gives back why it was refused, if it was.
    pub fn request(&mut self, id: u8, frame: impl Into<ToTracker>) -> Option<Refused> {
        self.say(id, frame);
        self.pass(10);
        let answer = self.peers[&id].heard.iter().rev().find_map(|frame| match frame {
            ToPeer::Answer(answer) => Some(answer.refused.clone()),
            _ => None,
        });
        answer.expect("an answer")
    }

    /// The code with which something that is asked for is refused, if it is.
    pub fn code(&mut self, id: u8, frame: impl Into<ToTracker>) -> Option<Code> {
        self.request(id, frame).map(|refused| refused.code)
    }

    /// Makes a room with an owner.
    pub fn make(&mut self, id: u8, name: &str, approval: bool) -> Option<Code> {
        let settings = Settings { approval, ..Settings::default() };
        self.code(id, Make { id: 3, room: room(name), settings })
    }

    pub fn decide(&mut self, id: u8, name: &str, of: u8, accept: bool) -> Option<Code> {
        self.code(id, Decide { id: 4, room: room(name), name: called(of), accept })
    }

    pub fn remove(&mut self, id: u8, name: &str, of: u8, ban: bool) -> Option<Code> {
        self.code(id, Remove { id: 5, room: room(name), name: called(of), ban })
    }

    pub fn set_role(&mut self, id: u8, name: &str, of: u8, role: Role) -> Option<Code> {
        self.code(id, SetRole { id: 6, room: room(name), name: called(of), role })
    }

    /// The word of a peer that it shares a file in a room.
    pub fn offer(&self, id: u8, name: &str, file: FileInfo) -> Offer {
        Offer::sign(identity(id), &room(name), file, self.now / 1_000)
    }

    pub fn share(&mut self, id: u8, name: &str, file: FileInfo) -> Option<Code> {
        let offer = self.offer(id, name, file);
        self.code(id, Share { id: 8, room: room(name), offer })
    }

    pub fn unshare(&mut self, id: u8, name: &str, number: u8) -> Option<Code> {
        self.code(id, Unshare { id: 9, room: room(name), root: Root([number; 32]) })
    }

    pub fn wish(&mut self, id: u8, of: u8, wish: Wish) -> Option<Code> {
        self.code(id, SetContact { id: 7, name: called(of), key: None, wish })
    }

    /// What a member may do, as the tracker has it.
    pub fn role(&self, name: &str, of: u8) -> Option<Role> {
        let held = self.tracker.rooms.get(self.tracker.rooms.find(&room(name))?)?;
        held.table().member(&key(of)).map(|member| member.role)
    }

    /// The frames of a kind that a peer was told, and forgets them.
    pub fn heard<T>(&mut self, id: u8, of: impl Fn(&ToPeer) -> Option<T>) -> Vec<T> {
        let peer = self.peers.get_mut(&id).expect("a peer");
        let found = peer.heard.iter().filter_map(&of).collect();
        peer.heard.retain(|frame| of(frame).is_none());
        found
    }

    pub fn last_code(&self, id: u8) -> Option<Code> {
        self.peers[&id].heard.last().and_then(|frame| match frame {
            ToPeer::Bye(bye) => Some(bye.code),
            ToPeer::Refused(refused) => Some(refused.code),
            ToPeer::Answer(answer) => answer.refused.as_ref().map(|refused| refused.code),
            _ => None,
        })
    }
}

impl Peer {
    fn read(&mut self) -> Option<SessionId> {
        if self.slow || self.under_way.is_empty() {
            return None;
        }
        for frame in std::mem::take(&mut self.under_way) {
            self.heard.extend(self.mirror.take(&frame));
        }
        self.session
    }
}
