//! A storm on virtual time: eight peers talk while they and the tracker die, the network loses a fifth of everything and
//! is cut, and addresses change. Nothing that was said is lost or doubled, and nobody was told too much.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::{RoomName, wire::control::Event};
use peer::Config;
use tests::{
    sim::{Conditions, Host, Killed, Net, Person, Town, eventually, run, seeds},
    storm::{End, Fault, Ledger, Step, plan},
};
use tokio::time::sleep;

const NAMES: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];
const MESSAGES: usize = 300;
/// Between two messages, in virtual time: most faults last longer than a dead link takes to be noticed.
const PACE: Duration = Duration::from_millis(300);
const LOSS: f64 = 0.2;

#[test]
fn nothing_is_lost_or_doubled_and_no_tick_is_false() {
    seeds("a storm", 0..5, |seed| async move {
        storm(seed).await;
    });
}

#[test]
fn one_seed_is_one_storm() {
    assert_eq!(run(storm(3)), run(storm(3)));
}

/// Returns what stands for the whole run.
async fn storm(seed: u64) -> u64 {
    let mut storm = Storm::gather(seed).await;
    for step in plan(seed, NAMES.len(), MESSAGES) {
        match step {
            Step::Say { author, text } => {
                storm.seats[author].waiting.push(text);
                storm.speak(author).await;
                sleep(PACE).await;
            }
            Step::Move(peer) => storm.moves(peer),
            Step::Begin(fault) => storm.begin(fault),
            Step::End(fault) => storm.end(fault).await,
        }
    }
    storm.net.set_usual(Conditions::default());
    storm.settle().await;
    storm.net.trace()
}

struct Storm {
    net: Net,
    town: Town,
    room: RoomName,
    seats: Vec<Seat>,
    ledger: Arc<Mutex<Ledger>>,
    addresses: u16,
}

/// A peer, and what its user wants to say.
struct Seat {
    peer: Peer,
    host: Host,
    waiting: Vec<String>,
}

enum Peer {
    Runs(Box<Person>),
    Dead(Killed),
    /// Between the two.
    Gone,
}

impl Storm {
    async fn gather(seed: u64) -> Storm {
        let net = Net::new(seed);
        let town = Town::new(&net);
        let room: RoomName = "lobby".parse().unwrap();
        let mut storm = Storm { net, town, room, seats: Vec::new(), ledger: Arc::default(), addresses: 0 };
        for (number, name) in (1..).zip(NAMES) {
            let person = storm.town.login(number, name).await;
            person.join(&storm.room).await;
            storm.watch(&person);
            storm.seats.push(Seat { host: person.host, peer: Peer::Runs(Box::new(person)), waiting: Vec::new() });
        }
        storm.everybody_is_linked().await;
        storm.net.set_usual(Conditions { loss: LOSS, ..Conditions::default() });
        storm
    }

    /// Says what waits, if there is a peer to say it to.
    async fn speak(&mut self, author: usize) {
        let seat = &mut self.seats[author];
        let Peer::Runs(person) = &seat.peer else { return };
        for text in seat.waiting.drain(..) {
            let said = person.handle.say(self.room.clone(), text.clone()).await.unwrap();
            lock(&self.ledger).answered(person.name.as_str(), text, &said);
        }
    }

    fn begin(&mut self, fault: Fault) {
        match fault {
            Fault::Dead(peer) => match std::mem::replace(&mut self.seats[peer].peer, Peer::Gone) {
                Peer::Runs(person) => self.seats[peer].peer = Peer::Dead(self.town.kill(*person)),
                Peer::Dead(_) | Peer::Gone => panic!("{} dies twice", NAMES[peer]),
            },
            Fault::Asleep(peer) => self.net.down(self.seats[peer].host),
            Fault::NoTracker => self.town.kill_tracker(),
            Fault::Cut(from, to) => self.net.cut(self.host(from), self.host(to)),
            Fault::Wall(one, other) => self.net.partition(&[self.host(one)], &[self.host(other)]),
        }
    }

    async fn end(&mut self, fault: Fault) {
        match fault {
            Fault::Dead(peer) => {
                let Peer::Dead(killed) = std::mem::replace(&mut self.seats[peer].peer, Peer::Gone) else {
                    panic!("{} is not dead", NAMES[peer]);
                };
                // Whoever was shown to have something had it on its disk when it died.
                let left = killed.messages().await;
                lock(&self.ledger).no_false_tick(killed.name.as_str(), &left);
                let person = self.town.start_again(killed, &Config::default());
                self.watch(&person);
                self.seats[peer].peer = Peer::Runs(Box::new(person));
                self.speak(peer).await;
            }
            Fault::Asleep(peer) => self.net.up(self.seats[peer].host),
            Fault::NoTracker => self.town.start_tracker(),
            Fault::Cut(from, to) => self.net.mend(self.host(from), self.host(to)),
            Fault::Wall(one, other) => {
                let (one, other) = (self.host(one), self.host(other));
                self.net.mend(one, other);
                self.net.mend(other, one);
            }
        }
    }

    /// A peer's host has another address from now on.
    fn moves(&mut self, peer: usize) {
        self.addresses += 1;
        self.net.rebind(self.seats[peer].host, Host::from(([192, 0, 2, 1], self.addresses)));
    }

    /// Waits until everybody has everything, and holds it against what was promised.
    async fn settle(&self) {
        self.everybody_is_linked().await;
        for person in self.people() {
            person.delivered().await;
        }
        let mut histories = BTreeMap::new();
        for person in self.people() {
            histories.insert(person.name.to_string(), person.messages().await);
        }
        let ids: Vec<(String, String)> =
            lock(&self.ledger).ids().map(|(author, id)| (author.into(), id.into())).collect();
        for (author, id) in ids {
            let person = self.people().find(|person| person.name.as_str() == author).unwrap();
            let receipts = person.handle.receipts(id.parse().unwrap()).await.unwrap();
            assert_eq!(receipts.len(), NAMES.len() - 1, "{id} was for all others: {receipts:?}");
            assert!(receipts.iter().all(|receipt| receipt.delivered && receipt.at.is_some()), "{id}: {receipts:?}");
        }
        lock(&self.ledger).judge(&histories);
        assert_eq!(lock(&self.ledger).counts(), (MESSAGES, 0));
    }

    async fn everybody_is_linked(&self) {
        for person in self.people() {
            eventually(&format!("{} reaches everybody", person.name), async || {
                let members = person.handle.members(self.room.clone()).await.unwrap();
                members.len() == NAMES.len()
                    && members.iter().all(|member| member.online && ["direct", "self"].contains(&member.path.as_str()))
            })
            .await;
        }
    }

    /// Writes down every receipt that a peer shows, for as long as it lives.
    fn watch(&self, person: &Person) {
        let (mut events, name, ledger) = (person.handle.events(), person.name.clone(), self.ledger.clone());
        tokio::spawn(async move {
            while let Ok(event) = events.recv().await {
                if let Event::Receipt(receipt) = event {
                    lock(&ledger).receipted(name.as_str(), &receipt);
                }
            }
        });
    }

    fn people(&self) -> impl Iterator<Item = &Person> {
        self.seats.iter().filter_map(|seat| match &seat.peer {
            Peer::Runs(person) => Some(&**person),
            Peer::Dead(_) | Peer::Gone => None,
        })
    }

    fn host(&self, end: End) -> Host {
        match end {
            End::Peer(peer) => self.seats[peer].host,
            End::Tracker => Town::tracker_host(),
        }
    }
}

fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}
