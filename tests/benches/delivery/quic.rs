//! Plain QUIC: a connection and one stream to each receiver, into which everything that waits goes together. Nothing
//! is signed, stored or receipted.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use common::{
    Identity,
    net::{
        endpoint::{self, LinkLimits, client_config},
        tls::{Certificate, SERVER_NAME},
    },
};
use quinn::{Connection, Endpoint, RecvStream, SendStream};
use tests::measure::Deliveries;
use tokio::sync::{mpsc, watch};

use crate::TEXT;

const ALPN: &[u8] = b"plain";
/// Messages that wait for one receiver at the most: as many as one of our batches holds.
const WAITING: usize = 1_100;

/// What the deliveries of the current run are counted with, from a first message on.
type Count = (u64, Arc<Deliveries>);

/// The sender's end of all connections.
pub struct Senders {
    queues: Vec<mpsc::Sender<Bytes>>,
    count: watch::Sender<Count>,
    sent: u64,
    _ends: Vec<(Endpoint, Connection)>,
}

impl Senders {
    /// Connects to so many receivers.
    pub async fn new(receivers: usize) -> Senders {
        let limits = peer::Config::default().link_limits();
        let count = watch::Sender::new((0, Arc::new(Deliveries::new(0, 0, false))));
        let sender = end(0, &limits);
        let certificate = Certificate::new(&Identity::from_seed([0; 32])).expect("a certificate");
        let config = client_config(&certificate, ALPN, None, &limits).expect("a TLS config");
        let (mut queues, mut ends) = (Vec::new(), Vec::new());
        for number in 1..=receivers {
            let receiver = end(number, &limits);
            tokio::spawn(receive(receiver.clone(), count.subscribe()));
            let address = receiver.local_addr().expect("an address");
            let connecting = sender.connect_with(config.clone(), address, SERVER_NAME).expect("a connection");
            let connection = connecting.await.expect("a connection");
            let (stream, _) = connection.open_bi().await.expect("a stream");
            let (queue, waiting) = mpsc::channel(WAITING);
            tokio::spawn(write(stream, waiting));
            queues.push(queue);
            ends.push((receiver, connection));
        }
        ends.extend(ends.first().map(|(_, connection)| (sender, connection.clone())));
        Senders { queues, count, sent: 0, _ends: ends }
    }

    pub fn listen(&mut self, deliveries: &Arc<Deliveries>) {
        self.count.send_replace((self.sent, deliveries.clone()));
    }

    pub async fn flood(&mut self, messages: u64, deliveries: &Arc<Deliveries>) {
        self.listen(deliveries);
        for message in 0..messages {
            self.say(message).await;
        }
        self.sent += messages;
        deliveries.all().await;
    }

    pub async fn say(&self, message: u64) {
        let message = message.to_be_bytes().repeat(TEXT / 8);
        let message = Bytes::from(message);
        for queue in &self.queues {
            queue.send(message.clone()).await.expect("the writer runs");
        }
    }
}

async fn write(mut stream: SendStream, mut waiting: mpsc::Receiver<Bytes>) {
    let mut together = Vec::with_capacity(WAITING);
    while waiting.recv_many(&mut together, WAITING).await > 0 {
        if stream.write_all_chunks(&mut together).await.is_err() {
            return;
        }
        together.clear();
    }
}

async fn receive(endpoint: Endpoint, count: watch::Receiver<Count>) {
    let connection = endpoint.accept().await.expect("a connection").await.expect("a connection");
    let (_, mut stream): (_, RecvStream) = connection.accept_bi().await.expect("a stream");
    let (mut bytes, mut told) = (0, 0);
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(Some(length)) = stream.read(&mut buffer).await {
        bytes += length;
        let whole = (bytes / TEXT) as u64;
        let (first, deliveries) = count.borrow().clone();
        if whole > told {
            deliveries.arrived(told - first..whole - first);
            told = whole;
        }
    }
}

fn end(number: usize, limits: &LinkLimits) -> Endpoint {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    let certificate = Certificate::new(&Identity::from_seed(seed)).expect("a certificate");
    let server = endpoint::server_config(&certificate, ALPN, limits).expect("a TLS config");
    let socket = endpoint::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a socket");
    endpoint::endpoint(socket, server).expect("an endpoint")
}
