//! A history as data: who does what, what goes wrong, and how long it is waited then.

use std::fmt;

use crate::sim::Random;

/// Steps of one history beside the first joins.
const STEPS: usize = 120;
/// The names of the rooms.
pub const ROOMS: [&str; 2] = ["lobby", "kitchen"];

/// A peer or the tracker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// A peer, by its number.
    Peer(usize),
    /// The tracker.
    Tracker,
}

/// What happens. Times are in milliseconds.
#[derive(Clone, PartialEq, Debug)]
pub enum What {
    /// Somebody says so many lines in a room.
    Say { who: usize, room: usize, lines: usize },
    /// Somebody takes back what it said so many messages before its last.
    Cancel { who: usize, room: usize, back: u64 },
    /// Somebody asks to join.
    Join { who: usize, room: usize },
    /// Somebody asks to leave.
    Leave { who: usize, room: usize },
    /// Somebody makes a room, to be its owner.
    Make { who: usize, room: usize },
    /// Somebody wants something done to another in a room, which it may do or not.
    Order { who: usize, room: usize, whom: usize, order: Order },
    /// Somebody takes another name.
    Rename { who: usize },
    /// A process dies at once.
    Kill(Who),
    /// It is started again.
    Start(Who),
    /// A process dies at one of its next commits, just before it is synced or just after.
    Crash { who: Who, commit: usize, kept: bool },
    /// Several die in one moment.
    PowerLoss(Vec<Who>),
    /// The tracker dies and its tables are gone.
    Wipe,
    /// Nothing arrives any more in one direction.
    Cut { from: Who, to: Who },
    /// No direction is cut any more.
    Heal,
    /// The connections of two die, with a part of what is on its way.
    Break(Who, Who),
    /// A peer gets no time to do anything for a while.
    Sleep { who: usize, ms: u64 },
    /// A peer's network takes what it is given only slowly, or no longer so.
    Slow { who: usize, slow: bool },
    /// A disk is full, or has space again.
    Disk { who: Who, full: bool },
    /// The clock on the wall jumps; a tracker's is looked at when it starts.
    Clock { who: Who, ms: i64 },
}

/// What is done to somebody in a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// Removed.
    Kick,
    /// Removed for good.
    Ban,
    /// Not any more.
    Unban,
    /// Made a moderator.
    Promote,
    /// Made a member like others.
    Demote,
    /// Made the owner.
    HandOver,
    /// Nothing: the topic of the room is another.
    Topic,
}

/// One step.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// Its number in the history as it was made: what is drawn at it hangs on that.
    pub number: u64,
    /// What happens.
    pub what: What,
    /// How long it is waited then, in milliseconds.
    pub then: u64,
}

/// A history.
#[derive(Clone, PartialEq, Debug)]
pub struct History {
    /// What it was made from.
    pub seed: u64,
    /// How many peers there are.
    pub peers: usize,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// What stays broken when everything else is mended.
    pub ending: Ending,
}

/// What is never mended.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Ending {
    /// Those who are not started again.
    pub dead: Vec<usize>,
    /// Pairs who never reach each other, from the beginning.
    pub walls: Vec<(usize, usize)>,
}

impl Ending {
    fn new(random: &mut Random, peers: usize) -> Ending {
        let mut ending = Ending::default();
        if random.chance(0.25) {
            ending.dead = (0..peers).filter(|_| random.chance(0.35)).collect();
        }
        if random.chance(0.3) {
            let one = random.below(peers);
            ending.walls.push((one, (one + 1 + random.below(peers - 1)) % peers));
        }
        ending
    }
}

impl History {
    /// The history of a seed. Each leaves out some kinds of trouble altogether, since trouble of one kind often
    /// covers that of another.
    pub fn new(seed: u64) -> History {
        let mut random = Random::new(seed);
        let peers = 3 + random.below(4);
        let weather = Weather::new(&mut random);
        let mut steps: Vec<(What, u64)> = (0..peers).map(|who| (What::Join { who, room: 0 }, 0)).collect();
        if weather.owned {
            let makes = ROOMS.iter().enumerate().map(|(room, _)| (What::Make { who: random.below(peers), room }, 100));
            steps.splice(0..0, makes.collect::<Vec<_>>());
        }
        for _ in 0..STEPS {
            let what = weather.what(&mut random, peers);
            let then = if random.chance(0.06) { random.below(30_000) } else { random.below(2_500) };
            steps.push((what, then as u64));
        }
        let steps = steps.into_iter().zip(1..).map(|((what, then), number)| Step { number, what, then });
        History { seed, peers, steps: steps.collect(), ending: Ending::new(&mut random, peers) }
    }
}

/// How often what goes wrong.
struct Weather {
    trouble: [usize; 11],
    /// Whether rooms have owners, who have things done.
    owned: bool,
    /// Whether people take other names.
    names: bool,
}

impl Weather {
    fn new(random: &mut Random) -> Weather {
        let trouble = [(); 11].map(|()| if random.chance(0.45) { 0 } else { 1 + random.below(9) });
        // Who starts again under a name that is not held for it any more is told to log in under the present one.
        let names = random.chance(0.4) && trouble[9] == 0;
        Weather { trouble, owned: random.chance(0.5), names }
    }

    /// What is done to somebody, by whom.
    fn order(random: &mut Random, peers: usize) -> What {
        let (who, whom, room) = (random.below(peers), random.below(peers), random.below(ROOMS.len()));
        let order = match random.below(20) {
            0..7 => Order::Kick,
            7..9 => Order::Ban,
            9..13 => Order::Unban,
            13..16 => Order::Promote,
            16 => Order::Demote,
            17 => Order::HandOver,
            _ => Order::Topic,
        };
        What::Order { who, room, whom, order }
    }

    fn what(&self, random: &mut Random, peers: usize) -> What {
        let who = random.below(peers);
        let room = random.below(ROOMS.len());
        let party = |number| if number < peers { Who::Peer(number) } else { Who::Tracker };
        let (one, other) = (party(random.below(peers + 1)), party(random.below(peers + 1)));
        let trouble: usize = self.trouble.iter().sum();
        if self.owned && random.chance(0.2) {
            return Weather::order(random, peers);
        }
        if self.names && random.chance(0.04) {
            return What::Rename { who };
        }
        // Half of what happens is talk and membership, whatever the weather.
        let Some(kind) = random.below(60 + trouble).checked_sub(60) else {
            return match random.below(60) {
                0..3 => What::Cancel { who, room, back: random.below(4) as u64 },
                3..30 => What::Say { who, room, lines: 1 + random.below(5) },
                30..40 => What::Join { who, room },
                40..44 => What::Leave { who, room },
                44..54 => What::Start(Who::Peer(who)),
                54..58 => What::Start(Who::Tracker),
                _ => What::Heal,
            };
        };
        let mut below = 0;
        let kind = self.trouble.iter().position(|weight| {
            below += weight;
            kind < below
        });
        match kind {
            Some(0) => What::Kill(one),
            Some(1) => What::Crash { who: one, commit: 1 + random.below(4), kept: random.chance(0.5) },
            Some(2) => What::PowerLoss((0..=peers).filter(|_| random.chance(0.6)).map(party).collect()),
            Some(3) if random.chance(0.4) => What::Wipe,
            Some(3) => What::Kill(Who::Tracker),
            Some(4) => What::Cut { from: one, to: other },
            Some(5) => What::Break(one, other),
            Some(6) => What::Sleep { who, ms: 1_000 + random.below(180_000) as u64 },
            Some(7) => What::Slow { who, slow: random.chance(0.6) },
            Some(8) => What::Disk { who: one, full: random.chance(0.6) },
            Some(9) => {
                let far = [1_000, 60_000, 86_400_000, 100 * 86_400_000][random.below(4)];
                What::Clock { who: one, ms: random.below(2 * far) as i64 - far as i64 }
            }
            _ => What::Break(Who::Peer(who), Who::Tracker),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Who::Peer(number) => write!(f, "p{number}"),
            Who::Tracker => write!(f, "tracker"),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Say { who, room, lines } => write!(f, "p{who} says {lines} lines in {}", ROOMS[*room]),
            What::Cancel { who, room, back } => {
                write!(f, "p{who} cancels in {} its last message but {back}", ROOMS[*room])
            }
            What::Join { who, room } => write!(f, "p{who} joins {}", ROOMS[*room]),
            What::Leave { who, room } => write!(f, "p{who} leaves {}", ROOMS[*room]),
            What::Make { who, room } => write!(f, "p{who} makes {}", ROOMS[*room]),
            What::Order { who, room, whom, order } => {
                write!(f, "p{who} orders {order:?} of p{whom} in {}", ROOMS[*room])
            }
            What::Rename { who } => write!(f, "p{who} takes another name"),
            What::Kill(who) => write!(f, "{who} is killed"),
            What::Start(who) => write!(f, "{who} is started, if it is down"),
            What::Crash { who, commit, kept } => {
                write!(f, "{who} will die at commit {commit} from now, {}", if *kept { "synced" } else { "not synced" })
            }
            What::PowerLoss(who) => {
                let names: Vec<String> = who.iter().map(Who::to_string).collect();
                write!(f, "the power goes for {}", names.join(", "))
            }
            What::Wipe => write!(f, "the tracker dies and loses its tables"),
            What::Cut { from, to } => write!(f, "nothing gets from {from} to {to} any more"),
            What::Heal => write!(f, "everything gets everywhere again"),
            What::Break(one, other) => write!(f, "the connections of {one} and {other} break"),
            What::Sleep { who, ms } => write!(f, "p{who} stands still for {ms} ms"),
            What::Slow { who, slow } => write!(f, "p{who} is {}", if *slow { "slow" } else { "slow no longer" }),
            What::Disk { who, full } => write!(f, "the disk of {who} {}", if *full { "is full" } else { "has space" }),
            What::Clock { who, ms } => write!(f, "the clock of {who} jumps by {ms} ms"),
        }
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}, {} peers, {} steps:", self.seed, self.peers, self.steps.len())?;
        for Step { number, what, then } in &self.steps {
            writeln!(f, "{number:5}: {what}; {then} ms pass")?;
        }
        self.ending
            .walls
            .iter()
            .try_for_each(|(one, other)| writeln!(f, "  p{one} and p{other} never reach each other"))?;
        self.ending.dead.iter().try_for_each(|who| writeln!(f, "  p{who} is dead in the end"))
    }
}
