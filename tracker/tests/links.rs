//! Over real QUIC on the loopback interface.

mod peer;

use std::{net::SocketAddr, sync::Arc};

use common::{
    Identity,
    net::{endpoint, tls::Certificate},
    wire::tracker::{Code, Join, Logout, ToPeer},
};
use peer::Peer;
use tracker::{Config, Parts, Running, store::Store, system_clock};

struct Host {
    running: Running,
    store: Store,
}

impl Host {
    fn start() -> Host {
        Host::with(Store::in_memory(7).unwrap(), 1, Config::default())
    }

    fn with(store: Store, run: u64, config: Config) -> Host {
        let certificate = Certificate::new(&Identity::from_seed([0xff; 32])).unwrap();
        let server = tracker::server_config(&certificate, &config).unwrap();
        let socket = endpoint::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let endpoint = endpoint::endpoint(socket, server).unwrap();
        let parts = Parts { config, endpoint, store: store.clone(), clock: system_clock(), run };
        Host { running: Running::start(parts).unwrap(), store }
    }

    async fn login(&self, id: u8, name: &str) -> Peer {
        Peer::login(self.running.address(), id, name).await
    }
}

fn code_of(frame: ToPeer) -> Code {
    match frame {
        ToPeer::Refused(refused) => refused.code,
        ToPeer::Bye(bye) => bye.code,
        other => panic!("neither refused nor goodbye: {other:?}"),
    }
}

#[tokio::test]
async fn who_joins_is_seen_by_those_there() {
    let host = Host::start();
    let mut alice = host.login(1, "alice").await;
    assert!(matches!(alice.next().await, ToPeer::Welcome(welcome) if welcome.tables == 7));
    alice.say(Join { id: 1, room: "lobby".parse().unwrap(), history: None }).await;
    assert!(
        matches!(alice.next().await, ToPeer::Snapshot(room) if room.members.len() == 1 && room.presence.len() == 1)
    );
    assert!(matches!(alice.next().await, ToPeer::Answer(answer) if answer.id == 1 && answer.refused.is_none()));
    let mut bob = host.login(2, "bob").await;
    bob.next().await;
    bob.say(Join { id: 1, room: "Lobby".parse().unwrap(), history: None }).await;
    assert!(
        matches!(bob.next().await, ToPeer::Snapshot(room) if room.room.as_str() == "lobby" && room.members.len() == 2)
    );
    let ToPeer::Update(update) = alice.next().await else { panic!("no update") };
    assert_eq!(update.changes.len(), 1);
    assert_eq!(update.presence[0].online.as_ref().unwrap().as_slice(), [bob.address()]);
    let status = host.running.asker().status().await.unwrap();
    assert_eq!((status.accounts, status.sessions, status.rooms, status.members), (2, 2, 1, 2));
    assert!(status.bytes_in > 2_000 && status.bytes_out > 2_000, "{status:?}");
}

#[tokio::test]
async fn a_name_of_another_key_is_refused() {
    let host = Host::start();
    host.login(1, "alice").await.next().await;
    let mut other = host.login(2, "ALICE").await;
    assert_eq!(code_of(other.next().await), Code::NameTaken);
    let (code, reason) = other.closed().await;
    assert_eq!(code, Code::NameTaken);
    assert!(reason.contains("alice@lan belongs to another key"), "{reason}");
}

#[tokio::test]
async fn a_second_login_takes_over() {
    let host = Host::start();
    let mut first = host.login(1, "alice").await;
    first.next().await;
    let mut second = host.login(1, "alice").await;
    assert!(matches!(second.next().await, ToPeer::Welcome(_)));
    assert_eq!(code_of(first.next().await), Code::TakenOver);
    assert_eq!(first.closed().await.0, Code::TakenOver);
}

#[tokio::test]
async fn garbage_closes_the_link_with_the_reason_and_nobody_else_notices() {
    let host = Host::start();
    let mut alice = host.login(1, "alice").await;
    alice.next().await;
    for garbage in [&[0xff; 64][..], &[0, 0, 0, 0], &[0, 0, 0, 2, 1, 0xc1], b"GET / HTTP/1.1\r\n\r\n"] {
        let mut stranger = Peer::dial(host.running.address(), 2).await;
        stranger.write(garbage).await;
        let (code, reason) = stranger.closed().await;
        assert_eq!(code, Code::Protest);
        assert!(!reason.is_empty());
    }
    let mut turned = host.login(3, "carol").await;
    turned.next().await;
    turned.write(&[0xff; 64]).await;
    assert_eq!(turned.closed().await.0, Code::Protest);
    alice.say(Join { id: 4, room: "lobby".parse().unwrap(), history: None }).await;
    assert!(matches!(alice.next().await, ToPeer::Snapshot(_)));
}

#[tokio::test]
async fn another_protocol_does_not_get_past_the_handshake() {
    let host = Host::start();
    let refused = Peer::try_dial(host.running.address(), 1, b"rollcall-peer/1").await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn a_restart_forgets_nothing_and_a_stop_says_goodbye() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Store::open(&folder.path().join("tables.sqlite"), 5).unwrap();
    let host = Host::with(open(), 1, Config::default());
    let mut alice = host.login(1, "alice").await;
    alice.next().await;
    alice.say(Join { id: 1, room: "lobby".parse().unwrap(), history: None }).await;
    let ToPeer::Snapshot(before) = alice.next().await else { panic!("no snapshot") };
    alice.next().await;
    assert!(matches!(Store::open(&folder.path().join("tables.sqlite"), 5), Err(tracker::store::StoreError::InUse)));
    let Host { running, store } = host;
    running.stop().await.unwrap();
    assert_eq!(code_of(alice.next().await), Code::ShuttingDown);
    assert_eq!(alice.closed().await.0, Code::ShuttingDown);
    drop(store);

    let host = Host::with(open(), 2, Config::default());
    let mut stranger = host.login(2, "alice").await;
    assert_eq!(code_of(stranger.next().await), Code::NameTaken);
    let mut alice = host.login(1, "alice").await;
    assert!(matches!(alice.next().await, ToPeer::Welcome(welcome) if welcome.tables == 5));
    let ToPeer::Snapshot(after) = alice.next().await else { panic!("no snapshot") };
    assert_eq!((after.version, after.members), (before.version, before.members));
    alice.say(Logout {}).await;
    assert_eq!(code_of(alice.next().await), Code::LoggedOut);
}

#[tokio::test]
async fn requests_beyond_the_bound_are_answered_when_there_is_space() {
    let host = Host::with(Store::in_memory(1).unwrap(), 1, Config { requests_per_session: 2, ..Config::default() });
    let mut alice = host.login(1, "alice").await;
    alice.next().await;
    for id in 0..100 {
        alice.say(Join { id, room: format!("room{id}").parse().unwrap(), history: None }).await;
    }
    let mut answered = 0;
    while answered < 100 {
        if let ToPeer::Answer(answer) = alice.next().await {
            assert_eq!((answer.id, answer.refused), (answered, None));
            answered += 1;
        }
    }
}

#[tokio::test]
async fn a_tracker_ends_when_it_is_told_to() {
    let certificate = Certificate::new(&Identity::from_seed([1; 32])).unwrap();
    let config = Config::default();
    let socket = endpoint::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let endpoint = endpoint::endpoint(socket, tracker::server_config(&certificate, &config).unwrap()).unwrap();
    let clock: tracker::Clock = Arc::new(|| 5);
    let parts = Parts { config, endpoint, store: Store::in_memory(1).unwrap(), clock, run: 1 };
    tracker::run(parts, async {}).await.unwrap();
}
