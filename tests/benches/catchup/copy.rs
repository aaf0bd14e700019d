//! A plain copy: one QUIC connection, one stream, and a file that is synced at its end.

use std::{fs::File, io::Write, net::SocketAddr, path::Path};

use common::{
    Identity,
    net::{
        endpoint::{self, client_config},
        tls::{Certificate, SERVER_NAME},
    },
};
use quinn::{Endpoint, VarInt};

const ALPN: &[u8] = b"copy";
/// What is read and written at once.
const PIECE: usize = 64 * 1024;

/// Copies so many bytes into a new file; returns when the sender knows that they are on the disk.
pub async fn run(bytes: usize, to: &Path) {
    let (sender, receiver) = (end(1), end(2));
    let address = receiver.local_addr().expect("an address");
    let file = File::create_new(to).expect("a new file");
    let receiving = tokio::spawn(receive(receiver, file));
    let limits = peer::Config::default().link_limits();
    let certificate = Certificate::new(&Identity::from_seed([1; 32])).expect("a certificate");
    let config = client_config(&certificate, ALPN, None, &limits).expect("a TLS config");
    let connection =
        sender.connect_with(config, address, SERVER_NAME).expect("an address").await.expect("a connection");
    let (mut send, mut recv) = connection.open_bi().await.expect("a stream");
    send.write_all(&vec![b'x'; bytes]).await.expect("it is read");
    send.finish().expect("it is open");
    recv.read_to_end(0).await.expect("it is on the disk");
    connection.close(VarInt::from_u32(0), b"");
    receiving.await.expect("the receiver runs");
}

async fn receive(endpoint: Endpoint, mut file: File) {
    let connection = endpoint.accept().await.expect("a connection").await.expect("a connection");
    let (mut send, mut recv) = connection.accept_bi().await.expect("a stream");
    let mut buffer = vec![0; PIECE];
    while let Some(length) = recv.read(&mut buffer).await.expect("the connection stands") {
        file.write_all(&buffer[..length]).expect("space");
    }
    file.sync_all().expect("a disk");
    send.finish().expect("it is open");
    connection.closed().await;
}

fn end(number: u8) -> Endpoint {
    let certificate = Certificate::new(&Identity::from_seed([number; 32])).expect("a certificate");
    let limits = peer::Config::default().link_limits();
    let server = endpoint::server_config(&certificate, ALPN, &limits).expect("a TLS config");
    let socket = endpoint::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a socket");
    endpoint::endpoint(socket, server).expect("an endpoint")
}
