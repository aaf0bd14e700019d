//! A few real peers and a real tracker: talk goes straight, goes on without the tracker, and replays.

use std::time::Duration;

use common::{RoomName, wire::control::Event};
use tests::sim::{Conditions, Net, Person, Town, eventually, run, seeds};
use tokio::time::Instant;

fn lobby() -> RoomName {
    "lobby".parse().unwrap()
}

async fn people(town: &Town, names: &[&str]) -> Vec<Person> {
    let mut people = Vec::new();
    for (number, name) in (1..).zip(names) {
        let person = town.login(number, name).await;
        person.join(&lobby()).await;
        people.push(person);
    }
    for person in &people {
        all_there(person, names.len()).await;
    }
    people
}

async fn all_there(person: &Person, count: usize) {
    eventually("everybody is there, with a direct path", async || {
        let members = person.handle.members(lobby()).await.unwrap();
        members.len() == count && members.iter().all(|m| m.online && m.path != "none")
    })
    .await;
}

async fn texts(person: &Person) -> Vec<String> {
    person.messages().await.into_iter().map(|message| message.text).collect()
}

async fn one_talk(seed: u64, loss: f64) -> u64 {
    let net = Net::new(seed);
    net.set_usual(Conditions { loss, ..Conditions::default() });
    let town = Town::new(&net);
    let people = people(&town, &["alice", "bob", "carol"]).await;
    for number in 0..20 {
        people[number % 3].handle.say(lobby(), format!("line {number}")).await.unwrap();
    }
    for person in &people {
        person.delivered().await;
    }
    for person in &people {
        let mut heard = texts(person).await;
        heard.sort_by_key(|text| text["line ".len()..].parse::<usize>().unwrap());
        assert_eq!(heard, (0..20).map(|number| format!("line {number}")).collect::<Vec<_>>());
    }
    net.trace()
}

#[test]
fn what_is_said_reaches_everybody_once_whatever_is_lost() {
    for loss in [0.0, 0.02, 0.1] {
        seeds("three people talk", 0..10, |seed| async move {
            one_talk(seed, loss).await;
        });
    }
}

#[test]
fn who_wakes_up_elsewhere_talks_again_within_seconds() {
    seeds("a laptop sleeps", 0..10, |seed| async move {
        let net = Net::new(seed);
        let town = Town::new(&net);
        let people = people(&town, &["alice", "bob"]).await;
        let [alice, bob] = people.as_slice() else { unreachable!("two were asked for") };
        net.partition(&[bob.host], &[alice.host, Town::tracker_host()]);
        bob.handle.say(lobby(), "from the train".into()).await.unwrap();
        alice.handle.say(lobby(), "where are you?".into()).await.unwrap();
        // Long enough for the others to give it up, and for its own pauses to be the longest.
        tokio::time::sleep(Duration::from_secs(600)).await;
        net.mend_all();
        net.rebind(bob.host, ([10, 9, 9, 9], 9_999).into());
        bob.sleep(Duration::from_secs(2 * 24 * 60 * 60));
        let woke = Instant::now();
        alice.delivered().await;
        bob.delivered().await;
        let within = woke.elapsed();
        assert!(within < Duration::from_secs(1), "{within:?}");
    });
}

#[test]
fn one_seed_is_one_run() {
    for loss in [0.0, 0.1] {
        assert_eq!(run(one_talk(3, loss)), run(one_talk(3, loss)));
    }
}

#[test]
fn the_room_goes_on_without_the_tracker_and_nobody_does_anything_when_it_is_back() {
    seeds("the tracker dies", 0..5, |seed| async move {
        let net = Net::new(seed);
        let mut town = Town::new(&net);
        let people = people(&town, &["alice", "bob"]).await;
        town.kill_tracker();
        people[0].handle.say(lobby(), "is it down?".into()).await.unwrap();
        people[0].delivered().await;
        assert_eq!(texts(&people[1]).await, ["is it down?"]);
        eventually("the peer says that the tracker is away", async || {
            people[1].handle.status().await.unwrap().tracker_state == "down"
        })
        .await;
        town.start_tracker();
        let carol = town.login(3, "carol").await;
        carol.join(&lobby()).await;
        for person in people.iter().chain([&carol]) {
            all_there(person, 3).await;
        }
        carol.handle.say(lobby(), "hello".into()).await.unwrap();
        carol.delivered().await;
        assert_eq!(texts(&people[0]).await, ["is it down?", "hello"]);
    });
}

#[test]
fn what_is_said_behind_a_cut_arrives_once_it_is_mended() {
    seeds("a cut", 0..5, |seed| async move {
        let net = Net::new(seed);
        let town = Town::new(&net);
        let people = people(&town, &["alice", "bob", "carol"]).await;
        net.partition(&[people[0].host, people[2].host], &[people[1].host]);
        let said = people[0].handle.say(lobby(), "over the cut".into()).await.unwrap();
        eventually("carol has it and bob has not", async || {
            let said = people[0].handle.said(said.id.parse().unwrap()).await.unwrap();
            said.delivered.len() == 1 && said.pending.len() == 1
        })
        .await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(texts(&people[1]).await, Vec::<String>::new());
        net.mend_all();
        people[0].delivered().await;
        assert_eq!(texts(&people[1]).await, ["over the cut"]);
    });
}

#[test]
fn what_is_said_behind_a_wall_arrives_through_who_is_on_both_sides() {
    seeds("a wall", 0..5, |seed| async move {
        let net = Net::new(seed);
        let town = Town::new(&net);
        let people = people(&town, &["alice", "bob", "carol"]).await;
        net.partition(&[people[0].host], &[people[1].host]);
        people[0].handle.say(lobby(), "around the wall".into()).await.unwrap();
        people[0].delivered().await;
        assert_eq!(texts(&people[1]).await, ["around the wall"]);
    });
}

#[test]
fn no_byte_of_a_message_goes_to_the_tracker() {
    let to_tracker = |text: &'static str| {
        run(async move {
            let net = Net::new(1);
            let town = Town::new(&net);
            let people = people(&town, &["alice", "bob"]).await;
            let before = net.incoming(Town::tracker_host()).arrived_bytes;
            for _ in 0..100 {
                people[0].handle.say(lobby(), text.into()).await.unwrap();
            }
            people[0].delivered().await;
            net.incoming(Town::tracker_host()).arrived_bytes - before
        })
    };
    let long: &'static str = "x".repeat(10_000).leak();
    assert_eq!(to_tracker("x"), to_tracker(long));
}

#[test]
fn who_looks_sees_who_types_and_nobody_keeps_it() {
    seeds("typing", 0..3, |seed| async move {
        let net = Net::new(seed);
        let town = Town::new(&net);
        let people = people(&town, &["alice", "bob"]).await;
        let mut typing = people[1].handle.typing_events();
        let seen = loop {
            people[0].handle.typing(lobby()).await.unwrap();
            if let Ok(Ok(event)) = tokio::time::timeout(Duration::from_secs(1), typing.recv()).await {
                break event;
            }
        };
        assert!(matches!(seen, Event::Typing(typing) if typing.name.as_str() == "alice"));
        assert!(people[1].messages().await.is_empty());
    });
}
