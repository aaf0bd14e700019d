//! A tracker that lies to its peers. It decides the tables, so not every lie can be refused; each is seen by somebody,
//! and said.

use std::time::Duration;

use common::{
    Identity, Key, RoomName, Version,
    wire::control::{Event, Exit, MemberChange, MemberEvent},
};
use tests::sim::{Host, Net, Person, Town, eventually, liar, seeds};
use tokio::time::sleep;

const V: Version = Version { epoch: 1_790_000_000_000, number: 9 };
const ALICE: u16 = 1;
const BOB: u16 = 2;
const CAROL: u16 = 3;

fn lobby() -> RoomName {
    "lobby".parse().expect("a name")
}

/// How a table names somebody in town.
fn entry(number: u16, name: &str) -> (Key, String, Host) {
    (Town::peer_key(number), name.into(), Town::peer_host(number))
}

/// A town whose tracker tells each peer that it is in the lobby with those that `members` names for it.
fn ruled_by(net: &Net, members: impl Fn(Key) -> Vec<(Key, String, Host)> + Send + Sync + 'static) -> Town {
    let mut town = Town::new(net);
    town.kill_tracker();
    let lies = move |key| vec![liar::room(&lobby(), V, &members(key))];
    liar::start(net, Town::tracker_host(), &Town::tracker_identity(), lies);
    town
}

/// What has happened to members, as somebody was told.
async fn changes(person: &Person) -> Vec<MemberEvent> {
    let past = person.handle.past(None, Some(0), u32::MAX).await.expect("the store reads");
    past.into_iter().filter_map(|event| if let Event::Member(event) = event { Some(event) } else { None }).collect()
}

async fn is_told(person: &Person, change: MemberChange, of: &str) {
    let what = format!("{} is told that {of} {}", person.name, change.as_str());
    eventually(&what, async || changes(person).await.iter().any(|e| e.change == change && e.name.as_str() == of)).await;
}

#[test]
fn two_who_are_shown_different_tables_find_out() {
    seeds("different tables", 0..4, |seed| async move {
        let net = Net::new(seed);
        let ghost = Identity::from_seed([66; 32]).key();
        let town = ruled_by(&net, move |key| match key == Town::peer_key(ALICE) {
            true => vec![entry(ALICE, "alice"), entry(BOB, "bob")],
            false => vec![entry(ALICE, "alice"), entry(BOB, "bob"), (ghost, "ghost".into(), Town::peer_host(9))],
        });
        let (alice, bob) = (town.login(ALICE, "alice").await, town.login(BOB, "bob").await);
        is_told(&alice, MemberChange::Split, "bob").await;
        is_told(&bob, MemberChange::Split, "alice").await;
    });
}

#[test]
fn who_is_hidden_from_somebody_finds_out_and_so_do_the_others() {
    seeds("a hidden member", 0..4, |seed| async move {
        let net = Net::new(seed);
        let town = ruled_by(&net, |key| match key == Town::peer_key(ALICE) {
            true => vec![entry(ALICE, "alice"), entry(CAROL, "carol")],
            false => vec![entry(ALICE, "alice"), entry(CAROL, "carol"), entry(BOB, "bob")],
        });
        let alice = town.login(ALICE, "alice").await;
        let (bob, carol) = (town.login(BOB, "bob").await, town.login(CAROL, "carol").await);
        is_told(&alice, MemberChange::Split, "carol").await;
        is_told(&carol, MemberChange::Split, "alice").await;
        is_told(&bob, MemberChange::Split, "alice").await;
    });
}

#[test]
fn a_member_that_was_added_is_seen_by_all() {
    seeds("a ghost", 0..2, |seed| async move {
        let net = Net::new(seed);
        let ghost = Identity::from_seed([66; 32]).key();
        let mut town = Town::new(&net);
        let (alice, bob) = (town.login(ALICE, "alice").await, town.login(BOB, "bob").await);
        alice.join(&lobby()).await;
        bob.join(&lobby()).await;
        town.kill_tracker();
        let members = [entry(ALICE, "alice"), entry(BOB, "bob"), (ghost, "ghost".into(), Town::peer_host(9))];
        let lies = move |_| vec![liar::room(&lobby(), V, &members)];
        liar::start(&net, Town::tracker_host(), &Town::tracker_identity(), lies);
        for person in [&alice, &bob] {
            is_told(person, MemberChange::Joined, "ghost").await;
        }
    });
}

#[test]
fn a_key_that_is_swapped_is_not_talked_to_until_the_user_decides() {
    seeds("a swapped key", 0..2, |seed| async move {
        let net = Net::new(seed);
        let posing = Identity::from_seed([66; 32]).key();
        let trap = Host::from(([10, 9, 9, 9], 1_000));
        let mut town = Town::new(&net);
        let alice = town.login(ALICE, "alice").await;
        let (bob, carol) = (town.login(BOB, "bob").await, town.login(CAROL, "carol").await);
        for person in [&alice, &bob, &carol] {
            person.join(&lobby()).await;
        }
        is_told(&alice, MemberChange::Joined, "carol").await;
        town.kill_tracker();
        let members = [entry(ALICE, "alice"), (posing, "bob".into(), trap), entry(CAROL, "carol")];
        let lies = move |_| vec![liar::room(&lobby(), V, &members)];
        liar::start(&net, Town::tracker_host(), &Town::tracker_identity(), lies);
        is_told(&alice, MemberChange::Identity, "bob").await;
        alice.handle.say(lobby(), "who is that?".into()).await.expect("the room goes on");
        eventually("carol has it", async || carol.messages().await.iter().any(|m| m.text == "who is that?")).await;
        let refused = alice.handle.say("@bob".parse().expect("a name"), "psst".into()).await;
        assert_eq!(refused.expect_err("it is refused").code, Exit::Identity);
        sleep(Duration::from_secs(120)).await;
        assert_eq!(net.incoming(trap).sent, 0, "nothing goes there");
    });
}

#[test]
fn a_victim_whose_address_everybody_is_given_hears_little() {
    seeds("a victim", 0..2, |seed| async move {
        const GHOSTS: u8 = 120;
        let net = Net::new(seed);
        let town = ruled_by(&net, |_| {
            let ghosts = (0..GHOSTS).map(|n| {
                let key = Identity::from_seed([n + 1; 32]).key();
                (key, format!("ghost-{n}"), Host::from(([10, 9, 9, 9], 1_000 + u16::from(n))))
            });
            [entry(ALICE, "alice")]
                .into_iter()
                .chain(ghosts.filter(|(key, ..)| *key != Town::peer_key(ALICE)))
                .collect()
        });
        let alice = town.login(ALICE, "alice").await;
        eventually("she holds the table", async || {
            alice.handle.members(lobby()).await.is_ok_and(|members| members.len() > usize::from(GHOSTS))
        })
        .await;
        sleep(Duration::from_secs(600)).await;
        let ports = 1_000..1_000 + u16::from(GHOSTS);
        let told = ports
            .map(|port| net.incoming(Host::from(([10, 9, 9, 9], port))))
            .fold((0, 0), |(sent, bytes), t| (sent + t.sent, bytes + t.sent_bytes));
        println!("seed {seed}: in ten minutes the victim was sent {} datagrams, {} bytes", told.0, told.1);
        assert!(told.0 > 0, "it was dialled");
        assert!(told.1 < 600_000, "{} bytes", told.1);
    });
}
