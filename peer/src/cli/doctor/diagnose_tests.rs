//! What is found in what was seen, as a table: each case is a machine on which all is well but for one thing.

use std::collections::BTreeSet;

use common::Key;
use peer::{discover::Announced, reach::Unreached};

use super::{
    diagnose::diagnose,
    faults::FAULTS,
    observed::{
        Answer, HistoryFile, Interface, KeyFile, Listen, MemberSeen, Multicast, Observed, Probe, Process, SessionSeen,
        SessionState, Sought, Write,
    },
};

const KEY: Key = Key([7; 32]);

/// Alice's machine and her tracker, with nothing wrong.
fn well() -> Observed {
    Observed {
        account: "alice".parse().ok(),
        known: true,
        config: "/c/peer.toml".into(),
        folder: "/d".into(),
        free: Some(1 << 40),
        key: KeyFile::Good,
        key_path: "/d/key".into(),
        interfaces: vec![
            Interface { address: "127.0.0.1".parse().unwrap(), up: true, multicast: false },
            Interface { address: "10.0.0.2".parse().unwrap(), up: true, multicast: true },
        ],
        tracker: at(found(KEY)),
        ..Observed::default()
    }
}

fn at(probe: Probe) -> Sought {
    Sought::At { address: "10.0.0.1:27655".parse().unwrap(), key: Some(KEY), probe, now: None }
}

fn found(key: Key) -> Probe {
    Probe { tracker: Ok(key), ..Probe::default() }
}

fn answering(datagram: Answer) -> Probe {
    Probe { datagram, closed_port: (true, true), ..Probe::default() }
}

fn unreached(reason: Unreached) -> Sought {
    at(Probe { tracker: Err(reason), ..answering(Answer::Quic) })
}

fn narrow() -> Probe {
    Probe { closed_port: (true, false), ..answering(Answer::Silent) }
}

fn announced(trackers: &[&str], sent: bool, heard: bool) -> Sought {
    let tracker =
        |address: &&str| Announced { domain: "lan".parse().unwrap(), key: KEY, address: address.parse().unwrap() };
    Sought::Announced { trackers: trackers.iter().map(tracker).collect(), multicast: Multicast { sent, heard } }
}

fn session(state: SessionState) -> SessionSeen {
    SessionSeen::Answers(SessionState { port: 4_000, ..state })
}

fn up() -> SessionSeen {
    session(SessionState { tracker_up: true, ..SessionState::default() })
}

fn down() -> SessionSeen {
    session(SessionState { down_s: Some(40), trouble: Some("it said goodbye".into()), ..SessionState::default() })
}

fn member(name: &str, path: &str, probe: Option<Probe>) -> MemberSeen {
    let address = "10.0.0.9:5000".parse().ok();
    MemberSeen { name: name.parse().unwrap(), address, path: path.into(), probe }
}

/// What was seen, and the names of what is to be found in it.
fn cases() -> Vec<(Observed, Vec<&'static str>)> {
    let silent = || answering(Answer::Silent);
    let hello = Process { id: 7, name: "nc".into() };
    let moved = |session| {
        let now = "10.0.0.8:27655".parse().ok();
        let address = "10.0.0.1:27655".parse().unwrap();
        Observed { session, tracker: Sought::At { address, key: Some(KEY), probe: silent(), now }, ..well() }
    };
    let alone = |tracker| Observed { interfaces: well().interfaces[..1].to_vec(), tracker, ..well() };
    let refuses = SessionState { other_version: true, down_s: Some(1), ..SessionState::default() };
    let clock = |ahead| {
        let state = SessionState { tracker_up: true, clock_ahead_s: Some(ahead), ..SessionState::default() };
        Observed { session: session(state), ..well() }
    };
    let with = |members| Observed { session: up(), members, ..well() };
    vec![
        (well(), vec![]),
        (Observed { session: up(), ..well() }, vec![]),
        (Observed { known: false, ..well() }, vec!["no-account"]),
        (Observed { known: false, account: None, ..well() }, vec!["no-account"]),
        (Observed { bad_config: Some("line 1".into()), ..well() }, vec!["config"]),
        (Observed { write: Write::Failed("denied".into()), ..well() }, vec!["folder-unwritable"]),
        (Observed { write: Write::Full, free: Some(0), ..well() }, vec!["disk-full"]),
        (Observed { free: Some(1 << 20), ..well() }, vec!["disk-nearly-full"]),
        (Observed { key: KeyFile::Missing, ..well() }, vec!["key-missing"]),
        (Observed { key: KeyFile::Exposed(0o644), ..well() }, vec!["key-exposed"]),
        (Observed { key: KeyFile::Unusable("short".into()), ..well() }, vec!["key-unusable"]),
        (Observed { bad_profile: Some(("/p".into(), "line 2".into())), ..well() }, vec!["profile-damaged"]),
        (Observed { lost_profile: Some("/p".into()), ..well() }, vec!["profile-gone"]),
        (Observed { history: HistoryFile::Newer(9, 6), ..well() }, vec!["history-newer"]),
        (Observed { history: HistoryFile::Foreign("ab".into()), ..well() }, vec!["history-foreign"]),
        (Observed { history: HistoryFile::Unusable("a folder".into()), ..well() }, vec!["history-unusable"]),
        (Observed { bad_book: Some(("/b".into(), "line 2".into())), ..well() }, vec!["book-damaged"]),
        (Observed { session: SessionSeen::Stale("/s".into()), ..well() }, vec!["stale-socket"]),
        (Observed { session: SessionSeen::Silent(Some(hello.clone())), ..well() }, vec!["session-silent"]),
        (Observed { session: SessionSeen::Silent(None), ..well() }, vec!["session-silent"]),
        (Observed { session: SessionSeen::Refuses("no room".into()), ..well() }, vec!["session-refuses"]),
        (Observed { listen: Listen::Taken { port: 5, by: Some(hello) }, ..well() }, vec!["port-taken"]),
        (
            Observed {
                listen: Listen::Failed { address: "192.0.2.1:5".parse().unwrap(), reason: "no".into() },
                ..well()
            },
            vec!["cannot-listen"],
        ),
        (Observed { tracker: Sought::Unknown("no such host".into()), ..well() }, vec!["tracker-unknown"]),
        (Observed { tracker: announced(&[], true, false), ..well() }, vec!["mdns-silent"]),
        (Observed { tracker: announced(&[], true, true), ..well() }, vec!["no-tracker"]),
        (Observed { tracker: announced(&[], false, false), ..well() }, vec!["no-multicast"]),
        (
            Observed { tracker: announced(&["10.0.0.1:1", "10.0.0.3:1"], false, false), ..well() },
            vec!["several-trackers"],
        ),
        (alone(announced(&[], false, false)), vec!["no-network"]),
        (alone(at(answering(Answer::NoWay("down".into())))), vec!["no-network"]),
        (alone(at(found(KEY))), vec![]),
        (Observed { tracker: at(found(Key([8; 32]))), ..well() }, vec!["tracker-key"]),
        (Observed { tracker: at(answering(Answer::Refused)), ..well() }, vec!["tracker-refused"]),
        (Observed { tracker: at(answering(Answer::NoWay("no route".into()))), ..well() }, vec!["tracker-unroutable"]),
        (Observed { tracker: at(silent()), ..well() }, vec!["tracker-blocked"]),
        (
            Observed { tracker: at(Probe { closed_port: (false, false), ..silent() }), ..well() },
            vec!["tracker-blocked"],
        ),
        (Observed { tracker: at(narrow()), ..well() }, vec!["mtu"]),
        (Observed { tracker: at(Probe { mtu: Some(1_000), ..silent() }), ..well() }, vec!["mtu"]),
        (Observed { tracker: at(answering(Answer::Other)), ..well() }, vec!["not-a-tracker"]),
        (Observed { tracker: unreached(Unreached::Silent), ..well() }, vec!["not-a-tracker"]),
        (Observed { tracker: unreached(Unreached::Failed("no".into())), ..well() }, vec!["not-a-tracker"]),
        (Observed { tracker: unreached(Unreached::OtherProtocol), ..well() }, vec!["other-version"]),
        (Observed { tracker: unreached(Unreached::Busy), ..well() }, vec!["tracker-busy"]),
        (clock(119), vec![]),
        (clock(-119), vec![]),
        (clock(120), vec!["clock-off"]),
        (clock(-7_200), vec!["clock-off"]),
        (Observed { session: session(refuses), ..well() }, vec!["other-version"]),
        (moved(down()), vec!["tracker-moved", "tracker-down"]),
        (moved(SessionSeen::None), vec![]),
        (Observed { session: down(), ..well() }, vec!["tracker-down"]),
        (
            Observed { session: down(), tracker: at(answering(Answer::Refused)), ..well() },
            vec!["tracker-refused", "tracker-down"],
        ),
        (Observed { session: down(), tracker: Sought::None, ..well() }, vec![]),
        (with(vec![member("bob", "direct", None), member("carol", "direct", None)]), vec![]),
        (
            with(vec![member("bob", "none", Some(silent())), member("carol", "none", Some(silent()))]),
            vec!["members-unreachable"],
        ),
        (
            with(vec![member("bob", "via carol", Some(silent())), member("carol", "direct", None)]),
            vec!["member-unreachable"],
        ),
        (with(vec![member("bob", "none", Some(answering(Answer::Refused)))]), vec!["member-unreachable"]),
        (with(vec![member("bob", "none", Some(narrow())), member("carol", "direct", None)]), vec!["mtu"]),
    ]
}

#[test]
fn each_fault_is_called_by_its_name_and_nothing_else_is() {
    for (seen, expected) in cases() {
        let findings = diagnose(&seen);
        let names: Vec<&str> = findings.iter().map(|finding| finding.fault).collect();
        assert_eq!(names, expected, "in {seen:#?}");
    }
}

#[test]
fn every_fault_of_the_table_can_be_found_and_no_word_of_it_is_left_open() {
    let findings: Vec<_> = cases().iter().flat_map(|(seen, _)| diagnose(seen)).collect();
    for finding in &findings {
        assert!(!finding.cause.contains('{') && !finding.remedy.contains('{'), "{finding:?}");
    }
    let found: BTreeSet<&str> = findings.iter().map(|finding| finding.fault).collect();
    assert_eq!(found, FAULTS.iter().map(|fault| fault.name).collect());
}

#[test]
fn a_silent_address_in_another_subnet_is_said_to_be() {
    let probe = Probe { near: false, ..answering(Answer::Silent) };
    let findings = diagnose(&Observed { tracker: at(probe), ..well() });
    assert!(findings[0].cause.contains("another subnet than this machine (10.0.0.2)"), "{findings:?}");
}
