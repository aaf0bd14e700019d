//! Bare UDP to each receiver: as many messages a datagram as fit, acknowledged so that nothing is lost on loopback.
//! Nothing is encrypted, signed, stored or receipted.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use tests::measure::Deliveries;
use tokio::{
    net::UdpSocket,
    sync::{mpsc, watch},
};

use crate::TEXT;

/// Messages in one datagram: what fits an Ethernet frame.
const PACKED: usize = 7;
/// Datagrams under way to one receiver, and how many of them one acknowledgement is for when they come in a row.
const WINDOW: u64 = 32;
const ACKED_TOGETHER: u64 = 16;

type Count = (u64, Arc<Deliveries>);

/// The sender's end.
pub struct Senders {
    queues: Vec<mpsc::Sender<Bytes>>,
    count: watch::Sender<Count>,
    sent: u64,
}

impl Senders {
    /// To so many receivers.
    pub async fn new(receivers: usize) -> Senders {
        let count = watch::Sender::new((0, Arc::new(Deliveries::new(0, 0, false))));
        let mut queues = Vec::new();
        for _ in 0..receivers {
            let (here, there) = (bound().await, bound().await);
            here.connect(there.local_addr().expect("an address")).await.expect("an address");
            there.connect(here.local_addr().expect("an address")).await.expect("an address");
            let (queue, waiting) = mpsc::channel(1_100);
            tokio::spawn(write(here, waiting));
            tokio::spawn(receive(there, count.subscribe()));
            queues.push(queue);
        }
        Senders { queues, count, sent: 0 }
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
        let message = Bytes::from(message.to_be_bytes().repeat(TEXT / 8));
        for queue in &self.queues {
            queue.send(message.clone()).await.expect("the writer runs");
        }
    }
}

async fn write(socket: UdpSocket, mut waiting: mpsc::Receiver<Bytes>) {
    let (mut sent, mut acked) = (0, 0);
    let mut together = Vec::with_capacity(PACKED);
    while waiting.recv_many(&mut together, PACKED).await > 0 {
        if socket.send(&together.concat()).await.is_err() {
            return;
        }
        together.clear();
        sent += 1;
        let mut ack = [0; 8];
        while sent - acked >= WINDOW && socket.recv(&mut ack).await.is_ok() {
            acked = u64::from_be_bytes(ack);
        }
    }
}

async fn receive(socket: UdpSocket, count: watch::Receiver<Count>) {
    let (mut datagrams, mut told) = (0u64, 0);
    let mut datagram = [0; PACKED * TEXT];
    while let Ok(length) = socket.recv(&mut datagram).await {
        datagrams += 1;
        let (first, deliveries) = count.borrow().clone();
        let whole = told + (length / TEXT) as u64;
        deliveries.arrived(told - first..whole - first);
        told = whole;
        if datagrams % ACKED_TOGETHER == 0 {
            let _ = socket.send(&datagrams.to_be_bytes()).await;
        }
    }
}

async fn bound() -> UdpSocket {
    UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a socket")
}
