//! What people once typed at each other in a real channel arrives as they typed it.

use tests::{
    channel::{ChannelEvent, account_name, parse, speakers},
    lab::Wire,
};

use crate::crowd::{Crowd, ROOM, Saying, everybody_has, everything_is_delivered};

const RECORDING: &str = include_str!("../data/ubuntu-irc/2012-12-15.txt");
const SPEAKERS: usize = 8;

pub fn on_a_good_network() {
    replay(Wire::default());
}

pub fn at_five_percent_loss() {
    replay(Wire::losing(0.05));
}

/// The busiest speakers say again what they said, in the order in which they did.
fn replay(wire: Wire) {
    let events = parse(RECORDING);
    let nicks: Vec<&str> = speakers(&events).into_iter().take(SPEAKERS).map(|(nick, _)| nick).collect();
    let names: Vec<String> =
        nicks.iter().map(|nick| account_name(nick).expect("a nick that is not too long")).collect();
    let crowd = Crowd::gather(&names, wire);
    let mut controls: Vec<_> = crowd.peers.iter().map(|peer| peer.control()).collect();

    let mut said = Saying::new();
    for event in &events {
        let ChannelEvent::Said { speaker, text } = event else { continue };
        let Some(number) = nicks.iter().position(|nick| nick == speaker) else { continue };
        controls[number].say(ROOM, text).expect("it is said");
        said.entry(names[number].clone()).or_default().push(text.clone());
    }
    assert_eq!(said.len(), SPEAKERS);
    everything_is_delivered(&crowd.peers);
    everybody_has(&crowd.peers, &said, |_| true);
}
