//! Real peers with a real tracker: what is said is stored, synced and receipted.

use std::{collections::BTreeMap, sync::Arc};

use common::{RoomName, wire::control::Event};
use peer::{Config, Handle};
use tests::{
    loopback::{count_receipts, say_all, start_peer, start_tracker, until},
    measure::Deliveries,
};
use tokio::task::JoinSet;
use tracker::Running;

use crate::TEXT;

/// Where the peers keep what they hold.
pub enum Disk {
    /// In files, synced.
    Real,
    /// In memory.
    None,
}

/// A room, and one member in it who talks.
pub struct Room {
    name: RoomName,
    author: Handle,
    others: Vec<Handle>,
    said: u64,
    _tracker: Running,
    _folder: tempfile::TempDir,
}

impl Room {
    /// A room of the author and `receivers` others, each linked to the author.
    pub async fn new(receivers: usize, disk: Disk) -> Room {
        let folder = tempfile::tempdir().expect("a folder");
        let tracker = start_tracker();
        let name: RoomName = "hall".parse().expect("a name");
        let mut joining = JoinSet::new();
        for number in 0..=receivers {
            let store = match disk {
                Disk::Real => Some(folder.path().join(format!("{number}.sqlite"))),
                Disk::None => None,
            };
            // A link is made only when there is something to deliver: the others have nothing for each other.
            let config = Config { mesh_members: 0, dials_per_second: 10_000, ..Config::default() };
            let handle = start_peer(number, store.as_deref(), tracker.address(), config);
            let name = name.clone();
            joining.spawn(async move {
                handle.welcomed().await.expect("a welcome");
                handle.join(name).await.expect("joined");
                (number, handle)
            });
        }
        let mut peers: BTreeMap<usize, Handle> = joining.join_all().await.into_iter().collect();
        let author = peers.remove(&0).expect("the first");
        let all_are_in = async || author.members(name.clone()).await.expect("members").len() > receivers;
        until("all are members", all_are_in).await;
        let others = peers.into_values().collect();
        let mut room = Room { name, author, others, said: 0, _tracker: tracker, _folder: folder };
        // Links are made for the first message.
        room.flood(1, &Arc::new(Deliveries::new(1, receivers, false))).await;
        room
    }

    /// Says so many messages as fast as they are taken; a delivery counts when its receipt is back.
    pub async fn flood(&mut self, messages: u64, deliveries: &Arc<Deliveries>) {
        let counting = count_receipts(self.author.events(), self.said, |_| true, deliveries.clone());
        let counting = tokio::spawn(counting);
        say_all(&self.author, &self.name, messages, |_| "x".repeat(TEXT)).await;
        deliveries.all().await;
        counting.abort();
        self.said += messages;
    }

    /// From now on, a delivery counts when the receiver has it in its store and shows it.
    pub fn listen(&self, deliveries: &Arc<Deliveries>) {
        for other in &self.others {
            let (mut events, deliveries, said) = (other.events(), deliveries.clone(), self.said);
            tokio::spawn(async move {
                while let Ok(event) = events.recv().await {
                    if let Event::Message(message) = event {
                        let number = message.seq - said - 1;
                        deliveries.arrived(number..number + 1);
                    }
                }
            });
        }
    }

    /// Says one message.
    pub fn say(&self) {
        let (author, name) = (self.author.clone(), self.name.clone());
        tokio::spawn(async move { author.say(name, "x".repeat(TEXT)).await.expect("said") });
    }
}
