//! A real channel's talk among real peers: everybody who was in the room has everything, once, in order, to the byte.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::RoomName;
use tests::{
    channel::{ChannelEvent, account_name, parse, speakers},
    sim::{Conditions, Net, Person, Town, eventually, seeds},
};
use tokio::time::sleep;

/// Between two lines of the recording, in virtual time.
const PAUSE: Duration = Duration::from_millis(100);

#[test]
fn everybody_has_a_day_of_ubuntu_on_a_good_network() {
    seeds("the channel on a good network", 0..1, |seed| replay(seed, 0.0));
}

#[test]
fn everybody_has_a_day_of_ubuntu_at_five_percent_loss() {
    seeds("the channel at 5 % loss", 0..1, |seed| replay(seed, 0.05));
}

/// What a person should have: for each author, the texts in order.
type Heard = BTreeMap<String, Vec<String>>;

async fn replay(seed: u64, loss: f64) {
    let net = Net::new(seed);
    net.set_usual(Conditions { loss, ..Conditions::default() });
    let town = Town::new(&net);
    let room: RoomName = "ubuntu".parse().unwrap();
    let recording = parse(include_str!("../data/ubuntu-irc/2007-06-04.txt"));
    let nicks: BTreeSet<String> = speakers(&recording).iter().map(|(nick, _)| nick.to_string()).collect();
    let mut people: BTreeMap<String, Person> = BTreeMap::new();
    for (number, nick) in (1..).zip(&nicks) {
        people.insert(nick.clone(), town.login(number, &account_name(nick).unwrap()).await);
    }
    let mut present = from_the_start(&recording, &nicks);
    for nick in &present {
        people[nick].join(&room).await;
    }
    for nick in &present {
        reaches_everybody(&people[nick], &room).await;
    }
    let mut expected: BTreeMap<String, Heard> = BTreeMap::new();
    let mut said = 0;
    for event in &recording {
        match event {
            ChannelEvent::Said { speaker, text } | ChannelEvent::Acted { speaker, text } => {
                let Some(person) = people.get(speaker) else { continue };
                if present.insert(speaker.clone()) {
                    person.join(&room).await;
                    reaches_everybody(person, &room).await;
                }
                let said_to = person.handle.say(room.clone(), text.clone()).await.unwrap();
                let author = person.name.to_string();
                for member in said_to.delivered.iter().chain(&said_to.pending) {
                    let heard = expected.entry(member.to_string()).or_default();
                    heard.entry(author.clone()).or_default().push(text.clone());
                }
                said += 1;
            }
            ChannelEvent::Joined(nick) if nicks.contains(nick) && present.insert(nick.clone()) => {
                people[nick].join(&room).await;
                reaches_everybody(&people[nick], &room).await;
            }
            ChannelEvent::Left(nick) if present.remove(nick) => {
                // Who leaves is not meant to get the rest: what it was meant to get is let through first.
                for person in people.values() {
                    person.delivered().await;
                }
                people[nick].leave(&room).await;
            }
            ChannelEvent::Joined(_) | ChannelEvent::Left(_) | ChannelEvent::Renamed { .. } => {}
        }
        sleep(PAUSE).await;
    }
    for person in people.values() {
        person.delivered().await;
    }
    let mut delivered = 0;
    for person in people.values() {
        let mut heard = Heard::new();
        for message in person.messages().await.into_iter().filter(|message| message.from != person.name) {
            assert_eq!(message.path, "direct");
            heard.entry(message.from.to_string()).or_default().push(message.text);
            delivered += 1;
        }
        let expected = expected.remove(person.name.as_str()).unwrap_or_default();
        assert_eq!(heard, expected, "what {} has", person.name);
    }
    assert!(expected.is_empty());
    println!("{} people, {said} messages, {delivered} deliveries at {loss} loss", people.len());
}

/// Waits until somebody has a link to every other member: on a network that loses much, what is said before may come
/// another way.
async fn reaches_everybody(person: &Person, room: &RoomName) {
    eventually("there is a link to everybody", async || {
        let members = person.handle.members(room.clone()).await.expect("a member");
        members.iter().all(|member| ["self", "direct"].contains(&member.path.as_str()))
    })
    .await;
}

/// Speakers who are in the room when the recording begins: those whose first line is not that they join.
fn from_the_start(recording: &[ChannelEvent], nicks: &BTreeSet<String>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut present = BTreeSet::new();
    for event in recording {
        let (nick, there) = match event {
            ChannelEvent::Said { speaker, .. } | ChannelEvent::Acted { speaker, .. } => (speaker, true),
            ChannelEvent::Left(nick) | ChannelEvent::Renamed { from: nick, .. } => (nick, true),
            ChannelEvent::Joined(nick) => (nick, false),
        };
        if nicks.contains(nick) && seen.insert(nick.clone()) && there {
            present.insert(nick.clone());
        }
        if let ChannelEvent::Renamed { to, .. } = event {
            seen.insert(to.clone());
        }
    }
    present
}
