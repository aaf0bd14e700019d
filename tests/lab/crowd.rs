//! A room full of real peers: what several scenarios begin with, and what all of them hold it to.

use std::{collections::BTreeMap, time::Duration};

use tests::lab::{Host, Lab, Peer, Tracker, Wire, eventually};

pub const ROOM: &str = "lobby";
/// Time for what should take a moment, on a busy machine and a bad network.
pub const SOON: Duration = Duration::from_secs(60);

/// Peers, each on a host of its own, all of them members of [`ROOM`]; the tracker is on yet another host.
///
/// The peers come first: they go first when it is dropped.
pub struct Crowd {
    pub peers: Vec<Peer>,
    pub tracker: Tracker,
    pub server: Host,
    pub lab: Lab,
    settings: &'static str,
}

/// What each author has said, in order.
pub type Saying = BTreeMap<String, Vec<String>>;

impl Crowd {
    /// Gathers the named, on wires like this one, and waits until all see each other.
    #[track_caller]
    pub fn gather<S: AsRef<str>>(names: &[S], wire: Wire) -> Crowd {
        Crowd::gather_with(names, wire, "")
    }

    /// The same, each with these settings in its `peer.toml`.
    #[track_caller]
    pub fn gather_with<S: AsRef<str>>(names: &[S], wire: Wire, settings: &'static str) -> Crowd {
        let lab = Lab::new();
        lab.set_usual(wire);
        let server = lab.host("server");
        let tracker = server.tracker(&["--no-mdns"]);
        let mut crowd = Crowd { peers: Vec::new(), tracker, server, lab, settings };
        for name in names {
            crowd.add(name.as_ref());
        }
        everybody_is_linked(&crowd.peers);
        crowd
    }

    /// One more peer, on a new host.
    #[track_caller]
    pub fn add(&mut self, name: &str) -> &Peer {
        let mut peer = self.lab.host(name).peer(name);
        peer.configure(self.settings);
        peer.login(&["--tracker", &self.tracker.address().to_string()]);
        peer.join(ROOM);
        self.peers.push(peer);
        self.peers.last().expect("it was just added")
    }
}

/// Waits until every peer sees every other online, over a direct path.
#[track_caller]
pub fn everybody_is_linked(peers: &[Peer]) {
    for peer in peers {
        eventually(
            SOON,
            &format!("{} sees all members online and reaches them directly", peer.name()),
            || peer.members(ROOM),
            |members| {
                let is_linked = |name: &str, path: &str| path == if name == peer.name() { "self" } else { "direct" };
                members.len() == peers.len()
                    && members.iter().all(|member| member.online && is_linked(member.name.as_str(), &member.path))
            },
        );
    }
}

/// Waits until every peer has receipts for all that it said.
#[track_caller]
pub fn everything_is_delivered(peers: &[Peer]) {
    for peer in peers {
        let what = format!("{} has receipts for everything it said", peer.name());
        eventually(SOON, &what, || peer.status().undelivered, |undelivered| *undelivered == 0);
    }
}

/// Every peer got every message that it shows straight from its author.
#[track_caller]
pub fn everything_came_directly(peers: &[Peer]) {
    for peer in peers {
        for message in peer.messages(ROOM) {
            let expected = if message.from.as_str() == peer.name() { "self" } else { "direct" };
            assert_eq!(message.path, expected, "{} got {} of {}", peer.name(), message.id, message.from);
        }
    }
}

/// Every peer, the authors among them, shows all that was said once and in each author's order, to the byte. `is_meant`
/// picks the messages by their texts.
#[track_caller]
pub fn everybody_has(peers: &[Peer], said: &Saying, is_meant: impl Fn(&str) -> bool) {
    for peer in peers {
        let mut shown = Saying::new();
        for message in peer.messages(ROOM).into_iter().filter(|message| is_meant(&message.text)) {
            shown.entry(message.from.to_string()).or_default().push(message.text);
        }
        assert_eq!(shown.keys().collect::<Vec<_>>(), said.keys().collect::<Vec<_>>(), "authors at {}", peer.name());
        for (author, texts) in said {
            let (peer, shown) = (peer.name(), &shown[author]);
            let first = texts.iter().zip(shown).position(|(said, shown)| said != shown);
            assert_eq!(first, None, "{peer} shows another message of {author} at this place");
            assert_eq!(shown.len(), texts.len(), "{peer} shows so many messages of {author}");
        }
    }
}
