//! A member that was away while others talked and went: what the benchmarks of catching up have in common.
//!
//! Its messages come from one member, the keeper, who was there all along.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use common::{
    RoomName,
    wire::control::{self, Event},
};
use peer::{Config, Handle};
use tempfile::TempDir;
use tokio::{task::JoinSet, time::sleep};
use tracker::Running;

use crate::loopback::{name, say_all, start_peer, start_tracker};

/// The number of the member that goes. The keeper's is the one before it, and the authors' follow.
const AWAY: usize = 1;
/// Events read at once.
const EVENTS: u32 = 1_024;
/// Between two looks at something that is to be so.
const LOOK: Duration = Duration::from_millis(1);
/// Length of a message's text, in bytes.
pub const TEXT: usize = 200;

/// How messages are said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    /// Each author says one once the one before is kept: a batch holds one message.
    OneByOne,
    /// As fast as they are taken: a batch holds as many as gather while the last one is kept.
    Flood,
}

/// A room: the keeper, the member that goes and returns, and authors. All have their histories in files.
pub struct Absence {
    tracker: Running,
    keeper: Handle,
    away: Option<Handle>,
    authors: Vec<Handle>,
    said: u64,
    folder: TempDir,
    returns: usize,
}

impl Absence {
    /// Gathers everybody in one room.
    ///
    /// # Panics
    /// Like everything here, if something does not do what it should.
    pub async fn gather(authors: usize) -> Absence {
        let folder = tempfile::tempdir().expect("a folder");
        let tracker = start_tracker();
        let mut peers = Vec::new();
        for number in 0..authors + 2 {
            let home = folder.path().join(number.to_string());
            fs::create_dir(&home).expect("a folder");
            let peer = start_peer(number, Some(&store(&home)), tracker.address(), Config::default());
            peer.welcomed().await.expect("a welcome");
            peer.join(room()).await.expect("joined");
            peers.push(peer);
        }
        for peer in &peers {
            while peer.status().await.expect("a status").links < authors + 1 {
                sleep(LOOK).await;
            }
        }
        let authors = peers.split_off(AWAY + 1);
        let away = peers.pop();
        let keeper = peers.pop().expect("a keeper");
        Absence { tracker, keeper, away, authors, said: 0, folder, returns: 0 }
    }

    /// Has each author say so many messages, and waits until all who are there have them.
    pub async fn say(&mut self, messages_each: u64, pace: Pace) {
        let mut saying = JoinSet::new();
        for author in &self.authors {
            let author = author.clone();
            saying.spawn(async move {
                let text = |_| "x".repeat(TEXT);
                match pace {
                    Pace::Flood => say_all(&author, &room(), messages_each, text).await,
                    Pace::OneByOne => {
                        for number in 0..messages_each {
                            author.say(room(), text(number)).await.expect("said");
                        }
                    }
                }
            });
        }
        saying.join_all().await;
        self.arrives(messages_each * self.authors.len() as u64).await;
    }

    /// The same with one message of one author.
    pub async fn say_one(&mut self) {
        self.authors[0].say(room(), "x".repeat(TEXT)).await.expect("said");
        self.arrives(1).await;
    }

    async fn arrives(&mut self, said: u64) {
        self.said += said;
        for peer in self.away.iter().chain([&self.keeper]) {
            has_all(peer, self.said).await;
        }
    }

    /// One member goes; what it has then is kept for it.
    pub async fn goes(&mut self) {
        end(self.away.take().expect("it is there")).await;
    }

    /// The authors go for good.
    pub async fn authors_go(&mut self) {
        for author in self.authors.drain(..) {
            end(author).await;
        }
    }

    /// A folder with what the member had when it went.
    pub fn left_behind(&mut self) -> PathBuf {
        self.returns += 1;
        let home = self.folder.path().join(format!("return-{}", self.returns));
        fs::create_dir(&home).expect("a folder");
        for file in fs::read_dir(self.folder.path().join(AWAY.to_string())).expect("its folder") {
            let file = file.expect("a file");
            fs::copy(file.path(), home.join(file.file_name())).expect("a copy");
        }
        home
    }

    /// Starts the member that went from what is in this folder, and waits until it has everything.
    pub async fn returns(&self, home: &Path) -> Handle {
        let away = start_peer(AWAY, Some(&store(home)), self.tracker.address(), Config::default());
        has_all(&away, self.said).await;
        away
    }

    /// The keeper's side of its link to the member that has returned, once there is one.
    pub async fn link(&self) -> control::Path {
        loop {
            let paths = self.keeper.paths().await.expect("paths");
            if let Some(path) = paths.into_iter().find(|path| path.name == name(AWAY) && path.path == "direct") {
                return path;
            }
            sleep(LOOK).await;
        }
    }
}

/// Logs a member out, and waits until it has.
pub async fn end(peer: Handle) {
    peer.logout().await.expect("logged out");
    peer.ended().await;
}

/// Reads along until so many messages are there.
async fn has_all(peer: &Handle, messages: u64) {
    let (mut count, mut cursor) = (0, 0);
    while count < messages {
        let events = peer.past(Some(room()), Some(cursor), EVENTS).await.expect("events");
        for event in &events {
            match event {
                Event::Message(message) => (count, cursor) = (count + 1, message.cursor),
                Event::Member(member) => cursor = member.cursor,
                Event::Receipt(_) | Event::Read(_) | Event::Typing(_) | Event::Transfer(_) => {}
            }
        }
        if events.is_empty() {
            sleep(LOOK).await;
        }
    }
}

fn store(home: &Path) -> PathBuf {
    home.join("history.sqlite")
}

fn room() -> RoomName {
    "hall".parse().expect("a name")
}
