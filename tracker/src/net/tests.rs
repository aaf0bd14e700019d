//! The driver where the disk is full. Time is paused, so the pauses between attempts cost nothing.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use common::{
    Identity,
    net::{
        endpoint::{client_config, endpoint},
        tls::{Certificate, SERVER_NAME},
    },
    wire::tracker::{ALPN, Hello},
};
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    time::Instant,
};

use super::{Driver, Event, Link, Shared, Write};
use crate::{
    config::Config,
    core::{Input, SessionId, Tracker},
    server_config,
    store::Store,
};

/// Any connection: the driver only asks it for its address.
async fn connection(config: &Config) -> (quinn::Connection, [quinn::Endpoint; 2]) {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let certificate = Certificate::new(&Identity::from_seed([1; 32])).unwrap();
    let server =
        endpoint(std::net::UdpSocket::bind(any).unwrap(), server_config(&certificate, config).unwrap()).unwrap();
    let client = quinn::Endpoint::client(any).unwrap();
    let dial = client_config(&certificate, ALPN, None, &config.link_limits()).unwrap();
    let dialled = client.connect_with(dial, server.local_addr().unwrap(), SERVER_NAME).unwrap();
    let accepted = async { server.accept().await.unwrap().await.unwrap() };
    let (dialled, _) = tokio::join!(dialled, accepted);
    (dialled.unwrap(), [server, client])
}

#[tokio::test]
async fn nothing_leaves_before_it_is_stored_and_a_full_disk_is_tried_again() {
    let config = Config::default();
    let (connection, _endpoints) = connection(&config).await;
    let store = Store::in_memory(1).unwrap();
    let (to_driver, events) = mpsc::channel(256);
    let (_questions, asked) = mpsc::channel(1);
    let (stop, stopped) = oneshot::channel();
    let driver = Driver {
        core: Tracker::new(config.clone(), store.load().unwrap(), 1, 0).unwrap(),
        store: store.clone(),
        clock: Arc::new(|| 1),
        shared: Arc::new(Shared::new(config, to_driver.clone())),
        events,
        questions: asked,
        links: HashMap::new(),
        started: Instant::now(),
        answers: HashMap::new(),
        asked: 0,
    };
    store.bound(1);
    let driver = tokio::spawn(driver.run(stopped));

    // Enough accounts that one more page is needed.
    let mut links = Vec::new();
    for id in 1..=200u8 {
        let (writes, to_write) = mpsc::channel(2);
        let session = SessionId(id.into());
        let link = Link { connection: connection.clone(), writes, requests: Arc::new(Semaphore::new(1)) };
        let name = format!("somebody-with-a-name-{id}").parse().unwrap();
        let hello = Hello::new(name, Default::default());
        let input =
            Input::Hello { session, key: common::Key([id; 32]), seen: ([127, 0, 0, 1], 1).into(), hello, clock: 0 };
        links.push(to_write);
        to_driver.try_send(Event::Opened { session, link, input }).unwrap_or_else(|_| panic!("there is space"));
    }
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let stored = store.load().unwrap().accounts.len();
    let told = links.iter_mut().filter_map(|link| link.try_recv().ok()).count();
    assert_eq!(told, stored, "only those that are stored are told");
    assert!(told < links.len(), "the disk is full");
    store.bound(1 << 20);
    for link in links.iter_mut().skip(told) {
        assert!(matches!(link.recv().await, Some(Write::Frames(_))));
    }
    assert_eq!(store.load().unwrap().accounts.len(), links.len());
    drop(stop);
    driver.abort();
}
