//! A storm over real programs: eight peers talk while they and the tracker are killed, a fifth of all frames is lost and
//! links are cut. Nothing that was said is lost or doubled, and nobody was told too much.
//!
//! `ROLLCALL_STORM=5000 cargo test -p tests --test lab -- storm` lets so many messages be said.

use std::{
    collections::BTreeMap,
    ops::RangeFrom,
    sync::{
        Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, ScopedJoinHandle},
    time::Duration,
};

use common::wire::control::{Event, MessageEvent, Receipt, Refusal};
use serde_json::json;
use tests::{
    lab::{Control, Host, Wire, eventually},
    storm::{End, Fault, Ledger, Step, plan},
};

use crate::crowd::{Crowd, ROOM, SOON, everybody_is_linked, everything_is_delivered};

const NAMES: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];
const MESSAGES: usize = 400;
/// Between two messages.
const PACE: Duration = Duration::from_millis(40);
const LOSS: f64 = 0.2;
/// Links die, and are tried again, sooner than usual: so that a fault of seconds is one that is noticed.
const SETTINGS: &str = "keep_alive_s = 1\ndead_after_s = 3\nmember_retry_s = 2\ntracker_retry_s = 2\n";
/// Ports of peers that have moved.
const PORTS: RangeFrom<u16> = 5_000..;

pub fn nothing_is_lost_or_doubled_and_no_tick_is_false() {
    let messages = std::env::var("ROLLCALL_STORM").map_or(MESSAGES, |text| text.parse().expect("a number"));
    let crowd = Crowd::gather_with(&NAMES, Wire::default(), SETTINGS);
    let seed = crowd.lab.seed();
    println!("a storm of {messages} messages; to have the same plan again: ROLLCALL_LAB_SEED={seed}");
    let storm = Storm {
        crowd: RwLock::new(crowd),
        ledger: Mutex::default(),
        shown: [const { Mutex::new(Vec::new()) }; NAMES.len()],
        over: AtomicBool::new(false),
    };
    thread::scope(|scope| {
        let (storm, _curtain) = (&storm, Curtain(&storm));
        let (mut authors, mut speakers) = (Vec::new(), Vec::new());
        for number in 0..NAMES.len() {
            let (author, texts) = mpsc::channel();
            authors.push(author);
            speakers.push(scope.spawn(move || storm.speak(number, texts)));
            scope.spawn(move || storm.watch(number));
        }
        storm.crowd().lab.set_usual(Wire::losing(LOSS));
        let mut ports = PORTS;
        for step in plan(seed, NAMES.len(), messages) {
            match step {
                Step::Say { author, text } => {
                    authors[author].send(text).expect("the speaker has not given up");
                    // Nothing is waited for: this is how fast people talk.
                    thread::sleep(PACE);
                }
                Step::Move(peer) => {
                    storm.kill(peer);
                    storm.start(peer, &["--port", &ports.next().expect("a port").to_string()]);
                }
                Step::Begin(fault) => storm.begin(fault),
                Step::End(fault) => storm.end(fault),
            }
        }
        storm.crowd().lab.heal();
        drop(authors);
        eventually(SOON, "all is said", || speakers.iter().all(ScopedJoinHandle::is_finished), |done| *done);
        storm.settle();
    });
    let (answered, unanswered) = lock(&storm.ledger).counts();
    assert_eq!(answered + unanswered, messages);
    println!("{unanswered} of {messages} messages were said to a peer that died before it answered");
}

struct Storm {
    crowd: RwLock<Crowd>,
    ledger: Mutex<Ledger>,
    /// Ids of messages in the order in which each peer has shown them to a bot that follows it.
    shown: [Mutex<Vec<String>>; NAMES.len()],
    over: AtomicBool,
}

/// When it falls, after a panic too, nobody waits for a peer any more.
struct Curtain<'a>(&'a Storm);

impl Drop for Curtain<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
        self.0.crowd().peers.iter().for_each(|peer| peer.session().kill());
    }
}

impl Storm {
    /// Says one text after the other, each once; goes on when a peer that has died is back.
    fn speak(&self, author: usize, texts: mpsc::Receiver<String>) {
        let mut control = None;
        for text in texts {
            let Some(mut open) = control.take().or_else(|| self.reach(author)) else { return };
            match unless_it_died(open.say(ROOM, &text)) {
                Some(said) => {
                    lock(&self.ledger).answered(NAMES[author], text, &said);
                    control = Some(open);
                }
                None => lock(&self.ledger).unanswered(NAMES[author], text),
            }
        }
    }

    /// Follows a peer as a bot does that remembers the last cursor, and writes down what it is shown.
    fn watch(&self, peer: usize) {
        let mut cursor = 0;
        while let Some(control) = self.reach(peer) {
            let Some(mut events) = unless_it_died(control.follow(ROOM, cursor)) else { continue };
            while let Some(event) = unless_it_died(events.wait()) {
                let at = match event {
                    Event::Receipt(receipt) => {
                        lock(&self.ledger).receipted(NAMES[peer], &receipt);
                        continue;
                    }
                    Event::Read(_) | Event::Typing(_) | Event::Transfer(_) => continue,
                    Event::Member(member) => member.cursor,
                    Event::Message(message) => {
                        lock(&self.shown[peer]).push(message.id);
                        message.cursor
                    }
                };
                assert!(at > cursor, "{} shows {at} after {cursor}", NAMES[peer]);
                cursor = at;
            }
        }
    }

    fn begin(&self, fault: Fault) {
        let crowd = self.crowd();
        match fault {
            Fault::Dead(peer) => crowd.peers[peer].session().kill(),
            Fault::Asleep(peer) => crowd.peers[peer].session().stop(),
            Fault::NoTracker => crowd.tracker.process().kill(),
            Fault::Cut(from, to) => crowd.lab.cut_one_way(host(&crowd, from), host(&crowd, to)),
            Fault::Wall(one, other) => crowd.lab.cut(host(&crowd, one), host(&crowd, other)),
        }
    }

    fn end(&self, fault: Fault) {
        match fault {
            Fault::Dead(peer) => self.start(peer, &[]),
            Fault::Asleep(peer) => self.crowd().peers[peer].session().resume(),
            Fault::NoTracker => self.crowd.write().unwrap_or_else(PoisonError::into_inner).tracker.start_again(),
            Fault::Cut(from, to) => {
                let crowd = self.crowd();
                crowd.lab.mend_one_way(host(&crowd, from), host(&crowd, to));
            }
            Fault::Wall(one, other) => {
                let crowd = self.crowd();
                crowd.lab.mend(host(&crowd, one), host(&crowd, other));
            }
        }
    }

    /// Starts a peer that was killed, after a look at what it has left: whoever was shown to have something had it on
    /// its disk when it died.
    fn start(&self, peer: usize, options: &[&str]) {
        let mut crowd = self.crowd.write().unwrap_or_else(PoisonError::into_inner);
        let left = crowd.peers[peer].left_messages(ROOM);
        lock(&self.ledger).no_false_tick(NAMES[peer], &left);
        crowd.peers[peer].start(options);
    }

    /// Waits until everybody has everything, and holds it against what was promised.
    fn settle(&self) {
        let crowd = self.crowd();
        for peer in &crowd.peers {
            let look = || (peer.try_control().is_ok(), peer.session());
            let (_, session) = eventually(SOON, "the session takes commands", look, |(is_there, _)| *is_there);
            assert!(session.is_running(), "{session:?}");
        }
        everybody_is_linked(&crowd.peers);
        everything_is_delivered(&crowd.peers);
        let histories: BTreeMap<String, Vec<MessageEvent>> =
            crowd.peers.iter().map(|peer| (peer.name().into(), peer.messages(ROOM))).collect();
        self.everything_is_receipted(&crowd);
        lock(&self.ledger).judge(&histories);
        for (peer, shown) in NAMES.iter().zip(&self.shown) {
            let ids: Vec<&String> = histories[*peer].iter().map(|message| &message.id).collect();
            eventually(SOON, &format!("{peer} has shown it all"), || lock(shown).len(), |count| *count >= ids.len());
            assert!(lock(shown).iter().eq(ids), "{peer} has shown other messages than it has, or in another order");
        }
    }

    /// Every author's peer says of every message that all others have it.
    fn everything_is_receipted(&self, crowd: &Crowd) {
        let ids: Vec<(String, String)> =
            lock(&self.ledger).ids().map(|(author, id)| (author.into(), id.into())).collect();
        let mut controls: BTreeMap<&str, Control> =
            crowd.peers.iter().map(|peer| (peer.name(), peer.control())).collect();
        for (author, id) in ids {
            let control = controls.get_mut(author.as_str()).expect("all authors are there");
            let receipts: Vec<Receipt> = control.call("receipts", json!({"id": id})).expect("an answer");
            let delivered = receipts.iter().filter(|receipt| receipt.delivered && receipt.at.is_some()).count();
            assert_eq!((delivered, receipts.len()), (NAMES.len() - 1, NAMES.len() - 1), "{id}: {receipts:?}");
        }
    }

    fn kill(&self, peer: usize) {
        self.crowd().peers[peer].session().kill();
    }

    /// A connection to a peer, once it takes connections; nothing when the storm is over.
    fn reach(&self, peer: usize) -> Option<Control> {
        const INTERVAL: Duration = Duration::from_millis(20);
        while !self.over.load(Ordering::Relaxed) {
            let control = self.crowd().peers[peer].try_control();
            if control.is_ok() {
                return control.ok();
            }
            thread::sleep(INTERVAL);
        }
        None
    }

    fn crowd(&self) -> RwLockReadGuard<'_, Crowd> {
        self.crowd.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a session has answered; nothing if it died before. A refusal is neither.
fn unless_it_died<T>(answer: anyhow::Result<T>) -> Option<T> {
    answer.map_err(|error| assert!(!error.is::<Refusal>(), "refused: {error}")).ok()
}

fn host(crowd: &Crowd, end: End) -> &Host {
    match end {
        End::Peer(peer) => crowd.peers[peer].host(),
        End::Tracker => &crowd.server,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
