//! How long until each of N members of one room knows every other, and what a notice costs:
//! `cargo run --release -p tracker --example crowd -- 1000 [FOLDER]`. With a folder the tables are on disk.

use std::{net::SocketAddr, time::Duration};

use common::{
    Identity,
    frame::Frame,
    net::{
        endpoint::{self, LinkLimits, client_config},
        stream::FrameReader,
        tls::{Certificate, SERVER_NAME},
    },
    wire::tracker::{ALPN, Hello, Holding, Join, Leave, PROTOCOL, ToPeer, ToTracker},
};
use quinn::{Connection, Endpoint, SendStream};
use tokio::{task::JoinSet, time::Instant};
use tracker::{Config, Parts, Running, store::Store, system_clock};

type Failure = Box<dyn std::error::Error + Send + Sync>;

struct Peer {
    _connection: Connection,
    stream: SendStream,
    reader: FrameReader,
    known: usize,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let members: usize = arguments.next().map_or(Ok(1_000), |number| number.parse())?;
    let store = match arguments.next() {
        Some(folder) => Store::open(&std::path::Path::new(&folder).join("crowd.sqlite"), 1)?,
        None => Store::in_memory(1)?,
    };
    let config = Config { handshakes: 4 * members, ..Config::default() };
    let server = tracker::server_config(&Certificate::new(&Identity::from_seed([0xff; 32]))?, &config)?;
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let endpoint = endpoint::endpoint(endpoint::bind(any)?, server)?;
    let running = Running::start(Parts { config, endpoint, store, clock: system_clock(), run: 1 })?;

    let before = resident();
    let begun = Instant::now();
    let mut logins = JoinSet::new();
    for id in 0..members {
        logins.spawn(login(running.address(), id));
        if logins.len() > 64 {
            logins.join_next().await;
        }
    }
    drop(logins);
    println!("{members} logins and out again: {:.2?}", begun.elapsed());
    let mut peers = Vec::new();
    let mut logins = JoinSet::new();
    for id in 0..members {
        logins.spawn(login(running.address(), id));
        if logins.len() > 64
            && let Some(peer) = logins.join_next().await
        {
            peers.push(peer??);
        }
    }
    while let Some(peer) = logins.join_next().await {
        peers.push(peer??);
    }
    println!("idle, both ends: {} KiB a session", (resident() - before) / members);

    let (begun, cpu, sent) = (Instant::now(), cpu_ms(), sent(&running).await);
    let mut joining = JoinSet::new();
    peers.into_iter().for_each(|peer| drop(joining.spawn(join(peer, members))));
    let mut peers = Vec::new();
    while let Some(peer) = joining.join_next().await {
        peers.push(peer??);
    }
    let notices = members * members;
    println!("{members} joined and each knows all: {:.2?}, {} ms of CPU", begun.elapsed(), cpu_ms() - cpu);
    println!("{} bytes of UDP a notice", (self::sent(&running).await - sent) as usize / notices);

    let mut leaver = peers.pop().ok_or("nobody")?;
    let begun = Instant::now();
    leaver.say(Leave { id: 2, room: "hall".parse()? }).await?;
    let mut told = JoinSet::new();
    peers.into_iter().for_each(|mut peer| drop(told.spawn(async move { peer.take().await })));
    while let Some(result) = told.join_next().await {
        result??;
    }
    println!("one left and each knows: {:.2?}", begun.elapsed());
    println!("{:?}", running.asker().status().await);
    Ok(())
}

async fn login(tracker: SocketAddr, id: usize) -> Result<Peer, Failure> {
    let limits = LinkLimits {
        keep_alive: Duration::from_secs(5),
        dead_after: Duration::from_secs(15),
        stream_window: 128 * 1024,
        send_window: 128 * 1024,
        handshakes: 1,
    };
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&id.to_be_bytes());
    let config = client_config(&Certificate::new(&Identity::from_seed(seed))?, ALPN, None, &limits)?;
    let client = Endpoint::client(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let connection = client.connect_with(config, tracker, SERVER_NAME)?.await?;
    let (stream, receive) = connection.open_bi().await?;
    let mut peer = Peer { _connection: connection, stream, reader: FrameReader::new(receive), known: 0 };
    let name = format!("member-{id}").parse()?;
    peer.say(Hello { protocol: PROTOCOL, name, addresses: Default::default() }).await?;
    peer.say(Holding { rooms: Vec::new(), last: true }).await?;
    peer.take().await?;
    Ok(peer)
}

async fn join(mut peer: Peer, members: usize) -> Result<Peer, Failure> {
    peer.say(Join { id: 1, room: "hall".parse()? }).await?;
    while peer.known < members {
        peer.take().await?;
    }
    Ok(peer)
}

impl Peer {
    async fn say(&mut self, frame: impl Into<ToTracker>) -> Result<(), Failure> {
        Ok(self.stream.write_all(&frame.into().encode()).await?)
    }

    async fn take(&mut self) -> Result<(), Failure> {
        let frame = self.reader.next::<ToPeer>().await?.ok_or("the tracker ended the link")?;
        match &frame {
            ToPeer::Update(update) => self.known += update.changes.len(),
            ToPeer::Snapshot(piece) => self.known += piece.members.len(),
            _ => {}
        }
        Ok(())
    }
}

async fn sent(running: &Running) -> u64 {
    running.asker().status().await.map_or(0, |status| status.bytes_out)
}

/// In KiB.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or_default() * 4
}

fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    stat.split(' ').skip(13).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10
}
