//! From what was found to what is wrong: a pure function.

use std::net::SocketAddr;

use common::Key;
use peer::{reach::Unreached, size::Size};

use super::{
    faults::{self, Finding},
    observed::{
        Answer, HistoryFile, KeyFile, Listen, MemberSeen, Observed, Probe, Process, SessionSeen, SessionState, Sought,
        Write,
    },
};
use crate::cli::time::span;

/// Less room than this on a disk is worth a hint, in bytes.
const LITTLE_ROOM: u64 = 64 * 1024 * 1024;
/// The smallest MTU that carries QUIC's 1,200 bytes over IPv4 and UDP.
const QUIC_MTU: u32 = 1_228;
/// A clock that differs by less is not worth a word, in seconds.
const CLOCK_OFF: u64 = 120;
/// More names than this are counted.
const NAMED: usize = 6;

/// What is wrong, those faults first that are behind others.
pub fn diagnose(seen: &Observed) -> Vec<Finding> {
    let mut findings = Vec::new();
    on_this_machine(seen, &mut findings);
    of_the_session(seen, &mut findings);
    of_the_port(seen, &mut findings);
    of_the_tracker(seen, &mut findings);
    of_the_clock(seen, &mut findings);
    of_the_members(seen, &mut findings);
    findings
}

fn on_this_machine(seen: &Observed, findings: &mut Vec<Finding>) {
    let name = ("name", seen.name());
    let folder = seen.folder.display().to_string();
    let path = seen.key_path.display().to_string();
    if !seen.known {
        let who = seen.account.as_ref().map_or("nobody has".into(), |account| format!("{account} has not"));
        findings.push(faults::NO_ACCOUNT.found(&[name, ("who", &who)]));
    }
    if let Some(reason) = &seen.bad_config {
        findings.push(faults::CONFIG.found(&[("reason", reason)]));
    }
    match &seen.write {
        Write::Good => {
            if let Some(free) = seen.free.filter(|free| *free < LITTLE_ROOM) {
                let free = Size(free).to_string();
                findings.push(faults::DISK_NEARLY_FULL.found(&[("folder", &folder), ("free", &free)]));
            }
        }
        Write::Full => findings.push(faults::DISK_FULL.found(&[("folder", &folder)])),
        Write::Failed(reason) => {
            findings.push(faults::FOLDER_UNWRITABLE.found(&[("folder", &folder), ("reason", reason)]));
        }
    }
    match &seen.key {
        KeyFile::None | KeyFile::Good => {}
        KeyFile::Missing => findings.push(faults::KEY_MISSING.found(&[name, ("path", &path)])),
        KeyFile::Exposed(mode) => {
            let mode = format!("{mode:03o}");
            findings.push(faults::KEY_EXPOSED.found(&[name, ("path", &path), ("mode", &mode)]));
        }
        KeyFile::Unusable(reason) => findings.push(faults::KEY_UNUSABLE.found(&[name, ("reason", reason)])),
    }
    if let Some((path, reason)) = &seen.bad_profile {
        let path = path.display().to_string();
        findings.push(faults::PROFILE_DAMAGED.found(&[name, ("path", &path), ("reason", reason)]));
    }
    if let Some(path) = &seen.lost_profile {
        findings.push(faults::PROFILE_GONE.found(&[name, ("path", &path.display().to_string())]));
    }
    findings.extend(of_the_history(seen));
    if let Some((path, reason)) = &seen.bad_book {
        let path = path.display().to_string();
        findings.push(faults::BOOK_DAMAGED.found(&[("path", &path), ("reason", reason)]));
    }
}

fn of_the_history(seen: &Observed) -> Option<Finding> {
    let path = seen.history_path.display().to_string();
    let path = ("path", path.as_str());
    match &seen.history {
        HistoryFile::Good => None,
        HistoryFile::Newer(found, known) => {
            let (found, known) = (found.to_string(), known.to_string());
            Some(faults::HISTORY_NEWER.found(&[path, ("found", &found), ("known", &known)]))
        }
        HistoryFile::Foreign(found) => Some(faults::HISTORY_FOREIGN.found(&[path, ("found", found)])),
        HistoryFile::Unusable(reason) => {
            Some(faults::HISTORY_UNUSABLE.found(&[path, ("name", seen.name()), ("reason", reason)]))
        }
    }
}

fn of_the_session(seen: &Observed, findings: &mut Vec<Finding>) {
    let name = ("name", seen.name());
    match &seen.session {
        SessionSeen::None | SessionSeen::Answers(_) => {}
        SessionSeen::Stale(path) => {
            let path = path.display().to_string();
            findings.push(faults::STALE_SOCKET.found(&[name, ("path", &path)]));
        }
        SessionSeen::Silent(process) => {
            let kill = process.as_ref().map_or("ps -C peer shows its number".into(), |it| format!("kill -9 {}", it.id));
            let values = [name, ("process", &called(process.as_ref())), ("kill", &kill)];
            findings.push(faults::SESSION_SILENT.found(&values));
        }
        SessionSeen::Refuses(reason) => {
            findings.push(faults::SESSION_REFUSES.found(&[name, ("reason", reason)]));
        }
    }
}

fn of_the_port(seen: &Observed, findings: &mut Vec<Finding>) {
    let name = ("name", seen.name());
    match &seen.listen {
        Listen::Good => {}
        Listen::Taken { port, by } => {
            let values = [name, ("port", &port.to_string()), ("process", &called(by.as_ref()))];
            findings.push(faults::PORT_TAKEN.found(&values));
        }
        Listen::Failed { address, reason } => {
            let (address, config) = (address.to_string(), seen.config.display().to_string());
            let values = [("address", address.as_str()), ("reason", reason), ("config", &config)];
            findings.push(faults::CANNOT_LISTEN.found(&values));
        }
    }
}

fn of_the_tracker(seen: &Observed, findings: &mut Vec<Finding>) {
    let name = ("name", seen.name());
    let before = findings.len();
    let is_connected = seen.interfaces.iter().any(|interface| interface.up && !interface.address.is_loopback());
    match &seen.tracker {
        Sought::None => return,
        Sought::Unknown(_) | Sought::Announced { .. } if !is_connected => findings.push(faults::NO_NETWORK.found(&[])),
        Sought::Unknown(reason) => {
            let config = seen.config.display().to_string();
            findings.push(faults::TRACKER_UNKNOWN.found(&[name, ("reason", reason), ("config", &config)]));
        }
        Sought::Announced { trackers, multicast } => {
            let can_multicast = seen.interfaces.iter().any(|it| it.up && it.multicast && !it.address.is_loopback());
            findings.push(match trackers.as_slice() {
                [] if !can_multicast || !multicast.sent => faults::NO_MULTICAST.found(&[name]),
                [] if !multicast.heard => faults::MDNS_SILENT.found(&[name]),
                [] => faults::NO_TRACKER.found(&[name]),
                [first, ..] => {
                    let list: Vec<String> =
                        trackers.iter().map(|it| format!("{} at {}", it.domain, it.address)).collect();
                    let values = [name, ("trackers", &list.join(", ")), ("address", &first.address.to_string())];
                    faults::SEVERAL_TRACKERS.found(&values)
                }
            });
        }
        Sought::At { address, probe, .. } if probe.tracker.is_err() && !address.ip().is_loopback() && !is_connected => {
            findings.push(faults::NO_NETWORK.found(&[]));
        }
        Sought::At { address, key, probe, now } => findings.extend(at(seen, *address, *key, probe, *now)),
    }
    let explained = findings.len() > before;
    let SessionSeen::Answers(session) = &seen.session else { return };
    let address = match &seen.tracker {
        Sought::At { address, .. } => address.to_string(),
        _ => return,
    };
    if session.other_version && !explained {
        let reason = session.trouble.as_ref().map(|trouble| format!(": {trouble}")).unwrap_or_default();
        findings.push(faults::OTHER_VERSION.found(&[("address", &address), ("reason", &reason)]));
    } else if let Some(down) = session.down_s.filter(|_| !session.tracker_up) {
        let reason = session.trouble.as_deref().unwrap_or("it is not known why");
        let reason = &reason.split_whitespace().collect::<Vec<_>>().join(" ");
        let then = if explained { "" } else { ", and should be back within seconds: it answers now" };
        let values = [name, ("span", &span(down)), ("reason", reason), ("then", then)];
        findings.push(faults::TRACKER_DOWN.found(&values));
    }
}

/// What is wrong with a tracker at an address, if anything.
fn at(
    seen: &Observed,
    address: SocketAddr,
    key: Option<Key>,
    probe: &Probe,
    now: Option<SocketAddr>,
) -> Option<Finding> {
    let name = ("name", seen.name());
    let text = address.to_string();
    let there = ("address", text.as_str());
    let subnet = subnet(seen, address, probe);
    match &probe.tracker {
        Ok(found) => {
            let known = key.filter(|known| known != found)?;
            let (whole, known, found) = (found.to_string(), known.short().to_string(), found.short().to_string());
            let values = [name, there, ("found", &found), ("known", &known), ("whole", &whole)];
            return Some(faults::TRACKER_KEY.found(&values));
        }
        Err(_) if now.is_some_and(|now| now != address) => {
            let now = now.map(|now| now.to_string()).unwrap_or_default();
            // Without a session the next login goes there by itself.
            let running = matches!(seen.session, SessionSeen::Answers(_));
            return running.then(|| faults::TRACKER_MOVED.found(&[name, there, ("now", &now)]));
        }
        Err(Unreached::Busy) => return Some(faults::TRACKER_BUSY.found(&[name, there])),
        Err(Unreached::OtherProtocol) => return Some(faults::OTHER_VERSION.found(&[there, ("reason", "")])),
        Err(_) => {}
    }
    Some(match &probe.datagram {
        Answer::Refused => faults::TRACKER_REFUSED.found(&[name, there]),
        Answer::NoWay(reason) => {
            faults::TRACKER_UNROUTABLE.found(&[name, there, ("reason", reason), ("subnet", &subnet)])
        }
        Answer::Other => faults::NOT_A_TRACKER.found(&[name, there, ("what", "it does not speak QUIC")]),
        Answer::Quic => {
            let what = match &probe.tracker {
                Err(Unreached::Failed(reason)) => reason.clone(),
                _ => "it speaks QUIC, and does not let a peer in".into(),
            };
            faults::NOT_A_TRACKER.found(&[name, there, ("what", &what)])
        }
        Answer::Silent if is_too_narrow(probe) => faults::MTU.found(&[there, ("route", &route(probe))]),
        Answer::Silent => {
            let port = address.port().to_string();
            let values = [there, ("port", &port), ("seen", seen_of(probe)), ("subnet", &subnet)];
            faults::TRACKER_BLOCKED.found(&values)
        }
    })
}

fn of_the_clock(seen: &Observed, findings: &mut Vec<Finding>) {
    let SessionSeen::Answers(SessionState { clock_ahead_s: Some(ahead), .. }) = &seen.session else { return };
    if ahead.unsigned_abs() >= CLOCK_OFF {
        let side = if *ahead > 0 { "ahead of" } else { "behind" };
        findings.push(faults::CLOCK_OFF.found(&[("span", &span(ahead.unsigned_abs())), ("side", side)]));
    }
}

fn of_the_members(seen: &Observed, findings: &mut Vec<Finding>) {
    let SessionSeen::Answers(session) = &seen.session else { return };
    let unreached: Vec<&MemberSeen> = seen.members.iter().filter(|member| member.path != "direct").collect();
    let all = unreached.len() > 1 && unreached.len() == seen.members.len();
    let narrow = |member: &&MemberSeen| member.probe.as_ref().is_some_and(is_too_narrow);
    if let Some(member) = unreached.iter().find(|member| narrow(member)) {
        let route = member.probe.as_ref().map(route).unwrap_or_default();
        findings.push(faults::MTU.found(&[("address", &address_of(member)), ("route", &route)]));
    } else if all {
        let values = [
            ("names", names(&unreached)),
            ("port", session.port.to_string()),
            ("seen", unreached[0].probe.as_ref().map_or("", seen_of).to_string()),
        ];
        findings
            .push(faults::MEMBERS_UNREACHABLE.found(&values.each_ref().map(|(word, value)| (*word, value.as_str()))));
    } else {
        findings.extend(unreached.iter().map(|member| {
            let via = member.path.strip_prefix("via ");
            let via = via.map(|via| format!("; in rooms messages go {via}'s way, one to one they wait"));
            let (via, port) = (via.unwrap_or_default(), session.port.to_string());
            let told = member.probe.as_ref().map_or("", told_of);
            let address = address_of(member);
            let values = [
                ("names", member.name.as_str()),
                ("address", &address),
                ("seen", told),
                ("via", &via),
                ("port", &port),
            ];
            faults::MEMBER_UNREACHABLE.found(&values)
        }));
    }
}

/// Small datagrams get through, and full-sized ones do not.
fn is_too_narrow(probe: &Probe) -> bool {
    probe.tracker.is_err()
        && probe.datagram == Answer::Silent
        && (probe.mtu.is_some_and(|mtu| mtu < QUIC_MTU) || probe.closed_port == (true, false))
}

fn route(probe: &Probe) -> String {
    probe.mtu.filter(|mtu| *mtu < QUIC_MTU).map(|mtu| format!(" (this machine's own MTU is {mtu})")).unwrap_or_default()
}

/// What else is known of a machine that is silent.
fn seen_of(probe: &Probe) -> &'static str {
    match probe.closed_port {
        (true, _) => ", though the machine is there and answers on other ports",
        _ => ", and nothing else from that machine either",
    }
}

/// What a member's address answers.
fn told_of(probe: &Probe) -> &'static str {
    match &probe.datagram {
        Answer::Refused => "; nothing listens there: that session has just ended, or moved",
        Answer::NoWay(_) => "; no machine answers at that address",
        Answer::Quic => "; it answers a single packet, so that a link should come about within a minute",
        Answer::Other => "; another program has that port now",
        Answer::Silent => seen_of(probe),
    }
}

/// Whether the address may be out of reach because it is elsewhere.
fn subnet(seen: &Observed, address: SocketAddr, probe: &Probe) -> String {
    if probe.near || address.ip().is_loopback() {
        return String::new();
    }
    let own: Vec<String> = seen
        .interfaces
        .iter()
        .filter(|it| it.up && !it.address.is_loopback() && it.address.is_ipv4() == address.is_ipv4())
        .map(|it| it.address.to_string())
        .collect();
    let own = if own.is_empty() { "none of that kind".into() } else { own.join(", ") };
    format!("; it is in another subnet than this machine ({own})")
}

fn called(process: Option<&Process>) -> String {
    process.map_or_else(|| "a process of somebody else".into(), |it| format!("{}, process {}", it.name, it.id))
}

fn address_of(member: &MemberSeen) -> String {
    member.address.map_or_else(|| "an unknown address".into(), |address| address.to_string())
}

fn names(members: &[&MemberSeen]) -> String {
    if members.len() > NAMED {
        return format!("{} members", members.len());
    }
    members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>().join(", ")
}
