//! Looks at everything, without changing any of it. Every question has an end: all of them take about ten seconds.

use std::{collections::BTreeMap, io::ErrorKind, net::SocketAddr, net::UdpSocket, time::Duration};

use common::{
    AccountName,
    net::endpoint,
    why,
    wire::control::{
        Member, Refusal, Status,
        people::{AskPeople, Chat},
    },
};
use peer::{
    Config,
    control::{Client, socket},
    discover,
    profile::{Folders, Kept, Profile, ProfileError},
};
use tokio::time::{sleep, timeout};

use super::{
    machine, mdns,
    observed::{KeyFile, Listen, MemberSeen, Multicast, Observed, SessionSeen, SessionState, Sought, Write},
    probe::{self, Prober},
};

/// How long a session has for an answer.
const ANSWER: Duration = Duration::from_secs(2);
/// How long a link to a member may take to come about before it is missed.
const LINKING: Duration = Duration::from_secs(2);
/// Rooms and members that are looked at, at the most.
const ROOMS: usize = 16;
const PROBED: usize = 8;

/// Tells the person what is waited for.
pub type Tell<'a> = &'a dyn Fn(&str);

/// Looks at one account, or at what a first login would meet.
pub async fn observe(
    name: Option<&AccountName>,
    folders: &Folders,
    config: Result<Config, String>,
    tell: Tell<'_>,
) -> anyhow::Result<Observed> {
    let profile = name.map(|name| folders.profile(name));
    let mut seen = of_the_machine(name, folders, profile.as_ref());
    let config = config.unwrap_or_else(|reason| {
        seen.bad_config = Some(reason);
        Config::default()
    });
    let kept = profile.as_ref().map_or_else(Kept::default, |profile| {
        profile.kept().unwrap_or_else(|error| {
            // Of a folder that cannot be used there is word already.
            let reason = match error {
                ProfileError::Damaged { reason, .. } => reason,
                ProfileError::Io { source, .. } => why(&source),
                error => error.to_string(),
            };
            seen.bad_profile = (seen.write == Write::Good).then(|| (profile.kept_file(), reason));
            Kept::default()
        })
    });
    let mut session = None;
    if let Some(profile) = &profile {
        tell("asking the session");
        (seen.session, session) = of_the_session(profile).await;
    }
    let mut socket = None;
    if matches!(seen.session, SessionSeen::None | SessionSeen::Stale(_)) {
        // Of a folder that cannot be used there is word already.
        if let Some(profile) = profile.as_ref().filter(|_| seen.write == Write::Good) {
            (seen.history, seen.bad_book) = (machine::history(profile), machine::bad_book(profile));
            seen.lost_profile = kept.lost.then(|| profile.kept_file());
        }
        (seen.listen, socket) = listen(&kept, &config);
    }
    let prober = Prober::new(socket, config.link_limits())?;
    let mut running = session.as_mut().map(|(client, status)| (client, &*status));
    let known = running.as_ref().map(|(_, status)| status.tracker);
    let members = async {
        match running.as_mut() {
            Some((client, status)) => of_the_members(client, status, &config).await,
            None => Vec::new(),
        }
    };
    let tracker = of_the_tracker(known, &config, &kept, &seen, &prober, tell);
    let (tracker, members) = tokio::join!(tracker, members);
    (seen.tracker, seen.members) = (tracker, members);
    Ok(seen)
}

fn of_the_machine(name: Option<&AccountName>, folders: &Folders, profile: Option<&Profile>) -> Observed {
    let own = profile.map_or(folders.data(), Profile::folder);
    let folder = machine::nearest(own);
    Observed {
        account: name.cloned(),
        known: profile.is_some_and(|profile| profile.kept_file().exists() || profile.history().exists()),
        config: folders.config_file(),
        write: machine::write(&folder),
        free: machine::free(&folder),
        folder,
        key: profile.map_or(KeyFile::None, machine::key),
        key_path: profile.map(Profile::key).unwrap_or_default(),
        history_path: profile.map(Profile::history).unwrap_or_default(),
        interfaces: machine::interfaces(),
        ..Observed::default()
    }
}

async fn of_the_session(profile: &Profile) -> (SessionSeen, Option<(Client, Status)>) {
    let path = profile.socket();
    if let Ok(mut client) = Client::connect(path) {
        return match timeout(ANSWER, client.status()).await {
            Ok(Ok(status)) => (SessionSeen::Answers(state(&status)), Some((client, status))),
            // One that has just ended refuses too, and is not there any more.
            Ok(Err(refusal)) if Client::connect(path).is_ok() => (SessionSeen::Refuses(refusal.message), None),
            _ => (SessionSeen::Silent(socket::process(path).and_then(machine::process)), None),
        };
    }
    let holder = machine::holder_of_file(&profile.lock());
    let seen = match holder {
        Some(process) => SessionSeen::Silent(Some(process)),
        None if path.symlink_metadata().is_ok() => SessionSeen::Stale(path.to_owned()),
        None => SessionSeen::None,
    };
    (seen, None)
}

fn state(status: &Status) -> SessionState {
    SessionState {
        port: status.address.port(),
        tracker_up: status.tracker_state == "up",
        down_s: status.tracker_down_s,
        trouble: status.trouble.clone(),
        other_version: status.other_version,
        clock_ahead_s: status.clock_ahead_s,
    }
}

/// Tries to have the port that a login would.
fn listen(kept: &Kept, config: &Config) -> (Listen, Option<UdpSocket>) {
    let address = SocketAddr::new(config.listen.ip(), kept.port.unwrap_or(config.listen.port()));
    match endpoint::bind(address) {
        Ok(socket) => (Listen::Good, Some(socket)),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let port = address.port();
            (Listen::Taken { port, by: machine::holder_of_port(port) }, None)
        }
        Err(error) => (Listen::Failed { address, reason: why(&error) }, None),
    }
}

/// Looks for the tracker as a login does, and asks it. `session` is the tracker that a session has, if there is one.
async fn of_the_tracker(
    session: Option<Option<SocketAddr>>,
    config: &Config,
    kept: &Kept,
    seen: &Observed,
    prober: &Prober,
    tell: Tell<'_>,
) -> Sought {
    let last = kept.tracker.as_ref();
    let target = match session {
        Some(None) => return Sought::None,
        Some(Some(address)) => Some(address),
        None if !config.tracker.is_empty() => match discover::named(&config.tracker, last).await {
            Ok(target) => Some(target.address),
            Err(Refusal { message, .. }) => return Sought::Unknown(message),
        },
        None => last.map(|last| last.address),
    };
    let Some(address) = target else { return by_multicast(seen, prober, tell).await };
    let key = last.filter(|last| last.address == address).and_then(|last| last.key());
    tell(&format!("asking the tracker at {address}"));
    if !config.tracker.is_empty() || key.is_none() {
        return Sought::At { address, key, probe: prober.tracker(address).await, now: None };
    }
    let (asking, browsing) = (prober.tracker(address), discover::browse());
    tokio::pin!(asking, browsing);
    let (probe, announced) = tokio::select! {
        biased;
        probe = &mut asking => match &probe.tracker {
            Ok(_) => (probe, Ok(Vec::new())),
            Err(_) => (probe, browsing.await),
        },
        announced = &mut browsing => (asking.await, announced),
    };
    let now = announced.unwrap_or_default().iter().find(|it| Some(it.key) == key).map(|it| it.address);
    match now.filter(|now| *now != address && probe.tracker.is_err()) {
        // A login would go there.
        Some(now) if session.is_none() => Sought::At { address: now, key, probe: prober.tracker(now).await, now: None },
        now => Sought::At { address, key, probe, now },
    }
}

/// The tracker that announces itself, for somebody who knows none.
async fn by_multicast(seen: &Observed, prober: &Prober, tell: Tell<'_>) -> Sought {
    tell("looking for a tracker by mDNS, which takes three seconds");
    let (announced, multicast) = tokio::join!(discover::browse(), mdns::ask(&seen.interfaces));
    let trackers = announced.unwrap_or_default();
    match trackers.as_slice() {
        [only] => {
            let probe = prober.tracker(only.address).await;
            Sought::At { address: only.address, key: Some(only.key), probe, now: None }
        }
        [] => Sought::Announced { trackers, multicast },
        _ => Sought::Announced { trackers, multicast: Multicast::default() },
    }
}

/// Other members who are online, and what the addresses answer of those to whom there is no direct link.
async fn of_the_members(client: &mut Client, status: &Status, config: &Config) -> Vec<MemberSeen> {
    let look = async |client: &mut Client| timeout(ANSWER, online(client, status, config)).await;
    let Ok(Ok(mut members)) = look(client).await else { return Vec::new() };
    if members.iter().any(|member| member.path != "direct") {
        sleep(LINKING).await;
        members = match look(client).await {
            Ok(Ok(members)) => members,
            _ => return Vec::new(),
        };
    }
    let mut asked = tokio::task::JoinSet::new();
    let unreached = members.iter().enumerate().filter(|(_, member)| member.path != "direct");
    for (index, address) in unreached.filter_map(|(index, member)| Some((index, member.address?))).take(PROBED) {
        asked.spawn(async move { (index, probe::datagrams(address).await) });
    }
    while let Some(answered) = asked.join_next().await {
        if let Ok((index, probe)) = answered {
            members[index].probe = Some(probe);
        }
    }
    members
}

/// Of rooms so large that not everybody is linked there is nothing to tell.
async fn online(client: &mut Client, status: &Status, config: &Config) -> Result<Vec<MemberSeen>, Refusal> {
    let chats: Vec<Chat> = client.people(AskPeople::Chats {}).await?;
    let small = chats.into_iter().filter(|chat| chat.room.is_plain() && chat.members as usize <= config.mesh_members);
    let mut online = BTreeMap::new();
    for chat in small.take(ROOMS) {
        let members: Vec<Member> = client.members(chat.room).await?;
        let others = members.into_iter().filter(|member| member.online && member.name != status.name);
        online.extend(others.map(|member| (member.name.fold(), member)));
    }
    let seen =
        |member: Member| MemberSeen { name: member.name, address: member.address, path: member.path, probe: None };
    Ok(online.into_values().map(seen).collect())
}
